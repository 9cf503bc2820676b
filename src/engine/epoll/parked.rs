//! What an operation that waits in its queue needs beside the edges of its own descriptor: those of the other one, a
//! poll apart, or a pause.

use super::interest::WATCHED;
use crate::engine::completions::Completions;
use crate::engine::other_end;
use crate::queue::op::{Completion, OWN_OTHER, OpRef};
use crate::state::attachment::{Attachment, Locked, OTHER_SIDE};
use crate::state::world;
use crate::sys::{Errno, epoll as sys};

/// Has a descriptor that no engine watches polled apart, for an operation that waits in its queue; ends that if it
/// cannot be. False then.
pub(crate) fn watch_apart(attachment: &Locked, op: OpRef, events: i16, out: &Completions) -> bool {
    if !attachment.class.get().is_polled_apart() {
        return true;
    }
    let watched = world::world()
        .map_or(Err(Errno::ENOMEM), |world| world.apart.add(attachment, events, &world.watchdog));
    let Err(errno) = watched else { return true };
    attachment.queue(op.order()).take_out(|other| core::ptr::eq(other, op), |_| {});
    out.complete(attachment, op, Completion::early(op, errno));
    false
}

/// Takes a descriptor of the library's own for the other side of a transfer that waits, and has it watched, too. If
/// there is no descriptor to be had for that, ends it and says false.
#[cold]
pub(crate) fn watch_other(attachment: &Locked, op: OpRef, out: &Completions) -> bool {
    if op.has(OWN_OTHER) {
        return true;
    }
    let watched = other_end::hold(op).and_then(|watched| {
        let (Some(other), Some(pipe)) = (watched, world::pipe(op.pipe.get())) else { return Ok(()) };
        let word = Attachment::to_word(attachment) | u64::from(OTHER_SIDE) << 32;
        match sys::add(pipe.engine().epfd(), other, WATCHED, word) {
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

/// Has the first of its queue tried again after a pause, whatever the kernel says; ends it if there is no memory for
/// that.
#[cold]
pub(crate) fn retry(attachment: &Locked, op: OpRef, side: u16, out: &Completions) {
    let alarm = &out.pipe.engine().alarm;
    attachment.mark(side);
    if let Err(errno) = alarm.retry(attachment.fd(), attachment.generation.get(), side, op) {
        attachment.queue(op.order()).pop();
        attachment.assume_ready();
        out.complete(attachment, op, Completion::early(op, errno));
    }
}
