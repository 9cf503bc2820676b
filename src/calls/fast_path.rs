//! The steps of the fast path, which are the same with the bias and with locks.

use crate::engine::call::{Call, InputCall};
use crate::engine::epoll::polls;
use crate::engine::{arming, limits};
use crate::queue::counts::Count;
use crate::queue::lane::{LISTED, Lane};
use crate::queue::op::Completion;
use crate::state::attachment::{
    Attachment, HERE, Held, INLINE, INPUT_FREE, LEVEL, Locked, OUTPUT_FREE, POLL_ONLY, READABLE, SLOT,
};
use crate::state::pipe::Pipe;
use crate::state::probes::{self, POLL, READ, WRITE};
use crate::state::slot::{Slot, Waiting};
use crate::sync::access::Access;
use crate::sync::ring;
use crate::sys::{Errno, UserPtr};
use core::ffi::c_int;

/// How an operation is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the call of its name, to which the modes of the descriptor apply.
    Call,
    /// By `ioevent_submit`, or from Rust: it always ends in an event.
    Submit,
    /// From Rust: what can be finished at once gives its result (rule 2.8).
    Inline,
}

/// What a caller says beside the call itself.
pub(crate) trait Words: Copy {
    const WAY: Way;
    /// The user pointer of the event; `None`: that of the descriptor.
    fn user(&self) -> Option<usize>;
    /// How long the operation may take, in nanoseconds; 0: what the descriptor says.
    fn timeout(&self) -> u64;

    /// Whether the descriptor still is what the caller has found. (C's: no other thread has changed it while this one
    /// goes alone.)
    #[inline(always)]
    fn suit<A: Access>(&self, attachment: &Held<A>) -> bool {
        A::SOLE || attachment.word().is_attached_for_c()
    }

    /// Locks the descriptor for the slow path, if it still is that.
    #[inline(always)]
    fn lock(&self, node: &'static Attachment) -> Option<Locked> {
        arming::lock_for_c(node)
    }
}

/// Whether an operation gives its result if it can be finished at once.
#[inline(always)]
pub(crate) fn is_inline<A: Access, W: Words>(attachment: &Held<A>, _: W) -> bool {
    match W::WAY {
        Way::Call => attachment.has(INLINE),
        Way::Submit => false,
        Way::Inline => true,
    }
}

/// The call of its name.
#[derive(Clone, Copy)]
pub(crate) struct ByCall;

impl Words for ByCall {
    const WAY: Way = Way::Call;
    #[inline(always)]
    fn user(&self) -> Option<usize> {
        None
    }
    #[inline(always)]
    fn timeout(&self) -> u64 {
        0
    }
}

/// By `ioevent_submit`.
#[derive(Clone, Copy)]
pub(crate) struct Submitted {
    pub(crate) user: usize,
    pub(crate) timeout: u64,
}

impl Words for Submitted {
    const WAY: Way = Way::Submit;
    #[inline(always)]
    fn user(&self) -> Option<usize> {
        Some(self.user)
    }
    #[inline(always)]
    fn timeout(&self) -> u64 {
        self.timeout
    }
}

/// What came of a try.
pub(crate) enum Outcome {
    Done(isize),
    Queued,
    Not,
    Begun(isize),
    BegunInline(isize),
}

/// What must not be set for the fast path.
pub(crate) const fn in_the_way<A: Access>() -> u16 {
    // What HERE stands for has to be written down before others may look at it.
    POLL_ONLY | LEVEL | if A::SOLE { 0 } else { HERE }
}

#[inline(always)]
pub(crate) fn user_of<A: Access, W: Words>(attachment: &Held<A>, words: W) -> usize {
    words.user().unwrap_or(attachment.user.get())
}

/// Whether a call that takes something in may wait in the slot.
#[inline(always)]
pub(crate) fn may_wait<A: Access>(attachment: &Held<A>, call: &impl Call) -> bool {
    is_way_open(attachment) && call.is_plain()
}

/// The same of any such call.
#[inline(always)]
pub(crate) fn is_way_open<A: Access>(attachment: &Held<A>) -> bool {
    attachment.bits() & (INPUT_FREE | in_the_way::<A>()) == INPUT_FREE
}

