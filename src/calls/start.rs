//! How a call on an attached descriptor begins: the fast path, which is the same for every call, with the bias and with
//! locks; and how the slow path takes over from it.
//!
//! The fast path does a whole step, or nothing at all, or one try of which it tells the slow path what the kernel has
//! answered. It decides nothing that the slow path would decide differently.

use super::answer::Answer;
use super::fast_path::{
    Outcome, POLLED, Way, Words, in_the_way, is_inline, is_plain_output, lane_here, may_start_output,
    may_wait, park, poll_slot, polls_in_the_way, put_quietly, start_input, start_output, start_output_inline,
    start_output_otherwise, start_poll, try_output, user_of,
};
use super::submit;
use crate::engine::call::{Call, InputCall};
use crate::engine::epoll::polls;
use crate::engine::limits;
use crate::queue::counts::Count;
use crate::queue::op::{Kind, Request};
use crate::state::attachment::{
    Attachment, HERE, Held, INLINE, INPUT_FREE, Locked, READABLE, SLOT, TIME_LIMIT,
};
use crate::state::pipe::Pipe;
use crate::state::probes::{self, POLL, READ, WRITE};
use crate::sync::access::{self, Access, Shared, Sole};
use core::ffi::c_int;

pub(crate) use super::fast_path::{ByCall, Submitted};

/// What the fast path of an output has come to, by a thread that locks.
pub(crate) enum FastShared {
    /// It was done whole, and its event is there.
    Queued,
    /// The same; its lane was empty. To be announced, by `announce_shared`.
    First(Locked),
    /// One try was made; the kernel has answered it with this. It has its place.
    Begun(Locked, isize),
    /// Nothing was done. To be unlocked, if it was locked.
    Not(Option<Locked>),
}

/// What the fast path of an output has come to, by a thread that goes alone.
pub(crate) enum Fast {
    /// It is queued.
    Queued,
    /// It is done, with IOEVENT_INLINE: so many bytes.
    Done(isize),
    /// Nothing was done.
    Not,
    /// One try was made; the kernel has answered it with this. It has its place, unless it is to be done inline.
    Begun(Sole, isize),
}

/// What `wait_sole` has come to.
pub(crate) enum Waited {
    /// It is queued.
    Queued,
    /// Nothing was done, and `input` is to be called.
    Not,
    /// It is in the slot, and does not wait yet: it is to have a place and a time limit (`limit_sole`).
    Limited(Sole),
}

/// Queues a call of which it is known that it finds nothing, or that waits like the one before, by a thread that goes
/// alone. `pipe` is the one that the descriptor was attached to a moment ago: it still is if the thread goes alone, as
/// no other thread has attached anything.
#[inline(always)]
pub(crate) fn wait_sole<C: InputCall, W: Words>(
    (node, pipe): (&'static Attachment, &'static Pipe),
    call: C,
    words: W,
) -> Waited {
    if words.timeout() != 0 || !call.is_plain() {
        return Waited::Not;
    }
    let Some(sole) = Sole::enter() else { return Waited::Not };
    let step = wait_plainly(&node.hold(&sole), || pipe, call, words);
    match step {
        Step::Queued => Waited::Queued,
        Step::Limited => Waited::Limited(sole),
        Step::Not => Waited::Not,
    }
}

/// The same by a thread that locks: whether it is queued.
#[inline(always)]
pub(crate) fn wait_shared<C: InputCall, W: Words>(node: &'static Attachment, call: C, words: W) -> bool {
    if !access::is_shared() || words.timeout() != 0 || !call.is_plain() {
        return false;
    }
    let Some(attachment) = node.try_lock_quietly() else { return false };
    // SAFETY: it is asked for with INPUT_FREE, which says that it is attached.
    let pipe = || unsafe { attachment.attached_pipe() };
    matches!(wait_plainly(&attachment, pipe, call, words), Step::Queued)
}

/// What `wait_plainly` has come to.
enum Step {
    Queued,
    /// It is in the slot, and is to have a place and a time limit.
    Limited,
    Not,
}

