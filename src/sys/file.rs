//! Reading and writing anything that is no socket, without waiting and without changing a flag of the open file.

use super::raw::{self, Sysno};
use super::{Errno, Result, UserPtr, process};
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};

/// preadv2 and pwritev2: do not wait (EAGAIN instead).
const RWF_NOWAIT: usize = 0x8;
/// pwritev2: no SIGPIPE (Linux 6.18).
const RWF_NOSIGNAL: usize = 0x100;
/// "The file's own position", as both halves of the offset.
const OWN_POSITION: usize = usize::MAX;

/// Buffers of the caller: one, or an array of iovecs.
#[derive(Clone, Copy)]
pub(crate) enum Buffers {
    One { buf: UserPtr, len: usize },
    Many { iov: UserPtr, count: usize },
}

impl Buffers {
    /// Calls `call` with the address and the number of an iovec array that describes the buffers.
    #[inline]
    fn with_iovec<T>(self, call: impl FnOnce(usize, usize) -> T) -> T {
        match self {
            Buffers::One { buf, len } => {
                let one = [buf.addr(), len];
                call(one.as_ptr() as usize, 1)
            }
            Buffers::Many { iov, count } => call(iov.addr(), count),
        }
    }
}

/// readv(2), for descriptors that are known not to wait.
pub(crate) fn read(fd: c_int, to: Buffers) -> Result<usize> {
    // SAFETY: the kernel checks the array; a `UserPtr` stands for memory that the operation may use.
    to.with_iovec(|iov, n| unsafe { raw::call3(Sysno::readv, fd as usize, iov, n) })
}

/// readv(2) that does not wait, whatever the flags of the open file; EOPNOTSUPP where the kernel cannot promise that.
pub(crate) fn read_nowait(fd: c_int, to: Buffers) -> Result<usize> {
    // SAFETY: as in `read`.
    to.with_iovec(|iov, n| unsafe {
        raw::call6(Sysno::preadv2, fd as usize, iov, n, OWN_POSITION, OWN_POSITION, RWF_NOWAIT)
    })
}

/// Set once the kernel has refused RWF_NOSIGNAL.
static WITHOUT_NOSIGNAL: AtomicBool = AtomicBool::new(false);

fn write_flags(fd: c_int, from: Buffers, flags: usize) -> Result<usize> {
    // Relaxed: a hint; whoever misses it asks the kernel itself.
    if !WITHOUT_NOSIGNAL.load(Ordering::Relaxed) {
        let r = pwritev2(fd, from, flags | RWF_NOSIGNAL);
        if r != Err(Errno::EOPNOTSUPP) {
            return r;
        }
        // Either flag may have been refused. Without any flag pwritev2 is writev, so ask again without NOSIGNAL.
        let r = process::without_sigpipe(|| pwritev2(fd, from, flags));
        if r != Err(Errno::EOPNOTSUPP) {
            WITHOUT_NOSIGNAL.store(true, Ordering::Relaxed);
        }
        return r;
    }
    process::without_sigpipe(|| pwritev2(fd, from, flags))
}

fn pwritev2(fd: c_int, from: Buffers, flags: usize) -> Result<usize> {
    // SAFETY: as in `read`; the memory is only read.
    from.with_iovec(|iov, n| unsafe {
        raw::call6(Sysno::pwritev2, fd as usize, iov, n, OWN_POSITION, OWN_POSITION, flags)
    })
}

/// writev(2) without SIGPIPE, for descriptors that are known not to wait.
pub(crate) fn write(fd: c_int, from: Buffers) -> Result<usize> {
    write_flags(fd, from, 0)
}

/// writev(2) without SIGPIPE that does not wait, whatever the flags of the open file; EOPNOTSUPP where the kernel
/// cannot promise that.
pub(crate) fn write_nowait(fd: c_int, from: Buffers) -> Result<usize> {
    write_flags(fd, from, RWF_NOWAIT)
}
