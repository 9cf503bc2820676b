//! The C functions of the same process and what Rust attached or made: neither sees the other's. A C event in a typed
//! pipe would be a state that was never made.

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/c.rs"]
#[allow(unsafe_code)]
mod c;
#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, EventPipe, Events, Io, Op, timer};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const EBADF: i32 = libc::EBADF;
const EINVAL: i32 = libc::EINVAL;

type Pipe = EventPipe<[u8; 16]>;

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

/// What reads as it should reads this.
fn assert_reads(pipe: &Pipe, ours: &Attached<UnixStream>, mut peer: &UnixStream) {
    pipe.submit_on(ours, Op::new([0; 16]), |bytes| Io::read(bytes)).unwrap();
    peer.write_all(b"as it should").unwrap();
    let mut events = Events::with_capacity(4);
    let (bytes, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(&bytes[..outcome.bytes().unwrap()], b"as it should");
    assert_eq!((events.len(), pipe.places_taken()), (0, 0));
}

#[test]
fn to_c_it_is_not_attached() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let (ours, peer) = pair();
    let ours = pipe.attach(ours).unwrap();
    let fd = ours.as_fd().as_raw_fd();
    // Before, and while an operation is outstanding.
    for _ in 0..2 {
        assert_eq!(c::attached_to(fd), Ok((-1, 0)));
        assert_eq!(c::cancel(fd), Err(EINVAL));
        assert_eq!(c::detach(fd), Ok(0));
        assert_eq!(c::timeout(fd), Err(EINVAL));
        assert_eq!(c::flags(fd), Err(EINVAL));
        assert_eq!(c::set_flags(fd, 1), Err(EINVAL));
        pipe.submit(Op::new([0; 16]), |_| timer(Duration::from_secs(3600))).unwrap();
    }
    assert_eq!(pipe.places_taken(), 2);
    // The C function is read(2).
    ours.get_ref().set_nonblocking(true).unwrap();
    assert_eq!(c::read(fd, &mut [0; 8]), Err(libc::EAGAIN));
    { &peer }.write_all(b"plain").unwrap();
    let mut bytes = [0; 8];
    assert_eq!(c::read(fd, &mut bytes), Ok(5));
    assert_eq!(&bytes[..5], b"plain");
    assert_eq!(c::write(fd, b"back"), Ok(4));
    assert_eq!({ &peer }.read(&mut bytes).unwrap(), 4);
    assert_eq!(pipe.places_taken(), 2, "no event came of it");
    assert_eq!(pipe.try_wait(&mut Events::with_capacity(4)).unwrap().count(), 0);
}

#[test]
fn c_does_not_cancel_what_rust_queued() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let (ours, mut peer) = pair();
    let ours = pipe.attach(ours).unwrap();
    let fd = ours.as_fd().as_raw_fd();
    pipe.submit_on(&ours, Op::new([0; 16]), |bytes| Io::read(bytes)).unwrap();
    assert_eq!(c::cancel(fd), Err(EINVAL));
    assert_eq!(c::detach(fd), Ok(0));
    assert_eq!(c::cancel(pipe.as_raw_fd()), Err(EINVAL));
    assert_eq!(pipe.try_wait(&mut Events::with_capacity(4)).unwrap().count(), 0);
    peer.write_all(b"still here").unwrap();
    let mut events = Events::with_capacity(4);
    let (bytes, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(&bytes[..outcome.bytes().unwrap()], b"still here");
}

#[test]
fn c_cannot_attach_what_rust_has_attached() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let c_pipe = c::Pipe::new();
    let (ours, peer) = pair();
    let ours = pipe.attach(ours).unwrap();
    let fd = ours.as_fd().as_raw_fd();
    assert_eq!(c::attach(fd, c_pipe.0, 16), Err(libc::EEXIST));
    assert_reads(&pipe, &ours, &peer);
    assert_eq!(c::attached_to(fd), Ok((-1, 0)));
    // Nor when the typed pipe is gone: the number is the handle's.
    drop(pipe);
    assert_eq!(c::attach(fd, c_pipe.0, 16), Err(libc::EEXIST));
    // The handle has given it up.
    let ours = ours.into_inner();
    assert_eq!(c::attach(fd, c_pipe.0, 16), Ok(0));
    assert_eq!(c::attached_to(fd), Ok((c_pipe.0, 16)));
    assert_eq!(c::read(fd, &mut [0; 4]), Err(ioevent_queued()));
    assert_eq!(c::detach(fd), Ok(0));
    assert_eq!(c_pipe.wait(), Ok(vec![(16, -1, libc::ECANCELED)]));
    drop(ours);
}

/// EIOEVENTQUEUED, which is no part of the Rust interface.
fn ioevent_queued() -> i32 {
    ioevent::EIOEVENTFULL + 1
}

#[test]
fn rust_cannot_attach_what_c_has_attached() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let c_pipe = c::Pipe::new();
    let (ours, mut peer) = pair();
    let fd = ours.as_raw_fd();
    assert_eq!(c::attach(fd, c_pipe.0, 32), Ok(0));
    let mut bytes = [0; 8];
    assert_eq!(c::read(fd, &mut bytes), Err(ioevent_queued()));
    let not = pipe.attach(ours).unwrap_err();
    assert_eq!(not.error().kind(), ErrorKind::AlreadyExists);
    // C's is as it was: attached, with its operation.
    assert_eq!(c::attached_to(fd), Ok((c_pipe.0, 32)));
    peer.write_all(b"for C").unwrap();
    assert_eq!(c_pipe.wait(), Ok(vec![(32, 5, 0)]));
    assert_eq!(&bytes[..5], b"for C");
    assert_eq!(c::detach(fd), Ok(0));
    let ours = pipe.attach(not.source).unwrap();
    assert_reads(&pipe, &ours, &peer);
    drop(ours.into_inner());
}