/// Queues a plain call that has no time limit of its own, or puts it into the slot.
#[inline(always)]
fn wait_plainly<A: Access, C: InputCall, W: Words>(
    attachment: &Held<A>,
    pipe: impl FnOnce() -> &'static Pipe,
    call: C,
    words: W,
) -> Step {
    let bits = attachment.bits() & (INPUT_FREE | READABLE | TIME_LIMIT | in_the_way::<A>());
    let slot = || {
        let slot = call.slot()?;
        let is_unfit = (C::IS_ASKED_FIRST && !slot.is_like(attachment.slot()))
            || (C::HAS_ADDRESS && words.user().is_some());
        if is_unfit { None } else { Some(slot.with_user(user_of(attachment, words))) }
    };
    if !words.suit(attachment) {
        return Step::Not;
    }
    if bits == INPUT_FREE {
        let Some(slot) = slot() else { return Step::Not };
        if !pipe().queue.take_place_at_once::<A>() {
            return Step::Not;
        }
        attachment.put_into_slot(slot);
        probes::submit::<READ>(attachment, attachment.slot_user());
        attachment.set_bits(attachment.bits() ^ (INPUT_FREE | SLOT));
        Step::Queued
    } else if A::SOLE && W::WAY == Way::Call && !C::HAS_ADDRESS && bits == INPUT_FREE | TIME_LIMIT {
        let Some(slot) = slot() else { return Step::Not };
        attachment.put_into_slot(slot);
        Step::Limited
    } else {
        Step::Not
    }
}

/// Queues an operation that `wait_sole` has left so, with a time limit. Otherwise nothing was done of what it returns,
/// which is to be begun by the slow path.
#[inline(always)]
pub(crate) fn limit_sole(sole: Sole, node: &'static Attachment) -> Result<(), (c_int, Request)> {
    let attachment = node.hold(&sole);
    if limits::limit_in_slot(&attachment)
        // SAFETY: INPUT_FREE says that it is attached.
        && unsafe { attachment.attached_pipe() }.queue.take_place_at_once::<Sole>()
    {
        probes::submit::<READ>(&attachment, attachment.slot_user());
        attachment.set_bits(attachment.bits() ^ (INPUT_FREE | SLOT));
        return Ok(());
    }
    Err((attachment.fd(), attachment.slot().request(attachment.user.get())))
}

/// Queues a call that reads or accepts, or puts it into the slot, without a try: by a thread that locks, or with a time
/// limit. False: nothing was done, and the slow path is to begin it.
#[inline(always)]
pub(crate) fn wait_otherwise<C: InputCall, W: Words>(node: &'static Attachment, call: C, words: W) -> bool {
    if access::is_shared() {
        let Some(attachment) = node.try_lock_quietly() else { return false };
        return wait(&attachment, call, words);
    }
    let Some(sole) = Sole::enter() else { return false };
    let attachment = node.hold(&sole);
    wait(&attachment, call, words)
}

#[inline(always)]
fn wait<A: Access, C: InputCall, W: Words>(attachment: &Held<A>, call: C, words: W) -> bool {
    if attachment.has(READABLE) || !may_wait(attachment, &call) || !words.suit(attachment) {
        return false;
    }
    let Some(slot) = call.slot() else { return false };
    (!C::IS_ASKED_FIRST || slot.is_like(attachment.slot()))
        && park::<READ, _, _>(attachment, slot, words, true)
}

