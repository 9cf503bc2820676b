//! Futures that are dropped or leaked: each state is dropped once, and no earlier than its event has come.

use crate::{
    Count, assert_all_places, counted_read, pair, poll, poll_once, read, select, turn_until, watched,
};
use ioevent::Io;
use ioevent::future::Reactor;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

#[test]
fn dropped_before_the_first_poll_nothing_was_submitted() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let (operation, drops) = counted_read(&reactor, &stream);
        drop(operation);
        drop(reactor.sleep(Duration::ZERO));
        assert_eq!(drops.load(SeqCst), 1);
        other_end.write_all(b"there").unwrap();
        assert_eq!(reactor.turn(Some(Duration::ZERO)).unwrap(), 0);
        assert_eq!(reactor.block_on(read(&reactor, &stream)).unwrap(), b"there");
    });
}

#[test]
fn dropped_in_flight_it_is_cancelled_and_its_state_lives_until_the_event() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let (mut operation, drops) = counted_read(&reactor, &stream);
        assert!(poll_once(&mut operation).is_pending());
        drop(operation);
        assert_eq!(drops.load(SeqCst), 0);
        assert_eq!(reactor.turn(None).unwrap(), 1);
        assert_eq!(drops.load(SeqCst), 1);
        // It has taken no bytes, and its place is free.
        other_end.write_all(b"there").unwrap();
        assert_eq!(reactor.block_on(read(&reactor, &stream)).unwrap(), b"there");
        assert_eq!(drops.load(SeqCst), 1);
    });
}

#[test]
fn dropped_with_its_event_in_the_pipe() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        other_end.write_all(b"there").unwrap();
        let (mut operation, drops) = counted_read(&reactor, &stream);
        assert!(poll_once(&mut operation).is_pending());
        drop(operation);
        assert_eq!(reactor.turn(None).unwrap(), 1);
        assert_eq!(drops.load(SeqCst), 1);
    });
}

#[test]
fn dropped_when_it_has_landed() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let (mut operation, drops) = counted_read(&reactor, &stream);
        let (wakes, waker) = Count::waker();
        assert!(poll(&mut operation, &waker).is_pending());
        other_end.write_all(b"there").unwrap();
        turn_until(&reactor, || wakes.get() == 1);
        assert_eq!(drops.load(SeqCst), 0);
        drop(operation);
        assert_eq!(drops.load(SeqCst), 1);
        reactor.block_on(reactor.sleep(Duration::ZERO)).unwrap().unwrap();
    });
}

#[test]
fn the_output_has_the_only_state() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let (operation, drops) = counted_read(&reactor, &stream);
        other_end.write_all(b"there").unwrap();
        let (state, outcome) = reactor.block_on(operation).unwrap();
        assert_eq!((outcome.unwrap().bytes().unwrap(), drops.load(SeqCst)), (5, 0));
        assert_eq!(&state.1[..5], b"there");
        drop(state);
        assert_eq!(drops.load(SeqCst), 1);
    });
}

/// An accept that has happened, for a future that is dropped with it.
fn accept_that_is_dropped(when_landed: bool) {
    let reactor = Reactor::new(1).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let listener = reactor.attach(listener).unwrap();
    let mut accept = reactor.submit(&listener, (), |()| Io::accept());
    let (wakes, waker) = Count::waker();
    assert!(poll(&mut accept, &waker).is_pending());
    if when_landed {
        turn_until(&reactor, || wakes.get() == 1);
        drop(accept);
    } else {
        drop(accept);
        assert_eq!(reactor.turn(None).unwrap(), 1);
        // Whether it was accepted or cancelled, no connection is left in the queue.
        drop(listener);
    }
    match client.read(&mut [0]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn a_connection_that_was_accepted_for_no_one_is_closed() {
    watched(|| accept_that_is_dropped(false));
    watched(|| accept_that_is_dropped(true));
}

#[test]
fn the_loser_of_a_select_takes_no_bytes() {
    watched(|| {
        let reactor = Reactor::new(2).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        for _ in 0..10 {
            let sleep = reactor.sleep(Duration::from_millis(1));
            assert!(reactor.block_on(select(read(&reactor, &stream), sleep)).unwrap().is_err());
        }
        other_end.write_all(b"there").unwrap();
        assert_eq!(reactor.block_on(read(&reactor, &stream)).unwrap(), b"there");
    });
}

#[test]
fn a_sleep_that_is_dropped_gives_its_place_back() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        for _ in 0..10 {
            let mut sleep = reactor.sleep(Duration::from_secs(3600));
            assert!(poll_once(&mut sleep).is_pending());
            drop(sleep);
            assert_eq!(reactor.turn(None).unwrap(), 1);
        }
    });
}

#[test]
fn leaked_in_flight_the_state_goes_with_the_reactor() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, _other_end) = pair(&reactor);
        let (mut operation, drops) = counted_read(&reactor, &stream);
        assert!(poll_once(&mut operation).is_pending());
        std::mem::forget(operation);
        drop(reactor);
        assert_eq!(drops.load(SeqCst), 1);
        drop(stream);
    });
}

#[test]
fn leaked_in_flight_its_place_comes_back_with_its_event() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, _other_end) = pair(&reactor);
        let (mut operation, drops) = counted_read(&reactor, &stream);
        assert!(poll_once(&mut operation).is_pending());
        std::mem::forget(operation);
        // Which ends the operation.
        drop(stream);
        assert_eq!(reactor.turn(None).unwrap(), 1);
        assert_all_places(&reactor, 1);
        // The state is where the future would find it.
        assert_eq!(drops.load(SeqCst), 0);
    });
}

#[test]
fn a_panic_in_the_closure_drops_the_state_and_keeps_no_place() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let (state, drops) = crate::Dropped::counted();
        let mut operation = reactor.submit(&stream, state, |_| panic!("as the test wants it"));
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(&mut operation).is_pending())).is_err());
        assert_eq!(drops.load(SeqCst), 1);
        assert!(poll_once(&mut operation).is_pending());
        other_end.write_all(b"there").unwrap();
        assert_eq!(reactor.block_on(read(&reactor, &stream)).unwrap(), b"there");
        drop(operation);
        assert_eq!(drops.load(SeqCst), 1);
    });
}

#[test]
fn a_state_whose_drop_panics_keeps_no_other_from_its_task() {
    struct Panics([u8; 8]);
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("as the test wants it");
        }
    }
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        let (streams, mut ends): (Vec<_>, Vec<_>) = (0..4).map(|_| pair(&reactor)).unzip();
        let (wakes, waker) = Count::waker();
        let mut reads: Vec<_> = streams[1..].iter().map(|stream| counted_read(&reactor, stream).0).collect();
        let mut dropped = reactor.submit(&streams[0], Panics([0; 8]), |state| Io::read(&mut state.0));
        assert!(poll_once(&mut dropped).is_pending());
        assert!(reads.iter_mut().all(|read| poll(read, &waker).is_pending()));
        drop(dropped);
        ends.iter_mut().for_each(|end| end.write_all(b"x").unwrap());
        let mut panics = 0;
        while wakes.get() < 3 || panics == 0 {
            panics += usize::from(catch_unwind(AssertUnwindSafe(|| reactor.turn(None).unwrap())).is_err());
        }
        assert_eq!(panics, 1);
        assert!(reads.iter_mut().all(|read| poll_once(read).is_ready()));
        assert_all_places(&reactor, 4);
    });
}
