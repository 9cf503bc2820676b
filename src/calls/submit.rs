//! Queuing operations by the slow path, and taking them back.

use super::answer::Answer;
use super::fast_path::Way;
use super::places::take_places;
use crate::calls::lookup;
use crate::engine::completions::Completions;
use crate::engine::{Engine, limits, misuse, observed, times};
use crate::queue::counts::Count;
use crate::queue::op::{Completion, FROM_SOURCE, Fate, Kind, OpRef, Order, Request};
use crate::queue::op_list::Queue;
use crate::state::attachment::{Entry, INLINE, Locked, POLL_ONLY, TIME_LIMIT};
use crate::state::file_class::Class;
use crate::state::pipe::Pipe;
use crate::state::{handover, probes, world};
use crate::sys::{Errno, Result, UserPtr, observers, process, socket};
use core::ffi::c_int;

/// Queues an operation on the descriptor that C knows by this number.
#[inline(never)]
pub(crate) fn submit(fd: c_int, request: &Request, way: Way) -> Answer {
    match lookup::find(fd) {
        Some(attachment) => submit_to(&attachment, request, way),
        None => Answer::Libcs,
    }
}

/// Queues an operation on a descriptor.
#[inline(never)]
pub(crate) fn submit_to(attachment: &Locked, request: &Request, way: Way) -> Answer {
    let Some(pipe) = attachment.pipe() else { return Answer::Libcs };
    let is_libcs = way == Way::Call && attachment.has(POLL_ONLY) && request.kind != Kind::Poll;
    let answer = if is_libcs {
        Answer::Libcs
    } else {
        queue(attachment, request, way, &Completions::of_thread(pipe)).unwrap_or_else(Answer::Refused)
    };
    attachment.arm();
    answer
}

/// The same for what goes from one descriptor to another: it belongs to the destination if that is attached, else to
/// the source (rule 4.2).
pub(crate) fn submit_transfer(to: c_int, from: c_int, mut request: Request, way: Way) -> Answer {
    if matches!(lookup::get(to), Entry::Attachment(_)) {
        request.buf = UserPtr::number(from as u32 as usize);
        return submit(to, &request, way);
    }
    request.buf = UserPtr::number(to as u32 as usize);
    request.flags |= FROM_SOURCE;
    submit(from, &request, way)
}

/// Goes on with an output of which one try was made, and which has its place; the kernel has answered it with `sent`.
#[cold]
pub(crate) fn go_on(attachment: &Locked, request: &Request, sent: isize) -> Answer {
    attachment.disarm();
    let Some(pipe) = attachment.pipe() else { return Answer::Libcs };
    let out = Completions::of_thread(pipe);
    let sent = usize::try_from(sent).map_err(|_| Errno(-sent as c_int));
    let answer = match out.take_free() {
        Ok(op) => {
            begin_output(attachment, op, request, sent, &out);
            Answer::Queued
        }
        Err(enomem) if matches!(sent, Err(Errno::EAGAIN | Errno::EINTR)) => {
            pipe.queue.give_places(1);
            Answer::Refused(enomem)
        }
        // What has been moved, or the error, is all that it comes to; the ring has room for that, and needs no node.
        Err(_) => {
            let user = request.user.unwrap_or(attachment.user.get());
            out.count_queued(request.kind);
            probes::submit_slowly(attachment, user, request.kind);
            out.put_into_ring(attachment, user, sent.into());
            Answer::Queued
        }
    };
    attachment.arm();
    answer
}

/// The same with IOEVENT_INLINE, without a place. `None`: it can as well be begun anew.
#[cold]
pub(crate) fn go_on_inline(attachment: &Locked, request: &Request, sent: isize) -> Option<Answer> {
    let answer = go_on_inline_with(attachment, request, sent);
    if let (Some(Answer::Done(_)), Some(pipe)) = (&answer, attachment.pipe()) {
        Completions::of_thread(pipe).count(Count::Inline, 1);
    }
    answer
}

