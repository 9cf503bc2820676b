//! The short ways: what nearly every request of a busy server goes through, without anything that only rare cases need.
//!
//! Each does a whole step or nothing at all; when it says no, the general way is gone instead (`run`). They decide nothing
//! that the general way would decide differently. The caller holds the lock of the attachment, or is alone: then they lock
//! nothing (`solo`). Echo over TCP took 884 instructions a request before there were any (callgrind, 32 connections,
//! the program included).

use super::{NO_PROOF, class, run};
use crate::engine::attachment::{
    Class, Inside, Locked, ONE_READ, PARKABLE, QUIET, QUIET_INLINE, READABLE, WRITABLE,
};
use crate::engine::lane::LISTED;
use crate::engine::op::{Completion, MOST_BYTES, OpRef, Request};
use crate::engine::pipe::Pipe;
use crate::engine::sink::Sink;
use crate::engine::solo::Turn;
use crate::engine::{AtOnce, EIOEVENTQUEUED, submit};
use crate::sys::epoll::{EPOLLIN, Event as EpollEvent};
use crate::sys::{Errno, UserPtr, socket};
use core::ffi::c_int;

/// Parks a read of which it is known that it finds nothing.
#[inline(always)]
pub(super) fn read(turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> bool {
    if attachment.ready.get() & (READABLE | PARKABLE | QUIET_INLINE) != PARKABLE
        || !is_plain_length(len)
        || !attachment.attached_pipe().take_place_at_once(turn)
    {
        return false;
    }
    park(attachment, buf, len, 0);
    true
}

/// Parks a read that has its place. `inline`: QUIET_INLINE, if that is set.
#[inline(always)]
fn park(attachment: &Inside, buf: UserPtr, len: usize, inline: u8) {
    attachment.park(buf, len);
    attachment.ready.set(QUIET | inline | ONE_READ | WRITABLE);
}

/// Reads from a socket where something may be: its event goes into the thread's lane, if those of the descriptor do
/// (`comes_here`). If nothing is there, parks the read.
#[inline(always)]
pub(super) fn read_what_is_there(turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> bool {
    const BOTH: u8 = PARKABLE | READABLE;
    if attachment.ready.get() & (BOTH | QUIET_INLINE) != BOTH
        || !is_plain_length(len)
        || attachment.class.get() == Class::DatagramShut
        || !take_place_here(turn, attachment)
    {
        return false;
    }
    let n = socket::recv_plainly(attachment.fd.get(), buf, len);
    match Errno(-n as c_int) {
        _ if n >= 0 => {
            if is_drained(attachment, n as usize, len) {
                attachment.clear_ready(READABLE);
            }
            put(turn, attachment, Ok(n as usize));
        }
        Errno::EAGAIN => {
            class::found_nothing(attachment);
            park(attachment, buf, len, 0);
        }
        Errno::EINTR => {
            attachment.attached_pipe().give_places_at_once(turn, 1);
            return false;
        }
        // It may be gone from the socket with this.
        errno => put(turn, attachment, Err(errno)),
    }
    true
}

/// With IOEVENT_INLINE: reads what is there, or parks the read.
#[inline(always)]
pub(super) fn read_inline(turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
    const BOTH: u8 = PARKABLE | QUIET_INLINE;
    if attachment.ready.get() & BOTH != BOTH || !is_plain_length(len) {
        return AtOnce::Not;
    }
    let n = socket::recv_plainly(attachment.fd.get(), buf, len);
    if n >= 0 {
        let is_drained = is_drained(attachment, n as usize, len);
        attachment.ready.set(attachment.ready.get() & !READABLE | if is_drained { 0 } else { READABLE });
        return AtOnce::Done(Ok(n as usize));
    }
    match Errno(-n as c_int) {
        Errno::EAGAIN
            if attachment.class.get() != Class::DatagramShut
                && attachment.attached_pipe().take_place_at_once(turn) =>
        {
            class::found_nothing(attachment);
            park(attachment, buf, len, QUIET_INLINE);
            AtOnce::Done(Err(EIOEVENTQUEUED))
        }
        Errno::EAGAIN | Errno::EINTR => AtOnce::Not,
        errno => AtOnce::Done(Err(errno)),
    }
}

/// With IOEVENT_INLINE: sends a write that the socket takes whole.
#[inline(always)]
pub(super) fn write_inline(attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
    if !attachment.is_ready(QUIET_INLINE) || !is_plain_length(len) {
        return AtOnce::Not;
    }
    match socket::send_plainly(attachment.fd.get(), buf, len) {
        n if n == len as isize => AtOnce::Done(Ok(len)),
        n => AtOnce::Begun(n),
    }
}

/// Goes on with a write of which `write_inline` has made one try; the kernel has answered it with `sent`.
#[cold]
#[inline(never)]
pub(super) fn write_inline_begun(attachment: &Locked, buf: UserPtr, len: usize, sent: isize) -> AtOnce {
    let sent = usize::try_from(sent).map_err(|_| Errno(-sent as c_int));
    let is_message = !attachment.class.get().is_byte_stream();
    match sent {
        // What has moved nothing can as well be begun anew.
        Ok(0) | Err(Errno::EAGAIN | Errno::EINTR) => return AtOnce::Not,
        Ok(_) if is_message => return AtOnce::Done(sent),
        Err(_) => return AtOnce::Done(sent),
        Ok(_) => {}
    }
    let pipe = attachment.attached_pipe();
    let sink = Sink::of_thread(pipe);
    if pipe.take_places(1).is_err() {
        return AtOnce::Done(sent);
    }
    let Ok(op) = sink.take_free() else {
        pipe.give_places(1);
        return AtOnce::Done(sent);
    };
    begin_write(attachment, op, buf, len, sent, &sink);
    AtOnce::Done(Err(EIOEVENTQUEUED))
}

/// Whether a read proves that nothing is left; otherwise the socket is worth a try again. As `run` would remember it.
#[inline(always)]
fn is_drained(attachment: &Inside, n: usize, len: usize) -> bool {
    // More than 0 and less than `len`, which is not 0.
    n.wrapping_sub(1) < len - 1 && attachment.class.get() == Class::PlainTcp
}

/// Some bytes, and not more than the kernel moves at once.
#[inline(always)]
fn is_plain_length(len: usize) -> bool {
    len.wrapping_sub(1) < MOST_BYTES
}

/// Sends a write that the socket takes whole; its event goes into the thread's lane, if those of the descriptor do
/// (`comes_here`).
#[inline(always)]
pub(super) fn write(turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce {
    if attachment.ready.get() & (QUIET | QUIET_INLINE) != QUIET
        || !is_plain_length(len)
        || !take_place_here(turn, attachment)
    {
        return AtOnce::Not;
    }
    let sent = socket::send_plainly(attachment.fd.get(), buf, len);
    if sent != len as isize {
        return AtOnce::Begun(sent);
    }
    put(turn, attachment, Ok(len));
    AtOnce::Done(Err(EIOEVENTQUEUED))
}

/// Takes a place for an operation whose event can go into the thread's lane (`put`): those of the descriptor do, and there is a
/// node, for when the ring is closed or the socket does not take all.
#[inline(always)]
fn take_place_here(turn: Turn, attachment: &Inside) -> bool {
    let pipe = attachment.attached_pipe();
    let lane = attachment.newest_lane();
    pipe.is_my_lane(lane) && !pipe.lane(lane).stock().is_empty() && pipe.take_place_at_once(turn)
}

/// Puts the event of an operation with this result into the thread's lane, which is where those of the descriptor go, and which has
/// a node. (Pipe and lane are looked up anew: to keep them over the system call costs more.)
#[inline(always)]
fn put(turn: Turn, attachment: &Inside, result: Result<usize, Errno>) {
    let pipe = attachment.attached_pipe();
    let index = attachment.newest_lane();
    let Completion { value, errno } = result.into();
    if !pipe.lane(index).ring.has_room() {
        return put_into_list(attachment, index, value, errno);
    }
    let (number, is_first) = pipe.put_into_ring(turn, index, attachment.user.get(), value, errno);
    attachment.set_newest(index, number);
    // Nobody else sleeps while this thread is alone.
    if is_first && (turn == Turn::Shared || pipe.is_nonblock()) {
        announce(pipe, index);
    }
}

/// The same while the ring is closed.
#[cold]
#[inline(never)]
fn put_into_list(attachment: &Inside, index: u32, value: u32, errno: c_int) {
    let pipe = attachment.attached_pipe();
    let Some(op) = pipe.lane(index).stock().take_first() else { return };
    op.become_event(attachment.user.get(), value, errno);
    let (number, was_empty) = pipe.put(index, op);
    attachment.set_newest(index | LISTED, number);
    if was_empty {
        announce(pipe, index);
    }
}

#[inline(never)]
fn announce(pipe: &'static Pipe, index: u32) {
    pipe.announce(index);
}

/// Lets the events of the descriptor go into the thread's lane from now on, unless its newest is still in another, or the
/// thread has none.
#[inline(always)]
pub(super) fn comes_here(attachment: &Inside) {
    if !attachment.is_ready(QUIET) {
        return;
    }
    let pipe = attachment.attached_pipe();
    let place = u32::from(attachment.newest_place.get());
    if let Some(index) = pipe.find_lane_at_once()
        && attachment.newest_lane() != index
        && !pipe.holds(place, attachment.newest_number.get())
    {
        // There is none in the ring yet: as if it was the last one taken out.
        attachment.set_newest(index, pipe.lane(index).ring.taken().wrapping_sub(1));
    }
}

/// Goes on with a write of which `write` has made one try, and which has its place; the kernel has answered it with `sent`.
#[cold]
#[inline(never)]
pub(super) fn write_begun(attachment: &Locked, buf: UserPtr, len: usize, sent: isize) {
    let pipe = attachment.attached_pipe();
    // The node that `take_place_here` has seen: the lane still is this thread's, though it may have been marked absent
    // since, so that what follows goes into another.
    let Some(op) = pipe.lane(attachment.newest_lane()).stock().take_first() else { return };
    let sink = Sink::of_thread(pipe);
    let sent = usize::try_from(sent).map_err(|_| Errno(-sent as c_int));
    begin_write(attachment, op, buf, len, sent, &sink);
}

/// Goes on in the general way with a write that has its place and a node.
fn begin_write(
    attachment: &Locked,
    op: OpRef,
    buf: UserPtr,
    len: usize,
    sent: Result<usize, Errno>,
    sink: &Sink,
) {
    op.fill(&Request::write(buf, len), attachment.user.get(), sink.pipe.index());
    attachment.unsettle();
    let deadline = submit::deadline(attachment, 0);
    if deadline.is_some() {
        op.expect_deadline();
    }
    run::output_begun(attachment, op, sent, sink);
    if let Some(time) = deadline {
        submit::limit(attachment, &attachment.output, op, time, sink);
    }
    attachment.settle();
}

/// An edge, for this generation, of a socket on which one plain read waits, and nothing else: its event, if it is complete
/// and `may_have_event` has said that there can be one now. Otherwise nothing was done.
#[inline(always)]
pub(super) fn edge(
    attachment: &Inside,
    generation: u32,
    event: &EpollEvent,
    may_have_event: impl FnOnce(&Inside) -> bool,
) -> Option<crate::Event> {
    // A node that is not attached is not ready for anything.
    if attachment.generation.get() != generation
        || !attachment.is_ready(ONE_READ)
        || event.events & (EPOLLIN as u32 | NO_PROOF) != EPOLLIN as u32
        || !may_have_event(attachment)
    {
        return None;
    }
    let (buf, len) = attachment.parked();
    let n = socket::recv_plainly(attachment.fd.get(), buf, len);
    if n < 0 {
        return edge_has_failed(attachment, n);
    }
    let readable = if is_drained(attachment, n as usize, len) { 0 } else { READABLE };
    let inline = attachment.ready.get() & QUIET_INLINE;
    attachment.ready.set(QUIET | WRITABLE | PARKABLE | inline | readable);
    attachment.unpark();
    Some(crate::Event { user: attachment.user.get() as *mut _, result: n as c_int, errno: 0 })
}

/// The same where the read has failed with `-n`. An error that the kernel has told is delivered, since it may not tell
/// it again; if it only found nothing, nothing was done.
#[cold]
#[inline(never)]
fn edge_has_failed(attachment: &Inside, n: isize) -> Option<crate::Event> {
    let Errno(errno) = match Errno(-n as c_int) {
        Errno::EAGAIN | Errno::EINTR => return None,
        errno => errno,
    };
    let inline = attachment.ready.get() & QUIET_INLINE;
    attachment.ready.set(QUIET | WRITABLE | PARKABLE | inline | READABLE);
    attachment.unpark();
    Some(crate::Event { user: attachment.user.get() as *mut _, result: -1, errno })
}
