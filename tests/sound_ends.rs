//! The end of a pipe in one thread, while others use what is attached to it: in time, handles outlive pipes in any
//! order.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/random.rs"]
mod random;
#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, timer};
use random::Random;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;
use tally::{Piece, Tally};

struct State {
    bytes: [u8; 8],
    _stream: Option<Arc<Attached<UnixStream>>>,
    _piece: Piece,
}

fn state(tally: &Tally, stream: Option<Arc<Attached<UnixStream>>>) -> Op<State> {
    Op::new(State { bytes: [0; 8], _stream: stream, _piece: tally.piece() })
}

#[test]
fn a_pipe_ends_while_other_threads_use_its_handles() {
    let test = test::begin();
    let mut random = Random::new(5);
    for round in 0..250 {
        let tally = Tally::default();
        let pipe = EventPipe::<State>::new(64).unwrap();
        let other = EventPipe::<State>::new(64).unwrap();
        let (streams, peers): (Vec<_>, Vec<_>) = (0..4)
            .map(|_| {
                let (ours, peer) = UnixStream::pair().unwrap();
                (Arc::new(pipe.attach(ours).unwrap()), peer)
            })
            .unzip();
        for (number, stream) in streams.iter().enumerate() {
            let held = (number % 2 == 0).then(|| stream.clone());
            pipe.submit_on(stream, state(&tally, held), |state| Io::read(&mut state.bytes)).unwrap();
            pipe.post(state(&tally, Some(stream.clone())), 1).unwrap();
        }
        pipe.submit(state(&tally, None), |_| timer(Duration::from_micros(20))).unwrap();
        let start = Barrier::new(4);
        let spin = random.below(300);
        thread::scope(|scope| {
            let (streams, peers, start, other, tally) = (&streams, &peers, &start, &other, &tally);
            scope.spawn(move || {
                start.wait();
                (0..spin).for_each(|_| std::hint::spin_loop());
                drop(pipe);
            });
            scope.spawn(move || {
                start.wait();
                peers.iter().for_each(|peer| { peer }.write_all(b"just now").unwrap());
                for stream in streams {
                    let op = state(tally, None);
                    // Another pipe's, or one that is gone: it is refused in any case.
                    drop(other.submit_on(stream, op, |state| Io::read(&mut state.bytes)).unwrap_err());
                }
            });
            scope.spawn(move || {
                start.wait();
                for stream in streams {
                    stream.cancel(Cancel::All);
                    let _gone = stream.set_timeout(Some(Duration::from_millis(1)));
                    let (again, _peer) = UnixStream::pair().unwrap();
                    drop(other.attach(again).unwrap());
                }
            });
            start.wait();
            // The last owner of a handle: the states in the pipe, or this thread.
            if round % 2 == 0 {
                let (ours, _peer) = UnixStream::pair().unwrap();
                drop(other.attach(ours).unwrap());
            }
        });
        drop(streams);
        assert_eq!(other.places_taken(), 0);
        tally.assert_each_was_dropped_once();
    }
    test.assert_no_descriptor_is_left();
}

#[test]
fn handles_are_dropped_in_one_thread_while_their_pipe_ends_in_another() {
    let test = test::begin();
    for round in 0..400 {
        let tally = Tally::default();
        let pipe = EventPipe::<State>::new(16).unwrap();
        let pairs: Vec<_> = (0..3)
            .map(|_| {
                let (ours, peer) = UnixStream::pair().unwrap();
                (pipe.attach(ours).unwrap(), peer)
            })
            .collect();
        for (ours, _) in &pairs {
            for _ in 0..2 {
                pipe.submit_on(ours, state(&tally, None), |state| Io::read(&mut state.bytes)).unwrap();
            }
        }
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                drop(pipe);
            });
            start.wait();
            (0..round % 50).for_each(|_| std::hint::spin_loop());
            for (ours, mut peer) in pairs {
                let _closed = peer.write_all(b"late");
                match round % 3 {
                    0 => drop(ours),
                    1 => drop(ours.into_inner()),
                    _ => drop((peer, ours)),
                }
            }
        });
        tally.assert_each_was_dropped_once();
    }
    test.assert_no_descriptor_is_left();
}

/// The library's threads may be at work for a pipe that ends: time limits, timers, and what is ready.
#[test]
fn pipes_end_while_something_happens_in_them() {
    let test = test::begin();
    let mut random = Random::new(11);
    for _ in 0..150 {
        let tally = Tally::default();
        let pipe = EventPipe::<State>::new(64).unwrap();
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let ours = pipe.attach(ours).unwrap();
        for _ in 0..8 {
            let time = Duration::from_micros(1 + random.below(200) as u64);
            pipe.submit(state(&tally, None), |_| timer(time)).unwrap();
            pipe.submit_on(&ours, state(&tally, None), |state| Io::read(&mut state.bytes).timeout(time))
                .unwrap();
        }
        assert_eq!(tally.alive(), 16);
        peer.write_all(&[7; 20]).unwrap();
        if random.below(2) == 0 {
            let time = Some(Duration::from_micros(random.below(200) as u64));
            pipe.wait(&mut Events::with_capacity(3), time).unwrap().for_each(drop);
        }
        drop(pipe);
        drop((ours, peer));
        tally.assert_each_was_dropped_once();
    }
    test.assert_no_descriptor_is_left();
}

#[test]
fn a_pipe_waits_for_what_the_disk_has_begun() {
    let test = test::begin();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ends-{}", std::process::id()));
    let file =
        std::fs::File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    for round in 0..30 {
        let tally = Tally::default();
        let pipe = EventPipe::<(Vec<u8>, Piece)>::new(16).unwrap();
        let attached = pipe.attach(file.try_clone().unwrap()).unwrap();
        for number in 0..8u64 {
            let op = Op::new((vec![number as u8 + 1; 1 << 16], tally.piece()));
            pipe.submit_on(&attached, op, |state| Io::write_at(&state.0, number << 16)).unwrap();
        }
        let op = Op::new((vec![0; 1 << 16], tally.piece()));
        pipe.submit_on(&attached, op, |state| Io::read_at(&mut state.0, 0)).unwrap();
        match round % 3 {
            0 => drop((attached, pipe)),
            1 => drop((pipe, attached)),
            _ => {
                let mut events = Events::with_capacity(3);
                pipe.wait(&mut events, None).unwrap();
                drop((pipe, events, attached));
            }
        }
        assert_eq!(tally.assert_each_was_dropped_once(), 9);
        // Whole or not at all, from memory that was there.
        let mut block = vec![0; 1 << 16];
        for number in 0..8u64 {
            use std::os::unix::fs::FileExt;
            let count = file.read_at(&mut block, number << 16).unwrap();
            let is_whole = block[..count].iter().all(|&byte| byte == number as u8 + 1);
            let is_nothing = block[..count].iter().all(|&byte| byte == 0);
            assert!(is_whole || is_nothing, "block {number} of round {round}");
        }
        file.set_len(0).unwrap();
    }
    drop(file);
    test.assert_no_descriptor_is_left();
}
