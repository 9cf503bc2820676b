//! The fast part of a lane: events that its owner puts in without a lock.
//!
//! # Protocol
//!
//! `tail` counts the events put in, by the owner alone; `head` those taken out, by a thread that holds the lane's lock.
//! Events lie in the slots from `head` to `tail`. The owner writes the slot, then `tail`; a taker reads `tail`, then
//! the slots, then writes `head`; the owner reads `head` before it uses a slot again. So no slot is read while it
//! is being written.
//!
//! Whether the lane has become non-empty, and must be marked as filled, is settled by both looking once more: the owner
//! writes `tail`, *then* reads `head`: if all before its event are gone, it marks the lane. A taker writes `head`,
//! takes the mark away if the ring is empty, *then* reads `tail` again: if there is something after all, it puts the
//! mark back. These accesses are SeqCst, so it cannot be that neither sees the other.
//!
//! Events that cannot go through the ring (other threads put them in, or they are too many) go into the lane's list,
//! which comes after the ring; `limit` is then 0, so that the owner's events go there too until the list is empty.
//!
//! The owner of the common lane's ring is the thread that posts: one at a time, by a lock of their own (`pipe::post`).
//!
//! An owner that goes alone (`bias`) is at both ends by itself, and needs neither order nor lock.
//!
//! `tests/loom/` runs this file under loom.

use super::access::Access;
use super::atomic::{AtomicU32, AtomicU64, Ordering, in_order, plain32, plain64};
use core::mem::MaybeUninit;

/// Slots of a ring: a power of two.
#[cfg(not(loom))]
pub(crate) const SLOTS: usize = 256;
#[cfg(loom)]
pub(crate) const SLOTS: usize = 2;

/// An event in a slot. Relaxed, or plain: `head` and `tail` order the accesses.
#[derive(Default)]
pub(crate) struct Slot {
    user: AtomicU64,
    /// See `pack`.
    outcome: AtomicU64,
}

/// Result and errno of an event in one word (`RawEvent::of_words`).
#[inline(always)]
pub(crate) fn pack(result: u32, errno: i32) -> u64 {
    u64::from(result) | u64::from(errno as u32) << 32
}

/// What `pack` has put into one word.
#[inline(always)]
pub(crate) fn unpack(outcome: u64) -> (i32, i32) {
    (outcome as i32, (outcome >> 32) as i32)
}

impl Slot {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Slot {
        Slot { user: AtomicU64::new(0), outcome: AtomicU64::new(0) }
    }
}

/// See the module's head.
#[derive(Default)]
pub(crate) struct Ring {
    head: AtomicU32,
    tail: AtomicU32,
    /// How many events may be in it: 0 while it must not be used, else SLOTS.
    limit: AtomicU32,
}

impl Ring {
    /// Whether the owner may put an event in now. There stays room until it does, also if others close the ring to it
    /// meanwhile: their events are not of the descriptor whose lock it holds.
    #[inline(always)]
    pub(crate) fn has_room<A: Access>(&self) -> bool {
        if A::SOLE {
            // SAFETY: no other thread reaches it meanwhile.
            return unsafe { plain32(&self.tail).wrapping_sub(plain32(&self.head)) < plain32(&self.limit) };
        }
        // Relaxed: only the owner writes `tail`; `limit` is set to 0 under the lock of the attachment whose event must
        // not overtake, which the owner holds too. Acquire pairs with the store in `take`: a slot has been read before
        // it is written again.
        let used = self.tail.load(Ordering::Relaxed).wrapping_sub(self.head.load(Ordering::Acquire));
        used < self.limit.load(Ordering::Relaxed)
    }

