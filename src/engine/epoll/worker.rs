//! What the thread of a worker does: it carries jobs out, and goes on with their operations. See `blocking`.

use super::blocking;
use super::job_file::JobFile;
use super::step::Outcome;
use super::{run, unordered};
use crate::engine::completions::Completions;
use crate::engine::{observed, other_end};
use crate::queue::op::{Completion, Fate, IN_KERNEL, OpRef, Order};
use crate::state::jobs::{Job, Workers};
use crate::state::pipe::Pipe;
use crate::state::private;
use crate::sync::access::Revoked;
use crate::sys::thread::Task;
use crate::sys::{Errno, observers};
use core::cell::Cell;
use core::ffi::c_int;

impl Task for Workers {
    fn run(&'static self) {
        while let Some((job, index)) = self.next() {
            let Job { number, identity, is_special, .. } = job;
            let file = JobFile {
                number,
                identity,
                is_special,
                seat: Some((self, index)),
                is_gone: Cell::new(false),
            };
            let outcome = blocking::carry_out(&file, job.op);
            finish(job, outcome, || self.leave(index));
        }
    }
}

/// The job is done. `leave` gives its seat up.
fn finish(job: Job, outcome: Outcome, leave: impl FnOnce() -> Option<c_int>) {
    let Job { node, op, pipe, .. } = job;
    let revoked = Revoked::begin();
    let attachment = node.lock();
    // Under the lock: no thread takes the number away after this. Before the event: the file is held no longer then.
    let copy = leave();
    if op.fate() == Fate::Orphan {
        // The lock may be another descriptor's by now, and the last close of a file may wait for its disk.
        drop(attachment);
        copy.into_iter().for_each(private::close);
        let result = match outcome {
            Outcome::Done(r) => r.into(),
            Outcome::Wait | Outcome::Again | Outcome::Gone => Completion::early(op, Errno::ECANCELED),
        };
        end_orphan(pipe, op, result);
    } else {
        copy.into_iter().for_each(private::close);
        op.unmark(IN_KERNEL);
        // The attachment's pipe may be another by now; this one's engine goes on with this one's operation.
        let out = Completions::common(pipe);
        if op.order() == Order::Unordered {
            attachment.unordered.take_out(|other| core::ptr::eq(other, op), |_| {});
            unordered::worked_unordered(&attachment, op, outcome, &out);
        } else {
            run::worked(&attachment, op, outcome, &out);
        }
        attachment.arm();
        drop(attachment);
    }
    drop(revoked);
    pipe.users.0.end_work();
}

/// The event of an operation whose attachment has gone.
fn end_orphan(pipe: &'static Pipe, op: OpRef, completion: Completion) {
    other_end::release(op);
    if observers::of_memory() {
        observed::complete(op, completion);
    }
    op.set_outcome(completion);
    pipe.put_common(op);
}
