//! Forked children.

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, alarm, fork};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A child hangs if it takes longer.
const SECONDS: u32 = 100;

/// Ends with the closure; its status says whether that panicked.
fn child(f: impl FnOnce()) -> ! {
    alarm::set(SECONDS);
    let is_well = catch_unwind(AssertUnwindSafe(f)).is_ok();
    std::process::exit(i32::from(!is_well))
}

#[track_caller]
fn assert_ends_well(pid: Pid) {
    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, 0)), "the child has failed");
}

/// Runs it in a child, to its end.
#[track_caller]
pub(crate) fn in_child(f: impl FnOnce()) {
    // SAFETY: no other thread of the program's holds a lock that the child needs: those of the C library are held over
    // a fork, and all else is the library's, which is what is tested.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => child(f),
        ForkResult::Parent { child } => assert_ends_well(child),
    }
}

/// The same by the bare system call: nothing that is registered with pthread_atfork(3) is called.
#[track_caller]
pub(crate) fn in_raw_child(f: impl FnOnce()) {
    // SAFETY: as above; a copy of all memory, and this thread only.
    match unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } {
        0 => child(f),
        pid => assert_ends_well(Pid::from_raw(pid.try_into().unwrap())),
    }
}
