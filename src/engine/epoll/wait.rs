//! A look into the kernel: a wait for edges, and what is made of them.

use super::edge;
use crate::engine::completions::Completions;
use crate::engine::{Handled, Heard, times};
use crate::event::RawEvent;
use crate::queue::lane::{Lane, MOST_EDGES as BATCH};
use crate::state::attachment::{HERE, SLOT};
use crate::state::pipe::Pipe;
use crate::state::poller::{ALARM, HOLD, Poller, WAKER};
use crate::state::probes;
use crate::state::table;
use crate::sync::access::{Shared, Sole};
use crate::sys::epoll::Event as Edge;
use crate::sys::{Result, epoll as sys};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::slice::IterMut;

/// What one wait has brought.
pub(crate) struct Found {
    edges: [MaybeUninit<Edge>; BATCH],
    /// How many, from the first on, the kernel has written; or -errno.
    answer: isize,
}

impl Default for Found {
    #[inline(always)]
    fn default() -> Found {
        Found { edges: [const { MaybeUninit::uninit() }; BATCH], answer: 0 }
    }
}

impl Found {
    /// The edges, without the first `from`.
    #[inline(always)]
    pub(super) fn edges(&self, from: usize) -> &[Edge] {
        // SAFETY: so many have been written.
        let edges = unsafe { core::slice::from_raw_parts(self.edges.as_ptr().cast::<Edge>(), self.count()) };
        edges.get(from..).unwrap_or(&[])
    }

    #[inline(always)]
    fn count(&self) -> usize {
        self.answer.max(0) as usize
    }

    /// The edge, if it is only one.
    #[inline(always)]
    pub(super) fn only(&self) -> Option<&Edge> {
        if self.answer != 1 {
            return None;
        }
        // SAFETY: one has been written.
        self.edges.first().map(|edge| unsafe { edge.assume_init_ref() })
    }
}

impl Poller {
    /// `Engine::wait`.
    pub(super) fn wait_for_edges(
        &self,
        found: &mut Found,
        most: usize,
        timeout: Option<u64>,
    ) -> Result<usize> {
        let room = found.edges.get_mut(..most.clamp(1, BATCH)).unwrap_or(&mut []);
        let count = sys::wait(self.epfd(), room, timeout)?.len();
        found.answer = count as isize;
        Ok(count)
    }

    /// `Engine::wait_plainly`.
    #[inline(always)]
    pub(super) fn wait_for_edges_plainly(&self, found: &mut Found, most: usize, waits: bool) -> isize {
        debug_assert!(most <= BATCH);
        // SAFETY: it is at most `Engine::MOST` (see there).
        let room = unsafe { found.edges.get_unchecked_mut(..most) };
        found.answer = sys::wait_plainly(self.epfd(), room, waits);
        found.answer
    }

    /// `Engine::handle`.
    #[inline]
    pub(super) fn handle_edges(&self, found: &Found, from: usize, out: &Completions) -> Heard {
        let mut heard = Heard { count: found.count(), ..Heard::default() };
        for edge in found.edges(from) {
            if !Self::hand_out(edge, out) {
                self.other_edge(edge, out, &mut heard);
            }
        }
        heard
    }

    /// Hands the event of the operation in the slot out at once, if it is complete and there is room; or writes down
    /// that there is something, if nothing waits for it. False: nothing was done.
    #[inline(always)]
    fn hand_out(edge: &Edge, out: &Completions) -> bool {
        let Some((node, generation)) = table::by_word(edge.u64) else { return false };
        let attachment = node.lock_quietly();
        if !attachment.has(SLOT) {
            return edge::note(&attachment, generation, edge.events);
        }
        // The room is given out when the lane is empty: with HERE, nothing of the descriptor is before this then.
        let is_next = if attachment.has(HERE) { out.is_home() } else { !out.must_follow(&attachment) };
        if !out.has_room() || !is_next {
            return false;
        }
        let outcome = edge::take::<Shared, false>(&attachment, generation, edge.events, SLOT);
        if outcome == edge::NOTHING {
            return false;
        }
        probes::complete(&attachment, attachment.slot_user(), outcome);
        out.write(RawEvent::of_words(attachment.slot_user() as u64, outcome))
    }

    /// `Engine::handle_shared`. (A function of its own, so that it has all registers for itself.)
    #[inline(never)]
    pub(super) fn handle_edges_shared(
        edges: &[Edge],
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut [MaybeUninit<RawEvent>],
    ) -> Handled {
        let most = room.len();
        let mut room = room.iter_mut();
        let mut rest = edges;
        while let [edge, others @ ..] = rest {
            if !Self::hand_out_to(edge, pipe, lane, &mut room) {
                break;
            }
            rest = others;
        }
        Handled { things: edges.len() - rest.len(), events: most - room.len() }
    }

