//! The C interface. Each function reads its arguments, calls the engine, and answers; there is no logic here.
//!
//! Calls on descriptors that are neither attached nor pipes are libc's (rule 1.1), cancellation points included.
//! `errno` is written as the last thing, and only by calls that fail (rule 5.1).

pub mod constants;
pub mod control;
pub mod file;
pub mod io;
pub mod pipe;
pub mod socket;
pub mod submit;

use crate::calls;
use crate::calls::answer::Answer;
use crate::calls::fast_path::Way;
use crate::calls::lookup;
use crate::calls::start::{self, ByCall, FastShared, Waited};
use crate::engine::call::{Call, InputCall};
use crate::queue::op::{Kind, Request};
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::sync::access::Sole;
use crate::sys::{Errno, Result, UserPtr, errno};
use core::ffi::c_int;

/// What C functions return: -1 for an error.
trait Returned {
    const FAILED: Self;
    fn of(value: usize) -> Self;
}

impl Returned for c_int {
    const FAILED: c_int = -1;
    fn of(value: usize) -> c_int {
        value as c_int
    }
}

impl Returned for isize {
    const FAILED: isize = -1;
    fn of(value: usize) -> isize {
        value as isize
    }
}

/// Fails with an errno.
#[inline]
fn fail<T: Returned>(errno: Errno) -> T {
    errno::set(errno.0);
    T::FAILED
}

/// The answer of a call that was queued.
#[inline(always)]
fn queued<T: Returned>() -> T {
    // SAFETY: something is attached, so the world was made, which prepares it.
    unsafe { errno::set_quickly_to::<{ constants::EIOEVENTQUEUED }>() };
    T::FAILED
}

/// The answer of a call that was done at once: bytes, or -errno.
#[inline(always)]
fn done<T: Returned>(n: isize) -> T {
    if n >= 0 {
        return T::of(n as usize);
    }
    // SAFETY: as in `queued`.
    unsafe { errno::set_quickly(-n as c_int) };
    T::FAILED
}

/// What C gets of a call on an attached descriptor, given what the slow path has made of it; `libc` if it is libc's.
fn answer_slow<T: Returned>(answer: Answer, libc: impl FnOnce() -> T) -> T {
    match answer {
        Answer::Queued => queued(),
        Answer::Done(n) => done(n),
        Answer::Slow(Ok(value)) => T::of(value),
        Answer::Slow(Err(errno)) => fail(errno),
        Answer::Libcs => libc(),
    }
}

/// A call that takes something in, by all but the shortest way. `libc` makes it where it is libc's.
#[inline(always)]
fn input<C: InputCall, T: Returned>(fd: c_int, call: impl Fn() -> C, libc: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn slow<C: InputCall, T: Returned>(fd: c_int, call: C, libc: impl FnOnce() -> T) -> T {
        match lookup::get(fd) {
            Entry::Attachment(node) => answer_slow(start::input(node, fd, call, ByCall), libc),
            _ => libc(),
        }
    }
    if let Some((node, _)) = attached(fd)
        && start::wait_otherwise(node, call(), ByCall)
    {
        return queued();
    }
    slow(fd, call(), libc)
}

/// Queues a call that takes something in by the shortest way. `None`: nothing was done.
#[inline(always)]
fn wait<C: InputCall>(fd: c_int, call: impl FnOnce() -> C) -> Option<isize> {
    wait_or(fd, call, |_| None, |_| None)
}

