//! The epoll engine: descriptors are registered once, edge-triggered, and what cannot be done at once is parked.
//!
//! # Protocol
//!
//! READABLE and WRITABLE on an attachment mean "worth a try". A try that finds nothing clears the bit, and so does a
//! short read where that proves that nothing is left; from then on the kernel owes an edge for whatever comes. All of
//! it happens under the lock of the attachment: an edge that was taken from the kernel before the try but is handled
//! after it only causes one try more. An attachment begins with both bits set: nothing is known of it, and a call that
//! fails whatever comes (on a socket that is not connected, say) gets no edge. For the same reason an operation that
//! differs from those before it is tried once even while its bit is unset (`Op::waits_like_others`).
//!
//! A descriptor is watched for output from the first time on that something has to wait for that (`watch_output`). If
//! it was from the beginning, it would have an edge at once, since it can be written to, and with it a place among the
//! ready ones that it keeps: descriptors that become readable later would come in the order in which they were
//! attached, instead of that in which they became ready (rule 3.5).
//!
//! Edges carry the node of the attachment and its generation; one that is late, for a descriptor that is no more (its
//! open file may live on in a dup or a child), is ignored.
//!
//! The waker is an eventfd that always is readable, and the clock a timerfd; both are registered edge-triggered and
//! never read. To ring is to register the waker anew (EPOLL_CTL_MOD), which makes an edge. Each ring and each expiry is
//! an edge, taken by exactly one epoll_wait.
//!
//! A program may close the engine's descriptors, as one that it knows nothing of, and be given their numbers for files
//! of its own (rule 5.5). An entry of an epoll instance belongs to one number and one open file, so that the waker's
//! entry is there (`is_whole`) says of both numbers that they are what they were. It is asked for before they are
//! closed, and before a descriptor is attached; a call on the two together does nothing when one of them is another
//! file.

mod attempt;
mod class;
mod connection;
mod disk;
mod edge;
mod nonblock;
mod other;
pub(crate) mod polls;
mod run;
mod times;
mod transfer;
mod wait;
pub(crate) mod workers;

use crate::engine::Engine;
use crate::engine::completions::Completions;
use crate::queue::alarm::Alarm;
use crate::queue::deadlines::Deadline;
use crate::queue::lane::MOST_EDGES;
use crate::queue::op::{Kind, OWN_OTHER, OpRef, Order, TIMED};
use crate::state::attachment::{Attachment, LEVEL, Locked, SEVERAL_PIPES};
use crate::state::file_class::Class;
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::sync::waiters::Standby;
use crate::sync::wake::Waker;
use crate::sys::{Errno, Result, epoll as sys, fd, futex, nature, needs};
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

pub(crate) use crate::sys::epoll::Event as Edge;
pub(crate) use run::output_begun as go_on_with_output;
pub(crate) use wait::{Found, Handled};

/// What every attached descriptor is watched for. PRI and RDHUP tell when a short read proves nothing; the band bits
/// are what `ioevent_poll` may ask for.
const WATCHED_INPUT: u32 =
    (sys::EPOLLIN | sys::EPOLLPRI | sys::EPOLLRDHUP | sys::EPOLLRDNORM | sys::EPOLLRDBAND | sys::EPOLLET)
        as u32;
/// The same, once something has had to wait for output.
const WATCHED: u32 = WATCHED_INPUT | (sys::EPOLLOUT | sys::EPOLLWRNORM | sys::EPOLLWRBAND) as u32;
const HUNG_UP: u32 = (sys::EPOLLHUP | sys::EPOLLERR) as u32;
/// After one of these a short read proves nothing any more.
const NO_PROOF: u32 = (sys::EPOLLRDHUP | sys::EPOLLPRI) as u32 | HUNG_UP;
const INPUT: u32 = (sys::EPOLLIN | sys::EPOLLRDNORM | sys::EPOLLRDBAND) as u32 | NO_PROOF;
const OUTPUT: u32 = (sys::EPOLLOUT | sys::EPOLLWRNORM | sys::EPOLLWRBAND) as u32 | HUNG_UP;

/// Data of the waker and of the clock: as those of descriptors (`Attachment::to_word`), but of a generation that no
/// descriptor has.
const WAKER: u64 = 0;
const CLOCK: u64 = 1;
/// Data of what keeps the engine's descriptor readable; it means nothing to a look.
const HOLD: u64 = sys::NOTHING;

/// The most edges taken from the kernel at a time.
pub(crate) const BATCH: usize = MOST_EDGES;

/// The engine of one pipe. Its descriptors are -1 while the pipe is not in use.
pub(crate) struct Epoll {
    epfd: AtomicI32,
    waker: AtomicI32,
    alarm: Alarm,
}

impl Epoll {
    pub(crate) const fn new() -> Epoll {
        Epoll { epfd: AtomicI32::new(-1), waker: AtomicI32::new(-1), alarm: Alarm::new() }
    }

