//! Closures that panic, or use the pipe themselves, while they describe an operation.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, timer};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tally::{Piece, Tally};

const HOUR: Duration = Duration::from_secs(3600);

struct Talk {
    stream: Arc<Attached<UnixStream>>,
    bytes: [u8; 16],
    spare: Vec<u8>,
    _piece: Piece,
}

struct Line {
    pipe: EventPipe<Talk>,
    stream: Arc<Attached<UnixStream>>,
    peer: UnixStream,
    tally: Tally,
}

impl Line {
    fn new(capacity: usize) -> Line {
        let pipe = EventPipe::new(capacity).unwrap();
        let (ours, peer) = UnixStream::pair().unwrap();
        peer.set_nonblocking(true).unwrap();
        let stream = Arc::new(pipe.attach(ours).unwrap());
        Line { pipe, stream, peer, tally: Tally::default() }
    }

    fn talk(&self) -> Op<Talk> {
        let piece = self.tally.piece();
        Op::new(Talk {
            stream: self.stream.clone(),
            bytes: [0; 16],
            spare: Vec::with_capacity(16),
            _piece: piece,
        })
    }

    /// What is written to the peer is what the next operation reads, so nothing else was submitted.
    fn assert_is_as_new(&mut self) {
        assert_eq!(self.pipe.places_taken(), 0);
        assert_eq!(self.peer.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        let op = self.talk();
        self.pipe.submit(op, |talk| talk.stream.read(&mut talk.bytes)).unwrap();
        self.peer.write_all(b"as new").unwrap();
        let mut events = Events::with_capacity(4);
        let harvested = self.pipe.wait(&mut events, None).unwrap();
        let (talk, outcome) = harvested.next().unwrap().into_parts();
        assert_eq!(&talk.bytes[..outcome.bytes().unwrap()], b"as new");
        assert_eq!(harvested.count(), 0);
    }
}

/// The closure panics; says so.
#[track_caller]
fn panics<R>(f: impl FnOnce() -> R) {
    let panicked = catch_unwind(AssertUnwindSafe(f)).map(|_| ()).unwrap_err();
    assert_eq!(*panicked.downcast::<&str>().unwrap(), "on purpose");
}

#[test]
fn a_closure_that_panics_drops_its_state_once() {
    let _test = test::begin();
    let mut line = Line::new(1);
    for _ in 0..3 {
        let op = line.talk();
        panics(|| line.pipe.submit(op, |_| panic!("on purpose")));
        assert_eq!(line.tally.alive(), 0);
        let op = line.talk();
        panics(|| line.pipe.submit_on(&line.stream, op, |_| panic!("on purpose")));
        assert_eq!(line.tally.alive(), 0);
        let op = line.talk();
        panics(|| line.pipe.submit_inline(op, |_| panic!("on purpose")));
        assert_eq!(line.tally.alive(), 0);
        // The pipe has one place: were it taken this could not be submitted.
        line.assert_is_as_new();
    }
    let Line { pipe, stream, peer, tally } = line;
    drop((pipe, stream, peer));
    tally.assert_each_was_dropped_once();
}

#[test]
fn what_was_described_before_the_panic_is_not_submitted() {
    let _test = test::begin();
    let mut line = Line::new(1);
    let op = line.talk();
    panics(|| {
        line.pipe.submit(op, |talk| {
            let _read = talk.stream.read_spare(&mut talk.spare);
            panic!("on purpose")
        })
    });
    line.assert_is_as_new();
    let op = line.talk();
    panics(|| {
        line.pipe.submit_on(&line.stream, op, |talk| {
            let _write = Io::write(&talk.bytes).timeout(HOUR);
            panic!("on purpose")
        })
    });
    line.assert_is_as_new();
    let op = line.talk();
    panics(|| {
        line.pipe.submit_inline(op, |talk| {
            let _write = talk.stream.write(&talk.bytes);
            panic!("on purpose")
        })
    });
    line.assert_is_as_new();
    line.tally.assert_each_was_dropped_once();
}

#[test]
fn a_description_that_is_dropped_is_not_submitted() {
    let _test = test::begin();
    let mut line = Line::new(2);
    let op = line.talk();
    line.pipe
        .submit(op, |talk| {
            drop(talk.stream.write(&talk.bytes));
            drop(talk.stream.read_spare(&mut talk.spare));
            timer(Duration::from_nanos(1))
        })
        .unwrap();
    let mut events = Events::with_capacity(4);
    let (talk, outcome) = line.pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    outcome.done().unwrap();
    assert!(talk.spare.is_empty());
    drop(talk);
    line.assert_is_as_new();
}

#[test]
fn a_panic_leaves_what_is_outstanding_alone() {
    let _test = test::begin();
    let mut line = Line::new(3);
    let first = line.talk();
    line.pipe.submit(first, |talk| talk.stream.read_spare(&mut talk.spare)).unwrap();
    for _ in 0..2 {
        let op = line.talk();
        panics(|| line.pipe.submit(op, |_| panic!("on purpose")));
        assert_eq!(line.pipe.places_taken(), 1);
    }
    line.peer.write_all(b"whole").unwrap();
    let mut events = Events::with_capacity(4);
    let (talk, outcome) = line.pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!((outcome.count(), talk.spare.as_slice()), (Some(5), &b"whole"[..]));
    drop(talk);
    line.assert_is_as_new();
    line.tally.assert_each_was_dropped_once();
}

#[test]
fn a_closure_may_use_the_pipe() {
    let _test = test::begin();
    let mut line = Line::new(4);
    let (pipe, inner, op) = (&line.pipe, line.talk(), line.talk());
    let (again, third) = (line.talk(), line.talk());
    let mut events = Events::with_capacity(4);
    // It submits, to a depth of three, and harvests, and cancels.
    pipe.submit(op, |talk| {
        pipe.post(inner, 1).unwrap();
        pipe.submit(again, |talk| {
            pipe.submit(third, |talk| talk.stream.read(&mut talk.bytes)).unwrap();
            talk.stream.read_spare(&mut talk.spare)
        })
        .unwrap();
        assert_eq!(pipe.places_taken(), 3);
        assert_eq!(pipe.wait(&mut events, None).unwrap().count(), 1);
        assert_eq!(talk.stream.cancel(Cancel::Reads), 2);
        assert_eq!(pipe.wait(&mut events, None).unwrap().count(), 2);
        talk.stream.write(b"out")
    })
    .unwrap();
    assert_eq!(pipe.wait(&mut events, None).unwrap().count(), 1);
    let mut bytes = [0; 8];
    assert_eq!(line.peer.read(&mut bytes).unwrap(), 3);
    line.assert_is_as_new();
    line.tally.assert_each_was_dropped_once();
}

#[test]
fn a_closure_may_fill_the_pipe() {
    let _test = test::begin();
    let line = Line::new(2);
    let (pipe, op) = (&line.pipe, line.talk());
    let id = Op::id(&op);
    let refused = pipe
        .submit(op, |talk| {
            talk.bytes = *b"what it was told";
            pipe.post(line.talk(), 1).unwrap();
            pipe.post(line.talk(), 2).unwrap();
            talk.stream.write(&talk.bytes)
        })
        .unwrap_err();
    assert!(refused.is_full());
    assert_eq!(Op::id(&refused.op), id);
    assert_eq!(&refused.op.bytes, b"what it was told");
    assert_eq!(pipe.wait(&mut Events::with_capacity(4), None).unwrap().count(), 2);
    drop(refused);
    line.tally.assert_each_was_dropped_once();
}

#[test]
fn a_closure_may_drop_handles_and_pipes() {
    let _test = test::begin();
    let mut line = Line::new(4);
    let other = EventPipe::<u8>::new(2).unwrap();
    let (ours, _peer) = UnixStream::pair().unwrap();
    let attached = line.pipe.attach(ours).unwrap();
    other.submit(Op::new(1), |_| timer(HOUR)).unwrap();
    let op = line.talk();
    line.pipe
        .submit(op, |talk| {
            drop(other);
            drop(attached);
            talk.stream.read(&mut talk.bytes)
        })
        .unwrap();
    line.peer.write_all(b"here").unwrap();
    let mut events = Events::with_capacity(4);
    let (talk, outcome) = line.pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(&talk.bytes[..outcome.bytes().unwrap()], b"here");
    drop(talk);
    line.assert_is_as_new();
}
