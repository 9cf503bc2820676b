//! Calls as libc makes them, and as pipes do: what becomes of a call on a descriptor that is not attached.

use super::pipe as ffi_pipe;
use crate::calls::lookup;
use crate::engine::call::{Call, Readv, Recv, Recvfrom, Recvmsg, Send, Sendmsg, Sendto, Writev};
use crate::queue::op::{Kind, Request};
use crate::state::attachment::Entry;
use crate::state::blocked;
use crate::state::named_call;
use crate::state::pipe::Pipe;
use crate::sys::{UserPtr, next, observers};
use core::ffi::c_int;
use libc::{id_t, off_t, socklen_t};

/// A call that libc has, too. The C function that makes one vouches for the memory that it names, by its caller's word.
pub(super) trait Libcs: Call {
    /// Libc's.
    fn by_libc(self, fd: c_int) -> isize;

    /// On a pipe. Only reads and writes are more than libc's there.
    #[inline(always)]
    fn by_pipe(self, _: &'static Pipe, fd: c_int) -> isize {
        self.by_libc(fd)
    }
}

fn pointer<T>(memory: UserPtr) -> *mut T {
    memory.addr() as *mut T
}

impl Libcs for Recv {
    #[inline(always)]
    fn by_libc(self, fd: c_int) -> isize {
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe {
            match self.kind {
                Kind::Read => next::read(fd, pointer(self.buf), self.len),
                _ => next::recv(fd, pointer(self.buf), self.len, self.flags),
            }
        }
    }

    #[inline(always)]
    fn by_pipe(self, pipe: &'static Pipe, fd: c_int) -> isize {
        match self.kind {
            // SAFETY: as in `by_libc`.
            Kind::Read => unsafe { ffi_pipe::read(fd, pointer(self.buf), self.len, pipe) },
            _ => self.by_libc(fd),
        }
    }
}

impl Libcs for Recvfrom {
    fn by_libc(self, fd: c_int) -> isize {
        let Recvfrom { buf, len, flags, addr, addrlen } = self;
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe { next::recvfrom(fd, pointer(buf), len, flags, pointer(addr), pointer(addrlen)) }
    }
}

impl Libcs for Readv {
    fn by_libc(self, fd: c_int) -> isize {
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe { next::readv(fd, pointer(self.iov), self.count as c_int) }
    }

    fn by_pipe(self, pipe: &'static Pipe, fd: c_int) -> isize {
        // SAFETY: as in `by_libc`.
        unsafe { ffi_pipe::readv(fd, pointer(self.iov), self.count as c_int, pipe) }
    }
}

impl Libcs for Recvmsg {
    fn by_libc(self, fd: c_int) -> isize {
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe { next::recvmsg(fd, pointer(self.message), self.flags) }
    }
}

impl Libcs for Send {
    #[inline(always)]
    fn by_libc(self, fd: c_int) -> isize {
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe {
            match self.kind {
                Kind::Write => next::write(fd, pointer(self.buf), self.len),
                _ => next::send(fd, pointer(self.buf), self.len, self.flags),
            }
        }
    }

    #[inline(always)]
    fn by_pipe(self, pipe: &'static Pipe, fd: c_int) -> isize {
        match self.kind {
            // SAFETY: as in `by_libc`.
            Kind::Write => unsafe { ffi_pipe::write(fd, pointer(self.buf), self.len, pipe) },
            _ => self.by_libc(fd),
        }
    }
}

impl Libcs for Sendto {
    fn by_libc(self, fd: c_int) -> isize {
        let Sendto { buf, len, flags, addr, addrlen } = self;
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe { next::sendto(fd, pointer(buf), len, flags, pointer(addr), addrlen) }
    }
}

impl Libcs for Writev {
    fn by_libc(self, fd: c_int) -> isize {
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe { next::writev(fd, pointer(self.iov), self.count) }
    }

    fn by_pipe(self, pipe: &'static Pipe, fd: c_int) -> isize {
        // SAFETY: as in `by_libc`.
        unsafe { ffi_pipe::writev(fd, pointer(self.iov), self.count, pipe) }
    }
}

impl Libcs for Sendmsg {
    fn by_libc(self, fd: c_int) -> isize {
        // SAFETY: as promised by the caller of the C function that has made it.
        unsafe { next::sendmsg(fd, pointer(self.message), self.flags) }
    }
}

/// Makes a call of libc's, which was found not to be the library's: one that may wait. Where misuse is looked for, the
/// watchdog is told of it, unless the descriptor is attached, or the program has the plain names, of which it means
/// libc's functions there.
#[inline]
pub(super) fn watch<T>(fd: c_int, kind: Kind, libc: impl FnOnce() -> T) -> T {
    watch_addressed(fd, kind, false, libc)
}

#[inline]
fn watch_addressed<T>(fd: c_int, kind: Kind, is_addressed: bool, libc: impl FnOnce() -> T) -> T {
    if observers::is_debug() && !next::is_set() && matches!(lookup::get(fd), Entry::Nothing) {
        return blocked::watch(named_call::Call { kind, is_addressed, fd }, libc);
    }
    libc()
}

/// The same for a call of the fast path's.
#[inline]
pub(super) fn watch_call(fd: c_int, call: impl Libcs) -> isize {
    let Request { kind, addr, .. } = call.request();
    watch_addressed(fd, kind, !addr.is_null(), || call.by_libc(fd))
}

/// The call that was put into a slot, by libc; it had no flags that matter to a socket.
pub(super) fn of_slot(fd: c_int, request: &Request) -> isize {
    let Request { kind, buf, len, arg, .. } = *request;
    match kind {
        Kind::Readv => Readv { iov: buf, count: len as u32 }.by_libc(fd),
        Kind::Recvmsg => Recvmsg { message: buf, flags: arg }.by_libc(fd),
        _ => Recv { kind: Kind::Read, buf, len, flags: 0 }.by_libc(fd),
    }
}

/// A call as `super::queue` has it.
pub(super) fn of_queue(fd: c_int, kind: Kind, buf: UserPtr, len: usize, addr: UserPtr, arg: c_int) -> isize {
    let offset = addr.addr() as off_t;
    let count = len as c_int;
    // SAFETY: as promised by the caller of the C function that has made it.
    let n = unsafe {
        match kind {
            Kind::Pread => return next::pread(fd, pointer(buf), len, offset),
            Kind::Pwrite => return next::pwrite(fd, pointer(buf), len, offset),
            Kind::Preadv => return next::preadv(fd, pointer(buf), count, offset),
            Kind::Pwritev => return next::pwritev(fd, pointer(buf), count, offset),
            Kind::Connect => next::connect(fd, pointer(addr), len as socklen_t),
            Kind::Fdatasync => next::fdatasync(fd),
            Kind::Shutdown => next::shutdown(fd, arg),
            Kind::Waitid => next::waitid(libc::P_PIDFD, fd as id_t, pointer(buf), arg),
            _ => next::fsync(fd),
        }
    };
    n as isize
}
