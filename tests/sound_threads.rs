//! One pipe and many threads: states move, each event comes once, handles are dropped while others use them.

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
use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;
use tally::{Piece, Tally};

const THREADS: usize = 4;

/// May go from thread to thread, and may not be shared: which thread has it counts without a lock.
struct State {
    uses: Cell<usize>,
    in_use: Cell<bool>,
    bytes: [u8; 16],
    _piece: Piece,
}

impl State {
    fn new(tally: &Tally) -> Op<State> {
        let (uses, in_use) = (Cell::new(0), Cell::new(false));
        Op::new(State { uses, in_use, bytes: [0; 16], _piece: tally.piece() })
    }

    /// Would miscount, or be found in use, if two threads had it.
    fn use_it(&self) {
        assert!(!self.in_use.replace(true));
        self.uses.set(self.uses.get() + 1);
        self.in_use.set(false);
    }
}

#[test]
fn states_go_round() {
    const STATES: usize = 64;
    const ROUNDS: usize = 400;
    let _test = test::begin();
    let tally = Tally::default();
    // States that are Send and not Sync make a pipe that is both.
    let pipe = EventPipe::<State>::new(STATES + 1).unwrap();
    let done = AtomicUsize::new(0);
    let finished = Mutex::new(Vec::new());
    let (pipe, done, finished) = (&pipe, &done, &finished);
    let work = |thread: u64| {
        let mut random = Random::new(thread);
        let mut events = Events::with_capacity(5);
        while done.load(SeqCst) < STATES {
            for event in pipe.wait(&mut events, None).unwrap() {
                let (state, outcome) = event.into_parts();
                outcome.done().unwrap();
                state.use_it();
                if state.uses.get() == ROUNDS {
                    finished.lock().unwrap().push(state);
                    if done.fetch_add(1, SeqCst) + 1 == STATES {
                        // For those that wait.
                        pipe.submit(State::new(&tally), |_| timer(Duration::from_nanos(1))).unwrap();
                    }
                } else if done.load(SeqCst) == STATES {
                    // The last event goes from thread to thread.
                    pipe.post(state, 0).unwrap();
                    return;
                } else if random.below(2) == 0 {
                    pipe.post(state, 0).unwrap();
                } else {
                    pipe.submit(state, |_| timer(Duration::from_nanos(1))).unwrap();
                }
            }
        }
    };
    thread::scope(|scope| {
        let work = &work;
        (1..=THREADS as u64).for_each(|thread| drop(scope.spawn(move || work(thread))));
        (0..STATES).for_each(|_| pipe.post(State::new(&tally), 0).unwrap());
    });
    let finished = std::mem::take(&mut *finished.lock().unwrap());
    assert_eq!(finished.len(), STATES);
    assert!(finished.iter().all(|state| state.uses.get() == ROUNDS));
    assert!(pipe.places_taken() <= 1 && tally.alive() == STATES + 1);
}

