//! The way of a completion to the thread that harvests it.

use super::{observed, other_end};
use crate::event::RawEvent;
use crate::queue::counts::Count;
use crate::queue::lane::{LISTED, Lane};
use crate::queue::lanes::COMMON;
use crate::queue::op::{Completion, Kind, OWN_OTHER, OpRef, Ops};
use crate::queue::ring_accepts::ACCEPTED;
use crate::state::attachment::{Inside, Locked};
use crate::state::pipe::Pipe;
use crate::state::{private, probes, world};
use crate::sync::access::Shared;
use crate::sync::ring;
use crate::sys::{Result, observers};
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// Where the completions go that a thread causes: a thread that harvests hands them out itself, while it has room; else
/// they go into its own lane if it is one that harvests the pipe, and into the common one if not.
pub(crate) struct Completions<'a> {
    pub(crate) pipe: &'static Pipe,
    lane: u32,
    /// The thread is in a harvest and will look at its lane before it leaves.
    harvesting: bool,
    /// What is left of the room: where the next event goes, and where it ends.
    next: Cell<*mut RawEvent>,
    end: Cell<*mut RawEvent>,
    _room: PhantomData<&'a mut [MaybeUninit<RawEvent>]>,
}

impl<'a> Completions<'a> {
    /// For a thread that calls from outside a harvest.
    #[inline(always)]
    pub(crate) fn of_thread(pipe: &'static Pipe) -> Completions<'a> {
        Self::new(pipe, pipe.queue.lanes.find().unwrap_or(COMMON), false)
    }

    /// For a thread of the library's own. It never harvests; if a thread that did had the same thread pointer before
    /// it, that one's lane is not for it.
    pub(crate) fn common(pipe: &'static Pipe) -> Completions<'a> {
        Self::new(pipe, COMMON, false)
    }

    /// For a thread that harvests `pipe` and whose lane is `lane`.
    #[inline]
    pub(crate) fn of_harvest(pipe: &'static Pipe, lane: u32) -> Completions<'a> {
        Self::new(pipe, lane, true)
    }

    #[inline(always)]
    fn new(pipe: &'static Pipe, lane: u32, harvesting: bool) -> Completions<'a> {
        Completions {
            pipe,
            lane,
            harvesting,
            next: Cell::new(null_mut()),
            end: Cell::new(null_mut()),
            _room: PhantomData,
        }
    }

    /// Gives the harvest room to hand events out at once. Its lane is empty, so none overtakes another.
    #[inline]
    pub(crate) fn set_room(&self, room: &'a mut [MaybeUninit<RawEvent>]) {
        let room = room.as_mut_ptr_range();
        self.next.set(room.start.cast());
        self.end.set(room.end.cast());
    }

    /// Takes the room back that is left.
    #[inline]
    pub(crate) fn take_room(&self) -> &'a mut [MaybeUninit<RawEvent>] {
        let next = self.next.replace(null_mut());
        let end = self.end.replace(null_mut());
        if next.is_null() {
            return &mut [];
        }
        // SAFETY: what is left of the room that `set_room` was given, which no other code can reach during 'a.
        unsafe { core::slice::from_raw_parts_mut(next.cast(), end.offset_from(next) as usize) }
    }

    /// Hands an event out at once, if there is room. It must not overtake one of the same descriptor: `must_follow`.
    #[inline(always)]
    pub(crate) fn write(&self, event: RawEvent) -> bool {
        let next = self.next.get();
        if next == self.end.get() {
            return false;
        }
        // SAFETY: between `set_room` and `take_room` all from `next` to `end` is room; otherwise the two are equal.
        unsafe {
            next.write(event);
            self.next.set(next.add(1));
        }
        true
    }

    #[inline(always)]
    fn lane(&self) -> &'static Lane {
        self.pipe.queue.lanes.get(self.lane)
    }

    fn ops(&self) -> &'static Ops {
        self.pipe.ops()
    }

    /// Counts something that the calling thread has done.
    #[inline]
    pub(crate) fn count(&self, what: Count, n: u64) {
        // The common lane is no thread's.
        if self.lane == COMMON || !self.lane().count(what, n) {
            self.pipe.queue.counts.0.add(what, n);
        }
    }

    /// Counts an operation that was queued.
    #[inline]
    pub(crate) fn count_queued(&self, kind: Kind) {
        if let Some(what) = Count::of(kind) {
            self.count(what, 1);
        }
    }

    /// A free node.
    #[inline(always)]
    pub(crate) fn take_free(&self) -> Result<OpRef> {
        if self.lane == COMMON {
            return self.take_common();
        }
        self.lane().stock().take(self.ops())
    }

    #[cold]
    fn take_common(&self) -> Result<OpRef> {
        let _lock = self.lane().lock();
        self.lane().stock().take(self.ops())
    }

    /// Takes a node back.
    #[inline(always)]
    pub(crate) fn give_free(&self, op: OpRef) {
        if self.lane == COMMON {
            return self.give_common(op);
        }
        self.lane().stock().give(op);
    }

    #[cold]
    fn give_common(&self, op: OpRef) {
        let _lock = self.lane().lock();
        self.lane().stock().give(op);
    }

    /// The operation, which is in no queue any more, is complete.
    ///
    /// Its event goes where the out leads, unless the newest event of the same descriptor is still in another lane:
    /// then it follows it there, so that events of one descriptor are handed out in their order (rule 2.5).
    #[inline(never)]
    pub(crate) fn complete(&self, attachment: &Locked, op: OpRef, completion: Completion) {
        let Completion { value, errno } = completion;
        probes::complete(attachment, op.user.get(), ring::pack(value, errno));
        if op.holds_more() {
            self.release(attachment, op);
        }
        if observers::of_memory() {
            observed::complete(op, completion);
        }
        let ours = attachment.pipe().is_some_and(|pipe| core::ptr::eq(pipe, self.pipe))
            && op.pipe.get() == self.pipe.index();
        if ours && !self.must_follow(attachment) {
            if self.write(RawEvent { user: op.user.get() as *mut _, result: value as i32, errno }) {
                if observers::of_memory() {
                    observed::harvest(op, completion);
                }
                return self.give_free(op);
            }
            Self::keep(op, completion);
            return self.push(attachment, op);
        }
        Self::keep(op, completion);
        self.complete_elsewhere(attachment, op, ours);
    }

    /// Makes it its event, which waits for its reader. The descriptor of an accept is the library's until then.
    #[inline(always)]
    fn keep(op: OpRef, completion: Completion) {
        op.set_outcome(completion);
        if op.kind.get() == Kind::Accept && op.done.get() as i32 >= 0 {
            private::accepted(op.done.get() as i32);
        }
    }

    /// Gives back what an operation holds beside its node.
    #[cold]
    fn release(&self, attachment: &Locked, op: OpRef) {
        if op.has(OWN_OTHER) {
            // While it waited for the other descriptor, it was not known whether this one was ready.
            attachment.assume_ready();
        }
        other_end::release(op);
    }

    /// A timer is complete: its event goes into the common lane, where those of all threads come one after the other.
    /// Returns whether that was empty; then `announce_common` is to follow.
    pub(crate) fn ready_timer(&self, op: OpRef, result: Result<usize>) -> bool {
        let completion = Completion::from(result);
        op.set_outcome(completion);
        let outcome = ring::pack(completion.value, completion.errno);
        probes::complete_timer(self.pipe, op.user.get(), outcome);
        self.pipe.queue.put(COMMON, op).1
    }

    /// Events were put into the common lane, which was empty.
    pub(crate) fn announce_common(&self) {
        if !self.harvesting {
            self.pipe.announce(COMMON);
        }
    }

    /// Puts an event into the thread's lane: into its ring if it can, so that this stays open for others.
    #[inline]
    pub(crate) fn push(&self, attachment: &Locked, op: OpRef) {
        // Those that look at an operation know it by its node until it is harvested.
        let goes_into_ring =
            self.lane != COMMON && self.lane().ring.has_room::<Shared>() && !observers::of_memory();
        let ((number, was_empty), place) = if goes_into_ring {
            let (user, result, mut errno) = (op.user.get(), op.done.get(), op.arg.get());
            if op.kind.get() == Kind::Accept && result as i32 >= 0 {
                // Its descriptor has to be closed if its event is never read.
                self.lane().accepts.expect();
                errno = ACCEPTED;
            }
            self.give_free(op);
            (self.pipe.queue.put_into_ring(self.lane, user, result, errno), self.lane)
        } else {
            (self.pipe.queue.put(self.lane, op), self.lane | LISTED)
        };
        attachment.set_newest(place, number);
        if was_empty && !self.harvesting {
            self.pipe.announce(self.lane);
        }
    }

    /// Puts the event of an operation that has no node into the ring of the lane where the events of its descriptor go;
    /// the ring has room.
    pub(crate) fn put_into_ring(&self, attachment: &Inside, user: usize, completion: Completion) {
        let lane = attachment.newest_lane();
        let Completion { value, errno } = completion;
        probes::complete(attachment, user, ring::pack(value, errno));
        let (number, was_empty) = self.pipe.queue.put_into_ring(lane, user, value, errno);
        attachment.set_newest(lane, number);
        if was_empty {
            self.pipe.announce(lane);
        }
    }

    /// Whether an event can be handed out at once.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.next.get() != self.end.get()
    }