    /// The owner puts an event in, for which there is room. Returns its number, and whether the ring was empty: then
    /// the lane must be marked.
    #[inline(always)]
    pub(crate) fn put<A: Access>(&self, slots: &[Slot; SLOTS], user: u64, outcome: u64) -> (u32, bool) {
        // SAFETY: only the owner writes `tail`.
        let tail = unsafe { plain32(&self.tail) };
        if let Some(slot) = slots.get(tail as usize % SLOTS) {
            slot.user.store(user, Ordering::Relaxed);
            slot.outcome.store(outcome, Ordering::Relaxed);
        }
        if A::SOLE {
            // Relaxed: there is no taker now.
            self.tail.store(self.tail.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            // SAFETY: so no thread writes it.
            return (tail, unsafe { plain32(&self.head) } == tail);
        }
        self.tail.swap(tail.wrapping_add(1), Ordering::SeqCst);
        in_order();
        (tail, self.head.load(Ordering::SeqCst) == tail)
    }

    /// The same for several events, of user pointer and outcome, as far as there is room: how many, and whether the
    /// lane must be marked.
    pub(crate) fn put_all(
        &self,
        slots: &[Slot; SLOTS],
        events: impl Iterator<Item = (u64, u64)>,
    ) -> (usize, bool) {
        // Relaxed and Acquire: as in `has_room`.
        let tail = self.tail.load(Ordering::Relaxed);
        let used = tail.wrapping_sub(self.head.load(Ordering::Acquire));
        let room = self.limit.load(Ordering::Relaxed).saturating_sub(used);
        let mut number = tail;
        for (user, outcome) in events.take(room as usize) {
            if let Some(slot) = slots.get(number as usize % SLOTS) {
                slot.user.store(user, Ordering::Relaxed);
                slot.outcome.store(outcome, Ordering::Relaxed);
            }
            number = number.wrapping_add(1);
        }
        if number == tail {
            return (0, false);
        }
        self.tail.swap(number, Ordering::SeqCst);
        in_order();
        let head = self.head.load(Ordering::SeqCst);
        // A taker that was late may have taken some of them, without a mark, and left others.
        let all_before_are_gone = head.wrapping_sub(tail) as i32 >= 0;
        (number.wrapping_sub(tail) as usize, all_before_are_gone && head != number)
    }

    /// Takes out as many events as there are and `room` has slots, with the lane locked; `make` makes them of user
    /// pointer and outcome. Returns how many.
    #[inline(always)]
    pub(crate) fn take<A: Access, T>(
        &self,
        slots: &[Slot; SLOTS],
        room: &mut [MaybeUninit<T>],
        make: impl Fn(u64, u64) -> T,
    ) -> usize {
        // SAFETY: written under the lock.
        let head = unsafe { plain32(&self.head) };
        // SeqCst, and so Acquire: pairs with the swap in `put`.
        // SAFETY: a thread that goes alone is the owner, which alone writes it.
        let tail = if A::SOLE { unsafe { plain32(&self.tail) } } else { self.tail.load(Ordering::SeqCst) };
        // SAFETY: the slots from `head` to `tail` are written when all others are out of the ring.
        let event = |slot: &Slot| make(unsafe { plain64(&slot.user) }, unsafe { plain64(&slot.outcome) });
        let count = (tail.wrapping_sub(head) as usize).min(room.len());
        let (after, before) = slots.split_at(head as usize % SLOTS);
        let (here, round) = room.split_at_mut(count.min(before.len()));
        for (to, slot) in here.iter_mut().zip(before) {
            to.write(event(slot));
        }
        for (to, slot) in round.iter_mut().zip(after).take(count - here.len()) {
            to.write(event(slot));
        }
        let head = head.wrapping_add(count as u32);
        if A::SOLE {
            // Relaxed: no thread puts anything in now.
            self.head.store(head, Ordering::Relaxed);
        } else if count > 0 {
            self.head.store(head, Ordering::SeqCst);
        }
        count
    }

    /// Takes the only event out that is there, by the owner, which goes alone: user pointer and outcome. `None` if
    /// there is none, or more than one.
    #[inline(always)]
    pub(crate) fn take_only(&self, slots: &[Slot; SLOTS]) -> Option<(u64, u64)> {
        // SAFETY: no other thread reaches it meanwhile.
        let (head, tail) = unsafe { (plain32(&self.head), plain32(&self.tail)) };
        if tail != head.wrapping_add(1) {
            return None;
        }
        let slot = slots.get(head as usize % SLOTS)?;
        // Relaxed: no thread puts anything in now.
        self.head.store(tail, Ordering::Relaxed);
        // SAFETY: as above.
        Some(unsafe { (plain64(&slot.user), plain64(&slot.outcome)) })
    }

    /// Takes everything out, with the lane locked; returns how many events there were.
    pub(crate) fn clear(&self) -> usize {
        let head = self.head.load(Ordering::Relaxed);
        let tail = self.tail.load(Ordering::SeqCst);
        self.head.store(tail, Ordering::SeqCst);
        tail.wrapping_sub(head) as usize
    }

    /// Whether nothing is in it. Exact for takers after they have taken the mark away, and for the owner.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.tail.load(Ordering::SeqCst) == self.head.load(Ordering::SeqCst)
    }

