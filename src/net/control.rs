//! The control data of a message, in which descriptors go from process to process: cmsg(3), in safe code.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// As many descriptors go with a message at most (the kernel's SCM_MAX_FD).
pub(super) const MOST_DESCRIPTORS: usize = 253;

/// Room for all of them, and for what the kernel puts beside them if an option of the socket says so: who the sender
/// is, its security context, a time.
const ROOM: usize = 1536;

/// The head of each part: its length with the head, and two numbers that say what it is. The next part begins at the
/// next multiple of eight.
const HEAD: usize = size_of::<libc::cmsghdr>();

/// A process, as a descriptor (SO_PASSPIDFD).
const SCM_PIDFD: libc::c_int = 4;

const _: () = {
    assert!(HEAD == 16);
    assert!(ROOM >= HEAD + 4 * MOST_DESCRIPTORS + 256);
};

#[repr(C, align(8))]
pub(super) struct Control([u8; ROOM]);

const _: () = assert!(align_of::<Control>() >= align_of::<libc::cmsghdr>());

impl Control {
    pub(super) const fn new() -> Control {
        Control([0; ROOM])
    }

    /// Room for the kernel to fill in: where it is, and how long.
    pub(super) fn room(&mut self) -> (*mut u8, usize) {
        (self.0.as_mut_ptr(), ROOM)
    }

    /// Control data that pass the descriptors, no more than `MOST_DESCRIPTORS`: where they are, and how long. Without
    /// descriptors there are none.
    pub(super) fn pass(&mut self, descriptors: &[OwnedFd]) -> (*mut u8, usize) {
        if descriptors.is_empty() {
            return (std::ptr::null_mut(), 0);
        }
        let len = HEAD + 4 * descriptors.len();
        let numbers = [libc::SOL_SOCKET, libc::SCM_RIGHTS].into_iter();
        let numbers = numbers.chain(descriptors.iter().map(AsRawFd::as_raw_fd));
        let bytes = len.to_ne_bytes().into_iter().chain(numbers.flat_map(i32::to_ne_bytes));
        for (to, from) in self.0.iter_mut().zip(bytes) {
            *to = from;
        }
        (self.0.as_mut_ptr(), len)
    }

    /// Takes the descriptors out of the first `len` bytes, and appends them to `descriptors`, in order.
    ///
    /// # Safety
    ///
    /// With a message that was received, the kernel has written these bytes; nothing has taken the descriptors before.
    pub(super) unsafe fn take_descriptors(&self, len: usize, descriptors: &mut Vec<OwnedFd>) {
        for (level, kind, data) in parts(self.0.get(..len).unwrap_or(&self.0)) {
            if level != libc::SOL_SOCKET || (kind != libc::SCM_RIGHTS && kind != SCM_PIDFD) {
                continue;
            }
            let numbers =
                data.chunks_exact(4).filter_map(|number| number.try_into().ok()).map(i32::from_ne_bytes);
            // In the place of a pidfd there may be an error.
            for number in numbers.filter(|number| *number >= 0) {
                // SAFETY: the kernel has made the descriptor with this message, and the caller vouches for it that
                // nothing has it.
                let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
                // The sender has not passed a pidfd, so it is not handed out, but closed.
                if kind == libc::SCM_RIGHTS {
                    descriptors.push(descriptor);
                }
            }
        }
    }
}

/// The parts of control data: level, kind and data of each.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = (libc::c_int, libc::c_int, &[u8])> {
    std::iter::from_fn(move || {
        let (len, rest) = bytes.split_first_chunk()?;
        let (level, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let len = usize::from_ne_bytes(*len).checked_sub(HEAD)?;
        let data = rest.get(..len).unwrap_or(rest);
        bytes = rest.get(len.next_multiple_of(8)..).unwrap_or_default();
        Some((i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind), data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part as the kernel writes it, up to where the next begins.
    fn part(kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (HEAD + data.len()).to_ne_bytes().to_vec();
        bytes.extend([libc::SOL_SOCKET, kind].into_iter().flat_map(i32::to_ne_bytes));
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0xff);
        bytes
    }

    #[test]
    fn control_data_are_gone_through_part_by_part() {
        let credentials = [7; 12];
        let mut bytes = part(libc::SCM_CREDENTIALS, &credentials);
        bytes.extend(part(libc::SCM_RIGHTS, &[1, 2, 3, 4]));
        bytes.extend(part(libc::SCM_TIMESTAMP, &[]));
        let found: Vec<_> = parts(&bytes).map(|(level, kind, data)| (level, kind, data.to_vec())).collect();
        let part = |kind, data: &[u8]| (libc::SOL_SOCKET, kind, data.to_vec());
        assert_eq!(
            found,
            [
                part(libc::SCM_CREDENTIALS, &credentials),
                part(libc::SCM_RIGHTS, &[1, 2, 3, 4]),
                part(libc::SCM_TIMESTAMP, &[]),
            ]
        );
    }

    #[test]
    fn what_is_cut_off_ends_them() {
        let whole = part(libc::SCM_RIGHTS, &[1; 8]);
        // The last part is cut where the room ends; its length may be as before.
        assert_eq!(parts(&whole[..20]).map(|part| part.2.len()).collect::<Vec<_>>(), [4]);
        for cut in [0, 1, 8, 15] {
            assert_eq!(parts(&whole[..cut]).count(), 0, "{cut}");
        }
        // Lengths that the kernel does not write: shorter than the head, and longer than there is memory.
        for len in [0, HEAD - 1, usize::MAX, usize::MAX - HEAD] {
            let mut bytes = whole.clone();
            bytes[..8].copy_from_slice(&len.to_ne_bytes());
            assert!(parts(&bytes).count() <= 1, "{len}");
        }
    }
}
