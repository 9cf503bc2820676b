//! Operations that are ended early: by cancelling, and by time limits (rules 2.4, 4.6, 4.7).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, Outcome, Readiness, is_cancelled, timer};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use support::{Watchdog, none, one, pair, several};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(30);

type Named = (&'static str, Vec<u8>);

/// A stream with a read, a write and a poll outstanding.
fn busy(pipe: &EventPipe<Named>) -> (Attached<UnixStream>, UnixStream) {
    let (ours, theirs) = pair();
    // Full, so that a write waits.
    ours.set_nonblocking(true).unwrap();
    while (&mut &ours).write(&[b'f'; 65536]).is_ok() {}
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(("read", vec![0; 8])), |(_, b)| Io::read(b)).unwrap();
    pipe.submit_on(&ours, Op::new(("write", vec![0; 8])), |(_, b)| Io::write(b)).unwrap();
    pipe.submit_on(&ours, Op::new(("poll", vec![])), |_| Io::poll(Readiness::PRIORITY)).unwrap();
    none(pipe);
    (ours, theirs)
}

fn cancelled(outcome: &Outcome) -> bool {
    outcome.error().is_some_and(|error| is_cancelled(&error))
}

#[test]
fn each_kind_is_cancelled_by_itself() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    for (what, name) in [(Cancel::Reads, "read"), (Cancel::Writes, "write"), (Cancel::Polls, "poll")] {
        let (ours, _theirs) = busy(&pipe);
        assert_eq!(ours.cancel(what), 1);
        let (op, outcome) = one(&pipe);
        assert_eq!((op.0, cancelled(&outcome)), (name, true));
        none(&pipe);
        assert_eq!(ours.cancel(what), 0);
        assert_eq!(pipe.places_taken(), 2);
        assert_eq!(ours.cancel(Cancel::All), 2);
        assert!(several(&pipe, 2).iter().all(|(op, outcome)| op.0 != name && cancelled(outcome)));
        assert_eq!(ours.cancel(Cancel::All), 0);
    }
}

#[test]
fn all_of_them_at_once() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    let (ours, _theirs) = busy(&pipe);
    assert_eq!(ours.cancel(Cancel::All), 3);
    assert!(several(&pipe, 3).iter().all(|(_, outcome)| cancelled(outcome)));
}

#[test]
fn what_comes_after_a_cancelled_read_is_not_lost() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::read(b)).unwrap();
    ours.cancel(Cancel::Reads);
    let (op, outcome) = one(&pipe);
    assert!(cancelled(&outcome));
    theirs.write_all(b"kept").unwrap();
    pipe.submit_on(&ours, op, |b| Io::read(b)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &op[..4]), (Some(4), &b"kept"[..]));
}

#[test]
fn one_operation_among_several_is_cancelled_by_its_name() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(5).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let ops: Vec<_> = (0..5_u8).map(|number| Op::new((number, [0; 1]))).collect();
    let ids: Vec<_> = ops.iter().map(Op::id).collect();
    for op in ops {
        pipe.submit_on(&ours, op, |(_, b)| Io::read(b)).unwrap();
    }
    for number in [3_u8, 0] {
        assert!(ours.cancel_op(ids[usize::from(number)]));
        let (op, outcome) = one(&pipe);
        assert_eq!((op.0, Op::id(&op), cancelled(&outcome)), (number, ids[usize::from(number)], true));
        assert!(!ours.cancel_op(ids[usize::from(number)]));
    }
    theirs.write_all(b"abc").unwrap();
    for (number, byte) in [(1, b'a'), (2, b'b'), (4, b'c')] {
        let (op, outcome) = one(&pipe);
        assert_eq!((outcome.count(), *op), (Some(1), (number, [byte])));
    }
}

#[test]
fn the_name_of_what_is_not_outstanding_here_cancels_nothing() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    let (ours, others) = (pipe.attach(pair().0).unwrap(), pipe.attach(pair().0).unwrap());
    let op = Op::new([0; 1]);
    let id = Op::id(&op);
    assert!(!ours.cancel_op(id));
    let (_theirs, own) = pair();
    let own = pipe.attach(own).unwrap();
    pipe.submit_on(&own, op, |b| Io::read(b)).unwrap();
    assert!(!ours.cancel_op(id) && !others.cancel_op(id) && !pipe.cancel_timer(id));
    none(&pipe);
    assert!(own.cancel_op(id));
    assert!(cancelled(&one(&pipe).1));
}

/// The word of an operation has bits of its own beside the address of the state: they do not hide it.
#[test]
fn operations_with_results_of_their_own_are_found_by_name_too() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    let listener = pipe.attach(std::net::TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let (accept, spare) = (Op::new(Vec::new()), Op::new(Vec::with_capacity(8)));
    let (accept_id, spare_id) = (Op::id(&accept), Op::id(&spare));
    pipe.submit_on(&listener, accept, |_| Io::accept()).unwrap();
    pipe.submit_on(&ours, spare, |b| Io::read_spare(b)).unwrap();
    assert!(listener.cancel_op(accept_id) && ours.cancel_op(spare_id));
    for (op, outcome) in several(&pipe, 2) {
        assert!(cancelled(&outcome) && op.is_empty());
    }
}

