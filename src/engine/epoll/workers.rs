//! The workers: a few threads that make the calls which may wait for a disk.
//!
//! # Protocol
//!
//! An operation that is given to a worker stays in its queue, marked IN_KERNEL; from then on it is the worker's, and
//! whoever walks the queue leaves it alone. The worker makes the call on a descriptor of its own, locks the attachment,
//! and takes the operation out. If the attachment goes first (detach, close, closing the pipe), the operation is taken out
//! of the queue and marked as an orphan, under the same lock; then the worker hands out the event by itself. A pipe is
//! closed only when it has no operation with a worker any more (`Pipe::begin_work`, `end_work`). What no thread has begun
//! yet can be taken back (`withdraw`), and then ended like any other.
//!
//! Threads start when there is work and nobody idle, and end when they have had none for a while, or when the last pipe is
//! closed. What no thread can be had for is done by the caller, who then waits for the disk.

use super::{disk, run, transfer};
use crate::engine::attachment::{Attachment, Class, Locked};
use crate::engine::lock::{Condvar, Mutex};
use crate::engine::op::{Completion, Fate, IN_KERNEL, Kind, OpRef, Order};
use crate::engine::pipe::Pipe;
use crate::engine::sink::Sink;
use crate::engine::visit::Visit;
use crate::sys::fd::{self, OwnedFd};
use crate::sys::thread::{Task, Thread};
use crate::sys::{Errno, Result, process};
use std::collections::VecDeque;

/// How many threads there are at most.
const MOST: usize = 4;
/// How long a thread without work stays, in nanoseconds.
const IDLE: u64 = 100_000_000;
/// Room for the stack of a thread, of which 64 KiB are a buffer.
const STACK: usize = 256 * 1024;

/// What came of a call.
pub(super) enum Outcome {
    Done(Result<usize>),
    /// It has to wait for something else than a disk.
    Wait,
}

/// An operation for a worker. All of it lives as long as the process; see `Pipe::begin_work` for the pipe.
struct Job {
    node: &'static Attachment,
    op: OpRef,
    pipe: &'static Pipe,
    /// The library's own descriptor of the file.
    file: OwnedFd,
    is_disk: bool,
}

struct State {
    jobs: VecDeque<Job>,
    threads: [Option<Thread>; MOST],
    idle: usize,
    ending: bool,
}

/// The workers of a process.
pub(crate) struct Workers {
    state: Mutex<State>,
    wake: Condvar,
}

impl Workers {
    pub(crate) const fn new() -> Workers {
        Workers {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                threads: [const { None }; MOST],
                idle: 0,
                ending: false,
            }),
            wake: Condvar::new(),
        }
    }

    /// Hands a job to a thread, or back if there is none.
    fn give(&'static self, job: Job) -> core::result::Result<(), Job> {
        let mut state = self.state.lock();
        if state.jobs.try_reserve(1).is_err() {
            return Err(job);
        }
        if state.idle <= state.jobs.len() && !state.ending {
            // No thread is free for it. Without a new one it waits for its turn, if anybody is there at all.
            let started = state.threads.iter_mut().find(|slot| slot.is_none());
            if let Some(slot) = started {
                *slot = Thread::start(self, STACK).ok();
            }
        }
        if state.threads.iter().all(Option::is_none) {
            return Err(job);
        }
        state.jobs.push_back(job);
        self.wake.notify_one();
        Ok(())
    }

    /// Takes an operation back that no thread has begun yet; false if one has. The caller holds the lock of its attachment.
    pub(crate) fn withdraw(&self, op: OpRef) -> bool {
        let mut state = self.state.lock();
        let index = state.jobs.iter().position(|job| core::ptr::eq(job.op, op));
        let Some(job) = index.and_then(|index| state.jobs.remove(index)) else { return false };
        drop(state);
        op.unmark(IN_KERNEL);
        job.pipe.end_work();
        true
    }

    /// The last pipe was closed: ends all threads, and waits for that. They have no work left.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.ending = true;
        let threads = core::mem::replace(&mut state.threads, [const { None }; MOST]);
        self.wake.notify_all();
        drop(state);
        threads.into_iter().flatten().for_each(Thread::join);
        self.state.lock().ending = false;
    }

    /// The next job; `None` when the calling thread is to end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.ending {
                return None;
            }
            state.idle += 1;
            let until = process::now() + IDLE;
            let is_over = !self.wake.wait(&mut state, Some(until));
            state.idle -= 1;
            if is_over && state.jobs.is_empty() && !state.ending {
                let own = state.threads.iter_mut().find(|slot| slot.as_ref().is_some_and(Thread::is_current));
                if let Some(thread) = own.and_then(Option::take) {
                    thread.detach();
                }
                return None;
            }
        }
    }
}

impl Task for Workers {
    fn run(&'static self) {
        while let Some(job) = self.next() {
            let outcome = job.work();
            job.finish(outcome);
        }
    }
}

/// Hands an operation, which stays in its queue, to a worker. If there is none, the outcome.
pub(super) fn work_on(attachment: &Locked, op: OpRef, sink: &Sink) -> Option<Outcome> {
    let fd = attachment.fd.get();
    let is_disk = attachment.class.get() == Class::Disk;
    if let Some(pipe) = sink.pipe.by_index(op.pipe.get())
        && let Ok(file) = fd::duplicate(fd)
    {
        op.mark(IN_KERNEL);
        pipe.begin_work();
        match pipe.workers().give(Job { node: attachment.node(), op, pipe, file, is_disk }) {
            Ok(()) => return None,
            Err(_) => pipe.end_work(),
        }
        op.unmark(IN_KERNEL);
    }
    Some(carry_out(fd, is_disk, op))
}

fn carry_out(fd: core::ffi::c_int, is_disk: bool, op: OpRef) -> Outcome {
    match op.kind.get() {
        Kind::Sendfile | Kind::Splice => transfer::work(fd, is_disk, op),
        _ => disk::work(fd, op),
    }
}

impl Job {
    fn work(&self) -> Outcome {
        carry_out(self.file.raw(), self.is_disk, self.op)
    }

    fn finish(self, outcome: Outcome) {
        let Job { node, op, pipe, file, .. } = self;
        // Before the event, so that the file is not held any longer than that.
        drop(file);
        let visit = Visit::begin();
        let attachment = node.lock();
        if op.fate() == Fate::Orphan {
            drop(attachment);
            let result = match outcome {
                Outcome::Done(r) => r.into(),
                Outcome::Wait => Completion::early(op, Errno::ECANCELED),
            };
            pipe.end_orphan(op, result);
        } else {
            op.unmark(IN_KERNEL);
            // The attachment's pipe may be another by now; this one's engine goes on with this one's operation.
            let sink = Sink::common(pipe);
            if op.order() == Order::Alone {
                attachment.alone.take_out(|other| core::ptr::eq(other, op), |_| {});
                run::worked_alone(&attachment, op, outcome, &sink);
            } else {
                run::worked(&attachment, op, outcome, &sink);
            }
            attachment.settle();
            drop(attachment);
        }
        drop(visit);
        pipe.end_work();
    }
}
