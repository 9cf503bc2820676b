//! Types of descriptors that behave oddly, in safe code: their numbers change, they panic when they are asked or
//! dropped, they use the pipe in their drop; and states of odd layouts.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, EventPipe, Events, Io, Op, Request, timer};
use std::cell::Cell;
use std::fmt::Debug;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tally::Tally;

type Bytes = [u8; 16];

fn read_on<F: AsFd>(pipe: &EventPipe<Bytes>, ours: &Attached<F>) {
    pipe.submit_on(ours, Op::new([0; 16]), |bytes| Io::read(bytes)).unwrap();
}

fn next(pipe: &EventPipe<Bytes>) -> Vec<u8> {
    let mut events = Events::with_capacity(1);
    let (bytes, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    bytes[..outcome.bytes().unwrap()].to_vec()
}

/// A stream with this number, which is free.
fn with_number(number: i32) -> UnixStream {
    let pairs: Vec<_> = (0..16).map(|_| UnixStream::pair().unwrap()).collect();
    let mut all = pairs.into_iter().flat_map(|(a, b)| [a, b]);
    all.find(|stream| stream.as_raw_fd() == number).unwrap()
}

/// Two streams, one of which it says it is: each time it is asked, the other.
struct Fickle([UnixStream; 2], Cell<usize>);

impl AsFd for Fickle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let which = self.1.get();
        self.1.set(1 - which);
        self.0[which].as_fd()
    }
}

#[test]
fn a_number_is_asked_for_once() {
    let test = test::begin();
    let pipe = EventPipe::new(4).unwrap();
    let other = EventPipe::<u8>::new(4).unwrap();
    let (a, mut a_peer) = UnixStream::pair().unwrap();
    let (b, b_peer) = UnixStream::pair().unwrap();
    let fickle = pipe.attach(Fickle([a, b], Cell::new(0))).unwrap();
    for _ in 0..4 {
        read_on(&pipe, &fickle);
        { &b_peer }.write_all(b"not this").unwrap();
        a_peer.write_all(b"the first").unwrap();
        assert_eq!(next(&pipe), b"the first");
    }
    // Its drop detaches what was attached, and no other.
    read_on(&pipe, &fickle);
    let number = fickle.get_ref().0[0].as_raw_fd();
    drop(fickle);
    assert!(
        pipe.wait(&mut Events::with_capacity(1), None).unwrap().next().unwrap().outcome().error().is_some()
    );
    // The number is free, for another pipe too.
    drop(other.attach(with_number(number)).unwrap());
    drop((a_peer, b_peer, pipe, other));
    test.assert_no_descriptor_is_left();
}

struct Panics {
    stream: UnixStream,
    asked: bool,
    dropped: bool,
}

impl AsFd for Panics {
    fn as_fd(&self) -> BorrowedFd<'_> {
        assert!(!self.asked, "on purpose");
        self.stream.as_fd()
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(!self.dropped, "on purpose");
    }
}

fn panics<R>(f: impl FnOnce() -> R) {
    let panicked = catch_unwind(AssertUnwindSafe(f)).map(drop).unwrap_err();
    assert_eq!(*panicked.downcast::<&str>().unwrap(), "on purpose");
}

#[test]
fn a_source_that_panics_when_it_is_asked_is_dropped() {
    let test = test::begin();
    let pipe = EventPipe::<Bytes>::new(4).unwrap();
    let (stream, mut peer) = UnixStream::pair().unwrap();
    let number = stream.as_raw_fd();
    panics(|| pipe.attach(Panics { stream, asked: true, dropped: false }));
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    drop(pipe.attach(with_number(number)).unwrap());
    drop((pipe, peer));
    test.assert_no_descriptor_is_left();
}

#[test]
fn a_source_whose_drop_panics_is_detached_and_closed() {
    let test = test::begin();
    let pipe = EventPipe::<Bytes>::new(4).unwrap();
    for round in 0..4 {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let attached = pipe.attach(Panics { stream, asked: false, dropped: true }).unwrap();
        read_on(&pipe, &attached);
        match round % 2 {
            0 => panics(|| drop(attached)),
            _ => panics(|| drop(attached.into_inner())),
        }
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        assert_eq!(pipe.wait(&mut Events::with_capacity(4), None).unwrap().count(), 1);
    }
    assert_eq!(pipe.places_taken(), 0);
    drop(pipe);
    test.assert_no_descriptor_is_left();
}

/// In its drop, which is after it was detached and before it is closed, it is attached anew by another owner.
struct Again {
    stream: Arc<UnixStream>,
    pipe: Rc<EventPipe<Bytes>>,
    taken: Rc<Cell<Option<Attached<Arc<UnixStream>>>>>,
}

impl AsFd for Again {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        let attached = self.pipe.attach(self.stream.clone()).unwrap();
        read_on(&self.pipe, &attached);
        self.taken.set(Some(attached));
    }
}

#[test]
fn a_source_that_is_attached_again_by_its_drop() {
    let _test = test::begin();
    let pipe = Rc::new(EventPipe::new(4).unwrap());
    let (stream, mut peer) = UnixStream::pair().unwrap();
    let taken = Rc::new(Cell::new(None));
    let again = Again { stream: Arc::new(stream), pipe: pipe.clone(), taken: taken.clone() };
    drop(pipe.attach(again).unwrap());
    let attached = taken.take().unwrap();
    peer.write_all(b"again").unwrap();
    assert_eq!(next(&pipe), b"again");
    read_on(&pipe, &attached);
    peer.write_all(b"and again").unwrap();
    assert_eq!(next(&pipe), b"and again");
}

