//! Places of the pipe, given out in the order in which they were asked for.
//!
//! An operation takes a place before it is submitted and gives it back when its event has been harvested, so the pipe,
//! which nothing else submits to, is never full. Only if no operation waits for a place is one *free*: a place that is
//! given back goes to the operation that has waited longest, and is that operation's own from then on, whether or not
//! it has been polled since. If it is dropped instead, the place goes on to the next.
//!
//! Wakers are the program's code: they are cloned, woken and dropped while no lock is held.

use super::locks::{Mutex, lock};
use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll, Waker};

/// See the module's head.
pub(super) struct Places {
    state: Mutex<State>,
}

struct State {
    free: usize,
    next_ticket: u64,
    /// The operations that wait, by ticket: the lowest has waited longest.
    waiting: BTreeMap<u64, Waker>,
    /// Those that were given a place and do not know it yet.
    given: BTreeSet<u64>,
}

/// A place of the pipe. Dropped, it is given back.
pub(super) struct Place<'p> {
    places: &'p Places,
}

/// One operation's turn to have a place. Dropped, it passes on what it was given.
pub(super) struct Turn<'p> {
    places: &'p Places,
    ticket: Option<u64>,
}

impl Places {
    pub(super) fn new(count: usize) -> Places {
        let state = State { free: count, next_ticket: 0, waiting: BTreeMap::new(), given: BTreeSet::new() };
        Places { state: Mutex::new(state) }
    }

    pub(super) fn turn(&self) -> Turn<'_> {
        Turn { places: self, ticket: None }
    }

    /// Gives back so many places, and adds the wakers of the operations that have them now.
    pub(super) fn give_back(&self, count: usize, wakers: &mut Vec<Waker>) {
        let mut state = lock(&self.state);
        for _ in 0..count {
            wakers.extend(state.give());
        }
    }

    fn give_back_one(&self) {
        let next = lock(&self.state).give();
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

impl State {
    fn new_ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// One place to the operation that has waited longest, which is to be woken.
    fn give(&mut self) -> Option<Waker> {
        match self.waiting.pop_first() {
            Some((ticket, waker)) => {
                self.given.insert(ticket);
                Some(waker)
            }
            None => {
                self.free += 1;
                None
            }
        }
    }

    /// A place, if there is one for this ticket or, without one, for all.
    fn take(&mut self, ticket: Option<u64>) -> bool {
        match ticket {
            Some(ticket) => self.given.remove(&ticket),
            None if self.free > 0 => {
                self.free -= 1;
                true
            }
            None => false,
        }
    }
}

impl<'p> Turn<'p> {
    /// A place, as soon as it is this operation's turn. The first poll decides about the order.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<Place<'p>> {
        let places = self.places;
        {
            let mut state = lock(&places.state);
            if state.take(self.ticket) {
                self.ticket = None;
                return Poll::Ready(Place { places });
            }
            let known = self.ticket.and_then(|ticket| state.waiting.get(&ticket));
            if known.is_some_and(|waker| waker.will_wake(context.waker())) {
                return Poll::Pending;
            }
        }
        let mut waker = Some(context.waker().clone());
        // The lock was let go for that.
        let mut state = lock(&places.state);
        let is_taken = state.take(self.ticket);
        if is_taken {
            self.ticket = None;
        } else {
            let ticket = *self.ticket.get_or_insert_with(|| state.new_ticket());
            waker = waker.and_then(|waker| state.waiting.insert(ticket, waker));
        }
        drop(state);
        // Now, with the place safe: this one, or the one before it, is dropped here.
        let place = is_taken.then(|| Place { places });
        drop(waker);
        place.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = lock(&self.places.state);
        let woken = if state.given.remove(&ticket) { state.give() } else { None };
        let dropped = state.waiting.remove(&ticket);
        drop(state);
        if let Some(waker) = woken {
            waker.wake();
        }
        drop(dropped);
    }
}

impl Place<'_> {
    /// The place is an operation's under way: [`Places::give_back`] will give it back.
    pub(super) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.places.give_back_one();
    }
}