#[test]
fn each_byte_is_read_once() {
    const LINES: usize = 8;
    const BYTES: usize = 20_000;
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = EventPipe::<(usize, State)>::new(64).unwrap();
    let (lines, peers): (Vec<_>, Vec<_>) = (0..LINES)
        .map(|_| {
            let (ours, peer) = UnixStream::pair().unwrap();
            (pipe.attach(ours).unwrap(), peer)
        })
        .unzip();
    let read = Mutex::new([0usize; LINES]);
    let sums = Mutex::new([0usize; LINES]);
    let ended = AtomicUsize::new(0);
    let work = || {
        let mut events = Events::with_capacity(3);
        while ended.load(SeqCst) < LINES {
            for event in pipe.wait(&mut events, Some(Duration::from_millis(50))).unwrap() {
                let (state, outcome) = event.into_parts();
                let (line, count) = (state.0, outcome.bytes().unwrap());
                state.1.use_it();
                if count == 0 {
                    ended.fetch_add(1, SeqCst);
                    continue;
                }
                read.lock().unwrap()[line] += count;
                sums.lock().unwrap()[line] +=
                    state.1.bytes[..count].iter().map(|&b| usize::from(b)).sum::<usize>();
                pipe.submit_on(&lines[line], state, |state| Io::read(&mut state.1.bytes)).unwrap();
            }
        }
    };
    let mut expected = [0usize; LINES];
    thread::scope(|scope| {
        (0..THREADS).for_each(|_| drop(scope.spawn(work)));
        for (line, ours) in lines.iter().enumerate() {
            let op = Op::new((line, Op::into_inner(State::new(&tally))));
            pipe.submit_on(ours, op, |state| Io::read(&mut state.1.bytes)).unwrap();
        }
        let mut random = Random::new(9);
        for sent in 0..BYTES {
            let line = sent % LINES;
            let byte = random.below(256) as u8;
            expected[line] += usize::from(byte);
            { &peers[line] }.write_all(&[byte]).unwrap();
        }
        drop(peers);
    });
    assert_eq!(*read.lock().unwrap(), [BYTES / LINES; LINES]);
    assert_eq!(*sums.lock().unwrap(), expected);
    assert_eq!(pipe.places_taken(), 0);
    tally.assert_each_was_dropped_once();
}

#[test]
fn a_handle_is_dropped_while_another_thread_submits_on_it() {
    let test = test::begin();
    let pipe = EventPipe::<State>::new(256).unwrap();
    for round in 0..300 {
        let tally = Tally::default();
        let (ours, peer) = UnixStream::pair().unwrap();
        let handle = Arc::new(pipe.attach(ours).unwrap());
        let (start, accepted) = (Barrier::new(3), AtomicUsize::new(0));
        let submit = |handle: Arc<Attached<UnixStream>>| {
            start.wait();
            for _ in 0..1 + round % 7 {
                let op = State::new(&tally);
                pipe.submit_on(&handle, op, |state| Io::read(&mut state.bytes)).unwrap();
                accepted.fetch_add(1, SeqCst);
            }
            // The last of them detaches it, and closes it.
            drop(handle);
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                let (handle, submit) = (handle.clone(), &submit);
                scope.spawn(move || submit(handle));
            }
            start.wait();
            if round % 2 == 0 {
                handle.cancel(Cancel::Reads);
            }
            drop(handle);
        });
        assert_eq!({ &peer }.read(&mut [0]).unwrap(), 0, "it is closed");
        let mut events = Events::with_capacity(16);
        let mut count = 0;
        while count < accepted.load(SeqCst) {
            for event in pipe.wait(&mut events, None).unwrap() {
                let error = event.into_parts().1.error().unwrap();
                assert!(ioevent::is_cancelled(&error), "{error}");
                count += 1;
            }
        }
        assert_eq!(pipe.places_taken(), 0);
        tally.assert_each_was_dropped_once();
    }
    drop(pipe);
    test.assert_no_descriptor_is_left();
}

#[test]
fn descriptors_are_attached_and_detached_in_all_threads() {
    let test = test::begin();
    let tally = Tally::default();
    // Two pipes with states of different types, and numbers that are used again and again.
    let pipe = EventPipe::<State>::new(64).unwrap();
    let other = EventPipe::<[u8; 3]>::new(64).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (pipe, other, tally) = (&pipe, &other, &tally);
            scope.spawn(move || {
                let mut random = Random::new(thread as u64 + 1);
                let (mut events, mut others) = (Events::with_capacity(8), Events::with_capacity(8));
                for _ in 0..400 {
                    let (a, mut b) = UnixStream::pair().unwrap();
                    if random.below(2) == 0 {
                        let a = pipe.attach(a).unwrap();
                        let _ = pipe.submit_on(&a, State::new(tally), |state| Io::read(&mut state.bytes));
                        b.write_all(b"typed").unwrap();
                    } else {
                        let a = other.attach(a).unwrap();
                        let _ = other.submit_on(&a, Op::new([0; 3]), |bytes| Io::read(bytes));
                        b.write_all(b"abc").unwrap();
                    }
                    for event in pipe.try_wait(&mut events).unwrap() {
                        let (state, outcome) = event.into_parts();
                        state.use_it();
                        assert!(outcome.count().is_none_or(|_| state.bytes.starts_with(b"typed")));
                    }
                    for event in other.try_wait(&mut others).unwrap() {
                        let (bytes, outcome) = event.into_parts();
                        assert!(outcome.count().is_none_or(|_| &*bytes == b"abc"));
                    }
                }
            });
        }
    });
    drop((pipe, other));
    tally.assert_each_was_dropped_once();
    test.assert_no_descriptor_is_left();
}