#[inline(always)]
pub(crate) fn start_input<A: Access, C: InputCall, W: Words>(
    attachment: &Held<A>,
    call: C,
    words: W,
) -> Outcome {
    if !may_wait(attachment, &call) || !words.suit(attachment) {
        return Outcome::Not;
    }
    let Some(slot) = call.slot() else { return Outcome::Not };
    if attachment.has(READABLE) || (C::IS_ASKED_FIRST && !slot.is_like(attachment.slot())) {
        return try_input(attachment, call, slot, words);
    }
    if park::<READ, _, _>(attachment, slot, words, true) { Outcome::Queued } else { Outcome::Not }
}

/// Puts an operation of this kind (`probes`) into the slot. `takes_place`: it has none yet.
#[inline(always)]
pub(crate) fn park<const KIND: u32, A: Access, W: Words>(
    attachment: &Held<A>,
    slot: Slot,
    words: W,
    takes_place: bool,
) -> bool {
    let slot = slot.with_user(user_of(attachment, words));
    if slot.holds_addresses() && words.user().is_some() {
        return false;
    }
    let Some(slot) = limits::limit_slot(attachment, words.timeout(), slot) else { return false };
    // SAFETY: INPUT_FREE says that it is attached.
    if takes_place && !unsafe { attachment.attached_pipe() }.queue.take_place_at_once::<A>() {
        return false;
    }
    attachment.put_into_slot(slot);
    probes::submit::<KIND>(attachment, attachment.slot_user());
    attachment.set_bits(attachment.bits() & !(INPUT_FREE | READABLE) | SLOT);
    true
}

/// Where something may be: takes it, or else waits.
#[inline(always)]
fn try_input<A: Access, C: InputCall, W: Words>(
    attachment: &Held<A>,
    call: C,
    slot: Slot,
    words: W,
) -> Outcome {
    let is_inline = is_inline(attachment, words);
    if !is_inline && take_place_here(attachment).is_none() {
        return Outcome::Not;
    }
    let n = call.attempt(attachment.fd());
    let errno = Errno(-n as c_int);
    if n < 0 && matches!(errno, Errno::EAGAIN | Errno::EINTR) {
        if errno == Errno::EAGAIN
            && attachment.found_nothing()
            && park::<READ, _, _>(attachment, slot, words, is_inline)
        {
            return Outcome::Queued;
        }
        if !is_inline {
            // SAFETY: as above.
            unsafe { attachment.attached_pipe() }.queue.give_places_at_once::<A>(1);
        }
        return Outcome::Not;
    }
    if n > 0 && attachment.proves_drained() && (n as usize) < call.total() {
        attachment.clear(READABLE);
    } else if n >= 0 {
        attachment.has_read(n as usize);
        attachment.mark(READABLE);
    }
    if is_inline {
        count_inline(attachment);
        return Outcome::Done(n);
    }
    let user = user_of(attachment, words);
    probes::submit::<READ>(attachment, user);
    put(attachment, user, n, None);
    Outcome::Queued
}

/// Whether there is nothing about an output that only the slow path knows.
#[inline(always)]
pub(crate) fn is_plain_output<A: Access>(attachment: &Held<A>, call: &impl Call) -> bool {
    call.is_plain() && call.suits(attachment.class.get())
}

/// Whether an output may be begun: `bits` are those of HERE and INLINE that are to be set.
#[inline(always)]
pub(crate) fn may_start_output<A: Access, W: Words>(attachment: &Held<A>, bits: u16, _: W) -> bool {
    let inline = if W::WAY == Way::Call { INLINE } else { 0 };
    attachment.bits() & (OUTPUT_FREE | in_the_way::<A>() | inline | bits) == OUTPUT_FREE | bits
}

/// Tries an output whose event can go into the lane.
#[inline(always)]
pub(crate) fn start_output<A: Access, C: Call, W: Words>(
    attachment: &Held<A>,
    pipe: &'static Pipe,
    lane: &Lane,
    call: C,
    words: W,
) -> Outcome {
    match try_output(attachment, pipe, lane, call) {
        Some(Ok(sent)) => {
            let user = user_of(attachment, words);
            probes::submit::<WRITE>(attachment, user);
            put(attachment, user, sent, Some(Count::Writes));
            Outcome::Queued
        }
        Some(Err(sent)) => Outcome::Begun(sent),
        None => Outcome::Not,
    }
}

