//! A forked child: what it has of its parent's pipes gives errors, what it drops is nothing to the parent, and pipes of
//! its own work. (A program of its own, with one thread: children are copies of it.)

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/all.rs"]
mod all;
#[path = "sound/child.rs"]
#[allow(unsafe_code)]
mod child;
#[path = "sound/leaks.rs"]
#[allow(unsafe_code)]
mod leaks;
#[path = "sound/listener.rs"]
mod listener;
#[path = "sound/rights.rs"]
mod rights;
#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use all::{All, Job, PARTS, job};
use child::{in_child, in_raw_child};
use ioevent::{Attached, Cancel, Event, EventPipe, Events, Io, Op, Readiness, timer};
use std::fmt::Write as _;
use std::io::Write;
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;
use tally::Tally;

/// What `All` has for the pipe to keep.
const LEFT: usize = 4 + 7;

fn every_call_gives_an_error() {
    let tally = Tally::default();
    let all = All::new(&tally);
    let (pipe, handles) = (all.pipe.as_ref().unwrap(), all.handles.as_ref().unwrap());
    let outstanding = job(&tally);
    let id = Op::id(&outstanding);
    pipe.submit(outstanding, |_| timer(Duration::from_secs(3600))).unwrap();
    let check = || {
        let op = job(&tally);
        let was = Op::id(&op);
        let op = pipe.submit(op, |_| timer(Duration::from_nanos(1))).unwrap_err().op;
        let op = pipe.submit_on(&handles.stream, op, |job| Io::write(&job.bytes)).unwrap_err().op;
        let op = pipe.submit_on(&handles.listener, op, |_| Io::accept()).unwrap_err().op;
        let op = pipe.submit_inline(op, |_| timer(Duration::from_nanos(1))).unwrap_err().op;
        let refused = pipe.post(op, 1).unwrap_err();
        assert!(!refused.is_full());
        assert_eq!(Op::id(&refused.op), was);

        let mut events = Events::with_capacity(4);
        assert!(pipe.wait(&mut events, None).is_err());
        assert!(pipe.wait(&mut events, Some(Duration::from_millis(1))).is_err());
        assert!(pipe.try_wait(&mut events).is_err());

        assert!(!pipe.cancel_timer(id));
        assert_eq!(handles.stream.cancel(Cancel::All), 0);
        assert!(!handles.stream.cancel_op(id));
        handles.stream.set_timeout(Some(Duration::from_secs(1))).unwrap_err();
        pipe.set_capacity(100).unwrap_err();
        let not = pipe.attach(UnixStream::pair().unwrap().0).unwrap_err();
        not.source.set_nonblocking(true).unwrap();
        // No error can be told here: it is enough that they come back.
        let _ = (pipe.capacity(), pipe.places_taken(), pipe.as_fd());
        write!(String::new(), "{pipe:?} {:?}", handles.stream).unwrap();
    };
    in_child(check);
    in_raw_child(check);
    // In a child of a child, too.
    in_child(|| in_child(check));
    assert_eq!(pipe.places_taken(), LEFT + 1);
}

fn what_a_child_drops_is_nothing_to_the_parent() {
    for first in 0..PARTS {
        let tally = Tally::default();
        let mut all = All::new(&tally);
        in_child(|| {
            let peers = mem::take(&mut all.peers);
            for part in 0..PARTS {
                all.part((first + part) % PARTS, |all| drop(mem::take(all)));
            }
            // What the pipe had is leaked here, and nothing is dropped twice.
            assert_eq!(tally.alive(), LEFT);
            drop(peers);
        });
        assert_all_goes_on(all, &tally);
    }
}

/// Each operation that was outstanding is carried out, and its data are whole.
fn assert_all_goes_on(mut all: All, tally: &Tally) {
    let pipe = all.pipe.take().unwrap();
    assert_eq!(pipe.places_taken(), LEFT);
    let mut events = Events::with_capacity(32);
    assert_eq!(pipe.try_wait(&mut events).unwrap().count(), 4);
    // A read and a poll by the handle that the program has, one whose handle is in two places, one whose state has its
    // own.
    for peer in &mut all.peers {
        // (Some were accepted, and given up.)
        let _ = peer.write_all(b"after the child");
    }
    let (mut whole, mut seen) = (0, 0);
    while seen < 4 {
        for event in pipe.wait(&mut events, None).unwrap() {
            let (job, outcome) = event.into_parts();
            outcome.done().unwrap();
            let is_whole = job.bytes.starts_with(b"after the child") || job.spare == b"after the child";
            (whole, seen) = (whole + usize::from(is_whole), seen + 1);
        }
    }
    assert_eq!(whole, 3, "the message, and two reads");
    drop((all, events, pipe));
    tally.assert_each_was_dropped_once();
}

