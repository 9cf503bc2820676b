//! What is refused comes back as it was: the same state, at the same place, with what it holds; nothing was submitted.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use ioevent::net::{Address, Message};
use ioevent::{Attached, EIOEVENTFULL, Event, EventPipe, Events, Io, Op, Refused, Request, timer};
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;
use tally::{Piece, Tally};

/// Errors that std has no name for, or no stable one.
const EBADF: i32 = 9;

const TEXT: &[u8; 24] = b"what the program put in.";

struct Talk {
    stream: Option<Rc<Attached<UnixStream>>>,
    bytes: [u8; 24],
    spare: Vec<u8>,
    address: Address,
    message: Message<1>,
    boxed: Box<[u8]>,
    _piece: Piece,
}

fn talk(tally: &Tally, stream: &Rc<Attached<UnixStream>>) -> Op<Talk> {
    let mut spare = Vec::with_capacity(64);
    spare.extend_from_slice(TEXT);
    Op::new(Talk {
        stream: Some(stream.clone()),
        bytes: *TEXT,
        spare,
        address: Address::new(),
        message: Message::new(),
        boxed: TEXT[..].into(),
        _piece: tally.piece(),
    })
}

/// Where everything is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Places([*const u8; 5], usize, usize);

fn places(op: &Op<Talk>) -> Places {
    let stream = op.stream.as_ref().map_or(std::ptr::null(), Rc::as_ptr).cast();
    let state = std::ptr::from_ref::<Talk>(op).cast();
    let places = [state, op.bytes.as_ptr(), op.spare.as_ptr(), op.boxed.as_ptr(), stream];
    Places(places, op.spare.len(), op.spare.capacity())
}

fn stream(op: &mut Talk) -> &Attached<UnixStream> {
    op.stream.as_ref().unwrap()
}

type Describe = fn(&mut Talk) -> Request<'_>;

/// Operations of all kinds.
const KINDS: [Describe; 9] = [
    |talk| talk.stream.as_ref().unwrap().read(&mut talk.bytes),
    |talk| talk.stream.as_ref().unwrap().write(&talk.boxed),
    |talk| talk.stream.as_ref().unwrap().read_spare(&mut talk.spare),
    |talk| talk.stream.as_ref().unwrap().receive(&mut talk.message, [&mut talk.bytes]),
    |talk| talk.stream.as_ref().unwrap().recv_from(&mut talk.bytes, &mut talk.address),
    |talk| talk.stream.as_ref().unwrap().send(&talk.bytes, 0),
    |talk| stream(talk).accept(),
    |talk| stream(talk).poll(ioevent::Readiness::READABLE),
    |talk| talk.stream.as_ref().unwrap().read(&mut talk.boxed).timeout(Duration::from_millis(1)),
];

/// Each kind of operation, submitted in both ways, is refused with an error that is as it should be, and its state is
/// as it was.
fn each_is_refused(
    pipe: &EventPipe<Talk>,
    attached: &Rc<Attached<UnixStream>>,
    inline_too: bool,
    is_right: impl Fn(io::Error) -> bool,
) {
    let tally = Tally::default();
    let before = pipe.places_taken();
    let check = |op: Op<Talk>, submit: &dyn Fn(Op<Talk>) -> Result<Option<Event<Talk>>, Refused<Talk>>| {
        let (id, was) = (Op::id(&op), places(&op));
        let refused = submit(op).unwrap_err();
        assert!(is_right(refused.error()), "{refused:?}");
        assert_eq!(refused.is_full(), refused.error().raw_os_error() == Some(EIOEVENTFULL));
        let op = refused.op;
        assert_eq!((Op::id(&op), places(&op)), (id, was));
        assert_eq!((&op.bytes, op.spare.as_slice(), &*op.boxed), (TEXT, &TEXT[..], &TEXT[..]));
        assert_eq!(pipe.places_taken(), before);
        op
    };
    for describe in KINDS {
        let op = check(talk(&tally, attached), &|op| pipe.submit(op, describe).map(|()| None));
        if inline_too {
            check(op, &|op| pipe.submit_inline(op, describe));
        }
    }
    let on = |op| pipe.submit_on(attached, op, |talk| Io::read(&mut talk.bytes)).map(|()| None);
    check(talk(&tally, attached), &on);
    tally.assert_each_was_dropped_once();
}

