//! Carrying out what is queued on a descriptor, in its order, as far as it goes without waiting.

use super::attempt::{self, Step};
use super::workers::{self, Outcome};
use super::{connection, other, sys, transfer, watch_output};
use crate::calls::attach;
use crate::engine::completions::Completions;
use crate::queue::op::{
    AFTER_CONNECT, CONNECT_BEGUN, Completion, Fate, IN_KERNEL, Kind, OWN_OTHER, OpRef, Order, TRIED,
};
use crate::queue::op_list::Queue;
use crate::state::attachment::{
    Attachment, Locked, OTHER_SIDE, PAUSED_INPUT, PAUSED_OUTPUT, READABLE, WRITABLE,
};
use crate::state::file_class::Class;
use crate::state::{private, table};
use crate::sys::{Errno, Result};

/// A new operation that reads.
pub(crate) fn submit_input(attachment: &Locked, op: OpRef, out: &Completions) {
    if connect_is_queued(attachment) {
        op.mark(AFTER_CONNECT);
    }
    let is_first = waits_for_nothing(&attachment.input) && !op.has(AFTER_CONNECT);
    attachment.input.push(op);
    if is_first {
        input(attachment, out);
        let_go(attachment);
    } else if is_transfer(op) {
        watch_other(attachment, op, out);
    }
}

/// A new operation that writes.
pub(crate) fn submit_output(attachment: &Locked, op: OpRef, out: &Completions) {
    if is_sync(op) {
        // It covers the writes before it, those outside the order too.
        attachment.unordered.any(|other| {
            if is_positioned_write(other) {
                other.mark(BEFORE_SYNC);
            }
            false
        });
    }
    let is_first = waits_for_nothing(&attachment.output);
    attachment.output.push(op);
    if is_first {
        output(attachment, out);
        let_go(attachment);
    } else if is_transfer(op) {
        watch_other(attachment, op, out);
    }
}

/// Goes on with a write of which one try has been made.
#[cold]
pub(crate) fn output_begun(attachment: &Locked, op: OpRef, r: Result<usize>, out: &Completions) {
    match r {
        Ok(n) if n > 0 && attachment.class.get().is_byte_stream() => {
            op.done.set(n as u32);
            submit_output(attachment, op, out);
        }
        Err(Errno::EAGAIN | Errno::EINTR) => submit_output(attachment, op, out),
        Err(Errno::EINPROGRESS | Errno::EALREADY) => {
            op.mark(CONNECT_BEGUN | TRIED);
            attachment.clear(WRITABLE);
            submit_output(attachment, op, out);
            watch_output(attachment);
        }
        r => out.complete(attachment, op, r.into()),
    }
}

/// A new operation outside the order.
pub(crate) fn submit_unordered(attachment: &Locked, op: OpRef, out: &Completions) {
    match attempt::unordered(attachment, op) {
        Step::Done(r) => complete(attachment, op, r, out),
        Step::Part(done, _) => complete(attachment, op, Ok(done), out),
        Step::Wait | Step::Retry => wait_unordered(attachment, op, out),
        Step::Work => {
            attachment.unordered.push(op);
            if let Some(outcome) = workers::work_on(attachment, op, out) {
                attachment.unordered.take_out(|other| core::ptr::eq(other, op), |_| {});
                worked_unordered(attachment, op, outcome, out);
            }
        }
    }
}

/// One try of an operation that is in no queue (rule 2.8). `None`: it cannot be finished now, or has to wait for
/// others; what it has moved so far is in `Op::done`.
pub(crate) fn try_at_once(attachment: &Locked, op: OpRef) -> Option<Result<usize>> {
    let step = match op.order() {
        Order::Input if !attachment.input.is_empty() || connect_is_queued(attachment) => return None,
        Order::Input => attempt::input(attachment, op),
        Order::Output if !attachment.output.is_empty() || has_to_wait(attachment, op) => return None,
        Order::Output => attempt::output(attachment, op),
        Order::Unordered => attempt::unordered(attachment, op),
    };
    let_go(attachment);
    match step {
        Step::Done(r) => {
            forget_accepted(attachment, op, r);
            return Some(r);
        }
        Step::Part(done, errno) => {
            keep_error(attachment, op.order(), errno);
            return Some(Ok(done));
        }
        // (What is polled apart is tried again when it is queued, and watched then.)
        Step::Wait if !is_transfer(op) && !attachment.class.get().is_polled_apart() => {
            op.mark(TRIED);
            match op.order() {
                Order::Input => attachment.clear(READABLE),
                Order::Output => {
                    attachment.clear(WRITABLE);
                    watch_output(attachment);
                }
                Order::Unordered => {}
            }
        }
        // Whoever queues it makes another try, and does what else is to be done then.
        Step::Wait | Step::Retry | Step::Work => {}
    }
    None
}

