//! echo [ADDRESS [CONNECTIONS]]: sends back what it receives. One thread, one pipe, one operation at a time for each
//! connection.
//!
//! There is a place in the pipe for each connection and one for the listener, so the pipe cannot be full. What cannot
//! go on (too many connections, no descriptors left) makes the listener pause; an error of a connection ends that one
//! only.
#![forbid(unsafe_code)]

use ioevent::{Attached, EventPipe, Events, Op, Outcome, Request, timer};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

const BUFFER: usize = 4096;
/// How long the listener pauses.
const PAUSE: Duration = Duration::from_millis(100);

/// What an operation is for, and what it works on. The pipe has it until the event is harvested.
enum Job {
    Accept(Acceptor),
    Talk(Connection),
}

struct Acceptor {
    listener: Attached<TcpListener>,
    paused: bool,
    /// So many connections at most.
    limit: usize,
    /// Cloned into each connection: its count says how many there are.
    seats: Rc<()>,
}

/// Dropping it detaches the stream and closes it.
struct Connection {
    stream: Attached<TcpStream>,
    data: Vec<u8>,
    /// Whether it is sending `data` back, or waiting for it.
    writing: bool,
    _seat: Rc<()>,
}

impl Job {
    /// The operation that comes next: it shows the pipe which parts of the job it works on.
    fn next(&mut self) -> Request<'_> {
        match self {
            Job::Accept(a) => match a.paused {
                true => timer(PAUSE),
                false => a.listener.accept(),
            },
            Job::Talk(c) => match c.writing {
                true => c.stream.write(&c.data),
                false => c.stream.read_spare(&mut c.data),
            },
        }
    }
}

impl Acceptor {
    fn is_full(&self) -> bool {
        Rc::strong_count(&self.seats) > self.limit
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
                eprintln!("echo: cannot take a connection: {error}");
                self.paused = true;
            }
        }
    }
}

impl Connection {
    /// Whether it goes on after this outcome.
    fn turn(&mut self, outcome: &Outcome) -> bool {
        if self.writing {
            self.data.clear();
        }
        self.writing = !self.writing;
        outcome.count().is_some_and(|bytes| bytes > 0) // 0: the end; none: an error
    }
}

fn start(pipe: &EventPipe<Job>, stream: TcpStream, seat: Rc<()>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = pipe.attach(stream)?;
    let talk = Connection { stream, data: Vec::with_capacity(BUFFER), writing: false, _seat: seat };
    Ok(pipe.submit(Op::new(Job::Talk(talk)), Job::next)?)
}

fn serve(address: &str, limit: usize) -> io::Result<()> {
    let pipe = EventPipe::new(limit + 1)?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let acceptor = Acceptor { listener: pipe.attach(listener)?, paused: false, limit, seats: Rc::new(()) };
    pipe.submit(Op::new(Job::Accept(acceptor)), Job::next)?;

    let mut events = Events::with_capacity(64);
    loop {
        for event in pipe.wait(&mut events, None)? {
            let (mut job, outcome) = event.into_parts();
            let goes_on = match &mut *job {
                Job::Accept(acceptor) => {
                    acceptor.turn(&pipe, outcome);
                    true
                }
                Job::Talk(connection) => connection.turn(&outcome),
            };
            if goes_on {
                pipe.submit(job, Job::next)?;
            }
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let (address, limit) = match &*arguments {
        [] => ("127.0.0.1:7777", Some(10_000)),
        [address] => (&**address, Some(10_000)),
        [address, limit] => (&**address, limit.parse().ok().filter(|limit| (1..=1_000_000).contains(limit))),
        _ => ("", None),
    };
    let Some(limit) = limit else {
        eprintln!("usage: echo [ADDRESS [CONNECTIONS]], as 127.0.0.1:7777 10000; port 0: any that is free");
        return ExitCode::from(2);
    };
    match serve(address, limit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
