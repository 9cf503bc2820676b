//! The descriptor table: what is behind a descriptor number, found without a lock.
//!
//! Two levels of entries, one word each, in memory that comes zeroed from the kernel and costs nothing until it is
//! touched: 8 bytes a descriptor, by whole pages, up to the highest number that the kernel can give out. The first
//! level and the pointer to the `World` lie in pages that a forked child sees zeroed (MADV_WIPEONFORK), so the child
//! has no pipes and no attachments from its first instruction on (rule 5.2), and starts a world of its own when it
//! needs one.
//!
//! An entry says what a number was when it was looked at. Nodes are never freed (see `pool`), so whoever found one
//! locks it and checks that it still is what it looked for.

use super::attachment::Attachment;
use super::op::Ops;
use super::pipe::{Pipe, Pipes};
use super::pool::Pool;
use crate::sys::{Result, memory};
use core::ffi::c_int;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use parking_lot::{Mutex, MutexGuard};

/// Entries in a chunk of the second level.
const CHUNK: usize = 1 << 15;
/// Chunks: together with `CHUNK`, every number that an int can hold.
const CHUNKS: usize = 1 << 16;

/// What an entry can hold: the address of an attachment, or of a pipe with this bit set.
const IS_PIPE: usize = 1;

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
        if word == 0 {
            return Entry::Nothing;
        }
        if word & IS_PIPE != 0 {
            // SAFETY: only `to_word` makes words that are not 0, from references to nodes that live for ever.
            return Entry::Pipe(unsafe { &*((word & !IS_PIPE) as *const Pipe) });
        }
        // SAFETY: as above.
        Entry::Attachment(unsafe { &*(word as *const Attachment) })
    }

    fn to_word(self) -> usize {
        match self {
            Entry::Nothing => 0,
            Entry::Attachment(attachment) => core::ptr::from_ref(attachment) as usize,
            Entry::Pipe(pipe) => core::ptr::from_ref(pipe) as usize | IS_PIPE,
        }
    }
}

/// What a forked child sees zeroed.
#[repr(C)]
struct Root {
    world: AtomicPtr<World>,
    chunks: [AtomicPtr<AtomicUsize>; CHUNKS],
}

/// The root's address, once there is one.
static ROOT: AtomicPtr<Root> = AtomicPtr::new(null_mut());

#[inline(always)]
fn root() -> Option<&'static Root> {
    // Acquire pairs with the Release in `make_root`: the root is zeroed before its address is seen.
    // SAFETY: a root that is there stays.
    unsafe { ROOT.load(Ordering::Acquire).as_ref() }
}

#[cold]
fn make_root() -> Result<&'static Root> {
    let fresh = memory::map_zeroed(size_of::<Root>())?;
    // Kernels before 4.14 do not know the advice; there the handler in `fork` does the work.
    let _ = memory::wipe_on_fork(fresh, size_of::<Root>());
    let fresh = fresh.cast::<Root>();
    // Release pairs with the Acquire in `root`.
    match ROOT.compare_exchange(null_mut(), fresh.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            super::fork::prepare();
            // SAFETY: just mapped, zeroed, never unmapped from now on.
            Ok(unsafe { fresh.as_ref() })
        }
        Err(other) => {
            // SAFETY: nobody has seen the mapping that lost.
            unsafe { memory::unmap(fresh.cast(), size_of::<Root>()) };
            // SAFETY: a root that is there stays.
            Ok(unsafe { &*other })
        }
    }
}

/// Forgets everything, in a forked child of a kernel that could not wipe the pages.
pub(super) fn forget() {
    if let Some(root) = root() {
        root.world.store(null_mut(), Ordering::Relaxed);
        for chunk in &root.chunks {
            if !chunk.load(Ordering::Relaxed).is_null() {
                chunk.store(null_mut(), Ordering::Relaxed);
            }
        }
    }
}

/// The entry of a number: `None` if nothing near it was ever used.
#[inline(always)]
fn slot(number: c_int) -> Option<&'static AtomicUsize> {
    let number = usize::try_from(number).ok()?;
    let chunk = root()?.chunks.get(number / CHUNK)?;
    // Acquire pairs with the Release in `make_slot`: the chunk is zeroed before its address is seen.
    let chunk = NonNull::new(chunk.load(Ordering::Acquire))?;
    // SAFETY: a chunk has CHUNK entries and is never unmapped.
    Some(unsafe { chunk.add(number % CHUNK).as_ref() })
}

