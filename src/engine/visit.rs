//! Who comes to the engine: the thread that is alone, those that share with it, and the library's own. See `solo`.

use super::lock::{Mutex, MutexGuard};
use super::solo::Solo;
use super::table;
use crate::sys::process::{self, thread_pointer};

/// Held by who visits, and while a thread is let in.
pub(super) type Visits = Mutex<()>;

/// The calling thread goes alone as long as this value lives: a short time, in which it waits for nothing.
pub(crate) struct Alone(());

impl Alone {
    /// `None`: the calling thread may not go alone now.
    #[inline(always)]
    pub(crate) fn enter() -> Option<Alone> {
        if table::solo().enter(thread_pointer()) { Some(Alone(())) } else { None }
    }
}

impl Drop for Alone {
    #[inline(always)]
    fn drop(&mut self) {
        table::solo().leave();
    }
}

/// Whether the short ways are open to all threads, with locks.
#[inline(always)]
pub(crate) fn is_shared() -> bool {
    table::solo().is_shared()
}

/// The calling thread comes a general way: from here on what it has locked is its own. Not to be called while somebody
/// goes alone in this thread, nor with locks held, but for those that only threads of the application take.
#[inline(always)]
pub(crate) fn admit() {
    let me = thread_pointer();
    if !table::solo().is_admitted(me) {
        admit_slowly(table::solo(), me);
    }
}

#[cold]
#[inline(never)]
fn admit_slowly(solo: &Solo, me: usize) {
    // Without a world there is nothing to share.
    let Some(world) = table::world() else { return };
    let _visits = world.visits.lock();
    if solo.is_admitted(me) {
        return;
    }
    if solo.is_empty() && process::prepare_barrier().is_ok() {
        solo.claim(me);
    } else {
        solo.share(process::barrier, pause());
    }
}

/// Lets the thread that goes alone come to the end of its way.
fn pause() -> impl FnMut() {
    let mut patience = 1000;
    move || {
        if patience > 0 {
            patience -= 1;
            core::hint::spin_loop();
        } else {
            process::pause();
        }
    }
}

/// A thread of the library's own is at work; it takes all the locks that the work needs after this.
pub(crate) struct Visit {
    /// `None` if all lock anyway.
    visits: Option<MutexGuard<'static, ()>>,
}

impl Visit {
    pub(crate) fn begin() -> Visit {
        let solo = table::solo();
        let visits = table::world().filter(|_| !solo.is_shared()).map(|world| world.visits.lock());
        if visits.is_some() {
            solo.visit(thread_pointer(), process::barrier, pause());
        }
        Visit { visits }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.visits.is_some() {
            table::solo().end_visit();
        }
    }
}

/// Between a store of the calling thread's and a load of what a thread that goes alone may be about to write: that one
/// sees the store, if it comes after this, or the caller sees what it wrote. (`sync::light_fence` is its part.)
pub(super) fn barrier() {
    if !table::solo().is_shared() {
        process::barrier();
    }
}
