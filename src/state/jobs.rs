//! Operations that wait for a worker, and what the workers are at work on. The protocol is in `epoll::blocking`.

use super::attachment::Attachment;
use super::pipe::Pipe;
use crate::queue::op::OpRef;
use crate::sync::lock::{Condvar, Mutex};
use crate::sys::process;
use crate::sys::thread::Thread;
use core::ffi::c_int;
use std::collections::VecDeque;

/// How many threads there are at most.
const MOST: usize = 4;
/// How long a thread without work stays, in nanoseconds.
const IDLE: u64 = 100_000_000;
/// Room for the stack of a thread, of which 64 KiB are a buffer.
const STACK: usize = 256 * 1024;

/// An operation for a worker. All of it lives as long as the process; see `Users::begin_work` for the pipe.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) node: &'static Attachment,
    pub(crate) op: OpRef,
    pub(crate) pipe: &'static Pipe,
    /// The program's number.
    pub(crate) number: c_int,
    /// The number is the library's own copy.
    pub(crate) is_copy: bool,
    pub(crate) identity: c_int,
    pub(crate) is_special: bool,
}

/// What a worker is at work on.
#[derive(Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) op: OpRef,
    pub(crate) number: c_int,
    /// The number is the library's own copy.
    pub(crate) is_copy: bool,
    /// The worker makes a call on it, or is about to.
    pub(crate) calling: bool,
    /// The number that the kernel has for the worker.
    pub(crate) thread: c_int,
}

pub(crate) struct State {
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) threads: [Option<Thread>; MOST],
    pub(crate) seats: [Option<Seat>; MOST],
    pub(crate) idle: usize,
    pub(crate) ending: bool,
}

/// The workers of a process.
pub(crate) struct Workers {
    pub(crate) state: Mutex<State>,
    pub(crate) wake: Condvar,
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
    pub(crate) fn give(&'static self, job: Job) -> bool {
        let mut state = self.state.lock();
        if state.jobs.try_reserve(1).is_err() {
            return false;
        }
        if state.idle <= state.jobs.len() && !state.ending {
            // No thread is free for it. Without a new one it waits for its turn, if there is one at all.
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

    /// Takes an operation back that no thread has begun yet. The caller holds the lock of its attachment.
    pub(crate) fn take_back(&self, op: OpRef) -> Option<Job> {
        let mut state = self.state.lock();
        let index = state.jobs.iter().position(|job| core::ptr::eq(job.op, op))?;
        state.jobs.remove(index)
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
    pub(crate) fn next(&self) -> Option<(Job, usize)> {
        let mut state = self.state.lock();
        loop {
            if let Some(index) = state.seats.iter().position(Option::is_none) {
                if let Some(job) = state.jobs.pop_front() {
                    let thread = process::thread_id();
                    let Job { op, number, is_copy, .. } = job;
                    let seat = Seat { op, number, is_copy, calling: false, thread };
                    if let Some(free) = state.seats.get_mut(index) {
                        *free = Some(seat);
                    }
                    return Some((job, index));
                }
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
    pub(crate) fn number(&self, index: usize, calling: bool) -> c_int {
        let mut state = self.state.lock();
        let Some(Some(seat)) = state.seats.get_mut(index) else { return -1 };
        seat.calling = calling;
        seat.number
    }

    /// The job of a seat is done. The copy that it had is to be closed.
    pub(crate) fn leave(&self, index: usize) -> Option<c_int> {
        let seat = self.state.lock().seats.get_mut(index).and_then(Option::take)?;
        (seat.is_copy && seat.number >= 0).then_some(seat.number)
    }
}

impl State {
    pub(crate) fn seat_of(&mut self, op: OpRef) -> Option<&mut Seat> {
        self.seats.iter_mut().flatten().find(|seat| core::ptr::eq(seat.op, op))
    }
}
