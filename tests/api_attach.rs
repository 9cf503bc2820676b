//! Descriptors: who owns them, once, and what becomes of their operations (rules 4.2, 4.3).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{Attached, Cancel, EventPipe, Io, Op, is_cancelled};
use nix::errno::Errno;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use support::{Watchdog, none, number, one, pair, several};

#[test]
fn a_descriptor_is_attached_once() {
    let _watchdog = Watchdog::new();
    let (pipe, other) = (EventPipe::<()>::new(1).unwrap(), EventPipe::<u64>::new(1).unwrap());
    let (ours, mut theirs) = pair();
    let ours = Arc::new(ours);
    let attached = pipe.attach(Arc::clone(&ours)).unwrap();
    let again = pipe.attach(Arc::clone(&ours)).unwrap_err();
    assert_eq!(again.error().kind(), ErrorKind::AlreadyExists);
    // Nor to another pipe: its states are of another type.
    let elsewhere = other.attach(Arc::clone(&ours)).unwrap_err();
    assert_eq!(elsewhere.error().kind(), ErrorKind::AlreadyExists);
    assert!(Arc::ptr_eq(&elsewhere.source, &ours));
    drop((again, elsewhere));
    // That changed nothing for the first.
    pipe.submit_on(&attached, Op::new(()), |()| Io::write(b"x")).unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), 1);
    theirs.read_exact(&mut [0]).unwrap();
    // Dropped, it can be attached anew, here or there.
    drop(attached);
    drop(pipe.attach(Arc::clone(&ours)).unwrap());
    let there = other.attach(Arc::clone(&ours)).unwrap();
    other.submit_on(&there, Op::new(1), |_| Io::write(b"y")).unwrap();
    assert_eq!(one(&other).1.bytes().unwrap(), 1);
    none(&pipe);
    drop(there);
    assert_eq!(Arc::strong_count(&ours), 1);
}

#[test]
fn what_is_not_attached_comes_back() {
    fn attach(pipe: &EventPipe<()>, source: Arc<UnixStream>) -> std::io::Result<Attached<Arc<UnixStream>>> {
        Ok(pipe.attach(source)?)
    }
    let pipe = EventPipe::<()>::new(1).unwrap();
    let ours = Arc::new(pair().0);
    let _attached = attach(&pipe, Arc::clone(&ours)).unwrap();
    let error = attach(&pipe, Arc::clone(&ours)).unwrap_err();
    assert_eq!(number(&error), Some(Errno::EEXIST as i32));
    let not = pipe.attach(Arc::clone(&ours)).unwrap_err();
    assert!(!not.to_string().is_empty());
    assert!(format!("{not:?}").contains("NotAttached"), "{not:?}");
    let boxed: Box<dyn std::error::Error> = Box::new(not);
    drop(boxed);
    assert_eq!(Arc::strong_count(&ours), 2);
}

#[test]
fn a_pipe_is_not_attached_to_a_pipe() {
    let (pipe, other) = (EventPipe::<()>::new(1).unwrap(), EventPipe::<()>::new(1).unwrap());
    let other = Arc::new(other);
    assert_eq!(pipe.attach(Arc::clone(&other)).unwrap_err().error().kind(), ErrorKind::InvalidInput);
    other.post(Op::new(()), 1).unwrap();
    assert_eq!(one(&other).1.count(), Some(1));
}

#[test]
fn a_duplicate_is_a_descriptor_of_its_own() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let duplicate = pipe.attach(ours.try_clone().unwrap()).unwrap();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(("first", [0; 1])), |(_, b)| Io::read(b)).unwrap();
    pipe.submit_on(&duplicate, Op::new(("second", [0; 1])), |(_, b)| Io::read(b)).unwrap();
    drop(ours);
    let (op, outcome) = one(&pipe);
    assert_eq!((op.0, is_cancelled(&outcome.error().unwrap())), ("first", true));
    theirs.write_all(b"x").unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((op.0, op.1, outcome.count()), ("second", *b"x", Some(1)));
}