    /// Whether it is the thread that holds the bias that harvests.
    pub(crate) fn is_home(&self) -> bool {
        self.harvesting && self.pipe.queue.lanes.home_number() == Some(self.lane)
    }

    /// Whether an event of the descriptor may not go into the thread's lane, because an earlier one is in another.
    #[inline(always)]
    pub(crate) fn must_follow(&self, attachment: &Inside) -> bool {
        attachment.newest_lane() != self.lane
            && self.pipe.queue.lanes.holds(attachment.newest_place(), attachment.newest_number())
    }

    #[cold]
    #[inline(never)]
    fn complete_elsewhere(&self, attachment: &Locked, op: OpRef, ours: bool) {
        if !ours {
            // The event belongs to a pipe that the descriptor was attached to before.
            if let Some(pipe) = world::pipe(op.pipe.get()) {
                pipe.put_common(op);
            }
            return;
        }
        let number = attachment.newest_number();
        let place = attachment.newest_place();
        let locked = self.pipe.queue.lanes.get(place & !LISTED).lock();
        if locked.holds(place, number) {
            // The lane holds an event, so a thread has been told of it already.
            attachment.set_newest(place | LISTED, locked.push(op).0);
            return;
        }
        drop(locked);
        self.push(attachment, op);
    }
}
