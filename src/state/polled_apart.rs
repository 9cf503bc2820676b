//! Descriptors that no engine watches (`Class::is_polled_apart`): they tell of a thing only once, and would tell it to
//! an epoll instance that is polled. While operations on them wait, the watchdog's thread polls them itself.
//!
//! The kernel holds an open file as long as it is polled. So `polling` is odd while the thread has a copy of the list
//! and polls what is in it: a thread that has taken a descriptor out of the list waits until that is over.

use super::attachment::{Attachment, Locked};
use super::watchdog::Watchdog;
use crate::sync::lock::Mutex;
use crate::sys::{Errno, Result, process};
use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A descriptor that is polled by itself. Once it was ready, it is so no more until an operation waits again.
#[derive(Clone, Copy)]
pub(crate) struct Apart {
    pub(crate) node: &'static Attachment,
    pub(crate) generation: u32,
    pub(crate) fd: c_int,
    /// What is waited for.
    pub(crate) events: i16,
    /// What the watchdog was told when no operation waited for it any more, and will not be told again.
    told: i16,
}

impl Apart {
    fn is_of(&self, attachment: &Locked) -> bool {
        core::ptr::eq(self.node, attachment.node()) && self.generation == attachment.generation.get()
    }

    fn is_like(&self, other: &Apart) -> bool {
        core::ptr::eq(self.node, other.node) && self.generation == other.generation
    }

    fn is_needed(&self) -> bool {
        self.events != 0 || self.told != 0
    }
}

/// See the module's head.
pub(crate) struct PolledApart {
    list: Mutex<Vec<Apart>>,
    polling: AtomicU32,
}

impl PolledApart {
    pub(crate) const fn new() -> PolledApart {
        PolledApart { list: Mutex::new(Vec::new()), polling: AtomicU32::new(0) }
    }

    /// An operation on a descriptor that is polled apart waits for these. ENOMEM if that cannot be.
    pub(crate) fn add(&self, attachment: &Locked, events: i16, watchdog: &Watchdog) -> Result<()> {
        if !watchdog.is_there() {
            return Err(Errno::ENOMEM);
        }
        let mut apart = self.list.lock();
        if let Some(known) = apart.iter_mut().find(|known| known.is_of(attachment)) {
            if known.events & events == events {
                return Ok(());
            }
            known.events |= events;
        } else {
            apart.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            let (node, generation) = (attachment.node(), attachment.generation.get());
            apart.push(Apart { node, generation, fd: attachment.fd(), events, told: 0 });
        }
        drop(apart);
        watchdog.wake();
        Ok(())
    }

    /// Nothing waits on a descriptor any more: it is polled no more.
    pub(crate) fn remove(&self, attachment: &Locked, watchdog: &Watchdog) {
        let mut apart = self.list.lock();
        let mut was_polled = false;
        for known in apart.iter_mut().filter(|known| known.is_of(attachment)) {
            was_polled |= known.events != 0;
            known.events = 0;
        }
        apart.retain(Apart::is_needed);
        drop(apart);
        if was_polled {
            watchdog.wake();
            // The kernel holds the open file as long as it is polled. (The thread takes no lock before it says that it
            // does not.)
            let polling = self.polling.load(SeqCst);
            let is_at_it = || polling % 2 == 1 && self.polling.load(SeqCst) == polling;
            // It may be lost (`Watchdog::lost`).
            let mut patience = 1000;
            while is_at_it() && patience > 0 {
                process::pause();
                patience -= 1;
            }
        }
    }

    /// What of `events` was told of a descriptor when no operation waited for it. It is not told again.
    pub(crate) fn told_before(&self, attachment: &Locked, events: i16) -> i16 {
        let mut apart = self.list.lock();
        let mut told = 0;
        for known in apart.iter_mut().filter(|known| known.is_of(attachment)) {
            told |= known.told & events;
            known.told &= !events;
        }
        apart.retain(Apart::is_needed);
        told
    }

    /// A descriptor is detached, and forgotten.
    pub(crate) fn forget(&self, attachment: &Locked, watchdog: &Watchdog) {
        self.remove(attachment, watchdog);
        self.told_before(attachment, -1);
    }

    /// The descriptors to poll by themselves; false if there is no memory for the list.
    pub(crate) fn list(&self, list: &mut Vec<Apart>) -> bool {
        list.clear();
        let apart = self.list.lock();
        if list.try_reserve(apart.len()).is_err() {
            return false;
        }
        list.extend(apart.iter().filter(|known| known.events != 0));
        true
    }

    /// The thread is about to poll what is in its copy of the list, or has done so.
    pub(crate) fn turn_polling(&self) {
        self.polling.fetch_add(1, SeqCst);
    }

    /// One of them is ready, which is about to be told: it is not polled again. It stays in the list, so that there is
    /// room for what it may have told.
    pub(crate) fn begin_telling(&self, which: &Apart) {
        if let Some(known) = self.list.lock().iter_mut().find(|known| known.is_like(which)) {
            known.events = 0;
        }
    }

    /// It was told. `told`: what no operation waited for, and poll(2) does not tell again.
    pub(crate) fn end_telling(&self, which: &Apart, told: i16) {
        let mut list = self.list.lock();
        if told != 0 {
            let index = list.iter().position(|known| known.is_like(which));
            if let Some(known) = index.and_then(|index| list.get_mut(index)) {
                known.told |= told;
            } else if list.try_reserve(1).is_ok() {
                list.push(Apart { events: 0, told, ..*which });
            }
        }
        list.retain(Apart::is_needed);
    }
}
