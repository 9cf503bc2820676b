//! The numbers of the interface (rule 1.2). They never change once released.

use core::ffi::{c_int, c_ushort};

/// errno: the pipe is full. Nothing was scheduled and nothing changed; the call may be made again later.
pub const EIOEVENTFULL: c_int = 1997;
/// errno: the operation was queued. Its result comes out of the pipe.
pub const EIOEVENTQUEUED: c_int = 1998;

/// ioevent_fcntl(fd, F_SETIOEVENTPIPE, int pipefd, void *user): attach fd to a pipe; with pipefd -1, detach it.
pub const F_SETIOEVENTPIPE: c_int = 0x494f_0001;
/// ioevent_fcntl(fd, F_GETIOEVENTPIPE, int *pipefd, void **user): what fd is attached to; -1 and NULL if it is not.
pub const F_GETIOEVENTPIPE: c_int = 0x494f_0002;
/// ioevent_fcntl(fd, F_SETIOEVENTTIMEO, const struct timespec *): bounds the operations queued on fd from now on; zero:
/// no limit.
pub const F_SETIOEVENTTIMEO: c_int = 0x494f_0003;
/// ioevent_fcntl(fd, F_GETIOEVENTTIMEO, struct timespec *): that bound.
pub const F_GETIOEVENTTIMEO: c_int = 0x494f_0004;
/// ioevent_fcntl(fd, F_SETIOEVENTFLAGS, int): IOEVENT_INLINE, IOEVENT_POLLONLY, both, or 0.
pub const F_SETIOEVENTFLAGS: c_int = 0x494f_0005;
/// ioevent_fcntl(fd, F_GETIOEVENTFLAGS): returns them.
pub const F_GETIOEVENTFLAGS: c_int = 0x494f_0006;
/// ioevent_fcntl(pipefd, F_SETIOEVENTSZ, int nevents): the capacity of a pipe; returns it.
pub const F_SETIOEVENTSZ: c_int = 0x494f_0007;
/// ioevent_fcntl(pipefd, F_GETIOEVENTSZ): returns the capacity of a pipe.
pub const F_GETIOEVENTSZ: c_int = 0x494f_0008;
/// ioevent_fcntl(pipefd, F_GETIOEVENTCNT): returns how many places of a pipe are taken.
pub const F_GETIOEVENTCNT: c_int = 0x494f_0009;

/// A call that can be finished at once returns its result directly, and no event follows.
pub const IOEVENT_INLINE: c_int = 1;
/// Only ioevent_poll and ioevent_submit are asynchronous; every other I/O call is libc's.
pub const IOEVENT_POLLONLY: c_int = 2;

/// ioevent_cancel2: operations that read.
pub const IOEVENT_CANCEL_IN: c_int = 1;
/// ioevent_cancel2: operations that write.
pub const IOEVENT_CANCEL_OUT: c_int = 2;
/// ioevent_cancel2: polls and waitid.
pub const IOEVENT_CANCEL_POLL: c_int = 4;
/// ioevent_cancel2: all of these.
pub const IOEVENT_CANCEL_ALL: c_int = 7;
/// ioevent_cancel2: of these, only those with the given user pointer.
pub const IOEVENT_CANCEL_USER: c_int = 8;

/// ioo_kind: read(2).
pub const IOEVENT_OP_READ: c_ushort = 1;
/// ioo_kind: write(2).
pub const IOEVENT_OP_WRITE: c_ushort = 2;
/// ioo_kind: readv(2): ioo_buf is the iovec array, ioo_len its length.
pub const IOEVENT_OP_READV: c_ushort = 3;
/// ioo_kind: writev(2), likewise.
pub const IOEVENT_OP_WRITEV: c_ushort = 4;
/// ioo_kind: pread(2).
pub const IOEVENT_OP_PREAD: c_ushort = 5;
/// ioo_kind: pwrite(2).
pub const IOEVENT_OP_PWRITE: c_ushort = 6;
/// ioo_kind: preadv(2).
pub const IOEVENT_OP_PREADV: c_ushort = 7;
/// ioo_kind: pwritev(2).
pub const IOEVENT_OP_PWRITEV: c_ushort = 8;
/// ioo_kind: recv(2).
pub const IOEVENT_OP_RECV: c_ushort = 9;
/// ioo_kind: recvfrom(2).
pub const IOEVENT_OP_RECVFROM: c_ushort = 10;
/// ioo_kind: recvmsg(2): ioo_buf is the msghdr.
pub const IOEVENT_OP_RECVMSG: c_ushort = 11;
/// ioo_kind: send(2).
pub const IOEVENT_OP_SEND: c_ushort = 12;
/// ioo_kind: sendto(2).
pub const IOEVENT_OP_SENDTO: c_ushort = 13;
/// ioo_kind: sendmsg(2): ioo_buf is the msghdr.
pub const IOEVENT_OP_SENDMSG: c_ushort = 14;
/// ioo_kind: accept(2).
pub const IOEVENT_OP_ACCEPT: c_ushort = 15;
/// ioo_kind: accept4(2).
pub const IOEVENT_OP_ACCEPT4: c_ushort = 16;
/// ioo_kind: connect(2).
pub const IOEVENT_OP_CONNECT: c_ushort = 17;
/// ioo_kind: sendfile(2), from ioo_fd2 to ioo_fd.
pub const IOEVENT_OP_SENDFILE: c_ushort = 18;
/// ioo_kind: splice(2), from ioo_fd2 to ioo_fd.
pub const IOEVENT_OP_SPLICE: c_ushort = 19;
/// ioo_kind: fsync(2).
pub const IOEVENT_OP_FSYNC: c_ushort = 20;
/// ioo_kind: fdatasync(2).
pub const IOEVENT_OP_FDATASYNC: c_ushort = 21;
/// ioo_kind: waitid(2) of a pidfd: ioo_buf is the siginfo_t.
pub const IOEVENT_OP_WAITID: c_ushort = 22;
/// ioo_kind: shutdown(2).
pub const IOEVENT_OP_SHUTDOWN: c_ushort = 23;
/// ioo_kind: ioevent_poll(3).
pub const IOEVENT_OP_POLL: c_ushort = 24;
/// ioo_kind: an event after ioo_timeout; ioo_fd is the pipe.
pub const IOEVENT_OP_TIMER: c_ushort = 25;
