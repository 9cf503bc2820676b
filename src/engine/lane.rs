//! Lanes: the ready lists of a pipe, and each one's stock of free nodes.
//!
//! A pipe has one lane for each thread that harvests it, and one that is common to all (lane 0). A lane is a place, not
//! a part of a thread: a thread finds it by its thread pointer, and when the thread is gone its lane stays, with what
//! is in it, and whoever gets the same thread pointer later inherits it. So the end of a thread needs no care.
//!
//! Events stay in the lane they were put into; who takes over from another thread takes them out of that thread's
//! lane, first the one that came first. Each event of a lane has a number, counted up; together with the count of
//! those taken out it tells in one load whether an event is still there, which is how the events of one descriptor
//! are kept in order (see `Pipe::complete`).

use super::op::{OpRef, Ops};
use crate::sys::Result;
use core::cell::Cell;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use parking_lot::{Mutex, MutexGuard};

/// Nodes fetched from the pool at a time.
const STOCK: usize = 32;
/// A stock larger than this goes back to the pool, so that what one thread frees another can use.
const MOST_STOCK: u32 = 256;

/// What the lock of a lane guards.
pub(crate) struct Inside {
    head: Cell<Option<OpRef>>,
    tail: Cell<Option<OpRef>>,
    free: Cell<Option<OpRef>>,
    free_count: Cell<u32>,
    /// Events put in so far (modulo 2^32).
    pushed: Cell<u32>,
    /// Events given out since the owner last looked into the kernel (rule 3.4).
    pub(crate) since_look: Cell<u32>,
    /// Who has its turn first when the owner has looked into the kernel: this lane or the others.
    pub(crate) turn: Cell<bool>,
    /// How many had been taken out when the clock last ticked.
    pub(crate) at_tick: Cell<u32>,
}

/// A ready list. Alone on its cache lines (two: processors fetch them in pairs).
#[repr(align(128))]
pub(crate) struct Lane {
    /// Thread pointer of the thread whose lane it is; 0: nobody's yet.
    pub(crate) owner: AtomicUsize,
    /// Events taken out so far (modulo 2^32). Written under the lock, read by anybody.
    popped: AtomicU32,
    inside: Mutex<Inside>,
}

/// A lane whose lock is held.
pub(crate) struct Locked<'a> {
    lane: &'a Lane,
    inside: MutexGuard<'a, Inside>,
}

impl Deref for Locked<'_> {
    type Target = Inside;
    #[inline(always)]
    fn deref(&self) -> &Inside {
        &self.inside
    }
}

impl Lane {
    pub(crate) fn new() -> Lane {
        Lane {
            owner: AtomicUsize::new(0),
            popped: AtomicU32::new(0),
            inside: Mutex::new(Inside {
                head: Cell::new(None),
                tail: Cell::new(None),
                free: Cell::new(None),
                free_count: Cell::new(0),
                pushed: Cell::new(0),
                since_look: Cell::new(0),
                turn: Cell::new(false),
                at_tick: Cell::new(0),
            }),
        }
    }

    #[inline(always)]
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked { lane: self, inside: self.inside.lock() }
    }

    /// How many events have been taken out.
    #[inline]
    pub(crate) fn popped(&self) -> u32 {
        // Relaxed: as a hint outside the lock, exact inside.
        self.popped.load(Ordering::Relaxed)
    }

    /// Whether the event with this number is still in the lane. Exact while the lane is locked.
    #[inline]
    pub(crate) fn holds(&self, number: u32) -> bool {
        (number.wrapping_sub(self.popped()) as i32) >= 0
    }
}

