//! What an outcome is asked for, and what it is: a result of the wrong kind is an error, and nothing is left open.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{EventPipe, Events, Io, Op, Outcome, Readiness, timer};
use nix::errno::Errno;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;
use support::{Watchdog, one, pair};

/// The outcome of an accept, and the other end of what was accepted.
fn accepted() -> (Outcome, TcpStream) {
    let pipe = EventPipe::new(1).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let listener = pipe.attach(listener).unwrap();
    pipe.submit_on(&listener, Op::new(()), |()| Io::accept()).unwrap();
    (one(&pipe).1, client)
}

fn is_closed(mut client: TcpStream) {
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

/// The outcome of a read of three bytes.
fn read() -> Outcome {
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    theirs.write_all(b"abc").unwrap();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::read(b)).unwrap();
    one(&pipe).1
}

/// The outcome of a write to a peer that is gone.
fn failed() -> Outcome {
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    drop(theirs);
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(()), |()| Io::write(b"abc")).unwrap();
    one(&pipe).1
}

fn posted(value: u32) -> Outcome {
    let pipe = EventPipe::new(1).unwrap();
    pipe.post(Op::new(()), value).unwrap();
    one(&pipe).1
}

#[test]
fn bytes_of_an_accept_are_an_error_and_it_is_closed() {
    let _watchdog = Watchdog::new();
    let (outcome, client) = accepted();
    assert_eq!(outcome.count(), None);
    assert!(outcome.error().is_none() && outcome.ended_early().is_none());
    assert_eq!(outcome.bytes().unwrap_err().kind(), ErrorKind::InvalidInput);
    is_closed(client);
}

#[test]
fn readiness_of_an_accept_is_an_error_and_it_is_closed() {
    let _watchdog = Watchdog::new();
    let (outcome, client) = accepted();
    assert_eq!(outcome.readiness().unwrap_err().kind(), ErrorKind::InvalidInput);
    is_closed(client);
}

#[test]
fn an_accept_that_is_only_asked_whether_it_succeeded_is_closed() {
    let _watchdog = Watchdog::new();
    let (outcome, client) = accepted();
    outcome.done().unwrap();
    is_closed(client);
}

#[test]
fn an_accept_that_is_dropped_is_closed() {
    let _watchdog = Watchdog::new();
    let (outcome, client) = accepted();
    drop(outcome);
    is_closed(client);
}

#[test]
fn an_accept_that_is_taken_is_open() {
    let _watchdog = Watchdog::new();
    let (outcome, mut client) = accepted();
    assert!(format!("{outcome:?}").contains("Outcome"));
    let mut stream = TcpStream::from(outcome.descriptor().unwrap());
    stream.write_all(b"open").unwrap();
    let mut received = [0; 4];
    client.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"open");
}

#[test]
fn an_accept_in_an_event_or_in_events_is_closed_with_them() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(4).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = pipe.attach(listener).unwrap();
    let clients = [(); 4].map(|()| {
        let client = TcpStream::connect(address).unwrap();
        pipe.submit_on(&listener, Op::new(()), |()| Io::accept()).unwrap();
        client
    });
    let [first, second, third, fourth] = clients;
    let mut events = Events::with_capacity(2);
    let event = pipe.wait(&mut events, None).unwrap().next().unwrap();
    drop(event);
    is_closed(first);
    // At least one was left, or is in the pipe still.
    drop(events);
    drop(pipe);
    for client in [second, third, fourth] {
        is_closed(client);
    }
}

#[test]
fn the_descriptor_of_a_read_is_an_error() {
    let _watchdog = Watchdog::new();
    assert_eq!(read().descriptor().unwrap_err().kind(), ErrorKind::InvalidInput);
    let outcome = read();
    assert_eq!(outcome.count(), Some(3));
    assert!(outcome.error().is_none() && outcome.ended_early().is_none());
    assert_eq!(outcome.bytes().unwrap(), 3);
    read().done().unwrap();
}

