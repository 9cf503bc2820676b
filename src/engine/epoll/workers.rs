//! The workers: a few threads that make the calls which may wait for a disk.
//!
//! # Protocol
//!
//! An operation that is given to a worker stays in its queue, marked IN_KERNEL; from then on it is the worker's, and a
//! thread that walks the queue leaves it alone. The worker makes the calls, locks the attachment, and takes the
//! operation out. If the attachment goes first (detach, close, closing the pipe), the operation is taken out of the
//! queue and marked as an orphan, under the same lock; then the worker hands out the event by itself. A pipe is closed
//! only when it has no operation with a worker any more (`Pipe::begin_work`, `end_work`). What no thread has begun yet
//! can be taken back (`withdraw`), and then ended like any other.
//!
//! *The number.* A worker makes its calls on the program's own number of a disk file. It has no copy of the descriptor:
//! closing a copy would make the process lose its locks of fcntl(2) on the file. (Of a socket or the like, which a file
//! is sent to, it has.) Before each call it makes sure that the number still is that file (a plain close(2) may have
//! taken it away), and says in its seat that it is `calling`. A thread that closes or replaces the number
//! (`take_number`) puts a copy into the seat for all further calls, and then lets the worker come to the kernel with
//! the call that it is about to make: until the seat says that it is over, or the kernel says that the worker sleeps in
//! a call, which holds the open file. Neither of these waits for a disk.
//!
//! Threads start when there is work and nobody idle, and end when they have had none for a while, or when the last pipe
//! is closed. What no thread can be had for is done by the caller, who then waits for the disk.

use super::transfer::{self, Own};
use super::{class, disk, run};
use crate::engine::completions::Completions;
use crate::queue::op::{Completion, Fate, IN_KERNEL, Kind, OpRef, Order};
use crate::state::attachment::{Attachment, Locked};
use crate::state::file_class::Class;
use crate::state::pipe::Pipe;
use crate::state::private;
use crate::sync::access::Revoked;
use crate::sync::lock::{Condvar, Mutex};
use crate::sys::thread::{Task, Thread};
use crate::sys::{Errno, Result, fd, nature, process};
use core::cell::Cell;
use core::ffi::c_int;
use std::collections::VecDeque;

/// How many threads there are at most.
const MOST: usize = 4;
/// How long a thread without work stays, in nanoseconds.
const IDLE: u64 = 100_000_000;
/// How often a thread that takes a number away looks, a millisecond apart, whether the worker has come to the kernel,
/// where that cannot be seen. One that could run would be there long before.
const PATIENCE: u32 = 100;
/// Room for the stack of a thread, of which 64 KiB are a buffer.
const STACK: usize = 256 * 1024;

/// What came of a call.
pub(crate) enum Outcome {
    Done(Result<usize>),
    /// It has to wait for something else than a disk.
    Wait,
    /// There was nothing: it has to be tried again.
    Again,
    /// The program has taken the number away before it was done.
    Gone,
}

/// An operation for a worker. All of it lives as long as the process; see `Pipe::begin_work` for the pipe.
#[derive(Clone, Copy)]
struct Job {
    node: &'static Attachment,
    op: OpRef,
    pipe: &'static Pipe,
    /// The program's number.
    number: c_int,
    /// The number is the library's own copy.
    is_copy: bool,
    identity: c_int,
    is_special: bool,
}

/// What a worker is at work on.
#[derive(Clone, Copy)]
struct Seat {
    op: OpRef,
    number: c_int,
    /// The number is the library's own copy.
    is_copy: bool,
    /// The worker makes a call on it, or is about to.
    calling: bool,
    /// Who the worker is, to the kernel.
    thread: c_int,
}

struct State {
    jobs: VecDeque<Job>,
    threads: [Option<Thread>; MOST],
    seats: [Option<Seat>; MOST],
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
                seats: [None; MOST],
                idle: 0,
                ending: false,
            }),
            wake: Condvar::new(),
        }
    }

    /// Hands a job to a thread; false if there is none.
    fn give(&'static self, job: Job) -> bool {
        let mut state = self.state.lock();
        if state.jobs.try_reserve(1).is_err() {
            return false;
        }
        if state.idle <= state.jobs.len() && !state.ending {
            // No thread is free for it. Without a new one it waits for its turn, if anybody is there at all.
            let started = state.threads.iter_mut().find(|slot| slot.is_none());
            if let Some(slot) = started {
                *slot = Thread::start(self, STACK).ok();
            }
        }
        if state.threads.iter().all(Option::is_none) {
            return false;
        }
        state.jobs.push_back(job);
        self.wake.notify_one();
        true
    }

    /// Takes an operation back that no thread has begun yet; false if one has. The caller holds the lock of its
    /// attachment.
    pub(crate) fn withdraw(&self, op: OpRef) -> bool {
        let mut state = self.state.lock();
        let index = state.jobs.iter().position(|job| core::ptr::eq(job.op, op));
        let Some(job) = index.and_then(|index| state.jobs.remove(index)) else { return false };
        drop(state);
        op.unmark(IN_KERNEL);
        if job.is_copy {
            private::close(job.number);
        }
        job.pipe.end_work();
        true
    }

    /// The number that the worker of an operation uses is about to be closed or replaced, and still is what it was: the
    /// worker goes on with a copy. When this returns it makes no call on the number any more, but one that it has
    /// begun.
    pub(crate) fn take_number(&self, op: OpRef) {
        let mut state = self.state.lock();
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
            let mut state = self.state.lock();
            is_calling = state.seat_of(op).is_some_and(|seat| seat.calling);
        }
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

    /// The next job, and the seat for it; `None` when the calling thread is to end.
    fn next(&self) -> Option<(Job, usize)> {
        let mut state = self.state.lock();
        loop {
            if let Some(index) = state.seats.iter().position(Option::is_none)
                && let Some(job) = state.jobs.pop_front()
            {
                let thread = process::thread_id();
                let Job { op, number, is_copy, .. } = job;
                let seat = Seat { op, number, is_copy, calling: false, thread };
                if let Some(free) = state.seats.get_mut(index) {
                    *free = Some(seat);
                }
                return Some((job, index));
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

    /// The number to use now. `calling`: a call follows at once.
    fn number(&self, index: usize, calling: bool) -> c_int {
        let mut state = self.state.lock();
        let Some(Some(seat)) = state.seats.get_mut(index) else { return -1 };
        seat.calling = calling;
        seat.number
    }

    /// The job of a seat is done. The copy that it had is to be closed.
    fn leave(&self, index: usize) -> Option<c_int> {
        let seat = self.state.lock().seats.get_mut(index).and_then(Option::take)?;
        (seat.is_copy && seat.number >= 0).then_some(seat.number)
    }
}

impl State {
    fn seat_of(&mut self, op: OpRef) -> Option<&mut Seat> {
        self.seats.iter_mut().flatten().find(|seat| core::ptr::eq(seat.op, op))
    }
}

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
            let outcome = carry_out(&file, job.op);
            job.finish(outcome, || self.leave(index));
        }
    }
}