/// Goes on with what reads.
pub(crate) fn input(attachment: &Locked, out: &Completions) {
    while let Some(op) = first_to_try(attachment, &attachment.input, out) {
        if !is_worth_a_try(attachment, op, READABLE, PAUSED_INPUT)
            || (op.has(AFTER_CONNECT) && connect_is_queued(attachment))
        {
            return;
        }
        match attempt::input(attachment, op) {
            Step::Done(r) => {
                attachment.input.pop();
                complete(attachment, op, r, out);
            }
            Step::Part(done, errno) => {
                attachment.input.pop();
                keep_error(attachment, Order::Input, errno);
                complete(attachment, op, Ok(done), out);
            }
            step @ (Step::Wait | Step::Retry) => {
                attachment.clear(READABLE);
                op.mark(TRIED);
                if (is_transfer(op) && !watch_other(attachment, op, out))
                    || !watch_apart(attachment, op, libc::POLLIN, out)
                {
                    continue;
                }
                if matches!(step, Step::Retry) {
                    retry(attachment, op, PAUSED_INPUT, out);
                }
            }
            Step::Work => work(attachment, op, out),
        }
    }
}

/// Goes on with what writes.
pub(crate) fn output(attachment: &Locked, out: &Completions) {
    while let Some(op) = first_to_try(attachment, &attachment.output, out) {
        if !is_worth_a_try(attachment, op, WRITABLE, PAUSED_OUTPUT) || has_to_wait(attachment, op) {
            return;
        }
        let connects = connection::connects(op);
        let step = attempt::output(attachment, op);
        // Once there is a connection, what reads goes on.
        let is_connected = connects && (matches!(step, Step::Done(_)) || !connection::connects(op));
        match step {
            Step::Done(r) => {
                attachment.output.pop();
                complete(attachment, op, r, out);
            }
            Step::Part(done, errno) => {
                attachment.output.pop();
                keep_error(attachment, Order::Output, errno);
                complete(attachment, op, Ok(done), out);
            }
            Step::Work => work(attachment, op, out),
            step => not_yet_output(attachment, op, &step, out),
        }
        if is_connected {
            input(attachment, out);
        }
    }
}

/// Goes on with polls, for a descriptor of which the kernel has just said `events`. Some tell of a thing only once, and
/// not again when poll(2) asks; of the others it may be over by now, so they are asked again.
pub(crate) fn polls(attachment: &Locked, events: u32, out: &Completions) {
    let told = match attachment.class.get() {
        Class::File | Class::Special | Class::Perf => events as u16,
        _ => 0,
    };
    attachment.unordered.take_out(
        |op| op.kind.get() == Kind::Poll,
        |op| match told & attempt::polled_for(op) {
            0 => submit_unordered(attachment, op, out),
            told => complete(attachment, op, Ok(told.into()), out),
        },
    );
}

/// Whether a poll waits for some of these.
pub(crate) fn waits_for(attachment: &Locked, events: u32) -> bool {
    attachment.unordered.any(|op| op.kind.get() == Kind::Poll && attempt::polled_for(op) & events as u16 != 0)
}

/// An operation outside the order has found nothing and waits.
fn wait_unordered(attachment: &Locked, op: OpRef, out: &Completions) {
    attachment.unordered.push(op);
    let events = match op.kind.get() {
        Kind::Poll => op.arg.get() as i16,
        Kind::Pwrite | Kind::Pwritev => libc::POLLOUT,
        _ => libc::POLLIN,
    };
    if events as u32 & crate::engine::epoll::OUTPUT != 0 {
        watch_output(attachment);
    }
    watch_apart(attachment, op, events, out);
}

/// Has a descriptor that no engine watches polled apart, for an operation that waits in its queue; ends that if it
/// cannot be. False then.
fn watch_apart(attachment: &Locked, op: OpRef, events: i16, out: &Completions) -> bool {
    if !attachment.class.get().is_polled_apart() {
        return true;
    }
    let watched =
        table::world().map_or(Err(Errno::ENOMEM), |world| world.watchdog.poll_apart(attachment, events));
    let Err(errno) = watched else { return true };
    attachment.queue(op.order()).take_out(|other| core::ptr::eq(other, op), |_| {});
    out.complete(attachment, op, Completion::early(op, errno));
    false
}

