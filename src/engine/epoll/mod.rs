//! The epoll engine: descriptors are registered once, edge-triggered, and what cannot be done at once is parked.
//!
//! # Protocol
//!
//! READABLE and WRITABLE on an attachment mean "worth a try". A try that finds nothing clears the bit, and so does a
//! short read where that proves that nothing is left; from then on the kernel owes an edge for whatever comes. All of
//! it happens under the lock of the attachment: an edge that was taken from the kernel before the try but is handled
//! after it only causes one try more. An attachment begins with both bits set: nothing is known of it, and a call
//! that fails whatever comes (on a socket that is not connected, say) gets no edge. For the same reason an operation that
//! differs from those before it is tried once even while its bit is unset (`Op::waits_like_others`).
//!
//! A descriptor is watched for output from the first time on that something has to wait for that (`watch_output`). If it was
//! from the beginning, it would have an edge at once, since it can be written to, and with it a place among the ready
//! ones that it keeps: descriptors that become readable later would come in the order in which they were attached, instead of
//! that in which they became ready (rule 3.5).
//!
//! Edges carry the node of the attachment and its generation; one that is late, for a descriptor that is no more (its
//! open file may live on in a dup or a child), is ignored.
//!
//! The bell is an eventfd that always is readable, and the clock a timerfd; both are registered edge-triggered and
//! never read. To ring is to register the bell anew (EPOLL_CTL_MOD), which makes an edge. Each ring and each expiry is
//! an edge, taken by exactly one epoll_wait.
//!
//! A program may close the engine's descriptors, as one that it knows nothing of, and be given their numbers for files
//! of its own (rule 5.5). An entry of an epoll instance belongs to one number and one open file, so that the bell's
//! entry is there (`is_whole`) says of both numbers that they are what they were. It is asked for before they are
//! closed, and before a descriptor is attached; a call on the two together does nothing when one of them is another
//! file.

mod alarm;
mod attempt;
mod class;
mod connection;
mod deadlines;
mod disk;
mod fast;
pub(super) mod identity_locks;
mod iovec;
mod nonblock;
mod other;
pub(super) mod positions;
mod run;
mod timer_users;
mod transfer;
pub(super) mod workers;

use super::attachment::{
    self, Attachment, Class, Inside, Locked, OTHER_SIDE, PAUSED_INPUT, PAUSED_OUTPUT, READABLE,
    SEVERAL_PIPES, WRITABLE,
};
use super::op::{Completion, OWN_OTHER, OpRef, Order, TIMED};
use super::pipe::Pipe;
use super::sink::Sink;
use super::sleepers::Reserve;
use super::table;
use super::wake::Bell;
use super::{Alone, AtOnce, Engine, Heard, LookedAlone, Turn};
use crate::sys::epoll::{self as sys, Event};
use crate::sys::errno::Kept;
use crate::sys::{Errno, Result, UserPtr, fd, futex, needs, process};
use alarm::Alarm;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};
use deadlines::Deadline;

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

/// Data of the bell and of the clock; those of descriptors are never so small (`Attachment::to_word`).
const BELL: u64 = 0;
const CLOCK: u64 = 1;
/// Data of what keeps the engine's descriptor readable; it means nothing to a look.
const HOLD: u64 = sys::NOTHING;

/// The most edges taken from the kernel at a time. More would save hardly any calls, and what the kernel has of a connection
/// would be out of the processor's near caches when the program writes to it after having read from all the others (at a
/// thousand busy connections a request costs a tenth more with 64).
pub(crate) const BATCH: usize = 32;

/// The engine of one pipe. Its descriptors are -1 while the pipe is not in use.
pub(crate) struct Epoll {
    epfd: AtomicI32,
    bell: AtomicI32,
    alarm: Alarm,
}

