//! Sleep and wake: who is told of an event that was put into a lane.
//!
//! # Protocol
//!
//! *Lanes* hold ready events. A lane is *active* while the thread that owns it comes back to harvest it; lane 0, which
//! nobody owns, never is. Events in an active lane are its owner's to take, and the others leave them to it for a
//! while; events in any other lane are for whoever comes first. On a pollable pipe (rule 3.6) all lanes are for all.
//!
//! *The bell* makes one thread that waits in the engine return, or the next one that comes to wait; it also makes the
//! pipe's descriptor readable. `rung` is set while it has been rung and nobody has heard it yet, so that it is rung
//! once for many events. *The clock* makes one waiting thread return some milliseconds after it was started; `ticking`
//! is set from then until somebody hears it. Whoever hears it looks for active lanes whose owners have taken nothing
//! since the tick before, and makes them inactive: that is how an idle thread takes over from a busy one (rule 3.3).
//!
//! Who puts an event into an empty lane sets the lane's bit in `filled`, *then* looks at `sleepers`: if somebody
//! sleeps, it rings the bell, or for an active lane sees that the clock ticks. Who goes to sleep counts itself in
//! `sleepers`,
//! *then* looks at `filled`: if there is something to take, it does not sleep; if there is something in an active lane,
//! it sees that the clock ticks. All four accesses are SeqCst, so at least one of the two sees the other: no wake-up is
//! lost. An event put into a lane that already holds some needs no wake-up of its own: whoever leaves a harvest looks
//! at `filled` once more and, if something is left for others and somebody sleeps, rings again.
//!
//! Bell and clock are heard in the kernel only. If all that sleep do so in reserve (`sleepers`), who rings also calls
//! one of them, whether the bell was rung before or not; and for what has to be taken over from a busy thread the watch
//! calls them.
//!
//! Who hears the bell clears `rung`, *then* looks at `filled`; who rings sets the lane's bit, *then* looks at `rung`.
//! So either the hearer sees the event, or the ringer sees that the bell is free and rings it again.
//!
//! A thread that goes alone (`bias`) is the only one to change any of this, and needs no order.
//!
//! `tests/loom/` runs this file under loom.

use super::access::{Access, Shared, Sole};
use super::atomic::Ordering::{Relaxed, SeqCst};
use super::atomic::{AtomicBool, AtomicU64, in_order};
use super::standby::{Reserve, Sleepers, Spot};

/// What the engine does for the protocol.
pub(crate) trait Bell: Reserve {
    /// Makes one waiting thread return, now or when it next waits, and the pipe's descriptor readable.
    fn ring(&self);
    /// Makes one waiting thread return after the time of a tick.
    fn start_clock(&self);
}

/// The state that the protocol shares.
#[derive(Default)]
pub(crate) struct Wake {
    /// A bit for each lane: it holds events. Set and cleared under the lane's lock.
    filled: AtomicU64,
    /// A bit for each lane: its owner harvests.
    active: AtomicU64,
    /// The threads that wait, or are about to.
    pub(crate) sleepers: Sleepers,
    rung: AtomicBool,
    ticking: AtomicBool,
}

/// What a thread that wants to sleep finds.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Doze {
    /// Sleep, then call `awake`.
    Sleep,
    /// Stand by (`Sleepers::stand_by`), then call `awake` if that has not failed.
    StandBy,
    /// Do not: there is something to take.
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
    pub(crate) fn takeable(&self, me: u32, pollable: bool) -> u64 {
        let filled = self.filled();
        if filled == 0 || pollable {
            return filled;
        }
        filled & (bit(me) | !self.active.load(SeqCst))
    }

    /// An event was put into the empty `lane`, by a thread that is not about to harvest it.
    #[inline]
    pub(crate) fn announce(&self, lane: u32, pollable: bool, bell: &impl Bell) {
        if pollable {
            self.ring(bell);
        } else if self.sleepers.any() {
            self.announce_to_sleeper(lane, bell);
        }
    }

    #[cold]
    fn announce_to_sleeper(&self, lane: u32, bell: &impl Bell) {
        if self.is_active(lane) { self.start_clock(bell) } else { self.ring(bell) }
    }

    /// Rings unless the bell has been rung and nobody has heard it.
    pub(crate) fn ring(&self, bell: &impl Bell) {
        if !self.rung.load(SeqCst) && !self.rung.swap(true, SeqCst) {
            bell.ring();
        }
        self.sleepers.call_if_needed(bell);
    }

    fn start_clock(&self, bell: &impl Bell) {
        if !self.ticking.load(SeqCst) && !self.ticking.swap(true, SeqCst) {
            bell.start_clock();
        }
    }

    /// The bell was heard. Look at the lanes after this.
    pub(crate) fn heard(&self) {
        self.rung.store(false, SeqCst);
        in_order();
    }

    /// The tick was heard. Look at the lanes after this.
    pub(crate) fn ticked(&self) {
        self.ticking.store(false, SeqCst);
        in_order();
    }

    /// Starts the clock again if active lanes other than `me` still hold events.
    pub(crate) fn tick_on(&self, me: u32, bell: &impl Bell) {
        if self.filled() & self.active.load(SeqCst) & !bit(me) != 0 {
            self.start_clock(bell);
        }
    }

    /// The thread of lane `me` has nothing to do and wants to sleep.
    #[inline]
    pub(crate) fn doze(&self, me: u32, pollable: bool, bell: &impl Bell) -> Doze {
        let spot = self.sleepers.add(pollable);
        in_order();
        if self.filled() != 0 {
            if self.takeable(me, pollable) != 0 {
                self.get_up(spot, bell);
                return Doze::Take;
            }
            self.start_clock(bell);
        }
        match spot {
            Spot::Kernel => Doze::Sleep,
            Spot::Reserve => Doze::StandBy,
        }
    }

    /// A thread that was about to sleep at this spot does not.
    #[inline]
    fn get_up(&self, spot: Spot, bell: &impl Bell) {
        match spot {
            Spot::Kernel => self.awake::<Shared>(),
            Spot::Reserve => self.sleepers.step_out(bell),
        }
    }

    /// A thread that slept in the kernel, or was called, does so no longer.
    #[inline(always)]
    pub(crate) fn awake<A: Access>(&self) {
        self.sleepers.remove::<A>();
    }

    /// A thread that goes alone has nothing to do, and no lane holds anything: it goes to sleep, and calls `awake`
    /// then.
    #[inline(always)]
    pub(crate) fn doze_alone(&self, _: &Sole) {
        self.sleepers.add_alone();
    }

    /// A thread leaves its harvest, with or without events: what it leaves behind is for others.
    #[inline]
    pub(crate) fn leave(&self, pollable: bool, bell: &impl Bell) {
        if !pollable && !self.sleepers.any() {
            return;
        }
        let filled = self.filled();
        if filled == 0 {
            return;
        }
        if pollable || filled & !self.active.load(SeqCst) != 0 {
            self.ring(bell);
        } else {
            // Its own lane may be among them: it may be busy for long with what it takes along.
            self.start_clock(bell);
        }
    }

    /// Back to the beginning. Nobody uses the pipe.
    pub(crate) fn reset(&self) {
        self.filled.store(0, SeqCst);
        self.active.store(0, SeqCst);
        self.rung.store(false, SeqCst);
        self.ticking.store(false, SeqCst);
        self.sleepers.let_one_look(false);
    }
}
