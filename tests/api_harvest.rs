//! Harvesting: what a wait gives, when it ends, and who gets what (rules 3.2 to 3.6).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{EventPipe, Events, Io, Op, timer};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use support::{Watchdog, none, one, pair};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(30);

/// The values of the events that are left.
fn values<T>(events: &mut Events<T>) -> Vec<usize> {
    events.map(|event| event.into_parts().1.count().unwrap()).collect()
}

fn pipe_with(posted: u32) -> EventPipe<()> {
    let pipe = EventPipe::new(1000).unwrap();
    for value in 0..posted {
        pipe.post(Op::new(()), value).unwrap();
    }
    pipe
}

#[test]
fn a_wait_gives_as_many_as_there_are_and_fit() {
    let pipe = pipe_with(7);
    let mut events = Events::with_capacity(3);
    assert_eq!(events.len(), 0);
    for expected in [&[0, 1, 2][..], &[3, 4, 5], &[6], &[]] {
        let events = pipe.try_wait(&mut events).unwrap();
        assert_eq!(events.len(), expected.len());
        assert_eq!(values(events), expected);
        assert!(events.next().is_none());
    }
}

#[test]
fn room_for_none_is_room_for_one() {
    let pipe = pipe_with(2);
    let mut events = Events::with_capacity(0);
    for value in 0..2 {
        assert_eq!(values(pipe.wait(&mut events, None).unwrap()), [value]);
    }
}

/// What a `break` has left comes first, and alone.
#[test]
fn events_that_were_left_come_first() {
    let pipe = pipe_with(4);
    let mut events = Events::with_capacity(4);
    for event in pipe.wait(&mut events, None).unwrap() {
        if event.into_parts().1.count() == Some(1) {
            break;
        }
    }
    assert_eq!(events.len(), 2);
    pipe.post(Op::new(()), 9).unwrap();
    assert_eq!(values(pipe.wait(&mut events, Some(LONG)).unwrap()), [2, 3]);
    assert_eq!(values(pipe.wait(&mut events, None).unwrap()), [9]);
    none(&pipe);
}

#[test]
fn events_that_were_left_are_dropped_with_their_room() {
    let pipe = EventPipe::new(4).unwrap();
    let counted = Arc::new(());
    for value in 0..4 {
        pipe.post(Op::new(Arc::clone(&counted)), value).unwrap();
    }
    let mut events = Events::with_capacity(4);
    pipe.wait(&mut events, None).unwrap().next();
    assert_eq!(Arc::strong_count(&counted), 4);
    drop(events);
    assert_eq!(Arc::strong_count(&counted), 1);
    assert_eq!(pipe.places_taken(), 0);
}

/// They are the program's, not the pipe's.
#[test]
fn events_outlive_their_pipe() {
    let pipe = EventPipe::new(4).unwrap();
    pipe.post(Op::new("state"), 5).unwrap();
    let mut events = Events::with_capacity(4);
    pipe.wait(&mut events, None).unwrap();
    drop(pipe);
    let (op, outcome) = events.next().unwrap().into_parts();
    assert_eq!((*op, outcome.count()), ("state", Some(5)));
}

#[test]
fn a_wait_without_events_ends_when_its_time_is_over() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 1]), |b| Io::read(b)).unwrap();
    let mut events = Events::with_capacity(1);
    let begun = Instant::now();
    assert_eq!(pipe.wait(&mut events, Some(SHORT)).unwrap().count(), 0);
    assert!(begun.elapsed() >= SHORT);
    assert_eq!(pipe.wait(&mut events, Some(Duration::ZERO)).unwrap().count(), 0);
    assert_eq!(pipe.wait(&mut events, Some(Duration::from_nanos(1))).unwrap().count(), 0);
    assert_eq!(pipe.places_taken(), 1);
}

#[test]
fn a_wait_for_the_longest_time_is_for_ever() {
    let _watchdog = Watchdog::new();
    let pipe = pipe_with(0);
    thread::scope(|scope| {
        for time in [None, Some(Duration::MAX), Some(Duration::from_secs(u64::MAX)), Some(LONG)] {
            let (begun, begins) = channel();
            let pipe = &pipe;
            let waiter = scope.spawn(move || {
                begun.send(()).unwrap();
                values(pipe.wait(&mut Events::with_capacity(1), time).unwrap())
            });
            begins.recv().unwrap();
            pipe.post(Op::new(()), 8).unwrap();
            assert_eq!(waiter.join().unwrap(), [8]);
        }
    });
}

#[test]
fn a_try_finds_what_is_ready_now() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(100).unwrap();
    let streams: Vec<_> = (0..50).map(|_| pair()).collect();
    let mut theirs = Vec::new();
    let mut ours = Vec::new();
    for (number, (one, other)) in streams.into_iter().enumerate() {
        let one = pipe.attach(one).unwrap();
        pipe.submit_on(&one, Op::new((number, [0; 1])), |(_, b)| Io::read(b)).unwrap();
        ours.push(one);
        theirs.push(other);
    }
    none(&pipe);
    for other in &mut theirs {
        other.write_all(b"x").unwrap();
    }
    let mut events = Events::with_capacity(100);
    let mut found: Vec<_> = pipe.try_wait(&mut events).unwrap().map(|event| event.op().0).collect();
    // In the order in which they became ready (rule 3.5).
    assert_eq!(found, (0..50).collect::<Vec<_>>());
    found.clear();
    none(&pipe);
}

