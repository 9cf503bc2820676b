//! Reading and writing anything that is no socket, without waiting and without changing a flag of the open file.

use super::raw::{self, Refusable, Sysno};
use super::{Errno, Result, UserPtr, nature, process};
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

/// Where in a file: an offset, or the file's own position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position(usize);

impl Position {
    /// The file's own position, which moves.
    pub(crate) const OWN: Position = Position(OWN_POSITION);

    /// A fixed place. The kernel refuses negative ones.
    pub(crate) fn at(offset: usize) -> Position {
        Position(offset)
    }

    /// The place as a number.
    pub(crate) fn offset(self) -> usize {
        self.0
    }

    /// `n` bytes further on; the file's own position moves by itself.
    pub(crate) fn after(self, n: usize) -> Position {
        if self == Position::OWN { self } else { Position(self.0.wrapping_add(n)) }
    }
}

fn preadv2(fd: c_int, to: Buffers, at: Position, flags: usize) -> Result<usize> {
    // SAFETY: the kernel checks the array; a `UserPtr` stands for memory that the operation may use. On 64 bits the
    // offset is in one argument, and the other is ignored.
    to.with_iovec(|iov, n| unsafe {
        raw::call6(Sysno::preadv2, fd as usize, iov, n, at.0, OWN_POSITION, flags)
    })
}

static PREADV2: Refusable = Refusable::new(Sysno::preadv2);
static PWRITEV2: Refusable = Refusable::new(Sysno::pwritev2);

/// readv(2), preadv(2). It may wait.
pub(crate) fn read(fd: c_int, to: Buffers, at: Position) -> Result<usize> {
    if !PREADV2.is_refused() {
        let r = preadv2(fd, to, at, 0);
        if !PREADV2.explains(&r, 0) {
            return r;
        }
    }
    plainly(fd, to, at, Sysno::readv, Sysno::preadv)
}

/// readv(2) and preadv(2), or writev(2) and pwritev(2), which know no flags.
#[cold]
fn plainly(fd: c_int, buffers: Buffers, at: Position, own: Sysno, positioned: Sysno) -> Result<usize> {
    buffers.with_iovec(|iov, n| match at {
        // SAFETY: as in `preadv2`.
        Position::OWN => unsafe { raw::call3(own, fd as usize, iov, n) },
        // SAFETY: as in `preadv2`.
        Position(offset) => unsafe { raw::call5(positioned, fd as usize, iov, n, offset, 0) },
    })
}

/// The same without waiting, whatever the flags of the open file; EOPNOTSUPP where the kernel cannot promise that.
pub(crate) fn read_nowait(fd: c_int, to: Buffers, at: Position) -> Result<usize> {
    if !PREADV2.is_refused() {
        let r = preadv2(fd, to, at, RWF_NOWAIT);
        if !PREADV2.explains(&r, RWF_NOWAIT) {
            return r;
        }
    }
    Err(Errno::EOPNOTSUPP)
}

/// readv(2) of a socket, which does not wait. What the kernel answers: bytes, or -errno; -EINTR too if there is no such
/// call, and another way is to be gone.
#[inline(always)]
pub(crate) fn readv_plainly(fd: c_int, iov: UserPtr, count: usize) -> isize {
    // SAFETY: a `UserPtr` stands for memory that the operation may use; the kernel checks it.
    let n = unsafe {
        raw::answer6(Sysno::preadv2, fd as usize, iov.addr(), count, usize::MAX, usize::MAX, RWF_NOWAIT)
    };
    let is_refused = |errno: Errno| errno.is_refusal() || errno == Errno::EOPNOTSUPP;
    if n < 0 && is_refused(Errno(-n as c_int)) { -(libc::EINTR as isize) } else { n }
}

/// Set once the kernel has refused RWF_NOSIGNAL.
static WITHOUT_NOSIGNAL: AtomicBool = AtomicBool::new(false);

/// `None`: pwritev2 is refused.
fn write_flags(fd: c_int, from: Buffers, at: Position, flags: usize) -> Option<Result<usize>> {
    if PWRITEV2.is_refused() {
        return None;
    }
    // Relaxed: a hint; a thread that misses it asks the kernel itself.
    let without_nosignal = WITHOUT_NOSIGNAL.load(Ordering::Relaxed);
    if !without_nosignal {
        let r = pwritev2(fd, from, at, flags | RWF_NOSIGNAL);
        if PWRITEV2.explains(&r, flags | RWF_NOSIGNAL) {
            return None;
        }
        if r != Err(Errno::EOPNOTSUPP) {
            return Some(r);
        }
    }
    // Either flag may have been refused, and files that are neither pipes nor sockets know neither. Without any flag
    // pwritev2 is pwritev, so ask again without NOSIGNAL.
    let raises_sigpipe = raises_sigpipe(fd);
    if raises_sigpipe && flags != 0 && process::takes_sigpipe_back().is_err() {
        // With NOSIGNAL alone it may be possible.
        return Some(Err(Errno::EOPNOTSUPP));
    }
    let mut refused = false;
    let r = quietly(raises_sigpipe, || {
        let r = pwritev2(fd, from, at, flags);
        refused = PWRITEV2.explains(&r, flags);
        r
    });
    if refused {
        return None;
    }
    if raises_sigpipe && !without_nosignal && r != Err(Errno::EOPNOTSUPP) {
        WITHOUT_NOSIGNAL.store(true, Ordering::Relaxed);
    }
    Some(r)
}

/// Whether a write to `fd` may raise SIGPIPE: it is a pipe or a socket, or that cannot be told.
fn raises_sigpipe(fd: c_int) -> bool {
    nature::nature(fd).map_or(true, |nature| matches!(nature.kind, libc::S_IFIFO | libc::S_IFSOCK))
}

