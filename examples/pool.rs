//! pool [ADDRESS [THREADS [CONNECTIONS]]]: an echo server whose threads share one pipe, and with it all connections. It
//! ends on SIGINT or SIGTERM.
//!
//! Each event goes to one thread, and a connection has one operation at a time: so it is with one thread at a time, and
//! needs no lock. The thread that harvests the "stop" passes it on and ends. (It is posted once, and not once for each
//! thread: one harvest may take several events.)
#![forbid(unsafe_code)]

use ioevent::signal::{Received, Signal, Signals};
use ioevent::{Attached, EventPipe, Events, Op, Outcome, Request, timer};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const BUFFER: usize = 4096;
/// How long the listener pauses when it cannot go on.
const PAUSE: Duration = Duration::from_millis(100);
/// Beside the connections: the listener, the signals, and the "stop", each once. So the pipe cannot be full.
const OTHERS: usize = 3;

enum Job {
    Accept(Acceptor),
    Signal { signals: Attached<Signals>, received: Received },
    Read(Connection),
    Write(Connection),
    Stop,
}

struct Acceptor {
    listener: Attached<TcpListener>,
    paused: bool,
    /// So many connections at most.
    limit: usize,
    /// Cloned into each connection: its count says how many there are.
    seats: Arc<()>,
}

struct Connection {
    stream: Attached<TcpStream>,
    data: Vec<u8>,
    _seat: Arc<()>,
}

impl Job {
    fn next(&mut self) -> Request<'_> {
        match self {
            Job::Accept(a) => match a.paused {
                true => timer(PAUSE),
                false => a.listener.accept(),
            },
            Job::Signal { signals, received } => signals.read(received.as_bytes_mut()),
            Job::Read(c) => c.stream.read_spare(&mut c.data),
            Job::Write(c) => c.stream.write(&c.data),
            Job::Stop => timer(Duration::ZERO), // never: it is posted
        }
    }

    /// What becomes of a job when its operation is complete; `None` drops it, which closes what it has.
    fn turn(self, pipe: &EventPipe<Job>, outcome: Outcome) -> Option<Job> {
        match (self, outcome.count()) {
            (Job::Accept(mut acceptor), _) => {
                acceptor.turn(pipe, outcome);
                Some(Job::Accept(acceptor))
            }
            (Job::Signal { .. } | Job::Stop, _) => Some(Job::Stop),
            (Job::Read(c), Some(1..)) => Some(Job::Write(c)),
            (Job::Write(mut c), Some(1..)) => {
                c.data.clear();
                Some(Job::Read(c))
            }
            (Job::Read(_) | Job::Write(_), _) => None, // the end, or an error
        }
    }
}

impl Acceptor {
    fn is_full(&self) -> bool {
        Arc::strong_count(&self.seats) > self.limit
    }

    /// What it waited for is over: the pause, or an accept, whose connection it takes. Then it decides whether to go
    /// on.
    fn turn(&mut self, pipe: &EventPipe<Job>, outcome: Outcome) {
        if self.paused {
            self.paused = self.is_full();
            return;
        }
        match outcome.descriptor().and_then(|new| start(pipe, TcpStream::from(new), self.seats.clone())) {
            Ok(()) => self.paused = self.is_full(),
            // The peer has gone before it was its turn.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                eprintln!("pool: cannot take a connection: {error}");
                self.paused = true;
            }
        }
    }
}

fn start(pipe: &EventPipe<Job>, stream: TcpStream, seat: Arc<()>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let connection =
        Connection { stream: pipe.attach(stream)?, data: Vec::with_capacity(BUFFER), _seat: seat };
    Ok(pipe.submit(Op::new(Job::Read(connection)), Job::next)?)
}

/// What each thread does until it harvests the "stop".
fn serve(pipe: &EventPipe<Job>) -> io::Result<()> {
    let mut events = Events::with_capacity(16);
    loop {
        for event in pipe.wait(&mut events, None)? {
            let (mut op, outcome) = event.into_parts();
            // `Job::Stop` stands in while the job itself is turned: the allocation stays the same.
            match std::mem::replace(&mut *op, Job::Stop).turn(pipe, outcome) {
                Some(Job::Stop) => return Ok(()), // and drops the rest of its batch: all connections end now
                Some(job) => *op = job,
                None => continue,
            }
            pipe.submit(op, Job::next)?;
        }
    }
}

fn run(address: &str, threads: usize, limit: usize) -> io::Result<()> {
    // Before any other thread begins: one that does not block them would get them.
    let signals = Signals::block(&[Signal::INT, Signal::TERM])?;
    let pipe = EventPipe::new(limit + OTHERS)?;
    let signals = pipe.attach(signals)?;
    pipe.submit(Op::new(Job::Signal { signals, received: Received::new() }), Job::next)?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let acceptor = Acceptor { listener: pipe.attach(listener)?, paused: false, limit, seats: Arc::new(()) };
    pipe.submit(Op::new(Job::Accept(acceptor)), Job::next)?;

    thread::scope(|scope| {
        let work = || {
            let served = serve(&pipe);
            // However it ended: the others are to end, too. What the last thread posts goes with the pipe.
            served.and(pipe.post(Op::new(Job::Stop), 0).map_err(io::Error::from))
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        })
    })
    // Here the pipe is dropped, and with it the connections.
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    // A number from 1 to this, or what there is without one.
    let number = |text: Option<&String>, most: usize, usual: usize| match text {
        Some(text) => text.parse().ok().filter(|number| (1..=most).contains(number)),
        None => Some(usual),
    };
    let address = arguments.first().map_or("127.0.0.1:7777", |address| address);
    let numbers = (number(arguments.get(1), 256, 2), number(arguments.get(2), 1_000_000, 10_000));
    let ((Some(threads), Some(limit)), ..=3) = (numbers, arguments.len()) else {
        eprintln!(
            "usage: pool [ADDRESS [THREADS [CONNECTIONS]]], as 127.0.0.1:7777 2 10000; port 0: any that is free"
        );
        return ExitCode::from(2);
    };
    match run(address, threads, limit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pool: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