#[test]
fn dropping_it_ends_its_operations_and_closes_it() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(3).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    for number in 0..2 {
        pipe.submit_on(&ours, Op::new((number, [0; 4])), |(_, b)| Io::read(b)).unwrap();
    }
    pipe.submit_on(&ours, Op::new((2, [0; 4])), |_| Io::poll(ioevent::Readiness::PRIORITY)).unwrap();
    drop(ours);
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    let mut numbers: Vec<_> = several(&pipe, 3)
        .into_iter()
        .map(|(op, outcome)| {
            assert!(is_cancelled(&outcome.error().unwrap()));
            op.0
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
    none(&pipe);
}

/// A state that has the last handle of its own descriptor is dropped with its event.
#[test]
fn dropping_an_event_closes_the_descriptor_in_its_state() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit(Op::new((ours, [0; 4])), |(ours, b)| ours.read(b)).unwrap();
    theirs.write_all(b"x").unwrap();
    drop(one(&pipe));
    // ECONNRESET would say that something was not read.
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    assert_eq!(pipe.places_taken(), 0);
}

#[test]
fn into_inner_gives_it_back_open() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let number = ours.as_raw_fd();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 4]), |b| Io::read(b)).unwrap();
    let mut ours = ours.into_inner();
    assert_eq!(ours.as_raw_fd(), number);
    let (buffer, outcome) = one(&pipe);
    assert!(is_cancelled(&outcome.error().unwrap()));
    theirs.write_all(b"x").unwrap();
    let mut byte = [0];
    ours.read_exact(&mut byte).unwrap();
    assert_eq!((&byte, &*buffer), (b"x", &[0; 4]));
    // And it can be attached again.
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, buffer, |b| Io::read(b)).unwrap();
    theirs.write_all(b"y").unwrap();
    assert_eq!(one(&pipe).1.count(), Some(1));
}

#[test]
fn get_ref_is_for_calls_of_its_own() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::<()>::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let number = ours.as_raw_fd();
    let ours = pipe.attach(ours).unwrap();
    assert_eq!(ours.get_ref().as_raw_fd(), number);
    assert_eq!(ours.as_fd().as_raw_fd(), number);
    assert!(format!("{ours:?}").contains("UnixStream"), "{ours:?}");
    ours.get_ref().write_all(b"x").unwrap();
    theirs.read_exact(&mut [0]).unwrap();
    ours.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}

#[test]
fn anything_that_is_a_descriptor_can_be_attached() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::<[u8; 1]>::new(1).unwrap();
    fn works<F: AsFd + 'static>(pipe: &EventPipe<[u8; 1]>, source: F, theirs: &UnixStream) {
        let attached = pipe.attach(source).unwrap();
        pipe.submit_on(&attached, Op::new([0]), |b| Io::read(b)).unwrap();
        (&mut &*theirs).write_all(b"x").unwrap();
        assert_eq!(one(pipe).1.count(), Some(1));
    }
    let (ours, theirs) = pair();
    works(&pipe, OwnedFd::from(ours.try_clone().unwrap()), &theirs);
    works(&pipe, Box::new(ours.try_clone().unwrap()), &theirs);
    works(&pipe, Arc::new(ours.try_clone().unwrap()), &theirs);
    works(&pipe, std::rc::Rc::new(ours.try_clone().unwrap()), &theirs);
    static FOREVER: OnceLock<UnixStream> = OnceLock::new();
    let forever: &'static UnixStream = FOREVER.get_or_init(|| ours);
    works(&pipe, forever, &theirs);
    works(&pipe, forever.as_fd(), &theirs);
}

/// A source that is another descriptor each time that it is asked.
struct Changing {
    streams: [UnixStream; 2],
    asked: AtomicUsize,
}

impl AsFd for Changing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.streams[self.asked.fetch_add(1, SeqCst) % 2].as_fd()
    }
}

/// It is asked once; operations and the end of the attachment are the same descriptor's.
#[test]
fn a_source_that_changes_is_what_it_was_at_first() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let ((first, mut theirs), (second, _others)) = (pair(), pair());
    let streams = [first, second];
    let numbers = [streams[0].as_raw_fd(), streams[1].as_raw_fd()];
    let attached = pipe.attach(Changing { streams, asked: AtomicUsize::new(0) }).unwrap();
    assert_eq!(attached.get_ref().asked.load(SeqCst), 1);
    for _ in 0..2 {
        pipe.submit_on(&attached, Op::new([0]), |b| Io::read(b)).unwrap();
        theirs.write_all(b"x").unwrap();
        assert_eq!(one(&pipe).1.count(), Some(1));
    }
    pipe.submit_on(&attached, Op::new([0]), |b| Io::read(b)).unwrap();
    assert_eq!(attached.cancel(Cancel::Reads), 1);
    assert!(is_cancelled(&one(&pipe).1.error().unwrap()));
    // Both numbers are free of it afterwards.
    let changing = attached.into_inner();
    assert_eq!(changing.streams.each_ref().map(|stream| stream.as_raw_fd()), numbers);
    for stream in changing.streams {
        drop(pipe.attach(stream).unwrap());
    }
}

