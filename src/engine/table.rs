//! The descriptor table: what is behind a descriptor number, found without a lock.
//!
//! An entry of one word for each number, in memory that comes zeroed from the kernel and costs nothing until it is
//! touched: 8 bytes a descriptor, by whole pages. The entries of the numbers that nearly all programs get along with are
//! static, so that one is found without a look at anything else; those of higher numbers, up to the highest that the
//! kernel can give out, are in chunks of a second level. The static ones, the first level, the pointer to the `World`, and
//! who is alone (`solo`) lie in pages that a forked child sees zeroed (MADV_WIPEONFORK), so the child has no pipes and no attachments from its
//! first instruction on (rule 5.2), and starts a world of its own when it needs one.
//!
//! An entry says what a number was when it was looked at. Nodes are never freed (see `pool`), so whoever found one
//! locks it and checks that it still is what it looked for.

use super::attachment::Attachment;
use super::epoll::identity_locks::IdentityLocks;
use super::epoll::positions::Positions;
use super::epoll::workers::Workers;
use super::lock::{Mutex, MutexGuard};
use super::op::Ops;
use super::pipe::{Pipe, Pipes};
use super::pool::Pool;
use super::solo::Solo;
use super::visit::Visits;
use super::watch::Watch;
use crate::sys::{Result, memory, process};
use core::ffi::c_int;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Numbers below this have static entries. It is what the kernel has as the limit of descriptors unless somebody raises
/// `fs.nr_open`.
const NEAR: usize = 1 << 20;
/// Entries in a chunk of the second level.
const CHUNK: usize = 1 << 15;
/// Chunks: together with `CHUNK`, every number that 32 bits can hold, so that a look-up needs no check. The chunks of
/// negative numbers are never made.
pub(super) const CHUNKS: usize = 1 << 17;

/// What an entry can hold: 0, the address of an attachment with the lowest bit set, or that of a pipe without. So one
/// look at one bit finds an attachment.
const IS_ATTACHMENT: usize = 1;

/// What is behind a descriptor number.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// Nothing of ours.
    Nothing,
    Attachment(&'static Attachment),
    Pipe(&'static Pipe),
}

impl Entry {
    #[inline(always)]
    fn from_word(word: usize) -> Entry {
        if word & IS_ATTACHMENT != 0 {
            // SAFETY: only `to_word` makes words with this bit, from references to nodes that live for ever.
            return Entry::Attachment(unsafe { &*((word - IS_ATTACHMENT) as *const Attachment) });
        }
        // SAFETY: as above, for words that are neither odd nor 0.
        unsafe { (word as *const Pipe).as_ref() }.map_or(Entry::Nothing, Entry::Pipe)
    }

    fn to_word(self) -> usize {
        match self {
            Entry::Nothing => 0,
            Entry::Attachment(attachment) => core::ptr::from_ref(attachment) as usize | IS_ATTACHMENT,
            Entry::Pipe(pipe) => core::ptr::from_ref(pipe) as usize,
        }
    }
}

/// What a forked child sees zeroed. Aligned to the largest page there is, so that it has pages of its own; it ends with
/// whole pages too, since its size is a multiple of its alignment.
#[repr(C, align(65536))]
struct Root {
    near: [AtomicUsize; NEAR],
    chunks: [AtomicPtr<AtomicUsize>; CHUNKS],
    world: AtomicPtr<World>,
    solo: Solo,
}

/// The first level of another such table: how long operations may take, in nanoseconds. A number's entry means something
/// only while it has an attachment that says so (TIME_LIMIT).
static TIMEOUTS: [AtomicPtr<AtomicUsize>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];

static ROOT: Root = Root {
    near: [const { AtomicUsize::new(0) }; NEAR],
    chunks: [const { AtomicPtr::new(null_mut()) }; CHUNKS],
    world: AtomicPtr::new(null_mut()),
    solo: Solo::new(),
};

/// Whether the root was prepared for forks.
static PREPARED: AtomicBool = AtomicBool::new(false);

/// Has the kernel wipe the root in forked children. Once is enough, for children of children too.
fn prepare_for_fork() {
    // Relaxed: whoever swaps first does it; that comes before this thread's first pipe or, in another thread, before
    // or after it just as a fork at that time would.
    if !PREPARED.swap(true, Ordering::Relaxed) {
        // Kernels before 4.14 do not know the advice, and loaders before glibc 2.35 may not keep the alignment; then the
        // handler does the work.
        let wiped = memory::wipe_on_fork(NonNull::from(&ROOT).cast(), size_of::<Root>());
        WIPED.store(wiped.is_ok(), Ordering::Relaxed);
        super::fork::prepare();
    }
}

/// Whether the kernel wipes the root in forked children.
static WIPED: AtomicBool = AtomicBool::new(false);

/// Forgets everything, in a forked child where the pages could not be wiped.
pub(super) fn forget() {
    if WIPED.load(Ordering::Relaxed) {
        return;
    }
    ROOT.world.store(null_mut(), Ordering::Relaxed);
    ROOT.solo.forget();
    for entry in &ROOT.near {
        // Nothing is written to pages that were never used.
        if entry.load(Ordering::Relaxed) != 0 {
            entry.store(0, Ordering::Relaxed);
        }
    }
    for chunk in &ROOT.chunks {
        if !chunk.load(Ordering::Relaxed).is_null() {
            chunk.store(null_mut(), Ordering::Relaxed);
        }
    }
}

/// The entry of a number: `None` if it is not static, and nothing near it was ever used.
#[inline(always)]
fn word_of(number: c_int) -> Option<&'static AtomicUsize> {
    match ROOT.near.get(number as u32 as usize) {
        Some(entry) => Some(entry),
        None => slot(&ROOT.chunks, number),
    }
}

