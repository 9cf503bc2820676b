//! Pipes: their lanes, and the life of a pipe.
//!
//! # Life
//!
//! Pipes are made once and used again; they are never freed, so a reference found in the table is always good. A thread
//! that found one counts itself among its users (`users`), and then makes sure that the pipe is still the one behind
//! the number. Closing waits until no thread uses the pipe any more, and only then takes it apart. An operation holds
//! no count: a thread that handles one holds the lock of its attachment, and closing takes each of these locks to
//! detach it.

mod lanes;
mod post;
mod standby;

use super::poller::Poller;
use super::users::Users;
use super::watchdog::Watchdog;
use crate::queue::EIOEVENTFULL;
use crate::queue::lane::Lane;
use crate::queue::op::Ops;
use crate::sync::access::{Access, Shared, Sole};
use crate::sync::lock::Mutex;
use crate::sync::places::Places;
use crate::sync::wake::Wake;
use crate::sys::{Errno, Result};
use core::ffi::c_int;
use core::ops::Deref;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{AcqRel, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU32};

/// Lanes of threads. A thread that finds no free one uses the common lane.
const THREAD_LANES: u32 = 32;
/// The lane that is common to all threads.
pub(crate) const COMMON: u32 = THREAD_LANES;
/// All lanes. `Wake` has a bit for each.
const LANES: usize = THREAD_LANES as usize + 1;

/// In `processor`: no thread has harvested yet.
const NO_PROCESSOR: i64 = -1;
/// Or several are in use.
const SEVERAL_PROCESSORS: i64 = -2;

/// On cache lines of its own.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// An ioevent pipe.
pub(crate) struct Pipe {
    /// The public descriptor; -1 while the pipe is not in use.
    number: AtomicI32,
    index: u32,
    nonblock: AtomicBool,
    ops: &'static Ops,
    watchdog: &'static Watchdog,
    poller: Poller,
    in_use: AtomicBool,
    /// It was closed while threads waited in an engine that can wake them no more; it is not used again.
    abandoned: AtomicBool,
    /// It is known that it was lost (`is_whole`). Relaxed: a thread that has been told that it is lost has seen it.
    lost: AtomicBool,
    /// The next in the list of all pipes. Written before the pipe is seen there.
    pub(super) next: AtomicPtr<Pipe>,
    lanes: [Lane; LANES],
    /// The lane of the thread that holds the bias, when it has one. Relaxed: written and read by that thread, and while
    /// no thread goes alone.
    home: AtomicPtr<Lane>,
    /// Harvests that looked into the kernel so far, roughly.
    harvests: AtomicU32,
    /// The only one that the threads which harvest run on, or what the constants say. Relaxed: it matters to speed
    /// alone.
    processor: AtomicI64,
    /// The watchdog had to call those on standby, and allows none for a time. Relaxed, like `known`.
    relieved: AtomicBool,
    /// The watchdog knows the pipe.
    known: AtomicBool,
    /// The watchdog polls the pipe, or is about to.
    watched: AtomicBool,
    places: Apart<Places>,
    /// For threads that post (`post`).
    posting: Apart<Mutex<()>>,
    pub(crate) users: Apart<Users>,
    pub(crate) wake: Apart<Wake>,
}

/// A pipe that cannot be taken apart as long as this value lives.
pub(crate) struct InUse(&'static Pipe);

impl Deref for InUse {
    type Target = &'static Pipe;
    #[inline]
    fn deref(&self) -> &&'static Pipe {
        &self.0
    }
}

impl Drop for InUse {
    #[inline]
    fn drop(&mut self) {
        let pipe = self.0;
        let left = pipe.users.0.leave(|| pipe.poller.wake_waiters());
        if left == pipe.wake.0.waiters.on_standby() {
            pipe.watchdog.pipe_left();
        }
    }
}

