//! The queue of a pipe's events: its places, the lanes in which events wait, and which threads are woken.

use crate::queue::EIOEVENTFULL;
use crate::queue::counts::{Count, Counts};
use crate::queue::lane::{Lane, MOST_EDGES};
use crate::queue::lanes::Lanes;
use crate::queue::op::OpRef;
use crate::sync::access::{Access, Shared, Sole};
use crate::sync::apart::Apart;
use crate::sync::lock::Mutex;
use crate::sync::places::Places;
use crate::sync::ring;
use crate::sync::wake::{Wake, bit};
use crate::sys::{Errno, Result};
use core::ffi::c_int;

/// See the module's head.
pub(crate) struct EventQueue {
    pub(crate) lanes: Lanes,
    places: Apart<Places>,
    /// What is not counted in the lanes (`counts`).
    pub(crate) counts: Apart<Counts>,
    /// For threads that post (`calls::post`).
    pub(crate) posting: Apart<Mutex<()>>,
    pub(crate) wake: Apart<Wake>,
}

impl EventQueue {
    pub(crate) fn new() -> EventQueue {
        EventQueue {
            lanes: Lanes::new(),
            places: Apart(Places::new()),
            counts: Apart(Counts::new()),
            posting: Apart(Mutex::new(())),
            wake: Apart(Wake::default()),
        }
    }

    /// Takes up to `wanted` places; returns how many, at least one, or EIOEVENTFULL.
    #[inline]
    pub(crate) fn take_places(&self, wanted: usize) -> Result<usize> {
        match self.places.0.take(u32::try_from(wanted).unwrap_or(u32::MAX)) {
            0 => Err(EIOEVENTFULL),
            n => Ok(n as usize),
        }
    }