fn go_on_inline_with(attachment: &Locked, request: &Request, sent: isize) -> Option<Answer> {
    let is_message = !attachment.class.get().is_byte_stream();
    let part = match usize::try_from(sent) {
        Ok(0) => return None,
        Ok(_) if is_message => return Some(Answer::Done(sent)),
        Ok(part) => part,
        Err(_) => {
            let may_be_done_later = matches!(Errno(-sent as c_int), Errno::EAGAIN | Errno::EINTR);
            return if may_be_done_later { None } else { Some(Answer::Done(sent)) };
        }
    };
    attachment.disarm();
    let pipe = attachment.pipe()?;
    let out = Completions::of_thread(pipe);
    let answer = if take_places(pipe, 1).is_err() {
        Answer::Done(sent)
    } else if let Ok(op) = out.take_free() {
        begin_output(attachment, op, request, Ok(part), &out);
        Answer::Queued
    } else {
        pipe.queue.give_places(1);
        Answer::Done(sent)
    };
    attachment.arm();
    Some(answer)
}

/// Goes on with an output that has its place and a node.
fn begin_output(attachment: &Locked, op: OpRef, request: &Request, sent: Result<usize>, out: &Completions) {
    op.fill(request, attachment.user.get(), out.pipe.index());
    out.count_queued(request.kind);
    probes::submit_slowly(attachment, op.user.get(), request.kind);
    let deadline = deadline(attachment, request.timeout);
    if deadline.is_some() {
        op.expect_deadline();
    }
    out.pipe.engine().enqueue_begun(attachment, op, sent, out);
    if let Some(time) = deadline {
        limit(attachment, &attachment.output, op, time, out);
    }
}

/// An error says that nothing was scheduled.
fn queue(attachment: &Locked, request: &Request, way: Way, out: &Completions) -> Result<Answer> {
    let pipe = out.pipe;
    let deadline = deadline(attachment, request.timeout);
    let op = out.take_free()?;
    let is_inline = way == Way::Inline || (way == Way::Call && attachment.has(INLINE));
    if !is_inline {
        if let Err(full) = take_places(pipe, 1) {
            out.give_free(op);
            return Err(full);
        }
    }
    op.fill(request, attachment.user.get(), pipe.index());
    if observers::of_memory() {
        misuse::check_file(attachment, op, pipe);
        observed::begin(Some(attachment), op, pipe);
    }
    handover::hand_in(pipe, op.user.get());
    pipe.engine().learn(attachment, request.order());
    if is_inline {
        match at_once(attachment, op, out) {
            Ok(None) => {}
            answer => {
                if observers::of_memory() {
                    observed::end_at_once(op, &answer);
                }
                out.give_free(op);
                if answer.is_ok() {
                    out.count(Count::Inline, 1);
                }
                return answer.map(|result| result.map_or(Answer::Queued, Answer::Slow));
            }
        }
    }
    out.count_queued(request.kind);
    probes::submit_slowly(attachment, op.user.get(), request.kind);
    let queue = attachment.queue(request.order());
    if deadline.is_some() {
        op.expect_deadline();
    }
    pipe.engine().enqueue(attachment, op, out);
    if let Some(time) = deadline {
        limit(attachment, queue, op, time, out);
    }
    Ok(Answer::Queued)
}

/// IOEVENT_INLINE (rule 2.8): the result, if the operation can be finished at once; it needs no place. `None`: it has
/// taken one, and is to be queued. EIOEVENTFULL: it could not.
fn at_once(attachment: &Locked, op: OpRef, out: &Completions) -> Result<Option<Result<usize>>> {
    let engine = out.pipe.engine();
    // What cannot be taken back once it is begun needs its place before.
    let is_begun_for_good = (op.asks_for_connection() && socket::connects_in_steps(attachment.fd()))
        || (attachment.class.get() == Class::Deferred && op.order() == Order::Output);
    if is_begun_for_good {
        take_places(out.pipe, 1)?;
    }
    if let Some(result) = engine.attempt(attachment, op) {
        if is_begun_for_good {
            out.pipe.queue.give_places(1);
        }
        return Ok(Some(result));
    }
    if is_begun_for_good {
        return Ok(None);
    }
    let Err(full) = take_places(out.pipe, 1) else { return Ok(None) };
    attachment.assume_ready();
    let done = op.done.get() as usize;
    if done > 0 { Ok(Some(Ok(done))) } else { Err(full) }
}

/// When an operation with such a timeout (0: the descriptor's) is to end at the latest.
pub(crate) fn deadline(attachment: &Locked, timeout: u64) -> Option<u64> {
    let timeout = match timeout {
        0 if attachment.has(TIME_LIMIT) => limits::timeout(attachment.fd()),
        timeout => timeout,
    };
    (timeout > 0).then(|| after(timeout))
}