/// The same; `otherwise` if nothing was done on an attached descriptor, `harvest` if the number is a pipe's own.
#[inline(always)]
fn wait_or<C: InputCall>(
    fd: c_int,
    call: impl FnOnce() -> C,
    otherwise: impl FnOnce(&'static Attachment) -> Option<isize>,
    harvest: impl FnOnce(&'static Pipe) -> Option<isize>,
) -> Option<isize> {
    let node = table::near(fd)?;
    let word = node.read();
    let Some(pipe) = word.attached_pipe() else { return harvest(word.pipe()?) };
    match start::wait_sole((node, pipe), call(), ByCall) {
        Waited::Queued => Some(queued()),
        Waited::Limited(sole) => Some(limited(sole, node)),
        Waited::Not => otherwise(node),
    }
}

/// Goes on with a call that is in the slot, and is to have a time limit.
#[cold]
#[inline(never)]
fn limited(sole: Sole, node: &'static Attachment) -> isize {
    #[cold]
    fn slow(fd: c_int, request: Request) -> isize {
        answer_slow(start::slow(fd, request, ByCall), || match request.kind {
            // SAFETY: as the caller has promised; its call had no flags that matter to a socket.
            Kind::Readv => unsafe { libc::readv(fd, request.buf.addr() as *const _, request.len as c_int) },
            // SAFETY: as above.
            Kind::Recvmsg => unsafe { libc::recvmsg(fd, request.buf.addr() as *mut _, request.arg) },
            // SAFETY: as above.
            _ => unsafe { libc::read(fd, request.buf.addr() as *mut _, request.len) },
        })
    }
    match start::limit_sole(sole, node) {
        Ok(()) => queued(),
        Err((fd, request)) => slow(fd, request),
    }
}

/// A call that gives something out, by all but the shortest way.
#[inline(always)]
fn output<C: Call, T: Returned>(fd: c_int, call: impl Fn() -> C, libc: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn slow<C: Call, T: Returned>(fd: c_int, call: C, libc: impl FnOnce() -> T) -> T {
        match lookup::get(fd) {
            Entry::Attachment(node) => answer_slow(start::output(node, fd, call, ByCall), libc),
            _ => libc(),
        }
    }
    #[cold]
    #[inline(never)]
    fn begun<T: Returned>(attachment: Locked, call: impl Call, sent: isize) -> T {
        output_shared_begun(attachment, call, sent)
    }
    if let Some((node, _)) = attached(fd) {
        return output_shared(
            node,
            call(),
            |attachment, sent| begun(attachment, call(), sent),
            |attachment| {
                drop(attachment);
                slow(fd, call(), libc)
            },
        );
    }
    slow(fd, call(), libc)
}

/// A call that gives something out, by a thread that locks; `begun` goes on with it if one try was made, `slow` if none
/// was, after it has unlocked what it is given.
#[inline(always)]
fn output_shared<T: Returned>(
    node: &'static Attachment,
    call: impl Call,
    begun: impl FnOnce(Locked, isize) -> T,
    slow: impl FnOnce(Option<Locked>) -> T,
) -> T {
    #[inline(never)]
    fn first<T: Returned>(attachment: Locked) -> T {
        start::announce_shared(attachment);
        // Else the compiler knows the answer, and does not make this the caller's last call, for which it need not
        // save what it has in registers.
        core::hint::black_box(queued())
    }
    match start::output_shared(node, call, ByCall) {
        FastShared::Queued => queued(),
        FastShared::First(attachment) => first(attachment),
        FastShared::Begun(attachment, sent) => begun(attachment, sent),
        FastShared::Not(attachment) => slow(attachment),
    }
}

/// Goes on with an output that a thread that locks has begun.
fn output_shared_begun<T: Returned>(attachment: Locked, call: impl Call, sent: isize) -> T {
    answer_slow(start::output_shared_begun(attachment, call, ByCall, sent), || T::FAILED)
}

/// Goes on with an output that the shortest way has begun.
#[inline(always)]
fn output_begun<T: Returned>(sole: Sole, node: &'static Attachment, call: impl Call, sent: isize) -> T {
    answer_slow(start::output_begun(sole, node, call, ByCall, sent), || T::FAILED)
}

/// The attachment of a number and its pipe, if that is known at once.
#[inline(always)]
fn attached(fd: c_int) -> Option<(&'static Attachment, &'static Pipe)> {
    let node = table::near(fd)?;
    Some((node, node.read().attached_pipe()?))
}

/// A result as C wants it. What the library did on the way may have written `errno`; success puts it back.
fn answer<T: Returned>(call: impl FnOnce() -> Result<T>) -> T {
    let kept = errno::Kept::new();
    match call() {
        Ok(value) => value,
        Err(errno) => {
            drop(kept);
            fail(errno)
        }
    }
}

/// Queues an operation if `fd` is attached, else calls libc.
#[inline(always)]
fn queue_or<T: Returned>(fd: c_int, request: Request, libc: impl FnOnce() -> T) -> T {
    match calls::submit::submit(fd, &request, Way::Call) {
        Some(Err(errno)) => fail(errno),
        Some(Ok(value)) => T::of(value),
        None => libc(),
    }
}

/// The same for what has two descriptors.
fn transfer_or<T: Returned>(to: c_int, from: c_int, request: Request, libc: impl FnOnce() -> T) -> T {
    match calls::submit::submit_transfer(to, from, request, Way::Call) {
        Some(Err(errno)) => fail(errno),
        Some(Ok(value)) => T::of(value),
        None => libc(),
    }
}

/// The address of memory that rule 2.3 makes the library's until the event is read.
#[inline(always)]
fn lent<T>(p: *const T) -> UserPtr {
    // SAFETY: every function here that takes a pointer says so, and the caller of an unsafe function keeps to it.
    unsafe { UserPtr::new(p) }
}
