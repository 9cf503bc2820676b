//! The load generator: one thread, the same work for every request.
//!
//! A request is a message of N bytes to the server and the same N bytes back. Every byte of it is compared: what
//! connection `c` sends as its message `m` is a slice of one block of pseudo-random bytes, at a place that depends on
//! `c` and `m`, so that nothing is computed for a message, and yet a message that comes back on another connection, or
//! twice, is noticed.

mod connection;
mod flood;
mod meter;
mod ping_pong;
mod short;

use crate::sys;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use flood::{FLOODING, PIECE, READING};

/// When this much time passes without any answer, the server is taken for dead.
const STALL: Duration = Duration::from_secs(10);

/// How much: of warm-up, and of what is measured.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// So many requests, and not one more.
    Requests(u64),
    /// So much time.
    Time(Duration),
}

/// What the clients do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Kind {
    /// A connection sends its next message when the last has come back.
    PingPong,
    /// Each request has a connection of its own.
    Short,
    /// Ping-pong, while further connections send as fast as they can.
    Flood,
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server listens on 127.0.0.1, here.
    pub port: u16,
    /// What the clients do.
    pub kind: Kind,
    /// Connections that always have a message under way.
    pub active: usize,
    /// Connections that are open; with ping-pong only.
    pub idle: usize,
    /// The length of a message.
    pub bytes: usize,
    /// What is not measured, at the beginning.
    pub warm_up: Length,
    /// What is measured.
    pub length: Length,
    /// The server: its CPU time and memory are reported.
    pub server: Option<u32>,
}

/// What came out. Times are of the measured part.
#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Requests that were answered.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// Median latency in nanoseconds.
    pub p50: u64,
    /// The latency that one request in a hundred exceeded.
    pub p99: u64,
    /// The latency that one request in a thousand exceeded.
    pub p999: u64,
    /// CPU time of this process in nanoseconds.
    pub own_cpu: u64,
    /// CPU time of the server in nanoseconds.
    pub server_cpu: Option<u64>,
    /// The server's resident anonymous memory without a connection, in bytes.
    pub memory_before: Option<u64>,
    /// The same with a ninth of the connections, for what each further one costs.
    pub memory_ninth: Option<u64>,
    /// The same with all connections open, before the first request.
    pub memory_open: Option<u64>,
    /// The bytes that came back to the connections of the flood.
    pub flooded: u64,
}

/// Carries out a plan.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let total = plan.active + plan.idle + if plan.kind == Kind::Flood { FLOODING } else { 0 };
    ensure!(plan.active > 0 && plan.bytes > 0, "at least one active connection and one byte");
    ensure!(plan.idle == 0 || plan.kind == Kind::PingPong, "idle connections are for ping-pong");
    let limit = sys::raise_descriptor_limit().context("the limit of descriptors")?;
    ensure!(total as u64 + 32 <= limit, "{total} connections, but this process may have {limit} descriptors");
    match plan.kind {
        Kind::PingPong => ping_pong::run(plan),
        Kind::Short => short::run(plan),
        Kind::Flood => flood::run(plan),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    /// An echo server that changes what it receives by `change`; its port. Its threads end with the test.
    fn server(change: fn(&mut [u8])) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut room = [0; 4096];
                    while let Ok(n) = stream.read(&mut room)
                        && n > 0
                    {
                        change(&mut room[..n]);
                        if stream.write_all(&room[..n]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        port
    }

    fn plan(kind: Kind, port: u16) -> Plan {
        let (warm_up, length) = (Length::Requests(5), Length::Requests(100));
        Plan { port, kind, active: 4, idle: 0, bytes: 64, warm_up, length, server: None }
    }

    #[test]
    fn as_many_requests_are_made_as_asked_for() {
        let port = server(|_| {});
        for kind in [Kind::PingPong, Kind::Short] {
            let outcome = run(&plan(kind, port)).unwrap();
            assert_eq!(outcome.requests, 100, "{kind:?}");
            assert!(outcome.seconds > 0.0 && outcome.p50 > 0, "{kind:?}");
        }
        let idle = run(&Plan { idle: 8, ..plan(Kind::PingPong, port) }).unwrap();
        assert_eq!(idle.requests, 100);
    }

    #[test]
    fn a_wrong_echo_is_noticed() {
        let port = server(|bytes| bytes[bytes.len() - 1] ^= 1);
        for kind in [Kind::PingPong, Kind::Short] {
            let error = run(&plan(kind, port)).unwrap_err();
            assert!(format!("{error:#}").contains("wrong bytes"), "{kind:?}: {error:#}");
        }
    }
}