/// Whatever it looks like: descriptors 0 to 2 are open in every process.
#[test]
fn the_descriptor_of_what_was_posted_is_an_error() {
    for value in [0, 1, 2, u32::MAX] {
        assert_eq!(posted(value).descriptor().unwrap_err().kind(), ErrorKind::InvalidInput);
        let outcome = posted(value);
        assert!(outcome.error().is_none() && outcome.ended_early().is_none());
        assert_eq!(outcome.count(), Some(value as usize));
        assert_eq!(outcome.bytes().unwrap(), value as usize);
        posted(value).done().unwrap();
    }
}

#[test]
fn a_failure_is_the_same_error_whatever_is_asked_for() {
    let _watchdog = Watchdog::new();
    let errors = [
        failed().error().unwrap(),
        failed().bytes().unwrap_err(),
        failed().done().unwrap_err(),
        failed().descriptor().unwrap_err(),
        failed().readiness().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.raw_os_error(), Some(Errno::EPIPE as i32));
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
    assert_eq!(failed().count(), None);
    assert!(failed().ended_early().is_none());
}

#[test]
fn an_accept_that_failed_has_no_descriptor() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let listener = pipe.attach(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).unwrap();
    pipe.submit_on(&listener, Op::new(()), |()| Io::accept()).unwrap();
    drop(listener);
    let (_, outcome) = one(&pipe);
    assert!(outcome.error().is_some_and(|error| ioevent::is_cancelled(&error)));
    assert_eq!(outcome.descriptor().unwrap_err().raw_os_error(), Some(Errno::ECANCELED as i32));
}

/// The kind of a result is that of the operation that it comes from, not of the one before with the same state.
#[test]
fn a_state_that_accepted_and_reads_has_bytes() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let listener = pipe.attach(listener).unwrap();
    pipe.submit_on(&listener, Op::new([0; 8]), |_| Io::accept()).unwrap();
    let (op, outcome) = one(&pipe);
    let stream = pipe.attach(TcpStream::from(outcome.descriptor().unwrap())).unwrap();
    client.write_all(b"abc").unwrap();
    pipe.submit_on(&stream, op, |b| Io::read(b)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &op[..3]), (Some(3), &b"abc"[..]));
    drop(outcome);
    pipe.post(op, 1).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!(outcome.count(), Some(1));
    drop(outcome);
    pipe.submit(op, |_| timer(Duration::ZERO)).unwrap();
    assert_eq!(one(&pipe).1.count(), Some(0));
    // Standard output, which 1 was, is open.
    std::io::stdout().flush().unwrap();
}

#[test]
fn readiness_is_what_was_asked_for_or_an_end() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let both = Readiness::READABLE | Readiness::WRITABLE;
    pipe.submit_on(&ours, Op::new(()), |()| Io::poll(both)).unwrap();
    let found = one(&pipe).1.readiness().unwrap();
    assert_eq!(found, Readiness::WRITABLE);
    pipe.submit_on(&ours, Op::new(()), |()| Io::poll(Readiness::READABLE)).unwrap();
    support::none(&pipe);
    theirs.write_all(b"x").unwrap();
    let found = one(&pipe).1.readiness().unwrap();
    assert_eq!(found, Readiness::READABLE);
    assert!(found.contains(Readiness::READABLE) && !found.contains(both) && both.contains(found));
    drop(theirs);
    pipe.submit_on(&ours, Op::new(()), |()| Io::poll(Readiness::PEER_CLOSED)).unwrap();
    let found = one(&pipe).1.readiness().unwrap();
    assert!(found.contains(Readiness::PEER_CLOSED | Readiness::HANGUP), "{found:?}");
    let mut bits = Readiness::default();
    assert_eq!(bits.bits(), 0);
    bits |= both;
    assert_eq!(bits.bits(), Readiness::READABLE.bits() | Readiness::WRITABLE.bits());
}