/// An output by a thread that locks.
#[inline(always)]
pub(crate) fn output_shared<C: Call, W: Words>(node: &'static Attachment, call: C, words: W) -> FastShared {
    let Some(attachment) = node.try_lock_shared() else { return FastShared::Not(None) };
    if W::WAY == Way::Inline
        || !is_plain_output(&attachment, &call)
        || !may_start_output(&attachment, 0, words)
        || !words.suit(&attachment)
    {
        return FastShared::Not(Some(attachment));
    }
    // SAFETY: OUTPUT_FREE says that it is attached.
    let pipe = unsafe { attachment.attached_pipe() };
    let Some(lane) = lane_here(&attachment, pipe) else {
        return FastShared::Not(Some(attachment));
    };
    match try_output(&attachment, pipe, lane, call) {
        Some(Ok(sent)) => {
            let user = user_of(&attachment, words);
            probes::submit::<WRITE>(&attachment, user);
            match put_quietly(&attachment, user, sent) {
                (_, _, false) => {
                    drop(attachment);
                    FastShared::Queued
                }
                (_, _, true) => FastShared::First(attachment),
            }
        }
        Some(Err(sent)) => FastShared::Begun(attachment, sent),
        None => FastShared::Not(Some(attachment)),
    }
}

/// Announces what `output_shared` has put into an empty lane.
#[inline(always)]
pub(crate) fn announce_shared(attachment: Locked) {
    // SAFETY: it was attached when the event was put there, and has been locked since.
    let pipe = unsafe { attachment.attached_pipe() };
    let lane = pipe.queue.lanes.get(attachment.newest_lane());
    pipe.queue.wake.0.fill::<Shared>(lane.bit());
    if pipe.is_nonblock() || pipe.queue.wake.0.waiters.any() {
        pipe.announce(lane.index());
    }
}

/// Goes on with what `output_shared` has begun.
#[cold]
pub(crate) fn output_shared_begun<C: Call, W: Words>(
    attachment: Locked,
    call: C,
    words: W,
    sent: isize,
) -> Answer {
    go_on(attachment, Outcome::Begun(sent), call, words)
}

/// A call that takes something in.
#[inline(never)]
pub(crate) fn input<C: InputCall, W: Words>(node: &'static Attachment, call: C, words: W) -> Answer {
    let outcome = if let Some(sole) = Sole::enter() {
        start_input(&node.hold(&sole), call, words)
    } else {
        node.try_lock_shared().map_or(Outcome::Not, |attachment| start_input(&attachment, call, words))
    };
    match outcome {
        Outcome::Queued => Answer::Queued,
        Outcome::Done(n) => Answer::Done(n),
        _ => slow_at(node, call.request(), words),
    }
}

/// A call that gives something out, by a thread that goes alone. `pipe` as for `wait_sole`.
#[inline(always)]
pub(crate) fn output_sole<C: Call, W: Words>(
    (node, pipe): (&'static Attachment, &'static Pipe),
    call: C,
    words: W,
) -> Fast {
    if !call.is_plain() {
        return Fast::Not;
    }
    let Some(sole) = Sole::enter() else { return Fast::Not };
    let attachment = node.hold(&sole);
    if !call.suits(attachment.class.get()) || !words.suit(&attachment) {
        return Fast::Not;
    }
    let outcome = if W::WAY == Way::Inline {
        if !may_start_output(&attachment, HERE, words) && !may_start_output(&attachment, 0, words) {
            return Fast::Not;
        }
        start_output_inline(&attachment, call)
    } else if may_start_output(&attachment, HERE, words) {
        // SAFETY: with HERE there is one.
        start_output(&attachment, pipe, unsafe { pipe.queue.lanes.home_there_is() }, call, words)
    } else if W::WAY == Way::Call
        && (may_start_output(&attachment, INLINE, words)
            || may_start_output(&attachment, INLINE | HERE, words))
    {
        start_output_inline(&attachment, call)
    } else {
        return Fast::Not;
    };
    drop(attachment);
    match outcome {
        Outcome::Queued => Fast::Queued,
        Outcome::Done(n) => Fast::Done(n),
        Outcome::Begun(sent) | Outcome::BegunInline(sent) => Fast::Begun(sole, sent),
        Outcome::Not => Fast::Not,
    }
}

/// Goes on with what `output_sole` has begun.
pub(crate) fn output_begun<C: Call, W: Words>(
    sole: Sole,
    node: &'static Attachment,
    call: C,
    words: W,
    sent: isize,
) -> Answer {
    let attachment = node.lock_quietly();
    // No other thread comes in between: the attachment is locked.
    drop(sole);
    let begun = if is_inline(&attachment, words) { Outcome::BegunInline(sent) } else { Outcome::Begun(sent) };
    go_on(attachment, begun, call, words)
}

