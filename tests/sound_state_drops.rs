//! States whose drops do what they like, also while their pipe ends: panic, submit, post, attach, detach, harvest, drop
//! other pipes; and pipes that end late in the life of their thread.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, timer};
use std::cell::RefCell;
use std::io::Write;
use std::mem;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;
use tally::{Piece, Tally};

const HOUR: Duration = Duration::from_secs(3600);

/// Calls a closure when it is dropped.
struct AtDrop {
    last: Option<Box<dyn FnOnce()>>,
    bytes: [u8; 8],
    _piece: Piece,
}

impl Drop for AtDrop {
    fn drop(&mut self) {
        self.last.take().unwrap()();
    }
}

fn at_drop(tally: &Tally, last: impl FnOnce() + 'static) -> Op<AtDrop> {
    Op::new(AtDrop { last: Some(Box::new(last)), bytes: [0; 8], _piece: tally.piece() })
}

type Pipe = EventPipe<AtDrop>;
type Stream = Rc<Attached<UnixStream>>;

fn pipe_and_stream() -> (Pipe, Stream, UnixStream) {
    let pipe = EventPipe::new(16).unwrap();
    let (ours, peer) = UnixStream::pair().unwrap();
    let stream = Rc::new(pipe.attach(ours).unwrap());
    (pipe, stream, peer)
}

/// Three ways in which a pipe may have a state when it ends.
fn give_in_each_way(pipe: &Pipe, stream: &Stream, state: &mut dyn FnMut() -> Op<AtDrop>) {
    pipe.submit_on(stream, state(), |state| Io::read(&mut state.bytes)).unwrap();
    pipe.post(state(), 1).unwrap();
    pipe.submit(state(), |_| timer(HOUR)).unwrap();
}

fn panic_message(f: impl FnOnce()) -> &'static str {
    *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<&str>().unwrap()
}

#[test]
fn a_state_whose_drop_panics_keeps_no_other_from_being_dropped() {
    let test = test::begin();
    // The first, the last, one between: outstanding, posted, a timer.
    for bad in 0..9 {
        let tally = Tally::default();
        let (pipe, stream, _peer) = pipe_and_stream();
        let mut number = 0;
        for _ in 0..3 {
            give_in_each_way(&pipe, &stream, &mut || {
                number += 1;
                let this_one = number - 1 == bad;
                at_drop(&tally, move || assert!(!this_one, "on purpose"))
            });
        }
        assert_eq!(panic_message(|| drop(pipe)), "on purpose");
        assert_eq!(tally.assert_each_was_dropped_once(), 9);
        drop((stream, _peer));
        test.assert_no_descriptor_is_left();
    }
}

#[test]
fn nor_in_events() {
    let test = test::begin();
    for bad in 0..4 {
        let tally = Tally::default();
        let (pipe, stream, peer) = pipe_and_stream();
        for number in 0..4 {
            let op = at_drop(&tally, move || assert!(number != bad, "on purpose"));
            pipe.post(op, number).unwrap();
        }
        let mut events = Events::with_capacity(8);
        assert_eq!(pipe.wait(&mut events, None).unwrap().len(), 4);
        assert_eq!(panic_message(|| drop(events)), "on purpose");
        assert_eq!(tally.assert_each_was_dropped_once(), 4);
        assert_eq!(pipe.places_taken(), 0);
        drop((pipe, stream, peer));
        test.assert_no_descriptor_is_left();
    }
}

