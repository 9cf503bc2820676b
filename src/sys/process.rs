//! Clock, signals and threads.

use super::fd::OwnedFd;
use super::raw::{self, Sysno};
use super::time::timespec;
use super::{Errno, Result, UserPtr};
use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

/// CLOCK_MONOTONIC in nanoseconds.
pub(crate) fn now() -> u64 {
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `spec` is written. clock_gettime is no cancellation point; it goes through the vDSO.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut spec) };
    spec.tv_sec as u64 * 1_000_000_000 + spec.tv_nsec as u64
}

/// A time of CLOCK_MONOTONIC that is not before now, and some ticks of the kernel's (30 ms, mostly) after it: for a
/// fifth of what `now` costs. The clock that it asks is set at each tick; a tick may be late where a processor is
/// shared.
#[inline]
pub(crate) fn now_or_later() -> u64 {
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as in `now`.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut spec) };
    // Relaxed: a thread that finds nothing asks the kernel itself.
    let lateness = match LATENESS.load(Relaxed) {
        0 => ask_lateness(),
        lateness => lateness,
    };
    spec.tv_sec as u64 * 1_000_000_000 + spec.tv_nsec as u64 + lateness
}

/// A time limit of so many nanoseconds, or more, is counted by the clock that costs less, and so expires some ten
/// milliseconds late.
pub(crate) const LONG_TIME: u64 = 10_000_000_000;

/// The time from which a limit of `ns` nanoseconds is counted: not before now.
#[inline(always)]
pub(crate) fn now_for(ns: u64) -> u64 {
    if ns >= LONG_TIME { now_or_later() } else { now() }
}

/// How many ticks late the clock may be.
const TICKS: u64 = 8;

/// The same in nanoseconds.
static LATENESS: AtomicU64 = AtomicU64::new(0);

#[cold]
fn ask_lateness() -> u64 {
    /// That of the slowest.
    const MOST: u32 = 10_000_000;
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `spec` is written.
    let asked = unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &mut spec) };
    let resolution = if asked == 0 { (spec.tv_nsec as u32).clamp(1, MOST) } else { MOST };
    let lateness = TICKS * u64::from(resolution);
    LATENESS.store(lateness, Relaxed);
    lateness
}

/// An error if there is no such clock: then it would stand still for ever.
pub(crate) fn check_clock() -> Result<()> {
    let kept = super::errno::Kept::new();
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as in `now`.
    let r = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut spec) };
    let errno = Errno(super::errno::get());
    drop(kept);
    if r == 0 { Ok(()) } else { Err(errno) }
}

/// The number of this process; in a child made by vfork(2), the child's.
pub(crate) fn id() -> libc::pid_t {
    // SAFETY: no pointers.
    unsafe { raw::call1(Sysno::getpid, 0) }.map_or(0, |id| id as libc::pid_t)
}

/// waitid(2) of a pidfd, without waiting: whether there was a child to report. The address of a siginfo_t may be null.
pub(crate) fn wait_for_pidfd(pidfd: c_int, info: UserPtr, options: c_int) -> Result<bool> {
    // SAFETY: zero is a valid siginfo_t.
    let mut own: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let to = if info.is_null() { &raw mut own as usize } else { info.addr() };
    let options = options | libc::WNOHANG;
    // SAFETY: the kernel writes a siginfo_t, to the operation's memory (it checks the address) or to `own`.
    unsafe {
        raw::call5(Sysno::waitid, libc::P_PIDFD as usize, pidfd as usize, to, options as usize, 0)?;
    }
    // SAFETY: the kernel has just written it.
    Ok(unsafe { (*(to as *const libc::siginfo_t)).si_pid() } != 0)
}

/// pidfd_send_signal(2).
pub(crate) fn send_signal(pidfd: c_int, signal: c_int) -> Result<()> {
    // SAFETY: no siginfo_t is given.
    unsafe { raw::call4(Sysno::pidfd_send_signal, pidfd as usize, signal as usize, 0, 0) }.map(drop)
}

/// pidfd_open(2) of a child that has not been reaped; ECHILD of any other process. Close-on-exec.
pub(crate) fn open_child(id: u32) -> Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { raw::call2(Sysno::pidfd_open, id as usize, 0) }?;
    let fd = OwnedFd::adopt(fd as c_int);
    wait_for_pidfd(fd.raw(), UserPtr::NULL, libc::WEXITED | libc::WNOWAIT)?;
    Ok(fd)
}