#[test]
fn sources_of_all_kinds() {
    let _test = test::begin();
    let pipe = EventPipe::<Bytes>::new(4).unwrap();
    fn check<F: AsFd + Debug + 'static>(
        pipe: &EventPipe<Bytes>,
        wrap: impl FnOnce(UnixStream) -> F,
    ) -> Attached<F> {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let ours = pipe.attach(wrap(ours)).unwrap();
        read_on(pipe, &ours);
        peer.write_all(b"something").unwrap();
        assert_eq!(next(pipe), b"something");
        ours
    }
    drop(check(&pipe, Rc::new));
    drop(check(&pipe, Arc::new));
    drop(check(&pipe, Box::new));
    drop(check(&pipe, |stream| stream));
    let attached = check(&pipe, std::os::fd::OwnedFd::from);
    // A handle is a descriptor; it is attached already.
    let not = pipe.attach(attached).unwrap_err();
    assert_eq!(not.error().kind(), ErrorKind::AlreadyExists);
    let copy = not.source.get_ref().try_clone().unwrap();
    let copy = pipe.attach(copy).unwrap();
    drop(not);
    drop(copy);
    // One that shares the descriptor, and outlives the handle.
    let (shared, _peer) = UnixStream::pair().unwrap();
    let shared = Rc::new(shared);
    let attached = pipe.attach(shared.clone()).unwrap();
    read_on(&pipe, &attached);
    drop(attached);
    assert!(next_error(&pipe).is_some());
    drop(pipe.attach(shared).unwrap());
}

fn next_error(pipe: &EventPipe<Bytes>) -> Option<std::io::Error> {
    pipe.wait(&mut Events::with_capacity(1), None).unwrap().next().unwrap().outcome().error()
}

/// A state of any layout goes round, by a read, a timer and a post, and is dropped once.
fn goes_round<T: PartialEq + Debug + 'static>(make: impl Fn() -> T) {
    let pipe = EventPipe::new(4).unwrap();
    let mut events = Events::with_capacity(4);
    let mut op = Op::new(make());
    for round in 0..3 {
        let id = Op::id(&op);
        match round {
            0 => pipe.post(op, u32::MAX).unwrap(),
            1 => pipe.submit(op, |_| timer(Duration::from_nanos(1))).unwrap(),
            _ => pipe.post(op, 0).unwrap(),
        }
        let outcome;
        (op, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
        assert_eq!((Op::id(&op), &*op), (id, &make()));
        assert_eq!(outcome.count(), Some([u32::MAX as usize, 0, 0][round]));
    }
    assert_eq!(Op::into_inner(op), make());
    pipe.post(Op::new(make()), 1).unwrap();
    pipe.submit(Op::new(make()), |_| timer(Duration::from_secs(3600))).unwrap();
}

#[derive(Debug, PartialEq)]
#[repr(align(64))]
struct Line(u8);

#[derive(Debug, PartialEq)]
#[repr(align(4096))]
struct Page([u8; 3]);

#[test]
fn states_of_all_layouts() {
    let _test = test::begin();
    goes_round(|| ());
    goes_round(|| [0u64; 0]);
    goes_round(|| 7u8);
    goes_round(|| (1u8, 2u16, 3u128));
    goes_round(|| Line(3));
    goes_round(|| Page([1, 2, 3]));
    goes_round(|| Box::<str>::from("on the heap"));
    goes_round(|| vec![String::from("many"), String::new()]);
    goes_round(|| Some(std::num::NonZeroU8::MIN));
    goes_round(|| vec![9u8; 1 << 20]);
}

#[test]
fn trait_objects_as_states() {
    /// What an operation of any kind does next.
    trait Job {
        fn next(&mut self) -> Request<'_>;
        fn text(&self) -> &[u8];
    }
    struct Reads(Attached<UnixStream>, Bytes, #[expect(dead_code)] tally::Piece);
    impl Job for Reads {
        fn next(&mut self) -> Request<'_> {
            self.0.read(&mut self.1[..4])
        }
        fn text(&self) -> &[u8] {
            &self.1[..4]
        }
    }
    struct Waits(#[expect(dead_code)] tally::Piece);
    impl Job for Waits {
        fn next(&mut self) -> Request<'_> {
            timer(Duration::from_millis(1))
        }
        fn text(&self) -> &[u8] {
            b"time"
        }
    }
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = EventPipe::<Box<dyn Job>>::new(4).unwrap();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let reads = Reads(pipe.attach(ours).unwrap(), [0; 16], tally.piece());
    let jobs: [Box<dyn Job>; 2] = [Box::new(reads), Box::new(Waits(tally.piece()))];
    for job in jobs {
        pipe.submit(Op::new(job), |job| job.next()).unwrap();
    }
    assert_eq!(tally.alive(), 2);
    peer.write_all(b"text").unwrap();
    let mut events = Events::with_capacity(4);
    let mut texts = Vec::new();
    while texts.len() < 2 {
        for event in pipe.wait(&mut events, None).unwrap() {
            texts.push(event.op().text().to_vec());
        }
    }
    texts.sort();
    assert_eq!(texts, [b"text", b"time"]);
    tally.assert_each_was_dropped_once();
}
