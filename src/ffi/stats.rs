//! ioevent_stats.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::answer;
use crate::calls::stats;
use crate::stats::Stats;
use crate::sys::{Errno, UserPtr, memory};
use core::ffi::c_int;

/// The struct as it was at first, and the most that a caller's may ever have.
const FIRST: usize = 23 * size_of::<u64>();
const MOST: usize = 4096;
const _: () = assert!(size_of::<Stats>() >= FIRST && size_of::<Stats>() <= MOST);

/// The statistics of a pipe. `size` is sizeof *stats.
///
/// Fills what both the caller and the library know of the struct, sets what is left of it to 0, and returns how many
/// bytes it has filled: the two may be of different versions. Errors: EINVAL (not a pipe; no size that the struct has
/// or may have), EBADF (not open, or the pipe was closed or is lost), EFAULT. Any thread; none is held up by it.
/// ioevent_stats(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_stats(pipefd: c_int, stats: *mut Stats, size: usize) -> c_int {
    answer(|| {
        let found = stats::stats(pipefd)?;
        if !(FIRST..=MOST).contains(&size) || size % size_of::<u64>() != 0 {
            return Err(Errno::EINVAL);
        }
        let words = stats.cast::<u64>();
        // No more than two pages.
        for at in [words, words.wrapping_byte_add(size - size_of::<u64>())] {
            // SAFETY: the caller gives room for `size` bytes; and the kernel looks whether there is.
            if !memory::can_write(unsafe { UserPtr::new(at) }) {
                return Err(Errno::EFAULT);
            }
        }
        let filled = size.min(size_of::<Stats>());
        // SAFETY: the caller gives room for `size` bytes. They need no alignment, and do not overlap with ours.
        unsafe {
            core::ptr::copy_nonoverlapping((&raw const found).cast::<u8>(), stats.cast(), filled);
            stats.cast::<u8>().add(filled).write_bytes(0, size - filled);
        }
        Ok(filled as c_int)
    })
}