    /// The same for one edge. False: nothing was done.
    #[inline(always)]
    fn hand_out_to(
        edge: &Edge,
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut IterMut<MaybeUninit<RawEvent>>,
    ) -> bool {
        let Some(node) = table::near(edge.u64 as u32 as c_int) else { return false };
        let generation = (edge.u64 >> 32) as u32;
        let attachment = node.lock_quietly();
        if attachment.bits() & (SLOT | HERE) != SLOT {
            return edge::note(&attachment, generation, edge.events);
        }
        if attachment.newest_lane() != lane.index() {
            if pipe.queue.lanes.holds(attachment.newest_place(), attachment.newest_number()) {
                return false;
            }
            // The next event will come from the same thread, most likely. As if this one was the last that was taken
            // out of the ring.
            attachment.set_newest(lane.index(), lane.ring.newest_taken());
        }
        if room.len() == 0 {
            return false;
        }
        let outcome = edge::take::<Shared, false>(&attachment, generation, edge.events, SLOT);
        if outcome == edge::NOTHING {
            return false;
        }
        probes::complete(&attachment, attachment.slot_user(), outcome);
        if let Some(to) = room.next() {
            to.write(RawEvent::of_words(attachment.slot_user() as u64, outcome));
        }
        true
    }

    /// `Engine::handle_sole`.
    #[inline(always)]
    pub(super) fn handle_edges_sole(
        sole: &Sole,
        edges: &[Edge],
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut [MaybeUninit<RawEvent>],
    ) -> Handled {
        let mut bytes = 0u32;
        let mut handled = Self::handle_run::<true>(sole, edges, room, &mut bytes);
        if handled < edges.len() {
            handled = Self::handle_others(sole, edges, room, &mut bytes, handled);
        }
        lane.learn(bytes as usize);
        if handled < edges.len() {
            return Self::handle_more(sole, edges, pipe, lane, handled);
        }
        Handled { things: handled, events: handled }
    }

    /// Handles edges, from the first on, as long as each completes the operation in its slot. `PLAIN`: and as long as
    /// all are plain reads. How many; their bytes are added to `bytes`.
    #[inline(always)]
    fn handle_run<const PLAIN: bool>(
        sole: &Sole,
        edges: &[Edge],
        room: &mut [MaybeUninit<RawEvent>],
        bytes: &mut u32,
    ) -> usize {
        let first = room.as_mut_ptr().cast::<RawEvent>();
        let mut next = first;
        let mut sum = 0u32;
        for edge in edges.get(..room.len()).unwrap_or(edges) {
            let Some(event) = Self::event_of::<PLAIN>(sole, edge) else { break };
            sum = sum.wrapping_add(event.result as u32);
            // SAFETY: no more events than the room has slots.
            unsafe {
                next.write(event);
                next = next.add(1);
            }
        }
        *bytes = bytes.wrapping_add(sum);
        // SAFETY: both are of the room.
        unsafe { next.offset_from(first) as usize }
    }

    /// Goes on behind the first `handled` where not all are plain reads.
    #[inline(never)]
    fn handle_others(
        sole: &Sole,
        edges: &[Edge],
        room: &mut [MaybeUninit<RawEvent>],
        bytes: &mut u32,
        handled: usize,
    ) -> usize {
        match (edges.get(handled..), room.get_mut(handled..)) {
            (Some(edges), Some(room)) => handled + Self::handle_run::<false>(sole, edges, room, bytes),
            _ => handled,
        }
    }

    /// The event of the operation in the slot, for a thread that goes alone, if an edge completes it. `PLAIN`: and if
    /// it is a plain read.
    #[inline(always)]
    pub(super) fn event_of<const PLAIN: bool>(sole: &Sole, edge: &Edge) -> Option<RawEvent> {
        let attachment = table::near(edge.u64 as u32 as c_int)?.inside_of(sole);
        let generation = (edge.u64 >> 32) as u32;
        let outcome = edge::take::<Sole, PLAIN>(attachment, generation, edge.events, SLOT | HERE);
        if outcome == edge::NOTHING {
            return None;
        }
        probes::complete(attachment, attachment.slot_user(), outcome);
        Some(RawEvent::of_words(attachment.slot_user() as u64, outcome))
    }

    /// Goes on where there is no room any more: the events go into the ring of the lane.
    #[inline(never)]
    fn handle_more(
        sole: &Sole,
        edges: &[Edge],
        pipe: &'static Pipe,
        lane: &'static Lane,
        events: usize,
    ) -> Handled {
        let mut handled = events;
        for edge in edges.get(events..).unwrap_or(&[]) {
            let Some((node, generation)) = table::by_word(edge.u64) else { break };
            let attachment = node.inside_of(sole);
            if !lane.ring.has_room::<Sole>() {
                break;
            }
            let outcome = edge::take::<Sole, false>(attachment, generation, edge.events, SLOT | HERE);
            if outcome == edge::NOTHING {
                break;
            }
            probes::complete(attachment, attachment.slot_user(), outcome);
            pipe.put_sole(sole, lane, attachment.slot_user(), edge::for_ring(attachment, lane, outcome));
            handled += 1;
        }
        Handled { things: handled, events }
    }

    #[inline(never)]
    fn other_edge(&self, edge: &Edge, out: &Completions, heard: &mut Heard) {
        let (word, events) = (edge.u64, edge.events);
        match word {
            WAKER => out.pipe.queue.wake.0.heard(),
            ALARM => heard.tick |= times::alarm_went_off(out),
            HOLD => {}
            word => edge::handle(word, events, out),
        }
    }
}
