//! accept by the fast path: it takes a connection that is there, or waits in the slot as reads do.

use super::answer::Answer;
use super::fast_path::{
    Outcome, Words, is_inline, is_way_open, lane_of_place, park, put_outcome, take_place_here, user_of,
};
use super::start;
use crate::engine::epoll::{NotAtOnce, accept_at_once};
use crate::queue::counts::Count;
use crate::queue::op::{Completion, Kind, Request};
use crate::queue::ring_accepts::ACCEPTED;
use crate::state::attachment::{Attachment, Held, READABLE};
use crate::state::private;
use crate::state::probes::{self, ACCEPT};
use crate::state::slot::{ACCEPT_FLAGS, Slot};
use crate::sync::access::{Access, Sole};
use crate::sync::ring;
use crate::sys::{Errno, UserPtr};
use core::ffi::c_int;

/// accept, accept4.
#[derive(Clone, Copy)]
pub(crate) struct Accept {
    pub(crate) addr: UserPtr,
    pub(crate) addrlen: UserPtr,
    pub(crate) flags: c_int,
}

impl Accept {
    fn request(&self) -> Request {
        let Accept { addr, addrlen, flags } = *self;
        Request { kind: Kind::Accept, addr, addrlen, arg: flags, ..Request::NOTHING }
    }
}

/// Begins an accept.
#[inline(never)]
pub(crate) fn accept<W: Words>(node: &'static Attachment, call: Accept, words: W) -> Answer {
    let outcome = if let Some(sole) = Sole::enter() {
        begin(&node.hold(&sole), call, words)
    } else {
        node.try_lock_shared().map_or(Outcome::Not, |attachment| begin(&attachment, call, words))
    };
    match outcome {
        Outcome::Queued => Answer::Queued,
        _ => start::slow_at(node, call.request(), words),
    }
}

fn begin<A: Access, W: Words>(attachment: &Held<A>, call: Accept, words: W) -> Outcome {
    if !is_way_open(attachment) || call.flags & !ACCEPT_FLAGS != 0 || !words.suit(attachment) {
        return Outcome::Not;
    }
    let Some(slot) = Slot::accept(call.addr, call.addrlen, call.flags) else { return Outcome::Not };
    if !attachment.has(READABLE) && slot.is_like(attachment.slot()) {
        return if park::<ACCEPT, _, _>(attachment, slot, words, true) {
            queued(attachment)
        } else {
            Outcome::Not
        };
    }
    if is_inline(attachment, words) || take_place_here(attachment).is_none() {
        return Outcome::Not;
    }
    let outcome = match accept_at_once(attachment, slot) {
        Ok(number) => {
            attachment.mark(READABLE);
            private::accepted(number as c_int);
            // SAFETY: the place was taken from its pipe.
            let pipe = unsafe { attachment.attached_pipe() };
            lane_of_place(attachment, pipe).accepts.expect();
            ring::pack(number as u32, ACCEPTED)
        }
        // Of other sockets than TCP it has to be asked whether they were shut down.
        Err(NotAtOnce::Nothing)
            if attachment.class.get().is_tcp() && park::<ACCEPT, _, _>(attachment, slot, words, false) =>
        {
            return queued(attachment);
        }
        Err(NotAtOnce::Failed(Errno(errno))) => {
            attachment.mark(READABLE);
            let Completion { value, errno } = Err(Errno(errno)).into();
            ring::pack(value, errno)
        }
        Err(_) => {
            // SAFETY: the place was taken from its pipe.
            unsafe { attachment.attached_pipe() }.queue.give_places_at_once::<A>(1);
            return Outcome::Not;
        }
    };
    let user = user_of(attachment, words);
    probes::submit::<ACCEPT>(attachment, user);
    put_outcome(attachment, user, outcome, Some(Count::Accepts));
    Outcome::Queued
}

/// An accept waits in the slot.
fn queued<A: Access>(attachment: &Held<A>) -> Outcome {
    // SAFETY: it waits, so the descriptor is attached.
    unsafe { attachment.attached_pipe() }.queue.count::<A>(Count::Accepts);
    Outcome::Queued
}