impl Epoll {
    pub(crate) const fn new() -> Epoll {
        Epoll { epfd: AtomicI32::new(-1), bell: AtomicI32::new(-1), alarm: Alarm::new() }
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
        let bell = sys::readable_eventfd()?.move_out_of_the_way()?;
        let clock = sys::timerfd()?.move_out_of_the_way()?;
        sys::add(epfd.raw(), bell.raw(), sys::EPOLLET as u32, BELL)?;
        sys::add(epfd.raw(), clock.raw(), sys::EDGE, CLOCK)?;
        self.epfd.store(epfd.raw(), Relaxed);
        self.bell.store(bell.into_raw(), Relaxed);
        self.alarm.reset();
        self.alarm.open(clock.into_raw(), epfd.into_raw());
        Ok(public)
    }

    /// Closes those that still are the engine's; the program may have closed some and have files of its own there. No
    /// lock is taken: a forked child calls it too.
    pub(crate) fn close(&self) {
        let (epfd, bell, clock) =
            (self.epfd.swap(-1, Relaxed), self.bell.swap(-1, Relaxed), self.alarm.close());
        let others = [bell, clock].map(|fd| (fd, sys::is_registered(epfd, fd)));
        for (fd, _) in others.iter().filter(|(_, is_own)| *is_own) {
            let _ = fd::close(*fd);
        }
        if others.iter().any(|(_, is_own)| *is_own) {
            let _ = fd::close(epfd);
        }
    }

    /// Whether the descriptors still are the engine's (rule 5.5).
    pub(crate) fn is_whole(&self) -> bool {
        sys::is_registered(self.epfd(), self.bell.load(Relaxed))
    }

    /// The kernel has just given these numbers out, to others: what this engine had under them was closed behind its
    /// back.
    pub(crate) fn lose(&self, numbers: &[c_int]) {
        for own in [&self.epfd, &self.bell] {
            if numbers.contains(&own.load(Relaxed)) {
                own.store(-1, Relaxed);
            }
        }
        self.alarm.lose(numbers);
    }

    /// The numbers of its descriptors.
    pub(crate) fn numbers(&self) -> [c_int; 3] {
        [self.epfd(), self.bell.load(Relaxed), self.alarm.number()]
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
        sys::modify(self.epfd(), number, WATCHED, BELL) == Err(Errno::EINVAL)
    }

    /// Rings without regard to whether it has been heard: for closing.
    pub(crate) fn ring_all(&self) {
        sys::ring(self.epfd(), self.bell.load(Relaxed), BELL);
    }

    #[inline(always)]
    fn events(&self, events: &[Event], sink: &Sink, heard: &mut Heard) {
        for event in events {
            let done = Attachment::from_word(event.u64).and_then(|(node, generation)| {
                let may_have_event = |attachment: &Inside| sink.has_room() && !sink.must_follow(attachment);
                fast::edge(&node.lock_quietly(), generation, event, may_have_event)
            });
            match done {
                Some(event) => {
                    sink.write(event);
                }
                None => self.other_event(event, sink, heard),
            }
        }
    }

    #[inline(never)]
    fn other_event(&self, event: &Event, sink: &Sink, heard: &mut Heard) {
        let (data, bits) = (event.u64, event.events);
        match data {
            BELL => sink.pipe.wake.0.heard(),
            CLOCK => heard.tick |= self.clock(sink),
            HOLD => {}
            data => self.edge(data, bits, sink),
        }
    }

    /// One edge of the kernel's.
    fn edge(&self, data: u64, events: u32, sink: &Sink) {
        let Some((node, generation)) = Attachment::from_word(data) else { return };
        let attachment = node.lock();
        if attachment.fd.get() < 0 || attachment.generation.get() != generation & !OTHER_SIDE {
            return;
        }
        if generation & OTHER_SIDE == 0 {
            Self::edge_of(&attachment, events, sink);
        } else {
            attachment.set_ready(READABLE | WRITABLE);
            self.proceed(&attachment, sink);
        }
        attachment.settle();
    }