/// The file of a job.
pub(crate) struct JobFile {
    number: c_int,
    pub(crate) identity: c_int,
    /// Its class is `Special`.
    pub(crate) is_special: bool,
    /// Where the number is, if a worker does it.
    seat: Option<(&'static Workers, usize)>,
    /// The number is another file's by now, or nobody's.
    is_gone: Cell<bool>,
}

impl Own for JobFile {
    /// Makes a call on the file; EBADF if its number was closed, or has become another file.
    fn call<T>(&self, call: impl FnOnce(c_int) -> Result<T>) -> Result<T> {
        let Some((workers, index)) = self.seat else { return call(self.number) };
        loop {
            let number = workers.number(index, false);
            if nature::identity(number) != self.identity {
                if workers.number(index, false) != number {
                    continue;
                }
                self.is_gone.set(true);
                return Err(Errno::EBADF);
            }
            if workers.number(index, true) == number {
                let r = call(number);
                workers.number(index, false);
                return r;
            }
        }
    }
}

/// Hands an operation, which stays in its queue, to a worker. If there is none, the outcome.
pub(crate) fn work_on(attachment: &Locked, op: OpRef, out: &Completions) -> Option<Outcome> {
    let own = attachment.fd();
    let identity = class::identity(attachment);
    let is_special = attachment.class.get() == Class::Special;
    if let Some(pipe) = out.pipe.by_index(op.pipe.get()) {
        // What is no disk file has its flags set for a call, and put back on the same number.
        let is_copy = !matches!(attachment.class.get(), Class::Disk | Class::Special);
        let number = if is_copy { fd::duplicate(own).and_then(private::keep) } else { Ok(own) };
        if let Ok(number) = number {
            op.mark(IN_KERNEL);
            pipe.begin_work();
            let job = Job { node: attachment.node(), op, pipe, number, is_copy, identity, is_special };
            if pipe.workers().give(job) {
                return None;
            }
            pipe.end_work();
            op.unmark(IN_KERNEL);
            if is_copy {
                private::close(number);
            }
        }
    }
    Some(carry_out(&JobFile { number: own, identity, is_special, seat: None, is_gone: Cell::new(false) }, op))
}

fn carry_out(file: &JobFile, op: OpRef) -> Outcome {
    let outcome = match op.kind.get() {
        Kind::Sendfile | Kind::Splice => transfer::work(file, op),
        _ => disk::work(file, op),
    };
    if file.is_gone.get() { Outcome::Gone } else { outcome }
}

impl Job {
    fn finish(self, outcome: Outcome, leave: impl FnOnce() -> Option<c_int>) {
        let Job { node, op, pipe, .. } = self;
        let revoked = Revoked::begin();
        let attachment = node.lock();
        // Under the lock: nobody takes the number away after this. Before the event: the file is held no longer then.
        let copy = leave();
        if op.fate() == Fate::Orphan {
            // The lock may be another descriptor's by now, and the last close of a file may wait for its disk.
            drop(attachment);
            copy.into_iter().for_each(private::close);
            let result = match outcome {
                Outcome::Done(r) => r.into(),
                Outcome::Wait | Outcome::Again | Outcome::Gone => Completion::early(op, Errno::ECANCELED),
            };
            pipe.end_orphan(op, result);
        } else {
            copy.into_iter().for_each(private::close);
            op.unmark(IN_KERNEL);
            // The attachment's pipe may be another by now; this one's engine goes on with this one's operation.
            let out = Completions::common(pipe);
            if op.order() == Order::Unordered {
                attachment.unordered.take_out(|other| core::ptr::eq(other, op), |_| {});
                run::worked_unordered(&attachment, op, outcome, &out);
            } else {
                run::worked(&attachment, op, outcome, &out);
            }
            attachment.arm();
            drop(attachment);
        }
        drop(revoked);
        pipe.end_work();
    }
}
