//! load: sends messages to an echo server on this machine, checks what comes back, and says what it took.
//!
//! The answer is one line of JSON; times are in nanoseconds.

use clap::Parser;
use ioevent_benches::load::{Kind, Length, Plan, run};
use std::process::ExitCode;
use std::time::Duration;

/// Requests to an echo server on 127.0.0.1; what comes back is compared. Prints one line of JSON.
#[derive(Parser)]
struct Options {
    /// The server's port.
    port: u16,
    /// What the clients do.
    #[arg(long, value_enum, default_value_t = Kind::PingPong)]
    kind: Kind,
    /// Connections that always have a message under way.
    #[arg(long, default_value_t = 1)]
    active: usize,
    /// Further connections that are only open.
    #[arg(long, default_value_t = 0)]
    idle: usize,
    /// Bytes of a message.
    #[arg(long, default_value_t = 64)]
    bytes: usize,
    /// How many requests to measure, instead of --seconds.
    #[arg(long, conflicts_with = "seconds")]
    requests: Option<u64>,
    /// How long to measure.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Requests before that; without it, a fifth of what is measured.
    #[arg(long, requires = "requests")]
    warm_up: Option<u64>,
    /// The server's process: for its CPU time and memory.
    #[arg(long)]
    server: Option<u32>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (warm_up, length) = match options.requests {
        Some(n) => (Length::Requests(options.warm_up.unwrap_or(n / 5)), Length::Requests(n)),
        None => {
            let time = Duration::try_from_secs_f64(options.seconds).unwrap_or_default();
            (Length::Time(time / 5), Length::Time(time))
        }
    };
    let Options { port, kind, active, idle, bytes, server, .. } = options;
    let outcome = run(&Plan { port, kind, active, idle, bytes, warm_up, length, server });
    match outcome.and_then(|outcome| Ok(serde_json::to_string(&outcome)?)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