/// A descriptor that is polled apart is ready for these. False if nobody waited for that.
pub(crate) fn told_apart(attachment: &Locked, events: i16, out: &Completions) -> bool {
    let is_asked_for =
        |op: OpRef| op.kind.get() != Kind::Poll || attempt::polled_for(op) & events as u16 != 0;
    let was_told = [&attachment.input, &attachment.output, &attachment.unordered]
        .iter()
        .any(|queue| !queue.is_empty() && queue.any(is_asked_for));
    polls(attachment, events as u16 as u32, out);
    attachment.mark(READABLE | WRITABLE);
    input(attachment, out);
    output(attachment, out);
    unordered(attachment, out);
    was_told
}

/// Goes on with what stands outside the order.
pub(crate) fn unordered(attachment: &Locked, out: &Completions) {
    let waiting = attachment.unordered.take();
    let mut is_awaited = false;
    while let Some(op) = waiting.pop() {
        if op.has(IN_KERNEL) {
            attachment.unordered.push(op);
        } else {
            is_awaited |= op.has(BEFORE_SYNC);
            submit_unordered(attachment, op, out);
        }
    }
    if is_awaited {
        output(attachment, out);
    }
}

/// Hands the first of its queue to a worker. Edges that come while that is at work set the bit again.
#[cold]
fn work(attachment: &Locked, op: OpRef, out: &Completions) {
    if is_transfer(op) {
        if op.order() == Order::Input {
            attachment.clear(READABLE);
        } else {
            attachment.clear(WRITABLE);
            watch_output(attachment);
        }
        if !watch_other(attachment, op, out) {
            return;
        }
    }
    if let Some(outcome) = workers::work_on(attachment, op, out) {
        take_outcome(attachment, op, outcome, out);
    }
}

/// A worker is done with the first of its queue.
pub(crate) fn worked(attachment: &Locked, op: OpRef, outcome: Outcome, out: &Completions) {
    take_outcome(attachment, op, outcome, out);
    input(attachment, out);
    output(attachment, out);
    let_go(attachment);
}

/// A worker is done with an operation outside the order, which is in no queue any more.
pub(crate) fn worked_unordered(attachment: &Locked, op: OpRef, outcome: Outcome, out: &Completions) {
    match after_work(op, outcome, out) {
        Worked::Completion(completion) => out.complete(attachment, op, completion),
        Worked::Wait => wait_unordered(attachment, op, out),
        Worked::Again => submit_unordered(attachment, op, out),
    }
    // A sync may have waited for it.
    output(attachment, out);
}

/// What is to be done with an operation that comes back from a worker.
enum Worked {
    Completion(Completion),
    Wait,
    Again,
}

fn after_work(op: OpRef, outcome: Outcome, out: &Completions) -> Worked {
    let completion = match outcome {
        Outcome::Done(r) => r.into(),
        // What was to end it while it was in the kernel ends it now (rule 4.8).
        _ if op.fate() == Fate::Cancelled => Completion::early(op, Errno::ECANCELED),
        Outcome::Gone => transfer::part_or(op, Errno::EBADF).into(),
        _ if out.pipe.is_late(op) => Completion::early(op, Errno::ETIMEDOUT),
        Outcome::Wait => return Worked::Wait,
        Outcome::Again => return Worked::Again,
    };
    Worked::Completion(completion)
}

fn take_outcome(attachment: &Locked, op: OpRef, outcome: Outcome, out: &Completions) {
    let completion = match after_work(op, outcome, out) {
        Worked::Completion(completion) => completion,
        Worked::Wait => return op.mark(TRIED),
        Worked::Again => return attachment.assume_ready(),
    };
    attachment.queue(op.order()).pop();
    out.complete(attachment, op, completion);
}

fn is_transfer(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Sendfile | Kind::Splice)
}

fn is_sync(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Fsync | Kind::Fdatasync)
}

fn is_positioned_write(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Pwrite | Kind::Pwritev)
}

/// On a pwrite: a sync that was queued after it waits for it. (The bit means something else for what reads.)
const BEFORE_SYNC: u8 = AFTER_CONNECT;

/// Whether a sync has to wait for writes outside the order.
fn has_to_wait(attachment: &Locked, op: OpRef) -> bool {
    is_sync(op) && attachment.unordered.any(|other| is_positioned_write(other) && other.has(BEFORE_SYNC))
}

