//! What a forked child finds (rule 5.2).
//!
//! The table of the parent is not in the child (see `table`), so the child has no pipes and no attachments from its
//! first instruction on. A handler, which runs where the child was made by fork(3), replaces the numbers of the pipes by
//! descriptors that can do nothing, and closes the copies of the engines' descriptors; the parent's registrations
//! belong to open files that the parent still has, and are not touched.

use super::table::{self, World};
use crate::sys::fd;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// The world at the time of the fork, for the child, which does not see it in the table.
static BEFORE: AtomicPtr<World> = AtomicPtr::new(null_mut());

extern "C" fn in_parent_before() {
    BEFORE.store(table::world().map_or(null_mut(), |world| core::ptr::from_ref(world).cast_mut()), Relaxed);
}

extern "C" fn in_child() {
    table::forget();
    // SAFETY: worlds are never freed; the child has its own copy.
    let Some(world) = (unsafe { BEFORE.load(Relaxed).as_ref() }) else { return };
    let Ok(dead) = fd::open_dead() else { return };
    for pipe in world.pipes.iter().filter(|pipe| pipe.is_in_use()) {
        pipe.bury(dead.raw());
    }
}

/// Registers the handlers, once.
pub(super) fn prepare() {
    // SAFETY: the handlers make system calls and touch memory of the library's own; they neither allocate nor lock.
    unsafe { libc::pthread_atfork(Some(in_parent_before), None, Some(in_child)) };
}
