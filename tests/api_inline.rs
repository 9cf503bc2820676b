//! Results that are given directly (rule 2.8).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::net::Message;
use ioevent::{Attached, EventPipe, Op, Request, timer};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use support::{Watchdog, none, one, pair};

struct State {
    stream: Arc<Attached<UnixStream>>,
    buffer: [u8; 8],
}

impl State {
    fn new(stream: &Arc<Attached<UnixStream>>) -> Op<State> {
        Op::new(State { stream: Arc::clone(stream), buffer: [0; 8] })
    }

    fn read(&mut self) -> Request<'_> {
        self.stream.read(&mut self.buffer)
    }

    fn write(&mut self) -> Request<'_> {
        self.stream.write(&self.buffer)
    }
}

fn full(pipe: &EventPipe<State>, stream: &Arc<Attached<UnixStream>>) {
    while pipe.post(State::new(stream), 77).is_ok() {}
    assert_eq!(pipe.places_taken(), pipe.capacity());
}

#[test]
fn what_is_finished_at_once_is_given_directly_even_if_the_pipe_is_full() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = Arc::new(pipe.attach(ours).unwrap());
    full(&pipe, &ours);
    theirs.write_all(b"at once").unwrap();
    let op = State::new(&ours);
    let id = Op::id(&op);
    let (op, outcome) = pipe.submit_inline(op, State::read).unwrap().unwrap().into_parts();
    assert_eq!((outcome.count(), &op.buffer, Op::id(&op)), (Some(7), b"at once\0", id));
    let (_, outcome) = pipe.submit_inline(op, State::write).unwrap().unwrap().into_parts();
    assert_eq!(outcome.count(), Some(8));
    theirs.read_exact(&mut [0; 8]).unwrap();
    // No event follows.
    assert_eq!(pipe.places_taken(), 2);
    for _ in 0..2 {
        assert_eq!(one(&pipe).1.count(), Some(77));
    }
    none(&pipe);
}

#[test]
fn what_is_not_is_queued_or_refused_if_the_pipe_is_full() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = Arc::new(pipe.attach(ours).unwrap());
    assert!(pipe.submit_inline(State::new(&ours), State::read).unwrap().is_none());
    assert_eq!(pipe.places_taken(), 1);
    full(&pipe, &ours);
    let refused = pipe.submit_inline(State::new(&ours), State::read).unwrap_err();
    assert!(refused.is_full());
    assert_eq!(one(&pipe).1.count(), Some(77));
    theirs.write_all(b"later").unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &op.buffer), (Some(5), b"later\0\0\0"));
    none(&pipe);
}

#[test]
fn an_error_is_given_directly_too() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    drop(theirs);
    let ours = Arc::new(pipe.attach(ours).unwrap());
    full(&pipe, &ours);
    let (_, outcome) = pipe.submit_inline(State::new(&ours), State::write).unwrap().unwrap().into_parts();
    assert_eq!(outcome.bytes().unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    let (_, outcome) = pipe.submit_inline(State::new(&ours), State::read).unwrap().unwrap().into_parts();
    assert_eq!(outcome.count(), Some(0));
}

/// What was queued before goes first (rule 2.5).
#[test]
fn it_does_not_overtake() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = Arc::new(pipe.attach(ours).unwrap());
    let first = State::new(&ours);
    let id = Op::id(&first);
    assert!(pipe.submit_inline(first, |s| s.stream.read(&mut s.buffer[..1])).unwrap().is_none());
    assert!(pipe.submit_inline(State::new(&ours), State::read).unwrap().is_none());
    theirs.write_all(b"abc").unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((Op::id(&op), outcome.count(), op.buffer[0]), (id, Some(1), b'a'));
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &op.buffer[..2]), (Some(2), &b"bc"[..]));
}

#[test]
fn a_descriptor_is_given_directly() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut op = Op::new(pipe.attach(listener).unwrap());
    for taken in [true, false] {
        let mut client = TcpStream::connect(address).unwrap();
        let outcome;
        (op, outcome) = match pipe.submit_inline(op, |listener| listener.accept()).unwrap() {
            Some(event) => event.into_parts(),
            // It may take a moment.
            None => one(&pipe),
        };
        assert_eq!(outcome.count(), None);
        if taken {
            let stream = TcpStream::from(outcome.descriptor().unwrap());
            assert_eq!(stream.peer_addr().unwrap(), client.local_addr().unwrap());
        } else {
            drop(outcome);
        }
        // Closed in either case.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_vec_grows_in_what_is_given_directly() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    theirs.write_all(b"body").unwrap();
    let mut input = Vec::with_capacity(16);
    input.extend_from_slice(b"head ");
    let state = (pipe.attach(ours).unwrap(), input);
    let event = pipe.submit_inline(Op::new(state), |(stream, input)| stream.read_spare(input)).unwrap();
    assert_eq!(&event.unwrap().op().1[..], b"head body");
}

#[test]
fn descriptors_come_with_what_is_given_directly() {
    let _watchdog = Watchdog::new();
    struct Passing {
        stream: Attached<UnixStream>,
        message: Message<1>,
        byte: [u8; 1],
    }
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let (passed, mut told) = pair();
    let descriptors = [OwnedFd::from(passed)];
    let mut sender = Passing { stream: pipe.attach(theirs).unwrap(), message: Message::new(), byte: *b"!" };
    sender.message.set_descriptors(descriptors).unwrap();
    let event =
        pipe.submit_inline(Op::new(sender), |p| p.stream.transmit(&mut p.message, [&p.byte])).unwrap();
    let (sender, outcome) = event.unwrap().into_parts();
    assert_eq!(outcome.count(), Some(1));
    let receiver = Passing { stream: pipe.attach(ours).unwrap(), message: Message::new(), byte: [0] };
    let event =
        pipe.submit_inline(Op::new(receiver), |p| p.stream.receive(&mut p.message, [&mut p.byte])).unwrap();
    let (mut receiver, outcome) = event.unwrap().into_parts();
    assert_eq!((outcome.count(), &receiver.byte), (Some(1), b"!"));
    let received = receiver.message.take_descriptors();
    assert_eq!(received.len(), 1);
    assert!(received[0].as_raw_fd() > 2);
    drop((sender, received));
    assert_eq!(told.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_timer_is_never_finished_at_once() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    assert!(pipe.submit_inline(Op::new(()), |()| timer(Duration::ZERO)).unwrap().is_none());
    assert_eq!(pipe.places_taken(), 1);
    one(&pipe).1.done().unwrap();
}