impl Pipe {
    /// One that nothing is known of yet; it is in use, and closed.
    pub(super) fn new(index: u32, ops: &'static Ops, watchdog: &'static Watchdog) -> Pipe {
        Pipe {
            number: AtomicI32::new(-1),
            index,
            nonblock: AtomicBool::new(false),
            ops,
            watchdog,
            poller: Poller::new(),
            in_use: AtomicBool::new(true),
            abandoned: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            next: AtomicPtr::new(null_mut()),
            lanes: core::array::from_fn(|index| Lane::new(index as u32)),
            home: AtomicPtr::new(null_mut()),
            harvests: AtomicU32::new(0),
            processor: AtomicI64::new(NO_PROCESSOR),
            relieved: AtomicBool::new(false),
            known: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            places: Apart(Places::new()),
            posting: Apart(Mutex::new(())),
            users: Apart(Users::new()),
            wake: Apart(Wake::default()),
        }
    }

    /// Enters a pipe that was found under a number, if it still is the one behind it, and open.
    #[inline(always)]
    pub(crate) fn enter_as(&'static self, number: c_int) -> Option<InUse> {
        let is_open = self.users.0.enter();
        let in_use = InUse(self);
        (is_open && self.number.load(Relaxed) == number).then_some(in_use)
    }

    /// A thread that goes alone, and has found the pipe to be open, enters it to poll the kernel. `sleeps`: it may
    /// wait.
    #[inline(always)]
    pub(crate) fn enter_sole(&self, sole: &Sole, sleeps: bool) {
        self.users.0.enter_sole(sole);
        self.count_harvest();
        if sleeps {
            self.wake.0.park_sole(sole);
        }
        // The watchdog has revoked the bias while it looks.
        debug_assert!(!self.watched.load(Relaxed));
    }

    /// A thread harvests. The watchdog leaves a pipe alone as long as harvests come: also such that take what is in
    /// lanes, or what the watchdog finds would overtake that.
    #[inline(always)]
    pub(crate) fn count_harvest(&self) {
        // Relaxed, and not exact when several threads do it at once; but it changes.
        self.harvests.store(self.harvests.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// It has looked, and goes alone again.
    #[inline(always)]
    pub(crate) fn unpark_sole(&self, _: &Sole, slept: bool) {
        if slept {
            self.wake.0.unpark::<Sole>();
        }
    }

    /// It leaves, and still goes alone.
    #[inline(always)]
    pub(crate) fn leave_sole(&self, sole: &Sole) {
        self.users.0.leave_sole(sole);
        self.watchdog.pipe_left();
    }

    /// It leaves, and is not alone any more.
    pub(crate) fn leave_shared(&'static self) {
        drop(InUse(self));
    }

    /// Begins the life of a pipe that is not in use, whose descriptors are there: it can be entered from now on.
    pub(crate) fn begin(&self, number: c_int, capacity: u32, nonblock: bool) {
        self.places.0.resize(capacity);
        self.nonblock.store(nonblock, Relaxed);
        self.processor.store(NO_PROCESSOR, Relaxed);
        self.relieved.store(false, Relaxed);
        self.lost.store(false, Relaxed);
        self.number.store(number, Relaxed);
        self.users.0.open();
    }

    /// Begins to close the pipe: no thread enters it from now on, but some may be there. False if another thread closes
    /// it already.
    pub(crate) fn begin_closing(&self) -> bool {
        if !self.users.0.begin_closing() {
            return false;
        }
        for lane in &self.lanes {
            // See `calls::harvest`: a thread that has the lane now is done before this goes on.
            drop(lane.lock());
        }
        // See `post`.
        drop(self.posting.0.lock());
        true
    }

    /// Has one of the threads that wait return: the pipe is being closed.
    pub(crate) fn wake_for_closing(&self) {
        self.poller.wake_waiters();
        self.wake.0.waiters.call_all(&self.poller);
    }

    /// Ends the life of a pipe that has been taken apart: it can be used again.
    pub(crate) fn end(&self) {
        self.number.store(-1, Relaxed);
        self.known.store(false, Relaxed);
        // Release pairs with the AcqRel in `take_into_use`.
        self.in_use.store(false, Release);
    }

    /// The same for one that some threads will never leave: it is not used again.
    pub(crate) fn abandon(&self) {
        self.number.store(-1, Relaxed);
        self.abandoned.store(true, Relaxed);
    }

    /// Whether the public number still is this pipe's descriptor (rule 3.7).
    pub(crate) fn is_current(&self) -> bool {
        self.poller.is_whole() && self.poller.is_behind(self.number())
    }

    /// Whether the engine's descriptors still are that. A program may have closed them, as some that it did not know,
    /// and so have lost the pipe (rule 5.5).
    pub(crate) fn is_whole(&self) -> bool {
        let is_whole = self.poller.is_whole();
        if !is_whole {
            self.lost.store(true, Relaxed);
        }
        is_whole
    }

    /// Whether it is known that the pipe was lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Relaxed)
    }

    /// To poll the kernel has failed: the descriptors may be lost.
    #[cold]
    pub(crate) fn note_failure(&self, errno: Errno) {
        if errno == Errno::EBADF {
            self.lost.store(true, Relaxed);
        }
    }

    /// Marks it as in use, unless it is.
    pub(super) fn take_into_use(&self) -> bool {
        // AcqRel: pairs with the Release in `end`, so that what closing put back is seen.
        self.in_use.compare_exchange(false, true, AcqRel, Relaxed).is_ok()
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.in_use.load(Relaxed) && !self.abandoned.load(Relaxed)
    }

    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Poller {
        &self.poller
    }

    #[inline]
    pub(crate) fn ops(&self) -> &'static Ops {
        self.ops
    }

