//! What libioevent.so gives: its functions, and the command of `ioevent_fcntl` that the two libraries talk by.

use core::ffi::{c_char, c_int, c_uint, c_void};

// Only their addresses are used, so here they have no arguments; but for those that are called.
#[link(name = "c")]
unsafe extern "C" {
    pub(crate) fn ioevent_accept();
    pub(crate) fn ioevent_accept4();
    pub(crate) fn ioevent_close();
    pub(crate) fn ioevent_connect();
    pub(crate) fn ioevent_dup2();
    pub(crate) fn ioevent_dup3();
    pub(crate) fn ioevent_fcntl(
        fd: c_int,
        command: c_int,
        first: *const c_void,
        second: *mut c_void,
    ) -> c_int;
    pub(crate) fn ioevent_fdatasync();
    pub(crate) fn ioevent_fsync();
    pub(crate) fn ioevent_pread();
    pub(crate) fn ioevent_preadv(fd: c_int, iov: *const c_void, count: c_int, offset: i64) -> isize;
    pub(crate) fn ioevent_pwrite();
    pub(crate) fn ioevent_pwritev(fd: c_int, iov: *const c_void, count: c_int, offset: i64) -> isize;
    pub(crate) fn ioevent_read(fd: c_int, buf: *mut c_void, nbytes: usize) -> isize;
    pub(crate) fn ioevent_readv(fd: c_int, iov: *const c_void, count: c_int) -> isize;
    pub(crate) fn ioevent_recv();
    pub(crate) fn ioevent_recvfrom();
    pub(crate) fn ioevent_recvmsg();
    pub(crate) fn ioevent_send();
    pub(crate) fn ioevent_sendfile();
    pub(crate) fn ioevent_sendmsg();
    pub(crate) fn ioevent_sendto();
    pub(crate) fn ioevent_shutdown();
    pub(crate) fn ioevent_splice();
    pub(crate) fn ioevent_strerror(errnum: c_int) -> *const c_char;
    pub(crate) fn ioevent_waitid();
    pub(crate) fn ioevent_write(fd: c_int, buf: *const c_void, nbytes: usize) -> isize;
    pub(crate) fn ioevent_writev(fd: c_int, iov: *const c_void, count: c_int) -> isize;
}

/// `ioevent_fcntl(-1, HAND_OVER, &Next, &mut Answer)`: 0, or -1 if it is a libioevent.so that does not know it.
pub(crate) const HAND_OVER: c_int = 0x494f_7001;

/// How many functions libioevent.so calls when a descriptor is not its own: the first ones of `names`.
pub(crate) const GIVEN: usize = 28;

/// Where those are.
#[repr(C)]
pub(crate) struct Next {
    pub(crate) size: usize,
    pub(crate) functions: [usize; GIVEN],
}

/// What is behind a descriptor: if the word at `nodes + fd * stride` is 0, for a descriptor below `count`, it is
/// nothing of libioevent's; `what` knows the rest.
#[repr(C)]
pub(crate) struct Answer {
    pub(crate) size: usize,
    pub(crate) nodes: usize,
    pub(crate) count: usize,
    pub(crate) stride: usize,
    /// Two words: not 0 once there was a pipe; and in its first byte, not 0 once libioevent.so was called in this
    /// process.
    pub(crate) state: usize,
    pub(crate) what: Option<extern "C" fn(c_int) -> c_int>,
    pub(crate) close_all: Option<extern "C" fn(c_uint, c_uint)>,
}
