//! Carrying out what is queued on a descriptor, in its order, as far as it goes without waiting.

use super::attempt;
use super::blocking;
use super::connection;
use super::interest::watch_output;
use super::parked::{retry, watch_apart, watch_other};
use super::step::{Outcome, Step};
use super::transfer;
use crate::engine::completions::Completions;
use crate::engine::kept_errors::{first_to_try, keep_error, waits_for_nothing};
use crate::engine::{release, times};
use crate::queue::op::{
    AFTER_CONNECT, CONNECT_BEGUN, Completion, Fate, IN_KERNEL, Kind, OpRef, Order, TRIED,
};
use crate::state::attachment::{Locked, PAUSED_INPUT, PAUSED_OUTPUT, READABLE, WRITABLE};
use crate::state::file_class::Class;
use crate::state::{private, world};
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
        // The caller queues it then, and with that makes another try and does what else is to be done.
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
    if let Some(outcome) = blocking::work_on(attachment, op) {
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

/// What is to be done with an operation that comes back from a worker.
pub(crate) enum Worked {
    Completion(Completion),
    Wait,
    Again,
}

pub(crate) fn after_work(op: OpRef, outcome: Outcome) -> Worked {
    let completion = match outcome {
        Outcome::Done(r) => r.into(),
        // What was to end it while it was in the kernel ends it now (rule 4.8).
        _ if op.fate() == Fate::Cancelled => Completion::early(op, Errno::ECANCELED),
        Outcome::Gone => transfer::part_or(op, Errno::EBADF).into(),
        _ if times::is_late(op) => Completion::early(op, Errno::ETIMEDOUT),
        Outcome::Wait => return Worked::Wait,
        Outcome::Again => return Worked::Again,
    };
    Worked::Completion(completion)
}

fn take_outcome(attachment: &Locked, op: OpRef, outcome: Outcome, out: &Completions) {
    let completion = match after_work(op, outcome) {
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
pub(crate) const BEFORE_SYNC: u8 = AFTER_CONNECT;

/// Whether a sync has to wait for writes outside the order.
fn has_to_wait(attachment: &Locked, op: OpRef) -> bool {
    is_sync(op) && attachment.unordered.any(|other| is_positioned_write(other) && other.has(BEFORE_SYNC))
}

/// The library's own open file is kept only while it is needed (rule 4.4).
#[inline]
pub(crate) fn let_go(attachment: &Locked) {
    if attachment.class.get() == Class::Reopened
        && attachment.input.is_empty()
        && attachment.output.is_empty()
    {
        if let Some(own) = attachment.set_own_fd(None) {
            private::close(own);
        }
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

#[inline]
pub(crate) fn complete(attachment: &Locked, op: OpRef, r: Result<usize>, out: &Completions) {
    forget_accepted(attachment, op, r);
    out.complete(attachment, op, r.into());
}

/// The number of an accepted descriptor may be one whose attached descriptor was closed behind the library's back (rule
/// 4.4); if that is the listener's own, which is locked, the next call on it finds it out.
#[inline]
fn forget_accepted(attachment: &Locked, op: OpRef, r: Result<usize>) {
    if op.kind.get() != Kind::Accept {
        return;
    }
    if let Some(number) = r.ok().map(|number| number as i32).filter(|number| *number != attachment.fd()) {
        release::forget_stale_attachment(number);
    }
}

/// Goes on with operations that something other than the kernel has made possible.
pub(crate) fn resume(attachment: &Locked, out: &Completions) {
    input(attachment, out);
    output(attachment, out);
    let_go(attachment);
    if attachment.class.get().is_polled_apart() && attachment.is_idle() {
        if let Some(world) = world::world() {
            // What no operation waits for is not polled: it would be told to none.
            world.apart.remove(attachment, &world.watchdog);
        }
    }
}