    /// The public descriptor.
    pub(crate) fn number(&self) -> c_int {
        self.number.load(Relaxed)
    }

    /// Whether harvests do not wait, and the descriptor can be waited on (rule 3.6).
    #[inline]
    pub(crate) fn is_nonblock(&self) -> bool {
        // SeqCst, for `set_nonblock`: it asks, after its store, whether the watchdog is looking; the watchdog asks here
        // after it has said so. (On the processors there are that is a plain load.)
        self.nonblock.load(SeqCst)
    }

    /// The same for a thread that goes alone.
    #[inline(always)]
    pub(crate) fn is_nonblock_sole(&self, _: &Sole) -> bool {
        // SAFETY: no other thread changes it meanwhile.
        unsafe { *self.nonblock.as_ptr() }
    }

    /// O_NONBLOCK was set or cleared.
    pub(crate) fn set_nonblock(&self, nonblock: bool) {
        self.nonblock.store(nonblock, SeqCst);
        if self.watched.load(SeqCst) {
            self.watchdog.wait();
        }
        if nonblock && self.wake.0.filled() != 0 {
            self.wake.0.wake_one(&self.poller);
        }
    }

    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.users.0.is_closing()
    }

    /// Whether this still is the pipe behind `number`. Of use only while something keeps `close` from going on.
    #[inline(always)]
    pub(crate) fn is_open_as(&self, number: c_int) -> bool {
        !self.is_closing() && self.number.load(Relaxed) == number
    }

    /// Takes up to `wanted` places; returns how many, at least one, or EIOEVENTFULL.
    #[inline]
    pub(crate) fn take_places(&self, wanted: usize) -> Result<usize> {
        match self.places.0.take(u32::try_from(wanted).unwrap_or(u32::MAX)) {
            0 => Err(EIOEVENTFULL),
            n => Ok(n as usize),
        }
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> c_int {
        self.places.0.capacity() as c_int
    }

    /// How many places are taken.
    pub(crate) fn places_taken(&self) -> c_int {
        self.places.0.taken() as c_int
    }

    /// F_SETIOEVENTSZ: EBUSY if more places are taken (rule 3.8).
    pub(crate) fn set_capacity(&self, capacity: c_int) -> Result<c_int> {
        match u32::try_from(capacity) {
            Ok(places @ 1..) if self.places.0.resize(places) => Ok(capacity),
            Ok(1..) => Err(Errno::EBUSY),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Takes a place unless the pipe is full or another thread takes one at the same time.
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
}