    // All loads of the descriptors are Relaxed: who uses the engine has entered the pipe or holds the lock of one of
    // its attachments, which came after `open`.

    fn epfd(&self) -> c_int {
        self.epfd.load(Relaxed)
    }

    /// Makes the engine's descriptors. Returns the one for the public: a dup of the epoll descriptor, so that it is
    /// readable whenever there is something in it.
    pub(crate) fn open(&self) -> Result<fd::OwnedFd> {
        needs::check()?;
        let public = sys::create()?;
        let epfd = public.duplicate_out_of_the_way()?;
        let waker = sys::readable_eventfd()?.move_out_of_the_way()?;
        let clock = sys::timerfd()?.move_out_of_the_way()?;
        sys::add(epfd.raw(), waker.raw(), sys::EPOLLET as u32, WAKER)?;
        sys::add(epfd.raw(), clock.raw(), sys::EDGE, CLOCK)?;
        self.epfd.store(epfd.raw(), Relaxed);
        self.waker.store(waker.into_raw(), Relaxed);
        self.alarm.reset();
        self.alarm.open(clock.into_raw(), epfd.into_raw());
        Ok(public)
    }

    /// Closes those that still are the engine's; the program may have closed some and have files of its own there. No
    /// lock is taken: a forked child calls it too.
    pub(crate) fn close(&self) {
        let (epfd, waker, clock) =
            (self.epfd.swap(-1, Relaxed), self.waker.swap(-1, Relaxed), self.alarm.close());
        let others = [waker, clock].map(|fd| (fd, sys::is_registered(epfd, fd)));
        for (fd, _) in others.iter().filter(|(_, is_own)| *is_own) {
            let _ = fd::close(*fd);
        }
        if others.iter().any(|(_, is_own)| *is_own) {
            let _ = fd::close(epfd);
        }
    }

    /// Whether the descriptors still are the engine's (rule 5.5).
    pub(crate) fn is_whole(&self) -> bool {
        sys::is_registered(self.epfd(), self.waker.load(Relaxed))
    }

    /// The kernel has just given these numbers out, to others: what this engine had under them was closed behind its
    /// back.
    pub(crate) fn lose(&self, numbers: &[c_int]) {
        for own in [&self.epfd, &self.waker] {
            if numbers.contains(&own.load(Relaxed)) {
                own.store(-1, Relaxed);
            }
        }
        self.alarm.lose(numbers);
    }

    /// The numbers of its descriptors.
    pub(crate) fn numbers(&self) -> [c_int; 3] {
        [self.epfd(), self.waker.load(Relaxed), self.alarm.number()]
    }

    /// The descriptor that is readable when there is something to look for.
    pub(crate) fn descriptor(&self) -> c_int {
        self.epfd()
    }

    /// Keeps the engine's descriptor readable by means of an eventfd that is; false if it cannot.
    pub(crate) fn hold(&self, readable: c_int) -> bool {
        sys::add(self.epfd(), readable, sys::EPOLLIN as u32, HOLD).is_ok()
    }

    /// Ends that.
    pub(crate) fn let_go(&self, readable: c_int) {
        let _ = sys::delete(self.epfd(), readable);
    }

    /// Whether `number` is a descriptor of this engine's epoll instance. The kernel refuses to put an instance into
    /// itself with EINVAL, and answers otherwise for everything else.
    pub(crate) fn is_behind(&self, number: c_int) -> bool {
        sys::modify(self.epfd(), number, WATCHED, WAKER) == Err(Errno::EINVAL)
    }

    /// Rings without regard to whether it has been heard: for closing.
    pub(crate) fn wake_waiters(&self) {
        sys::wake(self.epfd(), self.waker.load(Relaxed), WAKER);
    }

    /// Has the kernel tell of a descriptor.
    fn register(&self, attachment: &Locked, fd: c_int) -> Result<()> {
        if attachment.class.get() == Class::Disk || attachment.class.get().is_polled_apart() {
            // The kernel would refuse a disk file; or ask whose file it is, for which the program does not wait.
            return Ok(());
        }
        let watched = watched(attachment);
        match sys::add(self.epfd(), fd, watched, Attachment::to_word(attachment)) {
            // A registration of an earlier attachment, whose open file has come back to its old number.
            Err(Errno::EEXIST) => sys::modify(self.epfd(), fd, watched, Attachment::to_word(attachment)),
            // What cannot be watched is always ready.
            Err(Errno::EPERM) => {
                class::make_disk(attachment, nature::identity(fd));
                Ok(())
            }
            r => r,
        }
    }

    /// The descriptor goes to another pipe: nothing is told of it level-triggered here any more.
    pub(crate) fn forget_level(&self, attachment: &Locked) {
        if attachment.has(LEVEL) {
            polls::leave(attachment);
        }
    }