/// The entry of a number that is open, made if need be.
fn make_slot(number: c_int) -> Result<&'static AtomicUsize> {
    if let Some(slot) = slot(number) {
        return Ok(slot);
    }
    let root = root().map_or_else(make_root, Ok)?;
    let index = usize::try_from(number).map_err(|_| crate::sys::Errno::EBADF)?;
    let chunk = root.chunks.get(index / CHUNK).ok_or(crate::sys::Errno::EBADF)?;
    let bytes = CHUNK * size_of::<AtomicUsize>();
    let fresh = memory::map_zeroed(bytes)?;
    // Release pairs with the Acquire in `slot`.
    let made = chunk.compare_exchange(null_mut(), fresh.cast().as_ptr(), Ordering::AcqRel, Ordering::Acquire);
    if made.is_err() {
        // SAFETY: nobody has seen the mapping that lost.
        unsafe { memory::unmap(fresh, bytes) };
    }
    slot(number).ok_or(crate::sys::Errno::ENOMEM)
}

/// What is behind a number now.
#[inline(always)]
pub(crate) fn get(number: c_int) -> Entry {
    match slot(number) {
        // Acquire pairs with the Release in `set`: the node is filled in before it is found.
        Some(slot) => Entry::from_word(slot.load(Ordering::Acquire)),
        None => Entry::Nothing,
    }
}

/// Makes sure that `set` cannot fail for this number.
pub(super) fn reserve(number: c_int) -> Result<()> {
    make_slot(number).map(drop)
}

/// Enters what is behind a number. Without a `reserve` before, it is lost.
pub(super) fn set(number: c_int, entry: Entry) {
    if let Some(slot) = slot(number) {
        // Release pairs with the Acquire in `get`.
        slot.store(entry.to_word(), Ordering::Release);
    }
}

/// Removes `entry` unless something else has taken its place.
pub(super) fn clear(number: c_int, entry: Entry) {
    if let Some(slot) = slot(number) {
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
    stripes: [Mutex<()>; STRIPES],
}

impl World {
    /// The lock for those who attach `number`.
    pub(super) fn attaching(&self, number: c_int) -> Option<MutexGuard<'_, ()>> {
        self.stripes.get(number as usize % STRIPES).map(Mutex::lock)
    }
}

/// The world of this process, if it has one already.
#[inline]
pub(crate) fn world() -> Option<&'static World> {
    // Acquire pairs with the Release in `make_world`.
    let world = root()?.world.load(Ordering::Acquire);
    // SAFETY: worlds are never freed.
    unsafe { world.as_ref() }
}

/// The world of this process, made if need be.
pub(crate) fn make_world() -> Result<&'static World> {
    if let Some(world) = world() {
        return Ok(world);
    }
    let root = root().map_or_else(make_root, Ok)?;
    let fresh = Box::into_raw(Box::new(World {
        ops: Pool::new(),
        attachments: Pool::new(),
        pipes: Pipes::new(),
        stripes: [const { Mutex::new(()) }; STRIPES],
    }));
    // Release pairs with the Acquire in `world`.
    match root.world.compare_exchange(null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: just made, never freed from now on.
        Ok(_) => Ok(unsafe { &*fresh }),
        Err(other) => {
            // SAFETY: nobody has seen the one that lost.
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
    fn the_highest_number_has_an_entry() {
        let world = make_world().unwrap();
        let attachment = world.attachments.take().unwrap();
        reserve(c_int::MAX).unwrap();
        set(c_int::MAX, Entry::Attachment(attachment));
        assert!(matches!(get(c_int::MAX), Entry::Attachment(found) if core::ptr::eq(found, attachment)));
        clear(c_int::MAX, Entry::Nothing);
        assert!(matches!(get(c_int::MAX), Entry::Attachment(_)));
        clear(c_int::MAX, Entry::Attachment(attachment));
        assert!(matches!(get(c_int::MAX), Entry::Nothing));
    }

    #[test]
    fn negative_numbers_cannot_be_entered() {
        assert!(reserve(-1).is_err());
        set(-1, Entry::Nothing);
    }
}
