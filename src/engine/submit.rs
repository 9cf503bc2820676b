//! Queuing operations, and taking them back.

use super::attachment::{self, Locked};
use super::op::{Kind, OpRef, Queue, Request};
use super::sink::Sink;
use super::{EIOEVENTQUEUED, Engine, ending};
use super::{pipe, table};
use crate::sys::{Errno, Result, UserPtr, fd};
use core::ffi::c_int;

/// Queues a read, if that is a matter of a few stores. Otherwise nothing was done: use `submit`, after giving up the
/// lock that may come back.
#[inline(always)]
pub(crate) fn submit_read_at_once(
    fd: c_int,
    buf: UserPtr,
    len: usize,
) -> core::result::Result<(), Option<Locked>> {
    let attachment = attachment::find_quietly(fd)?;
    let pipe = attachment.attached_pipe();
    pipe.engine().submit_read_at_once(attachment, pipe, buf, len).map_err(Some)
}

/// Queues a write and carries it out, if it can be done whole. Otherwise as `submit_read_at_once`.
#[inline(always)]
pub(crate) fn submit_write_at_once(
    fd: c_int,
    buf: UserPtr,
    len: usize,
) -> core::result::Result<(), Option<Locked>> {
    let attachment = attachment::find_quietly(fd)?;
    let pipe = attachment.attached_pipe();
    pipe.engine().submit_write_at_once(attachment, pipe, buf, len).map_err(Some)
}

/// Queues an operation on `fd`. `None` if that is not attached; else what `errno` is to say: EIOEVENTQUEUED, or
/// EIOEVENTFULL or ENOMEM, and then nothing was scheduled.
#[inline(never)]
pub(crate) fn submit(fd: c_int, request: &Request) -> Option<Errno> {
    let attachment = attachment::find(fd)?;
    let pipe = attachment.pipe.get()?;
    if let Err(errno) = pipe.take_places(1) {
        return Some(errno);
    }
    match pipe.engine().submit(&attachment, request, &Sink::of_thread(pipe)) {
        Ok(()) => {
            attachment.settle();
            Some(EIOEVENTQUEUED)
        }
        Err(errno) => {
            pipe.give_places(1);
            Some(errno)
        }
    }
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
        if pipe::find(fd).is_some() {
            // It has no timers in this version.
            return Ok(0);
        }
        return Err(fd::unfit(fd));
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
    // Outside the order there are polls and, of what reads, urgent data and error reports.
    let alone = |op: OpRef| meant(op) && if op.kind.get() == Kind::Poll { which.polls } else { which.input };
    ended += end(&attachment, &attachment.alone, alone, &sink);
    pipe.engine().proceed(&attachment, &sink);
    attachment.settle();
    Ok(ended)
}

/// Ends the operations of a queue for which `pick` says true.
fn end(attachment: &Locked, queue: &Queue, pick: impl FnMut(OpRef) -> bool, sink: &Sink) -> usize {
    let mut ended = 0;
    queue.take_out(pick, |op| {
        sink.complete(attachment, op, ending(op, Errno::ECANCELED));
        ended += 1;
    });
    ended
}