fn pair(pipe: &EventPipe<Talk>) -> (Rc<Attached<UnixStream>>, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    (Rc::new(pipe.attach(ours).unwrap()), peer)
}

/// Nothing was written to it.
fn assert_got_nothing(mut peer: UnixStream) {
    assert_eq!(peer.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn full() {
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = EventPipe::new(2).unwrap();
    let (attached, peer) = pair(&pipe);
    pipe.submit(talk(&tally, &attached), |_| timer(Duration::from_secs(3600))).unwrap();
    pipe.post(talk(&tally, &attached), 1).unwrap();
    // (What is asked for inline needs no place if it can be finished at once.)
    each_is_refused(&pipe, &attached, false, |error| error.raw_os_error() == Some(EIOEVENTFULL));
    let op = talk(&tally, &attached);
    let (id, was) = (Op::id(&op), places(&op));
    let refused = pipe.post(op, 3).unwrap_err();
    assert!(refused.is_full());
    assert_eq!((Op::id(&refused.op), places(&refused.op)), (id, was));
    let refused = pipe.submit(refused.op, |_| timer(Duration::from_millis(1))).unwrap_err();
    assert!(refused.is_full());
    assert_eq!((Op::id(&refused.op), places(&refused.op)), (id, was));
    assert_got_nothing(peer);
    assert_eq!(pipe.wait(&mut Events::with_capacity(8), None).unwrap().count(), 1);
    assert_eq!(tally.alive(), 2);
    drop((refused, pipe));
    tally.assert_each_was_dropped_once();
}

#[test]
fn of_another_pipe() {
    let _test = test::begin();
    let [pipe, other] = [4, 4].map(|capacity| EventPipe::new(capacity).unwrap());
    let (attached, peer) = pair(&other);
    each_is_refused(&pipe, &attached, true, |error| error.kind() == ErrorKind::InvalidInput);
    assert_eq!(other.places_taken(), 0);
    // Of a pipe with states of another type.
    let typed = EventPipe::<[u8; 4]>::new(4).unwrap();
    let refused = typed.submit_on(&attached, Op::new(*b"some"), |bytes| Io::write(bytes)).unwrap_err();
    assert_eq!((refused.error().kind(), &*refused.op), (ErrorKind::InvalidInput, b"some"));
    assert_got_nothing(peer);
}

#[test]
fn of_a_pipe_that_is_gone() {
    let _test = test::begin();
    let pipe = EventPipe::new(4).unwrap();
    let other = EventPipe::new(4).unwrap();
    let (attached, peer) = pair(&other);
    drop(other);
    each_is_refused(&pipe, &attached, true, |error| error.raw_os_error() == Some(EBADF));
    // Not even one that may have got the place of the one that is gone.
    let next = EventPipe::new(4).unwrap();
    each_is_refused(&next, &attached, true, |error| error.raw_os_error() == Some(EBADF));
    // Its handle does nothing any more, and still has the descriptor.
    assert_eq!(attached.cancel(ioevent::Cancel::All), 0);
    attached.set_timeout(Some(Duration::from_secs(1))).unwrap_err();
    assert_got_nothing(peer);
    let (again, _peer) = UnixStream::pair().unwrap();
    drop(next.attach(again).unwrap());
    let ours = Rc::into_inner(attached).unwrap().into_inner();
    drop(next.attach(ours).unwrap());
}

#[test]
fn nothing_spare() {
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = EventPipe::new(4).unwrap();
    let (attached, _peer) = pair(&pipe);
    let mut op = talk(&tally, &attached);
    op.spare = TEXT.to_vec();
    op.spare.shrink_to_fit();
    assert_eq!(op.spare.capacity(), TEXT.len());
    let (id, was) = (Op::id(&op), places(&op));
    let describe: Describe = |talk| talk.stream.as_ref().unwrap().read_spare(&mut talk.spare);
    let refused = pipe.submit(op, describe).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    let refused = pipe.submit_inline(refused.op, describe).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    let refused = pipe.submit_on(&attached, refused.op, |talk| Io::read_spare(&mut talk.spare)).unwrap_err();
    assert_eq!(refused.error().kind(), ErrorKind::InvalidInput);
    assert_eq!((Op::id(&refused.op), places(&refused.op)), (id, was));
    assert_eq!(pipe.places_taken(), 0);
    let empty = Vec::<u8>::new();
    let mut op = refused.op;
    op.spare = empty;
    assert_eq!(pipe.submit(op, describe).unwrap_err().error().kind(), ErrorKind::InvalidInput);
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_hook_of_a_refused_operation_is_not_run_later() {
    let _test = test::begin();
    let tally = Tally::default();
    let [pipe, other] = [4, 4].map(|capacity| EventPipe::new(capacity).unwrap());
    let (attached, mut peer) = pair(&other);
    // Refused with a hook; then submitted, with the very same state, as something that has none.
    let op = talk(&tally, &attached);
    let refused =
        pipe.submit(op, |talk| talk.stream.as_ref().unwrap().read_spare(&mut talk.spare)).unwrap_err();
    other.submit(refused.op, |talk| talk.stream.as_ref().unwrap().read(&mut talk.bytes)).unwrap();
    io::Write::write_all(&mut peer, b"twelve bytes").unwrap();
    let mut events = Events::with_capacity(4);
    let (op, outcome) = other.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(outcome.count(), Some(12));
    assert_eq!((&op.bytes[..12], op.spare.as_slice()), (&b"twelve bytes"[..], &TEXT[..]));
    // What had a hook, and none the next time: a posted value is no length and no descriptor.
    other.submit(op, |talk| talk.stream.as_ref().unwrap().read_spare(&mut talk.spare)).unwrap();
    io::Write::write_all(&mut peer, b"and more").unwrap();
    let (op, outcome) = other.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!((outcome.count(), &op.spare[TEXT.len()..]), (Some(8), &b"and more"[..]));
    let length = op.spare.len();
    other.post(op, 5).unwrap();
    let (op, outcome) = other.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(op.spare.len(), length);
    assert_eq!(outcome.descriptor().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn what_cannot_be_attached_comes_back() {
    let _test = test::begin();
    let pipe = EventPipe::<Talk>::new(4).unwrap();
    let other = EventPipe::<u8>::new(4).unwrap();
    let (ours, _peer) = UnixStream::pair().unwrap();
    let ours = Rc::new(ours);
    let attached = pipe.attach(ours.clone()).unwrap();
    // The same number, in any pipe, whatever the type of its states.
    let not = pipe.attach(ours.clone()).unwrap_err();
    assert_eq!(not.error().kind(), ErrorKind::AlreadyExists);
    let not = other.attach(not.source).unwrap_err();
    assert_eq!(not.error().kind(), ErrorKind::AlreadyExists);
    assert!(Rc::ptr_eq(&not.source, &ours));
    // The first handle is none the worse for it, and its end makes the number free.
    drop(attached);
    let attached = other.attach(not.source).unwrap();
    drop(other);
    // A handle has its number, though its pipe is gone.
    assert_eq!(pipe.attach(ours.clone()).unwrap_err().error().kind(), ErrorKind::AlreadyExists);
    drop(attached);
    drop(pipe.attach(ours).unwrap());
    // Pipes cannot be attached, and come back whole.
    let inner = EventPipe::<u8>::new(1).unwrap();
    let not = pipe.attach(inner).unwrap_err();
    assert_eq!(not.error().kind(), ErrorKind::InvalidInput);
    not.source.post(Op::new(1), 2).unwrap();
    assert_eq!(not.source.wait(&mut Events::with_capacity(1), None).unwrap().count(), 1);
}
