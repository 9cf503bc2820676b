//! Lanes: the ready lists of a pipe, and each one's stock of free nodes.
//!
//! A pipe has a lane for each thread that harvests it, and one that is common to all. A lane is a place, not a part of
//! a thread: a thread finds it by its thread pointer, and when the thread is gone its lane stays, with what is in it,
//! and a thread that gets the same thread pointer later inherits it. So the end of a thread needs no care.
//!
//! A lane has two parts: a ring, into which its owner puts events without a lock, and a list, which takes all others;
//! what is in the list comes after what is in the ring (see `ring`). Events stay in the lane they were put into; who
//! takes over from another thread takes them out of that thread's lane, first the one that came first. Each event has
//! a number in its part, counted up; together with the count of those taken out it tells in one load whether an event
//! is still there, which is how the events of one descriptor are kept in order (see `Completions::complete`).
//!
//! The stock of a thread's lane is that thread's alone, since no other living thread has its thread pointer, and needs
//! no lock. The stock of the common lane is used under its lock. See `stock`.

use super::counts::{Count, Counts};
use super::lane_memory::OfLane;
use super::op::OpRef;
use super::ring_accepts::RingAccepts;
use super::stock::Stock;
use crate::sync::lock::{Mutex, MutexGuard};
use crate::sync::ring::{Ring, SLOTS, Slot};
use crate::sys::thread_pointer::thread_pointer;
use core::cell::Cell;
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// The most edges taken from the kernel at a time. More would save hardly any calls, and what the kernel has of a
/// connection would be out of the processor's near caches when the program writes to it after having read from all the
/// others (at a thousand busy connections a request costs a tenth more with 64).
pub(crate) const MOST_EDGES: usize = 32;
/// How many bytes are much for one look.
const MUCH: usize = 64 * 1024;

/// How often the owner of a lane expects others to post in vain, in a row, and how many sleeps later it does again.
const MOST_IN_VAIN: u32 = 4;
const PATIENCE: u32 = 16;

/// In `Lane::owner`: see there. The mask in `Wake` says the same for threads that look at many lanes.
pub(crate) const ABSENT: usize = 1;

/// Where an event was put: the lane, with `LISTED` for its list; kept in one byte of the attachment.
pub(crate) const LISTED: u32 = 0x80;

/// What the lock of a lane guards.
#[derive(Default)]
pub(crate) struct Inside {
    head: Cell<Option<OpRef>>,
    tail: Cell<Option<OpRef>>,
    /// Events put into the list so far (modulo 2^32).
    pushed: Cell<u32>,
    /// How many had been taken out of the lane when the steal timer last ticked.
    pub(crate) at_tick: Cell<u32>,
}

/// A ready list. On cache lines of its own (two: processors fetch them in pairs).
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Lane {
    index: u32,
    bit: u64,
    /// Thread pointer of the thread whose lane it is, with `ABSENT` set while the thread does not come to harvest; 0:
    /// no thread's yet.
    pub(crate) owner: AtomicUsize,
    stock: Stock,
    pub(crate) ring: Ring,
    /// The slots of the ring, and counts, from the time when the lane gets its first owner.
    memory: OfLane,
    /// Events that the owner has harvested, from whatever lane, since it last looked into the kernel (rule 3.4).
    pub(crate) since_poll: AtomicU32,
    /// Whose turn it is to be first when other lanes have events too: theirs, or this lane's.
    pub(crate) others_first: AtomicBool,
    /// The watchdog has polled when so many events had been put in in all: what it has put into the common lane came
    /// later, and is taken after them (rule 3.5). Relaxed: a harvest waits for the watchdog while that polls.
    first_until: AtomicU32,
    /// The owner has found as much in the kernel as it looked for: there may be more. Relaxed: for the owner alone.
    left_some: AtomicBool,
    /// How far the owner expects others to post events to it: see `expects_posts`. Relaxed: for the owner alone.
    posts: AtomicU32,
    pub(crate) accepts: RingAccepts,
    /// How many edges the owner takes from the kernel at a time. Relaxed: for the owner alone.
    most_edges: AtomicU32,
    /// Events taken out of the list so far (modulo 2^32). Written under the lock, read by any thread.
    popped: AtomicU32,
    inside: Mutex<Inside>,
}

