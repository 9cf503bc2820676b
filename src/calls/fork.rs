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

use crate::state::pipe::Pipe;
use crate::state::world::{self, World};
use crate::state::{private, table};
use crate::sync::access;
use crate::sys::{Result, dead_fd, errno, fd, observers};
use core::ptr::null_mut;
use core::sync::atomic::{
    AtomicBool, AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

/// The newest world. A child finds its parent's here, since it does not see it in the table; and leak checkers, which
/// do not look for pointers in mapped memory, find what belongs to it.
static NEWEST: AtomicPtr<World> = AtomicPtr::new(null_mut());

fn remember(world: &'static World) {
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
    forget();
    let Some(world) = parents_world() else { return };
    leave(world, true);
}

/// Lets go of all that the parent's world holds. `early`: the program has not had its turn in the child yet.
fn leave(world: &World, early: bool) {
    private::close_in_child(early);
    world.watchdog.leave_in_child();
    let dead = dead_fd::open();
    for pipe in world.pipes.in_use() {
        replace_with_dead(pipe, &dead);
    }
}

/// The number of a pipe stays taken, by a descriptor that can do nothing (if there is one to be had); what else the
/// pipe has are the child's copies. The child may have closed any of them, and have other files there, which are left
/// alone; so are the parent's registrations.
fn replace_with_dead(pipe: &Pipe, dead: &Result<fd::OwnedFd>) {
    if pipe.is_current() {
        dead_fd::kill(pipe.number(), dead);
    }
    pipe.engine().close();
}

/// Whether the pages are prepared for forks.
static PREPARED: AtomicBool = AtomicBool::new(false);
/// Whether the kernel wipes them in forked children.
static WIPED: AtomicBool = AtomicBool::new(false);

/// Has the kernel wipe the pages in forked children, and registers the handler. Once is enough, for children of
/// children too. Threads that come at the same time all do it, which does no harm (the handler does nothing the second
/// time): none of them may go on before it is done, since another may fork then; and none can wait for another, since a
/// fork may leave that one behind.
fn prepare() {
    // Acquire pairs with the Release below.
    if PREPARED.load(Acquire) {
        return;
    }
    // Kernels before 4.14 do not know the advice, and loaders before glibc 2.35 may not keep the alignment; then the
    // handler does the work.
    observers::find();
    if observers::is_debug() {
        // Calls before this one found nothing to be inspected.
        world::set_inspected(false);
    }
    let wiped = [table::wipe_on_fork(), world::wipe_on_fork(), access::prepare_for_fork()];
    WIPED.store(wiped.iter().all(|wiped| *wiped), Relaxed);
    // SAFETY: the handler makes system calls and touches memory of the library's own; it neither allocates nor locks.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    // Release pairs with the Acquire above.
    PREPARED.store(true, Release);
}

/// Forgets everything, in a forked child where the pages could not be wiped.
fn forget() {
    if !WIPED.load(Relaxed) {
        world::forget();
        access::forget();
        table::forget();
    }
}

/// The world of this process, made if need be.
pub(crate) fn world() -> Result<&'static World> {
    if let Some(world) = world::world() {
        return Ok(world);
    }
    notice();
    prepare();
    errno::prepare();
    let (world, is_made_here) = world::make()?;
    if is_made_here {
        remember(world);
    }
    Ok(world)
}
