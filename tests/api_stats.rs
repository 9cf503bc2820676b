//! The statistics of a pipe: what is counted as what, by whichever thread.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{Attached, EventPipe, Events, Io, Op, Stats, timer};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use support::Watchdog;

struct Connection {
    stream: Attached<UnixStream>,
    bytes: [u8; 4],
}

/// All that ever took a place.
fn queued(stats: &Stats) -> u64 {
    let kinds = [stats.reads, stats.writes, stats.accepts, stats.connects, stats.polls, stats.transfers];
    kinds.iter().sum::<u64>() + stats.syncs + stats.shutdowns + stats.waits + stats.timers + stats.posts
}

#[test]
fn a_new_pipe_has_counted_nothing() {
    let stats = EventPipe::<()>::new(7).unwrap().stats().unwrap();
    assert_eq!((stats.capacity, stats.places, stats.places_max, queued(&stats)), (7, 0, 0, 0));
    assert_eq!(stats.events + stats.full + stats.empty_looks + stats.wakeups + stats.inline, 0);
}

#[test]
fn each_kind_is_counted_once_by_any_thread() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::<[u8; 4]>::new(4).unwrap();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    let round = || {
        let before = pipe.stats().unwrap();
        let mut events = Events::with_capacity(4);
        pipe.submit_on(&ours, Op::new([0; 4]), |state| Io::read(state)).unwrap();
        pipe.submit_on(&ours, Op::new(*b"abcd"), |state| Io::write(state)).unwrap();
        pipe.submit(Op::new([0; 4]), |_| timer(Duration::from_nanos(1))).unwrap();
        pipe.post(Op::new([0; 4]), 1).unwrap();
        assert!(pipe.post(Op::new([0; 4]), 1).is_err());
        (&theirs).write_all(b"efgh").unwrap();
        let mut harvested = 0;
        while harvested < 4 {
            harvested += pipe.wait(&mut events, None).unwrap().count();
        }
        let after = pipe.stats().unwrap();
        let counts = |stats: &Stats| {
            [stats.reads, stats.writes, stats.timers, stats.expired, stats.posts, stats.events, stats.full]
        };
        let since: Vec<u64> =
            counts(&after).iter().zip(counts(&before)).map(|(after, before)| after - before).collect();
        assert_eq!(since, [1, 1, 1, 1, 1, 4, 1]);
        assert_eq!((after.places, after.places_max, after.attached), (0, 4, 1));
        assert_eq!(queued(&after), after.events);
    };
    round();
    thread::scope(|scope| {
        scope.spawn(round).join().unwrap();
        scope.spawn(round).join().unwrap();
    });
    round();
    drop(ours);
    assert_eq!(pipe.stats().unwrap().attached, 0);
    theirs.flush().unwrap();
}

#[test]
fn what_is_given_directly_is_counted_as_that_alone() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(4).unwrap();
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let connection = Connection { stream: pipe.attach(ours).unwrap(), bytes: *b"abcd" };
    let event = pipe.submit_inline(Op::new(connection), |c| c.stream.write(&c.bytes)).unwrap();
    assert!(event.is_some());
    let stats = pipe.stats().unwrap();
    assert_eq!((stats.inline, stats.writes, stats.events, stats.places_max), (1, 0, 0, 0));
}
