//! The places of a pipe: who takes one, who gives it back, and what is refused when there is none (rules 2.1, 3.1,
//! 3.8).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{Cancel, EIOEVENTFULL, EventPipe, Events, Io, Op, is_full, timer};
use nix::errno::Errno;
use std::io::{self, ErrorKind};
use std::time::Duration;
use support::{Watchdog, number, one, pair, several};

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_capacity_is_at_least_one_and_fits_an_int() {
    for bad in [0, i32::MAX as usize + 1, u32::MAX as usize + 2, usize::MAX] {
        assert_eq!(EventPipe::<()>::new(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
    }
    for good in [1, 10_000_000, i32::MAX as usize] {
        assert_eq!(EventPipe::<()>::new(good).unwrap().capacity(), good);
    }
}

#[test]
fn a_capacity_that_is_changed_is_checked_too() {
    let pipe = EventPipe::<()>::new(3).unwrap();
    for bad in [0, i32::MAX as usize + 1, usize::MAX] {
        assert_eq!(pipe.set_capacity(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        assert_eq!(pipe.capacity(), 3);
    }
    pipe.set_capacity(i32::MAX as usize).unwrap();
    assert_eq!(pipe.capacity(), i32::MAX as usize);
}

#[test]
fn every_operation_takes_one_place_until_it_is_harvested() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(8).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    assert_eq!(pipe.places_taken(), 0);
    pipe.submit_on(&ours, Op::new([0; 4]), |b| Io::read(b)).unwrap();
    assert_eq!(pipe.places_taken(), 1);
    pipe.submit_on(&ours, Op::new([0; 4]), |b| Io::write(b)).unwrap();
    pipe.submit(Op::new([0; 4]), |_| timer(LONG)).unwrap();
    pipe.post(Op::new([0; 4]), 7).unwrap();
    assert_eq!(pipe.places_taken(), 4);
    assert_eq!(ours.cancel(Cancel::All), 1);
    assert_eq!(pipe.places_taken(), 4);
    drop(several(&pipe, 3));
    assert_eq!(pipe.places_taken(), 1);
}

#[test]
fn a_full_pipe_gives_back_what_it_was_given() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(vec![0; 4]), |b| Io::read(b)).unwrap();
    pipe.post(Op::new(vec![]), 1).unwrap();

    let op = Op::new(b"untouched".to_vec());
    let (id, address) = (Op::id(&op), op.as_ptr());
    let refused = pipe.submit_on(&ours, op, |b| Io::write(b)).unwrap_err();
    assert!(refused.is_full());
    assert_eq!((&refused.op[..], Op::id(&refused.op), refused.op.as_ptr()), (&b"untouched"[..], id, address));

    let refused = pipe.submit(refused.op, |_| timer(LONG)).unwrap_err();
    assert!(refused.is_full());
    let refused = pipe.post(refused.op, 1).unwrap_err();
    assert!(refused.is_full());
    let refused = pipe.submit_inline(refused.op, |_| timer(LONG)).unwrap_err();
    assert!(refused.is_full());
    assert!(is_full(&refused.error()));
    assert_eq!(number(&refused.error()), Some(EIOEVENTFULL));
    assert_eq!((pipe.places_taken(), pipe.capacity()), (2, 2));

    // A place that is given back is there for the next.
    drop(one(&pipe));
    pipe.post(refused.op, 1).unwrap();
    let (op, _) = one(&pipe);
    assert_eq!((&op[..], Op::id(&op)), (&b"untouched"[..], id));
}

#[test]
fn nothing_was_written_by_what_was_refused() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.post(Op::new(()), 0).unwrap();
    assert!(pipe.submit_on(&ours, Op::new(()), |()| Io::write(b"x")).unwrap_err().is_full());
    theirs.set_nonblocking(true).unwrap();
    assert_eq!(io::Read::read(&mut &theirs, &mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_refusal_becomes_an_error_with_a_question_mark() {
    fn submit(pipe: &EventPipe<()>) -> io::Result<()> {
        pipe.post(Op::new(()), 0)?;
        Ok(())
    }
    let pipe = EventPipe::new(1).unwrap();
    submit(&pipe).unwrap();
    let error = submit(&pipe).unwrap_err();
    assert!(is_full(&error));
    assert!(!is_full(&Errno::EAGAIN.into()));
    assert!(!is_full(&ErrorKind::WouldBlock.into()));
    let refused = pipe.post(Op::new(()), 0).unwrap_err();
    assert!(refused.to_string().contains("full"), "{refused}");
    assert!(format!("{refused:?}").contains("Refused"), "{refused:?}");
    let boxed: Box<dyn std::error::Error> = Box::new(refused);
    drop(boxed);
}

#[test]
fn a_capacity_below_what_is_taken_is_busy() {
    let pipe = EventPipe::new(4).unwrap();
    for value in 0..3 {
        pipe.post(Op::new(()), value).unwrap();
    }
    assert_eq!(pipe.set_capacity(2).unwrap_err().kind(), ErrorKind::ResourceBusy);
    assert_eq!(pipe.capacity(), 4);
    pipe.set_capacity(3).unwrap();
    assert_eq!(pipe.capacity(), 3);
    assert!(pipe.post(Op::new(()), 3).unwrap_err().is_full());
    pipe.set_capacity(100).unwrap();
    for value in 3..100 {
        pipe.post(Op::new(()), value).unwrap();
    }
    assert!(pipe.post(Op::new(()), 100).unwrap_err().is_full());
    let mut events = Events::with_capacity(1000);
    let values = pipe.wait(&mut events, None).unwrap().map(|event| event.into_parts().1.count().unwrap());
    assert!(values.eq(0..100));
    assert_eq!(pipe.places_taken(), 0);
}

#[test]
fn a_posted_event_has_its_state_and_its_value() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    for (name, value) in [("zero", 0), ("one", 1), ("most", u32::MAX)] {
        pipe.post(Op::new(name), value).unwrap();
    }
    for (name, value) in [("zero", 0), ("one", 1), ("most", u32::MAX as usize)] {
        let (op, outcome) = one(&pipe);
        assert!(outcome.error().is_none());
        assert_eq!((*op, outcome.bytes().unwrap()), (name, value));
    }
}

#[test]
fn events_in_the_hands_of_the_program_take_no_place() {
    let pipe = EventPipe::new(3).unwrap();
    for value in 0..3 {
        pipe.post(Op::new(()), value).unwrap();
    }
    let mut events = Events::with_capacity(3);
    let left = pipe.try_wait(&mut events).unwrap();
    assert_eq!(left.len(), 3);
    assert_eq!(pipe.places_taken(), 0);
}

#[test]
fn the_number_of_the_error_is_what_c_has() {
    assert_eq!(EIOEVENTFULL, 1997);
}
