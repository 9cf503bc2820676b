//! Park and unpark: which thread is woken for an event that was put into a lane.
//!
//! # Protocol
//!
//! *Lanes* hold ready events. A lane is *active* while the thread that owns it comes back to harvest it; the common
//! lane, which no thread owns, never is. Events in an active lane are its owner's to take, and other threads leave them
//! to it for a while; events in any other lane can be *stolen*: they are for whichever thread comes first. On a
//! pollable pipe (rule 3.6) the events of all lanes are for all threads.
//!
//! *The waker* makes one thread that waits in the engine return, or the next one that comes to wait; it also makes the
//! pipe's descriptor readable. `pending` is set while it has been used and no thread has heard it yet, so that it is
//! used once for many events. *The steal timer* makes one waiting thread return some milliseconds after it was started;
//! `ticking` is set from then until a thread hears it. That thread looks for active lanes whose owners have taken
//! nothing since the tick before, and makes them inactive: so an idle thread takes over from a busy one (rule 3.3).
//!
//! A thread that puts an event into an empty lane sets the lane's bit in `filled`, *then* looks at `waiters`: if a
//! thread waits, it wakes one, or for an active lane sees to it that the steal timer runs. A thread that is about to
//! wait counts itself among `waiters`, *then* looks at `filled`: if there is something to take, it does not wait; if
//! there is something in an active lane, it sees to it that the steal timer runs. All four accesses are SeqCst, so at
//! least one of the two threads sees the other: no wake-up is lost. An event put into a lane that already holds some
//! needs no wake-up of its own: a thread that leaves a harvest looks at `filled` once more and, if something is left
//! for others and a thread waits, wakes one again.
//!
//! Waker and steal timer are heard in the kernel only. If all threads that wait are on standby (`waiters`), the one
//! that uses the waker also calls one of them, whether or not the waker was pending before; and for what has to be
//! taken over from a busy thread the watchdog calls them.
//!
//! A thread that hears the waker clears `pending`, *then* looks at `filled`; one that wakes sets the lane's bit, *then*
//! looks at `pending`. So either the first one sees the event, or the second one sees that nothing is pending and uses
//! the waker again.
//!
//! A thread that goes alone (`bias`) is the only one to change any of this, and needs no order.
//!
//! `tests/loom/` runs this file under loom.

use super::access::{Access, Shared, Sole};
use super::atomic::Ordering::{Relaxed, SeqCst};
use super::atomic::{AtomicBool, AtomicU64, in_order};
use super::recent::Recent;
use super::waiters::{Spot, Standby, Waiters};

/// What the kernel does for the protocol.
pub(crate) trait Waker: Standby {
    /// Makes one waiting thread return, now or when it next waits, and the pipe's descriptor readable.
    fn wake(&self);
    /// Makes one waiting thread return after the time of a tick.
    fn start_steal_timer(&self);
}

/// The state that the protocol shares.
#[derive(Default)]
pub(crate) struct Wake {
    /// A bit for each lane: it holds events. Set and cleared under the lane's lock.
    filled: AtomicU64,
    /// A bit for each lane: its owner harvests.
    active: AtomicU64,
    /// The threads that wait, or are about to.
    pub(crate) waiters: Waiters,
    /// The threads that have polled the kernel lately.
    pub(crate) recent: Recent,
    /// The waker was used, and no thread has heard it yet.
    pending: AtomicBool,
    ticking: AtomicBool,
}

/// What a thread that is about to wait is to do.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Park {
    /// To wait in the kernel, then call `unpark`.
    Wait,
    /// To wait on standby (`Waiters::wait_on_standby`), then call `unpark` if that has not failed.
    Standby,
    /// Not to wait: there is something to take.
    Take,
}

/// The bit of a lane.
#[inline(always)]
pub(crate) fn bit(lane: u32) -> u64 {
    1 << lane
}

impl Wake {
    /// The lane, empty until now, has got an event. Under its lock.
    #[inline(always)]
    pub(crate) fn fill<A: Access>(&self, bit: u64) {
        if A::SOLE {
            self.filled.store(self.filled.load(Relaxed) | bit, Relaxed);
        } else {
            self.filled.fetch_or(bit, SeqCst);
            in_order();
        }
    }

    /// The lane has become empty. Under its lock.
    #[inline(always)]
    pub(crate) fn empty<A: Access>(&self, bit: u64) {
        if A::SOLE {
            self.filled.store(self.filled.load(Relaxed) & !bit, Relaxed);
        } else {
            self.filled.fetch_and(!bit, SeqCst);
            in_order();
        }
    }

    /// The lane that holds events, which is the only one, has become empty.
    #[inline(always)]
    pub(crate) fn empty_all(&self, _: &Sole) {
        self.filled.store(0, Relaxed);
    }

    /// Whether the lane's owner harvests it.
    #[inline]
    pub(crate) fn is_active(&self, lane: u32) -> bool {
        self.active.load(SeqCst) & bit(lane) != 0
    }

