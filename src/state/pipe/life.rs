//! How a pipe is opened and closed.

use super::*;
use crate::sys::dead_fd;

impl Pipe {
    pub(crate) fn open(&'static self, capacity: u32, flags: c_int) -> Result<c_int> {
        let public = self.engine.open()?;
        let number = public.raw();
        self.world.lose(self, number);
        let nonblock = flags & libc::O_NONBLOCK != 0;
        let prepared = table::make(number).and_then(|node| {
            if flags & libc::O_CLOEXEC == 0 {
                fd::control(number, libc::F_SETFD, 0)?;
            }
            fd::control(number, libc::F_SETFL, (flags & libc::O_NONBLOCK) as usize).map(|_| node)
        });
        let node = prepared.inspect_err(|_| self.engine.close())?;
        attach::forget_stale(number);
        self.places.0.resize(capacity);
        self.nonblock.store(nonblock, Relaxed);
        self.processor.store(NO_PROCESSOR, Relaxed);
        self.relieved.store(false, Relaxed);
        self.lost.store(false, Relaxed);
        self.number.store(number, Relaxed);
        // Release pairs with `find`: the pipe is whole before it can be entered.
        self.users.0.fetch_and(!CLOSING, Release);
        node.set_pipe(self);
        Ok(public.into_raw())
    }

    /// Whether the public number still is this pipe's descriptor (rule 3.7).
    pub(crate) fn is_current(&self) -> bool {
        self.engine.is_whole() && self.engine.is_behind(self.number())
    }

    /// Whether the engine's descriptors still are that. A program may have closed them, as some that it did not know,
    /// and so have lost the pipe (rule 5.5).
    pub(crate) fn is_whole(&self) -> bool {
        let is_whole = self.engine.is_whole();
        if !is_whole {
            self.lost.store(true, Relaxed);
        }
        is_whole
    }

    /// Whether it is known that the pipe was lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Relaxed)
    }

    /// A look into the kernel has failed: the descriptors may be lost.
    #[cold]
    pub(crate) fn note_failure(&self, errno: Errno) {
        if errno == Errno::EBADF {
            self.lost.store(true, Relaxed);
        }
    }

    /// Ends everything. The public descriptor stays open: it is the caller's. False if somebody else closes the pipe
    /// already.
    pub(crate) fn close(&'static self) -> bool {
        self.close_then(|| {})
    }

    /// The same; `last` is to close the descriptor. Until then, the number is known as that of a pipe: who comes to
    /// harvest it gets EBADF at any time (rule 3.7).
    pub(crate) fn close_then(&'static self, last: impl FnOnce()) -> bool {
        access::admit();
        // SeqCst: see `find`.
        if self.users.0.fetch_or(CLOSING, SeqCst) & CLOSING != 0 {
            return false;
        }
        for lane in &self.lanes {
            // See `harvest_at_once`: whoever has the lane now is done before this goes on.
            drop(lane.lock());
        }
        let is_lost = !self.is_whole();
        let is_left = self.wait_until_unused(is_lost, || self.users.0.load(Acquire) == CLOSING);
        attach::detach_all_of(self);
        self.wait_until_unused(false, || self.working.load(Acquire) == 0);
        if !is_left {
            return self.abandon(last);
        }
        let mut places = 0;
        self.engine.drop_timers(|op| {
            self.ops().give(op);
            places += 1;
        });
        for lane in &self.lanes {
            let locked = lane.lock();
            places += locked.clear_ring();
            let taken = locked.take(usize::MAX, |op| close_unread_accept(op, is_lost));
            drop(locked);
            if let Some(taken) = taken {
                lane.stock().give_chain(taken.first, taken.last, taken.count);
                places += taken.count as usize;
            }
            lane.stock().reduce(self.ops(), 0);
            lane.owner.store(0, Relaxed);
        }
        self.home.store(null_mut(), Relaxed);
        self.give_places(places);
        self.engine.close();
        self.wake.0.reset();
        last();
        self.leave_table();
        self.number.store(-1, Relaxed);
        self.known.store(false, Relaxed);
        // Release pairs with the AcqRel in `Pipes::take`.
        self.in_use.store(false, Release);
        true
    }

    /// Waits for the threads that use the pipe, or for the workers. Acquire in `unused` pairs with the Release in
    /// `InUse::drop` and `end_work`.
    ///
    /// Threads that wait in an engine that is lost cannot be woken: then it waits only for those that do not sleep.
    /// False if some are left.
    fn wait_until_unused(&self, is_lost: bool, unused: impl Fn() -> bool) -> bool {
        /// In nanoseconds.
        const PATIENCE: u64 = 20_000_000;
        let deadline = is_lost.then(|| process::now() + PATIENCE);
        let mut guard = self.quiet.0.lock();
        while !unused() {
            self.engine.wake_waiters();
            self.wake.0.waiters.call_all(&self.engine);
            if !self.quiet.1.wait(&mut guard, deadline) {
                return unused();
            }
        }
        true
    }

    /// The number is not that of a pipe any more.
    fn leave_table(&'static self) {
        if let Ok(node) = table::make(self.number()) {
            node.clear_pipe(self);
        }
    }

    /// The last part of closing a pipe that some threads will never leave.
    #[cold]
    fn abandon(&'static self, last: impl FnOnce()) -> bool {
        self.engine.close();
        last();
        self.leave_table();
        self.number.store(-1, Relaxed);
        self.abandoned.store(true, Relaxed);
        true
    }

    #[cold]
    pub(crate) fn leave_closing(&self, left: u32) {
        // The lock makes sure that `wait_until_unused` either waits already, or has not looked at the count yet.
        let _guard = self.quiet.0.lock();
        if left == CLOSING {
            self.quiet.1.notify_all();
        } else {
            self.engine.wake_waiters();
        }
    }

    /// Removes from the attachment the operations that belong to this pipe, without events.
    pub(crate) fn drop_operations(&self, attachment: &Locked) {
        let mut places = 0;
        for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
            queue.take_out(
                |op| op.pipe.get() == self.index,
                |op| {
                    if !self.may_end(op) {
                        op.set_fate(Fate::Orphan);
                        return;
                    }
                    self.release(op);
                    self.ops().give(op);
                    places += 1;
                },
            );
        }
        self.give_places(places);
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.in_use.load(Relaxed) && !self.abandoned.load(Relaxed)
    }

    /// In a forked child: the descriptors are the child's copies. The number stays taken, by a descriptor that can do
    /// nothing (if there is one to be had). The child may have closed any of them, and have other files there, which
    /// are left alone; so are the parent's registrations.
    pub(crate) fn replace_with_dead(&self, dead: &Result<fd::OwnedFd>) {
        if self.is_current() {
            dead_fd::kill(self.number(), dead);
        }
        self.engine.close();
    }
}

/// Descriptors in accept events that nobody read are closed (rule 3.7). Not with a pipe that the program has closed
/// among all the numbers it knew nothing of: they may be its files by now (rule 5.5).
fn close_unread_accept(op: OpRef, is_lost: bool) {
    if op.kind.get() == Kind::Accept && op.done.get() as c_int >= 0 {
        private::hand_over(op.done.get() as c_int);
        if !is_lost {
            let _ = fd::close(op.done.get() as c_int);
        }
    }
}
