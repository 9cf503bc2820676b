//! Reads and writes of streams: what is moved, in which order, and into what.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::buffers::IoVecs;
use ioevent::{Attached, EventPipe, Io, Op};
use nix::errno::Errno;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use support::{Watchdog, errno, none, one, pair, several};

struct Connection {
    stream: Attached<UnixStream>,
    buffer: [u8; 16],
}

#[test]
fn a_read_waits_for_what_comes() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let connection = Connection { stream: pipe.attach(ours).unwrap(), buffer: [0; 16] };
    pipe.submit(Op::new(connection), |c| c.stream.read(&mut c.buffer)).unwrap();
    none(&pipe);
    theirs.write_all(b"hello").unwrap();
    let (connection, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 5);
    assert_eq!(&connection.buffer[..5], b"hello");
    none(&pipe);
}

#[test]
fn a_read_finds_what_is_there() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    theirs.write_all(b"at once").unwrap();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 4]), |b| Io::read(b)).unwrap();
    let (buffer, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &*buffer), (Some(4), b"at o"));
}

#[test]
fn an_op_is_submitted_again_where_it_is() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let mut op = Op::new([0; 4]);
    let (id, address) = (Op::id(&op), op.as_ptr());
    for round in 0..100_u8 {
        pipe.submit_on(&ours, op, |b| Io::read(b)).unwrap();
        theirs.write_all(&[round; 4]).unwrap();
        let (again, outcome) = one(&pipe);
        assert_eq!((outcome.count(), *again), (Some(4), [round; 4]));
        assert_eq!((Op::id(&again), again.as_ptr()), (id, address));
        op = again;
    }
    assert_eq!(Op::into_inner(op), [99; 4]);
}

#[test]
fn the_end_is_zero_bytes() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 4]), |b| Io::read(b)).unwrap();
    drop(theirs);
    let (_, outcome) = one(&pipe);
    assert_eq!(outcome.count(), Some(0));
    assert!(outcome.error().is_none());
}

#[test]
fn a_read_without_room_moves_nothing() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 0]), |b| Io::read(b)).unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), 0);
}

#[test]
fn a_write_is_complete_when_all_was_taken() {
    let _watchdog = Watchdog::new();
    const LENGTH: usize = 4 << 20;
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let bytes: Vec<u8> = (0..LENGTH).map(|i| i as u8).collect();
    pipe.submit_on(&ours, Op::new(bytes), |b| Io::write(b)).unwrap();
    none(&pipe);
    let reader = thread::spawn(move || {
        let mut all = vec![0; LENGTH];
        theirs.read_exact(&mut all).unwrap();
        all
    });
    let (bytes, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), LENGTH);
    assert!(reader.join().unwrap() == *bytes);
}

#[test]
fn a_write_of_a_constant_needs_no_buffer() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(()), |()| Io::write(b"constant")).unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), 8);
    let mut received = [0; 8];
    theirs.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"constant");
}

#[test]
fn a_write_to_a_peer_that_is_gone_is_an_error_and_no_signal() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    drop(theirs);
    pipe.submit_on(&ours, Op::new(()), |()| Io::write(b"x")).unwrap();
    let (_, outcome) = one(&pipe);
    assert_eq!(outcome.count(), None);
    assert_eq!(errno(outcome), Some(Errno::EPIPE as i32));
}

/// Rule 2.5.
#[test]
fn reads_come_in_the_order_of_submission() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(100).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    for number in 0..100_u8 {
        pipe.submit_on(&ours, Op::new((number, [0])), |(_, b)| Io::read(b)).unwrap();
    }
    let all: Vec<u8> = (0..100).collect();
    theirs.write_all(&all).unwrap();
    for (at, (op, outcome)) in several(&pipe, 100).into_iter().enumerate() {
        assert_eq!((outcome.count(), usize::from(op.0), usize::from(op.1[0])), (Some(1), at, at));
    }
}

#[test]
fn writes_do_not_mix() {
    let _watchdog = Watchdog::new();
    const LENGTH: usize = 300_000;
    let pipe = EventPipe::new(4).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    for letter in b"abcd" {
        pipe.submit_on(&ours, Op::new(vec![*letter; LENGTH]), |b| Io::write(b)).unwrap();
    }
    let reader = thread::spawn(move || {
        let mut all = vec![0; 4 * LENGTH];
        theirs.read_exact(&mut all).unwrap();
        all
    });
    for (letter, (op, outcome)) in b"abcd".iter().zip(several(&pipe, 4)) {
        assert_eq!((op[0], outcome.count()), (*letter, Some(LENGTH)));
    }
    for (letter, part) in b"abcd".iter().zip(reader.join().unwrap().chunks(LENGTH)) {
        assert!(part.iter().all(|byte| byte == letter));
    }
}

#[test]
fn a_read_and_a_write_at_once_share_the_stream() {
    let _watchdog = Watchdog::new();
    enum Half {
        Read(Arc<Attached<UnixStream>>, [u8; 8]),
        Write(Arc<Attached<UnixStream>>),
    }
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = Arc::new(pipe.attach(ours).unwrap());
    for half in [Half::Read(Arc::clone(&ours), [0; 8]), Half::Write(ours)] {
        pipe.submit(Op::new(half), |half| match half {
            Half::Read(stream, buffer) => stream.read(buffer),
            Half::Write(stream) => stream.write(b"question"),
        })
        .unwrap();
    }
    let (written, outcome) = one(&pipe);
    assert!(matches!(*written, Half::Write(_)));
    assert_eq!(outcome.bytes().unwrap(), 8);
    drop(written);
    none(&pipe);
    theirs.write_all(b"answer").unwrap();
    let (read, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 6);
    assert!(matches!(&*read, Half::Read(_, bytes) if bytes == b"answer\0\0"));
    drop(read);
    // Both halves are gone, and the stream with them.
    let mut rest = Vec::new();
    theirs.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"question");
}