/// Takes a place for an output and tries it: all is done, or what the kernel has answered otherwise. `None`: nothing
/// was done.
#[inline(always)]
pub(crate) fn try_output<A: Access>(
    attachment: &Held<A>,
    pipe: &'static Pipe,
    lane: &Lane,
    call: impl Call,
) -> Option<Result<isize, isize>> {
    if !lane.ring.has_room::<A>() || !pipe.queue.take_place_at_once::<A>() {
        return None;
    }
    let sent = call.attempt(attachment.fd());
    Some(if call.is_whole(sent) { Ok(sent) } else { Err(sent) })
}

#[inline(always)]
pub(crate) fn start_output_inline<A: Access>(attachment: &Held<A>, call: impl Call) -> Outcome {
    let sent = call.attempt(attachment.fd());
    if call.is_whole(sent) {
        count_inline(attachment);
        Outcome::Done(sent)
    } else {
        Outcome::BegunInline(sent)
    }
}

/// An operation gives its result directly.
#[inline(always)]
fn count_inline<A: Access>(attachment: &Held<A>) {
    // SAFETY: the fast path was found to be open, which says that it is attached.
    unsafe { attachment.attached_pipe() }.queue.count::<A>(Count::Inline);
}

/// The same where it is not known yet whether the events of the descriptor come to the thread's lane.
#[inline(always)]
pub(crate) fn start_output_otherwise<A: Access, C: Call, W: Words>(
    attachment: &Held<A>,
    call: C,
    words: W,
) -> Outcome {
    if !is_plain_output(attachment, &call) || !words.suit(attachment) {
        return Outcome::Not;
    }
    let is_free = may_start_output(attachment, 0, words) || may_start_output(attachment, HERE, words);
    if W::WAY == Way::Inline {
        return if is_free { start_output_inline(attachment, call) } else { Outcome::Not };
    }
    if is_free {
        // SAFETY: OUTPUT_FREE says that it is attached.
        let pipe = unsafe { attachment.attached_pipe() };
        match lane_here(attachment, pipe) {
            Some(lane) => start_output(attachment, pipe, lane, call, words),
            None => Outcome::Not,
        }
    } else if W::WAY == Way::Call
        && (may_start_output(attachment, INLINE, words) || may_start_output(attachment, INLINE | HERE, words))
    {
        start_output_inline(attachment, call)
    } else {
        Outcome::Not
    }
}

/// Takes a place for an operation whose event can go into the ring of the thread's lane (`put`).
#[inline(always)]
pub(crate) fn take_place_here<A: Access>(attachment: &Held<A>) -> Option<()> {
    // SAFETY: OUTPUT_FREE and INPUT_FREE say that it is attached.
    let pipe = unsafe { attachment.attached_pipe() };
    let lane = lane_here(attachment, pipe)?;
    (lane.ring.has_room::<A>() && pipe.queue.take_place_at_once::<A>()).then_some(())
}

