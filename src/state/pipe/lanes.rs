//! The lanes of a pipe: which is whose, and how events get into them.

use super::{COMMON, Pipe, THREAD_LANES};
use crate::queue::lane::{ABSENT, LISTED, Lane, MOST_EDGES};
use crate::queue::op::OpRef;
use crate::state::attachment::Inside;
use crate::sync::access::{self, Access, Shared, Sole};
use crate::sync::ring;
use crate::sync::wake::bit;
use crate::sys::thread_pointer;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;

impl Pipe {
    /// All lanes.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter()
    }

    /// No thread has a lane any more.
    pub(crate) fn leave_lanes(&self) {
        for lane in &self.lanes {
            lane.owner.store(0, Relaxed);
        }
        self.home.store(null_mut(), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn lane(&self, index: u32) -> &Lane {
        debug_assert!(index <= COMMON);
        // SAFETY: lane numbers are made here, of threads and COMMON, and kept in one byte of an attachment; none is
        // above COMMON.
        unsafe { self.lanes.get_unchecked(index as usize) }
    }

    /// Whether the event that was put into `place` (a lane, with `LISTED` for its list) as this number is still there.
    #[inline(always)]
    pub(crate) fn holds(&self, place: u32, number: u32) -> bool {
        self.lane(place & !LISTED).holds(place, number)
    }

    /// Where the search for a thread's lane begins. The stacks of threads, at whose ends thread pointers lie, are a
    /// power of two and one guard page apart, so these bits differ.
    #[inline(always)]
    fn first_try(thread: usize) -> u32 {
        (thread >> 12) as u32 % THREAD_LANES
    }

    /// The lane of the calling thread, if it is one that harvests.
    #[inline(always)]
    pub(crate) fn find_lane(&self) -> Option<u32> {
        self.find_lane_at_once().or_else(|| self.search_active_lane())
    }

    /// The same; `None` may also mean that another thread's lane is in the place where it is first looked for.
    #[inline(always)]
    pub(crate) fn find_lane_at_once(&self) -> Option<u32> {
        let thread = thread_pointer::thread_pointer();
        let lane = Self::first_try(thread);
        // Relaxed, here and below: a thread finds what it wrote itself, no other thread has its number, and whether
        // ABSENT was set a moment ago only decides in which lane an event waits.
        (self.lane(lane).owner.load(Relaxed) == thread).then_some(lane)
    }

    /// The lane of the thread that holds the bias.
    #[inline(always)]
    pub(crate) fn home(&self) -> Option<&'static Lane> {
        // SAFETY: null, or one of this pipe's lanes, which lives for ever.
        unsafe { self.home.load(Relaxed).as_ref() }
    }

    /// The same where there is one.
    ///
    /// # Safety
    ///
    /// There is.
    #[inline(always)]
    pub(crate) unsafe fn home_there_is(&self) -> &'static Lane {
        // SAFETY: passed on to the caller; one of this pipe's lanes, which lives for ever.
        unsafe { &*self.home.load(Relaxed) }
    }

    /// The same as a number.
    pub(crate) fn home_lane(&self) -> Option<u32> {
        self.home().map(Lane::index)
    }

    /// Whether an event of the descriptor may not go into this lane, because an earlier one is in another.
    #[inline(always)]
    pub(crate) fn must_follow(&self, lane: u32, attachment: &Inside) -> bool {
        attachment.newest_lane() != lane && self.holds(attachment.newest_place(), attachment.newest_number())
    }

    /// How many edges the owner of a lane is to take from the kernel now, if it has room for so many events; `waits`:
    /// it counts as one that waits there. Where others harvest too these are few: what one thread has taken waits for
    /// it, also while something else runs in its place.
    #[inline(always)]
    pub(crate) fn most_edges(&self, lane: &Lane, room: usize, waits: bool) -> usize {
        /// Fewer are better for what waits, more for the cost of each: with 6 the 99th percentile of the latency is
        /// below that of one-shot epoll, and a request costs at most half as many instructions again as in one thread.
        const SHARE: usize = 6;
        let wake = &self.wake.0;
        let others_wait = wake.waiters.in_kernel() > u32::from(waits);
        if wake.recent.note(lane.bit(), self.harvests()) || others_wait {
            room.min(SHARE)
        } else {
            MOST_EDGES
        }
    }

    #[cold]
    fn search_active_lane(&self) -> Option<u32> {
        let thread = thread_pointer::thread_pointer();
        let lane = self.search_lane(thread).ok()?;
        (self.lane(lane).owner.load(Relaxed) == thread).then_some(lane)
    }

    /// The lane of the calling thread, which harvests: given to it if it has none. When all are given away that is the
    /// common one.
    #[inline(always)]
    pub(crate) fn claim_lane(&self) -> u32 {
        self.find_lane_at_once().unwrap_or_else(|| self.claim_lane_slow())
    }

    #[cold]
    fn claim_lane_slow(&self) -> u32 {
        let thread = thread_pointer::thread_pointer();
        loop {
            match self.search_lane(thread) {
                Ok(lane) => {
                    self.lane(lane).prepare();
                    self.lane(lane).owner.store(thread, Relaxed);
                    if access::is_home() {
                        self.home.store(core::ptr::from_ref(self.lane(lane)).cast_mut(), Relaxed);
                    }
                    self.wake.0.activate(lane);
                    return lane;
                }
                Err(None) => return COMMON,
                Err(Some(free)) => {
                    if self.lane(free).owner.compare_exchange(0, thread, Relaxed, Relaxed).is_ok() {
                        self.note_processor();
                        self.let_one_wait();
                    }
                }
            }
        }
    }

    /// The lane's owner is busy with something else: others take its events until it comes back.
    pub(crate) fn mark_absent(&self, lane: u32) {
        let owner = &self.lane(lane).owner;
        let thread = owner.load(Relaxed);
        // If the owner comes back just now, it does not matter which of the two is last: an active lane that is marked
        // absent is looked after by all threads, and the owner's next harvest puts it right.
        let _ = owner.compare_exchange(thread & !ABSENT, thread | ABSENT, Relaxed, Relaxed);
        self.wake.0.deactivate(lane);
    }

    /// The lane of a thread, or else the first free one in the order of its search.
    #[cold]
    fn search_lane(&self, thread: usize) -> core::result::Result<u32, Option<u32>> {
        let first = Self::first_try(thread);
        for step in 0..THREAD_LANES {
            let lane = (first + step) % THREAD_LANES;
            match self.lane(lane).owner.load(Relaxed) & !ABSENT {
                0 => return Err(Some(lane)),
                owner if owner == thread => return Ok(lane),
                _ => {}
            }
        }
        Err(None)
    }

    /// Puts an event into a lane; returns its number, and whether the lane was empty: then it must be announced.
    #[inline]
    pub(crate) fn put(&self, lane: u32, op: OpRef) -> (u32, bool) {
        let locked = self.lane(lane).lock();
        let (number, was_empty) = locked.push(op);
        if was_empty {
            self.wake.0.fill::<Shared>(bit(lane));
        }
        (number, was_empty)
    }

    /// Puts an event into the ring of the calling thread's own lane, which has room; returns as `put`.
    pub(crate) fn put_into_ring(&self, lane: u32, user: usize, result: u32, errno: c_int) -> (u32, bool) {
        let here = self.lane(lane);
        let (number, is_first) =
            here.ring.put::<Shared>(here.slots_in_use(), user as u64, ring::pack(result, errno));
        if is_first {
            self.wake.0.fill::<Shared>(bit(lane));
        }
        (number, is_first)
    }

    /// Puts an event into the ring of the calling thread's own lane, which has room, while it goes alone.
    pub(crate) fn put_sole(&self, _: &Sole, lane: &Lane, user: usize, outcome: u64) {
        if lane.ring.put::<Sole>(lane.slots_in_use(), user as u64, outcome).1 {
            self.announce_first::<Sole>(lane);
        }
    }

    /// The first event was put into the ring of the calling thread's own lane, from outside a harvest.
    #[inline(always)]
    pub(crate) fn announce_first<A: Access>(&self, lane: &Lane) {
        self.wake.0.fill::<A>(lane.bit());
        // No other thread waits while this one goes alone.
        if !A::SOLE || self.is_nonblock() {
            self.announce(lane.index());
        }
    }

    /// An event was put into the empty lane from outside a harvest.
    #[inline(never)]
    pub(crate) fn announce(&self, lane: u32) {
        self.wake.0.announce(lane, self.is_nonblock(), &self.poller);
    }

    /// Puts an event that has its place into the common lane.
    pub(crate) fn put_common(&self, op: OpRef) {
        if self.put(COMMON, op).1 {
            self.announce(COMMON);
        }
    }
}