    /// The lane's owner harvests it.
    #[inline]
    pub(crate) fn activate(&self, lane: u32) {
        if !self.is_active(lane) {
            self.active.fetch_or(bit(lane), SeqCst);
        }
    }

    /// The lane's owner is busy with something else: others take its events.
    pub(crate) fn deactivate(&self, lane: u32) {
        self.active.fetch_and(!bit(lane), SeqCst);
    }

    /// The lanes that hold events.
    #[inline]
    pub(crate) fn filled(&self) -> u64 {
        self.filled.load(SeqCst)
    }

    /// The lanes that hold events which the thread of lane `me` may take.
    #[inline]
    pub(crate) fn stealable(&self, me: u32, pollable: bool) -> u64 {
        let filled = self.filled();
        if filled == 0 || pollable {
            return filled;
        }
        filled & (bit(me) | !self.active.load(SeqCst))
    }

    /// An event was put into the empty `lane`, by a thread that is not about to harvest it.
    #[inline]
    pub(crate) fn announce(&self, lane: u32, pollable: bool, waker: &impl Waker) {
        if pollable {
            self.wake_one(waker);
        } else if self.waiters.any() {
            self.announce_to_waiter(lane, waker);
        }
    }

    #[cold]
    fn announce_to_waiter(&self, lane: u32, waker: &impl Waker) {
        if self.is_active(lane) { self.start_steal_timer(waker) } else { self.wake_one(waker) }
    }

    /// Uses the waker, unless it is pending; and calls a thread on standby, if none waits in the kernel.
    pub(crate) fn wake_one(&self, waker: &impl Waker) {
        if !self.pending.load(SeqCst) && !self.pending.swap(true, SeqCst) {
            waker.wake();
        }
        self.waiters.call_if_needed(waker);
    }

    fn start_steal_timer(&self, waker: &impl Waker) {
        if !self.ticking.load(SeqCst) && !self.ticking.swap(true, SeqCst) {
            waker.start_steal_timer();
        }
    }

    /// The waker was heard. Look at the lanes after this.
    pub(crate) fn heard(&self) {
        self.pending.store(false, SeqCst);
        in_order();
    }

    /// The tick was heard. Look at the lanes after this.
    pub(crate) fn ticked(&self) {
        self.ticking.store(false, SeqCst);
        in_order();
    }

    /// Starts the steal timer again if active lanes other than `me` still hold events.
    pub(crate) fn tick_on(&self, me: u32, waker: &impl Waker) {
        if self.filled() & self.active.load(SeqCst) & !bit(me) != 0 {
            self.start_steal_timer(waker);
        }
    }

    /// The thread of lane `me` has nothing to do and is about to wait.
    #[inline]
    pub(crate) fn park(&self, me: u32, pollable: bool, waker: &impl Waker) -> Park {
        let spot = self.waiters.add(pollable);
        in_order();
        if self.filled() != 0 {
            if self.stealable(me, pollable) != 0 {
                self.unpark_at(spot, waker);
                return Park::Take;
            }
            self.start_steal_timer(waker);
        }
        match spot {
            Spot::Kernel => Park::Wait,
            Spot::Standby => Park::Standby,
        }
    }

    /// A thread that was about to wait at this spot does not.
    #[inline]
    fn unpark_at(&self, spot: Spot, waker: &impl Waker) {
        match spot {
            Spot::Kernel => self.unpark::<Shared>(),
            Spot::Standby => self.waiters.step_out(waker),
        }
    }

    /// A thread that waited in the kernel, or was called, does so no longer.
    #[inline(always)]
    pub(crate) fn unpark<A: Access>(&self) {
        self.waiters.remove::<A>();
    }

    /// A thread that goes alone has nothing to do, and no lane holds anything: it is about to
    /// wait, and calls `unpark` then.
    #[inline(always)]
    pub(crate) fn park_sole(&self, _: &Sole) {
        self.waiters.add_sole();
    }

    /// A thread leaves its harvest, with or without events: what it leaves behind is for others.
    #[inline]
    pub(crate) fn leave(&self, pollable: bool, waker: &impl Waker) {
        if !pollable && !self.waiters.any() {
            return;
        }
        let filled = self.filled();
        if filled == 0 {
            return;
        }
        if pollable || filled & !self.active.load(SeqCst) != 0 {
            self.wake_one(waker);
        } else {
            // Its own lane may be among them: it may be busy for long with what it takes along.
            self.start_steal_timer(waker);
        }
    }

    /// Back to the beginning. No thread uses the pipe.
    pub(crate) fn reset(&self) {
        self.filled.store(0, SeqCst);
        self.active.store(0, SeqCst);
        self.pending.store(false, SeqCst);
        self.ticking.store(false, SeqCst);
        self.waiters.let_one_wait(false);
    }
}
