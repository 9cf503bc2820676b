//! The short ways: what nearly every request of a busy server goes through, without anything that only rare cases need.
//!
//! Each does a whole step or nothing at all; when it says no, the general way is gone instead (`run`). They decide nothing
//! that the general way would decide differently. Echo over TCP takes 321 instructions a request with them; before there
//! were any it took 884 (callgrind, 32 connections, the program included).

use super::{NO_PROOF, run};
use crate::engine::EIOEVENTQUEUED;
use crate::engine::attachment::{
    Attachment, Class, Locked, ONE_READ, PARKABLE, QUIET, QUIET_INLINE, READABLE, READS_SHUT, WRITABLE,
};
use crate::engine::lane::Lane;
use crate::engine::op::{MOST_BYTES, OpRef, Request};
use crate::engine::pipe::Pipe;
use crate::engine::sink::Sink;
use crate::engine::submit;
use crate::sys::epoll::{EPOLLIN, Event as EpollEvent};
use crate::sys::{Errno, UserPtr, socket};
use core::ffi::c_int;

/// Parks a read of which it is known that it finds nothing.
#[inline(always)]
pub(super) fn read(attachment: Locked, pipe: &'static Pipe, buf: UserPtr, len: usize) -> Result<(), Locked> {
    if attachment.ready.get() & (READABLE | PARKABLE | QUIET_INLINE) != PARKABLE
        || !is_plain_length(len)
        || !pipe.take_place_at_once()
    {
        return Err(attachment);
    }
    attachment.park(buf, len);
    attachment.ready.set(QUIET | ONE_READ | WRITABLE);
    Ok(())
}

/// With IOEVENT_INLINE: reads what is there, or parks the read.
#[inline(always)]
pub(super) fn read_inline(
    attachment: Locked,
    pipe: &'static Pipe,
    buf: UserPtr,
    len: usize,
) -> core::result::Result<Result<usize, Errno>, Locked> {
    const BOTH: u8 = PARKABLE | QUIET_INLINE;
    if attachment.ready.get() & BOTH != BOTH || !is_plain_length(len) {
        return Err(attachment);
    }
    let n = socket::recv_plainly(attachment.fd.get(), buf, len);
    if n >= 0 {
        let is_drained = is_drained(&attachment, n as usize, len);
        attachment.ready.set(attachment.ready.get() & !READABLE | if is_drained { 0 } else { READABLE });
        return Ok(Ok(n as usize));
    }
    match Errno(-n as c_int) {
        Errno::EAGAIN if !attachment.has(READS_SHUT) && pipe.take_place_at_once() => {
            attachment.park(buf, len);
            attachment.ready.set(QUIET | QUIET_INLINE | ONE_READ | WRITABLE);
            Ok(Err(EIOEVENTQUEUED))
        }
        Errno::EAGAIN | Errno::EINTR => Err(attachment),
        errno => Ok(Err(errno)),
    }
}

/// With IOEVENT_INLINE: sends a write that the socket takes whole.
#[inline(always)]
pub(super) fn write_inline(
    attachment: Locked,
    buf: UserPtr,
    len: usize,
) -> core::result::Result<Result<usize, Errno>, Locked> {
    if !attachment.is_ready(QUIET_INLINE) || !is_plain_length(len) {
        return Err(attachment);
    }
    match socket::send_plainly(attachment.fd.get(), buf, len) {
        n if n == len as isize => Ok(Ok(len)),
        n => write_inline_begun(attachment, buf, len, n),
    }
}

/// The socket has not taken all.
#[cold]
#[inline(never)]
fn write_inline_begun(
    attachment: Locked,
    buf: UserPtr,
    len: usize,
    sent: isize,
) -> core::result::Result<Result<usize, Errno>, Locked> {
    let sent = usize::try_from(sent).map_err(|_| Errno(-sent as c_int));
    let is_message = attachment.class.get() == Class::Datagram;
    match sent {
        // What has moved nothing can as well be begun anew.
        Ok(0) | Err(Errno::EAGAIN | Errno::EINTR) => return Err(attachment),
        Ok(_) if is_message => return Ok(sent),
        Err(_) => return Ok(sent),
        Ok(_) => {}
    }
    let pipe = attachment.attached_pipe();
    let sink = Sink::of_thread(pipe);
    if pipe.take_places(1).is_err() {
        return Ok(sent);
    }
    let Ok(op) = sink.take_free() else {
        pipe.give_places(1);
        return Ok(sent);
    };
    begin_write(&attachment, op, buf, len, sent, &sink);
    Ok(Err(EIOEVENTQUEUED))
}

