//! Messages with several parts, an address, and descriptors.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::net::Message;
use ioevent::{Attached, Cancel, EventPipe, Io, Op};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use support::{Watchdog, errno, none, one, pair};

struct State {
    message: Message<2>,
    head: [u8; 4],
    body: [u8; 8],
}

impl State {
    fn new() -> Op<State> {
        Op::new(State { message: Message::new(), head: *b"head", body: *b"the body" })
    }
}

fn receive<S: AsFd>(pipe: &EventPipe<State>, socket: &Attached<S>, op: Op<State>) {
    pipe.submit_on(socket, op, |s| Io::receive(&mut s.message, [&mut s.head, &mut s.body])).unwrap();
}

fn transmit<S: AsFd>(pipe: &EventPipe<State>, socket: &Attached<S>, op: Op<State>) {
    pipe.submit_on(socket, op, |s| Io::transmit(&mut s.message, [&s.head, &s.body])).unwrap();
}

/// A pipe whose other end tells by its end that this one is closed.
fn told() -> (OwnedFd, File) {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    (writer, File::from(reader))
}

/// With these descriptors, by other means than the library.
fn send(socket: &UnixStream, bytes: &[u8], descriptors: &[&OwnedFd]) {
    let numbers: Vec<_> = descriptors.iter().map(|d| d.as_raw_fd()).collect();
    let control = [ControlMessage::ScmRights(&numbers)];
    let control = if numbers.is_empty() { &[][..] } else { &control[..] };
    let sent =
        sendmsg::<UnixAddr>(socket.as_raw_fd(), &[IoSlice::new(bytes)], control, MsgFlags::empty(), None);
    assert_eq!(sent, Ok(bytes.len()));
}

#[test]
fn parts_and_the_address_of_datagrams() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let socket = pipe.attach(socket).unwrap();
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    receive(&pipe, &socket, State::new());
    client.send_to(b"HEADBODY", address).unwrap();
    let (mut state, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 8);
    assert_eq!((&state.head, &state.body), (b"HEAD", b"BODYbody"));
    assert_eq!(state.message.address().to_ip(), Some(client.local_addr().unwrap()));
    assert!(state.message.take_descriptors().is_empty());
    // The same message goes back to where it came from.
    transmit(&pipe, &socket, state);
    assert_eq!(one(&pipe).1.bytes().unwrap(), 12);
    let mut received = [0; 64];
    assert_eq!(client.recv_from(&mut received).unwrap(), (12, address));
    assert_eq!(&received[..12], b"HEADBODYbody");
}

#[test]
fn a_message_may_go_to_an_address_of_its_own() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let socket = pipe.attach(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).unwrap();
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut state = State::new();
    *state.message.address() = receiver.local_addr().unwrap().into();
    transmit(&pipe, &socket, state);
    assert_eq!(one(&pipe).1.bytes().unwrap(), 12);
    let mut received = [0; 64];
    let (count, from) = receiver.recv_from(&mut received).unwrap();
    assert_eq!((&received[..count], from), (&b"headthe body"[..], socket.get_ref().local_addr().unwrap()));
}

#[test]
fn descriptors_are_received_in_order_and_close_on_exec() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    receive(&pipe, &ours, State::new());
    let sent: Vec<_> = (0..3).map(|_| told()).collect();
    send(&theirs, b"xy", &sent.iter().map(|(writer, _)| writer).collect::<Vec<_>>());
    let (mut state, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &state.head), (Some(2), b"xyad"));
    let descriptors = state.message.take_descriptors();
    assert_eq!(descriptors.len(), 3);
    assert!(state.message.take_descriptors().is_empty());
    for (number, (descriptor, (own, mut reader))) in descriptors.into_iter().zip(sent).enumerate() {
        let flags = FdFlag::from_bits_retain(fcntl(&descriptor, FcntlArg::F_GETFD).unwrap());
        assert!(flags.contains(FdFlag::FD_CLOEXEC));
        drop(own);
        File::from(descriptor).write_all(&[number as u8]).unwrap();
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, [number as u8]);
    }
}