#[test]
fn a_panic_in_a_loop_over_events_leaves_the_rest_in_them() {
    let _test = test::begin();
    let tally = Tally::default();
    let (pipe, _stream, _peer) = pipe_and_stream();
    for value in 0..4 {
        pipe.post(at_drop(&tally, move || assert!(value != 1, "on purpose")), value).unwrap();
    }
    let mut events = Events::with_capacity(8);
    assert_eq!(panic_message(|| pipe.wait(&mut events, None).unwrap().for_each(drop)), "on purpose");
    assert_eq!(tally.alive(), 2);
    assert_eq!(pipe.wait(&mut events, None).unwrap().count(), 2);
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_panic_of_a_state_does_not_lose_what_its_event_brought() {
    let _test = test::begin();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tally = Tally::default();
    let pipe = Pipe::new(4).unwrap();
    let listener = pipe.attach(listener).unwrap();
    for harvested in [true, false] {
        let _peer = std::net::TcpStream::connect(address).unwrap();
        let op = at_drop(&tally, || panic!("on purpose"));
        pipe.submit_on(&listener, op, |_| Io::accept()).unwrap();
        if harvested {
            let event = pipe.wait(&mut Events::with_capacity(1), None).unwrap().next().unwrap();
            assert_eq!(panic_message(|| drop(event)), "on purpose");
        }
    }
    assert_eq!(panic_message(|| drop(pipe)), "on purpose");
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_state_may_submit_to_another_pipe_while_its_own_ends() {
    let _test = test::begin();
    let tally = Tally::default();
    let (pipe, stream, _peer) = pipe_and_stream();
    let (other, other_stream, mut other_peer) = pipe_and_stream();
    let other = Rc::new(other);
    give_in_each_way(&pipe, &stream, &mut || {
        let (other, other_stream, tally2) = (other.clone(), other_stream.clone(), tally.clone());
        at_drop(&tally, move || {
            let op = at_drop(&tally2, || ());
            other.submit_on(&other_stream, op, |state| Io::read(&mut state.bytes)).unwrap();
            other.post(at_drop(&tally2, || ()), 1).unwrap();
        })
    });
    drop(pipe);
    assert_eq!((tally.alive(), other.places_taken()), (6, 6));
    other_peer.write_all(&[7; 24]).unwrap();
    let mut events = Events::with_capacity(2);
    let mut count = 0;
    while count < 6 {
        count += other.wait(&mut events, None).unwrap().count();
    }
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_state_may_use_handles_of_its_own_pipe_while_it_ends() {
    let _test = test::begin();
    let tally = Tally::default();
    let (pipe, stream, _peer) = pipe_and_stream();
    let other = Rc::new(Pipe::new(4).unwrap());
    give_in_each_way(&pipe, &stream, &mut || {
        let (other, stream, tally2) = (other.clone(), stream.clone(), tally.clone());
        at_drop(&tally, move || {
            // All there is to do with a handle whose pipe is gone.
            assert_eq!(stream.cancel(Cancel::All), 0);
            stream.set_timeout(None).unwrap_err();
            let refused = other.submit_on(&stream, at_drop(&tally2, || ()), |_| Io::accept());
            assert_eq!(refused.unwrap_err().error().raw_os_error(), Some(9));
        })
    });
    drop(stream);
    drop(pipe);
    tally.assert_each_was_dropped_once();
    assert_eq!(other.places_taken(), 0);
}

#[test]
fn a_state_may_make_attach_harvest_and_drop_pipes_while_its_own_ends() {
    let _test = test::begin();
    let tally = Tally::default();
    let (pipe, stream, _peer) = pipe_and_stream();
    let mut depth = 0;
    give_in_each_way(&pipe, &stream, &mut || {
        depth += 1;
        let (tally2, depth) = (tally.clone(), depth);
        at_drop(&tally, move || nested(&tally2, depth))
    });
    drop(stream);
    drop(pipe);
    // 3, and what each has made of its own: one for each of its depths, and one harvested.
    assert_eq!(tally.assert_each_was_dropped_once(), 3 + 2 * (1 + 2 + 3));
}

/// Makes a pipe that ends with a state whose drop does the same.
fn nested(tally: &Tally, depth: usize) {
    let Some(below) = depth.checked_sub(1) else { return };
    let (pipe, stream, mut peer) = pipe_and_stream();
    peer.write_all(b"there").unwrap();
    pipe.submit_on(&stream, at_drop(tally, || ()), |state| Io::read(&mut state.bytes)).unwrap();
    assert_eq!(pipe.wait(&mut Events::with_capacity(4), None).unwrap().count(), 1);
    let tally2 = tally.clone();
    let op = at_drop(tally, move || nested(&tally2, below));
    pipe.submit_on(&stream, op, |state| Io::read(&mut state.bytes)).unwrap();
}

#[test]
fn a_state_may_drop_another_pipe_whose_state_has_a_handle_of_the_first() {
    let _test = test::begin();
    let tally = Tally::default();
    let (first, first_stream, _first_peer) = pipe_and_stream();
    let (second, second_stream, _second_peer) = pipe_and_stream();
    let crossed = first_stream.clone();
    second
        .submit_on(&second_stream, at_drop(&tally, move || drop(crossed)), |state| Io::read(&mut state.bytes))
        .unwrap();
    let op = at_drop(&tally, move || drop((second, second_stream)));
    first.submit_on(&first_stream, op, |state| Io::read(&mut state.bytes)).unwrap();
    drop((first_stream, first));
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_state_may_submit_itself_again_and_again() {
    let _test = test::begin();
    let (tally, pipe) = (Tally::default(), Rc::new(Pipe::new(2).unwrap()));
    fn again(pipe: &Rc<Pipe>, tally: &Tally, times: u32) -> Op<AtDrop> {
        let (pipe, tally2) = (Rc::downgrade(pipe), tally.clone());
        at_drop(tally, move || {
            if let (Some(pipe), 1..) = (pipe.upgrade(), times) {
                pipe.post(again(&pipe, &tally2, times - 1), times).unwrap();
            }
        })
    }
    pipe.post(again(&pipe, &tally, 10), 0).unwrap();
    let mut events = Events::with_capacity(2);
    let mut count = 0;
    while pipe.try_wait(&mut events).unwrap().map(drop).count() > 0 {
        count += 1;
    }
    assert_eq!(count, 11);
    // One that is there when the pipe ends finds no pipe.
    pipe.post(again(&pipe, &tally, 10), 0).unwrap();
    drop(pipe);
    assert_eq!(tally.assert_each_was_dropped_once(), 12);
}

thread_local! {
    static LATE: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn what_is_dropped_when_its_thread_ends() {
    let test = test::begin();
    for order in 0..6 {
        let tally = Tally::default();
        let t = tally.clone();
        let begin = move || {
            let first: Box<dyn std::any::Any> = Box::new(0);
            // Made before the library has anything of this thread's, or after.
            if order % 2 == 0 {
                LATE.with_borrow_mut(|late| late.push(first));
            }
            let (pipe, stream, peer) = pipe_and_stream();
            give_in_each_way(&pipe, &stream, &mut || at_drop(&t, || ()));
            let mut events = Events::with_capacity(1);
            assert_eq!(pipe.wait(&mut events, None).unwrap().len(), 1);
            let mut all: Vec<Box<dyn std::any::Any>> =
                vec![Box::new(pipe), Box::new(stream), Box::new(events)];
            all.rotate_left(order / 2);
            LATE.with_borrow_mut(|late| late.extend(all));
            mem::drop(peer);
        };
        thread::spawn(begin).join().unwrap();
        assert_eq!(tally.assert_each_was_dropped_once(), 3);
        test.assert_no_descriptor_is_left();
    }
}
