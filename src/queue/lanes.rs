//! The lanes of a pipe, and which is whose.

use crate::queue::lane::{ABSENT, LISTED, Lane};
use crate::sys::thread_pointer;
use core::ptr::null_mut;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::Relaxed;

/// Lanes of threads. A thread that finds no free one uses the common lane.
const THREAD_LANES: u32 = 32;
/// The lane that is common to all threads.
pub(crate) const COMMON: u32 = THREAD_LANES;
/// All lanes. `Wake` has a bit for each.
const LANES: usize = THREAD_LANES as usize + 1;

/// See the module's head.
pub(crate) struct Lanes {
    lanes: [Lane; LANES],
    /// The lane of the thread that holds the bias, when it has one. Relaxed: written and read by that thread, and while
    /// no thread goes alone.
    home: AtomicPtr<Lane>,
}

impl Lanes {
    pub(crate) fn new() -> Lanes {
        Lanes {
            lanes: core::array::from_fn(|index| Lane::new(index as u32)),
            home: AtomicPtr::new(null_mut()),
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter()
    }

    /// No thread has a lane any more.
    pub(crate) fn leave(&self) {
        for lane in &self.lanes {
            lane.owner.store(0, Relaxed);
        }
        self.home.store(null_mut(), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn get(&self, index: u32) -> &Lane {
        debug_assert!(index <= COMMON);
        // SAFETY: lane numbers are made here, of threads and COMMON, and kept in one byte of an attachment; none is
        // above COMMON.
        unsafe { self.lanes.get_unchecked(index as usize) }
    }

    /// Whether the event that was put into `place` (a lane, with `LISTED` for its list) as this number is still there.
    #[inline(always)]
    pub(crate) fn holds(&self, place: u32, number: u32) -> bool {
        self.get(place & !LISTED).holds(place, number)
    }

    /// Where the search for a thread's lane begins. The stacks of threads, at whose ends thread pointers lie, are a
    /// power of two and one guard page apart, so these bits differ.
    #[inline(always)]
    fn first_try(thread: usize) -> u32 {
        (thread >> 12) as u32 % THREAD_LANES
    }

    /// The lane of the calling thread, if it is one that harvests.
    #[inline(always)]
    pub(crate) fn find(&self) -> Option<u32> {
        self.find_at_once().or_else(|| self.search_active())
    }

    /// The same; `None` may also mean that another thread's lane is in the place where it is first looked for.
    #[inline(always)]
    pub(crate) fn find_at_once(&self) -> Option<u32> {
        let thread = thread_pointer::thread_pointer();
        let lane = Self::first_try(thread);
        // Relaxed, here and below: a thread finds what it wrote itself, no other thread has its number, and whether
        // ABSENT was set a moment ago only decides in which lane an event waits.
        (self.get(lane).owner.load(Relaxed) == thread).then_some(lane)
    }

    #[cold]
    fn search_active(&self) -> Option<u32> {
        let thread = thread_pointer::thread_pointer();
        let lane = self.search(thread).ok()?;
        (self.get(lane).owner.load(Relaxed) == thread).then_some(lane)
    }

    /// The lane of a thread, or else the first free one in the order of its search.
    #[cold]
    pub(crate) fn search(&self, thread: usize) -> core::result::Result<u32, Option<u32>> {
        let first = Self::first_try(thread);
        for step in 0..THREAD_LANES {
            let lane = (first + step) % THREAD_LANES;
            match self.get(lane).owner.load(Relaxed) & !ABSENT {
                0 => return Err(Some(lane)),
                owner if owner == thread => return Ok(lane),
                _ => {}
            }
        }
        Err(None)
    }

    /// Gives a free lane to a thread. False if another was quicker.
    pub(crate) fn give(&self, lane: u32, thread: usize) -> bool {
        self.get(lane).owner.compare_exchange(0, thread, Relaxed, Relaxed).is_ok()
    }

    /// The thread that owns the lane harvests. `is_home`: it holds the bias.
    pub(crate) fn come_to(&self, lane: u32, thread: usize, is_home: bool) {
        let lane = self.get(lane);
        lane.prepare();
        lane.owner.store(thread, Relaxed);
        if is_home {
            self.home.store(core::ptr::from_ref(lane).cast_mut(), Relaxed);
        }
    }

    /// The lane's owner is busy with something else.
    pub(crate) fn mark_absent(&self, lane: u32) {
        let owner = &self.get(lane).owner;
        let thread = owner.load(Relaxed);
        // If the owner comes back just now, it does not matter which of the two is last: an active lane that is marked
        // absent is looked after by all threads, and the owner's next harvest puts it right.
        let _ = owner.compare_exchange(thread & !ABSENT, thread | ABSENT, Relaxed, Relaxed);
    }

    /// The lane of the thread that holds the bias.
    #[inline(always)]
    pub(crate) fn home(&self) -> Option<&'static Lane> {
        // SAFETY: null, or one of these lanes, which live for ever, as their pipe does.
        unsafe { self.home.load(Relaxed).as_ref() }
    }

    /// The same where there is one.
    ///
    /// # Safety
    ///
    /// There is.
    #[inline(always)]
    pub(crate) unsafe fn home_there_is(&self) -> &'static Lane {
        // SAFETY: passed on to the caller; one of these lanes, which live for ever.
        unsafe { &*self.home.load(Relaxed) }
    }

    /// The same as a number.
    pub(crate) fn home_number(&self) -> Option<u32> {
        self.home().map(Lane::index)
    }
}