#[test]
fn a_timer_is_cancelled_by_its_name() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    let ops = ["first", "second", "third"].map(Op::new);
    let ids = [Op::id(&ops[0]), Op::id(&ops[1]), Op::id(&ops[2])];
    for op in ops {
        pipe.submit(op, |_| timer(LONG)).unwrap();
    }
    assert!(pipe.cancel_timer(ids[1]));
    let (op, outcome) = one(&pipe);
    assert_eq!((*op, cancelled(&outcome)), ("second", true));
    assert!(!pipe.cancel_timer(ids[1]));
    none(&pipe);
    assert!(pipe.cancel_timer(ids[2]) && pipe.cancel_timer(ids[0]));
    assert!(several(&pipe, 2).iter().all(|(_, outcome)| cancelled(outcome)));
}

#[test]
fn the_limit_of_a_timer_is_its_time() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    pipe.submit(Op::new(()), |()| timer(LONG).timeout(SHORT)).unwrap();
    one(&pipe).1.done().unwrap();
}

#[test]
fn a_read_that_takes_too_long_has_timed_out() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let begun = Instant::now();
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::read(b).timeout(SHORT)).unwrap();
    let (op, outcome) = one(&pipe);
    assert!(begun.elapsed() >= SHORT);
    assert_eq!(outcome.bytes().unwrap_err().kind(), ErrorKind::TimedOut);
    // One that does not, has not.
    pipe.submit_on(&ours, op, |b| Io::read(b).timeout(LONG)).unwrap();
    theirs.write_all(b"x").unwrap();
    assert_eq!(one(&pipe).1.count(), Some(1));
}

#[test]
fn the_limit_of_a_request_is_the_same() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit(Op::new((ours, [0; 8])), |(ours, b)| ours.read(b).timeout(SHORT)).unwrap();
    assert_eq!(one(&pipe).1.done().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn no_time_at_all_is_the_shortest_time() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::read(b).timeout(Duration::ZERO)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap_err().kind(), ErrorKind::TimedOut);
    ours.set_timeout(Some(Duration::ZERO)).unwrap();
    pipe.submit_on(&ours, op, |b| Io::read(b)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap_err().kind(), ErrorKind::TimedOut);
    // A timer too.
    pipe.submit(op, |_| timer(Duration::ZERO)).unwrap();
    let (op, outcome) = one(&pipe);
    outcome.done().unwrap();
    // And None is no limit.
    ours.set_timeout(None).unwrap();
    pipe.submit_on(&ours, op, |b| Io::read(b)).unwrap();
    none(&pipe);
    theirs.write_all(b"x").unwrap();
    assert_eq!(one(&pipe).1.count(), Some(1));
}

#[test]
fn the_longest_time_is_for_ever() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let endless = Op::new([0; 8]);
    let id = Op::id(&endless);
    pipe.submit(endless, |_| timer(Duration::MAX)).unwrap();
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::read(b).timeout(Duration::MAX)).unwrap();
    ours.set_timeout(Some(Duration::MAX)).unwrap();
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::read(b)).unwrap();
    // Limits that are over come out before one that was set later.
    let (other, _others) = pair();
    let other = pipe.attach(other).unwrap();
    pipe.set_capacity(4).unwrap();
    pipe.submit_on(&other, Op::new([1; 8]), |b| Io::read(b).timeout(SHORT)).unwrap();
    assert_eq!(*one(&pipe).0, [1; 8]);
    none(&pipe);
    theirs.write_all(&[2; 16]).unwrap();
    assert!(several(&pipe, 2).iter().all(|(op, outcome)| **op == [2; 8] && outcome.count() == Some(8)));
    assert!(pipe.cancel_timer(id));
    assert!(cancelled(&one(&pipe).1));
}

#[test]
fn the_limit_of_a_descriptor_is_for_what_is_submitted_from_then_on() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(4).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new((1, [0; 1])), |(_, b)| Io::read(b)).unwrap();
    ours.set_timeout(Some(SHORT)).unwrap();
    pipe.submit_on(&ours, Op::new((2, [0; 1])), |(_, b)| Io::read(b)).unwrap();
    // Its own limit counts more.
    pipe.submit_on(&ours, Op::new((3, [0; 1])), |(_, b)| Io::read(b).timeout(LONG)).unwrap();
    pipe.submit_on(&ours, Op::new((4, [0; 1])), |(_, b)| Io::read(b).timeout(Duration::MAX)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((op.0, outcome.bytes().unwrap_err().kind()), (2, ErrorKind::TimedOut));
    assert_eq!(pipe.wait(&mut Events::with_capacity(1), Some(2 * SHORT)).unwrap().count(), 0);
    theirs.write_all(b"abc").unwrap();
    assert_eq!(
        several(&pipe, 3).into_iter().map(|(op, _)| *op).collect::<Vec<_>>(),
        [(1, *b"a"), (3, *b"b"), (4, *b"c")]
    );
}

/// A part is not taken for the whole.
#[test]
fn a_write_that_is_ended_says_what_it_has_moved() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(vec![1; 4 << 20]), |b| Io::write(b).timeout(SHORT)).unwrap();
    let (_, outcome) = one(&pipe);
    let moved = outcome.count().unwrap();
    assert_eq!(outcome.ended_early().unwrap().kind(), ErrorKind::TimedOut);
    assert!(outcome.error().is_none());
    assert!(0 < moved && moved < 4 << 20);
    drop(ours);
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), moved);
}
