//! What the kernel tells of a descriptor: the fast path, for the operation in its slot; and the slow path.

use super::interest::{INPUT, NO_PROOF, OUTPUT};
use super::{class, connection, polls, run, unordered};
use crate::engine::call::{Call, Readv, Recvfrom, Recvmsg};
use crate::engine::completions::Completions;
use crate::queue::op::Completion;
use crate::state::attachment::{INPUT_FREE, Inside, LEVEL, Locked, OTHER_SIDE, READABLE, SLOT, WRITABLE};
use crate::state::slot::Waiting;
use crate::state::table;
use crate::sync::access::Access;
use crate::sync::ring;
use crate::sys::epoll::EPOLLIN;
use crate::sys::{Errno, epoll as sys, fd, socket};
use core::ffi::c_int;

/// What `take` says if nothing was done.
pub(crate) const NOTHING: u64 = u64::MAX;

/// An edge, for this generation, of a descriptor with an operation in its slot: the outcome of that, as in a ring
/// (`ring::pack`), if it is complete; its user pointer is `Inside::slot_user` then. Otherwise nothing was done.
/// `needed` says which bits have to be set.
#[inline(always)]
pub(crate) fn take<A: Access>(attachment: &Inside, generation: u32, events: u32, needed: u16) -> u64 {
    // What is not attached has no bits.
    if attachment.generation.get() != generation || attachment.bits() & needed != needed {
        return NOTHING;
    }
    let slot = attachment.slot();
    if !slot.is_plain_read() {
        return take_otherwise::<A>(attachment, events);
    }
    if events & (EPOLLIN as u32 | NO_PROOF) != EPOLLIN as u32 {
        return NOTHING;
    }
    let len = slot.len();
    let n = socket::recv_plainly(attachment.fd(), slot.at(), len);
    finish(attachment, n, || len)
}

/// The same for what is no plain read.
#[inline(never)]
fn take_otherwise<A: Access>(attachment: &Inside, events: u32) -> u64 {
    let slot = attachment.slot();
    if slot.kind() == Waiting::Poll {
        let told = if A::SOLE {
            events as u16 & (slot.len() as u16 | (libc::POLLERR | libc::POLLHUP) as u16)
        } else {
            // Since the kernel has told it, another thread may have read what was there, and polled anew (rule 2.10).
            fd::poll_now(attachment.fd(), slot.len() as i16).unwrap_or(0) as u16
        };
        if told == 0 {
            return NOTHING;
        }
        attachment.set_bits(attachment.bits() & !SLOT | INPUT_FREE);
        return told.into();
    }
    if events & (EPOLLIN as u32 | NO_PROOF) != EPOLLIN as u32 {
        return NOTHING;
    }
    match slot.kind() {
        Waiting::Vector => attempt(attachment, Readv { iov: slot.at(), count: slot.len() as c_int }),
        Waiting::Message => {
            let flags = if slot.closes_on_exec() { libc::MSG_CMSG_CLOEXEC } else { 0 };
            attempt(attachment, Recvmsg { message: slot.at(), flags })
        }
        _ => {
            let (buf, addr, addrlen) = slot.addresses();
            let outcome = attempt(attachment, Recvfrom { buf, len: slot.len(), flags: 0, addr, addrlen });
            if outcome != NOTHING {
                attachment.set_slot_user(attachment.user.get());
            }
            outcome
        }
    }
}

#[inline(always)]
fn attempt(attachment: &Inside, call: impl Call) -> u64 {
    let n = call.attempt(attachment.fd());
    finish(attachment, n, || call.total())
}

/// The kernel has answered the operation in the slot with `n`: it is complete with so many bytes, of `total` at most, if
/// it has not failed.
#[inline(always)]
fn finish(attachment: &Inside, n: isize, total: impl FnOnce() -> usize) -> u64 {
    if n > 0 && (n as usize) < total() && attachment.proves_drained() {
        attachment.set_bits(attachment.bits() ^ (SLOT | INPUT_FREE));
        return n as u64;
    }
    finish_undrained(attachment, n)
}

/// The same where there may be more, and for the end of the stream and a failure.
#[inline(never)]
fn finish_undrained(attachment: &Inside, n: isize) -> u64 {
    if n < 0 {
        return has_failed(attachment, n);
    }
    // READABLE is not set while an operation waits in the slot.
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
        class::distrust(attachment);
        if events & sys::EPOLLRDHUP as u32 != 0 {
            connection::shut_reads(attachment);
        }
    }
    if attachment.has(LEVEL) && !unordered::waits_for(attachment, events) {
        // It would be told again and again, to nobody.
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
