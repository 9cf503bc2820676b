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
