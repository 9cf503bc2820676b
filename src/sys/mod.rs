//! The only place that makes system calls.
//!
//! Everything here is one system call, or one libc call that makes none (but for `next`, which leads to libc for calls
//! that are not the library's). Calls are made raw, without libc's wrappers: libc's `read`, `recv`, `epoll_wait` and
//! their like are cancellation points and write `errno`, and rules 5.1 and 5.3 allow neither while the library holds
//! its locks.

pub(crate) mod addresses;
pub(crate) mod dead_fd;
pub(crate) mod epoll;
pub(crate) mod errno;
pub(crate) mod fd;
pub(crate) mod file;
pub(crate) mod futex;
pub(crate) mod memory;
mod message;
mod mounts;
pub(crate) mod nature;
pub(crate) mod needs;
pub(crate) mod next;
pub(crate) mod observers;
pub(crate) mod probe;
pub(crate) mod process;
pub(crate) mod race;
mod raw;
pub(crate) mod report;
pub(crate) mod socket;
pub(crate) mod thread;
pub(crate) mod thread_pointer;
pub(crate) mod time;
mod weak;

pub(crate) use errno::Errno;

/// What a system call gives: its value, or the error that it would have put into `errno`.
pub(crate) type Result<T> = core::result::Result<T, Errno>;

/// An address in the caller's memory, given through the C interface.
///
/// It is handed to the kernel, which checks it. Rule 2.3 makes the memory behind it the library's until the event of
/// the operation has been read; the code that makes a `UserPtr` vouches for that, so that it can be passed on safely.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserPtr(usize);

impl UserPtr {
    /// No memory at all.
    pub(crate) const NULL: UserPtr = UserPtr(0);

    /// # Safety
    ///
    /// Until the operation that it is given to has completed, the memory that starts at `p` must be usable by the
    /// kernel as that operation needs (or not be mapped at all, which gives EFAULT), and by nothing else.
    pub(crate) unsafe fn new<T>(p: *const T) -> UserPtr {
        UserPtr(p as usize)
    }

    /// Not memory, but a number that an operation keeps in the place of an address.
    pub(crate) const fn number(n: usize) -> UserPtr {
        UserPtr(n)
    }

    pub(crate) fn addr(self) -> usize {
        self.0
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The same buffer without its first `n` bytes.
    #[inline]
    pub(crate) fn skip(self, n: usize) -> UserPtr {
        UserPtr(self.0.wrapping_add(n))
    }
}