/// Sees to it that an operation, which has just been handed to the engine, ends in time, if it has to wait.
pub(crate) fn limit(attachment: &Locked, queue: &Queue, op: OpRef, time: u64, out: &Completions) {
    // A new operation that waits is the last of its queue.
    if !queue.last().is_some_and(|last| core::ptr::eq(last, op)) {
        return;
    }
    let Err(errno) = limits::limit_node(out.pipe, attachment, op, time) else { return };
    if op.may_be_ended() {
        queue.take_out(
            |other| core::ptr::eq(other, op),
            |op| out.complete(attachment, op, Completion::early(op, errno)),
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
    add_timer(*lookup::enter_own(pipefd)?, user, timeout)
}

/// The same on a pipe that stays open meanwhile.
pub(crate) fn add_timer(pipe: &'static Pipe, user: usize, timeout: u64) -> Result<()> {
    let out = Completions::of_thread(pipe);
    take_places(pipe, 1)?;
    let added = out.take_free().and_then(|op| {
        op.user.set(user);
        op.kind.set(Kind::Timer);
        op.flags.set(0);
        op.pipe.set(pipe.index());
        op.addr.set(UserPtr::NULL);
        handover::hand_in(pipe, user);
        if observers::of_memory() {
            observed::begin(None, op, pipe);
        }
        probes::submit_timer(pipe, user);
        times::add_timer(op, after(timeout), &out).inspect_err(|_| {
            if observers::of_memory() {
                observed::end(op);
            }
            out.give_free(op);
        })
    });
    match added {
        Ok(()) => out.count_queued(Kind::Timer),
        Err(_) => pipe.queue.give_places(1),
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
    /// The bits of a user pointer that do not count.
    pub(crate) marks: usize,
}

/// Ends operations of `fd` that are not finished; returns how many there were (rule 4.7).
pub(crate) fn cancel(fd: c_int, which: Which) -> Result<usize> {
    let found = if world::is_borrowed() { None } else { lookup::find(fd) };
    let Some(attachment) = found else {
        let pipe = lookup::enter_own(fd)?;
        if !pipe.is_whole() {
            return Err(Errno::EBADF);
        }
        return Ok(times::cancel_timers(which.user, &Completions::of_thread(&pipe)));
    };
    cancel_of(&attachment, which)
}

/// The same for a descriptor that is locked.
pub(crate) fn cancel_of(attachment: &Locked, which: Which) -> Result<usize> {
    let Some(pipe) = attachment.pipe() else { return Err(Errno::EINVAL) };
    let out = Completions::of_thread(pipe);
    let meant = |op: OpRef| which.user.is_none_or(|user| (user ^ op.user.get()) & !which.marks == 0);
    let mut ended = 0;
    if which.input {
        ended += end(attachment, &attachment.input, meant, &out);
    }
    if which.output {
        ended += end(attachment, &attachment.output, meant, &out);
    }
    let alone = |op: OpRef| {
        let its_direction = match op.kind.get() {
            Kind::Poll | Kind::Waitid => which.polls,
            Kind::Pwrite | Kind::Pwritev => which.output,
            _ => which.input,
        };
        meant(op) && its_direction
    };
    ended += end(attachment, &attachment.unordered, alone, &out);
    pipe.engine().resume(attachment, &out);
    attachment.arm();
    Ok(ended)
}

/// Ends the operations of a queue for which `pick` says true. One that the kernel is at work on is not counted, but
/// does not begin to wait for something else after that.
fn end(attachment: &Locked, queue: &Queue, pick: impl Fn(OpRef) -> bool, out: &Completions) -> usize {
    let mut ended = 0;
    let may_be_ended = |op: OpRef| {
        let picked = op.kind.get() != Kind::Kept && pick(op);
        let may_end = picked && out.pipe.engine().retract(op);
        if picked && !may_end {
            op.set_fate(Fate::Cancelled);
        }
        may_end
    };
    queue.take_out(may_be_ended, |op| {
        attachment.assume_ready();
        // One whose time is over has ended already, though no thread has harvested it.
        let is_late = times::is_late(op);
        let why = if is_late { Errno::ETIMEDOUT } else { Errno::ECANCELED };
        out.complete(attachment, op, Completion::early(op, why));
        ended += usize::from(!is_late);
    });
    ended
}
