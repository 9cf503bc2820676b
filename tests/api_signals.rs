//! Signals as events. With a main function of its own: signals are to be blocked before there is any other thread.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::signal::{Received, Signal, Signals};
use ioevent::{Attached, EventPipe, Events, Io, Op};
use nix::sys::signal::{SigSet, Signal as NixSignal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpid, getuid};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Watchdog, none, one};

fn signals_are_events(signals: Signals) {
    let pipe = EventPipe::new(2).unwrap();
    let signals: Attached<Signals> = pipe.attach(signals).unwrap();
    for (signal, sent) in [(Signal::USR1, NixSignal::SIGUSR1), (Signal::TERM, NixSignal::SIGTERM)] {
        pipe.submit_on(&signals, Op::new(Received::new()), |r| Io::read(r.as_bytes_mut())).unwrap();
        none(&pipe);
        kill(getpid(), sent).unwrap();
        let (received, outcome) = one(&pipe);
        assert_eq!(outcome.bytes().unwrap(), size_of::<Received>());
        assert_eq!((received.signal(), received.signal().number()), (signal, sent as i32));
        assert_eq!((received.sender(), received.user()), (getpid().as_raw() as u32, getuid().as_raw()));
    }
    // Two are there before the read.
    kill(getpid(), NixSignal::SIGUSR1).unwrap();
    kill(getpid(), NixSignal::SIGTERM).unwrap();
    let mut numbers: Vec<_> = [(); 2]
        .into_iter()
        .map(|()| {
            pipe.submit_on(&signals, Op::new(Received::new()), |r| Io::read(r.as_bytes_mut())).unwrap();
            one(&pipe).0.signal().number()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [NixSignal::SIGUSR1 as i32, NixSignal::SIGTERM as i32]);
}

/// A signalfd that was made by other means can be attached as well.
fn a_signalfd_of_nix_is_a_descriptor(set: &SigSet) {
    let pipe = EventPipe::new(1).unwrap();
    let descriptor = SignalFd::with_flags(set, SfdFlags::SFD_CLOEXEC).unwrap();
    let descriptor = pipe.attach(descriptor).unwrap();
    pipe.submit_on(&descriptor, Op::new(Received::new()), |r| Io::read(r.as_bytes_mut())).unwrap();
    none(&pipe);
    kill(getpid(), NixSignal::SIGUSR2).unwrap();
    let (received, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), size_of::<Received>());
    assert_eq!(received.signal(), Signal::USR2);
}

/// A stop and its continuation end the kernel's wait, as a debugger does; not the library's.
fn a_stop_does_not_end_a_wait() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(WAITS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "waits\n");
    let pid = Pid::from_raw(child.id() as i32);
    let is_stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    };
    for _ in 0..20 {
        kill(pid, NixSignal::SIGSTOP).unwrap();
        while !is_stopped() {
            std::thread::yield_now();
        }
        kill(pid, NixSignal::SIGCONT).unwrap();
        while is_stopped() {
            std::thread::yield_now();
        }
    }
    child.stdin.take().unwrap().write_all(b"x").unwrap();
    line.clear();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "1 event\n");
    assert!(child.wait().unwrap().success());
}

/// The argument of the process that `a_stop_does_not_end_a_wait` stops.
const WAITS: &str = "--waits";

fn wait_for_input() {
    let pipe = EventPipe::new(2).unwrap();
    let input = pipe.attach(std::io::stdin()).unwrap();
    pipe.submit_on(&input, Op::new([0; 1]), |b| Io::read(b)).unwrap();
    println!("waits");
    let begun = Instant::now();
    let hour = Duration::from_secs(3600);
    let count = pipe.wait(&mut Events::with_capacity(2), Some(hour)).unwrap().count();
    assert!(begun.elapsed() < hour);
    println!("{count} event");
}

fn main() {
    if std::env::args().any(|argument| argument == WAITS) {
        let _watchdog = Watchdog::new();
        return wait_for_input();
    }
    let signals = Signals::block(&[Signal::USR1, Signal::TERM]).unwrap();
    let mut others = SigSet::empty();
    others.add(NixSignal::SIGUSR2);
    others.thread_block().unwrap();
    // Now there may be other threads.
    let _watchdog = Watchdog::new();
    signals_are_events(signals);
    a_signalfd_of_nix_is_a_descriptor(&others);
    a_stop_does_not_end_a_wait();
    // As other tests say it.
    println!("test result: ok. 3 passed; 0 failed; 0 ignored");
}