/// The lane of the calling thread, if the next event of the descriptor may go there.
#[inline(always)]
pub(crate) fn lane_here<A: Access>(attachment: &Held<A>, pipe: &'static Pipe) -> Option<&'static Lane> {
    if A::SOLE {
        if !attachment.has(HERE) {
            attachment.come_here();
        }
        // SAFETY: with HERE there is one.
        return if attachment.has(HERE) { Some(unsafe { pipe.queue.lanes.home_there_is() }) } else { None };
    }
    // Mostly the newest event was put there, too.
    let place = attachment.newest_place();
    let newest = pipe.queue.lanes.get(attachment.newest_lane());
    if place & LISTED == 0 && newest.is_of_caller() { Some(newest) } else { move_here(attachment, pipe) }
}

/// The lane of the calling thread, which is not the ring where the newest event was put, if that has been harvested.
fn move_here<A: Access>(attachment: &Held<A>, pipe: &'static Pipe) -> Option<&'static Lane> {
    let index = pipe.queue.lanes.find_at_once()?;
    if pipe.queue.lanes.holds(attachment.newest_place(), attachment.newest_number()) {
        return None;
    }
    // There is none in the ring yet: as if it was the last one taken out.
    attachment.set_newest(index, pipe.queue.lanes.get(index).ring.newest_taken());
    Some(pipe.queue.lanes.get(index))
}

/// Puts the event of an operation with this result into the ring of the thread's lane, which has room; `what`: it is
/// counted as that. (Pipe and lane are looked up anew: to keep them over the system call costs more.)
#[inline(always)]
fn put<A: Access>(attachment: &Held<A>, user: usize, n: isize, what: Option<Count>) {
    put_outcome(attachment, user, outcome_of(n), what);
}

/// The same, for an output. Returns pipe and lane, and whether that was empty: then it is to be announced.
#[inline(always)]
pub(crate) fn put_quietly<A: Access>(
    attachment: &Held<A>,
    user: usize,
    n: isize,
) -> (&'static Pipe, &'static Lane, bool) {
    put_outcome_quietly(attachment, user, outcome_of(n), Some(Count::Writes))
}

/// The lane for which `take_place_here` has taken a place.
#[inline(always)]
pub(crate) fn lane_of_place<A: Access>(attachment: &Held<A>, pipe: &'static Pipe) -> &'static Lane {
    if A::SOLE {
        // SAFETY: the place was taken for an event that goes there.
        unsafe { pipe.queue.lanes.home_there_is() }
    } else {
        pipe.queue.lanes.get(attachment.newest_lane())
    }
}

/// As `put`, for an outcome as it is in a ring.
#[inline(always)]
pub(crate) fn put_outcome<A: Access>(attachment: &Held<A>, user: usize, outcome: u64, what: Option<Count>) {
    let (pipe, lane, is_first) = put_outcome_quietly(attachment, user, outcome, what);
    if is_first {
        pipe.announce_first::<A>(lane);
    }
}

#[inline(always)]
fn put_outcome_quietly<A: Access>(
    attachment: &Held<A>,
    user: usize,
    outcome: u64,
    what: Option<Count>,
) -> (&'static Pipe, &'static Lane, bool) {
    // SAFETY: as in `take_place_here`.
    let pipe = unsafe { attachment.attached_pipe() };
    let lane = lane_of_place(attachment, pipe);
    probes::complete(attachment, user, outcome);
    if let Some(what) = what {
        pipe.queue.count_put::<A>(lane, what);
    }
    let (number, is_first) = lane.ring.put::<A>(lane.slots_in_use(), user as u64, outcome);
    if !A::SOLE {
        attachment.set_newest(attachment.newest_lane(), number);
    }
    (pipe, lane, is_first)
}

/// The outcome of an operation, as it is in a ring, from the count of its bytes or -errno.
#[inline(always)]
fn outcome_of(n: isize) -> u64 {
    if n >= 0 { n as u32 as u64 } else { failed(n) }
}

/// The outcome of an operation that has failed with `-n`.
#[cold]
fn failed(n: isize) -> u64 {
    let Completion { value, errno } = Err(Errno(-n as c_int)).into();
    ring::pack(value, errno)
}

/// The bits of a descriptor on which a poll can wait in the slot.
pub(crate) const POLLED: u16 = INPUT_FREE | LEVEL;

/// These, and those that must not be set beside them.
pub(crate) const fn polls_in_the_way<A: Access, W: Words>() -> u16 {
    let is_call = matches!(W::WAY, Way::Call);
    POLLED | if is_call { INLINE } else { 0 } | if A::SOLE { 0 } else { HERE }
}

/// A poll that waits.
#[inline(always)]
pub(crate) fn poll_slot(events: i16) -> Slot {
    Slot::new(Waiting::Poll, UserPtr::NULL, u32::from(events as u16))
}

#[inline(always)]
pub(crate) fn start_poll<A: Access, W: Words>(attachment: &Held<A>, events: i16, words: W) -> bool {
    attachment.bits() & polls_in_the_way::<A, W>() == POLLED
        && !matches!(W::WAY, Way::Inline)
        && polls::is_of_input(events)
        && words.suit(attachment)
        && park::<POLL, _, _>(attachment, poll_slot(events), words, true)
        && {
            // SAFETY: as in `park`.
            unsafe { attachment.attached_pipe() }.queue.count::<A>(Count::Polls);
            true
        }
}
