//! How an attachment ends.

use super::completions::Completions;
use super::{Engine, arming, kept_errors, limits, misuse, times};
use crate::queue::op::{Completion, Fate, OpRef};
use crate::state::attachment::{Locked, SEVERAL_PIPES};
use crate::state::jobs::Workers;
use crate::state::pipe::Pipe;
use crate::state::{private, world};
use crate::sys::{Errno, fd, process};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// How often a thread that takes a number away looks, a millisecond apart, whether the worker has come to the kernel,
/// where that cannot be seen. One that could run would be there long before.
const PATIENCE: u32 = 100;
/// The number is not open, or was just given out by the kernel: if it is that of an attached descriptor, that was
/// closed behind the library's back (rule 4.4). A pipe is left for later: its close waits for all threads that harvest
/// it, and the caller may be one of them.
pub(crate) fn forget_stale_attachment(number: c_int) {
    if let Some(attachment) = arming::lock_attached(number) {
        misuse::report_closed(&attachment);
        release(attachment);
    }
}

/// Ends what is outstanding, each operation with its event, and frees the attachment. What the kernel cannot be kept
/// from finishing has its event later (rule 4.8).
pub(crate) fn release(attachment: Locked) {
    if let Some(pipe) = attachment.pipe() {
        let queues = [&attachment.input, &attachment.output, &attachment.unordered];
        if !queues.iter().all(|queue| queue.is_empty()) {
            end_all(&attachment, pipe);
        }
        unwatch(&attachment, pipe);
    }
    free(attachment);
}

fn end_all(attachment: &Locked, pipe: &'static Pipe) {
    let out = Completions::of_thread(pipe);
    kept_errors::forget(attachment);
    for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
        while let Some(op) = queue.pop() {
            if pipe.engine().retract(op) {
                let why = if times::is_late(op) { Errno::ETIMEDOUT } else { Errno::ECANCELED };
                out.complete(attachment, op, Completion::early(op, why));
            } else {
                leave_to_worker(attachment, pipe, op);
            }
        }
    }
}

/// A worker is at work on the operation, whose attachment ends. The program may close or replace the number from now
/// on: the worker goes on with a copy, if the number still is that file.
pub(crate) fn leave_to_worker(attachment: &Locked, pipe: &Pipe, op: OpRef) {
    op.set_fate(Fate::Orphan);
    if pipe.engine().is_same_file(attachment) {
        if let Some(world) = world::world() {
            take_number(&world.workers, op);
        }
    }
}

fn unwatch(attachment: &Locked, pipe: &'static Pipe) {
    if attachment.class.get().is_polled_apart() {
        if let Some(world) = world::world() {
            return world.apart.forget(attachment, &world.watchdog);
        }
    }
    pipe.engine().detach(attachment);
    if attachment.has(SEVERAL_PIPES) {
        if let Some(world) = world::world() {
            for other in world.pipes.in_use() {
                other.engine().detach(attachment);
            }
        }
    }
}

/// Frees an attachment that is not watched and that has no operations.
pub(crate) fn free(attachment: Locked) {
    if let Some(own) = attachment.set_own_fd(None) {
        private::close(own);
    }
    attachment.give_up_reserved();
    limits::forget(attachment.fd());
    if let Some(pipe) = attachment.pipe() {
        pipe.attached.fetch_sub(1, Relaxed);
    }
    attachment.set_detached();
    if let Some(world) = world::world() {
        world.attached.fetch_sub(1, Relaxed);
    }
}

/// The number that the worker of an operation uses is about to be closed or replaced, and still is what it was: the
/// worker goes on with a copy. When this returns it makes no call on the number any more, but one that it has
/// begun.
fn take_number(workers: &Workers, op: OpRef) {
    let mut state = workers.state.lock();
    let Some(seat) = state.seat_of(op) else { return };
    if seat.is_copy {
        return;
    }
    let number = seat.number;
    // Without a copy its next call gives EBADF.
    seat.number = fd::duplicate(number).and_then(private::keep).unwrap_or(-1);
    seat.is_copy = true;
    let (thread, mut is_calling) = (seat.thread, seat.calling);
    drop(state);
    let mut patience = PATIENCE;
    while is_calling && patience > 0 && !process::is_in_call(thread) {
        process::pause();
        patience -= 1;
        let mut state = workers.state.lock();
        is_calling = state.seat_of(op).is_some_and(|seat| seat.calling);
    }
}
