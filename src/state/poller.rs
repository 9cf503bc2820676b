//! The kernel's side of a pipe: an epoll instance, and with it the waker and the alarm.
//!
//! The waker is an eventfd that always is readable, and the alarm a timerfd; both are registered edge-triggered and
//! never read. To wake is to register the waker anew (EPOLL_CTL_MOD), which makes an edge. Each use of the waker and
//! each expiry of the alarm is an edge, taken by exactly one epoll_wait.
//!
//! A program may close these descriptors, as some that it knows nothing of, and be given their numbers for files of its
//! own (rule 5.5). An entry of an epoll instance belongs to one number and one open file, so that the waker's entry is
//! there (`is_whole`) says of both numbers that they are what they were. It is asked for before they are closed, and
//! before a descriptor is attached; a call on the two together does nothing when one of them is another file.
//!
//! C's number of a pipe is another descriptor of the epoll instance. A typed pipe's number is that of an instance of
//! its own, which holds the engine's from when it is to be waited on (`show`): safe code can do anything to it, and so
//! must not reach the engine's entries. The waker's entry there, which tells nothing, says whose instance it is.

use crate::queue::alarm::Alarm;
use crate::sync::waiters::Standby;
use crate::sync::wake::Waker;
use crate::sys::probe::probe;
use crate::sys::{Errno, Result, epoll as sys, fd, futex, needs};
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Data of the waker and of the alarm: as those of descriptors (`Attachment::to_word`), but of a generation that no
/// descriptor has.
pub(crate) const WAKER: u64 = 0;
pub(crate) const ALARM: u64 = 1;
/// Data of what keeps the engine's descriptor readable; it means nothing to a thread that polls.
pub(crate) const HOLD: u64 = sys::NOTHING;

/// Its descriptors are -1 while the pipe is not in use.
pub(crate) struct Poller {
    epfd: AtomicI32,
    waker: AtomicI32,
    /// The public number.
    public: AtomicI32,
    /// The public number is that of an instance of its own.
    is_apart: AtomicBool,
    /// How often a thread was woken.
    wakes: AtomicU64,
    pub(crate) alarm: Alarm,
}

impl Poller {
    pub(crate) const fn new() -> Poller {
        Poller {
            epfd: AtomicI32::new(-1),
            waker: AtomicI32::new(-1),
            public: AtomicI32::new(-1),
            is_apart: AtomicBool::new(false),
            wakes: AtomicU64::new(0),
            alarm: Alarm::new(),
        }
    }

    // All loads of the descriptors are Relaxed: a thread that uses them has entered the pipe or holds the lock of one
    // of its attachments, which came after `open`.

    /// The epoll instance.
    #[inline(always)]
    pub(crate) fn epfd(&self) -> c_int {
        self.epfd.load(Relaxed)
    }

    /// Makes the engine's descriptors. Returns the one for the public: a dup of the epoll descriptor, so that it is
    /// readable whenever there is something in it; or, `is_apart`, an instance of its own.
    pub(crate) fn open(&self, is_apart: bool) -> Result<fd::OwnedFd> {
        needs::check()?;
        let mut public = sys::create()?;
        let epfd = public.duplicate_out_of_the_way()?;
        let waker = sys::readable_eventfd()?.move_out_of_the_way()?;
        if is_apart {
            drop(public);
            public = sys::create()?;
            sys::add(public.raw(), waker.raw(), 0, HOLD)?;
        }
        let clock = sys::timerfd()?.move_out_of_the_way()?;
        sys::add(epfd.raw(), waker.raw(), sys::EPOLLET as u32, WAKER)?;
        sys::add(epfd.raw(), clock.raw(), sys::EDGE, ALARM)?;
        self.epfd.store(epfd.raw(), Relaxed);
        self.waker.store(waker.into_raw(), Relaxed);
        self.public.store(public.raw(), Relaxed);
        self.is_apart.store(is_apart, Relaxed);
        self.alarm.reset();
        self.alarm.open(clock.into_raw(), epfd.into_raw());
        Ok(public)
    }