#[test]
fn a_number_goes_from_one_to_the_other_again_and_again() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let c_pipe = c::Pipe::new();
    let (mut ours, peer) = pair();
    let fd = ours.as_raw_fd();
    for round in 0..50 {
        assert_eq!(c::attach(fd, c_pipe.0, 48), Ok(0));
        assert_eq!(c::write(fd, b"x"), Err(ioevent_queued()));
        assert_eq!(c::detach(fd), Ok(0));
        assert_eq!({ &peer }.read(&mut [0; 4]).unwrap(), 1);
        let attached = pipe.attach(ours).unwrap();
        assert_reads(&pipe, &attached, &peer);
        if round % 2 == 0 {
            pipe.submit_on(&attached, Op::new([0; 16]), |bytes| Io::read(bytes)).unwrap();
        }
        ours = attached.into_inner();
        assert_eq!(c_pipe.wait().unwrap(), [(48, 1, 0)], "an event of C's own");
        assert_eq!(
            pipe.wait(&mut Events::with_capacity(4), Some(Duration::ZERO)).unwrap().count(),
            1 - round % 2
        );
    }
}

#[test]
fn to_c_it_is_no_pipe() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    pipe.post(Op::new([1; 16]), 1).unwrap();
    let (other, _peer) = pair();
    for number in [pipe.as_raw_fd(), pipe.as_fd().as_raw_fd()] {
        assert_eq!(c::capacity(number), Err(EINVAL));
        assert_eq!(c::set_capacity(number, 1), Err(EINVAL));
        assert_eq!(c::places_taken(number), Err(EINVAL));
        assert_eq!(c::attach(other.as_raw_fd(), number, 16), Err(EINVAL));
        assert_eq!(c::wait(number), Err(EINVAL));
        assert_eq!(c::cancel(number), Err(EINVAL));
        // As of any such descriptor: no event is read, and none is posted.
        assert!(c::read(number, &mut [0; 64]).is_err());
        assert!(c::write(number, &[0x10; 64]).is_err());
        assert_eq!(c::attached_to(number), Ok((-1, 0)));
    }
    let mut events = Events::with_capacity(4);
    assert_eq!(*pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts().0, [1; 16]);
    assert_eq!((events.len(), pipe.places_taken()), (0, 0));
}

#[test]
fn the_descriptors_behind_a_typed_pipe_are_no_pipes_either() {
    let test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let (other, _peer) = pair();
    pipe.post(Op::new([1; 16]), 1).unwrap();
    let new: Vec<RawFd> =
        test::descriptors().into_keys().filter(|number| !test.before.contains_key(number)).collect();
    assert!(new.contains(&pipe.as_raw_fd()));
    for number in new.into_iter().filter(|number| *number != other.as_raw_fd()) {
        assert_eq!(c::wait(number), Err(EINVAL), "{number}");
        assert_eq!(c::capacity(number), Err(EINVAL), "{number}");
        assert_eq!(c::attach(other.as_raw_fd(), number, 16), Err(EINVAL), "{number}");
    }
    assert_eq!(pipe.places_taken(), 1);
}

#[test]
fn a_pipe_of_c_s_cannot_be_attached() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let c_pipe = c::Pipe::new();
    let not = pipe.attach(c_pipe.owned()).unwrap_err();
    assert_eq!(not.error().kind(), ErrorKind::InvalidInput);
    let same: OwnedFd = not.source;
    assert_eq!(c::capacity(same.as_raw_fd()), Ok(16));
    c_pipe.is_owned_by(same);
    assert_eq!(c::capacity(pipe.as_raw_fd()), Err(EINVAL));
}

#[test]
fn what_c_closes_is_what_c_has() {
    let _test = test::begin();
    let pipe = Pipe::new(8).unwrap();
    let c_pipe = c::Pipe::new();
    let (ours, peer) = pair();
    let ours = pipe.attach(ours).unwrap();
    let (theirs, _their_peer) = pair();
    let fd = theirs.as_raw_fd();
    assert_eq!(c::attach(fd, c_pipe.0, 64), Ok(0));
    pipe.submit_on(&ours, Op::new([0; 16]), |bytes| Io::read(bytes)).unwrap();
    // A pipe of C's ends; that of Rust does not.
    drop(c_pipe);
    assert_eq!(c::attached_to(fd), Ok((-1, 0)));
    assert_eq!(pipe.places_taken(), 1);
    { &peer }.write_all(b"on").unwrap();
    assert_eq!(pipe.wait(&mut Events::with_capacity(4), None).unwrap().count(), 1);
    // And the reverse.
    let c_pipe = c::Pipe::new();
    assert_eq!(c::attach(fd, c_pipe.0, 64), Ok(0));
    let mut bytes = [0; 4];
    assert_eq!(c::read(fd, &mut bytes), Err(ioevent_queued()));
    drop(pipe);
    assert_eq!(c::attached_to(fd), Ok((c_pipe.0, 64)));
    assert_eq!(c::cancel(fd), Ok(1));
    assert_eq!(c_pipe.wait(), Ok(vec![(64, -1, libc::ECANCELED)]));
    assert_eq!(c::close_nothing(), Err(EBADF));
}