/// Takes a descriptor of the library's own for the other side of a transfer that waits, and has it watched, too. If
/// there is no descriptor to be had for that, ends it and says false.
#[cold]
fn watch_other(attachment: &Locked, op: OpRef, out: &Completions) -> bool {
    if op.has(OWN_OTHER) {
        return true;
    }
    let watched = other::hold(op).and_then(|watched| {
        let (Some(other), Some(pipe)) = (watched, out.pipe.by_index(op.pipe.get())) else { return Ok(()) };
        let word = Attachment::to_word(attachment) | u64::from(OTHER_SIDE) << 32;
        match sys::add(pipe.engine().epfd(), other, crate::engine::epoll::WATCHED, word) {
            // It is always ready.
            Err(Errno::EPERM) => Ok(()),
            r => r,
        }
    });
    match watched {
        Ok(()) => true,
        Err(errno) => {
            attachment.queue(op.order()).take_out(|other| core::ptr::eq(other, op), |_| {});
            attachment.assume_ready();
            out.complete(attachment, op, Completion::early(op, errno));
            false
        }
    }
}

/// The library's own open file is kept only while it is needed (rule 4.4).
#[inline]
pub(crate) fn let_go(attachment: &Locked) {
    if attachment.class.get() == Class::Reopened
        && attachment.input.is_empty()
        && attachment.output.is_empty()
        && let Some(own) = attachment.set_own_fd(None)
    {
        private::close(own);
    }
}

fn connect_is_queued(attachment: &Locked) -> bool {
    attachment.output.any(connection::connects)
}

/// Whether the first operation of its direction may get on.
#[inline]
fn is_worth_a_try(attachment: &Locked, op: OpRef, ready: u16, paused: u16) -> bool {
    let class = attachment.class.get();
    !op.has(IN_KERNEL)
        && !attachment.has(paused)
        && (attachment.has(ready)
            || !(op.has(TRIED)
                || (class != Class::Disk
                    && !class.is_polled_apart()
                    && op.waits_like_others(class.is_socket()))))
}

#[cold]
fn not_yet_output(attachment: &Locked, op: OpRef, step: &Step, out: &Completions) {
    attachment.clear(WRITABLE);
    watch_output(attachment);
    op.mark(TRIED);
    if (is_transfer(op) && !watch_other(attachment, op, out))
        || !watch_apart(attachment, op, libc::POLLOUT, out)
    {
        return;
    }
    if matches!(step, Step::Retry) {
        retry(attachment, op, PAUSED_OUTPUT, out);
    }
}

/// Has the first of its queue tried again after a pause, whatever the kernel says; ends it if there is no memory for
/// that.
#[cold]
fn retry(attachment: &Locked, op: OpRef, side: u16, out: &Completions) {
    let alarm = &out.pipe.engine().alarm;
    attachment.mark(side);
    if let Err(errno) = alarm.retry(attachment.fd(), attachment.generation.get(), side, op) {
        attachment.queue(op.order()).pop();
        attachment.assume_ready();
        out.complete(attachment, op, Completion::early(op, errno));
    }
}

/// Whether a new operation is the first of its queue to be tried.
#[inline]
fn waits_for_nothing(queue: &Queue) -> bool {
    queue.first().is_none_or(|first| first.kind.get() == Kind::Kept)
}

/// The first operation of a queue. If an error is kept before it, that is its result, and it is the turn of the next
/// one.
#[inline]
fn first_to_try(attachment: &Locked, queue: &Queue, out: &Completions) -> Option<OpRef> {
    let first = queue.first()?;
    if first.kind.get() == Kind::Kept { after_kept_error(attachment, queue, out) } else { Some(first) }
}

#[cold]
fn after_kept_error(attachment: &Locked, queue: &Queue, out: &Completions) -> Option<OpRef> {
    let kept = queue.pop()?;
    let Some(op) = queue.pop() else {
        queue.push(kept);
        return None;
    };
    out.complete(attachment, op, Err(Errno(kept.arg.get())).into());
    attachment.give_kept(kept);
    queue.first()
}

/// Keeps an error, which the kernel has told and will not tell again, for the next operation of a direction. (Without
/// memory it is lost, as what comes next cannot be made then either.)
#[cold]
fn keep_error(attachment: &Locked, order: Order, errno: Errno) {
    if let Some(world) = table::world()
        && let Ok(kept) = world.ops.take()
    {
        kept.become_kept(errno.0);
        attachment.queue(order).push_front(kept);
    }
}

#[inline]
fn complete(attachment: &Locked, op: OpRef, r: Result<usize>, out: &Completions) {
    forget_accepted(attachment, op, r);
    out.complete(attachment, op, r.into());
}

/// The number of an accepted descriptor may be one whose attached descriptor was closed behind the library's back (rule
/// 4.4); if that is the listener's own, which is locked, the next call on it finds it out.
#[inline]
fn forget_accepted(attachment: &Locked, op: OpRef, r: Result<usize>) {
    if op.kind.get() == Kind::Accept
        && let Ok(number) = r
        && number as i32 != attachment.fd()
    {
        attach::forget_stale_attachment(number as i32);
    }
}