/// What a child may drop while it is not looked at: events that the parent has harvested, and their descriptors.
fn events_and_descriptors_are_copies() {
    let tally = Tally::default();
    let mut all = All::new(&tally);
    let look = |all: &mut All| {
        let (mut client, mut server) = (UnixStream::pair().unwrap().0, None);
        let mut count = 0;
        for event in all.events.take().unwrap() {
            let (_job, outcome) = event.into_parts();
            if let Ok(descriptor) = outcome.descriptor() {
                server = Some(UnixStream::from(descriptor));
                // The third that connected; the first two are in an event and in an outcome.
                client = all.peers[4].try_clone().unwrap();
            }
            count += 1;
        }
        assert_eq!(count, 4);
        let mut server = server.unwrap();
        server.write_all(b"hello").unwrap();
        let mut bytes = [0; 5];
        std::io::Read::read_exact(&mut client, &mut bytes).unwrap();
        assert_eq!(&bytes, b"hello");
    };
    in_child(|| look(&mut all));
    look(&mut all);
    drop(all);
    tally.assert_each_was_dropped_once();
}

/// Reads in a new pipe what the peer writes.
fn assert_reads(pipe: &EventPipe<[u8; 8]>, ours: &Attached<Arc<UnixStream>>, peer: &UnixStream) {
    pipe.submit_on(ours, Op::new([0; 8]), |bytes| Io::read(bytes)).unwrap();
    { peer }.write_all(b"anew").unwrap();
    assert_gives(pipe, b"anew");
}