/// Whether a read proves that nothing is left; otherwise the socket is worth a try again. As `run` would remember it.
#[inline(always)]
fn is_drained(attachment: &Locked, n: usize, len: usize) -> bool {
    n < len && n > 0 && attachment.class.get() == Class::PlainTcp
}

/// Some bytes, and not more than the kernel moves at once.
#[inline(always)]
fn is_plain_length(len: usize) -> bool {
    len.wrapping_sub(1) < MOST_BYTES
}

/// Sends a write that the socket takes whole; its event goes into the ring of the thread's lane.
#[inline(always)]
pub(super) fn write(attachment: Locked, pipe: &'static Pipe, buf: UserPtr, len: usize) -> Result<(), Locked> {
    if attachment.ready.get() & (QUIET | QUIET_INLINE) != QUIET || !is_plain_length(len) {
        return Err(attachment);
    }
    let Some(index) = pipe.find_lane_at_once() else { return Err(attachment) };
    if u32::from(attachment.newest_place.get()) != index && !comes_here(&attachment, pipe, index) {
        return Err(attachment);
    }
    let lane = pipe.lane(index);
    // A node is needed if the socket does not take all.
    if lane.stock().is_empty() || !lane.ring.has_room() || !pipe.take_place_at_once() {
        return Err(attachment);
    }
    let sent = socket::send_plainly(attachment.fd.get(), buf, len);
    if sent != len as isize {
        write_begun(attachment, lane, buf, len, sent);
        return Ok(());
    }
    let user = attachment.user.get() as u64;
    let (number, is_first) = lane.ring.put(lane.slots_in_use(), user, len as u64);
    attachment.newest_number.set(number);
    if is_first {
        first_event(attachment);
    }
    Ok(())
}

/// The event that was just put into the ring of this thread's lane is the first in it.
#[inline(never)]
fn first_event(attachment: Locked) {
    let index = u32::from(attachment.newest_place.get());
    let pipe = attachment.attached_pipe();
    pipe.wake.0.fill(index);
    pipe.announce(index);
}

/// Lets the events of the descriptor go into the ring of lane `index` from now on. False if its newest is still in
/// another place.
#[cold]
fn comes_here(attachment: &Locked, pipe: &'static Pipe, index: u32) -> bool {
    if pipe.holds(u32::from(attachment.newest_place.get()), attachment.newest_number.get()) {
        return false;
    }
    // There is none in the ring yet: as if it was the last one taken out.
    attachment.newest_place.set(index as u8);
    attachment.newest_number.set(pipe.lane(index).ring.taken().wrapping_sub(1));
    true
}

#[cold]
#[inline(never)]
fn write_begun(attachment: Locked, lane: &Lane, buf: UserPtr, len: usize, sent: isize) {
    let sink = Sink::of_thread(attachment.attached_pipe());
    let Some(op) = lane.stock().take_first() else { return };
    let sent = usize::try_from(sent).map_err(|_| Errno(-sent as c_int));
    begin_write(&attachment, op, buf, len, sent, &sink);
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

/// An edge of a socket on which one plain read waits, and nothing else. False: nothing was done.
#[inline(always)]
pub(super) fn edge(event: &EpollEvent, sink: &Sink) -> bool {
    let Some((node, generation)) = Attachment::from_word(event.u64) else { return false };
    let attachment = node.lock_quietly();
    // A node that is not attached is not ready for anything.
    if attachment.generation.get() != generation
        || !attachment.is_ready(ONE_READ)
        || event.events & (EPOLLIN as u32 | NO_PROOF) != EPOLLIN as u32
        || sink.must_follow(&attachment)
        || !sink.has_room()
    {
        return false;
    }
    let (buf, len) = attachment.parked();
    let n = socket::recv_plainly(attachment.fd.get(), buf, len);
    if n < 0 {
        return false;
    }
    let readable = if is_drained(&attachment, n as usize, len) { 0 } else { READABLE };
    let inline = attachment.ready.get() & QUIET_INLINE;
    attachment.ready.set(QUIET | WRITABLE | PARKABLE | inline | readable);
    sink.write(crate::Event { user: attachment.user.get() as *mut _, result: n as c_int, errno: 0 });
    attachment.unpark();
    true
}