#[test]
fn a_pipe_goes_to_another_thread_and_ends_there() {
    let _test = test::begin();
    let tally = Tally::default();
    for _ in 0..50 {
        let pipe = EventPipe::<State>::new(8).unwrap();
        let (ours, _peer) = UnixStream::pair().unwrap();
        let ours = pipe.attach(ours).unwrap();
        pipe.submit_on(&ours, State::new(&tally), |state| Io::read(&mut state.bytes)).unwrap();
        pipe.post(State::new(&tally), 1).unwrap();
        let events = Events::with_capacity(4);
        let moved = thread::spawn(move || {
            let mut events = events;
            assert_eq!(pipe.wait(&mut events, None).unwrap().len(), 1);
            pipe.post(events.next().unwrap().into_parts().0, 2).unwrap();
            (pipe, events)
        });
        let (pipe, events) = moved.join().unwrap();
        thread::spawn(move || drop((ours, pipe, events))).join().unwrap();
    }
    assert_eq!(tally.assert_each_was_dropped_once(), 100);
}

#[test]
fn a_thread_that_ends_leaves_its_operations_to_the_others() {
    let _test = test::begin();
    let tally = Tally::default();
    let pipe = EventPipe::<State>::new(64).unwrap();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            pipe.submit_on(&ours, State::new(&tally), |state| Io::read(&mut state.bytes)).unwrap();
            pipe.post(State::new(&tally), 1).unwrap();
            pipe.submit(State::new(&tally), |_| timer(Duration::from_millis(2))).unwrap();
            // And its own harvest is not looked at.
            let mut events = Events::with_capacity(1);
            pipe.wait(&mut events, None).unwrap();
        });
    });
    peer.write_all(b"from one that is gone").unwrap();
    let mut events = Events::with_capacity(1);
    let got: usize = (0..2).map(|_| pipe.wait(&mut events, None).unwrap().count()).sum();
    assert_eq!((got, pipe.places_taken()), (2, 0));
    tally.assert_each_was_dropped_once();
}

#[test]
fn cancels_race_with_completions() {
    let _test = test::begin();
    let pipe = EventPipe::<[u8; 1]>::new(8).unwrap();
    let (ours, peer) = UnixStream::pair().unwrap();
    let (ours, over) = (pipe.attach(ours).unwrap(), AtomicBool::new(false));
    let ended = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(SeqCst) {
                ended.fetch_add(ours.cancel(Cancel::Reads), SeqCst);
            }
        });
        let (mut events, mut next, mut cancelled) = (Events::with_capacity(1), 0u8, 0);
        { &peer }.write_all(&[0]).unwrap();
        while next < 200 {
            pipe.submit_on(&ours, Op::new([0]), |byte| Io::read(byte)).unwrap();
            let (byte, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
            match outcome.count() {
                Some(count) => {
                    // None is lost and none comes twice.
                    assert_eq!((count, *byte), (1, [next]));
                    next += 1;
                    { &peer }.write_all(&[next]).unwrap();
                }
                None => cancelled += 1,
            }
        }
        over.store(true, SeqCst);
        // Each that was ended counts once: for the thread that ended it, and here.
        while ended.load(SeqCst) != cancelled {
            thread::yield_now();
        }
    });
}
