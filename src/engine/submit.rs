//! Queuing operations, and taking them back.

use super::attachment::{
    self, Attachment, Class, INLINE, Inside, Locked, POLL_ONLY, QUIET_INLINE, TIME_LIMIT,
};
use super::epoll::Epoll;
use super::op::{Completion, FROM_SOURCE, Fate, Kind, OpRef, Order, Queue, Request};
use super::sink::Sink;
use super::solo::Turn;
use super::table::{self, Entry};
use super::visit::{self, Alone};
use super::{AtOnce, EIOEVENTQUEUED, Engine, pipe};
use crate::sys::{Errno, Result, UserPtr, process, socket};
use core::ffi::c_int;

/// What `read_alone` has come to.
pub(crate) enum Queued {
    /// Nothing was done: use `read_quickly`.
    Not,
    /// It is queued.
    Done,
    /// It has IOEVENT_INLINE: use `read_inline_alone`.
    Inline(Alone, &'static Attachment),
}

/// Queues a read, if the thread is alone and that is a matter of a few stores.
#[inline(always)]
pub(crate) fn read_alone(fd: c_int, buf: UserPtr, len: usize) -> Queued {
    let Some((node, alone)) = find_alone(fd) else { return Queued::Not };
    let attachment = node.inside_alone(&alone);
    if engine_of(attachment).submit_read_at_once(Turn::Alone, attachment, buf, len) {
        Queued::Done
    } else if attachment.is_ready(QUIET_INLINE) {
        Queued::Inline(alone, node)
    } else {
        Queued::Not
    }
}

/// Goes on with a read for which `read_alone` has found IOEVENT_INLINE: it is finished, or queued, with next to no work, or nothing
/// was done.
#[inline(always)]
pub(crate) fn read_inline_alone(alone: Alone, node: &'static Attachment, buf: UserPtr, len: usize) -> AtOnce {
    let attachment = node.inside_alone(&alone);
    engine_of(attachment).read_inline_at_once(Turn::Alone, attachment, buf, len)
}

/// What `write_alone` has come to.
pub(crate) enum Written {
    /// Nothing was done: use `write_quickly`.
    Not,
    /// It is done, and its event there.
    Whole,
    /// The kernel's answer was something else: use `write_begun_alone`.
    Begun(Alone, &'static Attachment, isize),
    /// It has IOEVENT_INLINE: use `write_inline_alone`.
    Inline(Alone, &'static Attachment),
}

/// Queues a write and carries it out, if the thread is alone and it can be done whole.
#[inline(always)]
pub(crate) fn write_alone(fd: c_int, buf: UserPtr, len: usize) -> Written {
    let Some((node, alone)) = find_alone(fd) else { return Written::Not };
    let attachment = node.inside_alone(&alone);
    match engine_of(attachment).submit_write_at_once(Turn::Alone, attachment, buf, len) {
        AtOnce::Not if attachment.is_ready(QUIET_INLINE) => Written::Inline(alone, node),
        AtOnce::Not => Written::Not,
        AtOnce::Done(_) => Written::Whole,
        AtOnce::Begun(sent) => Written::Begun(alone, node, sent),
    }
}

/// Goes on with a write for which `write_alone` has found IOEVENT_INLINE. It is never `Begun`.
#[inline(always)]
pub(crate) fn write_inline_alone(
    alone: Alone,
    node: &'static Attachment,
    buf: UserPtr,
    len: usize,
) -> AtOnce {
    let attachment = node.inside_alone(&alone);
    match engine_of(attachment).write_inline_at_once(attachment, buf, len) {
        AtOnce::Begun(sent) => Begun::Inline(sent).go_on(&node.lock_among_others(alone), buf, len),
        answer => answer,
    }
}

/// Goes on with what `write_alone` has begun.
pub(crate) fn write_begun_alone(
    alone: Alone,
    node: &'static Attachment,
    buf: UserPtr,
    len: usize,
    sent: isize,
) {
    let attachment = node.lock_among_others(alone);
    engine_of(&attachment).write_begun(&attachment, buf, len, sent);
}

/// The attachment of `fd`, if it has one, for a thread that is alone.
#[inline(always)]
fn find_alone(fd: c_int) -> Option<(&'static Attachment, Alone)> {
    let Entry::Attachment(node) = table::at_once(fd) else { return None };
    let alone = Alone::enter()?;
    // It may have been detached before the thread was alone.
    (node.inside_alone(&alone).fd.get() == fd).then_some((node, alone))
}

/// The same for a thread that locks; nor if somebody else has the lock.
#[inline(always)]
fn find_locked(fd: c_int) -> Option<Locked> {
    let Entry::Attachment(node) = table::at_once(fd) else { return None };
    let attachment = node.try_lock_quietly()?;
    (attachment.fd.get() == fd).then_some(attachment)
}

/// A read by the short ways that `read_alone` leaves: where something may be there, those of IOEVENT_INLINE, and all of them with
/// locks.
#[inline(always)]
pub(crate) fn read_quickly(fd: c_int, buf: UserPtr, len: usize) -> AtOnce {
    if visit::is_shared() {
        let Some(attachment) = find_locked(fd) else { return AtOnce::Not };
        if engine_of(&attachment).submit_read_at_once(Turn::Shared, &attachment, buf, len) {
            return AtOnce::Done(Err(EIOEVENTQUEUED));
        }
        return read_from(Turn::Shared, &attachment, buf, len);
    }
    let Some((node, alone)) = find_alone(fd) else { return AtOnce::Not };
    read_from(Turn::Alone, node.inside_alone(&alone), buf, len)
}

#[inline(always)]
fn read_from(turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
    let engine = engine_of(attachment);
    engine.come_here(attachment);
    if engine.read_what_is_there(turn, attachment, buf, len) {
        return AtOnce::Done(Err(EIOEVENTQUEUED));
    }
    engine.read_inline_at_once(turn, attachment, buf, len)
}

/// The same for a write, and for those whose events have not come to the thread's ring yet. It is never `Begun`.
#[inline(always)]
pub(crate) fn write_quickly(fd: c_int, buf: UserPtr, len: usize) -> AtOnce {
    if visit::is_shared() {
        let Some(attachment) = find_locked(fd) else { return AtOnce::Not };
        return write_to(Turn::Shared, &attachment, buf, len)
            .unwrap_or_else(|begun| begun.go_on(&attachment, buf, len));
    }
    let Some((node, alone)) = find_alone(fd) else { return AtOnce::Not };
    write_to(Turn::Alone, node.inside_alone(&alone), buf, len)
        .unwrap_or_else(|begun| begun.go_on(&node.lock_among_others(alone), buf, len))
}

/// A write of which one try was made; the kernel's answer.
enum Begun {
    Queued(isize),
    Inline(isize),
}

impl Begun {
    #[cold]
    fn go_on(self, attachment: &Locked, buf: UserPtr, len: usize) -> AtOnce {
        match self {
            Begun::Queued(sent) => {
                engine_of(attachment).write_begun(attachment, buf, len, sent);
                AtOnce::Done(Err(EIOEVENTQUEUED))
            }
            Begun::Inline(sent) => engine_of(attachment).write_inline_begun(attachment, buf, len, sent),
        }
    }
}

#[inline(always)]
fn write_to(
    turn: Turn,
    attachment: &Inside,
    buf: UserPtr,
    len: usize,
) -> core::result::Result<AtOnce, Begun> {
    let engine = engine_of(attachment);
    engine.come_here(attachment);
    match engine.submit_write_at_once(turn, attachment, buf, len) {
        AtOnce::Done(answer) => return Ok(AtOnce::Done(answer)),
        AtOnce::Begun(sent) => return Err(Begun::Queued(sent)),
        AtOnce::Not => {}
    }
    match engine.write_inline_at_once(attachment, buf, len) {
        AtOnce::Begun(sent) => Err(Begun::Inline(sent)),
        answer => Ok(answer),
    }
}

#[inline(always)]
fn engine_of(attachment: &Inside) -> &'static Epoll {
    attachment.attached_pipe().engine()
}

/// How an operation is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the call of its name, to which the modes of the descriptor apply.
    Call,
    /// By `ioevent_submit`: it always ends in an event.
    Submit,
}

/// Queues an operation on `fd`. `None`: it is libc's. Else what the call gives: EIOEVENTQUEUED; a result of its own, where
/// the descriptor has IOEVENT_INLINE; EIOEVENTFULL or ENOMEM, and then nothing was scheduled.
#[inline(never)]
pub(crate) fn submit(fd: c_int, request: &Request, way: Way) -> Option<Result<usize>> {
    let attachment = attachment::find(fd)?;
    let pipe = attachment.pipe.get()?;
    let is_libcs = way == Way::Call && attachment.has(POLL_ONLY) && request.kind != Kind::Poll;
    let answer = if is_libcs { None } else { Some(queue(&attachment, request, way, &Sink::of_thread(pipe))) };
    attachment.settle();
    answer
}

/// The same for what goes from one descriptor to another: it belongs to the destination if that is attached, else to the
/// source (rule 4.2).
pub(crate) fn submit_transfer(
    to: c_int,
    from: c_int,
    mut request: Request,
    way: Way,
) -> Option<Result<usize>> {
    if matches!(table::get(to), Entry::Attachment(_)) {
        request.buf = UserPtr::number(from as u32 as usize);
        return submit(to, &request, way);
    }
    request.buf = UserPtr::number(to as u32 as usize);
    request.flags |= FROM_SOURCE;
    submit(from, &request, way)
}

fn queue(attachment: &Locked, request: &Request, way: Way, sink: &Sink) -> Result<usize> {
    let pipe = sink.pipe;
    let deadline = deadline(attachment, request.timeout);
    let op = sink.take_free()?;
    op.fill(request, attachment.user.get(), pipe.index());
    pipe.hand_in(op.user.get());
    if way == Way::Call && attachment.has(INLINE) {
        if let Some(result) = at_once(attachment, op, sink) {
            sink.give_free(op);
            return result;
        }
    } else if let Err(full) = pipe.take_places(1) {
        sink.give_free(op);
        return Err(full);
    }
    let queue = attachment.queue(request.order());
    if deadline.is_some() {
        op.expect_deadline();
    }
    pipe.engine().submit(attachment, op, sink);
    if let Some(time) = deadline {
        limit(attachment, queue, op, time, sink);
    }
    Err(EIOEVENTQUEUED)
}

/// IOEVENT_INLINE (rule 2.8): the result, if the operation can be finished at once; it needs no place. `None`: it has taken
/// one, and is to be queued.
fn at_once(attachment: &Locked, op: OpRef, sink: &Sink) -> Option<Result<usize>> {
    let engine = sink.pipe.engine();
    // What cannot be taken back once it is begun needs its place before.
    let is_begun_for_good = (op.asks_for_connection() && socket::connects_in_steps(attachment.fd.get()))
        || (attachment.class.get() == Class::Deferred && op.order() == Order::Output);
    if is_begun_for_good && let Err(full) = sink.pipe.take_places(1) {
        return Some(Err(full));
    }
    if let Some(result) = engine.try_at_once(attachment, op) {
        if is_begun_for_good {
            sink.pipe.give_places(1);
        }
        return Some(result);
    }
    if !is_begun_for_good && let Err(full) = sink.pipe.take_places(1) {
        attachment.assume_ready();
        let done = op.done.get() as usize;
        return Some(if done > 0 { Ok(done) } else { Err(full) });
    }
    None
}

/// When an operation with such a timeout (0: the descriptor's) is to end at the latest.
pub(super) fn deadline(attachment: &Locked, timeout: u64) -> Option<u64> {
    let timeout = match timeout {
        0 if attachment.has(TIME_LIMIT) => table::timeout(attachment.fd.get()),
        timeout => timeout,
    };
    (timeout > 0).then(|| after(timeout))
}

/// Sees to it that an operation, which has just been handed to the engine, ends in time, if it has to wait.
pub(super) fn limit(attachment: &Locked, queue: &Queue, op: OpRef, time: u64, sink: &Sink) {
    // A new operation that waits is the last of its queue.
    if queue.last().is_some_and(|last| core::ptr::eq(last, op))
        && let Err(errno) = sink.pipe.engine().limit(attachment, op, time)
        && op.may_be_ended()
    {
        queue.take_out(
            |other| core::ptr::eq(other, op),
            |op| sink.complete(attachment, op, Completion::early(op, errno)),
        );
    }
}

/// So many nanoseconds from now.
fn after(timeout: u64) -> u64 {
    // The largest number of all means "never".
    process::now().saturating_add(timeout).min(u64::MAX - 1)
}

/// IOEVENT_OP_TIMER: an event on the pipe, `timeout` nanoseconds from now (rule 2.12).
pub(crate) fn submit_timer(pipefd: c_int, user: usize, timeout: u64) -> Result<()> {
    let pipe = pipe::enter_own(pipefd)?;
    let sink = Sink::of_thread(&pipe);
    pipe.take_places(1)?;
    let added = sink.take_free().and_then(|op| {
        op.user.set(user);
        op.kind.set(Kind::Timer);
        op.flags.set(0);
        op.pipe.set(pipe.index());
        pipe.hand_in(user);
        pipe.engine().add_timer(op, after(timeout), &sink).inspect_err(|_| sink.give_free(op))
    });
    if added.is_err() {
        pipe.give_places(1);
    }
    added
}

/// Which operations to end.
#[derive(Clone, Copy)]
pub(crate) struct Which {
    pub(crate) input: bool,
    pub(crate) output: bool,
    pub(crate) polls: bool,
    /// Only those with this user pointer.
    pub(crate) user: Option<usize>,
}

/// Ends operations of `fd` that are not finished; returns how many there were (rule 4.7).
pub(crate) fn cancel(fd: c_int, which: Which) -> Result<usize> {
    let found = if table::is_borrowed() { None } else { attachment::find(fd) };
    let Some(attachment) = found else {
        let pipe = pipe::enter_own(fd)?;
        if !pipe.is_whole() {
            return Err(Errno::EBADF);
        }
        return Ok(pipe.engine().cancel_timers(which.user, &Sink::of_thread(&pipe)));
    };
    let Some(pipe) = attachment.pipe.get() else { return Err(Errno::EINVAL) };
    let sink = Sink::of_thread(pipe);
    let meant = |op: OpRef| which.user.is_none_or(|user| user == op.user.get());
    let mut ended = 0;
    if which.input {
        ended += end(&attachment, &attachment.input, meant, &sink);
    }
    if which.output {
        ended += end(&attachment, &attachment.output, meant, &sink);
    }
    let alone = |op: OpRef| {
        let its_direction = match op.kind.get() {
            Kind::Poll | Kind::Waitid => which.polls,
            Kind::Pwrite | Kind::Pwritev => which.output,
            _ => which.input,
        };
        meant(op) && its_direction
    };
    ended += end(&attachment, &attachment.alone, alone, &sink);
    pipe.engine().proceed(&attachment, &sink);
    attachment.settle();
    Ok(ended)
}

/// Ends the operations of a queue for which `pick` says true. One that the kernel is at work on is not counted, but does
/// not begin to wait for something else after that.
fn end(attachment: &Locked, queue: &Queue, pick: impl Fn(OpRef) -> bool, sink: &Sink) -> usize {
    let mut ended = 0;
    let may_be_ended = |op: OpRef| {
        let picked = op.kind.get() != Kind::Kept && pick(op);
        let may_end = picked && sink.pipe.may_end(op);
        if picked && !may_end {
            op.set_fate(Fate::Cancelled);
        }
        may_end
    };
    queue.take_out(may_be_ended, |op| {
        attachment.assume_ready();
        // One whose time is over has ended already, though nobody has harvested it.
        let is_late = sink.pipe.is_late(op);
        let why = if is_late { Errno::ETIMEDOUT } else { Errno::ECANCELED };
        sink.complete(attachment, op, Completion::early(op, why));
        ended += usize::from(!is_late);
    });
    ended
}
