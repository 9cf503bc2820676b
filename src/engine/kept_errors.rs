//! Errors that are kept: an operation that has moved a part before the kernel told an error is complete with its part,
//! and the error, which the kernel will not tell again, is for the next operation of that direction (rule 2.4). It is
//! kept in a node that is the first of the queue.

use super::completions::Completions;
use crate::queue::op::{Kind, OpRef, Order};
use crate::queue::op_list::Queue;
use crate::state::attachment::Locked;
use crate::state::world;
use crate::sys::Errno;

/// Whether a new operation is the first of its queue to be tried.
#[inline]
pub(crate) fn waits_for_nothing(queue: &Queue) -> bool {
    queue.first().is_none_or(|first| first.kind.get() == Kind::Kept)
}

/// The first operation of a queue. If an error is kept before it, that is its result, and it is the turn of the next
/// one.
#[inline]
pub(crate) fn first_to_try(attachment: &Locked, queue: &Queue, out: &Completions) -> Option<OpRef> {
    let first = queue.first()?;
    if first.kind.get() == Kind::Kept { after_kept_error(attachment, queue, out) } else { Some(first) }
}

#[cold]
fn after_kept_error(attachment: &Locked, queue: &Queue, out: &Completions) -> Option<OpRef> {
    let kept = queue.pop()?;
    let Some(op) = queue.pop() else {
        queue.push(kept);
        return None;
    };
    out.complete(attachment, op, Err(Errno(kept.arg.get())).into());
    give(kept);
    queue.first()
}

/// Keeps an error, which the kernel has told and will not tell again, for the next operation of a direction. (Without
/// memory it is lost, as what comes next cannot be made then either.)
#[cold]
pub(crate) fn keep_error(attachment: &Locked, order: Order, errno: Errno) {
    if let Some(world) = world::world() {
        if let Ok(kept) = world.ops.take() {
            kept.become_kept(errno.0);
            attachment.queue(order).push_front(kept);
        }
    }
}

/// Forgets errors that were kept for operations to come.
pub(crate) fn forget(attachment: &Locked) {
    for queue in [&attachment.input, &attachment.output] {
        queue.take_out(|op| op.kind.get() == Kind::Kept, give);
    }
}

/// Gives the node of a kept error back, which is in no queue any more.
fn give(kept: OpRef) {
    if let Some(world) = world::world() {
        world.ops.give(kept);
    }
}
