//! include/ioevent.h in Rust: as much of it as is measured here, which is all functions.
#![allow(clippy::missing_safety_doc, missing_docs)] // They are documented where they are made, and in the manual.

use libc::{iovec, msghdr, off_t, siginfo_t, sockaddr, socklen_t, ssize_t, timespec};
use std::ffi::{c_char, c_int, c_longlong, c_short, c_uint, c_ulong, c_ushort, c_void};

pub const EIOEVENTFULL: c_int = 1997;
pub const EIOEVENTQUEUED: c_int = 1998;
pub const F_SETIOEVENTPIPE: c_int = 1229914113;
pub const F_GETIOEVENTPIPE: c_int = 1229914114;
pub const F_SETIOEVENTTIMEO: c_int = 1229914115;
pub const F_GETIOEVENTTIMEO: c_int = 1229914116;
pub const F_SETIOEVENTFLAGS: c_int = 1229914117;
pub const F_GETIOEVENTFLAGS: c_int = 1229914118;
pub const F_SETIOEVENTSZ: c_int = 1229914119;
pub const F_GETIOEVENTSZ: c_int = 1229914120;
pub const F_GETIOEVENTCNT: c_int = 1229914121;
pub const IOEVENT_INLINE: c_int = 1;
pub const IOEVENT_CANCEL_IN: c_int = 1;
pub const IOEVENT_CANCEL_ALL: c_int = 7;
pub const IOEVENT_CANCEL_USER: c_int = 8;
pub const IOEVENT_OP_READ: c_ushort = 1;
pub const IOEVENT_OP_WRITE: c_ushort = 2;
pub const IOEVENT_OP_TIMER: c_ushort = 25;

/// `struct ioevent`. Its pointer is only a number here, so that it may go from thread to thread.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Event {
    pub user: usize,
    pub result: c_int,
    pub errno: c_int,
}

/// `struct ioevent_op`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Operation {
    pub kind: c_ushort,
    pub flags: c_ushort,
    pub fd: c_int,
    pub user: *mut c_void,
    pub buf: *mut c_void,
    pub len: usize,
    pub addr: *mut sockaddr,
    pub addrlen: *mut socklen_t,
    pub offset: c_longlong,
    pub offset2: c_longlong,
    pub fd2: c_int,
    pub arg: c_int,
    pub timeout: timespec,
    pub zero: [c_ulong; 4],
}

const _: () = assert!(size_of::<Event>() == 16 && size_of::<Operation>() == 120);

