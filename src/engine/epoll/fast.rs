//! The short ways: what nearly every request of a busy server goes through, without anything that only rare cases need.
//!
//! Each does a whole step or nothing at all; when it says false, the general way is gone instead (`run`). They decide
//! nothing that the general way would decide differently. What they save is in the figures of `make bench`.

use super::{Epoll, NO_PROOF, OUTPUT, run};
use crate::Event;
use crate::engine::attachment::{self, Class, Locked, READABLE, SEVERAL_PIPES, WRITABLE};
use crate::engine::op::{AFTER_CONNECT, Kind, MOST_BYTES, OpRef, Request};
use crate::engine::pipe::Pipe;
use crate::engine::sink::Sink;
use crate::sys::epoll::EPOLLIN;
use crate::sys::{Errno, UserPtr, socket};
use core::ffi::c_int;

/// Parks a read of which it is known that it finds nothing, in the node that the queue has kept for it.
#[inline(always)]
pub(super) fn read(attachment: &Locked, pipe: &'static Pipe, buf: UserPtr, len: usize) -> bool {
    let Some(spare) = attachment.input.spare() else { return false };
    if attachment.is_ready(READABLE) || !attachment.output.is_empty() || len == 0 || len > MOST_BYTES {
        return false;
    }
    if !pipe.take_place_at_once() {
        return false;
    }
    spare.user.set(attachment.user.get());
    spare.buf.set(buf);
    spare.done.set(0);
    spare.arg.set(0);
    spare.len.set(len as u32);
    attachment.input.use_spare(spare);
    true
}

/// Sends a write that the socket takes whole; its event goes into the thread's lane.
#[inline(always)]
pub(super) fn write(
    engine: &Epoll, attachment: &Locked, pipe: &'static Pipe, buf: UserPtr, len: usize,
) -> bool {
    if !attachment.is_ready(WRITABLE)
        || !attachment.class.get().is_socket()
        || !attachment.output.is_empty()
        || len > MOST_BYTES
    {
        return false;
    }
    let Some(lane) = pipe.find_lane_at_once() else { return false };
    if u32::from(attachment.newest_lane.get()) != lane {
        return false;
    }
    let Some(op) = pipe.lane(lane).stock().take_at_once() else { return false };
    if !pipe.take_place_at_once() {
        pipe.lane(lane).stock().give(op);
        return false;
    }
    let r = socket::send(attachment.fd.get(), buf, len, 0, UserPtr::NULL, 0);
    if r != Ok(len) {
        write_begun(engine, attachment, pipe, op, buf, len, r);
        return true;
    }
    op.user.set(attachment.user.get());
    op.done.set(len as u32);
    op.arg.set(0);
    op.kind.set(Kind::Write);
    let (number, was_empty) = pipe.put(lane, op);
    attachment.newest_number.set(number);
    if was_empty {
        pipe.announce(lane);
    }
    true
}

#[cold]
#[inline(never)]
fn write_begun(
    engine: &Epoll, attachment: &Locked, pipe: &'static Pipe, op: OpRef, buf: UserPtr, len: usize,
    r: Result<usize, Errno>,
) {
    let none = UserPtr::NULL;
    let request = Request { kind: Kind::Write, buf, len, addr: none, addrlen: none, arg: 0 };
    op.fill(&request, attachment.user.get(), pipe.index());
    run::output_begun(engine, attachment, op, r, &Sink::of_thread(pipe));
}

/// An edge of a socket on which one plain read waits, and nothing else. False: nothing was done.
#[inline(always)]
pub(super) fn edge(data: u64, events: u32, sink: &Sink) -> bool {
    let Some(attachment) = attachment::find_at_once(data as u32 as c_int) else { return false };
    if events & (EPOLLIN as u32 | NO_PROOF) != EPOLLIN as u32
        || attachment.generation.get() != (data >> 32) as u32
        || !attachment.class.get().is_socket()
        || !attachment.output.both_empty(&attachment.alone)
        || attachment.has(SEVERAL_PIPES)
        || sink.must_follow(&attachment)
    {
        return false;
    }
    let Some(op) = attachment.input.only() else { return false };
    let len = op.len.get() as usize;
    if op.kind.get() != Kind::Read || op.has(AFTER_CONNECT) || len == 0 || !sink.has_room() {
        return false;
    }
    let Ok(n) =
        socket::recv(attachment.fd.get(), op.buf.get(), len, 0, UserPtr::NULL, UserPtr::NULL)
    else {
        return false;
    };
    // What `run` would remember: that it is worth a try again, unless a short read proves that it is not.
    let drained = n > 0 && n < len && attachment.class.get() == Class::PlainTcp;
    let writable = if events & OUTPUT != 0 { WRITABLE } else { 0 };
    attachment.set_ready(if drained { writable } else { READABLE | writable });
    sink.write(Event { user: op.user.get() as *mut _, result: n as c_int, errno: 0 });
    attachment.input.keep_as_spare(op);
    true
}
