//! Children.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::process::{Exit, PidFd};
use ioevent::{Cancel, EventPipe, Io, Op, is_cancelled};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{Watchdog, none, one};

/// A child that waits for its input to end, and then exits so.
fn child(status: u8) -> Child {
    let command = format!("read line; exit {status}");
    Command::new("sh").args(["-c", &command]).stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_child_that_was_waited_for_is_still_there_for_std() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let mut child = child(3);
    let pid = pipe.attach(PidFd::of(&child).unwrap()).unwrap();
    pipe.submit_on(&pid, Op::new(Exit::new()), |e| Io::wait(e)).unwrap();
    none(&pipe);
    drop(child.stdin.take());
    let (exit, outcome) = one(&pipe);
    outcome.done().unwrap();
    assert_eq!(exit.status().and_then(|status| status.code()), Some(3));
    // Again, and it has ended already.
    pipe.submit_on(&pid, exit, |e| Io::wait(e)).unwrap();
    let (exit, outcome) = one(&pipe);
    outcome.done().unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), exit.status()), (Some(3), Some(status)));
}

#[test]
fn a_child_that_was_reaped_is_gone() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let mut child = child(0);
    let pid = pipe.attach(PidFd::of(&child).unwrap()).unwrap();
    pipe.submit_on(&pid, Op::new(Exit::new()), |e| Io::reap(e)).unwrap();
    none(&pipe);
    drop(child.stdin.take());
    let (exit, outcome) = one(&pipe);
    outcome.done().unwrap();
    assert!(exit.status().unwrap().success());
    assert_eq!(child.wait().unwrap_err().raw_os_error(), Some(Errno::ECHILD as i32));
    pipe.submit_on(&pid, exit, |e| Io::wait(e)).unwrap();
    let (exit, outcome) = one(&pipe);
    assert_eq!(outcome.done().unwrap_err().raw_os_error(), Some(Errno::ECHILD as i32));
    assert_eq!(exit.status(), None);
}

#[test]
fn a_child_that_was_killed_says_by_what() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let mut child = child(0);
    let pid = pipe.attach(PidFd::of(&child).unwrap()).unwrap();
    assert_eq!(Exit::new().status(), None);
    pipe.submit_on(&pid, Op::new(Exit::new()), |e| Io::wait(e)).unwrap();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGKILL).unwrap();
    let (exit, outcome) = one(&pipe);
    outcome.done().unwrap();
    let status = exit.status().unwrap();
    assert_eq!((status.signal(), status.code()), (Some(Signal::SIGKILL as i32), None));
    assert_eq!(child.wait().unwrap(), status);
}

#[test]
fn waiting_for_a_child_ends_early() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let mut child = child(0);
    let pid = pipe.attach(PidFd::of(&child).unwrap()).unwrap();
    pipe.submit_on(&pid, Op::new(Exit::new()), |e| Io::wait(e).timeout(Duration::from_millis(10))).unwrap();
    let (exit, outcome) = one(&pipe);
    assert_eq!(outcome.done().unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(exit.status(), None);
    pipe.submit_on(&pid, exit, |e| Io::reap(e)).unwrap();
    assert_eq!(pid.cancel(Cancel::Polls), 1);
    let (_, outcome) = one(&pipe);
    assert!(is_cancelled(&outcome.error().unwrap()));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
