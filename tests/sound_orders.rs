//! A pipe, what is attached to it, its events and its states, dropped in every order while operations are outstanding,
//! complete, harvested and looked at: each state is dropped once, and no descriptor is left.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/all.rs"]
mod all;
#[path = "sound/listener.rs"]
mod listener;
#[path = "sound/rights.rs"]
mod rights;
#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use all::{All, PARTS};
use ioevent::Events;
use std::mem;
use tally::Tally;

/// What `All` has for the pipe to keep: events that were not harvested, and operations that are outstanding.
const COMPLETE: usize = 4;
const OUTSTANDING: usize = 7;
/// States of them all: in the event and beside the outcome, harvested, complete, outstanding.
const STATES: usize = 2 + COMPLETE + COMPLETE + OUTSTANDING;

/// Calls `f` with each order of 0 to N - 1.
fn each_order<const N: usize>(f: &mut impl FnMut(&[usize; N])) {
    fn go<const N: usize>(order: &mut [usize; N], from: usize, f: &mut impl FnMut(&[usize; N])) {
        if from == N {
            return f(order);
        }
        for next in from..N {
            order.swap(from, next);
            go(order, from + 1, f);
            order.swap(from, next);
        }
    }
    go(&mut std::array::from_fn(|i| i), 0, f);
}

#[test]
fn dropped_in_any_order_each_state_is_dropped_once() {
    let test = test::begin();
    let mut orders = 0;
    each_order::<PARTS>(&mut |order| {
        let tally = Tally::default();
        let mut all = All::new(&tally);
        for &part in order {
            all.part(part, |all| drop(mem::take(all)));
        }
        drop(all);
        assert_eq!(tally.assert_each_was_dropped_once(), STATES, "{order:?}");
        test.assert_no_descriptor_is_left();
        orders += 1;
    });
    assert_eq!(orders, 720);
}

#[test]
fn from_another_thread_too() {
    let test = test::begin();
    let mut number = 0;
    each_order::<PARTS>(&mut |order| {
        // One in 23, lest it take too long.
        number += 1;
        if number % 23 != 0 {
            return;
        }
        let tally = Tally::default();
        let mut all = All::new(&tally);
        for &part in order {
            std::thread::scope(|scope| {
                scope.spawn(|| all.part(part, |all| drop(mem::take(all))));
            });
        }
        drop(all);
        tally.assert_each_was_dropped_once();
        test.assert_no_descriptor_is_left();
    });
}

#[test]
fn a_dropped_handle_ends_its_operations_each_with_an_event() {
    let _test = test::begin();
    let tally = Tally::default();
    let mut all = All::new(&tally);
    let pipe = all.pipe.take().unwrap();
    let places = pipe.places_taken();
    assert_eq!(places, COMPLETE + OUTSTANDING);
    let peers = mem::take(&mut all.peers);
    drop(all);
    let mut events = Events::with_capacity(3);
    let mut count = 0;
    // Left: the timer, and the reads whose own states, which are outstanding, keep their descriptors open.
    while count < places - 3 {
        count += pipe.wait(&mut events, None).unwrap().count();
    }
    assert_eq!(count, places - 3);
    assert_eq!(pipe.places_taken(), 3);
    assert_eq!(pipe.try_wait(&mut events).unwrap().count(), 0);
    assert_eq!(tally.alive(), 3);
    drop(peers);
    count = 0;
    while count < 2 {
        count += pipe.wait(&mut events, None).unwrap().count();
    }
    assert_eq!(tally.alive(), 1);
    drop(pipe);
    tally.assert_each_was_dropped_once();
}