/// Whether this process holds a lock of fcntl(2) on the file behind a descriptor. A lock of another owner that covers
/// it may hide it.
pub(crate) fn has_lock(fd: c_int) -> bool {
    /// Asks for what is in the way of a lock whose owner is the open file: the locks of this process are.
    const F_OFD_GETLK: usize = 36;
    /// How many locks of others to look behind.
    const MOST: usize = 32;
    let mut from: libc::off_t = 0;
    for _ in 0..MOST {
        // SAFETY: zero is a valid flock.
        let mut lock: libc::flock64 = unsafe { core::mem::zeroed() };
        lock.l_type = libc::F_WRLCK as libc::c_short;
        lock.l_start = from;
        // SAFETY: the kernel reads and writes the struct.
        let r = unsafe { raw::call3(Sysno::fcntl, fd as usize, F_OFD_GETLK, &raw mut lock as usize) };
        if r.is_err() || lock.l_type == libc::F_UNLCK as libc::c_short {
            return false;
        }
        if lock.l_pid == id() {
            return true;
        }
        // Behind this one. It may reach to the end.
        match lock.l_start.checked_add(lock.l_len) {
            Some(end) if lock.l_len > 0 => from = end,
            _ => return false,
        }
    }
    false
}

/// The number of the calling thread.
pub(crate) fn thread_id() -> c_int {
    // SAFETY: no pointers.
    unsafe { raw::call1(Sysno::gettid, 0) }.map_or(-1, |id| id as c_int)
}

/// What /proc says of the system call that a thread of this process sleeps in; an error where that cannot be seen.
/// ("running", or the number of the call and its arguments, or -1 if the thread sleeps elsewhere.)
fn syscall_text(thread: c_int, text: &mut [u8]) -> Result<&str> {
    use std::io::Write;
    let mut path = [0u8; 64];
    let mut rest = &mut path[..];
    write!(rest, "/proc/self/task/{thread}/syscall\0").map_err(|_| Errno::EINVAL)?;
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| Errno::EINVAL)?;
    let file = super::fd::open(path, libc::O_RDONLY | libc::O_CLOEXEC)?;
    // SAFETY: the kernel writes at most the length of `text`.
    let n = unsafe { raw::call3(Sysno::read, file.raw() as usize, text.as_mut_ptr() as usize, text.len()) }?;
    core::str::from_utf8(text.get(..n).unwrap_or(&[])).map_err(|_| Errno::EINVAL)
}

/// Whether a thread of this process sleeps in a system call other than one that waits for a lock. False too where that
/// cannot be seen.
pub(crate) fn is_in_call(thread: c_int) -> bool {
    let mut text = [0u8; 32];
    let text = syscall_text(thread, &mut text).unwrap_or("");
    let number = text.split(' ').next().and_then(|number| number.parse::<i64>().ok());
    number.is_some_and(|number| number >= 0 && number != Sysno::futex as i64)
}

/// What `is_in_call_on` finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum InCall {
    Yes,
    No,
    /// There is no such thread in this process.
    NoThread,
    /// That cannot be seen.
    Unknown,
}

/// Whether a thread of this process sleeps in a system call that has `fd` among its first three arguments.
pub(crate) fn is_in_call_on(thread: c_int, fd: c_int) -> InCall {
    // SAFETY: signal 0 is no signal.
    let is_there = unsafe { raw::call3(Sysno::tgkill, id() as usize, thread as usize, 0) };
    if is_there.is_err_and(|errno| !errno.is_refusal()) {
        return InCall::NoThread;
    }
    let mut text = [0u8; 128];
    let Ok(text) = syscall_text(thread, &mut text) else { return InCall::Unknown };
    let is_fd = |argument: &str| {
        let digits = argument.trim_start_matches("0x");
        u64::from_str_radix(digits, 16).is_ok_and(|argument| argument as u32 == fd as u32)
    };
    if text.split_whitespace().skip(1).take(3).any(is_fd) { InCall::Yes } else { InCall::No }
}

/// Lets other threads go first, for a moment.
pub(crate) fn pause() {
    let moment = timespec(1_000_000);
    // SAFETY: the time is read; no rest is asked for.
    let r = unsafe { raw::call2(Sysno::nanosleep, &raw const moment as usize, 0) };
    if r.is_err_and(Errno::is_refusal) && super::fd::poll(&mut [], 1).is_err() {
        std::thread::yield_now();
    }
}

/// Room for a set of 8,192 processors, the most that a kernel is built for.
const CPU_WORDS: usize = 8192 / usize::BITS as usize;

/// The processor that the calling thread runs on, if it may run on no other.
pub(crate) fn only_processor() -> Option<u32> {
    let mut set = [0usize; CPU_WORDS];
    // SAFETY: the kernel writes no more than it is told that there is room for.
    unsafe { raw::call3(Sysno::sched_getaffinity, 0, size_of_val(&set), set.as_mut_ptr() as usize).ok()? };
    let mut ones = set.iter().zip(0u32..).filter(|(word, _)| **word != 0);
    let (&word, index) = ones.next()?;
    (word.is_power_of_two() && ones.next().is_none()).then(|| index * usize::BITS + word.trailing_zeros())
}

/// From linux/membarrier.h; the libc crate has them for other systems only.
const MEMBARRIER_CMD_PRIVATE_EXPEDITED: usize = 1 << 3;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: usize = 1 << 4;