/// A source that cannot say what it is.
struct Panicking {
    _stream: UnixStream,
}

impl AsFd for Panicking {
    fn as_fd(&self) -> BorrowedFd<'_> {
        panic!("not a descriptor")
    }
}

#[test]
fn a_source_that_panics_is_not_attached() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::<u8>::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let source = Panicking { _stream: ours };
    catch_unwind(AssertUnwindSafe(|| pipe.attach(source).is_ok())).unwrap_err();
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    assert_eq!(pipe.places_taken(), 0);
}

/// Rule 5 of the API: what is attached to one pipe is not used with another.
#[test]
fn the_descriptor_of_another_pipe_is_refused() {
    let _watchdog = Watchdog::new();
    let (pipe, other) = (EventPipe::new(1).unwrap(), EventPipe::<u64>::new(1).unwrap());
    let (ours, mut theirs) = pair();
    let ours = other.attach(ours).unwrap();
    let refused = pipe.submit_on(&ours, Op::new(*b"x"), |b| Io::write(b)).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    assert!(!refused.is_full());
    assert_eq!(&*refused.op, b"x");
    let refused = pipe.submit_on(&ours, refused.op, |b| Io::read(b)).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    assert_eq!((pipe.places_taken(), other.places_taken()), (0, 0));
    // It works where it belongs.
    other.submit_on(&ours, Op::new(0), |_| Io::write(b"y")).unwrap();
    assert_eq!(one(&other).1.count(), Some(1));
    let mut byte = [0];
    theirs.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"y");
}

#[test]
fn also_where_the_state_has_it() {
    let (pipe, other) = (EventPipe::new(1).unwrap(), EventPipe::<u64>::new(1).unwrap());
    let ours = other.attach(pair().0).unwrap();
    let refused = pipe.submit(Op::new((ours, [0])), |(ours, b)| ours.read(b)).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    let refused = pipe.submit_inline(refused.op, |(ours, b)| ours.read(b)).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    assert_eq!(pipe.places_taken(), 0);
}

#[test]
fn when_its_pipe_is_gone_it_is_still_a_descriptor() {
    let _watchdog = Watchdog::new();
    let (gone, pipe) = (EventPipe::<u8>::new(1).unwrap(), EventPipe::new(1).unwrap());
    let (ours, mut theirs) = pair();
    let ours = gone.attach(ours).unwrap();
    drop(gone);
    let refused = pipe.submit_on(&ours, Op::new([0]), |b| Io::read(b)).unwrap_err();
    assert_eq!(number(&refused.error()), Some(Errno::EBADF as i32));
    let refused = pipe.submit(Op::new([0]), |_| ioevent::timer(std::time::Duration::ZERO));
    refused.unwrap();
    drop(one(&pipe));
    assert_eq!(ours.cancel(Cancel::All), 0);
    assert!(!ours.cancel_op(Op::id(&Op::new(0))));
    ours.set_timeout(None).unwrap_err();
    ours.get_ref().write_all(b"x").unwrap();
    theirs.read_exact(&mut [0]).unwrap();
    let ours = ours.into_inner();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0]), |b| Io::read(b)).unwrap();
    theirs.write_all(b"y").unwrap();
    assert_eq!(&*one(&pipe).0, b"y");
}

/// Nor is it attached anew by the next pipe, which may be where the first was.
#[test]
fn a_pipe_made_anew_does_not_take_over_what_was_attached() {
    let gone = EventPipe::<u8>::new(1).unwrap();
    let ours = Arc::new(pair().0);
    let attached = gone.attach(Arc::clone(&ours)).unwrap();
    drop(gone);
    let pipes: Vec<_> = (0..10).map(|_| EventPipe::new(1).unwrap()).collect();
    for pipe in &pipes {
        let refused = pipe.submit_on(&attached, Op::new([0]), |b| Io::read(b)).unwrap_err();
        assert_eq!(number(&refused.error()), Some(Errno::EBADF as i32));
    }
    drop(attached);
    drop(pipes[0].attach(Arc::clone(&ours)).unwrap());
}