#[test]
fn timers_come_in_order_of_time_and_never_early() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(100).unwrap();
    let begun = Instant::now();
    for number in [5_u64, 1, 4, 2, 3] {
        let time = Duration::from_millis(10 * number);
        pipe.submit(Op::new(time), |time| timer(*time)).unwrap();
    }
    pipe.submit(Op::new(LONG), |time| timer(*time)).unwrap();
    for number in 1..=5 {
        let (time, outcome) = one(&pipe);
        assert!(begun.elapsed() >= *time);
        assert_eq!((*time, outcome.count()), (Duration::from_millis(10 * number), Some(0)));
    }
    none(&pipe);
    assert_eq!(pipe.places_taken(), 1);
}

#[test]
fn each_event_goes_to_one_thread() {
    let _watchdog = Watchdog::new();
    const EVENTS: u32 = 3000;
    const THREADS: usize = 3;
    /// The event that ends a thread, posted once for each.
    const STOP: u32 = u32::MAX;
    let pipe = EventPipe::new(EVENTS as usize + THREADS).unwrap();
    let seen: Vec<_> = (0..EVENTS).map(|_| AtomicUsize::new(0)).collect();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // One at a time: a batch may hold the end of another thread.
                let mut events = Events::with_capacity(1);
                loop {
                    let event = pipe.wait(&mut events, None).unwrap().next().unwrap();
                    let (op, outcome) = event.into_parts();
                    assert_eq!(outcome.count(), Some(*op as usize));
                    if *op == STOP {
                        break;
                    }
                    seen[*op as usize].fetch_add(1, SeqCst);
                }
            });
        }
        for value in (0..EVENTS).chain([STOP; THREADS]) {
            pipe.post(Op::new(value), value).unwrap();
        }
    });
    none(&pipe);
    assert!(seen.iter().all(|count| count.load(SeqCst) == 1));
}

/// A thread that waits, and is interrupted all the time.
struct Interrupted {
    caught: Arc<AtomicBool>,
    over: AtomicBool,
}

impl Interrupted {
    fn new() -> Interrupted {
        let caught = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(Signal::SIGUSR1 as i32, Arc::clone(&caught)).unwrap();
        Interrupted { caught, over: AtomicBool::new(false) }
    }

    /// Calls `wait` in a thread, and meanwhile `interruptions` times has a signal handled there, then calls `then`.
    /// (Until the thread has ended it goes on, if it must.)
    fn run<R: Send>(&self, interruptions: usize, wait: impl FnOnce() -> R + Send, then: impl FnOnce()) -> R {
        let (begun, begins) = channel();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let begun = begun;
                begun.send(pthread_self()).unwrap();
                let result = wait();
                self.over.store(true, SeqCst);
                result
            });
            let thread = begins.recv().unwrap();
            let mut count = 0;
            // The thread is not joined, so it can be sent signals even when it is over.
            while count < interruptions && !self.over.load(SeqCst) {
                self.caught.store(false, SeqCst);
                pthread_kill(thread, Signal::SIGUSR1).unwrap();
                while !self.caught.load(SeqCst) && !self.over.load(SeqCst) {
                    thread::yield_now();
                }
                count += 1;
            }
            then();
            waiter.join().unwrap()
        })
    }
}

#[test]
fn a_signal_does_not_end_a_wait() {
    let _watchdog = Watchdog::new();
    let pipe = pipe_with(0);
    let interrupted = Interrupted::new();
    let wait = || values(pipe.wait(&mut Events::with_capacity(4), None).unwrap());
    let found = interrupted.run(200, wait, || pipe.post(Op::new(()), 3).unwrap());
    assert_eq!(found, [3]);
}

/// Nor does it make the wait begin anew.
#[test]
fn a_signal_does_not_prolong_a_wait() {
    let _watchdog = Watchdog::new();
    let pipe = pipe_with(0);
    let interrupted = Interrupted::new();
    let time = Duration::from_millis(200);
    let wait = || {
        let begun = Instant::now();
        let found = pipe.wait(&mut Events::with_capacity(4), Some(time)).unwrap().count();
        (found, begun.elapsed())
    };
    let (found, elapsed) = interrupted.run(usize::MAX, wait, || {});
    assert_eq!(found, 0);
    assert!(elapsed >= time, "{elapsed:?}");
}

/// Rule 2.7: what waits goes on though no thread harvests.
#[test]
fn operations_make_progress_by_themselves() {
    let _watchdog = Watchdog::new();
    const LENGTH: usize = 1 << 20;
    let pipe = EventPipe::new(1).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(vec![7; LENGTH]), |b| Io::write(b)).unwrap();
    theirs.read_exact(&mut vec![0; LENGTH]).unwrap();
    assert_eq!(one(&pipe).1.count(), Some(LENGTH));
}

fn is_readable(pipe: &EventPipe<[u8; 1]>, timeout: PollTimeout) -> bool {
    poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], timeout).unwrap() == 1
}

/// Rule 3.6.
#[test]
fn the_descriptor_of_a_pipe_says_when_to_harvest() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(4).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 1]), |b| Io::read(b)).unwrap();
    none(&pipe);
    theirs.write_all(b"x").unwrap();
    assert!(is_readable(&pipe, PollTimeout::NONE));
    assert_eq!(one(&pipe).1.count(), Some(1));
    pipe.post(Op::new([0]), 1).unwrap();
    assert!(is_readable(&pipe, PollTimeout::NONE));
    assert_eq!(one(&pipe).1.count(), Some(1));
    pipe.submit(Op::new([0]), |_| timer(SHORT)).unwrap();
    while pipe.try_wait(&mut Events::with_capacity(1)).unwrap().count() == 0 {
        assert!(is_readable(&pipe, PollTimeout::NONE));
    }
    // It need not be quiet at once: a wake-up too many is allowed.
    while is_readable(&pipe, PollTimeout::ZERO) {
        none(&pipe);
    }
}
