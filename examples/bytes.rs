//! bytes [ADDRESS [LINES]]: a client that sends so many lines to an echo server (one of the others here, say) and
//! compares what comes back. Nothing is copied: all lines are slices of one `Bytes`, and what is received is split off
//! the `BytesMut` that the kernel has written into.
//!
//! A write and a read are under way on the socket at once. They are two states that share it, told apart by what they
//! are.
#![forbid(unsafe_code)]

use bytes::{Bytes, BytesMut};
use ioevent::net::{Address, stream_socket};
use ioevent::{Attached, EventPipe, Events, Op, Request};
use std::fmt::Write;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

type Socket = Arc<Attached<OwnedFd>>;

enum Job {
    Connect {
        socket: Socket,
        to: Address,
    },
    Send {
        socket: Socket,
        line: Bytes,
    },
    /// All is sent: the server sees the end.
    Finish {
        socket: Socket,
    },
    Receive {
        socket: Socket,
        input: BytesMut,
    },
}

impl Job {
    fn next(&mut self) -> Request<'_> {
        match self {
            Job::Connect { socket, to } => socket.connect(to),
            Job::Send { socket, line } => socket.write(line),
            Job::Finish { socket } => socket.shutdown(Shutdown::Write),
            Job::Receive { socket, input } => socket.read_spare(input),
        }
        .timeout(LIMIT)
    }
}

/// The lines, one after the other in one piece of memory.
struct Lines(Bytes);

impl Iterator for Lines {
    type Item = Bytes;
    fn next(&mut self) -> Option<Bytes> {
        let end = self.0.iter().position(|&byte| byte == b'\n')?;
        Some(self.0.split_to(end + 1))
    }
}

fn numbered(count: usize) -> Lines {
    let mut text = String::new();
    for number in 0..count {
        // To a String it cannot fail.
        let _ = writeln!(text, "line {number}");
    }
    Lines(text.into())
}

fn talk(server: SocketAddr, count: usize) -> io::Result<()> {
    let pipe = EventPipe::new(2)?;
    let socket = Arc::new(pipe.attach(stream_socket(&server)?)?);
    pipe.submit(Op::new(Job::Connect { socket, to: server.into() }), Job::next)?;

    let mut lines = numbered(count);
    let mut expected = Lines(lines.0.clone()); // the same memory once more
    let mut events = Events::with_capacity(2);
    while pipe.places_taken() > 0 {
        for event in pipe.wait(&mut events, None)? {
            let (mut job, outcome) = event.into_parts();
            let bytes = outcome.bytes()?;
            match &mut *job {
                Job::Connect { socket, .. } => {
                    let socket = socket.clone();
                    let receive =
                        Job::Receive { socket: socket.clone(), input: BytesMut::with_capacity(4096) };
                    pipe.submit(Op::new(receive), Job::next)?;
                    *job = match lines.next() {
                        Some(line) => Job::Send { socket, line },
                        None => Job::Finish { socket },
                    };
                }
                Job::Send { socket, line } => match lines.next() {
                    Some(next) => *line = next,
                    None => *job = Job::Finish { socket: socket.clone() },
                },
                Job::Finish { .. } => continue,
                Job::Receive { .. } if bytes == 0 => continue,
                Job::Receive { input, .. } => {
                    while let Some(end) = input.iter().position(|&byte| byte == b'\n') {
                        let line = input.split_to(end + 1).freeze();
                        if expected.next().as_ref() != Some(&line) {
                            return Err(io::Error::other(format!("{line:?} came back out of turn")));
                        }
                    }
                    // Where all of it was split off this takes the same memory again.
                    input.reserve(1024);
                }
            }
            pipe.submit(job, Job::next)?;
        }
    }
    match expected.next() {
        None => Ok(()),
        Some(line) => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{line:?} did not come back")))
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let (address, count) = match &*arguments {
        [] => ("127.0.0.1:7777", Ok(1000)),
        [address] => (&**address, Ok(1000)),
        [address, count] => (&**address, count.parse()),
        _ => ("", "".parse()),
    };
    let (Ok(server), Ok(count)) = (address.parse(), count) else {
        eprintln!("usage: bytes [ADDRESS [LINES]], as 127.0.0.1:7777 1000");
        return ExitCode::from(2);
    };
    match talk(server, count) {
        Ok(()) => {
            println!("{count} lines came back");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bytes: {server}: {error}");
            ExitCode::FAILURE
        }
    }
}