#[test]
fn a_vec_grows_by_what_was_read() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let mut input = Vec::with_capacity(64);
    input.extend_from_slice(b"head ");
    let room = input.capacity() - input.len();
    theirs.write_all(b"body").unwrap();
    pipe.submit_on(&ours, Op::new(input), |b| Io::read_spare(b)).unwrap();
    let (input, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &input[..]), (Some(4), &b"head body"[..]));
    // No more than there is room for.
    theirs.write_all(&[b'x'; 4096]).unwrap();
    pipe.submit_on(&ours, input, |b| Io::read_spare(b)).unwrap();
    let (input, outcome) = one(&pipe);
    assert_eq!(outcome.count(), Some(room - 4));
    assert_eq!(input.len(), input.capacity());
}

#[test]
fn a_vec_without_room_is_refused_lest_it_look_like_the_end() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    for full in [Vec::new(), b"full".to_vec().into_boxed_slice().into_vec()] {
        assert_eq!(full.len(), full.capacity());
        let length = full.len();
        let refused = pipe.submit_on(&ours, Op::new(full), |b| Io::read_spare(b)).unwrap_err();
        assert_eq!(refused.error().kind(), std::io::ErrorKind::InvalidInput);
        assert!(!refused.is_full());
        assert_eq!(refused.op.len(), length);
        // It is as good as before.
        pipe.post(refused.op, 1).unwrap();
        assert_eq!(one(&pipe).0.len(), length);
    }
}

#[test]
fn a_vec_keeps_its_length_when_the_read_ends_or_fails() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let mut input = Vec::with_capacity(64);
    input.push(1);
    pipe.submit_on(&ours, Op::new(input), |b| Io::read_spare(b)).unwrap();
    assert_eq!(ours.cancel(ioevent::Cancel::Reads), 1);
    let (input, outcome) = one(&pipe);
    assert_eq!((errno(outcome), &input[..]), (Some(Errno::ECANCELED as i32), &[1][..]));
    pipe.submit_on(&ours, input, |b| Io::read_spare(b)).unwrap();
    drop(theirs);
    let (input, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &input[..]), (Some(0), &[1][..]));
}

/// The hook of one operation is not run for the next of the same state.
#[test]
fn a_vec_grows_only_in_the_operation_that_it_was_shown_to() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    theirs.write_all(b"four").unwrap();
    pipe.submit_on(&ours, Op::new(Vec::with_capacity(64)), |b| Io::read_spare(b)).unwrap();
    let (input, _) = one(&pipe);
    assert_eq!(input.len(), 4);
    pipe.submit_on(&ours, input, |b| Io::write(b)).unwrap();
    let (input, outcome) = one(&pipe);
    assert_eq!((outcome.count(), input.len()), (Some(4), 4));
    theirs.write_all(b"five!").unwrap();
    pipe.submit_on(&ours, input, |b| Io::read(&mut b[..2])).unwrap();
    let (input, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &input[..]), (Some(2), &b"fiur"[..]));
}

#[test]
fn vectors_are_filled_one_after_the_other() {
    let _watchdog = Watchdog::new();
    struct Parts {
        vectors: IoVecs<3>,
        head: [u8; 2],
        body: Vec<u8>,
        tail: [u8; 4],
    }
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let parts = Parts { vectors: IoVecs::new(), head: [0; 2], body: vec![0; 3], tail: [0; 4] };
    pipe.submit_on(&ours, Op::new(parts), |p| {
        Io::read_vectored(&mut p.vectors, [&mut p.head, &mut p.body, &mut p.tail])
    })
    .unwrap();
    theirs.write_all(b"hhbbbtt").unwrap();
    let (parts, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 7);
    assert_eq!((&parts.head, &parts.body[..], &parts.tail), (b"hh", &b"bbb"[..], b"tt\0\0"));
    pipe.submit_on(&ours, parts, |p| Io::write_vectored(&mut p.vectors, [&p.tail, &p.head, &p.body]))
        .unwrap();
    let (_, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 9);
    let mut received = [0; 9];
    theirs.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"tt\0\0hhbbb");
}

#[test]
fn large_vectored_writes_are_complete_too() {
    let _watchdog = Watchdog::new();
    const LENGTH: usize = 1 << 20;
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let state = (IoVecs::<2>::new(), vec![1; LENGTH], vec![2; LENGTH]);
    pipe.submit_on(&ours, Op::new(state), |(v, a, b)| Io::write_vectored(v, [&a[..], &b[..]])).unwrap();
    none(&pipe);
    let reader = thread::spawn(move || {
        let mut all = vec![0; 2 * LENGTH];
        theirs.read_exact(&mut all).unwrap();
        all
    });
    assert_eq!(one(&pipe).1.bytes().unwrap(), 2 * LENGTH);
    let all = reader.join().unwrap();
    assert!(all[..LENGTH].iter().all(|b| *b == 1) && all[LENGTH..].iter().all(|b| *b == 2));
}
