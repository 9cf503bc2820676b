//! What the C functions of reads and writes have in common: one look at the number, and then the shortest way, if the
//! call can go it.

use super::libcs::{self, Libcs};
use super::{Returned, answer_slow, done, queued};
use crate::calls::lookup::{self, Near};
use crate::calls::start::{self, ByCall, Fast, FastShared, Waited};
use crate::engine::call::{Call, InputCall};
use crate::queue::op::{Kind, Request};
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::sync::access::Sole;
use crate::sys::UserPtr;
use core::ffi::c_int;

/// A call that takes something in, by the shortest way. `shared` is for a thread that locks, if the descriptor is
/// attached; `otherwise` does what remains (`input_otherwise`). They are functions of their own that have the arguments
/// in registers, so that the shortest way needs no memory.
#[inline(always)]
pub(super) fn input<C: InputCall + Libcs>(
    fd: c_int,
    call: C,
    shared: impl FnOnce(&'static Attachment) -> isize,
    otherwise: impl FnOnce() -> isize,
) -> isize {
    match lookup::near(fd) {
        Near::Attached(node, pipe) => match start::wait_sole((node, pipe), call, ByCall) {
            Waited::Queued => queued(),
            Waited::Limited(sole) => limited(sole, node),
            Waited::Not => shared(node),
        },
        Near::Pipe(pipe) => call.by_pipe(pipe, fd),
        Near::Nothing => call.by_libc(fd),
        Near::Unknown => otherwise(),
    }
}

/// A call that takes something in, by all but the shortest way.
#[inline(always)]
pub(super) fn input_otherwise<C: InputCall + Libcs>(fd: c_int, call: C) -> isize {
    #[inline(never)]
    fn slow<C: InputCall + Libcs>(node: &'static Attachment, fd: c_int, call: C) -> isize {
        answer_slow(start::input(node, call, ByCall), || call.by_libc(fd))
    }
    match lookup::get(fd) {
        Entry::Attachment(node) if start::wait_otherwise(node, call, ByCall) => queued(),
        Entry::Attachment(node) => slow(node, fd, call),
        Entry::Pipe(pipe) => call.by_pipe(pipe, fd),
        Entry::Nothing => libcs::watch_call(fd, call),
    }
}

/// Goes on with a call that is in the slot, and is to have a time limit.
#[cold]
#[inline(never)]
fn limited(sole: Sole, node: &'static Attachment) -> isize {
    #[cold]
    fn slow(fd: c_int, request: Request) -> isize {
        answer_slow(start::slow(fd, request, ByCall), || libcs::of_slot(fd, &request))
    }
    match start::limit_sole(sole, node) {
        Ok(()) => queued(),
        Err((fd, request)) => slow(fd, request),
    }
}

/// A call that gives something out, by the shortest way. `begun` goes on with it if one try was made, `shared` if none
/// was, if the descriptor is attached; `otherwise` does what remains (`output_otherwise`). As in `input`, all three
/// have the arguments in registers.
#[inline(always)]
pub(super) fn output<C: Libcs>(
    fd: c_int,
    call: C,
    begun: impl FnOnce(Sole, &'static Attachment, isize) -> isize,
    shared: impl FnOnce(&'static Attachment) -> isize,
    otherwise: impl FnOnce() -> isize,
) -> isize {
    match lookup::near(fd) {
        Near::Attached(node, pipe) => match start::output_sole((node, pipe), call, ByCall) {
            Fast::Queued => queued(),
            Fast::Done(n) => done(n),
            Fast::Begun(sole, sent) => begun(sole, node, sent),
            Fast::Not => shared(node),
        },
        Near::Pipe(pipe) => call.by_pipe(pipe, fd),
        Near::Nothing => call.by_libc(fd),
        Near::Unknown => otherwise(),
    }
}

/// A call that gives something out, by all but the shortest way.
pub(super) fn output_otherwise<C: Libcs>(fd: c_int, call: C) -> isize {
    match lookup::get(fd) {
        Entry::Attachment(node) => answer_slow(start::output(node, call, ByCall), || call.by_libc(fd)),
        Entry::Pipe(pipe) => call.by_pipe(pipe, fd),
        Entry::Nothing => libcs::watch_call(fd, call),
    }
}

/// A call that gives something out, by a thread that locks; `begun` goes on with it if one try was made, `slow` if none
/// was, after it has unlocked what it is given.
#[inline(always)]
pub(super) fn output_shared(
    node: &'static Attachment,
    call: impl Call,
    begun: impl FnOnce(Locked, isize) -> isize,
    slow: impl FnOnce(Option<Locked>) -> isize,
) -> isize {
    #[inline(never)]
    fn first(attachment: Locked) -> isize {
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
pub(super) fn output_shared_begun(attachment: Locked, call: impl Call, sent: isize) -> isize {
    answer_slow(start::output_shared_begun(attachment, call, ByCall, sent), || isize::FAILED)
}

/// Goes on with an output that the shortest way has begun.
#[inline(always)]
pub(super) fn output_begun(sole: Sole, node: &'static Attachment, call: impl Call, sent: isize) -> isize {
    answer_slow(start::output_begun(sole, node, call, ByCall, sent), || isize::FAILED)
}

/// Queues an operation without a fast path if `fd` is attached, else has libc do it. It has all of the call in
/// registers, so that the function which is called needs no memory where the call is libc's.
#[inline(never)]
pub(super) fn queue(fd: c_int, kind: Kind, buf: UserPtr, len: usize, addr: UserPtr, arg: c_int) -> isize {
    let request = match kind {
        Kind::Connect => Request { kind, addr, addrlen: UserPtr::number(len), ..Request::NOTHING },
        _ => Request { kind, buf, len, addr, arg, ..Request::NOTHING },
    };
    let libcs = || libcs::watch(fd, kind, || libcs::of_queue(fd, kind, buf, len, addr, arg));
    answer_slow(start::slow(fd, request, ByCall), libcs)
}