/// The entry of a number in a table of two levels: `None` if nothing near it was ever used.
#[inline(always)]
pub(super) fn slot(
    chunks: &'static [AtomicPtr<AtomicUsize>; CHUNKS],
    number: c_int,
) -> Option<&'static AtomicUsize> {
    let number = number as u32 as usize;
    let chunk = chunks.get(number / CHUNK)?;
    // Acquire pairs with the Release in `make_slot`: the chunk is zeroed before its address is seen.
    let chunk = NonNull::new(chunk.load(Ordering::Acquire))?;
    // SAFETY: a chunk has CHUNK entries and is never unmapped.
    Some(unsafe { chunk.add(number % CHUNK).as_ref() })
}

/// The entry of a number that is open, made if need be.
pub(super) fn make_slot(
    chunks: &'static [AtomicPtr<AtomicUsize>; CHUNKS],
    number: c_int,
) -> Result<&'static AtomicUsize> {
    if let Some(slot) = slot(chunks, number) {
        return Ok(slot);
    }
    let index = usize::try_from(number).map_err(|_| crate::sys::Errno::EBADF)?;
    let chunk = chunks.get(index / CHUNK).ok_or(crate::sys::Errno::EBADF)?;
    let bytes = CHUNK * size_of::<AtomicUsize>();
    let fresh = memory::map_zeroed(bytes)?;
    // Release pairs with the Acquire in `slot`.
    let made = chunk.compare_exchange(null_mut(), fresh.cast().as_ptr(), Ordering::AcqRel, Ordering::Acquire);
    if made.is_err() {
        // SAFETY: nobody has seen the mapping that lost.
        unsafe { memory::unmap(fresh, bytes) };
    }
    slot(chunks, number).ok_or(crate::sys::Errno::ENOMEM)
}

/// How long operations of a number may take, in nanoseconds.
pub(super) fn timeout(number: c_int) -> u64 {
    // Relaxed, here and below: the lock of the attachment guards it.
    slot(&TIMEOUTS, number).map_or(0, |slot| slot.load(Ordering::Relaxed) as u64)
}

/// Sets that.
pub(super) fn set_timeout(number: c_int, nanoseconds: u64) -> Result<()> {
    make_slot(&TIMEOUTS, number)?.store(nanoseconds as usize, Ordering::Relaxed);
    Ok(())
}

/// What is behind a number now.
#[inline(always)]
pub(crate) fn get(number: c_int) -> Entry {
    // Acquire pairs with the Release in `set`: the node is filled in before it is found.
    let word = word_of(number).map_or(0, |slot| slot.load(Ordering::Acquire));
    if word == 0 && world().is_none() {
        super::fork::notice();
    }
    Entry::from_word(word)
}

/// The same for the short ways: `Nothing` is not certain.
#[inline(always)]
pub(crate) fn at_once(number: c_int) -> Entry {
    // Acquire as in `get`.
    match ROOT.near.get(number as u32 as usize) {
        Some(word) => Entry::from_word(word.load(Ordering::Acquire)),
        None => Entry::Nothing,
    }
}