/// A call that gives something out.
pub(crate) fn output<C: Call, W: Words>(node: &'static Attachment, call: C, words: W) -> Answer {
    if let Some(sole) = Sole::enter() {
        let attachment = node.hold(&sole);
        let outcome = start_output_otherwise(&attachment, call, words);
        drop(attachment);
        match outcome {
            Outcome::Queued => return Answer::Queued,
            Outcome::Done(n) => return Answer::Done(n),
            Outcome::Begun(sent) | Outcome::BegunInline(sent) => {
                return output_begun(sole, node, call, words, sent);
            }
            Outcome::Not => {}
        }
    } else if let Some(attachment) = node.try_lock_shared() {
        match start_output_otherwise(&attachment, call, words) {
            Outcome::Queued => return Answer::Queued,
            Outcome::Done(n) => return Answer::Done(n),
            Outcome::Not => {}
            begun => return go_on(attachment, begun, call, words),
        }
    }
    slow_at(node, call.request(), words)
}

#[cold]
fn go_on<C: Call, W: Words>(attachment: Locked, begun: Outcome, call: C, words: W) -> Answer {
    let request = request(call.request(), words);
    match begun {
        Outcome::Begun(sent) => return submit::go_on(&attachment, &request, sent),
        Outcome::BegunInline(sent) => {
            if let Some(answer) = submit::go_on_inline(&attachment, &request, sent) {
                return answer;
            }
        }
        _ => {}
    }
    let node = attachment.node();
    drop(attachment);
    slow_at(node, call.request(), words)
}

/// Begins a poll, by a thread that goes alone: whether it is queued. `pipe` as for `wait_sole`.
#[inline(always)]
pub(crate) fn poll_sole<W: Words>(
    (node, pipe): (&'static Attachment, &'static Pipe),
    events: i16,
    words: W,
) -> bool {
    if !polls::is_of_input(events) || words.timeout() != 0 {
        return false;
    }
    let Some(sole) = Sole::enter() else { return false };
    let attachment = node.hold(&sole);
    if attachment.bits() & (polls_in_the_way::<Sole, W>() | TIME_LIMIT) != POLLED
        || matches!(W::WAY, Way::Inline)
        || !words.suit(&attachment)
        || !pipe.queue.take_place_at_once::<Sole>()
    {
        return false;
    }
    attachment.put_into_slot(poll_slot(events).with_user(user_of(&attachment, words)));
    probes::submit::<POLL>(&attachment, attachment.slot_user());
    attachment.set_bits(attachment.bits() ^ (INPUT_FREE | SLOT));
    pipe.queue.count::<Sole>(Count::Polls);
    true
}

/// Begins a poll.
pub(crate) fn poll<W: Words>(node: &'static Attachment, events: i16, words: W) -> Answer {
    let is_queued = if let Some(sole) = Sole::enter() {
        start_poll(&node.hold(&sole), events, words)
    } else {
        node.try_lock_shared().is_some_and(|attachment| start_poll(&attachment, events, words))
    };
    if is_queued {
        return Answer::Queued;
    }
    slow_at(node, Request { kind: Kind::Poll, arg: c_int::from(events), ..Request::NOTHING }, words)
}

fn request(request: Request, words: impl Words) -> Request {
    Request { user: words.user(), timeout: words.timeout(), ..request }
}

/// The slow path of a call that has not begun.
pub(crate) fn slow_at<W: Words>(node: &'static Attachment, call: Request, words: W) -> Answer {
    match words.lock(node) {
        Some(attachment) => submit::submit_to(&attachment, &request(call, words), W::WAY),
        None => Answer::Libcs,
    }
}

/// The same on the descriptor that C knows by this number.
pub(crate) fn slow<W: Words>(fd: c_int, call: Request, words: W) -> Answer {
    submit::submit(fd, &request(call, words), W::WAY)
}
