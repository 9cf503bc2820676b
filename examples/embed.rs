//! embed: the pipe inside other event loops, mio's and tokio's, which wait for its descriptor. In each, something of
//! their own and a timer and a file of the pipe's complete side by side. Prints a line for each.
//!
//! Both loops tell *edges*: that the descriptor has become readable, once. So what is there is taken until there is
//! none left before they are asked again.
#![forbid(unsafe_code)]

use ioevent::{Attached, EventPipe, Events, Op, Outcome, Request, timer};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const PLACES: usize = 8;

enum Job {
    Timer(Duration),
    Read { file: Attached<File>, offset: u64, text: [u8; 16] },
}

impl Job {
    fn next(&mut self) -> Request<'_> {
        match self {
            Job::Timer(time) => timer(*time),
            Job::Read { file, offset, text } => file.read_at(text, *offset),
        }
    }
}

fn report(job: &Job, outcome: Outcome) -> io::Result<()> {
    let bytes = outcome.bytes()?;
    match job {
        Job::Timer(time) => println!("  the pipe: a timer of {time:?} is over"),
        Job::Read { text, .. } => {
            println!("  the pipe: read {:?}", String::from_utf8_lossy(text.get(..bytes).unwrap_or_default()));
        }
    }
    Ok(())
}

/// Two operations.
fn start(pipe: &EventPipe<Job>) -> io::Result<()> {
    let file = pipe.attach(File::open(std::env::current_exe()?)?)?;
    pipe.submit(Op::new(Job::Read { file, offset: 1, text: [0; 16] }), Job::next)?;
    Ok(pipe.submit(Op::new(Job::Timer(Duration::from_millis(10))), Job::next)?)
}

/// Takes all events that there are; how many.
fn take_all(pipe: &EventPipe<Job>, events: &mut Events<Job>) -> io::Result<usize> {
    let mut count = 0;
    loop {
        let before = count;
        for event in pipe.try_wait(events)? {
            let (job, outcome) = event.into_parts();
            report(&job, outcome)?;
            count += 1;
        }
        if count == before {
            return Ok(count);
        }
    }
}

fn in_mio() -> io::Result<()> {
    println!("in mio:");
    const PIPE: mio::Token = mio::Token(0);
    const WAKER: mio::Token = mio::Token(1);
    let pipe = EventPipe::new(PLACES)?;
    let mut poll = mio::Poll::new()?;
    poll.registry().register(&mut mio::unix::SourceFd(&pipe.as_raw_fd()), PIPE, mio::Interest::READABLE)?;
    let waker = mio::Waker::new(poll.registry(), WAKER)?;
    start(&pipe)?;
    thread::scope(|scope| {
        let other = scope.spawn(|| waker.wake());
        let mut told = mio::Events::with_capacity(8);
        let mut events = Events::with_capacity(PLACES);
        let (mut harvested, mut woken) = (0, false);
        while harvested < 2 || !woken {
            match poll.poll(&mut told, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &told {
                match event.token() {
                    PIPE => harvested += take_all(&pipe, &mut events)?,
                    _ => {
                        println!("  mio: woken");
                        woken = true;
                    }
                }
            }
        }
        other.join().unwrap_or_else(|_| Err(io::Error::other("the other thread panicked")))
    })
}

/// A pipe that tokio waits for. Its events are taken out; it is *not ready* only when there were none.
struct InTokio(tokio::io::unix::AsyncFd<EventPipe<Job>>);

impl InTokio {
    fn new(pipe: EventPipe<Job>) -> io::Result<InTokio> {
        // The other constructors are unsafe: tokio asks to be told that the number stays the same and stays open, as
        // that of an EventPipe does. In a program that may say `unsafe`, take `AsyncFd::register_with_interest`.
        #[allow(deprecated)]
        let pipe = tokio::io::unix::AsyncFd::with_interest(pipe, tokio::io::Interest::READABLE)?;
        Ok(InTokio(pipe))
    }

    async fn take_some(&self, events: &mut Events<Job>) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            match take_all(self.0.get_ref(), events)? {
                0 => ready.clear_ready(),
                count => return Ok(count),
            }
        }
    }
}

async fn in_tokio() -> io::Result<()> {
    println!("in tokio:");
    let pipe = EventPipe::new(PLACES)?;
    start(&pipe)?;
    let pipe = InTokio::new(pipe)?;
    let ours = async {
        let mut events = Events::with_capacity(PLACES);
        let mut harvested = 0;
        while harvested < 2 {
            harvested += pipe.take_some(&mut events).await?;
        }
        io::Result::Ok(())
    };
    let theirs = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        println!("  tokio: slept");
        Ok(())
    };
    tokio::try_join!(ours, theirs).map(|_| ())
}

fn run() -> io::Result<()> {
    in_mio()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(in_tokio())
}

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        eprintln!("usage: embed (it takes no arguments)");
        return ExitCode::from(2);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embed: {error}");
            ExitCode::FAILURE
        }
    }
}