    fn edge_of(attachment: &Locked, events: u32, sink: &Sink) {
        if events & NO_PROOF != 0 {
            class::distrust(attachment);
            if events & sys::EPOLLRDHUP as u32 != 0 {
                connection::shut_reads(attachment);
            }
        }
        // First: after the reads there may be nothing left that polls could tell of.
        run::polls(attachment, events, sink);
        if events & INPUT != 0 {
            attachment.set_ready(READABLE);
            run::input(attachment, sink);
        }
        if events & OUTPUT != 0 {
            attachment.set_ready(WRITABLE);
            run::output(attachment, sink);
        }
        // After the reads: one with MSG_ERRQUEUE takes the error away that they would report.
        run::alone(attachment, sink);
        run::let_go(attachment);
    }

    fn clock(&self, sink: &Sink) -> bool {
        let tick = self.alarm.heard();
        self.expire(sink);
        while let Some(retry) = self.alarm.due_retry() {
            if let Some(attachment) = attachment::find(retry.number)
                && attachment.generation.get() == retry.generation
            {
                self.try_again(&attachment, retry.side, sink);
                attachment.settle();
            }
        }
        if self.alarm.is_sweep_due()
            && let Some(world) = table::world()
        {
            for node in (0..).map_while(|index| world.attachments.nth(index)) {
                let attachment = node.lock();
                if attachment.pipe.get().is_some_and(|pipe| core::ptr::eq(pipe, sink.pipe)) {
                    for side in [PAUSED_INPUT, PAUSED_OUTPUT] {
                        self.try_again(&attachment, side, sink);
                    }
                }
                attachment.settle();
            }
        }
        self.alarm.set_again();
        tick
    }

    /// One side of a descriptor has paused for long enough, if it has.
    fn try_again(&self, attachment: &Locked, side: u8, sink: &Sink) {
        let queue = if side == PAUSED_INPUT { &attachment.input } else { &attachment.output };
        // The bit is gone too where something else of the descriptor has made a try and given up again
        // (`assume_ready`).
        if attachment.is_ready(side) || !queue.is_empty() {
            attachment.clear_ready(side);
            attachment.assume_ready_for(side);
            self.proceed(attachment, sink);
        }
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
                class::make_disk(attachment, fd::identity(fd));
                Ok(())
            }
            r => r,
        }
    }

    /// Ends whatever has a deadline that has passed.
    fn expire(&self, sink: &Sink) {
        let mut first = false;
        while let Some(due) = self.alarm.expire(|timer| first |= sink.ready_timer(timer, Ok(0))) {
            self.end_late(due, sink);
        }
        if first {
            sink.announce_common();
        }
    }

    /// The time of an operation is over. It may be complete by now, and its node another's.
    fn end_late(&self, due: Deadline, sink: &Sink) {
        let Some((node, generation)) = Attachment::from_word(due.attachment) else { return };
        let attachment = node.lock();
        if attachment.fd.get() < 0 || attachment.generation.get() != generation {
            return;
        }
        for queue in [&attachment.input, &attachment.output, &attachment.alone] {
            let late = |op: OpRef| {
                core::ptr::eq(op, due.op)
                    && op.pipe.get() == sink.pipe.index()
                    && self.is_late(op)
                    && sink.pipe.may_end(op)
            };
            queue.take_out(late, |op| {
                attachment.assume_ready();
                sink.complete(&attachment, op, Completion::early(op, Errno::ETIMEDOUT));
            });
        }
        self.proceed(&attachment, sink);
        attachment.settle();
    }

    /// Whether the time of an operation of this pipe is over.
    pub(super) fn is_late(&self, op: OpRef) -> bool {
        op.has(TIMED) && self.alarm.is_over(op)
    }

    /// A timer of the pipe: an event at `time`.
    pub(super) fn add_timer(&self, op: OpRef, time: u64, sink: &Sink) -> Result<()> {
        self.alarm.limit(Deadline { time, op, attachment: 0 })?;
        if self.is_past_time() {
            self.look_at_clock(sink);
        }
        Ok(())
    }

    /// Ends the timers, or those with this user pointer; returns how many.
    pub(super) fn cancel_timers(&self, user: Option<usize>, sink: &Sink) -> usize {
        let (mut ended, mut first) = (0, false);
        // One whose time is over has expired, though nobody has harvested it.
        self.alarm.take_timers(user, process::now(), |op| {
            first |= sink.ready_timer(op, Err(Errno::ECANCELED));
            ended += 1;
        });
        if first {
            sink.announce_common();
        }
        ended
    }

    /// The pipe is being closed: forgets all deadlines, and hands the timers to `each`.
    pub(super) fn drop_timers(&self, each: impl FnMut(OpRef)) {
        self.alarm.take_timers(None, 0, each);
        self.alarm.reset();
    }

    /// A descriptor that is polled apart is ready for these. False if nobody waited for that.
    pub(super) fn told_apart(&self, attachment: &Locked, events: i16, sink: &Sink) -> bool {
        run::told_apart(attachment, events, sink)
    }

    /// Gives back what an operation holds beside its node.
    pub(super) fn release(&self, op: OpRef) {
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

impl Bell for Epoll {
    fn ring(&self) {
        self.ring_all();
    }

    fn start_clock(&self) {
        self.alarm.tick();
    }
}

impl Reserve for Epoll {
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
        let _ = sys::modify(pipe.engine().epfd(), attachment.fd.get(), WATCHED, word);
    };
    if attachment.has(SEVERAL_PIPES)
        && let Some(world) = table::world()
    {
        world.pipes.iter().filter(|pipe| pipe.is_in_use()).for_each(modify);
    } else if let Some(pipe) = attachment.pipe.get() {
        modify(pipe);
    }
}

