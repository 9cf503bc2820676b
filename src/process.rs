//! Children: their end as an event.
//!
//! ```
//! use ioevent::process::{Exit, PidFd};
//! use ioevent::{Attached, EventPipe, Events, Op};
//! use std::io;
//! use std::process::{Child, Command};
//!
//! struct Job {
//!     child: Child,
//!     pidfd: Attached<PidFd>,
//!     exit: Exit,
//! }
//!
//! # fn main() -> io::Result<()> {
//! let pipe = EventPipe::new(16)?;
//! let child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
//! let pidfd = pipe.attach(PidFd::of(&child)?)?;
//! pipe.submit(Op::new(Job { child, pidfd, exit: Exit::new() }), |job| job.pidfd.wait(&mut job.exit))?;
//! for event in pipe.wait(&mut Events::with_capacity(16), None)? {
//!     let (mut job, outcome) = event.into_parts();
//!     outcome.done()?;
//!     assert_eq!(job.exit.status().and_then(|status| status.code()), Some(3));
//!     // It is not reaped yet. This does it, and does not wait.
//!     job.child.wait()?;
//! }
//! # Ok(()) }
//! ```

use crate::signal::Signal;
use crate::sys;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

/// The descriptor of a process (pidfd_open(2)), to be attached: [`Io::wait`](crate::Io::wait) on it completes when the
/// process has ended. It is close-on-exec, and means that process for ever, even when its number is another's.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Of a child that was not waited for yet: the number of one that was may be another process's.
    ///
    /// # Errors
    ///
    /// ECHILD or ESRCH if no child of this process has the number: it was waited for, or SIGCHLD is ignored. Out of
    /// descriptors: EMFILE, ENFILE.
    pub fn of(child: &Child) -> io::Result<PidFd> {
        let fd = sys::process::open_child(child.id());
        fd.map(|fd| PidFd(fd.into())).map_err(|errno| io::Error::from_raw_os_error(errno.0))
    }
}

impl PidFd {
    /// Sends a signal to the process (pidfd_send_signal(2)). It is never another one's, even when this one has been
    /// reaped and its number is used again: then it is ESRCH.
    ///
    /// While the process is waited for, keep the descriptor at hand: the `Attached<PidFd>` outside of the state
    /// ([`EventPipe::submit_on`](crate::EventPipe::submit_on)), or in an `Arc`.
    ///
    /// ```
    /// use ioevent::process::{Exit, PidFd};
    /// use ioevent::signal::Signal;
    /// use ioevent::{EventPipe, Events, Io, Op};
    /// use std::os::unix::process::ExitStatusExt;
    /// use std::process::Command;
    ///
    /// let pipe = EventPipe::new(16)?;
    /// let mut child = Command::new("sleep").arg("1000").spawn()?;
    /// let pidfd = pipe.attach(PidFd::of(&child)?)?;
    /// pipe.submit_on(&pidfd, Op::new(Exit::new()), |exit| Io::wait(exit))?;
    /// pidfd.get_ref().send_signal(Signal::TERM)?;
    /// for event in pipe.wait(&mut Events::with_capacity(16), None)? {
    ///     assert_eq!(event.op().status().and_then(|status| status.signal()), Some(15));
    /// }
    /// child.wait()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn send_signal(&self, signal: Signal) -> io::Result<()> {
        Ok(sys::process::send_signal(self.0.as_raw_fd(), signal.number())?)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<PidFd> for OwnedFd {
    fn from(pidfd: PidFd) -> OwnedFd {
        pidfd.0
    }
}

/// Room for how a child has ended. Part of the state of [`Io::wait`](crate::Io::wait) or [`Io::reap`](crate::Io::reap).
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Exit([u8; size_of::<libc::siginfo_t>()]);

const _: () = assert!(align_of::<Exit>() >= align_of::<libc::siginfo_t>());

/// Where a siginfo_t has what waitid(2) says: the kernel's layout, the same on x86-64 and aarch64.
const CODE: usize = 8;
const STATUS: usize = 24;

impl Exit {
    /// Room for it.
    pub const fn new() -> Exit {
        Exit([0; size_of::<libc::siginfo_t>()])
    }

    /// How the child has ended; `None` before the event, and if the operation has failed.
    pub fn status(&self) -> Option<ExitStatus> {
        let status = self.number(STATUS);
        // As wait(2) puts it.
        Some(ExitStatus::from_raw(match self.number(CODE) {
            libc::CLD_EXITED => status << 8,
            libc::CLD_KILLED => status,
            libc::CLD_DUMPED => status | 0x80,
            _ => return None,
        }))
    }

