//! The descriptor table: what is behind a descriptor number, found without a lock.
//!
//! Each number has a node of one cache line (`Attachment`), in memory that comes zeroed from the kernel and costs
//! nothing until it is touched, by whole pages. The nodes of the numbers that nearly all programs get along with are
//! static, so that one is found without a look at anything else; those of higher numbers, up to the highest that the
//! kernel can give out, are in a second level. Both, and the pointer to the `World`, lie in pages that a forked child
//! sees zeroed (MADV_WIPEONFORK), so the child has no pipes and no attachments from its first instruction on (rule
//! 5.2), and starts a world of its own when it needs one.
//!
//! A node says what a number was when it was looked at. A thread that found an attachment locks it, or goes alone, and
//! checks that it still is one.

use super::attachment::{Attachment, Entry};
use super::pipe::{Pipe, Pipes};
use crate::calls::watchdog::Watchdog;
use crate::engine::epoll::workers::Workers;
use crate::queue::op::Ops;
use crate::sync::access;
use crate::sync::identity_locks::IdentityLocks;
use crate::sync::lock::{Mutex, MutexGuard};
use crate::sync::pool::Pool;
use crate::sync::positions::Positions;
use crate::sync::sparse::{Sparse, Zeroed};
use crate::sys::memory::{self, Pages};
use crate::sys::{Result, process};
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};

/// Numbers below this have static nodes.
const NEAR: usize = 1 << 17;

// SAFETY: see `Attachment`.
unsafe impl Zeroed for Attachment {}

/// What a forked child sees zeroed.
static NEAR_NODES: Pages<[Attachment; NEAR]> = Pages::new([const { Attachment::new() }; NEAR]);
static FAR_NODES: Pages<Sparse<Attachment>> = Pages::new(Sparse::new());
static WORLD: Pages<AtomicPtr<World>> = Pages::new(AtomicPtr::new(null_mut()));

/// No number above this was ever attached, in this process or one that it was forked from. Relaxed: written under the
/// lock of the attachment, before it is one.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);

/// Whether the pages were prepared for forks.
static PREPARED: AtomicBool = AtomicBool::new(false);
/// Whether the kernel wipes them in forked children.
static WIPED: AtomicBool = AtomicBool::new(false);

/// Has the kernel wipe the pages in forked children. Once is enough, for children of children too.
fn prepare_for_fork() {
    // Relaxed: the thread that swaps first does it; that comes before this thread's first pipe or, in another thread,
    // before or after it just as a fork at that time would.
    if !PREPARED.swap(true, Ordering::Relaxed) {
        // Kernels before 4.14 do not know the advice, and loaders before glibc 2.35 may not keep the alignment; then
        // the handler does the work.
        let wiped = [
            NEAR_NODES.wipe_on_fork(),
            FAR_NODES.wipe_on_fork(),
            WORLD.wipe_on_fork(),
            access::prepare_for_fork(),
        ];
        WIPED.store(wiped.iter().all(|wiped| *wiped), Ordering::Relaxed);
        crate::calls::fork::prepare();
    }
}

/// Forgets everything, in a forked child where the pages could not be wiped.
pub(crate) fn forget() {
    if WIPED.load(Ordering::Relaxed) {
        return;
    }
    WORLD.value.store(null_mut(), Ordering::Relaxed);
    access::forget();
    for node in &NEAR_NODES.value {
        // Nothing is written to pages that were never used.
        if !matches!(node.entry(), Entry::Nothing) {
            node.forget();
        }
    }
    FAR_NODES.value.forget();
}

/// The node of a number, for the fast path: `None` is not certain.
#[inline(always)]
pub(crate) fn near(number: c_int) -> Option<&'static Attachment> {
    NEAR_NODES.value.get(number as u32 as usize)
}

/// The node of a number: `None` if it is not static, and nothing near it was ever used.
#[inline(always)]
fn node(number: c_int) -> Option<&'static Attachment> {
    match near(number) {
        Some(node) => Some(node),
        None => FAR_NODES.value.get(number),
    }
}

/// The node of a number that is open, made if need be.
pub(crate) fn make(number: c_int) -> Result<&'static Attachment> {
    match near(number) {
        Some(node) => Ok(node),
        None => FAR_NODES.value.make(number),
    }
}

/// The node of the number in a word that `Attachment::to_word` has made, and the generation there. The node may have
/// become another descriptor's since; then its generation is another. Of a word that is not of that kind no generation
/// fits.
#[inline(always)]
pub(crate) fn by_word(word: u64) -> Option<(&'static Attachment, u32)> {
    Some((node(word as u32 as c_int)?, (word >> 32) as u32))
}

/// What is behind a number now.
#[inline(always)]
pub(crate) fn get(number: c_int) -> Entry {
    if let Some(node) = near(number) {
        let word = node.read();
        if word.is_attached() {
            return Entry::Attachment(node);
        }
        if let Some(pipe) = word.pipe() {
            return Entry::Pipe(pipe);
        }
    }
    get_slow(number)
}