impl Engine for Epoll {
    fn attach(&self, attachment: &Locked) -> Result<()> {
        if !self.is_whole() {
            return Err(Errno::EBADF);
        }
        class::classify(attachment)?;
        self.register(attachment, attachment.fd.get())
    }

    fn attach_again(&self, attachment: &Locked) -> Result<()> {
        if !self.is_whole() {
            return Err(Errno::EBADF);
        }
        class::begin_anew(attachment);
        self.register(attachment, attachment.fd.get())
    }

    fn detach(&self, attachment: &Locked) {
        if attachment.class.get() != Class::Disk {
            let _ = sys::delete(self.epfd(), attachment.fd.get());
        }
    }

    fn knows(&self, attachment: &Locked) -> bool {
        match attachment.class.get() {
            Class::Disk => class::is_same_disk(attachment),
            Class::Perf | Class::Special => fd::identity(attachment.fd.get()) == attachment.identity(),
            _ => sys::is_registered(self.epfd(), attachment.fd.get()),
        }
    }

    fn submit(&self, attachment: &Locked, op: OpRef, sink: &Sink) {
        match op.order() {
            Order::Input => run::submit_input(attachment, op, sink),
            Order::Output => run::submit_output(attachment, op, sink),
            Order::Alone => {
                run::submit_alone(attachment, op, sink);
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

    fn look_at_clock(&self, sink: &Sink) {
        self.expire(sink);
    }

    #[inline(always)]
    fn submit_read_at_once(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> bool {
        fast::read(turn, attachment, buf, len)
    }

    #[inline(always)]
    fn read_what_is_there(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> bool {
        fast::read_what_is_there(turn, attachment, buf, len)
    }

    #[inline(always)]
    fn submit_write_at_once(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
        fast::write(turn, attachment, buf, len)
    }

    #[inline(always)]
    fn come_here(&self, attachment: &Inside) {
        fast::comes_here(attachment);
    }

    fn write_begun(&self, attachment: &Locked, buf: UserPtr, len: usize, sent: isize) {
        fast::write_begun(attachment, buf, len, sent);
    }

    #[inline(always)]
    fn read_inline_at_once(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
        fast::read_inline(turn, attachment, buf, len)
    }

    #[inline(always)]
    fn write_inline_at_once(&self, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
        fast::write_inline(attachment, buf, len)
    }

    fn write_inline_begun(&self, attachment: &Locked, buf: UserPtr, len: usize, sent: isize) -> AtOnce {
        fast::write_inline_begun(attachment, buf, len, sent)
    }

    fn proceed(&self, attachment: &Locked, sink: &Sink) {
        run::input(attachment, sink);
        run::output(attachment, sink);
        run::let_go(attachment);
        if attachment.class.get().is_polled_apart()
            && attachment.is_idle()
            && let Some(world) = table::world()
        {
            // What nobody waits for is not looked at: it would be told to nobody.
            world.watch.forget_apart(attachment);
        }
    }

    #[inline]
    fn look(&self, sink: &Sink, most: usize, timeout: Option<u64>, woken: impl FnOnce()) -> Result<Heard> {
        let mut buffer = [const { MaybeUninit::<Event>::uninit() }; BATCH];
        let buffer = buffer.get_mut(..most.clamp(1, BATCH)).unwrap_or(&mut []);
        let events = sys::wait(self.epfd(), buffer, timeout);
        woken();
        let events = events?;
        let mut heard = Heard { count: events.len(), ..Heard::default() };
        self.events(events, sink, &mut heard);
        Ok(heard)
    }

    #[inline(always)]
    fn look_alone(
        &self,
        pipe: &'static Pipe,
        lane: u32,
        room: &mut [MaybeUninit<crate::Event>],
        alone: Alone,
    ) -> LookedAlone {
        drop(alone);
        let mut buffer = [const { MaybeUninit::<Event>::uninit() }; BATCH];
        let events = sys::wait(self.epfd(), &mut buffer, None);
        let Some(alone) = Alone::enter() else {
            pipe.wake.0.awake(Turn::Shared);
            return look_among_others(pipe, lane, room, 0, events);
        };
        pipe.wake.0.awake(Turn::Alone);
        let done = match events {
            Ok(events) => {
                let done = edges_alone(&alone, events, pipe, lane, room);
                if done == events.len() {
                    return LookedAlone::Alone(done, alone);
                }
                done
            }
            Err(_) => 0,
        };
        drop(alone);
        look_among_others(pipe, lane, room, done, events)
    }
}

/// Handles edges for which the short ways are good, each of which gives one event; returns how many there were before one that
/// is for the general ways.
#[inline(always)]
fn edges_alone(
    alone: &Alone,
    events: &[Event],
    pipe: &Pipe,
    lane: u32,
    room: &mut [MaybeUninit<crate::Event>],
) -> usize {
    let mut done = 0;
    for (event, slot) in events.iter().zip(room) {
        let Some((node, generation)) = Attachment::from_word(event.u64) else { break };
        let may_have_event = |attachment: &Inside| !pipe.must_follow(lane, attachment);
        let Some(completion) = fast::edge(node.inside_alone(alone), generation, event, may_have_event) else {
            break;
        };
        slot.write(completion);
        done += 1;
    }
    done
}

/// Goes on with what a wait has given, after the first `done` events, for a thread that is not alone any more.
#[cold]
#[inline(never)]
fn look_among_others(
    pipe: &'static Pipe,
    lane: u32,
    room: &mut [MaybeUninit<crate::Event>],
    done: usize,
    events: Result<&[Event]>,
) -> LookedAlone {
    let _errno = Kept::new();
    let events = match events {
        Ok(events) => events,
        Err(errno) => return LookedAlone::Among(0, Err(errno)),
    };
    let sink = Sink::of_harvest(pipe, lane);
    let room = room.get_mut(done..).unwrap_or(&mut []);
    let before = room.len();
    sink.set_room(room);
    let mut heard = Heard { count: events.len(), ..Heard::default() };
    pipe.engine().events(events.get(done..).unwrap_or(&[]), &sink, &mut heard);
    LookedAlone::Among(done + before - sink.take_room().len(), Ok(heard))
}
