//! Pipes, and the life of a pipe.
//!
//! # Life
//!
//! Pipes are made once and used again; they are never freed, so a reference found in the table is always good. A thread
//! that found one counts itself among its users (`users`), and then makes sure that the pipe is still the one behind
//! the number. Closing waits until no thread uses the pipe any more, and only then takes it apart. An operation holds
//! no count: a thread that handles one holds the lock of its attachment, and closing takes each of these locks to
//! detach it.

use super::attendance::Attendance;
use super::poller::Poller;
use super::users::Users;
use super::watchdog::Watchdog;
use crate::queue::event_queue::EventQueue;
use crate::queue::lane::Lane;
use crate::queue::lanes::COMMON;
use crate::queue::op::{OpRef, Ops};
use crate::sync::access::{self, Access, Sole};
use crate::sync::apart::Apart;
use crate::sys::Errno;
use core::ffi::c_int;
use core::ops::Deref;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{AcqRel, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize};

/// How many lives of pipes have begun.
static LIVES: AtomicU64 = AtomicU64::new(0);

/// An ioevent pipe.
pub(crate) struct Pipe {
    /// The public descriptor; -1 while the pipe is not in use.
    pub(super) number: AtomicI32,
    index: u32,
    is_typed: bool,
    /// Which life it is, among those of all pipes. Relaxed: a number.
    pub(crate) life: AtomicU64,
    nonblock: AtomicBool,
    ops: &'static Ops,
    poller: Poller,
    in_use: AtomicBool,
    /// It was closed while threads waited in an engine that can wake them no more; it is not used again.
    abandoned: AtomicBool,
    /// It is known that it was lost (`is_whole`). Relaxed: a thread that has been told that it is lost has seen it.
    lost: AtomicBool,
    /// How many descriptors are attached to it. Relaxed: a number.
    pub(crate) attached: AtomicUsize,
    /// The next in the list of all pipes. Written before the pipe is seen there.
    pub(super) next: AtomicPtr<Pipe>,
    pub(crate) attendance: Attendance,
    pub(crate) queue: EventQueue,
    pub(crate) users: Apart<Users>,
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
        if left == pipe.queue.wake.0.waiters.on_standby() {
            pipe.attendance.watchdog.pipe_left();
        }
    }
}

impl Pipe {
    /// One that nothing is known of yet; it is in use, and closed.
    pub(super) fn new(index: u32, ops: &'static Ops, watchdog: &'static Watchdog, is_typed: bool) -> Pipe {
        Pipe {
            number: AtomicI32::new(-1),
            index,
            is_typed,
            life: AtomicU64::new(0),
            nonblock: AtomicBool::new(false),
            ops,
            poller: Poller::new(),
            in_use: AtomicBool::new(true),
            abandoned: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            attached: AtomicUsize::new(0),
            next: AtomicPtr::new(null_mut()),
            attendance: Attendance::new(watchdog),
            queue: EventQueue::new(),
            users: Apart(Users::new()),
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
        self.attendance.count_harvest();
        if sleeps {
            self.queue.wake.0.park_sole(sole);
        }
        // The watchdog has revoked the bias while it looks.
        debug_assert!(!self.attendance.is_watched());
    }

    /// It has looked, and goes alone again.
    #[inline(always)]
    pub(crate) fn unpark_sole(&self, _: &Sole, slept: bool) {
        if slept {
            self.queue.wake.0.unpark::<Sole>();
        }
    }

    /// It leaves, and still goes alone.
    #[inline(always)]
    pub(crate) fn leave_sole(&self, sole: &Sole) {
        self.users.0.leave_sole(sole);
        self.attendance.watchdog.pipe_left();
    }

    /// It leaves, and is not alone any more.
    pub(crate) fn leave_shared(&'static self) {
        drop(InUse(self));
    }

    /// Whether it is one of Rust, now and whenever it is used again.
    pub(crate) fn is_typed(&self) -> bool {
        self.is_typed
    }

    /// Begins the life of a pipe that is not in use, whose descriptors are there: it can be entered from now on.
    pub(crate) fn begin(&self, number: c_int, capacity: u32, nonblock: bool) {
        self.life.store(LIVES.fetch_add(1, Relaxed) + 1, Relaxed);
        self.queue.begin(capacity);
        self.poller.forget_wakes();
        self.nonblock.store(nonblock, Relaxed);
        self.attendance.begin();
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
        for lane in self.queue.lanes.iter() {
            // See `calls::harvest`: a thread that has the lane now is done before this goes on.
            drop(lane.lock());
        }
        // See `calls::post`.
        drop(self.queue.posting.0.lock());
        true
    }

    /// Has one of the threads that wait return: the pipe is being closed.
    pub(crate) fn wake_for_closing(&self) {
        self.poller.wake_waiters();
        self.queue.wake.0.waiters.call_all(&self.poller);
    }

    /// Ends the life of a pipe that has been taken apart: it can be used again.
    pub(crate) fn end(&self) {
        self.number.store(-1, Relaxed);
        self.attendance.set_known(false);
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
    #[inline(always)]
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

    /// O_NONBLOCK was set or cleared. The thread is admitted (`access`): none that goes alone reads it meanwhile.
    pub(crate) fn set_nonblock(&self, nonblock: bool) {
        debug_assert!(access::is_admitted());
        self.nonblock.store(nonblock, SeqCst);
        self.attendance.wait_for_watchdog();
        if nonblock && self.queue.wake.0.filled() != 0 {
            self.queue.wake.0.wake_one(&self.poller);
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

    /// Whether some thread harvests now, and is not only on standby.
    pub(crate) fn is_attended(&self) -> bool {
        self.users.0.count() > self.queue.wake.0.waiters.on_standby()
    }

    /// Whether another thread than the caller uses the pipe.
    pub(crate) fn has_other_users(&self) -> bool {
        !self.users.0.is_only_one()
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
        self.queue.wake.0.fill::<A>(lane.bit());
        // No other thread waits while this one goes alone.
        if !A::SOLE || self.is_nonblock() {
            self.announce(lane.index());
        }
    }

    /// An event was put into the empty lane from outside a harvest.
    #[inline(never)]
    pub(crate) fn announce(&self, lane: u32) {
        self.queue.wake.0.announce(lane, self.is_nonblock(), &self.poller);
    }

    /// Puts an event that has its place into the common lane.
    pub(crate) fn put_common(&self, op: OpRef) {
        if self.queue.put(COMMON, op).1 {
            self.announce(COMMON);
        }
    }
}
