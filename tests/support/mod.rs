//! What the tests of the safe API share.

#![allow(dead_code, clippy::unwrap_used)]

use ioevent::{EventPipe, Events, Op, Outcome};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Ends the process if the test that has it takes longer than a minute: a test waits for events, not for time.
pub(crate) struct Watchdog(#[expect(dead_code)] Sender<()>);

impl Watchdog {
    pub(crate) fn new() -> Watchdog {
        let (test, ended): (Sender<()>, Receiver<()>) = channel();
        let name = thread::current().name().unwrap_or("a test").to_owned();
        thread::spawn(move || {
            if ended.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} hangs");
                std::process::abort();
            }
        });
        Watchdog(test)
    }
}

pub(crate) fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

/// Waits for an event. (A pipe gives no more than there is room for.)
pub(crate) fn one<T>(pipe: &EventPipe<T>) -> (Op<T>, Outcome) {
    let mut events = Events::with_capacity(1);
    let event = pipe.wait(&mut events, None).unwrap().next().unwrap();
    event.into_parts()
}

/// Waits for so many events.
pub(crate) fn several<T>(pipe: &EventPipe<T>, count: usize) -> Vec<(Op<T>, Outcome)> {
    (0..count).map(|_| one(pipe)).collect()
}

/// There is no event.
pub(crate) fn none<T>(pipe: &EventPipe<T>) {
    assert_eq!(pipe.try_wait(&mut Events::with_capacity(1)).unwrap().count(), 0);
}

/// The error that an outcome has, by its number.
pub(crate) fn errno(outcome: Outcome) -> Option<i32> {
    number(&outcome.error()?)
}

pub(crate) fn number(error: &io::Error) -> Option<i32> {
    error.raw_os_error()
}
