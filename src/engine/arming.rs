//! Whether the fast path is open for a descriptor: what has to hold for it, and how the slow path finds things that the
//! fast path has left.

use super::limits;
use crate::queue::op::{OpRef, TIMED};
use crate::state::attachment::Attachment;
use crate::state::attachment::{
    HERE, INPUT_FREE, Inside, LEVEL, Locked, OUTPUT_FREE, PAUSED_INPUT, PAUSED_OUTPUT, POLL_ONLY,
    SEVERAL_PIPES, SLOT, WRITABLE,
};
use crate::state::file_class::Class;
use crate::state::pipe::Pipe;
use crate::state::slot::Slot;
use crate::state::table;
use crate::state::world;
use crate::sync::access;
use crate::sys::observers;
use core::ffi::c_int;

/// What only the fast path knows of. `disarm` clears it, the fast path keeps it true, `arm` finds out whether it holds.
const FAST: u16 = OUTPUT_FREE | INPUT_FREE | SLOT | HERE;

impl Attachment {
    /// Locks, for the slow path.
    #[inline]
    pub(crate) fn lock(&'static self) -> Locked {
        access::admit();
        let locked = self.lock_quietly();
        locked.disarm();
        locked
    }
}

/// The attachment of a number, locked, if it has one.
pub(crate) fn lock_attached(number: c_int) -> Option<Locked> {
    let locked = table::attached(number)?.lock();
    locked.is_attached().then_some(locked)
}

/// A node, locked, if it suits; else it is left as it was found.
pub(crate) fn lock_if(node: &'static Attachment, suits: impl FnOnce(&Locked) -> bool) -> Option<Locked> {
    let locked = node.lock();
    if suits(&locked) {
        return Some(locked);
    }
    locked.arm();
    None
}

/// A node, locked, if it is attached as far as C sees.
pub(crate) fn lock_for_c(node: &'static Attachment) -> Option<Locked> {
    lock_if(node, |locked| locked.word().is_attached_for_c())
}

impl Inside {
    /// Lets the events of the descriptor go into the lane of the thread that holds the bias, unless its newest is still
    /// elsewhere.
    pub(crate) fn come_here(&self) {
        if access::is_shared() {
            return;
        }
        let Some(pipe) = self.pipe() else { return };
        let Some(lane) = pipe.queue.lanes.home_number() else { return };
        if self.newest_place() == lane || !pipe.queue.lanes.holds(self.newest_place(), self.newest_number()) {
            self.mark(HERE);
        }
    }
}

impl Locked {
    /// Makes everything as the slow path expects it.
    #[inline]
    pub(crate) fn disarm(&self) {
        if self.has(FAST) {
            self.disarm_slow();
        }
    }

    fn disarm_slow(&self) {
        let slot = self.slot();
        let bits = self.bits();
        self.clear(FAST);
        if bits & (INPUT_FREE | SLOT) != 0 {
            // SAFETY: empty queues again.
            unsafe {
                self.input.hold(0);
                self.unordered.hold(0);
                self.output.hold(0);
            }
        }
        let Some(pipe) = self.pipe() else { return };
        if bits & HERE != 0 {
            if let Some(lane) = pipe.queue.lanes.home_number() {
                // As if the newest that has been put there were its own.
                self.set_newest(lane, pipe.queue.lanes.get(lane).ring.newest());
            }
        }
        if bits & SLOT != 0 {
            self.give_node(slot, pipe);
        }
    }

    /// Sees whether the next call can go the fast path. The slow path does this last.
    pub(crate) fn arm(&self) {
        if self.has(FAST | SEVERAL_PIPES | PAUSED_INPUT | PAUSED_OUTPUT)
            || !self.output.is_empty()
            || !self.unordered.is_empty()
            || !self.class.get().is_socket()
            || observers::are_there()
        {
            return;
        }
        let class = self.class.get();
        let is_free = self.has(WRITABLE) && class != Class::Deferred && !self.has(POLL_ONLY | LEVEL);
        let takes_output = is_free && class != Class::Fresh;
        let takes_input = self.input.is_empty()
            && class != Class::DatagramShut
            && if self.has(LEVEL) { !self.is_output_watched() } else { is_free };
        if takes_output {
            self.mark(OUTPUT_FREE);
        }
        if takes_input && self.reserve_node() {
            self.mark(INPUT_FREE);
        } else if is_free {
            self.move_only_into_slot();
        }
        if self.has(FAST) {
            self.come_here();
        }
    }

    /// Moves the only operation that waits for input into the slot, if it can be there.
    #[inline(always)]
    fn move_only_into_slot(&self) {
        let Some(op) = self.input.only() else { return };
        let Some(slot) = Slot::of(op) else { return };
        let slot = if op.has(TIMED) { limits::move_to_slot(self, op, slot) } else { Some(slot) };
        if let Some(slot) = slot {
            self.move_into_slot(op, slot);
        }
    }

    /// Sees to it that a node can be had for an operation in the slot.
    fn reserve_node(&self) -> bool {
        if !self.has_reserved() {
            if world::world().is_none_or(|world| world.ops.reserve().is_err()) {
                return false;
            }
            self.set_reserved(true);
        }
        true
    }

    /// The one operation that waits has a node, but can do without.
    fn move_into_slot(&self, op: OpRef, slot: Slot) {
        let Some(world) = world::world() else { return };
        self.input.pop();
        if self.has_reserved() {
            world.ops.give(op);
        } else {
            world.ops.give_reserved(op);
            self.set_reserved(true);
        }
        self.put_into_slot(slot);
        self.mark(SLOT);
    }

    /// Gives the operation in the slot a node, as the slow path expects it.
    #[cold]
    fn give_node(&self, slot: Slot, pipe: &'static Pipe) {
        let Some(op) = world::world().and_then(|world| world.ops.take_reserved()) else { return };
        self.set_reserved(false);
        op.fill(&slot.request(self.user.get()), self.user.get(), pipe.index());
        if slot.is_timed() {
            limits::move_to_node(self, op, slot);
        }
        self.queue(op.order()).push(op);
    }

    /// A node for the slot is not needed any more.
    pub(crate) fn give_up_reserved(&self) {
        if self.has_reserved() {
            if let Some(world) = world::world() {
                world.ops.give_up_reserved();
                self.set_reserved(false);
            }
        }
    }
}
