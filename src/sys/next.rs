//! libc's functions, for the calls that are not the library's.
//!
//! In a program with the plain names (libioevent_posix) libc's names lead to that library, and from there back to this
//! one: it tells where libc's own functions are, or those of another library that is loaded between it and libc. So
//! they are reached by pointers, at the cost of a call through the global offset table. All else that the library asks
//! of the kernel it asks by raw system calls.

use core::ffi::{c_char, c_int, c_uint, c_void};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use libc::{id_t, idtype_t, iovec, msghdr, off_t, siginfo_t, sockaddr, socklen_t, ssize_t};

/// How many functions there are.
pub(crate) const COUNT: usize = 28;

macro_rules! functions {
    ($($index:literal $name:ident($($arg:ident: $type:ty),*) -> $returned:ty;)*) => {
        static NEXT: [AtomicPtr<c_void>; COUNT] =
            [$(AtomicPtr::new(libc::$name as *const () as *mut c_void)),*];

        $(
            /// The function of this name.
            ///
            /// # Safety
            ///
            /// As for libc's.
            #[inline(always)]
            pub(crate) unsafe fn $name($($arg: $type),*) -> $returned {
                // Relaxed: whatever is in the table is a function of this name.
                let function = NEXT[$index].load(Relaxed);
                // SAFETY: what is in the table is a function of this name, which has this signature.
                let function = unsafe {
                    core::mem::transmute::<*mut c_void, unsafe extern "C" fn($($type),*) -> $returned>(function)
                };
                // SAFETY: passed on to the caller.
                unsafe { function($($arg),*) }
            }
        )*
    };
}

functions! {
    0 read(fd: c_int, buf: *mut c_void, nbytes: usize) -> ssize_t;
    1 write(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t;
    2 readv(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t;
    3 writev(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t;
    4 pread(fd: c_int, buf: *mut c_void, nbytes: usize, offset: off_t) -> ssize_t;
    5 pwrite(fd: c_int, buf: *const c_void, nbytes: usize, offset: off_t) -> ssize_t;
    6 preadv(fd: c_int, iov: *const iovec, iovcnt: c_int, offset: off_t) -> ssize_t;
    7 pwritev(fd: c_int, iov: *const iovec, iovcnt: c_int, offset: off_t) -> ssize_t;
    8 recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t;
    9 recvfrom(fd: c_int, buf: *mut c_void, len: usize, flags: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> ssize_t;
    10 recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t;
    11 send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t;
    12 sendto(fd: c_int, buf: *const c_void, len: usize, flags: c_int, addr: *const sockaddr, addrlen: socklen_t) -> ssize_t;
    13 sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t;
    14 accept(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int;
    15 accept4(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t, flags: c_int) -> c_int;
    16 connect(fd: c_int, addr: *const sockaddr, addrlen: socklen_t) -> c_int;
    17 sendfile(out_fd: c_int, in_fd: c_int, offset: *mut off_t, count: usize) -> ssize_t;
    18 splice(fd_in: c_int, off_in: *mut off_t, fd_out: c_int, off_out: *mut off_t, len: usize, flags: c_uint) -> ssize_t;
    19 fsync(fd: c_int) -> c_int;
    20 fdatasync(fd: c_int) -> c_int;
    21 waitid(idtype: idtype_t, id: id_t, infop: *mut siginfo_t, options: c_int) -> c_int;
    22 shutdown(fd: c_int, how: c_int) -> c_int;
    23 close(fd: c_int) -> c_int;
    24 dup2(oldfd: c_int, newfd: c_int) -> c_int;
    25 dup3(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int;
    26 fcntl(fd: c_int, cmd: c_int, arg: usize) -> c_int;
    27 strerror(errnum: c_int) -> *mut c_char;
}

/// Whether they are others than libc's: the program has the plain names.
pub(crate) fn is_set() -> bool {
    NEXT[0].load(Relaxed) != libc::read as *const () as *mut c_void
}

/// Says where the functions are, in the order of this file; null where that is not known.
pub(crate) fn set(functions: &[*const c_void; COUNT]) {
    for (place, function) in NEXT.iter().zip(functions).filter(|(_, function)| !function.is_null()) {
        // Relaxed: see `functions!`.
        place.store(function.cast_mut(), Relaxed);
    }
}
