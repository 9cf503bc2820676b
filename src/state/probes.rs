//! The library's probes (`sys::probe`), and what each tells: ioevent_probes(7).

use super::inside::Inside;
use super::pipe::Pipe;
use crate::queue::counts::Count;
use crate::queue::op::Kind;
use crate::sys::probe::probe;
use core::mem::offset_of;
use core::ptr::from_ref;

/// A kind of operation as probes tell it: reads, then those of `Count`.
pub(crate) const READ: u32 = 1;
pub(crate) const WRITE: u32 = of(Count::Writes);
pub(crate) const ACCEPT: u32 = of(Count::Accepts);
pub(crate) const POLL: u32 = of(Count::Polls);
const TIMER: u32 = of(Count::Timers);

const fn of(what: Count) -> u32 {
    what as u32 + READ + 1
}

/// An operation of this kind is queued.
#[inline(always)]
pub(crate) fn submit<const KIND: u32>(at: &Inside, user: usize) {
    probe!(
        "submit",
        "-4@{fd}({at}) 8@{user} -4@${kind}",
        "-4@[{at}, {fd}] 8@{user} -4@{kind}",
        fd = const offset_of!(Inside, fd),
        at = in(reg) from_ref(at).addr(),
        user = in(reg) user,
        kind = const KIND,
    );
}

/// The same by the slow path.
#[inline(always)]
pub(crate) fn submit_slowly(at: &Inside, user: usize, kind: Kind) {
    probe!(
        "submit",
        "-4@{fd}({at}) 8@{user} -4@{kind}",
        "-4@[{at}, {fd}] 8@{user} -4@{kind}",
        fd = const offset_of!(Inside, fd),
        at = in(reg) from_ref(at).addr(),
        user = in(reg) user,
        kind = in(reg) Count::of(kind).map_or(READ, of) as usize,
    );
}

/// A timer is set. The descriptor is the pipe's.
#[inline(always)]
pub(crate) fn submit_timer(pipe: &Pipe, user: usize) {
    probe!(
        "submit",
        "-4@{number}({pipe}) 8@{user} -4@${kind}",
        "-4@[{pipe}, {number}] 8@{user} -4@{kind}",
        number = const offset_of!(Pipe, number),
        pipe = in(reg) from_ref(pipe).addr(),
        user = in(reg) user,
        kind = const TIMER,
    );
}

/// An operation is complete, with this outcome (`ring::pack`).
#[inline(always)]
pub(crate) fn complete(at: &Inside, user: usize, outcome: u64) {
    probe!(
        "complete",
        "-4@{fd}({at}) 8@{user} -4@{outcome} 8@{outcome}",
        "-4@[{at}, {fd}] 8@{user} -4@{outcome} 8@{outcome}",
        fd = const offset_of!(Inside, fd),
        at = in(reg) from_ref(at).addr(),
        user = in(reg) user,
        outcome = in(reg) outcome,
    );
}

/// A timer is. The descriptor is the pipe's.
#[inline(always)]
pub(crate) fn complete_timer(pipe: &Pipe, user: usize, outcome: u64) {
    probe!(
        "complete",
        "-4@{number}({pipe}) 8@{user} -4@{outcome} 8@{outcome}",
        "-4@[{pipe}, {number}] 8@{user} -4@{outcome} 8@{outcome}",
        number = const offset_of!(Pipe, number),
        pipe = in(reg) from_ref(pipe).addr(),
        user = in(reg) user,
        outcome = in(reg) outcome,
    );
}

/// A harvest hands out so many events.
#[inline(always)]
pub(crate) fn harvest(pipe: &Pipe, events: usize) {
    probe!(
        "harvest",
        "-4@{number}({pipe}) 8@{events}",
        "-4@[{pipe}, {number}] 8@{events}",
        number = const offset_of!(Pipe, number),
        pipe = in(reg) from_ref(pipe).addr(),
        events = in(reg) events,
    );
}

/// The same for one.
#[inline(always)]
pub(crate) fn harvest_one(pipe: &Pipe) {
    probe!(
        "harvest",
        "-4@{number}({pipe}) 8@$1",
        "-4@[{pipe}, {number}] 8@1",
        number = const offset_of!(Pipe, number),
        pipe = in(reg) from_ref(pipe).addr(),
    );
}

/// A call finds every place taken.
#[inline(always)]
pub(crate) fn full(pipe: &Pipe) {
    probe!(
        "full",
        "-4@{number}({pipe}) 4@{capacity}",
        "-4@[{pipe}, {number}] 4@{capacity}",
        number = const offset_of!(Pipe, number),
        pipe = in(reg) from_ref(pipe).addr(),
        capacity = in(reg) pipe.queue.capacity() as usize,
    );
}

/// A thread harvests so many events out of this lane, which is another one's.
#[inline(always)]
pub(crate) fn takeover(pipe: &Pipe, lane: u32, events: usize) {
    probe!(
        "takeover",
        "-4@{number}({pipe}) 8@{events} 4@{lane}",
        "-4@[{pipe}, {number}] 8@{events} 4@{lane}",
        number = const offset_of!(Pipe, number),
        pipe = in(reg) from_ref(pipe).addr(),
        events = in(reg) events,
        lane = in(reg) lane as usize,
    );
}
