//! What is forgotten, or leaked in a cycle, leaks memory and descriptors, and no more. (No part of what memcheck runs.)

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/all.rs"]
mod all;
#[path = "sound/leaks.rs"]
#[allow(unsafe_code)]
mod leaks;
#[path = "sound/listener.rs"]
mod listener;
#[path = "sound/rights.rs"]
mod rights;
#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use all::{All, PARTS, job};
use ioevent::{Attached, EventPipe, Events, Io, Op, timer};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::mem;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tally::{Piece, Tally};

#[test]
fn any_part_can_be_forgotten() {
    let mut test = test::begin();
    let mut left = 0;
    for forgotten in 0..PARTS {
        let tally = Tally::default();
        let mut all = All::new(&tally);
        let peers = mem::take(&mut all.peers);
        let open = test::descriptors().len();
        all.part(forgotten, |all| mem::forget(mem::take(all)));
        assert_eq!(test::descriptors().len(), open, "to forget closes nothing");
        drop(all);
        // Nothing is dropped twice; what was forgotten is all that is left.
        let (alive, open) = (tally.alive(), test::descriptors().len());
        match forgotten {
            // The pipe, with all that was complete or outstanding there.
            0 => assert_eq!(alive, 4 + 7),
            1 | 5 => assert_eq!(alive, 0),
            2 => assert_eq!(alive, 4),
            _ => assert_eq!(alive, 1),
        }
        assert!(open > left || forgotten == 4, "{forgotten}: what was forgotten is open");
        drop(peers);
        left = test::descriptors().len();
    }
    // They are left on purpose.
    test.before = test::descriptors();
}

#[test]
fn a_forgotten_handle_goes_on() {
    let mut test = test::begin();
    let tally = Tally::default();
    let pipe = EventPipe::new(4).unwrap();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, job(&tally), |job| Io::read(&mut job.bytes)).unwrap();
    mem::forget(ours);
    // It is attached still, so its operation is carried out.
    peer.write_all(b"forgotten").unwrap();
    let mut events = Events::with_capacity(4);
    let (job, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(&job.bytes[..outcome.bytes().unwrap()], b"forgotten");
    drop((job, pipe));
    tally.assert_each_was_dropped_once();
    // It is open still, and belongs to nobody.
    peer.set_nonblocking(true).unwrap();
    assert_eq!(peer.read(&mut [0; 8]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(peer);
    test.before = test::descriptors();
}

#[test]
fn a_forgotten_pipe_leaves_others_alone() {
    let mut test = test::begin();
    let tally = Tally::default();
    for _ in 0..20 {
        let pipe = EventPipe::new(4).unwrap();
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let ours = Arc::new(pipe.attach(ours).unwrap());
        for _ in 0..2 {
            let mut op = job(&tally);
            op.shared = Some(ours.clone());
            pipe.submit(op, |job| job.shared.as_ref().unwrap().read(&mut job.bytes)).unwrap();
        }
        pipe.submit(job(&tally), |_| timer(Duration::from_nanos(1))).unwrap();
        mem::forget(pipe);
        // The library may read this for the forgotten pipe, into states that are there still.
        peer.write_all(b"for nobody").unwrap();
        drop((ours, peer));
    }
    let other = EventPipe::new(4).unwrap();
    other.submit(Op::new(1), |_| timer(Duration::from_millis(1))).unwrap();
    assert_eq!(*other.wait(&mut Events::with_capacity(1), None).unwrap().next().unwrap().into_parts().0, 1);
    drop(other);
    assert_eq!(tally.alive(), 60);
    test.before = test::descriptors();
}

/// A state that has its own pipe.
struct Ring {
    pipe: RefCell<Option<Rc<EventPipe<Ring>>>>,
    _stream: Option<Attached<UnixStream>>,
    _piece: Piece,
}

fn ring(tally: &Tally, stream: Option<Attached<UnixStream>>) -> Op<Ring> {
    Op::new(Ring { pipe: RefCell::new(None), _stream: stream, _piece: tally.piece() })
}

#[test]
fn a_pipe_in_its_own_state_leaks() {
    let mut test = test::begin();
    let tally = Tally::default();
    let pipe = Rc::new(EventPipe::new(4).unwrap());
    let (ours, peer) = UnixStream::pair().unwrap();
    let op = ring(&tally, Some(pipe.attach(ours).unwrap()));
    *op.pipe.borrow_mut() = Some(pipe.clone());
    pipe.submit(op, |_| timer(Duration::from_secs(3600))).unwrap();
    drop(pipe);
    assert_eq!(tally.alive(), 1);
    drop(peer);
    test.before = test::descriptors();
}

#[test]
fn a_pipe_ends_with_the_event_of_its_own_state() {
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = Rc::new(EventPipe::new(8).unwrap());
    let (ours, _peer) = UnixStream::pair().unwrap();
    let op = ring(&tally, Some(pipe.attach(ours).unwrap()));
    *op.pipe.borrow_mut() = Some(pipe.clone());
    pipe.post(op, 1).unwrap();
    // What the pipe has yet when it ends.
    pipe.post(ring(&tally, None), 2).unwrap();
    pipe.submit(ring(&tally, None), |_| timer(Duration::from_secs(3600))).unwrap();
    let mut events = Events::with_capacity(1);
    let event = pipe.wait(&mut events, None).unwrap().next().unwrap();
    drop(pipe);
    assert_eq!(tally.alive(), 3);
    drop(event);
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_pipe_ends_with_events_of_its_own_states() {
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = Rc::new(EventPipe::new(8).unwrap());
    for value in 0..3 {
        let op = ring(&tally, None);
        *op.pipe.borrow_mut() = Some(pipe.clone());
        pipe.post(op, value).unwrap();
    }
    let mut events = Events::with_capacity(8);
    assert_eq!(pipe.wait(&mut events, None).unwrap().len(), 3);
    drop(pipe);
    drop(events);
    tally.assert_each_was_dropped_once();
}