/// Makes sure that `set` cannot fail for this number.
pub(super) fn reserve(number: c_int) -> Result<()> {
    if word_of(number).is_none() {
        make_slot(&ROOT.chunks, number)?;
    }
    Ok(())
}

/// Enters what is behind a number. Without a `reserve` before, it is lost.
pub(super) fn set(number: c_int, entry: Entry) {
    if let Some(slot) = word_of(number) {
        // Release pairs with the Acquire in `get`.
        slot.store(entry.to_word(), Ordering::Release);
    }
}

/// Removes `entry` unless something else has taken its place.
pub(super) fn clear(number: c_int, entry: Entry) {
    if let Some(slot) = word_of(number) {
        let _ = slot.compare_exchange(entry.to_word(), 0, Ordering::AcqRel, Ordering::Relaxed);
    }
}

/// Locks for those who attach, by number, so that two threads do not attach one number at once.
const STRIPES: usize = 64;

/// All that the library has in this process, beside the table.
pub(crate) struct World {
    pub(super) ops: Ops,
    pub(super) attachments: Pool<Attachment>,
    pub(super) pipes: Pipes,
    pub(super) watch: Watch,
    pub(super) workers: Workers,
    /// Files whose O_NONBLOCK is set for a call (`epoll::nonblock`).
    pub(super) nonblock: IdentityLocks,
    pub(super) positions: Positions,
    pub(super) visits: Visits,
    process: libc::pid_t,
    stripes: [Mutex<()>; STRIPES],
}

impl World {
    /// The kernel has just given out the numbers of a new pipe: another that takes some of them for its own has lost
    /// them.
    pub(super) fn lose(&self, new: &'static Pipe, public: c_int) {
        let [epfd, bell, clock] = new.engine().numbers();
        let numbers = [epfd, bell, clock, public];
        for pipe in self.pipes.iter().filter(|pipe| pipe.is_in_use() && !core::ptr::eq(*pipe, new)) {
            pipe.engine().lose(&numbers);
        }
        self.watch.lose(&numbers);
    }

    /// The same for the watch.
    pub(super) fn lose_to_watch(&self, numbers: &[c_int]) {
        self.pipes.iter().filter(|pipe| pipe.is_in_use()).for_each(|pipe| pipe.engine().lose(numbers));
    }

    /// The lock for those who attach `number`.
    pub(super) fn attaching(&self, number: c_int) -> Option<MutexGuard<'_, ()>> {
        self.stripes.get(number as usize % STRIPES).map(Mutex::lock)
    }
}

/// Who goes how.
#[inline(always)]
pub(super) fn solo() -> &'static Solo {
    &ROOT.solo
}

/// The world of this process, if it has one already.
#[inline]
pub(crate) fn world() -> Option<&'static World> {
    // Acquire pairs with the Release in `make_world`.
    let world = ROOT.world.load(Ordering::Acquire);
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
    super::fork::notice();
    prepare_for_fork();
    crate::sys::errno::prepare();
    let fresh = memory::allocate(World {
        ops: Pool::new(),
        attachments: Pool::new(),
        pipes: Pipes::new(),
        watch: Watch::new(),
        workers: Workers::new(),
        nonblock: IdentityLocks::new(),
        positions: Positions::new(),
        visits: Visits::new(()),
        process: process::id(),
        stripes: [const { Mutex::new(()) }; STRIPES],
    })?;
    // Release pairs with the Acquire in `world`.
    match ROOT.world.compare_exchange(null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            // SAFETY: just made, never freed from now on.
            let world = unsafe { &*fresh };
            super::fork::remember(world);
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
    fn the_highest_numbers_of_each_kind_have_an_entry() {
        let world = make_world().unwrap();
        let attachment = world.attachments.take().unwrap();
        for number in [NEAR as c_int - 1, NEAR as c_int, c_int::MAX] {
            reserve(number).unwrap();
            set(number, Entry::Attachment(attachment));
            assert!(matches!(get(number), Entry::Attachment(found) if core::ptr::eq(found, attachment)));
            clear(number, Entry::Nothing);
            assert!(matches!(get(number), Entry::Attachment(_)));
            clear(number, Entry::Attachment(attachment));
            assert!(matches!(get(number), Entry::Nothing));
        }
    }

    #[test]
    fn negative_numbers_cannot_be_entered() {
        assert!(reserve(-1).is_err());
        set(-1, Entry::Nothing);
    }
}
