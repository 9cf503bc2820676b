//! What the kernel tells of a descriptor: the fast path, for the operation in its slot; and the slow path.

use super::connection::{self, NotAtOnce};
use super::interest::{HUNG_UP, INPUT, NO_PROOF, OUTPUT};
use super::{class, polls, run, unordered};
use crate::engine::call::{Call, Readv, Recvfrom, Recvmsg};
use crate::engine::completions::Completions;
use crate::queue::lane::Lane;
use crate::queue::op::Completion;
use crate::queue::ring_accepts::ACCEPTED;
use crate::state::attachment::{INPUT_FREE, Inside, LEVEL, Locked, OTHER_SIDE, READABLE, SLOT, WRITABLE};
use crate::state::file_class::Class;
use crate::state::private;
use crate::state::slot::{Slot, Waiting};
use crate::state::table;
use crate::sync::access::Access;
use crate::sync::ring;
use crate::sys::epoll::{EPOLLIN, EPOLLRDHUP};
use crate::sys::{Errno, epoll as sys, fd, socket};
use core::ffi::c_int;

/// What `take` says if nothing was done.
pub(crate) const NOTHING: u64 = u64::MAX;

/// An edge, for this generation, of a descriptor with an operation in its slot: the outcome of that, as in a ring
/// (`ring::pack`), if it is complete; its user pointer is `Inside::slot_user` then. Otherwise nothing was done.
/// `needed` says which bits have to be set; `PLAIN`: nothing is done unless it is a plain read.
#[inline(always)]
pub(crate) fn take<A: Access, const PLAIN: bool>(
    attachment: &Inside,
    generation: u32,
    events: u32,
    needed: u16,
) -> u64 {
    // What is not attached has no bits.
    if attachment.generation.get() != generation || attachment.bits() & needed != needed {
        return NOTHING;
    }
    let slot = attachment.slot();
    if PLAIN && !slot.is_plain_read() {
        return NOTHING;
    }
    if !slot.is_plain_read() && slot.is(Waiting::Poll) {
        return take_poll::<A>(attachment, slot, events);
    }
    let is_of_input_alone = events & (EPOLLIN as u32 | NO_PROOF) == EPOLLIN as u32;
    if slot.is_plain_read() {
        if !is_of_input_alone && !is_end(attachment, events) {
            return NOTHING;
        }
        let len = slot.len();
        let n = socket::recv_plainly(attachment.fd(), slot.at(), len);
        // An error is no length.
        return finish(attachment, n, (n as usize) < len);
    }
    if !is_of_input_alone {
        return NOTHING;
    }
    if slot.is(Waiting::Vector) {
        attempt(attachment, Readv { iov: slot.at(), count: slot.len() as u32 })
    } else if slot.is(Waiting::Message) {
        let flags = if slot.closes_on_exec() { libc::MSG_CMSG_CLOEXEC } else { 0 };
        attempt(attachment, Recvmsg { message: slot.at(), flags })
    } else if slot.is(Waiting::Accept) {
        accept(attachment)
    } else {
        take_addressed(attachment)
    }
}

/// The same for a poll.
#[inline(always)]
fn take_poll<A: Access>(attachment: &Inside, slot: Slot, events: u32) -> u64 {
    let told = if A::SOLE {
        events as u16 & (slot.len() as u16 | (libc::POLLERR | libc::POLLHUP) as u16)
    } else {
        // Since the kernel has told it, another thread may have read what was there, and polled anew (rule 2.10).
        fd::poll_now(attachment.fd(), slot.len() as i16).unwrap_or(0) as u16
    };
    if told == 0 {
        return NOTHING;
    }
    attachment.set_bits(attachment.bits() ^ (SLOT | INPUT_FREE));
    told.into()
}

/// The same for a recvfrom with an address.
#[cold]
#[inline(never)]
fn take_addressed(attachment: &Inside) -> u64 {
    let slot = attachment.slot();
    let (buf, addr, addrlen) = slot.addresses();
    let outcome = attempt(attachment, Recvfrom { buf, len: slot.len(), flags: 0, addr, addrlen });
    if outcome != NOTHING {
        attachment.set_slot_user(slot.user(attachment.user.get()));
    }
    outcome
}

/// The same for an accept.
#[inline(never)]
fn accept(attachment: &Inside) -> u64 {
    let completion = match connection::accept_at_once(attachment, attachment.slot()) {
        Ok(number) => Ok(number).into(),
        Err(NotAtOnce::Failed(errno)) => Err(errno).into(),
        Err(_) => return NOTHING,
    };
    attachment.set_bits(attachment.bits() & !SLOT | INPUT_FREE | READABLE);
    let Completion { value, errno } = completion;
    ring::pack(value, errno)
}

