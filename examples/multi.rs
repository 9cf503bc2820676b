//! multi: one loop that waits for five different things together: a datagram, a timer, signals, the exit of a child,
//! and an event that another thread posts. Prints a line for each, and ends when all were seen, or on SIGINT or
//! SIGTERM.
#![forbid(unsafe_code)]

use ioevent::process::{Exit, PidFd};
use ioevent::signal::{Received, Signal, Signals};
use ioevent::{Attached, EventPipe, Events, Op, Outcome, Request, timer};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::Duration;

const SOURCES: usize = 5;

/// One state for each kind of operation: what it works on, and where its results are.
enum Source {
    Datagram {
        socket: Attached<UdpSocket>,
        text: Vec<u8>,
    },
    Timer(Duration),
    Signal {
        signals: Attached<Signals>,
        received: Received,
    },
    Child {
        child: Child,
        pid: Attached<PidFd>,
        exit: Exit,
    },
    /// No operation: it is posted.
    Posted(&'static str),
}

impl Source {
    fn next(&mut self) -> Request<'_> {
        match self {
            Source::Datagram { socket, text } => socket.read_spare(text),
            Source::Timer(time) => timer(*time),
            Source::Signal { signals, received } => signals.read(received.as_bytes_mut()),
            Source::Child { pid, exit, .. } => pid.wait(exit),
            Source::Posted(_) => timer(Duration::ZERO),
        }
    }
}

/// Whether the program is to end.
fn report(source: &mut Source, outcome: Outcome) -> io::Result<bool> {
    outcome.done()?;
    match source {
        Source::Datagram { text, .. } => println!("datagram: {}", String::from_utf8_lossy(text)),
        Source::Timer(time) => println!("timer: after {time:?}"),
        Source::Signal { received, .. } => {
            println!("signal: {:?} from process {}", received.signal(), received.sender());
            return Ok([Signal::INT, Signal::TERM].contains(&received.signal()));
        }
        Source::Child { child, exit, .. } => {
            let status = child.wait()?; // the event did not take the child away, so this does not wait
            println!("child: process {} ended, {status}", child.id());
            if exit.status() != Some(status) {
                return Err(io::Error::other("the event and the child say different things"));
            }
        }
        Source::Posted(text) => println!("posted: {text}"),
    }
    Ok(false)
}

fn run() -> io::Result<()> {
    // Blocked before any other thread begins: one that does not block them would get them. SIGCHLD comes with the
    // child.
    let signals = Signals::block(&[Signal::CHLD, Signal::INT, Signal::TERM])?;
    let pipe = EventPipe::new(SOURCES)?;

    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    let child = Command::new("sh").args(["-c", "exit 7"]).spawn()?;
    for source in [
        Source::Datagram { socket: pipe.attach(socket)?, text: Vec::with_capacity(64) },
        Source::Timer(Duration::from_millis(20)),
        Source::Signal { signals: pipe.attach(signals)?, received: Received::new() },
        Source::Child { pid: pipe.attach(PidFd::of(&child)?)?, child, exit: Exit::new() },
    ] {
        pipe.submit(Op::new(source), Source::next)?;
    }

    thread::scope(|scope| {
        let other = scope.spawn(|| {
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(b"hello", address)?;
            io::Result::Ok(pipe.post(Op::new(Source::Posted("from another thread")), 0)?)
        });
        let mut events = Events::with_capacity(SOURCES);
        let mut seen = 0;
        while seen < SOURCES {
            for event in pipe.wait(&mut events, None)? {
                let (mut source, outcome) = event.into_parts();
                seen += 1;
                if report(&mut source, outcome)? {
                    return Ok(());
                }
            }
        }
        other.join().unwrap_or_else(|_| Err(io::Error::other("the other thread panicked")))
    })
}

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        eprintln!("usage: multi (it takes no arguments)");
        return ExitCode::from(2);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("multi: {error}");
            ExitCode::FAILURE
        }
    }
}