    /// A descriptor that is polled apart is ready for these. False if nobody waited for that.
    pub(crate) fn told_apart(&self, attachment: &Locked, events: i16, out: &Completions) -> bool {
        run::told_apart(attachment, events, out)
    }

    /// Gives back what an operation holds beside its node.
    pub(crate) fn release(&self, op: OpRef) {
        if op.has(TIMED) {
            self.alarm.forget(op);
        }
        if op.has(OWN_OTHER) {
            other::let_go(op, |other| {
                let _ = sys::delete(self.epfd(), other);
            });
        }
        op.unmark(TIMED);
    }
}

impl Waker for Epoll {
    fn wake(&self) {
        self.wake_waiters();
    }

    fn start_steal_timer(&self) {
        self.alarm.tick();
    }
}

impl Standby for Epoll {
    type Broken = Errno;

    fn wait_for_call(&self, calls: &AtomicU32, deadline: Option<u64>) -> Result<()> {
        futex::wait(calls, 0, deadline)
    }

    fn wake_one(&self, calls: &AtomicU32) {
        futex::wake_one(calls);
    }
}

/// What a descriptor is to be watched for.
fn watched(attachment: &Locked) -> u32 {
    if attachment.is_output_watched() { WATCHED } else { WATCHED_INPUT }
}

/// Something has found that it has to wait for output: there will be an edge when it can go on, also if that is now.
fn watch_output(attachment: &Locked) {
    if attachment.is_output_watched()
        || attachment.class.get() == Class::Disk
        || attachment.class.get().is_polled_apart()
    {
        return;
    }
    attachment.set_output_watched(true);
    let modify = |pipe: &Pipe| {
        let word = Attachment::to_word(attachment);
        // Where it is not watched (another pipe; it was closed behind the library's back) nothing changes.
        let _ = sys::modify(pipe.engine().epfd(), attachment.fd(), WATCHED, word);
    };
    if attachment.has(SEVERAL_PIPES)
        && let Some(world) = table::world()
    {
        world.pipes.iter().filter(|pipe| pipe.is_in_use()).for_each(modify);
    } else if let Some(pipe) = attachment.pipe() {
        modify(pipe);
    }
}

impl Engine for Epoll {
    fn attach(&self, attachment: &Locked) -> Result<()> {
        if !self.is_whole() {
            return Err(Errno::EBADF);
        }
        class::classify(attachment)?;
        self.register(attachment, attachment.fd())
    }

    fn attach_again(&self, attachment: &Locked) -> Result<()> {
        if !self.is_whole() {
            return Err(Errno::EBADF);
        }
        class::begin_anew(attachment);
        self.register(attachment, attachment.fd())
    }

    fn detach(&self, attachment: &Locked) {
        if attachment.class.get() != Class::Disk {
            let _ = sys::delete(self.epfd(), attachment.fd());
        }
    }

    fn knows(&self, attachment: &Locked) -> bool {
        match attachment.class.get() {
            Class::Disk => class::is_same_disk(attachment),
            Class::Perf | Class::Special => nature::identity(attachment.fd()) == attachment.identity(),
            _ => sys::is_registered(self.epfd(), attachment.fd()),
        }
    }

    fn submit(&self, attachment: &Locked, op: OpRef, out: &Completions) {
        if op.kind.get() == Kind::Poll && polls::enter(attachment, op.arg.get() as i16) {
            // The kernel tells of what is there when it is looked into next.
            return attachment.unordered.push(op);
        }
        if attachment.has(LEVEL) {
            polls::leave(attachment);
        }
        match op.order() {
            Order::Input => run::submit_input(attachment, op, out),
            Order::Output => run::submit_output(attachment, op, out),
            Order::Unordered => {
                run::submit_unordered(attachment, op, out);
                run::let_go(attachment);
            }
        }
    }

    fn try_at_once(&self, attachment: &Locked, op: OpRef) -> Option<Result<usize>> {
        run::try_at_once(attachment, op)
    }

    fn limit(&self, attachment: &Locked, op: OpRef, time: u64) -> Result<()> {
        self.alarm.limit(Deadline { time, op, attachment: Attachment::to_word(attachment) })
    }

    fn is_past_time(&self) -> bool {
        self.alarm.has_expired()
    }

    fn expire_due(&self, out: &Completions) {
        self.expire(out);
    }

    fn proceed(&self, attachment: &Locked, out: &Completions) {
        run::input(attachment, out);
        run::output(attachment, out);
        run::let_go(attachment);
        if attachment.class.get().is_polled_apart()
            && attachment.is_idle()
            && let Some(world) = table::world()
        {
            // What nobody waits for is not looked at: it would be told to nobody.
            world.watchdog.forget_apart(attachment);
        }
    }
}
