//! Files: reading and writing at an offset, syncing, and copying without a buffer.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::buffers::IoVecs;
use ioevent::{Attached, EventPipe, Io, Op};
use nix::errno::Errno;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use support::{Watchdog, errno, none, one, pair, several};

/// A file without a name, with this in it.
fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

#[test]
fn reads_go_on_where_the_last_has_ended() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(4).unwrap();
    let file = pipe.attach(file(b"abcdefgh")).unwrap();
    for _ in 0..4 {
        pipe.submit_on(&file, Op::new([0; 3]), |b| Io::read(b)).unwrap();
    }
    let all: Vec<_> = several(&pipe, 4).into_iter().map(|(b, outcome)| (*b, outcome.count())).collect();
    let expected = [(*b"abc", Some(3)), (*b"def", Some(3)), (*b"gh\0", Some(2)), (*b"\0\0\0", Some(0))];
    assert_eq!(all, expected);
}

#[test]
fn reads_and_writes_at_an_offset() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(16).unwrap();
    let file = pipe.attach(file(&[b'.'; 32])).unwrap();
    for number in 0..8_u8 {
        let op = Op::new((number, [b'a' + number; 2]));
        pipe.submit_on(&file, op, |(n, b)| Io::write_at(b, u64::from(*n) * 4)).unwrap();
    }
    assert!(several(&pipe, 8).iter().all(|(_, outcome)| outcome.count() == Some(2)));
    for number in 0..8_u8 {
        let op = Op::new((number, [0; 2]));
        pipe.submit_on(&file, op, |(n, b)| Io::read_at(b, u64::from(*n) * 4 + 1)).unwrap();
    }
    let mut seen = 0;
    for (op, outcome) in several(&pipe, 8) {
        assert_eq!((outcome.count(), op.1), (Some(2), [b'a' + op.0, b'.']));
        seen |= 1 << op.0;
    }
    assert_eq!(seen, 0xff);
    // The file's own offset is where it was.
    pipe.submit_on(&file, Op::new((0, [0; 2])), |(_, b)| Io::read(b)).unwrap();
    assert_eq!(one(&pipe).0.1, *b"aa");
}

#[test]
fn beyond_the_end_there_is_nothing() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let file = pipe.attach(file(b"abc")).unwrap();
    for (offset, count) in [(2, 1), (3, 0), (1 << 40, 0)] {
        pipe.submit_on(&file, Op::new([0; 8]), |b| Io::read_at(b, offset)).unwrap();
        assert_eq!(one(&pipe).1.count(), Some(count));
    }
}

/// Never taken for "the file's own", which -1 is in C.
#[test]
fn an_offset_that_no_file_has_is_an_error() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let file = pipe.attach(file(b"abc")).unwrap();
    for offset in [u64::MAX, i64::MAX as u64 + 1] {
        for write in [false, true] {
            let submitted = pipe.submit_on(&file, Op::new([9; 8]), |b| match write {
                true => Io::write_at(b, offset),
                false => Io::read_at(b, offset),
            });
            let (op, error) = match submitted {
                Ok(()) => {
                    let (op, outcome) = one(&pipe);
                    // A read may find nothing there.
                    if !write && outcome.count() == Some(0) {
                        continue;
                    }
                    (op, outcome.error().unwrap())
                }
                Err(refused) => {
                    let error = refused.error();
                    (refused.op, error)
                }
            };
            assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::FileTooLarge), "{error:?}");
            assert_eq!(*op, [9; 8]);
        }
    }
    let mut all = Vec::new();
    file.into_inner().read_to_end(&mut all).unwrap();
    assert_eq!(all, b"abc");
}

#[test]
fn vectors_at_an_offset() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let file = pipe.attach(file(b"0123456789")).unwrap();
    let state = (IoVecs::<2>::new(), [0; 2], [0; 3]);
    pipe.submit_on(&file, Op::new(state), |(v, a, b)| Io::read_vectored_at(v, [a, b], 4)).unwrap();
    let (state, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &state.1, &state.2), (Some(5), b"45", b"678"));
    pipe.submit_on(&file, state, |(v, a, b)| Io::write_vectored_at(v, [b, a], 1)).unwrap();
    assert_eq!(one(&pipe).1.count(), Some(5));
    let mut all = Vec::new();
    file.into_inner().read_to_end(&mut all).unwrap();
    assert_eq!(all, b"0678456789");
}

