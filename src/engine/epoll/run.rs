//! Carrying out what is queued on a descriptor, in its order, as far as it goes without waiting.

use super::Epoll;
use super::attempt::{self, Step};
use crate::engine::attach;
use crate::engine::attachment::{Class, Locked, READABLE, WRITABLE};
use crate::engine::op::{AFTER_CONNECT, Kind, OpRef, TRIED};
use crate::engine::sink::Sink;
use crate::sys::{Result, fd};

/// A new operation that reads.
#[inline]
pub(super) fn submit_input(attachment: &Locked, op: OpRef, sink: &Sink) {
    if !attachment.output.is_empty() && connect_is_queued(attachment) {
        op.mark(AFTER_CONNECT);
    }
    if attachment.input.is_empty() && !op.has(AFTER_CONNECT) && is_worth_a_try(attachment, op, READABLE) {
        match attempt::input(attachment, op) {
            Step::Done(r) => {
                complete(attachment, op, r, sink);
                return let_go(attachment);
            }
            Step::Wait | Step::Retry => not_yet_input(attachment, op),
        }
    }
    attachment.input.push(op);
}

/// A new operation that writes.
#[inline]
pub(super) fn submit_output(engine: &Epoll, attachment: &Locked, op: OpRef, sink: &Sink) {
    if attachment.output.is_empty() && is_worth_a_try(attachment, op, WRITABLE) {
        match attempt::output(attachment, op) {
            Step::Done(r) => {
                complete(attachment, op, r, sink);
                return let_go(attachment);
            }
            step => not_yet_output(engine, attachment, op, &step),
        }
    }
    attachment.output.push(op);
}

/// A new operation outside the order.
pub(super) fn submit_alone(attachment: &Locked, op: OpRef, sink: &Sink) {
    match attempt::alone(attachment, op) {
        Step::Done(r) => complete(attachment, op, r, sink),
        Step::Wait | Step::Retry => attachment.alone.push(op),
    }
}

/// Goes on with what reads.
#[inline]
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
#[inline]
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
#[inline]
pub(super) fn alone(attachment: &Locked, sink: &Sink) {
    if attachment.alone.is_empty() {
        return;
    }
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
    attachment.is_ready(ready)
        || !(op.has(TRIED) || op.waits_like_others(attachment.class.get().is_socket()))
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
        attach::forget_stale(number as i32);
    }
    sink.complete(attachment, op, r);
}