// SAFETY: of all fields only `stock` is not Sync; see `Lane::stock`.
unsafe impl Sync for Lane {}

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
    pub(crate) fn new(index: u32) -> Lane {
        let most_edges = AtomicU32::new(MOST_EDGES as u32);
        Lane { index, bit: crate::sync::wake::bit(index), most_edges, ..Lane::default() }
    }

    /// Its bit among those of its pipe.
    #[inline(always)]
    pub(crate) fn bit(&self) -> u64 {
        self.bit
    }

    /// Its number in its pipe.
    #[inline(always)]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Whether it is that of the calling thread, which comes to harvest it.
    #[inline(always)]
    pub(crate) fn is_of_caller(&self) -> bool {
        // Relaxed: see `Pipe::find_lane_at_once`.
        self.owner.load(Ordering::Relaxed) == thread_pointer()
    }

    #[inline(always)]
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked { lane: self, inside: self.inside.lock() }
    }

    /// Locks the lane, unless another thread has it. No call of libc's is made.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<Locked<'_>> {
        Some(Locked { lane: self, inside: self.inside.try_lock()? })
    }

    /// How many edges its owner is to take from the kernel now.
    #[inline(always)]
    pub(crate) fn most_edges(&self) -> usize {
        self.most_edges.load(Ordering::Relaxed) as usize
    }

    /// What is in the lane now goes before what other lanes will have.
    pub(crate) fn go_first(&self) {
        let locked = self.lock();
        let put_in = locked.pushed.get().wrapping_add(self.ring.newest()).wrapping_add(1);
        self.first_until.store(put_in, Ordering::Relaxed);
    }

    /// Whether some of that is still here.
    pub(crate) fn goes_first(&self) -> bool {
        /// No lane holds more; what seems to be more is a number from before the counts wrapped around.
        const MOST: u32 = 1 << 16;
        let taken = self.popped().wrapping_add(self.ring.taken());
        let left = self.first_until.load(Ordering::Relaxed).wrapping_sub(taken);
        (1..=MOST).contains(&left)
    }

    /// Whether the owner has found as much in the kernel, the last time, as it looked for.
    #[inline(always)]
    pub(crate) fn has_left_some(&self) -> bool {
        self.left_some.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set_left_some(&self, left_some: bool) {
        self.left_some.store(left_some, Ordering::Relaxed);
    }

    /// Whether the owner, which has found nothing, is to look for a moment whether another thread is about to post.
    /// Where that was in vain a few times in a row, only once in a while.
    #[inline(always)]
    pub(crate) fn expects_posts(&self) -> bool {
        let posts = self.posts.load(Ordering::Relaxed);
        if posts > PATIENCE || posts == 0 {
            return posts > 0;
        }
        self.posts.store(posts - 1, Ordering::Relaxed);
        posts == 1
    }

    /// Others have posted by the time when the owner looked.
    #[inline(always)]
    pub(crate) fn expect_posts_on(&self) {
        self.posts.store(PATIENCE + MOST_IN_VAIN, Ordering::Relaxed);
    }

    /// Others have posted, perhaps while the owner slept.
    #[inline]
    pub(crate) fn expect_posts_later(&self) {
        if self.posts.load(Ordering::Relaxed) == 0 {
            self.posts.store(PATIENCE, Ordering::Relaxed);
        }
    }

    /// It was in vain.
    pub(crate) fn expect_posts_less(&self) {
        let posts = self.posts.load(Ordering::Relaxed);
        self.posts.store(if posts == 0 { PATIENCE } else { posts - 1 }, Ordering::Relaxed);
    }

    /// The owner has moved so many bytes with the edges that it took from the kernel last. Where they were many, it
    /// takes fewer from now on: the program is to have the first event, and the others their turn, after so much work.
    #[inline(always)]
    pub(crate) fn learn(&self, bytes: usize) {
        let edges = self.most_edges();
        if bytes > MUCH || edges != MOST_EDGES {
            self.learn_slow(bytes, edges);
        }
    }

    #[cold]
    fn learn_slow(&self, bytes: usize, edges: usize) {
        let next = if bytes > MUCH { (edges * MUCH / bytes).max(1) } else { (edges + 1).min(MOST_EDGES) };
        self.most_edges.store(next as u32, Ordering::Relaxed);
    }

    /// The lane's free nodes. For its owner; for the common lane, a thread that holds its lock; for one that closes the
    /// pipe, when no other uses it.
    #[inline(always)]
    pub(crate) fn stock(&self) -> &Stock {
        &self.stock
    }

    /// The slots of a ring to take events out of.
    #[inline(always)]
    pub(crate) fn slots_to_read(&self) -> &[Slot; SLOTS] {
        self.memory.slots_to_read()
    }

    /// The slots of a ring that had room a moment ago.
    #[inline(always)]
    pub(crate) fn slots_in_use(&self) -> &[Slot; SLOTS] {
        &self.memory.in_use().slots
    }

    /// Counts, for the thread whose lane it is, and whose ring had room, or events, a moment ago.
    #[inline(always)]
    pub(crate) fn count_in_use(&self, what: Count, n: u64) {
        self.memory.in_use().counts.add_alone(what, n);
    }

    /// Counts, for the thread whose lane it is. False: there is no memory for that.
    #[inline(always)]
    pub(crate) fn count(&self, what: Count, n: u64) -> bool {
        let is_prepared = self.is_prepared();
        if is_prepared {
            self.count_in_use(what, n);
        }
        is_prepared
    }

    /// What has been counted in it.
    pub(crate) fn counts(&self) -> Option<&Counts> {
        self.memory.get().map(|memory| &memory.counts)
    }

    /// Whether its ring has slots. For its owner.
    #[inline]
    pub(crate) fn is_prepared(&self) -> bool {
        self.memory.is_there()
    }

    /// Gives the lane what its owner needs. Without memory, false, its ring stays closed.
    #[cold]
    pub(crate) fn prepare(&self) -> bool {
        let locked = self.lock();
        if self.is_prepared() {
            return true;
        }
        let is_made = self.memory.make();
        self.ring.allow(is_made && locked.list_is_empty());
        is_made
    }

    /// How many events have been taken out of the list.
    #[inline]
    pub(crate) fn popped(&self) -> u32 {
        // Relaxed: as a hint outside the lock, exact inside.
        self.popped.load(Ordering::Relaxed)
    }

    /// Whether the event that was put into `place` (see `LISTED`) as this number is still there. Exact while the lane
    /// is locked.
    #[inline]
    pub(crate) fn holds(&self, place: u32, number: u32) -> bool {
        if place & LISTED == 0 {
            self.ring.holds(number)
        } else {
            (number.wrapping_sub(self.popped()) as i32) >= 0
        }
    }
}

