//! Carrying out what is queued on a descriptor, in its order, as far as it goes without waiting.

use super::Epoll;
use super::attempt::{self, Step};
use crate::engine::attach;
use crate::engine::attachment::{Class, Locked, READABLE, WRITABLE};
use crate::engine::op::{AFTER_CONNECT, Kind, OpRef, TRIED};
use crate::engine::sink::Sink;
use crate::sys::{Errno, Result, fd};

/// A new operation that reads.
pub(super) fn submit_input(attachment: &Locked, op: OpRef, sink: &Sink) {
    if let Some(spare) = attachment.input.take_spare() {
        sink.give_free(spare);
    }
    if connect_is_queued(attachment) {
        op.mark(AFTER_CONNECT);
    }
    let was_empty = attachment.input.is_empty();
    attachment.input.push(op);
    if was_empty {
        input(attachment, sink);
        let_go(attachment);
    }
}

/// A new operation that writes.
pub(super) fn submit_output(engine: &Epoll, attachment: &Locked, op: OpRef, sink: &Sink) {
    let was_empty = attachment.output.is_empty();
    attachment.output.push(op);
    if was_empty {
        output(engine, attachment, sink);
        let_go(attachment);
    }
}

/// Goes on with a write of which one try has been made.
#[cold]
pub(super) fn output_begun(engine: &Epoll, attachment: &Locked, op: OpRef, r: Result<usize>, sink: &Sink) {
    match r {
        Ok(n) if n > 0 && attachment.class.get().is_byte_stream() => {
            op.done.set(n as u32);
            submit_output(engine, attachment, op, sink);
        }
        Err(Errno::EAGAIN | Errno::EINTR) => submit_output(engine, attachment, op, sink),
        r => sink.complete(attachment, op, r),
    }
}

/// A new operation outside the order.
pub(super) fn submit_alone(attachment: &Locked, op: OpRef, sink: &Sink) {
    match attempt::alone(attachment, op) {
        Step::Done(r) => complete(attachment, op, r, sink),
        Step::Wait | Step::Retry => attachment.alone.push(op),
    }
}

/// Goes on with what reads.
pub(super) fn input(attachment: &Locked, sink: &Sink) {
    while let Some(op) = attachment.input.first() {
        if !is_worth_a_try(attachment, op, READABLE)
            || (op.has(AFTER_CONNECT) && connect_is_queued(attachment))
        {
            return;
        }
        match attempt::input(attachment, op) {
            Step::Done(r) => {
                attachment.input.pop();
                complete(attachment, op, r, sink);
            }
            Step::Wait | Step::Retry => not_yet_input(attachment, op),
        }
    }
}

/// Goes on with what writes.
pub(super) fn output(engine: &Epoll, attachment: &Locked, sink: &Sink) {
    while let Some(op) = attachment.output.first() {
        if !is_worth_a_try(attachment, op, WRITABLE) {
            return;
        }
        match attempt::output(attachment, op) {
            Step::Done(r) => {
                attachment.output.pop();
                let was_connect = op.kind.get() == Kind::Connect;
                complete(attachment, op, r, sink);
                if was_connect {
                    input(attachment, sink);
                }
            }
            step => not_yet_output(engine, attachment, op, &step),
        }
    }
}

/// Goes on with what stands outside the order.
pub(super) fn alone(attachment: &Locked, sink: &Sink) {
    let waiting = attachment.alone.take();
    while let Some(op) = waiting.pop() {
        submit_alone(attachment, op, sink);
    }
}

/// The library's own open file is kept only while it is needed (rule 4.4).
#[inline]
pub(super) fn let_go(attachment: &Locked) {
    if attachment.class.get() == Class::Reopened
        && attachment.input.is_empty()
        && attachment.output.is_empty()
        && let Some(own) = attachment.set_own_fd(None)
    {
        let _ = fd::close(own);
    }
}

fn connect_is_queued(attachment: &Locked) -> bool {
    attachment.output.any(|op| op.kind.get() == Kind::Connect)
}

/// Whether the first operation of its direction may get on.
#[inline]
fn is_worth_a_try(attachment: &Locked, op: OpRef, ready: u8) -> bool {
    attachment.is_ready(ready) || !(op.has(TRIED) || op.waits_like_others(attachment.class.get().is_socket()))
}

fn not_yet_input(attachment: &Locked, op: OpRef) {
    attachment.clear_ready(READABLE);
    op.mark(TRIED);
}

#[cold]
fn not_yet_output(engine: &Epoll, attachment: &Locked, op: OpRef, step: &Step) {
    attachment.clear_ready(WRITABLE);
    op.mark(TRIED);
    if matches!(step, Step::Retry) {
        engine.alarm.retry(attachment.fd.get(), attachment.generation.get());
    }
}

#[inline]
fn complete(attachment: &Locked, op: OpRef, r: Result<usize>, sink: &Sink) {
    if op.kind.get() == Kind::Accept
        && let Ok(number) = r
    {
        // The number may be one whose attached descriptor was closed behind the library's back (rule 4.4).
        attach::forget_stale_attachment(number as i32);
    }
    sink.complete(attachment, op, r);
}