/// An edge, for this generation, of a descriptor on which nothing waits: where several threads harvest, the program may
/// not have come to ask for what it is about. False: there is more to it than that a read will find something, and
/// nothing was done.
#[inline(always)]
pub(crate) fn note(attachment: &Inside, generation: u32, events: u32) -> bool {
    let is_of_input_alone = events & (EPOLLIN as u32 | NO_PROOF) == EPOLLIN as u32;
    // What is not attached has no bits. With INPUT_FREE, and without LEVEL, it is WRITABLE already.
    if attachment.generation.get() != generation
        || attachment.bits() & (INPUT_FREE | LEVEL) != INPUT_FREE
        || !is_of_input_alone
    {
        return false;
    }
    attachment.mark(READABLE);
    true
}

/// Whether the kernel tells that the other side has ended a stream, and nothing else that only the slow path knows of.
#[cold]
#[inline(never)]
fn is_end(attachment: &Inside, events: u32) -> bool {
    const END: u32 = (EPOLLIN | EPOLLRDHUP) as u32;
    let class = attachment.class.get();
    let is_end =
        events & (EPOLLIN as u32 | NO_PROOF) == END && class.is_stream_socket() && class != Class::Deferred;
    if is_end {
        attachment.end_stream();
    }
    is_end
}

/// What `take` said, for an event that goes into the ring of a lane: if it is that of an accept, its descriptor is the
/// library's until it is read.
pub(crate) fn for_ring(attachment: &Inside, lane: &Lane, outcome: u64) -> u64 {
    let (number, errno) = ring::unpack(outcome);
    if attachment.slot().kind() != Waiting::Accept || errno != 0 {
        return outcome;
    }
    private::accepted(number);
    lane.accepts.expect();
    ring::pack(number as u32, ACCEPTED)
}

#[inline(always)]
fn attempt(attachment: &Inside, call: impl Call) -> u64 {
    let n = call.attempt(attachment.fd());
    finish(attachment, n, n >= 0 && (n as usize) < call.total())
}

/// The kernel has answered the operation in the slot with `n`: it is complete with so many bytes, if it has not failed.
/// `is_short`: it is, and with fewer than it asked for. (None are the end of the stream. Where this edge has told of
/// that, a short read proves nothing any more; else another edge will.)
#[inline(always)]
fn finish(attachment: &Inside, n: isize, is_short: bool) -> u64 {
    if is_short && attachment.proves_drained() {
        // READABLE is not set while an operation waits in the slot.
        attachment.set_bits(attachment.bits() ^ (SLOT | INPUT_FREE));
        return n as u64;
    }
    finish_undrained(attachment, n)
}

/// The same where there may be more, and for a failure.
#[cold]
#[inline(never)]
fn finish_undrained(attachment: &Inside, n: isize) -> u64 {
    if n < 0 {
        return has_failed(attachment, n);
    }
    attachment.has_read(n as usize);
    attachment.set_bits(attachment.bits() ^ (SLOT | INPUT_FREE | READABLE));
    n as u64
}

/// The same where it has failed with `-n`. An error that the kernel has told is delivered, since it may not tell it
/// again; if there only was nothing, nothing was done.
#[cold]
fn has_failed(attachment: &Inside, n: isize) -> u64 {
    let errno = match Errno(-n as c_int) {
        Errno::EAGAIN | Errno::EINTR => return NOTHING,
        errno => errno,
    };
    attachment.set_bits(attachment.bits() & !SLOT | INPUT_FREE | READABLE);
    let Completion { value, errno } = Err(errno).into();
    ring::pack(value, errno)
}

/// The slow path.
pub(crate) fn handle(word: u64, events: u32, out: &Completions) {
    let Some((node, generation)) = table::by_word(word) else { return };
    if !node.is_attached() {
        return;
    }
    let attachment = node.lock();
    if !attachment.is_attached() || attachment.generation.get() != generation & !OTHER_SIDE {
        return;
    }
    if generation & OTHER_SIDE == 0 {
        of_descriptor(&attachment, events, out);
    } else {
        attachment.mark(READABLE | WRITABLE);
        run::resume(&attachment, out);
    }
    attachment.arm();
}

fn of_descriptor(attachment: &Locked, events: u32, out: &Completions) {
    if events & NO_PROOF != 0 {
        class::distrust(attachment, events & HUNG_UP == 0);
        if events & sys::EPOLLRDHUP as u32 != 0 {
            connection::shut_reads(attachment);
        }
    }
    if attachment.has(LEVEL) && !unordered::waits_for(attachment, events) {
        // It would be told again and again, and no thread needs it.
        polls::leave(attachment);
    }
    // First: after the reads there may be nothing left that polls could tell of.
    unordered::polls(attachment, events, out);
    if events & INPUT != 0 {
        attachment.mark(READABLE);
        run::input(attachment, out);
    }
    if events & OUTPUT != 0 {
        attachment.mark(WRITABLE);
        run::output(attachment, out);
    }
    // After the reads: one with MSG_ERRQUEUE takes the error away that they would report.
    unordered::unordered(attachment, out);
    run::let_go(attachment);
}
