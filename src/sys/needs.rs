//! The system calls that the library cannot do without.
//!
//! A filter (seccomp(2)) may refuse any of them. Where there is another way, it is gone where the call is made. Where
//! there is none, and a thread would wait for ever if the call is refused when its time has come, a pipe is not made in
//! the first place. Calls that only one kind of operation needs are not here: their error is that operation's.

use super::raw::{self, Sysno};
use super::{Errno, Result, epoll, fd, futex, process};
use core::mem::MaybeUninit;

/// Each of these is asked in a way that does nothing (`raw::check`).
const CALLS: [Sysno; 4] = [
    // Time limits, and threads that take over from others.
    Sysno::timerfd_settime,
    // Threads of the library's own take no signals, and no call of it raises SIGPIPE.
    Sysno::rt_sigprocmask,
    // Children are told from their parents: those of vfork(2), and those of _Fork and clone(2).
    Sysno::getpid,
    Sysno::madvise,
];

/// The error of the first of them that is refused.
pub(crate) fn check() -> Result<()> {
    for call in CALLS {
        raw::check(call, 0)?;
    }
    // Locks, and threads on standby.
    futex::check()?;
    epoll::check_control()?;
    fd::poll(&mut [], 0)?;
    match epoll::wait(-1, &mut [const { MaybeUninit::uninit() }], Some(0)) {
        Err(Errno::EBADF) | Ok(_) => {}
        Err(errno) => return Err(errno),
    }
    process::check_clock()
}