    /// Empty room, for the kernel to fill in.
    pub(crate) fn for_kernel(&mut self) -> *mut u8 {
        *self = Exit::new();
        self.0.as_mut_ptr()
    }

    fn number(&self, at: usize) -> i32 {
        self.0.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| i32::from_ne_bytes(*bytes))
    }
}

impl Default for Exit {
    fn default() -> Exit {
        Exit::new()
    }
}

impl fmt::Debug for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exit").field(&self.status()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::process::Command;

    const _: () = {
        const fn goes_anywhere<T: Send + Sync>() {}
        goes_anywhere::<PidFd>();
        goes_anywhere::<Exit>();
    };

    fn shell(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).spawn().unwrap()
    }

    /// waitid(2), which waits for the end.
    fn wait(pidfd: &PidFd, exit: &mut Exit, options: libc::c_int) {
        let (info, pidfd) = (exit.for_kernel().cast(), pidfd.as_fd().as_raw_fd() as libc::id_t);
        // SAFETY: the room is that of a siginfo_t.
        let r = unsafe { libc::waitid(libc::P_PIDFD, pidfd, info, libc::WEXITED | options) };
        assert_eq!(r, 0, "{}", io::Error::last_os_error());
    }

    #[test]
    fn the_status_is_what_a_wait_says() {
        let mut exit = Exit::new();
        for script in ["exit 0", "exit 7", "exit 255", "kill -9 $$", "ulimit -c 0; kill -QUIT $$"] {
            let mut child = shell(script);
            let pidfd = PidFd::of(&child).unwrap();
            wait(&pidfd, &mut exit, libc::WNOWAIT);
            let status = exit.status().unwrap();
            // It was not reaped.
            assert_eq!(child.wait().unwrap(), status, "{script}");
            assert_eq!(format!("{exit:?}"), format!("Exit({:?})", Some(status)));
        }
    }

    #[test]
    fn a_child_can_be_reaped() {
        let mut child = shell("exit 7");
        let pidfd = PidFd::of(&child).unwrap();
        let mut exit = Exit::default();
        assert_eq!(exit.status(), None);
        wait(&pidfd, &mut exit, 0);
        assert_eq!(exit.status().and_then(|status| status.code()), Some(7));
        // No child has the number now.
        let error = PidFd::of(&child).unwrap_err();
        assert!(matches!(error.raw_os_error(), Some(libc::ECHILD | libc::ESRCH)), "{error}");
        assert_eq!(child.wait().unwrap_err().raw_os_error(), Some(libc::ECHILD));
        exit.for_kernel();
        assert_eq!(exit.status(), None);
    }

    #[test]
    fn the_numbers_are_where_libc_has_them() {
        let mut exit = Exit::new();
        let mut child = shell("exit 9");
        wait(&PidFd::of(&child).unwrap(), &mut exit, libc::WNOWAIT);
        child.wait().unwrap();
        // SAFETY: the kernel has filled in a siginfo_t.
        let (code, status) = unsafe {
            let info = &*(&raw const exit.0).cast::<libc::siginfo_t>();
            (info.si_code, info.si_status())
        };
        assert_eq!((code, status), (exit.number(CODE), exit.number(STATUS)));
        assert_eq!((code, status), (libc::CLD_EXITED, 9));
    }

    #[test]
    fn a_core_dump_is_told_and_a_stop_is_no_end() {
        let exit = |code: i32, status: i32| {
            let mut exit = Exit::new();
            exit.0[CODE..CODE + 4].copy_from_slice(&code.to_ne_bytes());
            exit.0[STATUS..STATUS + 4].copy_from_slice(&status.to_ne_bytes());
            exit.status()
        };
        let status = exit(libc::CLD_DUMPED, libc::SIGSEGV).unwrap();
        assert!(status.core_dumped());
        assert_eq!(status.signal(), Some(libc::SIGSEGV));
        assert_eq!(exit(libc::CLD_STOPPED, libc::SIGSTOP), None);
    }

    #[test]
    fn the_descriptor_closes_on_exec() {
        let mut child = shell("exit 0");
        let pidfd = OwnedFd::from(PidFd::of(&child).unwrap());
        // SAFETY: no pointers.
        assert_eq!(unsafe { libc::fcntl(pidfd.as_raw_fd(), libc::F_GETFD) }, libc::FD_CLOEXEC);
        child.wait().unwrap();
    }
}
