//! Handing operations over to the workers: a few threads that make the calls which may wait for a disk.
//!
//! # Protocol
//!
//! An operation that is given to a worker stays in its queue, marked IN_KERNEL; from then on it is the worker's, and a
//! thread that walks the queue leaves it alone. The worker makes the calls, locks the attachment, and takes the
//! operation out. If the attachment goes first (detach, close, closing the pipe), the operation is taken out of the
//! queue and marked as an orphan, under the same lock; then the worker hands out the event by itself. A pipe is closed
//! only when it has no operation with a worker any more (`Users::begin_work`, `end_work`). What no thread has begun yet
//! can be taken back (`withdraw`), and then ended like any other.
//!
//! *The number.* A worker makes its calls on the program's own number of a disk file. It has no copy of the descriptor:
//! closing a copy would make the process lose its locks of fcntl(2) on the file. (Of a socket or the like, which a file
//! is sent to, it has.) Before each call it makes sure that the number still is that file (a plain close(2) may have
//! taken it away), and says in its seat that it is `calling`. A thread that closes or replaces the number
//! (`release::take_number`) puts a copy into the seat for all further calls, and then lets the worker come to the
//! kernel with the call that it is about to make: until the seat says that it is over, or the kernel says that the
//! worker sleeps in a call, which holds the open file. Neither of these waits for a disk.
//!
//! Threads start when there is work and none is idle, and end when they have had none for a while, or when the last
//! pipe is closed. What no thread can be had for is done by the caller, who then waits for the disk.

use super::job_file::JobFile;
use super::step::Outcome;
use super::{class, disk, transfer};
use crate::queue::counts::Count;
use crate::queue::op::{IN_KERNEL, Kind, OpRef};
use crate::state::attachment::Locked;
use crate::state::file_class::Class;
use crate::state::jobs::Job;
use crate::state::{private, world};
use crate::sys::fd;
use core::cell::Cell;

/// Takes an operation back that no worker has begun yet; false if one has. The caller holds the lock of its attachment.
pub(crate) fn withdraw(op: OpRef) -> bool {
    let Some(job) = world::world().and_then(|world| world.workers.take_back(op)) else { return false };
    op.unmark(IN_KERNEL);
    if job.is_copy {
        private::close(job.number);
    }
    job.pipe.users.0.end_work();
    true
}

/// Hands an operation, which stays in its queue, to a worker. If there is none, the outcome.
pub(crate) fn work_on(attachment: &Locked, op: OpRef) -> Option<Outcome> {
    let own = attachment.fd();
    let identity = class::identity(attachment);
    let is_special = attachment.class.get() == Class::Special;
    if let Some(workers) = world::world().map(|world| &world.workers) {
        if let Some(pipe) = world::pipe(op.pipe.get()) {
            // What is no disk file has its flags set for a call, and put back on the same number.
            let is_copy = !matches!(attachment.class.get(), Class::Disk | Class::Special);
            let number = if is_copy { fd::duplicate(own).and_then(private::keep) } else { Ok(own) };
            if let Ok(number) = number {
                op.mark(IN_KERNEL);
                pipe.users.0.begin_work();
                let job = Job { node: attachment.node(), op, pipe, number, is_copy, identity, is_special };
                if workers.give(job) {
                    pipe.queue.counts.0.add(Count::Jobs, 1);
                    return None;
                }
                pipe.users.0.end_work();
                op.unmark(IN_KERNEL);
                if is_copy {
                    private::close(number);
                }
            }
        }
    }
    Some(carry_out(&JobFile { number: own, identity, is_special, seat: None, is_gone: Cell::new(false) }, op))
}

pub(crate) fn carry_out(file: &JobFile, op: OpRef) -> Outcome {
    let outcome = match op.kind.get() {
        Kind::Sendfile | Kind::Splice => transfer::work(file, op),
        _ => disk::work(file, op),
    };
    if file.is_gone.get() { Outcome::Gone } else { outcome }
}
