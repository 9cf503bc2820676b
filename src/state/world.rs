//! The world: all that the library has in a process, beside the table of numbers.
//!
//! The pointer to it lies in pages that a forked child sees zeroed, like the table: the child has none, and starts one
//! of its own when it needs it (`calls::fork`).

use super::jobs::Workers;
use super::known_pipes::Notes;
use super::outstanding::Register;
use super::pipe::Pipe;
use super::pipes::Pipes;
use super::polled_apart::PolledApart;
use super::stats_page::StatsPage;
use super::watchdog::Watchdog;
use crate::queue::op::Ops;
use crate::sync::identity_locks::IdentityLocks;
use crate::sync::lock::{Mutex, MutexGuard};
use crate::sync::pool::Pool;
use crate::sync::positions::Positions;
use crate::sys::memory::{self, Pages};
use crate::sys::{Result, process};
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// What a forked child sees zeroed.
static OWN: Pages<Own> =
    Pages::new(Own { world: AtomicPtr::new(null_mut()), is_inspected: AtomicBool::new(false) });

/// What the library has in this process, and its state. libioevent_posix reads it, too (`ffi::plain_names`).
#[repr(C)]
pub(crate) struct Own {
    world: AtomicPtr<World>,
    /// Whether this process has been seen not to be a child that was made without fork(3), or has been dealt with as
    /// one (`calls::fork`). Relaxed: such a child begins with one thread.
    is_inspected: AtomicBool,
}

/// Locks for threads that attach, by number, so that two of them do not attach one number at once.
const STRIPES: usize = 64;

/// See the module's head.
pub(crate) struct World {
    pub(crate) ops: Ops,
    pub(crate) pipes: Pipes,
    pub(crate) watchdog: Watchdog,
    /// What the watchdog's thread keeps in mind; here, so that nothing is lost in a forked child.
    pub(crate) notes: Mutex<Notes>,
    /// Descriptors that the watchdog polls by itself.
    pub(crate) apart: PolledApart,
    pub(crate) workers: Workers,
    /// Where statistics are published, if they are.
    pub(crate) page: StatsPage,
    /// Files whose O_NONBLOCK is set for a call (`epoll::nonblock`).
    pub(crate) nonblock: IdentityLocks,
    pub(crate) positions: Positions,
    /// For those who debug a program.
    pub(crate) outstanding: Register,
    /// How many descriptors are attached. Relaxed: for estimates.
    pub(crate) attached: AtomicUsize,
    process: libc::pid_t,
    stripes: [Mutex<()>; STRIPES],
}

impl World {
    /// The kernel has just given out the numbers of a new pipe: another that takes some of them for its own has lost
    /// them.
    pub(crate) fn lose(&self, new: &'static Pipe, public: c_int) {
        let [epfd, waker, alarm] = new.engine().numbers();
        let numbers = [epfd, waker, alarm, public];
        for pipe in self.pipes.in_use().filter(|pipe| !core::ptr::eq(*pipe, new)) {
            pipe.engine().lose(&numbers);
        }
        self.watchdog.lose(&numbers);
    }

    /// The same for other descriptors of the library's own.
    pub(crate) fn lose_to_watchdog(&self, numbers: &[c_int]) {
        self.pipes.in_use().for_each(|pipe| pipe.engine().lose(numbers));
    }

    /// The lock for threads that attach `number`.
    pub(crate) fn attaching(&self, number: c_int) -> Option<MutexGuard<'_, ()>> {
        self.stripes.get(number as usize % STRIPES).map(Mutex::lock)
    }

    /// How many descriptors a pipe's engine watches at most: each attached one, the other end of each transfer, and its
    /// own.
    pub(crate) fn most_registrations(&self) -> usize {
        self.attached.load(Relaxed) + self.ops.begun() + 4
    }
}

/// The world of this process, if it has one already.
#[inline]
pub(crate) fn world() -> Option<&'static World> {
    // Acquire pairs with the Release in `make`.
    let world = OWN.value.world.load(Acquire);
    // SAFETY: worlds are never freed.
    unsafe { world.as_ref() }
}

/// Whether it is this one.
#[inline(always)]
pub(crate) fn is(world: &'static World) -> bool {
    // Relaxed: a child begins with one thread, and all others have seen theirs.
    core::ptr::eq(OWN.value.world.load(Relaxed), world)
}

/// See there.
pub(crate) fn own() -> &'static Own {
    &OWN.value
}

/// Whether it is known already what kind of child this process is.
#[inline(always)]
pub(crate) fn is_inspected() -> bool {
    OWN.value.is_inspected.load(Relaxed)
}

/// Whether it is known from now on.
pub(crate) fn set_inspected(is_known: bool) {
    OWN.value.is_inspected.store(is_known, Relaxed);
}

/// The pipe of an index, if there is one.
pub(crate) fn pipe(index: u32) -> Option<&'static Pipe> {
    world()?.pipes.iter().find(|pipe| pipe.index() == index)
}

/// Whether this is a child made by vfork(2), which runs in the memory of its parent but has descriptors of its own: it
/// must leave the parent's pipes and attachments alone (rule 5.2).
pub(crate) fn is_borrowed() -> bool {
    world().is_some_and(|world| world.process != process::id())
}

/// Makes the world of this process, unless another thread is quicker. Returns it, and whether this thread has made it.
pub(crate) fn make() -> Result<(&'static World, bool)> {
    let fresh = memory::allocate(World {
        ops: Pool::new(),
        pipes: Pipes::new(),
        watchdog: Watchdog::new(),
        notes: Mutex::new(Notes::new()),
        apart: PolledApart::new(),
        workers: Workers::new(),
        page: StatsPage::new(),
        nonblock: IdentityLocks::new(),
        positions: Positions::new(),
        outstanding: Register::new(),
        attached: AtomicUsize::new(0),
        process: process::id(),
        stripes: [const { Mutex::new(()) }; STRIPES],
    })?;
    // AcqRel: as Release it pairs with the Acquire in `world`.
    match OWN.value.world.compare_exchange(null_mut(), fresh, AcqRel, Acquire) {
        // SAFETY: just made, never freed from now on.
        Ok(_) => Ok((unsafe { &*fresh }, true)),
        Err(other) => {
            // SAFETY: no other thread has seen the one that lost, and `allocate` allocates as a box does.
            drop(unsafe { Box::from_raw(fresh) });
            // SAFETY: worlds that were seen are never freed.
            Ok((unsafe { &*other }, false))
        }
    }
}

/// Has the kernel zero the page in forked children; false if it cannot.
pub(crate) fn wipe_on_fork() -> bool {
    OWN.wipe_on_fork()
}

/// Forgets the world, in a forked child where the page could not be wiped.
pub(crate) fn forget() {
    OWN.value.world.store(null_mut(), Relaxed);
    OWN.value.is_inspected.store(false, Relaxed);
}
