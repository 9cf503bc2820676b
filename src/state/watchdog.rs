//! What the watchdog's thread shares with others: how it is woken, and how it is kept from taking an edge away from a
//! harvest. What it does is in `calls::watchdog`, with the protocol.

use crate::sync::lock::{Mutex, MutexGuard};
use crate::sys::thread::{Task, Thread};
use crate::sys::{epoll as sys, fd};
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::SeqCst};

/// Room for the stack of its thread.
const STACK: usize = 256 * 1024;

/// See the module's head.
pub(crate) struct Watchdog {
    thread: Mutex<Option<Thread>>,
    /// Counts the threads, one after the other: one whose turn is over ends.
    turn: AtomicU32,
    /// An epoll instance that holds `alarm`, while the thread is there; else -1. It is what the thread polls, to be
    /// woken.
    inbox: AtomicI32,
    /// An eventfd that is always readable. To wake the thread is to register it anew, which does nothing where the
    /// program has closed one of the two and has another file there (see `poller`). It also keeps a pipe readable.
    alarm: AtomicI32,
    /// The thread sleeps without end, or is about to.
    dormant: AtomicBool,
    /// Held while it polls a pipe.
    polling: Mutex<()>,
}

impl Watchdog {
    pub(crate) const fn new() -> Watchdog {
        Watchdog {
            thread: Mutex::new(None),
            turn: AtomicU32::new(0),
            inbox: AtomicI32::new(-1),
            alarm: AtomicI32::new(-1),
            dormant: AtomicBool::new(false),
            polling: Mutex::new(()),
        }
    }

    /// Sees to it that the thread, which runs `task`, is there, and wakes it. `lose` is told which numbers the kernel
    /// has given out for it. Without a thread or a descriptor to be had, the library does without.
    #[cold]
    pub(crate) fn begin(&self, task: &'static impl Task, lose: impl FnOnce(&[c_int])) {
        let mut thread = self.thread.lock();
        if thread.is_some() && !self.is_whole() {
            self.lost(&mut thread);
        }
        if thread.is_none() {
            let inbox = sys::create().and_then(fd::OwnedFd::move_out_of_the_way);
            let alarm = sys::readable_eventfd().and_then(fd::OwnedFd::move_out_of_the_way);
            let (Ok(inbox), Ok(alarm)) = (inbox, alarm) else { return };
            if sys::add(inbox.raw(), alarm.raw(), sys::EPOLLET as u32, sys::NOTHING).is_err() {
                return;
            }
            lose(&[inbox.raw(), alarm.raw()]);
            self.inbox.store(inbox.raw(), SeqCst);
            self.alarm.store(alarm.raw(), SeqCst);
            self.turn.fetch_add(1, SeqCst);
            match Thread::start(task, STACK) {
                Ok(started) => {
                    inbox.into_raw();
                    alarm.into_raw();
                    *thread = Some(started);
                }
                Err(_) => {
                    self.inbox.store(-1, SeqCst);
                    self.alarm.store(-1, SeqCst);
                }
            }
        }
        self.wake();
    }

    /// A pipe was closed. If that was the last, ends the thread, and waits for its end.
    pub(crate) fn pipe_closed(&self, is_last: impl FnOnce() -> bool) {
        let mut thread = self.thread.lock();
        if !is_last() {
            return self.wake();
        }
        if !self.is_whole() {
            return self.lost(&mut thread);
        }
        let Some(handle) = thread.take() else { return };
        // In this order: a thread that begins only now sees one or the other (`calls::watchdog`).
        let (inbox, alarm) = (self.inbox.swap(-1, SeqCst), self.alarm.swap(-1, SeqCst));
        self.turn.fetch_add(1, SeqCst);
        sys::wake(inbox, alarm, sys::NOTHING);
        // The thread takes no lock that is held here.
        handle.join();
        close(inbox, alarm);
    }

    /// Whether there is a thread.
    pub(crate) fn is_there(&self) -> bool {
        self.inbox.load(SeqCst) >= 0
    }

    /// Whose turn it is.
    pub(crate) fn turn(&self) -> u32 {
        self.turn.load(SeqCst)
    }

    /// What the thread polls to be woken; -1 if its turn is over.
    pub(crate) fn inbox(&self) -> c_int {
        self.inbox.load(SeqCst)
    }

    /// An eventfd that is always readable.
    pub(crate) fn readable(&self) -> c_int {
        self.alarm.load(SeqCst)
    }

    /// The thread is about to sleep without end, or does not sleep any more.
    pub(crate) fn set_dormant(&self, dormant: bool) {
        self.dormant.store(dormant, SeqCst);
    }

    /// Held by the thread while it polls a pipe.
    pub(crate) fn begin_polling(&self) -> MutexGuard<'_, ()> {
        self.polling.lock()
    }

    /// Whether its descriptors still are what they were.
    pub(crate) fn is_whole(&self) -> bool {
        sys::is_registered(self.inbox.load(SeqCst), self.alarm.load(SeqCst))
    }

    /// The descriptors were closed behind the library's back, and with them the way to wake the thread. It ends when it
    /// wakes.
    fn lost(&self, thread: &mut Option<Thread>) {
        self.close();
        self.turn.fetch_add(1, SeqCst);
        if let Some(lost) = thread.take() {
            lost.detach();
        }
    }

    /// Closes its descriptors, if they still are that.
    fn close(&self) {
        close(self.inbox.swap(-1, SeqCst), self.alarm.swap(-1, SeqCst));
    }

    /// The kernel has just given these numbers out to others.
    pub(crate) fn lose(&self, numbers: &[c_int]) {
        for own in [&self.inbox, &self.alarm] {
            if numbers.contains(&own.load(SeqCst)) {
                own.store(-1, SeqCst);
            }
        }
    }

    /// In a forked child, which has copies of the descriptors but not the thread.
    pub(crate) fn leave_in_child(&self) {
        self.close();
    }

    /// Has the thread see what there is to do.
    pub(crate) fn wake(&self) {
        sys::wake(self.inbox.load(SeqCst), self.alarm.load(SeqCst), sys::NOTHING);
    }

    /// The last user has left a pipe.
    #[inline]
    pub(crate) fn pipe_left(&self) {
        if self.dormant.load(SeqCst) {
            self.rouse();
        }
    }

    #[cold]
    fn rouse(&self) {
        if self.dormant.swap(false, SeqCst) {
            self.wake();
        }
    }

    /// A harvest found the pipe's `watched` flag: waits until the watchdog has put away what it has found.
    #[cold]
    pub(crate) fn wait(&self) {
        drop(self.polling.lock());
    }
}

/// Closes the two, if they still are what they were.
fn close(inbox: c_int, alarm: c_int) {
    if sys::is_registered(inbox, alarm) {
        let _ = fd::close(alarm);
        let _ = fd::close(inbox);
    }
}