fn quietly(raises_sigpipe: bool, call: impl FnOnce() -> Result<usize>) -> Result<usize> {
    if raises_sigpipe { process::without_sigpipe(call) } else { call() }
}

fn pwritev2(fd: c_int, from: Buffers, at: Position, flags: usize) -> Result<usize> {
    // SAFETY: as in `preadv2`; the memory is only read.
    from.with_iovec(|iov, n| unsafe {
        raw::call6(Sysno::pwritev2, fd as usize, iov, n, at.0, OWN_POSITION, flags)
    })
}

/// writev(2), pwritev(2) without SIGPIPE. It may wait.
pub(crate) fn write(fd: c_int, from: Buffers, at: Position) -> Result<usize> {
    if let Some(r) = write_flags(fd, from, at, 0) {
        return r;
    }
    quietly(raises_sigpipe(fd), || plainly(fd, from, at, Sysno::writev, Sysno::pwritev))
}

/// writev(2), pwritev(2) to a file that raises no SIGPIPE: one system call, if a filter does not refuse it. It may
/// wait.
pub(crate) fn write_file(fd: c_int, from: Buffers, at: Position) -> Result<usize> {
    if !PWRITEV2.is_refused() {
        let r = pwritev2(fd, from, at, 0);
        if !PWRITEV2.explains(&r, 0) {
            return r;
        }
    }
    plainly(fd, from, at, Sysno::writev, Sysno::pwritev)
}

/// The same without waiting, whatever the flags of the open file; EOPNOTSUPP where the kernel cannot promise that.
pub(crate) fn write_nowait(fd: c_int, from: Buffers, at: Position) -> Result<usize> {
    write_flags(fd, from, at, RWF_NOWAIT).unwrap_or(Err(Errno::EOPNOTSUPP))
}

/// read(2) of no bytes, which many kinds of files refuse; readv(2) would be 0.
pub(crate) fn read_nothing(fd: c_int, buf: UserPtr) -> Result<usize> {
    // SAFETY: nothing is written.
    unsafe { raw::call3(Sysno::read, fd as usize, buf.addr(), 0) }
}

/// write(2) of no bytes, likewise.
pub(crate) fn write_nothing(fd: c_int, buf: UserPtr) -> Result<usize> {
    // SAFETY: nothing is read.
    unsafe { raw::call3(Sysno::write, fd as usize, buf.addr(), 0) }
}

/// Looks at a byte of a file in the page cache: 1, or 0 at the end. EAGAIN if it would have to be fetched from the
/// disk.
pub(crate) fn look_at(fd: c_int, at: usize) -> Result<usize> {
    let mut byte = 0u8;
    // SAFETY: it is used only during the call.
    let buf = unsafe { UserPtr::new(&raw mut byte) };
    read_nowait(fd, Buffers::One { buf, len: 1 }, Position(at))
}

/// Fetches pages of a file into the page cache; how many bytes of them at least. At least one, so that a call says what
/// is the matter.
pub(crate) fn warm(fd: c_int, at: usize) -> usize {
    let mut room = core::mem::MaybeUninit::<[u8; 1 << 16]>::uninit();
    // SAFETY: the kernel writes at most the room's length to it.
    let r = unsafe {
        raw::call4(Sysno::pread64, fd as usize, room.as_mut_ptr() as usize, size_of_val(&room), at)
    };
    r.unwrap_or(1).max(1)
}

/// The position of an open file.
pub(crate) fn position(fd: c_int) -> Result<usize> {
    // SAFETY: no pointers.
    unsafe { raw::call3(Sysno::lseek, fd as usize, 0, libc::SEEK_CUR as usize) }
}

/// fsync(2), or fdatasync(2).
pub(crate) fn sync(fd: c_int, data_only: bool) -> Result<usize> {
    let nr = if data_only { Sysno::fdatasync } else { Sysno::fsync };
    // SAFETY: no pointers.
    unsafe { raw::call1(nr, fd as usize) }
}

/// An offset as sendfile(2) and splice(2) take it.
#[derive(Clone, Copy)]
pub(crate) enum Offset {
    /// The caller's own variable, which the kernel moves on; NULL is the file's own position.
    Variable(UserPtr),
    /// A place.
    At(Position),
}

impl Offset {
    fn with_address<T>(self, call: impl FnOnce(usize) -> T) -> T {
        match self {
            Offset::Variable(p) => call(p.addr()),
            Offset::At(Position::OWN) => call(0),
            Offset::At(Position(mut offset)) => call(&raw mut offset as usize),
        }
    }
}

/// sendfile(2). It may wait, and raise SIGPIPE.
pub(crate) fn sendfile(to: c_int, from: c_int, offset: Offset, count: usize) -> Result<usize> {
    // SAFETY: the offset is the operation's own, or a local one; the kernel checks the address.
    offset.with_address(|offset| unsafe {
        raw::call4(Sysno::sendfile, to as usize, from as usize, offset, count)
    })
}

/// splice(2). It may raise SIGPIPE, and wait unless the flags say otherwise.
pub(crate) fn splice(
    from: (c_int, Offset),
    to: (c_int, Offset),
    len: usize,
    flags: core::ffi::c_uint,
) -> Result<usize> {
    let (from, to) = ((from.0 as usize, from.1), (to.0 as usize, to.1));
    from.1.with_address(|source| {
        to.1.with_address(|destination| {
            // SAFETY: as in `sendfile`.
            unsafe { raw::call6(Sysno::splice, from.0, source, to.0, destination, len, flags as usize) }
        })
    })
}
