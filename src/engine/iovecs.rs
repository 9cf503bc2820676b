//! What is left of an array of buffers after part of it was moved.

use crate::sys::UserPtr;
use core::mem::MaybeUninit;

/// How many buffers are moved in one go when going on in the middle.
const PART: usize = 32;

/// A caller's iovec array, which the kernel has accepted before.
#[derive(Clone, Copy)]
pub(crate) struct Iovecs<'a>(&'a [libc::iovec]);

impl<'a> Iovecs<'a> {
    /// # Safety
    ///
    /// `array` must be the iovec array of an operation that the library has still the use of (rule 2.3), and the
    /// kernel must have accepted it: so it can be read, and its length is what the caller said.
    pub(crate) unsafe fn accepted(array: UserPtr, count: usize) -> Iovecs<'a> {
        if count == 0 || array.is_null() {
            return Iovecs(&[]);
        }
        // SAFETY: passed on to the caller.
        Iovecs(unsafe { core::slice::from_raw_parts(array.addr() as *const libc::iovec, count) })
    }

    /// Bytes in all buffers, cut to what the kernel moves at most.
    pub(crate) fn total(self) -> usize {
        let sum = self.0.iter().fold(0usize, |sum, part| sum.saturating_add(part.iov_len));
        sum.min(crate::queue::op::MOST_BYTES)
    }

    /// Calls `call` with an array that describes (the beginning of) what is left after `done` bytes.
    pub(crate) fn rest<T>(self, done: usize, call: impl FnOnce(UserPtr, usize) -> T) -> T {
        let mut array = [const { MaybeUninit::<libc::iovec>::uninit() }; PART];
        let mut count = 0;
        let mut skip = done;
        let mut room = self.total().saturating_sub(done);
        let mut slots = array.iter_mut();
        for part in self.0 {
            if skip >= part.iov_len {
                skip -= part.iov_len;
                continue;
            }
            if room == 0 {
                break;
            }
            let Some(slot) = slots.next() else { break };
            let len = (part.iov_len - skip).min(room);
            slot.write(libc::iovec { iov_base: part.iov_base.wrapping_byte_add(skip), iov_len: len });
            room -= len;
            skip = 0;
            count += 1;
        }
        // SAFETY: `array` is used only during the call; its first `count` entries describe the caller's own buffers.
        call(unsafe { UserPtr::new(array.as_ptr()) }, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_after(lengths: &[usize], done: usize) -> Vec<(usize, usize)> {
        let mut base = 0x1000;
        let array: Vec<libc::iovec> = lengths
            .iter()
            .map(|&iov_len| {
                let iov = libc::iovec { iov_base: base as *mut _, iov_len };
                base += 0x1000;
                iov
            })
            .collect();
        // SAFETY: a plain array.
        let iovecs = unsafe { Iovecs::accepted(UserPtr::new(array.as_ptr()), array.len()) };
        iovecs.rest(done, |rest, n| {
            // SAFETY: `rest` has `n` entries.
            let rest = unsafe { core::slice::from_raw_parts(rest.addr() as *const libc::iovec, n) };
            rest.iter().map(|iov| (iov.iov_base as usize, iov.iov_len)).collect()
        })
    }

    #[test]
    fn the_rest_begins_in_the_middle_of_a_buffer() {
        assert_eq!(
            parts_after(&[10, 0, 20], 0),
            [(0x1000, 10), (0x2000, 0), (0x3000, 20)][..]
                .to_vec()
                .into_iter()
                .filter(|p| p.1 > 0)
                .collect::<Vec<_>>()
        );
        assert_eq!(parts_after(&[10, 0, 20], 3), [(0x1003, 7), (0x3000, 20)]);
        assert_eq!(parts_after(&[10, 0, 20], 10), [(0x3000, 20)]);
        assert_eq!(parts_after(&[10, 0, 20], 29), [(0x3013, 1)]);
        assert_eq!(parts_after(&[10, 0, 20], 30), []);
    }

    #[test]
    fn long_arrays_come_in_parts_and_long_totals_are_cut() {
        assert_eq!(parts_after(&[1; 100], 5).len(), PART);
        let huge = parts_after(&[usize::MAX, 5], 10);
        assert_eq!(huge, [(0x100a, crate::queue::op::MOST_BYTES - 10)]);
    }
}
