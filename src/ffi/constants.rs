//! The numbers of the interface (rule 1.2). They never change once released.

use core::ffi::c_int;

/// errno: the pipe is full. Nothing was scheduled and nothing changed; the call may be made again later.
pub const EIOEVENTFULL: c_int = 1997;
/// errno: the operation was queued. Its result comes out of the pipe.
pub const EIOEVENTQUEUED: c_int = 1998;

/// ioevent_fcntl(fd, F_SETIOEVENTPIPE, int pipefd, void *user): attach fd to a pipe; with pipefd -1, detach it.
pub const F_SETIOEVENTPIPE: c_int = 0x494f_0001;
/// ioevent_fcntl(fd, F_GETIOEVENTPIPE, int *pipefd, void **user): what fd is attached to; -1 and NULL if it is not.
pub const F_GETIOEVENTPIPE: c_int = 0x494f_0002;
/// ioevent_fcntl(pipefd, F_SETIOEVENTSZ, int nevents): the capacity of a pipe; returns it.
pub const F_SETIOEVENTSZ: c_int = 0x494f_0007;
/// ioevent_fcntl(pipefd, F_GETIOEVENTSZ): returns the capacity of a pipe.
pub const F_GETIOEVENTSZ: c_int = 0x494f_0008;
/// ioevent_fcntl(pipefd, F_GETIOEVENTCNT): returns how many places of a pipe are taken.
pub const F_GETIOEVENTCNT: c_int = 0x494f_0009;

/// ioevent_cancel2: operations that read.
pub const IOEVENT_CANCEL_IN: c_int = 1;
/// ioevent_cancel2: operations that write.
pub const IOEVENT_CANCEL_OUT: c_int = 2;
/// ioevent_cancel2: polls.
pub const IOEVENT_CANCEL_POLL: c_int = 4;
/// ioevent_cancel2: all of these.
pub const IOEVENT_CANCEL_ALL: c_int = 7;
/// ioevent_cancel2: of these, only those with the given user pointer.
pub const IOEVENT_CANCEL_USER: c_int = 8;