/// Makes `barrier` usable; an error where there is no membarrier(2), or it is forbidden.
pub(crate) fn prepare_barrier() -> Result<()> {
    // SAFETY: no pointers.
    unsafe { raw::call3(Sysno::membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0)? };
    Ok(())
}

/// A memory barrier in all threads of the process (membarrier(2)); after `prepare_barrier`.
pub(crate) fn barrier() {
    // SAFETY: no pointers.
    let made = unsafe { raw::call3(Sysno::membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) };
    if made.is_err() {
        // It was forbidden since. No processor keeps a store to itself for a time like this.
        core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
        for _ in 0..10 {
            pause();
        }
        core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
    }
}

const SIGPIPE_ONLY: u64 = 1 << (libc::SIGPIPE - 1);

fn signal_mask(how: libc::c_int, set: u64) -> Result<u64> {
    let mut old = 0u64;
    // SAFETY: eight bytes are read and eight written: the kernel's signal set.
    unsafe {
        raw::call4(Sysno::rt_sigprocmask, how as usize, &raw const set as usize, &raw mut old as usize, 8)?;
    }
    Ok(old)
}

/// Runs `call` with all signals blocked in this thread; threads that it makes inherit that. Not at all if they cannot
/// be.
pub(crate) fn with_all_signals_blocked<T>(call: impl FnOnce() -> T) -> Result<T> {
    let old = signal_mask(libc::SIG_SETMASK, u64::MAX)?;
    let r = call();
    let _ = signal_mask(libc::SIG_SETMASK, old);
    Ok(r)
}

/// Blocks signals in this thread, beside those that are blocked; signal 1 is bit 0.
pub(crate) fn block_signals(set: u64) -> Result<()> {
    signal_mask(libc::SIG_BLOCK, set).map(drop)
}

/// signalfd(2), close-on-exec.
pub(crate) fn signal_descriptor(set: u64) -> Result<OwnedFd> {
    let (new, flags) = (-1isize as usize, libc::SFD_CLOEXEC as usize);
    // SAFETY: eight bytes are read: the kernel's signal set.
    unsafe { raw::call4(Sysno::signalfd4, new, &raw const set as usize, 8, flags) }
        .map(|fd| OwnedFd::adopt(fd as c_int))
}

fn pending_signals() -> Result<u64> {
    let mut set = 0u64;
    // SAFETY: eight bytes are written.
    unsafe { raw::call2(Sysno::rt_sigpending, &raw mut set as usize, 8)? };
    Ok(set)
}

/// The errno if a SIGPIPE cannot be taken back.
pub(crate) fn takes_sigpipe_back() -> Result<()> {
    // Relaxed: a hint; a thread that misses it asks the kernel itself.
    match SIGPIPE_STAYS.load(Relaxed) {
        UNKNOWN => {
            let r = raw::unless_refused(take_signal(0));
            SIGPIPE_STAYS.store(r.map_or_else(|errno| errno.0, |()| NO), Relaxed);
            r
        }
        NO => Ok(()),
        errno => Err(Errno(errno)),
    }
}

/// rt_sigtimedwait(2) of the signals of `set`, without waiting. EAGAIN if there is none.
fn take_signal(set: u64) -> Result<usize> {
    let none = timespec(0);
    // SAFETY: `set` and `none` are read; no siginfo is asked for.
    unsafe { raw::call4(Sysno::rt_sigtimedwait, &raw const set as usize, 0, &raw const none as usize, 8) }
}

const UNKNOWN: c_int = 0;
const NO: c_int = -1;
/// UNKNOWN, NO, or why.
static SIGPIPE_STAYS: AtomicI32 = AtomicI32::new(UNKNOWN);

/// Runs `call` so that a SIGPIPE that it raises in this thread is taken back (rule 2.4); not at all if that cannot be
/// done. Four system calls; only for kernels without RWF_NOSIGNAL, and for what has no such flag.
pub(crate) fn without_sigpipe<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    takes_sigpipe_back()?;
    let old = signal_mask(libc::SIG_BLOCK, SIGPIPE_ONLY)?;
    // What was not blocked was not pending. (If it was blocked, there is nothing to put back.)
    let was_pending = old & SIGPIPE_ONLY != 0 && pending_signals()? & SIGPIPE_ONLY != 0;
    let r = call();
    // It may have been raised for the rest of what was moved only in part.
    if matches!(r, Ok(_) | Err(Errno::EPIPE)) && !was_pending {
        if let Some(errno) = take_signal(SIGPIPE_ONLY).err().filter(|errno| errno.is_refusal()) {
            // A filter has come since it was asked for. The signal would kill the process: it stays blocked.
            SIGPIPE_STAYS.store(errno.0, Relaxed);
            return r;
        }
    }
    let _ = signal_mask(libc::SIG_SETMASK, old);
    r
}