#[test]
fn a_write_is_there_when_it_was_synced() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(4).unwrap();
    let file = pipe.attach(file(b"")).unwrap();
    pipe.submit_on(&file, Op::new("write"), |_| Io::write(b"first ")).unwrap();
    pipe.submit_on(&file, Op::new("all"), |_| Io::sync_all()).unwrap();
    pipe.submit_on(&file, Op::new("write"), |_| Io::write(b"second")).unwrap();
    pipe.submit_on(&file, Op::new("data"), |_| Io::sync_data()).unwrap();
    for ((op, outcome), name) in several(&pipe, 4).into_iter().zip(["write", "all", "write", "data"]) {
        assert_eq!(*op, name);
        match name {
            "write" => assert_eq!(outcome.bytes().unwrap(), 6),
            _ => outcome.done().unwrap(),
        }
    }
    let mut file = file.into_inner();
    let mut all = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"first second");
}

#[test]
fn what_cannot_be_synced_says_so() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    for data in [false, true] {
        pipe.submit_on(&ours, Op::new(()), |()| if data { Io::sync_data() } else { Io::sync_all() }).unwrap();
        assert_eq!(errno(one(&pipe).1), Some(Errno::EINVAL as i32));
    }
}

#[test]
fn a_file_is_sent_to_a_socket() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let source = Op::new(file(b"0123456789"));
    pipe.submit_on(&ours, source, |f| Io::send_file((*f).as_fd(), 3, 4)).unwrap();
    let (source, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 4);
    // As far as there is anything.
    pipe.submit_on(&ours, source, |f| Io::send_file((*f).as_fd(), 8, 100)).unwrap();
    let (mut source, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 2);
    assert_eq!(source.stream_position().unwrap(), 0);
    drop(ours);
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"345689");
}

#[test]
fn a_file_is_sent_as_far_as_it_fits_at_a_time() {
    let _watchdog = Watchdog::new();
    const LENGTH: usize = 1 << 20;
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    let content: Vec<u8> = (0..LENGTH).map(|i| (i / 7) as u8).collect();
    let mut source = Op::new((file(&content), 0));
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).unwrap();
        all
    });
    while source.1 < LENGTH {
        pipe.submit_on(&ours, source, |(f, sent)| Io::send_file((*f).as_fd(), *sent as u64, LENGTH - *sent))
            .unwrap();
        let (op, outcome) = one(&pipe);
        source = op;
        source.1 += outcome.bytes().unwrap();
    }
    drop(ours);
    assert!(reader.join().unwrap() == content);
}

#[test]
fn a_splice_moves_what_is_there() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours: Attached<_> = pipe.attach(ours).unwrap();
    let (reader, writer) = nix::unistd::pipe().unwrap();
    let (reader, mut writer): (OwnedFd, File) = (reader, writer.into());
    // From a pipe to the attached socket.
    pipe.submit_on(&ours, Op::new(reader), |r| Io::splice((*r).as_fd(), 64)).unwrap();
    none(&pipe);
    writer.write_all(b"through").unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), 7);
    let mut received = [0; 7];
    theirs.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"through");
    // From the attached socket to a pipe.
    let (reader, writer) = nix::unistd::pipe().unwrap();
    pipe.submit_on(&ours, Op::new(writer), |w| Io::splice_to((*w).as_fd(), 4)).unwrap();
    none(&pipe);
    theirs.write_all(b"and back").unwrap();
    let (writer, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 4);
    drop(writer);
    let mut all = Vec::new();
    File::from(reader).read_to_end(&mut all).unwrap();
    assert_eq!(all, b"and ");
}

#[test]
fn errors_of_files_come_with_the_state() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let readable = pipe.attach(File::open("/dev/null").unwrap()).unwrap();
    pipe.submit_on(&readable, Op::new([3; 4]), |b| Io::write(b)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((*op, errno(outcome)), ([3; 4], Some(Errno::EBADF as i32)));
    let directory = pipe.attach(File::open("/").unwrap());
    if let Ok(directory) = directory {
        pipe.submit_on(&directory, op, |b| Io::read(b)).unwrap();
        assert_eq!(errno(one(&pipe).1), Some(Errno::EISDIR as i32));
    }
}