/// Events taken out of a list at once, still linked.
pub(crate) struct Taken {
    pub(crate) first: OpRef,
    pub(crate) last: OpRef,
    pub(crate) count: u32,
}

impl Locked<'_> {
    /// Puts an event into the list; returns its number, and whether the lane was empty.
    #[inline]
    pub(crate) fn push(&self, op: OpRef) -> (u32, bool) {
        op.next.set(None);
        let before = self.tail.replace(Some(op));
        match before {
            None => {
                self.head.set(Some(op));
                self.lane.ring.allow(false);
            }
            Some(tail) => tail.next.set(Some(op)),
        }
        let number = self.pushed.get();
        self.pushed.set(number.wrapping_add(1));
        (number, before.is_none() && self.lane.ring.is_empty())
    }

    /// Takes up to `most` events out of the list, first those that came first, and calls `each` with each. The ring is
    /// empty.
    #[inline]
    pub(crate) fn take(&self, most: usize, mut each: impl FnMut(OpRef)) -> Option<Taken> {
        let first = self.head.get()?;
        let mut last = first;
        let mut count = 0;
        let mut at = Some(first);
        while let Some(op) = at {
            if count as usize >= most {
                break;
            }
            each(op);
            last = op;
            count += 1;
            at = op.next.get();
        }
        if count == 0 {
            return None;
        }
        self.head.set(at);
        if at.is_none() {
            self.tail.set(None);
            self.lane.ring.allow(self.lane.is_prepared());
        }
        // Relaxed: see `popped`.
        self.lane.popped.store(self.lane.popped().wrapping_add(count), Ordering::Relaxed);
        Some(Taken { first, last, count })
    }

    /// Takes everything out of the ring; returns how many events there were.
    pub(crate) fn clear_ring(&self) -> usize {
        self.lane.ring.clear()
    }

    /// Whether nothing is in the list.
    #[inline]
    pub(crate) fn list_is_empty(&self) -> bool {
        self.head.get().is_none()
    }

    /// Whether nothing is in the lane. Exact for takers after they have taken its mark away.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.list_is_empty() && self.lane.ring.is_empty()
    }

    /// See `Lane::holds`.
    #[inline]
    pub(crate) fn holds(&self, place: u32, number: u32) -> bool {
        self.lane.holds(place, number)
    }

    /// How many events have been taken out of the lane.
    pub(crate) fn taken(&self) -> u32 {
        self.lane.popped().wrapping_add(self.lane.ring.taken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::op::Ops;

    fn users(locked: &Locked, most: usize) -> Vec<usize> {
        let mut users = Vec::new();
        let taken = locked.take(most, |op| users.push(op.user.get()));
        assert_eq!(users.len(), taken.map_or(0, |taken| taken.count as usize));
        users
    }

    fn push(locked: &Locked, ops: &Ops, user: usize) -> u32 {
        let op = ops.take().unwrap();
        op.user.set(user);
        locked.push(op).0
    }

    #[test]
    fn events_come_out_in_order_and_their_numbers_tell_whether_they_are_there() {
        let ops = Ops::new();
        let lane = Lane::default();
        let locked = lane.lock();
        let numbers: Vec<u32> = (0..5).map(|user| push(&locked, &ops, user)).collect();
        assert!(numbers.iter().all(|&n| lane.holds(LISTED, n)));
        assert_eq!(users(&locked, 0), []);
        assert_eq!(users(&locked, 2), [0, 1]);
        assert_eq!(
            numbers.iter().map(|&n| lane.holds(LISTED, n)).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        assert_eq!(users(&locked, 9), [2, 3, 4]);
        assert!(locked.is_empty());
        assert_eq!(users(&locked, 9), []);
        push(&locked, &ops, 7);
        assert_eq!(users(&locked, 9), [7]);
    }

    #[test]
    fn numbers_may_wrap_around() {
        let ops = Ops::new();
        let lane = Lane::default();
        lane.popped.store(u32::MAX, Ordering::Relaxed);
        let locked = lane.lock();
        locked.pushed.set(u32::MAX);
        let last = push(&locked, &ops, 1);
        let first = push(&locked, &ops, 2);
        assert_eq!((last, first), (u32::MAX, 0));
        assert_eq!(users(&locked, 1), [1]);
        assert!(!lane.holds(LISTED, last) && lane.holds(LISTED, first));
    }
}