fn assert_gives(pipe: &EventPipe<[u8; 8]>, text: &[u8]) {
    let mut events = Events::with_capacity(2);
    let (bytes, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
    assert_eq!(&bytes[..outcome.bytes().unwrap()], text);
}

fn a_child_attaches_anew_what_its_parent_had_attached() {
    let (ours, peer) = UnixStream::pair().unwrap();
    let ours = Arc::new(ours);
    let pipe = EventPipe::<[u8; 8]>::new(8).unwrap();
    let attached = pipe.attach(ours.clone()).unwrap();
    for order in 0..4 {
        let (pipe, attached) = (&pipe, &attached);
        in_child(|| {
            let new = EventPipe::new(8).unwrap();
            let again = new.attach(ours.clone()).unwrap();
            // The old handle is of the old pipe: of no use.
            attached.set_timeout(None).unwrap_err();
            // Or it does for the new one: both own the same descriptor.
            if new.submit_on(attached, Op::new([0; 8]), |bytes| Io::read(bytes)).is_ok() {
                assert_eq!(again.cancel(Cancel::Reads), 1);
                assert_eq!(new.wait(&mut Events::with_capacity(4), None).unwrap().count(), 1);
            }
            assert_reads(&new, &again, &peer);
            assert_eq!(attached.cancel(Cancel::All), 0);
            match order {
                0 => assert!(pipe.try_wait(&mut Events::with_capacity(1)).is_err()),
                1 => drop(new.attach(ours.clone()).unwrap_err()),
                2 => drop(EventPipe::<u8>::new(1).unwrap()),
                _ => assert!(pipe.attach(ours.clone()).is_err()),
            }
            assert_reads(&new, &again, &peer);
        });
        // The parent's is attached still.
        assert_reads(pipe, attached, &peer);
    }
}

/// Old and new handles of one descriptor in a child, dropped in each order.
fn an_old_handle_that_is_dropped_does_not_detach_a_new_one() {
    for order in 0..4 {
        let (ours, peer) = UnixStream::pair().unwrap();
        let ours = Arc::new(ours);
        let pipe = EventPipe::<[u8; 8]>::new(8).unwrap();
        let mut attached = Some(pipe.attach(ours.clone()).unwrap());
        // Nothing that takes what the child is to read.
        pipe.submit_on(attached.as_ref().unwrap(), Op::new([0; 8]), |_| Io::poll(Readiness::PRIORITY))
            .unwrap();
        let mut pipe = Some(pipe);
        in_child(|| {
            if order == 1 {
                attached = None;
            }
            let new = EventPipe::<[u8; 8]>::new(8).unwrap();
            let again = new.attach(ours.clone()).unwrap();
            new.submit_on(&again, Op::new([0; 8]), |bytes| Io::read(bytes)).unwrap();
            match order {
                0 => attached = None,
                2 => (attached, pipe) = (None, None),
                3 => (pipe, attached) = (None, None),
                _ => (),
            }
            // The one that is outstanding was not ended, and the next ones find it attached.
            assert_eq!(new.places_taken(), 1);
            { &peer }.write_all(b"still").unwrap();
            assert_gives(&new, b"still");
            assert_reads(&new, &again, &peer);
            assert_eq!(
                new.attach(ours.clone()).unwrap_err().error().kind(),
                std::io::ErrorKind::AlreadyExists
            );
            drop(again);
            drop(new.attach(ours.clone()).unwrap());
        });
        let (pipe, attached) = (pipe.unwrap(), attached.unwrap());
        assert_reads(&pipe, &attached, &peer);
        assert_eq!(pipe.places_taken(), 1, "the parent's is outstanding still");
        assert_eq!(attached.cancel(Cancel::Polls), 1);
        assert!(pipe.wait(&mut Events::with_capacity(1), None).unwrap().all(|event| is_cancelled(&event)));
    }
}

fn is_cancelled(event: &Event<[u8; 8]>) -> bool {
    event.outcome().error().is_some_and(|error| ioevent::is_cancelled(&error))
}

fn a_child_uses_pipes_while_its_parent_s_threads_use_theirs() {
    let pipe = EventPipe::<u32>::new(64).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers = [(); 2].map(|()| {
            scope.spawn(|| {
                let (mut events, mut count) = (Events::with_capacity(4), 0);
                while !over.load(SeqCst) {
                    let _full = pipe.submit(Op::new(count), |_| timer(Duration::from_micros(50)));
                    let time = Some(Duration::from_micros(100));
                    count += pipe.wait(&mut events, time).unwrap().count() as u32;
                }
                count
            })
        });
        for _ in 0..20 {
            in_child(|| {
                assert!(pipe.try_wait(&mut Events::with_capacity(4)).is_err());
                drop(pipe.post(Op::new(1), 1).unwrap_err());
                let new = EventPipe::new(8).unwrap();
                let (ours, peer) = UnixStream::pair().unwrap();
                let ours = new.attach(Arc::new(ours)).unwrap();
                assert_reads(&new, &ours, &peer);
            });
        }
        over.store(true, SeqCst);
        for worker in workers {
            assert!(worker.join().unwrap() > 0);
        }
    });
    let mut events = Events::with_capacity(64);
    while pipe.places_taken() > 0 {
        pipe.wait(&mut events, None).unwrap().for_each(drop);
    }
}

fn states_of_a_child_s_own_are_dropped() {
    let tally = Tally::default();
    let pipe = EventPipe::<Job>::new(4).unwrap();
    pipe.post(job(&tally), 1).unwrap();
    let mut pipe = Some(pipe);
    in_child(|| {
        let own = Tally::default();
        let new = EventPipe::<Job>::new(4).unwrap();
        new.post(job(&own), 1).unwrap();
        new.submit(job(&own), |_| timer(Duration::from_secs(3600))).unwrap();
        pipe = None;
        drop(new);
        assert_eq!(own.assert_each_was_dropped_once(), 2);
        assert_eq!(tally.alive(), 1);
    });
    drop(pipe);
    tally.assert_each_was_dropped_once();
}

macro_rules! tests {
    ($($name:ident),*) => { [$((stringify!($name), $name as fn())),*] };
}

/// As the harness of the standard library has it, but in this thread.
fn main() -> ExitCode {
    let tests = tests![
        every_call_gives_an_error,
        what_a_child_drops_is_nothing_to_the_parent,
        events_and_descriptors_are_copies,
        a_child_attaches_anew_what_its_parent_had_attached,
        an_old_handle_that_is_dropped_does_not_detach_a_new_one,
        a_child_uses_pipes_while_its_parent_s_threads_use_theirs,
        states_of_a_child_s_own_are_dropped
    ];
    let filters: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let (mut passed, mut failed) = (0, 0);
    for (name, run) in tests.into_iter().filter(|(name, _)| is_wanted(name)) {
        let result = catch_unwind(|| {
            let _test = test::begin();
            run();
        });
        println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        (passed, failed) = (passed + u32::from(result.is_ok()), failed + u32::from(result.is_err()));
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
    );
    ExitCode::from(u8::from(failed != 0))
}
