//! Descriptors in messages: what is left of an earlier message in the memory of a state is not taken for descriptors
//! again.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/rights.rs"]
mod rights;
#[path = "sound/test.rs"]
mod test;

use ioevent::net::Message;
use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, Outcome};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe2;
use rights::send_with;
use std::fs::File;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

struct State {
    message: Message<1>,
    bytes: [u8; 8],
}

struct Line {
    pipe: EventPipe<State>,
    ours: Attached<UnixStream>,
    peer: UnixStream,
}

fn line() -> (Line, Op<State>) {
    let pipe = EventPipe::new(4).unwrap();
    let (ours, peer) = UnixStream::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    (Line { pipe, ours, peer }, Op::new(State { message: Message::new(), bytes: [0; 8] }))
}

impl Line {
    fn submit(&self, op: Op<State>, len: usize) {
        self.pipe
            .submit_on(&self.ours, op, |state| Io::receive(&mut state.message, [&mut state.bytes[..len]]))
            .unwrap();
    }

    fn next(&self) -> (Op<State>, Outcome) {
        self.pipe.wait(&mut Events::with_capacity(1), None).unwrap().next().unwrap().into_parts()
    }
}

/// A descriptor that can be told from others: it is the only one that keeps a pipe open.
fn marked() -> (File, File) {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
    (File::from(reader), File::from(writer))
}

fn is_closed(reader: &File) -> bool {
    let mut descriptors = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
    poll(&mut descriptors, PollTimeout::ZERO).unwrap() == 1
}

/// A state that has received a message with a descriptor, which was taken out or not; and what tells whether that is
/// closed.
fn used(line: &Line, op: Op<State>, take: bool) -> (Op<State>, Vec<OwnedFd>, File) {
    let (reader, writer) = marked();
    send_with(&line.peer, b"first", writer.as_fd());
    drop(writer);
    line.submit(op, 8);
    let (mut op, outcome) = line.next();
    assert_eq!(outcome.count(), Some(5));
    let taken = if take { op.message.take_descriptors() } else { Vec::new() };
    assert_eq!(taken.len(), usize::from(take));
    (op, taken, reader)
}

type Next = fn(&Line, Op<State>);

/// What may come after such a message.
const AFTERWARDS: [(&str, Next); 8] = [
    ("nothing, and it is cancelled", |line, op| {
        line.submit(op, 8);
        assert_eq!(line.ours.cancel(Cancel::Reads), 1);
    }),
    ("nothing in time", |line, op| {
        let time = Duration::from_millis(1);
        line.pipe
            .submit_on(&line.ours, op, |state| {
                Io::receive(&mut state.message, [&mut state.bytes]).timeout(time)
            })
            .unwrap();
    }),
    ("bytes", |line, op| {
        { &line.peer }.write_all(b"bytes").unwrap();
        line.submit(op, 8);
    }),
    ("bytes, later", |line, op| {
        line.submit(op, 8);
        { &line.peer }.write_all(b"bytes").unwrap();
    }),
    ("bytes, and no room for them", |line, op| {
        { &line.peer }.write_all(b"bytes").unwrap();
        line.submit(op, 0);
    }),
    ("the end", |line, op| {
        line.peer.shutdown(Shutdown::Both).unwrap();
        line.submit(op, 8);
    }),
    ("the end, known from before", |line, op| {
        line.peer.shutdown(Shutdown::Both).unwrap();
        line.submit(op, 8);
        let (op, _) = line.next();
        line.submit(op, 8);
    }),
    ("no room, and the end", |line, op| {
        line.peer.shutdown(Shutdown::Both).unwrap();
        line.submit(op, 0);
    }),
];

#[test]
fn what_an_earlier_message_left_is_not_taken_again() {
    let test = test::begin();
    for take in [true, false] {
        for (what, next) in AFTERWARDS {
            let (line, op) = line();
            let (op, taken, reader) = used(&line, op, take);
            // Numbers that a second close would hit.
            drop(taken);
            assert!(!take || is_closed(&reader), "{what}");
            let others: Vec<_> = (0..8).map(|_| marked()).collect();
            next(&line, op);
            let (mut op, _) = line.next();
            assert!(op.message.take_descriptors().is_empty(), "{what}");
            assert!(is_closed(&reader), "{what}: what was not taken is closed");
            drop(op);
            for (mut reader, mut writer) in others {
                writer.write_all(b"open").unwrap();
                reader.read_exact(&mut [0; 4]).unwrap();
            }
            drop((line, reader));
            test.assert_no_descriptor_is_left();
        }
    }
}

#[test]
fn each_descriptor_has_one_owner() {
    let test = test::begin();
    let (line, mut op) = line();
    let mut all = Vec::new();
    for round in 0..60 {
        let (reader, writer) = marked();
        send_with(&line.peer, b"x", writer.as_fd());
        drop(writer);
        line.submit(op, 8);
        op = line.next().0;
        if round % 3 == 0 {
            all.push((reader, op.message.take_descriptors()));
        }
        // The others are closed by the next message.
    }
    for (mut reader, descriptors) in all {
        let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors).unwrap();
        let mut writer = File::from(descriptor);
        writer.write_all(b"its own").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "its own");
    }
    drop((line, op));
    test.assert_no_descriptor_is_left();
}

#[test]
fn descriptors_of_events_that_are_not_looked_at_are_closed() {
    let test = test::begin();
    // Complete and not harvested, harvested, an event, an outcome without its state, a state without its outcome.
    for what in 0..6 {
        let (line, op) = line();
        let (reader, writer) = marked();
        send_with(&line.peer, b"x", writer.as_fd());
        drop(writer);
        line.submit(op, 8);
        let mut events = Events::with_capacity(1);
        match what {
            0 => (),
            1 => assert_eq!(line.pipe.wait(&mut events, None).unwrap().len(), 1),
            2 => drop(line.pipe.wait(&mut events, None).unwrap().next()),
            3 => drop(line.next().0),
            4 => drop(line.next().1),
            _ => drop(Op::into_inner(line.next().0).message.take_descriptors()),
        }
        let Line { pipe, ours, peer } = line;
        drop(pipe);
        drop(events);
        assert!(is_closed(&reader), "{what}");
        drop((ours, peer, reader));
        test.assert_no_descriptor_is_left();
    }
}