impl Locked<'_> {
    /// Puts an event in; returns its number.
    #[inline]
    pub(crate) fn push(&self, op: OpRef) -> u32 {
        op.next.set(None);
        match self.tail.get() {
            None => self.head.set(Some(op)),
            Some(tail) => tail.next.set(Some(op)),
        }
        self.tail.set(Some(op));
        let number = self.pushed.get();
        self.pushed.set(number.wrapping_add(1));
        number
    }

    /// Takes out the event that came first.
    #[inline]
    pub(crate) fn pop(&self) -> Option<OpRef> {
        let op = self.head.get()?;
        let next = op.next.get();
        self.head.set(next);
        if next.is_none() {
            self.tail.set(None);
        }
        // Relaxed: see `popped`.
        self.lane.popped.store(self.lane.popped().wrapping_add(1), Ordering::Relaxed);
        Some(op)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.get().is_none()
    }

    /// See `Lane::holds`.
    #[inline]
    pub(crate) fn holds(&self, number: u32) -> bool {
        self.lane.holds(number)
    }

    /// How many events have been taken out.
    pub(crate) fn popped(&self) -> u32 {
        self.lane.popped()
    }

    /// A free node.
    #[inline]
    pub(crate) fn take_free(&self, ops: &Ops) -> Result<OpRef> {
        match self.free.get() {
            Some(op) => {
                self.free.set(op.next.get());
                self.free_count.set(self.free_count.get().wrapping_sub(1));
                Ok(op)
            }
            None => self.restock(ops),
        }
    }

    #[cold]
    fn restock(&self, ops: &Ops) -> Result<OpRef> {
        let (first, n) = ops.take_some(STOCK)?;
        self.free.set(first.next.get());
        self.free_count.set(n as u32 - 1);
        Ok(first)
    }

    /// Takes a node back.
    #[inline]
    pub(crate) fn give_free(&self, op: OpRef, ops: &Ops) {
        op.next.set(self.free.get());
        self.free.set(Some(op));
        self.free_count.set(self.free_count.get() + 1);
        if self.free_count.get() > MOST_STOCK {
            self.return_stock(ops, MOST_STOCK / 2);
        }
    }

    /// Gives nodes back to the pool until `keep` are left.
    #[cold]
    pub(crate) fn return_stock(&self, ops: &Ops, keep: u32) {
        while self.free_count.get() > keep {
            let Some(op) = self.free.get() else { return };
            self.free.set(op.next.get());
            self.free_count.set(self.free_count.get() - 1);
            ops.give(op);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_in_order_and_their_numbers_tell_whether_they_are_there() {
        let ops = Ops::new();
        let lane = Lane::new();
        let locked = lane.lock();
        let numbers: Vec<u32> = (0..3)
            .map(|user| {
                let op = locked.take_free(&ops).unwrap();
                op.user.set(user);
                locked.push(op)
            })
            .collect();
        assert!(numbers.iter().all(|&n| lane.holds(n)));
        for (user, &number) in numbers.iter().enumerate() {
            let op = locked.pop().unwrap();
            assert_eq!(op.user.get(), user);
            assert!(!lane.holds(number));
            locked.give_free(op, &ops);
        }
        assert!(locked.pop().is_none() && locked.is_empty());
    }

    #[test]
    fn numbers_may_wrap_around() {
        let ops = Ops::new();
        let lane = Lane::new();
        lane.popped.store(u32::MAX, Ordering::Relaxed);
        let locked = lane.lock();
        locked.pushed.set(u32::MAX);
        let last = locked.push(locked.take_free(&ops).unwrap());
        let first = locked.push(locked.take_free(&ops).unwrap());
        assert_eq!((last, first), (u32::MAX, 0));
        locked.pop().unwrap();
        assert!(!lane.holds(last) && lane.holds(first));
    }

    #[test]
    fn a_large_stock_goes_back_to_the_pool() {
        let ops = Ops::new();
        let (here, there) = (Lane::new(), Lane::new());
        let (here, there) = (here.lock(), there.lock());
        for _ in 0..10 * MOST_STOCK {
            there.give_free(here.take_free(&ops).unwrap(), &ops);
        }
        assert!(there.free_count.get() <= MOST_STOCK);
        assert!(ops.all().len() as u32 <= 2 * MOST_STOCK);
    }
}