#[test]
fn descriptors_that_are_not_taken_are_closed() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let is_closed = |mut reader: File| assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    // With the next message that is received.
    receive(&pipe, &ours, State::new());
    let (writer, reader) = told();
    send(&theirs, b"x", &[&writer]);
    drop(writer);
    let (state, _) = one(&pipe);
    receive(&pipe, &ours, state);
    send(&theirs, b"y", &[]);
    let (mut state, _) = one(&pipe);
    is_closed(reader);
    assert!(state.message.take_descriptors().is_empty());
    // With the state.
    receive(&pipe, &ours, state);
    let (writer, reader) = told();
    send(&theirs, b"x", &[&writer]);
    drop(writer);
    let (state, _) = one(&pipe);
    drop(state);
    is_closed(reader);
    // With the pipe, unharvested.
    receive(&pipe, &ours, State::new());
    let (writer, reader) = told();
    send(&theirs, b"x", &[&writer]);
    drop(writer);
    drop(pipe);
    drop(ours);
    drop(theirs);
    is_closed(reader);
}

#[test]
fn descriptors_are_sent() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let sent: Vec<_> = (0..2).map(|_| told()).collect();
    let (writers, readers): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
    let mut state = State::new();
    state.message.set_descriptors(writers).unwrap();
    transmit(&pipe, &ours, state);
    let (state, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 12);
    drop(state);

    let mut bytes = [0; 16];
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let mut control = nix::cmsg_space!([i32; 4]);
    let received =
        recvmsg::<UnixAddr>(theirs.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()).unwrap();
    assert_eq!(received.bytes, 12);
    let messages: Vec<_> = received.cmsgs().unwrap().collect();
    let [ControlMessageOwned::ScmRights(numbers)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(numbers.len(), 2);
    for (number, mut reader) in numbers.iter().zip(readers) {
        nix::unistd::close(*number).unwrap();
        // That was the last that could write.
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn from_one_operation_to_another() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let (ours, theirs) = (pipe.attach(ours).unwrap(), pipe.attach(theirs).unwrap());
    let (writer, mut reader) = told();
    let mut state = State::new();
    state.message.set_descriptors([writer]).unwrap();
    receive(&pipe, &theirs, State::new());
    none(&pipe);
    transmit(&pipe, &ours, state);
    let (mut first, outcome) = one(&pipe);
    assert_eq!(outcome.count(), Some(12));
    let (mut second, outcome) = one(&pipe);
    assert_eq!(outcome.count(), Some(12));
    // One of the two is the one that has received.
    let mut received = first.message.take_descriptors();
    received.extend(second.message.take_descriptors());
    assert_eq!(received.len(), 1);
    drop((first, second));
    File::from(received.remove(0)).write_all(b"passed on").unwrap();
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"passed on");
}

#[test]
fn a_receive_that_fails_has_no_descriptors() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    receive(&pipe, &ours, State::new());
    let (writer, mut reader) = told();
    send(&theirs, b"x", &[&writer]);
    drop(writer);
    let (state, _) = one(&pipe);
    receive(&pipe, &ours, state);
    assert_eq!(ours.cancel(Cancel::Reads), 1);
    let (mut state, outcome) = one(&pipe);
    assert_eq!(errno(outcome), Some(Errno::ECANCELED as i32));
    assert!(state.message.take_descriptors().is_empty());
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_datagram_that_does_not_fit_says_so() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    receive(&pipe, &ours, State::new());
    theirs.send(b"longer than twelve").unwrap();
    let (state, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &state.head, &state.body), (Some(12), b"long", b"er than "));
    assert!(state.message.is_truncated());
    receive(&pipe, &ours, state);
    theirs.send(b"short").unwrap();
    let (state, outcome) = one(&pipe);
    assert_eq!(outcome.count(), Some(5));
    assert!(!state.message.is_truncated() && !state.message.has_lost_descriptors());
}

#[test]
fn more_descriptors_than_the_kernel_passes_are_refused() {
    let mut message = Message::<1>::new();
    let many = || (0..254).map(|_| OwnedFd::from(File::open("/dev/null").unwrap()));
    assert_eq!(message.set_descriptors(many()).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    message.set_descriptors(many().take(253)).unwrap();
}
