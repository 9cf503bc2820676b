//! What a forked child finds (rule 5.2).
//!
//! The table of the parent is not in the child (see `table`), so the child has no pipes and no attachments from its
//! first instruction on. A handler, which runs where the child was made by fork(3), replaces the numbers of the pipes
//! by descriptors that can do nothing, and closes the copies of all others that the library has; the parent's
//! registrations belong to open files that the parent still has, and are not touched.
//!
//! In a child that was made otherwise (_Fork, clone) no handler runs. There the first call that finds nothing in the
//! table does that. By then the child may have closed any of them and have other files under their numbers, which must
//! be left alone (and so may a handler of the program's that runs before this one): whatever is closed is first seen to
//! be what it was.

use crate::state::private;
use crate::state::table::{self, World};
use crate::sys::dead_fd;
use core::ptr::null_mut;
use core::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

/// The newest world. A child finds its parent's here, since it does not see it in the table; and leak checkers, which
/// do not look for pointers in mapped memory, find what belongs to it.
static NEWEST: AtomicPtr<World> = AtomicPtr::new(null_mut());

pub(crate) fn remember(world: &'static World) {
    // Release pairs with the Acquire in `in_child`, which may run in another thread's child.
    NEWEST.store(core::ptr::from_ref(world).cast_mut(), Release);
}

/// The parent's world that this child, or the one before it, has dealt with.
static SETTLED: AtomicPtr<World> = AtomicPtr::new(null_mut());

/// The world of the parent, in a child that has not dealt with it yet.
fn parents_world() -> Option<&'static World> {
    let newest = NEWEST.load(Acquire);
    // SAFETY: worlds are never freed; the child has its own copy.
    if SETTLED.swap(newest, Relaxed) == newest { None } else { unsafe { newest.as_ref() } }
}

/// Nothing was found in the table, and there is no world.
#[cold]
pub(crate) fn notice() {
    // Relaxed: a child begins with one thread, and has seen all of its own.
    if NEWEST.load(Relaxed) == SETTLED.load(Relaxed) {
        return;
    }
    let Some(world) = parents_world() else { return };
    leave(world, false);
}

extern "C" fn in_child() {
    table::forget();
    let Some(world) = parents_world() else { return };
    leave(world, true);
}

/// Lets go of all that the parent's world holds. `early`: the program has not had its turn in the child yet.
fn leave(world: &World, early: bool) {
    private::close_in_child(early);
    world.watchdog.leave_in_child();
    let dead = dead_fd::open();
    for pipe in world.pipes.iter().filter(|pipe| pipe.is_in_use()) {
        pipe.replace_with_dead(&dead);
    }
}

/// Registers the handler, once.
pub(crate) fn prepare() {
    // SAFETY: the handler makes system calls and touches memory of the library's own; it neither allocates nor locks.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}
