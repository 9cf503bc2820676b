//! Echo over the safe interface of libioevent: one operation outstanding for each connection, a read or a write in
//! turn, as in echo_ioevent.c beside this (WAY READ). Any number of threads harvest the same pipe; each event goes to
//! one of them, so a connection needs no lock.
//!
//! The command line, the listening socket, the line "ready" and the end on SIGTERM are those of peer.h.
#![forbid(unsafe_code)]

use ioevent::signal::{Received, Signal, Signals};
use ioevent::{Attached, EventPipe, Events, Op, Request};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::process::exit;
use std::str::FromStr;
use std::thread;

const BATCH: usize = 64;
/// More places than descriptors: never full.
const PLACES: usize = 1 << 20;

enum Job {
    Talk(Connection),
    Accept(Attached<OwnedFd>),
    End(Attached<Signals>, Received),
}

struct Connection {
    stream: Attached<OwnedFd>,
    /// So many bytes of the buffer are being sent; 0: it is read into.
    unsent: usize,
    buffer: Box<[u8]>,
}

impl Job {
    #[inline]
    fn next(&mut self) -> Request<'_> {
        match self {
            Job::Talk(c) => match c.unsent {
                0 => c.stream.read(&mut c.buffer),
                n => c.stream.write(c.buffer.get(..n).unwrap_or_default()),
            },
            Job::Accept(listener) => listener.accept(),
            Job::End(signals, received) => signals.read(received.as_bytes_mut()),
        }
    }
}

struct Options {
    port: u16,
    threads: usize,
    buffer: usize,
}

/// A connection begins with a read. One that cannot be is closed.
#[cold]
fn accepted(pipe: &EventPipe<Job>, buffer: usize, stream: io::Result<OwnedFd>) {
    let Ok(stream) = stream else { return };
    let Ok(stream) = pipe.attach(stream) else { return };
    // Zeroed, as the program in C does not: callgrind counts 4,100 instructions for 4 KiB (rep stosb, an instruction
    // each).
    let talk = Connection { stream, unsent: 0, buffer: vec![0; buffer].into() };
    drop(pipe.submit(Op::new(Job::Talk(talk)), Job::next));
}

fn work(pipe: &EventPipe<Job>, buffer: usize) -> io::Error {
    let mut events = Events::with_capacity(BATCH);
    loop {
        let events = match pipe.wait(&mut events, None) {
            Ok(events) => events,
            Err(error) => return error,
        };
        for event in events {
            let (mut job, outcome) = event.into_parts();
            // As in C: first what is rare, and on a way of its own.
            let Job::Talk(c) = &mut *job else {
                match &*job {
                    Job::End(..) => exit(0),
                    _ => accepted(pipe, buffer, outcome.descriptor()),
                }
                drop(pipe.submit(job, Job::next));
                continue;
            };
            match outcome.count() {
                Some(n @ 1..) => c.unsent = if c.unsent == 0 { n } else { 0 },
                _ => continue, // end of file or an error: it is dropped, which closes it
            }
            drop(pipe.submit(job, Job::next));
        }
    }
}

fn listen(port: u16) -> io::Result<OwnedFd> {
    let here = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    sockopt::set_tcp_nodelay(&listener, true)?; // what is accepted inherits it
    rustix::net::bind(&listener, &here)?;
    rustix::net::listen(&listener, 4096)?;
    Ok(listener)
}

fn serve(options: &Options) -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let signals = Signals::block(&[Signal::TERM])?;
    let pipe = EventPipe::new(PLACES)?;
    let signals = pipe.attach(signals)?;
    pipe.submit(Op::new(Job::End(signals, Received::new())), Job::next)?;
    let listener = pipe.attach(listen(options.port)?)?;
    pipe.submit(Op::new(Job::Accept(listener)), Job::next)?;
    println!("ready");
    thread::scope(|scope| {
        for _ in 1..options.threads {
            scope.spawn(|| work(&pipe, options.buffer));
        }
        Err(work(&pipe, options.buffer))
    })
}

/// echo_rust [-t THREADS] [-s BUFFER_BYTES] PORT
fn options(mut arguments: impl Iterator<Item = OsString>) -> Option<Options> {
    fn number<N: FromStr>(text: Option<OsString>) -> Option<N> {
        text?.to_str()?.parse().ok()
    }
    let mut options = Options { port: 0, threads: 1, buffer: 64 };
    while let Some(argument) = arguments.next() {
        match argument.to_str()? {
            "-t" => options.threads = number(arguments.next())?,
            "-s" => options.buffer = number(arguments.next())?,
            _ if options.port == 0 => options.port = number(Some(argument))?,
            _ => return None,
        }
    }
    let fits =
        options.port > 0 && (1..=1024).contains(&options.threads) && (1..=1 << 30).contains(&options.buffer);
    fits.then_some(options)
}

fn main() {
    let Some(options) = options(std::env::args_os().skip(1)) else {
        eprintln!("usage: echo_rust [-t THREADS] [-s BUFFER_BYTES] PORT");
        exit(2);
    };
    if let Err(error) = serve(&options) {
        eprintln!("echo_rust: {error}");
        exit(1);
    }
}