    /// Closes those that still are the engine's; the program may have closed some and have files of its own there. No
    /// lock is taken: a forked child calls it too.
    pub(crate) fn close(&self) {
        let (epfd, waker, clock) =
            (self.epfd.swap(-1, Relaxed), self.waker.swap(-1, Relaxed), self.alarm.close());
        let others = [waker, clock].map(|fd| (fd, sys::is_registered(epfd, fd)));
        for (fd, _) in others.iter().filter(|(_, is_own)| *is_own) {
            let _ = fd::close(*fd);
        }
        if others.iter().any(|(_, is_own)| *is_own) {
            let _ = fd::close(epfd);
        }
    }

    /// Whether the descriptors still are the engine's (rule 5.5).
    pub(crate) fn is_whole(&self) -> bool {
        sys::is_registered(self.epfd(), self.waker.load(Relaxed))
    }

    /// The kernel has just given these numbers out, to others: what this engine had under them was closed behind its
    /// back.
    pub(crate) fn lose(&self, numbers: &[c_int]) {
        for own in [&self.epfd, &self.waker] {
            if numbers.contains(&own.load(Relaxed)) {
                own.store(-1, Relaxed);
            }
        }
        self.alarm.lose(numbers);
    }

    /// The numbers of its descriptors.
    pub(crate) fn numbers(&self) -> [c_int; 3] {
        [self.epfd(), self.waker.load(Relaxed), self.alarm.number()]
    }

    /// The descriptor that is readable when there is something to poll for.
    pub(crate) fn descriptor(&self) -> c_int {
        self.epfd()
    }

    /// Keeps the engine's descriptor readable by means of an eventfd that is; false if it cannot.
    pub(crate) fn hold(&self, readable: c_int) -> bool {
        sys::add(self.epfd(), readable, sys::EPOLLIN as u32, HOLD).is_ok()
    }

    /// Ends that.
    pub(crate) fn let_go(&self, readable: c_int) {
        let _ = sys::delete(self.epfd(), readable);
    }

    /// Lets the public number of a pipe, which is an instance of its own, be readable when there is something to poll
    /// for. If that cannot be it is always readable.
    pub(crate) fn show(&self, public: c_int) {
        if sys::add(public, self.epfd(), sys::EPOLLIN as u32, HOLD).is_err_and(|errno| errno != Errno::EEXIST)
        {
            let _ = sys::modify(public, self.waker.load(Relaxed), sys::EPOLLIN as u32, HOLD);
        }
    }

    /// Whether `number` is the public one of this engine. The kernel refuses to put an instance into itself with
    /// EINVAL, and answers otherwise for everything else.
    pub(crate) fn is_behind(&self, number: c_int) -> bool {
        if self.is_apart.load(Relaxed) {
            return sys::is_registered(number, self.waker.load(Relaxed));
        }
        sys::modify(self.epfd(), number, sys::EPOLLIN as u32, WAKER) == Err(Errno::EINVAL)
    }

    /// How often a thread was woken, for an event or to wait in place of another one.
    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.load(Relaxed)
    }

    /// A thread is about to be woken.
    fn woken(&self) {
        self.wakes.fetch_add(1, Relaxed);
        probe!(
            "wake",
            "-4@{public}({poller})",
            "-4@[{poller}, {public}]",
            public = const core::mem::offset_of!(Poller, public),
            poller = in(reg) core::ptr::from_ref(self).addr(),
        );
    }

    /// Back to the beginning.
    pub(crate) fn forget_wakes(&self) {
        self.wakes.store(0, Relaxed);
    }

    /// Rings without regard to whether it has been heard: for closing.
    pub(crate) fn wake_waiters(&self) {
        sys::wake(self.epfd(), self.waker.load(Relaxed), WAKER);
    }
}

impl Waker for Poller {
    fn wake(&self) {
        self.woken();
        self.wake_waiters();
    }

    fn start_steal_timer(&self) {
        self.alarm.tick();
    }
}

impl Standby for Poller {
    type Broken = Errno;

    fn wait_for_call(&self, calls: &AtomicU32, deadline: Option<u64>) -> Result<()> {
        futex::wait(calls, 0, deadline)
    }

    fn wake_one(&self, calls: &AtomicU32) {
        self.woken();
        futex::wake_one(calls);
    }
}