    /// The life of the pipe begins, with so many places. No other thread uses it.
    pub(crate) fn begin(&self, capacity: u32) {
        self.places.0.begin(capacity);
        self.counts.0.reset();
        self.lanes.iter().filter_map(Lane::counts).for_each(Counts::reset);
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> c_int {
        self.places.0.capacity() as c_int
    }

    /// How many places are taken.
    pub(crate) fn places_taken(&self) -> c_int {
        self.places.0.taken() as c_int
    }

    /// The most that were ever taken at once.
    pub(crate) fn most_places_taken(&self) -> u32 {
        self.places.0.most()
    }

    /// F_SETIOEVENTSZ: EBUSY if more places are taken (rule 3.8).
    pub(crate) fn set_capacity(&self, capacity: c_int) -> Result<c_int> {
        match u32::try_from(capacity) {
            Ok(places @ 1..) if self.places.0.resize(places) => Ok(capacity),
            Ok(1..) => Err(Errno::EBUSY),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Takes a place unless the queue is full or another thread takes one at the same time.
    #[inline(always)]
    pub(crate) fn take_place_at_once<A: Access>(&self) -> bool {
        self.places.0.take_at_once::<A>()
    }

    /// Gives places back.
    #[inline]
    pub(crate) fn give_places(&self, n: usize) {
        self.give_places_at_once::<Shared>(n);
    }

    /// The same on the fast path.
    #[inline(always)]
    pub(crate) fn give_places_at_once<A: Access>(&self, n: usize) {
        self.places.0.give::<A>(n as u32);
    }

    /// Gives places back whose events were harvested, by a thread that goes alone.
    #[inline(always)]
    pub(crate) fn harvested_sole(&self, _: &Sole, n: usize) {
        self.give_places_at_once::<Sole>(n);
        self.counts.0.add_alone(Count::Events, n as u64);
    }

    /// The same, by the thread of a lane.
    #[inline(always)]
    pub(crate) fn harvested_by(&self, lane: &Lane, n: usize) {
        self.give_places_at_once::<Shared>(n);
        self.count_in(lane, Count::Events, n as u64);
    }

    /// Counts something, by the thread of a lane.
    #[inline(always)]
    pub(crate) fn count_in(&self, lane: &Lane, what: Count, n: u64) {
        if !lane.count(what, n) {
            self.counts.0.add(what, n);
        }
    }

    /// Counts one. A thread that goes alone has it at hand.
    #[inline(always)]
    pub(crate) fn count<A: Access>(&self, what: Count) {
        if A::SOLE { self.counts.0.add_alone(what, 1) } else { self.count_shared(what) }
    }

    #[inline(never)]
    fn count_shared(&self, what: Count) {
        match self.lanes.find_at_once() {
            Some(lane) => self.count_in(self.lanes.get(lane), what, 1),
            None => self.counts.0.add(what, 1),
        }
    }

    /// Counts an operation whose event was put into the ring of this lane, the calling thread's own.
    #[inline(always)]
    pub(crate) fn count_put<A: Access>(&self, lane: &Lane, what: Count) {
        if A::SOLE { self.counts.0.add_alone(what, 1) } else { lane.count_in_use(what, 1) }
    }

    /// How often something was counted, wherever.
    pub(crate) fn counted(&self, what: Count) -> u64 {
        self.sum(|counts| counts.get(what))
    }

    /// How many places were taken for what is counted.
    pub(crate) fn counted_with_place(&self) -> u64 {
        self.sum(Counts::with_place)
    }

    fn sum(&self, of: impl Fn(&Counts) -> u64) -> u64 {
        let lanes = self.lanes.iter().filter_map(Lane::counts).map(&of);
        lanes.fold(of(&self.counts.0), u64::wrapping_add)
    }

    /// Puts an event into a lane; returns its number, and whether the lane was empty: then it must be announced.
    #[inline]
    pub(crate) fn put(&self, lane: u32, op: OpRef) -> (u32, bool) {
        let locked = self.lanes.get(lane).lock();
        let (number, was_empty) = locked.push(op);
        if was_empty {
            self.wake.0.fill::<Shared>(bit(lane));
        }
        (number, was_empty)
    }

    /// Puts an event into the ring of the calling thread's own lane, which has room; returns as `put`.
    pub(crate) fn put_into_ring(&self, lane: u32, user: usize, result: u32, errno: c_int) -> (u32, bool) {
        let here = self.lanes.get(lane);
        let (number, is_first) =
            here.ring.put::<Shared>(here.slots_in_use(), user as u64, ring::pack(result, errno));
        if is_first {
            self.wake.0.fill::<Shared>(bit(lane));
        }
        (number, is_first)
    }

    /// Takes the mark of a lane away if that is empty; whether it is. What is put in meanwhile is marked again; see
    /// `ring`.
    #[inline(always)]
    pub(crate) fn unmark_if_empty(&self, lane: u64, is_empty: impl Fn() -> bool) -> bool {
        if !is_empty() {
            return false;
        }
        self.wake.0.empty::<Shared>(lane);
        let still_is = is_empty();
        if !still_is {
            self.wake.0.fill::<Shared>(lane);
        }
        still_is
    }

    /// The lane's owner is busy with something else: others take its events until it comes back.
    pub(crate) fn mark_absent(&self, lane: u32) {
        self.lanes.mark_absent(lane);
        self.wake.0.deactivate(lane);
    }

    /// How many edges the owner of a lane is to take from the kernel now, if it has room for so many events; `waits`:
    /// it counts as one that waits there; `harvests`: how many there were. Where others harvest too these are few: what
    /// one thread has taken waits for it, also while something else runs in its place.
    #[inline(always)]
    pub(crate) fn most_edges(&self, lane: &Lane, room: usize, waits: bool, harvests: u32) -> usize {
        /// Fewer are better for what waits, more for the cost of each: with 6 the 99th percentile of the latency is
        /// below that of one-shot epoll, and a request costs at most half as many instructions again as in one thread.
        const SHARE: usize = 6;
        let wake = &self.wake.0;
        let others_wait = wake.waiters.in_kernel() > u32::from(waits);
        if wake.recent.note(lane.bit(), harvests) || others_wait { room.min(SHARE) } else { MOST_EDGES }
    }
}