#[link(name = "ioevent")]
unsafe extern "C" {
    pub fn ioeventpipe(nevents: c_int) -> c_int;
    pub fn ioeventpipe2(nevents: c_int, flags: c_int) -> c_int;
    pub fn ioevent_fcntl(fd: c_int, cmd: c_int, ...) -> c_int;
    pub fn ioevent_wait(pipe: c_int, events: *mut Event, nevents: c_int, timeout: *const timespec) -> c_int;
    pub fn ioevent_submit(ops: *const Operation, nops: c_int) -> c_int;
    pub fn ioevent_cancel(fd: c_int) -> c_int;
    pub fn ioevent_cancel2(fd: c_int, what: c_int, user: *const c_void) -> c_int;
    pub fn ioevent_close(fd: c_int) -> c_int;
    pub fn ioevent_dup2(oldfd: c_int, newfd: c_int) -> c_int;
    pub fn ioevent_dup3(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int;
    pub fn ioevent_strerror(errnum: c_int) -> *const c_char;
    pub safe fn ioevent_version() -> c_uint;
    pub safe fn ioevent_version_string() -> *const c_char;
    pub fn ioevent_poll(fd: c_int, events: c_short) -> c_int;

    pub fn ioevent_read(fd: c_int, buf: *mut c_void, nbytes: usize) -> ssize_t;
    pub fn ioevent_readv(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t;
    pub fn ioevent_recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t;
    pub fn ioevent_recvfrom(
        fd: c_int,
        buf: *mut c_void,
        len: usize,
        flags: c_int,
        addr: *mut sockaddr,
        addrlen: *mut socklen_t,
    ) -> ssize_t;
    pub fn ioevent_recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t;
    pub fn ioevent_write(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t;
    pub fn ioevent_writev(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t;
    pub fn ioevent_send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t;
    pub fn ioevent_sendto(
        fd: c_int,
        buf: *const c_void,
        len: usize,
        flags: c_int,
        addr: *const sockaddr,
        addrlen: socklen_t,
    ) -> ssize_t;
    pub fn ioevent_sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t;
    pub fn ioevent_accept(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int;
    pub fn ioevent_accept4(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t, flags: c_int) -> c_int;
    pub fn ioevent_connect(fd: c_int, addr: *const sockaddr, addrlen: socklen_t) -> c_int;
    pub fn ioevent_shutdown(fd: c_int, how: c_int) -> c_int;

    pub fn ioevent_pread(fd: c_int, buf: *mut c_void, nbytes: usize, offset: off_t) -> ssize_t;
    pub fn ioevent_preadv(fd: c_int, iov: *const iovec, iovcnt: c_int, offset: off_t) -> ssize_t;
    pub fn ioevent_pwrite(fd: c_int, buf: *const c_void, nbytes: usize, offset: off_t) -> ssize_t;
    pub fn ioevent_pwritev(fd: c_int, iov: *const iovec, iovcnt: c_int, offset: off_t) -> ssize_t;
    pub fn ioevent_fsync(fd: c_int) -> c_int;
    pub fn ioevent_fdatasync(fd: c_int) -> c_int;
    pub fn ioevent_sendfile(out_fd: c_int, in_fd: c_int, offset: *mut off_t, count: usize) -> ssize_t;
    pub fn ioevent_splice(
        fd_in: c_int,
        off_in: *mut off_t,
        fd_out: c_int,
        off_out: *mut off_t,
        len: usize,
        flags: c_uint,
    ) -> ssize_t;
    pub fn ioevent_waitid(
        idtype: libc::idtype_t,
        id: libc::id_t,
        infop: *mut siginfo_t,
        options: c_int,
    ) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_header() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../include/ioevent.h");
        let header = std::fs::read_to_string(path).unwrap();
        let defined = |name: &str| -> Option<i64> {
            let line = header.lines().find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name))?;
            line.strip_prefix(' ')?.trim().parse().ok()
        };
        for (name, value) in [
            ("EIOEVENTFULL", EIOEVENTFULL),
            ("EIOEVENTQUEUED", EIOEVENTQUEUED),
            ("F_SETIOEVENTPIPE", F_SETIOEVENTPIPE),
            ("F_GETIOEVENTPIPE", F_GETIOEVENTPIPE),
            ("F_SETIOEVENTTIMEO", F_SETIOEVENTTIMEO),
            ("F_GETIOEVENTTIMEO", F_GETIOEVENTTIMEO),
            ("F_SETIOEVENTFLAGS", F_SETIOEVENTFLAGS),
            ("F_GETIOEVENTFLAGS", F_GETIOEVENTFLAGS),
            ("F_SETIOEVENTSZ", F_SETIOEVENTSZ),
            ("F_GETIOEVENTSZ", F_GETIOEVENTSZ),
            ("F_GETIOEVENTCNT", F_GETIOEVENTCNT),
            ("IOEVENT_INLINE", IOEVENT_INLINE),
            ("IOEVENT_CANCEL_IN", IOEVENT_CANCEL_IN),
            ("IOEVENT_CANCEL_ALL", IOEVENT_CANCEL_ALL),
            ("IOEVENT_CANCEL_USER", IOEVENT_CANCEL_USER),
            ("IOEVENT_OP_READ", IOEVENT_OP_READ.into()),
            ("IOEVENT_OP_WRITE", IOEVENT_OP_WRITE.into()),
            ("IOEVENT_OP_TIMER", IOEVENT_OP_TIMER.into()),
        ] {
            assert_eq!(defined(name), Some(value.into()), "{name}");
        }
    }
}