    /// Whether the event with this number is still in it.
    #[inline]
    pub(crate) fn holds(&self, number: u32) -> bool {
        // Relaxed: a hint outside the lane's lock, exact inside.
        (number.wrapping_sub(self.head.load(Ordering::Relaxed)) as i32) >= 0
    }

    /// The number of the event that was put in last.
    pub(crate) fn newest(&self) -> u32 {
        // Relaxed: for the owner, and for threads that come after it.
        self.tail.load(Ordering::Relaxed).wrapping_sub(1)
    }

    /// The number of the event that was taken out last.
    pub(crate) fn newest_taken(&self) -> u32 {
        self.taken().wrapping_sub(1)
    }

    /// How many events have been taken out.
    pub(crate) fn taken(&self) -> u32 {
        self.head.load(Ordering::Relaxed)
    }

    /// Whether the owner may use the ring, and the list is empty. With the lane locked, or alone.
    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        // Relaxed: see `put`.
        self.limit.load(Ordering::Relaxed) != 0
    }

    /// Lets the owner use the ring, or has it use the list. With the lane locked.
    #[inline]
    pub(crate) fn allow(&self, allowed: bool) {
        // Relaxed: see `put`.
        self.limit.store(if allowed { SLOTS as u32 } else { 0 }, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::access::Shared;

    fn slots() -> Box<[Slot; SLOTS]> {
        Box::new(core::array::from_fn(|_| Slot::default()))
    }

    fn taken(ring: &Ring, slots: &[Slot; SLOTS], most: usize) -> Vec<(u64, u64)> {
        let mut room = vec![MaybeUninit::uninit(); most];
        let n = ring.take::<Shared, _>(slots, &mut room, |user, outcome| (user, outcome));
        // SAFETY: the first `n` are written.
        room.iter().take(n).map(|event| unsafe { event.assume_init() }).collect()
    }

    #[test]
    fn events_come_out_in_order_round_and_round() {
        let (ring, slots) = (Ring::default(), slots());
        assert!(!ring.has_room::<Shared>());
        ring.allow(true);
        for round in 0..300u64 {
            for i in 0..5 {
                let number = (round * 5 + i) as u32;
                assert!(ring.has_room::<Shared>());
                assert_eq!(ring.put::<Shared>(&slots, i, round), (number, i == 0));
                assert!(ring.holds(number));
            }
            assert_eq!(taken(&ring, &slots, 2), [(0, round), (1, round)]);
            assert!(!ring.is_empty());
            assert_eq!(taken(&ring, &slots, 99), [(2, round), (3, round), (4, round)]);
            assert!(ring.is_empty() && !ring.holds(round as u32 * 5 + 4));
        }
    }

    #[test]
    fn a_full_ring_takes_nothing_more() {
        let (ring, slots) = (Ring::default(), slots());
        ring.allow(true);
        for i in 0..SLOTS as u64 {
            assert!(ring.has_room::<Shared>());
            ring.put::<Shared>(&slots, i, 0);
        }
        assert!(!ring.has_room::<Shared>());
        assert_eq!(taken(&ring, &slots, 1), [(0, 0)]);
        assert!(ring.has_room::<Shared>());
        assert_eq!(ring.put::<Shared>(&slots, 7, 0), (SLOTS as u32, false));
        ring.allow(false);
        assert!(!ring.has_room::<Shared>());
        assert_eq!(taken(&ring, &slots, 2 * SLOTS).last(), Some(&(7, 0)));
    }
}
