//! An allocator that shows when memory is used by what does not own it. An allocation of `SMALLEST` bytes or more ends
//! where a page begins that cannot be touched, and its memory is never used again once it is freed. What is freed
//! cannot be touched either: then the kernel answers EFAULT where it should have written, and the program crashes. Or
//! it is filled with a pattern (`keep_freed`): then `spoiled` tells how many were written to afterwards, by the kernel
//! too.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock, PoisonError};

pub(crate) struct Guard;

#[global_allocator]
static GUARD: Guard = Guard;

pub(crate) const SMALLEST: usize = 512;
const PAGE: usize = 4096;
/// Addresses, not memory.
const ARENA: usize = 1 << 37;
const PATTERN: u8 = 0xa5;
const KEPT: usize = 512;

static ARENA_START: OnceLock<usize> = OnceLock::new();
static USED: AtomicUsize = AtomicUsize::new(0);
static KEEPS: AtomicBool = AtomicBool::new(false);
static SPOILED: AtomicUsize = AtomicUsize::new(0);
/// The pages of what was freed last, with the pattern in them: a ring.
static FREED: Mutex<([(usize, usize); KEPT], usize)> = Mutex::new(([(0, 0); KEPT], 0));

/// Whether freed memory is kept, with a pattern, or cannot be touched.
pub(crate) fn keep_freed(keep: bool) {
    KEEPS.store(keep, SeqCst);
}

/// How many blocks were written to after they had been freed, among those that were freed while such are kept.
pub(crate) fn spoiled() -> usize {
    let mut freed = FREED.lock().unwrap_or_else(PoisonError::into_inner);
    freed.0.iter_mut().for_each(look_at);
    SPOILED.load(SeqCst)
}

/// An allocation's first page, and the bytes of its pages.
fn pages(layout: Layout) -> usize {
    layout.size().next_multiple_of(PAGE)
}

/// Looks whether the pattern is there still, and gives the pages up.
fn look_at(freed: &mut (usize, usize)) {
    let (start, len) = std::mem::take(freed);
    if len != 0 {
        // SAFETY: they are readable until `give_up`, and only this thread has them: they were taken out of the ring.
        let bytes = unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance::<u8>(start), len) };
        if bytes.iter().any(|&byte| byte != PATTERN) {
            SPOILED.fetch_add(1, SeqCst);
        }
        give_up(start, len);
    }
}

/// From now on these pages cannot be touched.
fn give_up(start: usize, len: usize) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: pages of the arena that were freed.
    let at =
        unsafe { libc::mmap(ptr::with_exposed_provenance_mut(start), len, libc::PROT_NONE, flags, -1, 0) };
    assert_ne!(at, libc::MAP_FAILED);
}

fn arena() -> usize {
    *ARENA_START.get_or_init(|| {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: anywhere.
        let start = unsafe { libc::mmap(ptr::null_mut(), ARENA, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        start.expose_provenance()
    })
}

// SAFETY: each allocation has pages of its own.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() < SMALLEST || layout.align() > PAGE {
            // SAFETY: passed on.
            return unsafe { System.alloc(layout) };
        }
        let len = pages(layout);
        let at = USED.fetch_add(len + PAGE, SeqCst);
        if at + len + PAGE > ARENA {
            return ptr::null_mut();
        }
        let start: *mut u8 = ptr::with_exposed_provenance_mut(arena() + at);
        // SAFETY: pages of the arena that nobody else has.
        if unsafe { libc::mprotect(start.cast(), len, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            return ptr::null_mut();
        }
        // As near to the page behind as its alignment allows.
        let offset = len - layout.size().next_multiple_of(layout.align());
        // SAFETY: within these pages.
        unsafe { start.add(offset) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() < SMALLEST || layout.align() > PAGE {
            // SAFETY: passed on.
            return unsafe { System.dealloc(block, layout) };
        }
        let (start, len) = (block.expose_provenance() & !(PAGE - 1), pages(layout));
        if !KEEPS.load(SeqCst) {
            return give_up(start, len);
        }
        // SAFETY: the pages of a block that is freed.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(start).write_bytes(PATTERN, len) };
        let mut freed = FREED.lock().unwrap_or_else(PoisonError::into_inner);
        let next = freed.1;
        freed.1 = (next + 1) % KEPT;
        look_at(&mut freed.0[next]);
        freed.0[next] = (start, len);
    }
}

/// read(2) into memory that was freed (it is wrong on purpose).
pub(crate) fn read_into_freed(from: BorrowedFd<'_>) -> io::Result<usize> {
    let freed = Box::into_raw(Box::new([0u8; SMALLEST]));
    // SAFETY: from a Box.
    drop(unsafe { Box::from_raw(freed) });
    read_to(from, freed.cast())
}

/// read(2) into what is behind an allocation (it is wrong on purpose).
pub(crate) fn read_behind(from: BorrowedFd<'_>) -> io::Result<usize> {
    let mut bytes = Box::new([0u8; SMALLEST]);
    read_to(from, bytes.as_mut_ptr_range().end)
}

fn read_to(from: BorrowedFd<'_>, to: *mut u8) -> io::Result<usize> {
    // SAFETY: it is the kernel that touches it, and this allocator has all that is there.
    let count = unsafe { libc::read(from.as_raw_fd(), to.cast(), 8) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