#[cold]
#[inline(never)]
fn get_slow(number: c_int) -> Entry {
    if world().is_none() {
        crate::calls::fork::notice();
        return Entry::Nothing;
    }
    node(number).map_or(Entry::Nothing, Attachment::entry)
}

/// A number is about to be attached.
pub(crate) fn count_attached(number: c_int, world: &World) {
    HIGHEST.fetch_max(number, Ordering::Relaxed);
    world.attached.fetch_add(1, Ordering::Relaxed);
}

/// All attachments there are, and perhaps some that are no more.
pub(crate) fn attachments() -> impl Iterator<Item = &'static Attachment> {
    (0..=HIGHEST.load(Ordering::Relaxed)).filter_map(node).filter(|node| node.is_attached())
}

/// Locks for threads that attach, by number, so that two of them do not attach one number at once.
const STRIPES: usize = 64;

/// All that the library has in this process, beside the table.
pub(crate) struct World {
    pub(crate) ops: Ops,
    pub(crate) pipes: Pipes,
    pub(crate) watchdog: Watchdog,
    pub(crate) workers: Workers,
    /// Files whose O_NONBLOCK is set for a call (`epoll::nonblock`).
    pub(crate) nonblock: IdentityLocks,
    pub(crate) positions: Positions,
    /// How many descriptors are attached. Relaxed: for estimates.
    pub(crate) attached: AtomicUsize,
    process: libc::pid_t,
    stripes: [Mutex<()>; STRIPES],
}

impl World {
    /// The kernel has just given out the numbers of a new pipe: another that takes some of them for its own has lost
    /// them.
    pub(crate) fn lose(&self, new: &'static Pipe, public: c_int) {
        let [epfd, waker, clock] = new.engine().numbers();
        let numbers = [epfd, waker, clock, public];
        for pipe in self.pipes.iter().filter(|pipe| pipe.is_in_use() && !core::ptr::eq(*pipe, new)) {
            pipe.engine().lose(&numbers);
        }
        self.watchdog.lose(&numbers);
    }

    /// The same for the watchdog.
    pub(crate) fn lose_to_watchdog(&self, numbers: &[c_int]) {
        self.pipes.iter().filter(|pipe| pipe.is_in_use()).for_each(|pipe| pipe.engine().lose(numbers));
    }

    /// The lock for threads that attach `number`.
    pub(crate) fn attaching(&self, number: c_int) -> Option<MutexGuard<'_, ()>> {
        self.stripes.get(number as usize % STRIPES).map(Mutex::lock)
    }
}

/// The world of this process, if it has one already.
#[inline]
pub(crate) fn world() -> Option<&'static World> {
    // Acquire pairs with the Release in `make_world`.
    let world = WORLD.value.load(Ordering::Acquire);
    // SAFETY: worlds are never freed.
    unsafe { world.as_ref() }
}

/// Whether this is a child made by vfork(2), which runs in the memory of its parent but has descriptors of its own: it
/// must leave the parent's pipes and attachments alone (rule 5.2).
pub(crate) fn is_borrowed() -> bool {
    world().is_some_and(|world| world.process != process::id())
}

/// The world of this process, made if need be.
pub(crate) fn make_world() -> Result<&'static World> {
    if let Some(world) = world() {
        return Ok(world);
    }
    crate::calls::fork::notice();
    prepare_for_fork();
    crate::sys::errno::prepare();
    let fresh = memory::allocate(World {
        ops: Pool::new(),
        pipes: Pipes::new(),
        watchdog: Watchdog::new(),
        workers: Workers::new(),
        nonblock: IdentityLocks::new(),
        positions: Positions::new(),
        attached: AtomicUsize::new(0),
        process: process::id(),
        stripes: [const { Mutex::new(()) }; STRIPES],
    })?;
    // Release pairs with the Acquire in `world`.
    match WORLD.value.compare_exchange(null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            // SAFETY: just made, never freed from now on.
            let world = unsafe { &*fresh };
            crate::calls::fork::remember(world);
            Ok(world)
        }
        Err(other) => {
            // SAFETY: nobody has seen the one that lost, and `allocate` allocates as a box does.
            drop(unsafe { Box::from_raw(fresh) });
            // SAFETY: worlds that were seen are never freed.
            Ok(unsafe { &*other })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_nobody_used_are_nothing() {
        for number in [-1, c_int::MIN, 0, 1_000_000, c_int::MAX] {
            assert!(matches!(get(number), Entry::Nothing));
        }
    }

    #[test]
    fn the_highest_numbers_of_each_kind_have_a_node() {
        let word = |number: c_int| u64::from(number as u32) | 7 << 32;
        for number in [NEAR as c_int - 1, NEAR as c_int, c_int::MAX] {
            let made = make(number).unwrap();
            let (found, generation) = by_word(word(number)).unwrap();
            assert!(core::ptr::eq(made, found) && generation == 7);
            assert!(matches!(get(number), Entry::Nothing));
        }
    }

    #[test]
    fn negative_numbers_have_none() {
        assert!(make(-1).is_err() && by_word(word_of(-1)).is_none());
    }

    fn word_of(number: c_int) -> u64 {
        u64::from(number as u32)
    }
}
