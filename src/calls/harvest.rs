//! Harvesting by the fast path, by a thread that goes alone: it takes what its own lane holds, or looks into the kernel
//! once. See `wake` for how threads sleep and are woken.

use super::answer::answer;
use super::harvest_shared::harvest_shared;
use super::harvester::{Basket, Harvester, POLL_AFTER, harvest_slow, leave_rest, take_ring};
use super::standby;
use crate::engine::{Engine, Found, Handled};
use crate::event::RawEvent;
use crate::queue::counts::Count;
use crate::queue::lane::Lane;
use crate::state::pipe::Pipe;
use crate::state::poller::Poller;
use crate::state::probes;
use crate::sync::access::{Shared, Sole};
use crate::sys::{Errno, Result, errno, process};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::Relaxed;

/// Takes out up to `room.len()` events, which is not 0, of the pipe that was found under `number`. Waits for the first
/// for `timeout` nanoseconds (`None`: for ever). How many there were, 0 only when the time is over; or -errno.
#[inline(always)]
pub(crate) fn harvest(
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
    timeout: Option<u64>,
) -> isize {
    match timeout {
        None => harvest_for::<FOREVER>(number, room, pipe, u64::MAX),
        Some(0) => harvest_for::<NOT>(number, room, pipe, 0),
        Some(ns) => harvest_for::<FOR_A_TIME>(number, room, pipe, ns),
    }
}

/// The same for a read of the pipe, which waits unless O_NONBLOCK is set.
#[inline(always)]
pub(crate) fn harvest_as_read(
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
) -> isize {
    harvest_for::<AS_READ>(number, room, pipe, u64::MAX)
}

/// How long a harvest waits.
const FOREVER: u8 = 0;
const NOT: u8 = 1;
const FOR_A_TIME: u8 = 2;
const AS_READ: u8 = 3;

/// The same in nanoseconds; `ns` for FOR_A_TIME.
#[inline(always)]
fn timeout<const WAITS: u8>(pipe: &Pipe, ns: u64) -> Option<u64> {
    match WAITS {
        FOREVER => None,
        AS_READ if !pipe.is_nonblock() => None,
        FOR_A_TIME => Some(ns),
        _ => Some(0),
    }
}

#[inline(always)]
fn harvest_for<const WAITS: u8>(
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
    ns: u64,
) -> isize {
    if let Some(sole) = Sole::enter() {
        if let Some(lane) = pipe.queue.lanes.home() {
            let filled = pipe.queue.wake.0.filled();
            if filled == 0 {
                return poll_sole::<WAITS>(sole, number, room, pipe, ns);
            }
            if filled == lane.bit() {
                return take_sole::<WAITS>(sole, number, room, pipe, ns);
            }
        }
    }
    harvest_shared(number, room, pipe, timeout::<WAITS>(pipe, ns))
}

/// A thread that goes alone takes events out of the ring of its own lane, which is the only one that holds any, if it
/// is not yet time to look into the kernel.
#[inline(never)]
fn take_sole<const WAITS: u8>(
    sole: Sole,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
    ns: u64,
) -> isize {
    if WAITS == AS_READ && pipe.is_nonblock_sole(&sole) {
        return take_several_sole::<NOT>(sole, number, room, pipe, 0);
    }
    // SAFETY: the caller has found one.
    let lane = unsafe { pipe.queue.lanes.home_there_is() };
    // Relaxed: counts for this thread alone.
    let since = lane.since_poll.load(Relaxed);
    if WAITS != NOT && since < POLL_AFTER && lane.ring.is_open() && !lane.accepts.are_there() {
        if let Some((user, outcome)) = lane.ring.take_only(lane.slots_in_use()) {
            // SAFETY: the room is not empty.
            unsafe { room.get_unchecked_mut(0) }.write(RawEvent::of_words(user, outcome));
            pipe.queue.wake.0.empty_all(&sole);
            lane.since_poll.store(since + 1, Relaxed);
            pipe.attendance.count_harvest();
            pipe.queue.harvested_sole(&sole, 1);
            probes::harvest_one(pipe);
            return 1;
        }
    }
    take_several_sole::<WAITS>(sole, number, room, pipe, ns)
}

/// The same where it is not a single event.
#[inline(never)]
fn take_several_sole<const WAITS: u8>(
    sole: Sole,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
    ns: u64,
) -> isize {
    // SAFETY: the caller has found one.
    let lane = unsafe { pipe.queue.lanes.home_there_is() };
    // Relaxed: counts for this thread alone.
    let since = lane.since_poll.load(Relaxed);
    if since >= POLL_AFTER || lane.ring.is_empty() {
        drop(sole);
        return answer(harvest_slow(pipe, number, room, timeout::<WAITS>(pipe, ns)));
    }
    let count = take_ring::<Sole>(lane, room);
    if lane.ring.is_empty() {
        // Else there are more in its list.
        if lane.ring.is_open() {
            pipe.queue.wake.0.empty_all(&sole);
        }
    } else if pipe.is_nonblock() {
        leave_rest(pipe);
    }
    lane.since_poll.store(since + count as u32, Relaxed);
    pipe.attendance.count_harvest();
    pipe.queue.harvested_sole(&sole, count);
    probes::harvest(pipe, count);
    if WAITS != NOT || count == room.len() {
        return count as isize;
    }
    count as isize + poll_too(sole, number, room.get_mut(count..).unwrap_or(&mut []), pipe)
}

/// A harvest that does not wait has taken what was in its lane: it looks into the kernel all the same. How much more
/// there is.
#[inline(never)]
fn poll_too(sole: Sole, number: c_int, room: &mut [MaybeUninit<RawEvent>], pipe: &'static Pipe) -> isize {
    if pipe.queue.wake.0.filled() == 0 {
        return poll_sole::<NOT>(sole, number, room, pipe, 0).max(0);
    }
    drop(sole);
    answer(harvest_slow(pipe, number, room, Some(0))).max(0)
}

/// What a look into the kernel by a thread that went alone goes on with.
struct Polled<'a> {
    found: Found,
    number: c_int,
    room: &'a mut [MaybeUninit<RawEvent>],
}

/// A thread that goes alone has found no lane that holds anything: it looks into the kernel. `ns` says for how long,
/// FOR_A_TIME.
#[inline(never)]
fn poll_sole<const WAITS: u8>(
    sole: Sole,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
    ns: u64,
) -> isize {
    let sleeps = WAITS != NOT;
    if WAITS == AS_READ && pipe.is_nonblock_sole(&sole) {
        return poll_sole::<NOT>(sole, number, room, pipe, 0);
    }
    if if sleeps { pipe.is_nonblock_sole(&sole) } else { pipe.engine().alarm.has_expired() } {
        drop(sole);
        return answer(harvest_slow(pipe, number, room, timeout::<WAITS>(pipe, ns)));
    }
    // When it is to have waited long enough: before it waits. 0: at once; the last time there is: never.
    let deadline = if WAITS == FOR_A_TIME { deadline_after(ns) } else { ns };
    // SAFETY: the caller has found one.
    let most = unsafe { pipe.queue.lanes.home_there_is() }.most_edges();
    pipe.enter_sole(&sole, sleeps);
    drop(sole);
    let mut polled = Polled { found: Found::default(), number, room };
    let waited = if WAITS == FOR_A_TIME {
        answer(pipe.engine().wait(&mut polled.found, most, Some(ns)))
    } else {
        pipe.engine().wait_plainly(&mut polled.found, most, sleeps)
    };
    let Some(sole) = Sole::enter() else {
        if sleeps {
            pipe.queue.wake.0.unpark::<Shared>();
        }
        return answer(finish_shared(pipe, &mut polled, waited, deadline, Handled::default()));
    };
    pipe.unpark_sole(&sole, sleeps);
    if sleeps {
        if let Some(event) = Poller::handle_only(&sole, &polled.found) {
            // SAFETY: the room is not empty.
            unsafe { polled.room.get_unchecked_mut(0) }.write(event);
            // SAFETY: the caller has found one.
            let lane = unsafe { pipe.queue.lanes.home_there_is() };
            lane.learn(event.result as usize);
            finish_sole(&sole, pipe, lane, 1);
            probes::harvest_one(pipe);
            return 1;
        }
    }
    handle_sole(sole, pipe, &mut polled, waited, deadline)
}

/// Handles what such a look has found: `waited` edges, or -errno.
#[inline(never)]
fn handle_sole(sole: Sole, pipe: &'static Pipe, polled: &mut Polled, waited: isize, deadline: u64) -> isize {
    let sleeps = deadline != 0;
    let mut done = Handled::default();
    if waited >= 0 {
        // SAFETY: the caller has found one.
        let lane = unsafe { pipe.queue.lanes.home_there_is() };
        let most = lane.most_edges();
        done = Poller::handle_sole(&sole, &polled.found, pipe, lane, polled.room);
        if done.things == waited as usize && (done.events > 0 || !sleeps) {
            if waited == 0 {
                pipe.queue.count::<Sole>(Count::EmptyLooks);
            } else {
                probes::harvest(pipe, done.events);
            }
            finish_sole(&sole, pipe, lane, done.events);
            drop(sole);
            if sleeps || done.things < most || done.events == polled.room.len() {
                return done.events as isize;
            }
            return gather_rest(pipe, polled.number, polled.room, done.events);
        }
    }
    drop(sole);
    answer(finish_shared(pipe, polled, waited, deadline, done))
}

/// A thread that goes alone has looked into the kernel, and hands out so many events.
#[inline(always)]
fn finish_sole(sole: &Sole, pipe: &'static Pipe, lane: &Lane, events: usize) {
    // Relaxed: counts for this thread alone.
    lane.since_poll.store(events as u32, Relaxed);
    pipe.queue.harvested_sole(sole, events);
    pipe.leave_sole(sole);
}

/// When so many nanoseconds are over.
#[cold]
#[inline(never)]
fn deadline_after(ns: u64) -> u64 {
    process::now_for(ns).saturating_add(ns).min(u64::MAX - 1)
}

/// A harvest that does not wait has found as much as it looks for at once: there may be more.
#[cold]
#[inline(never)]
fn gather_rest(
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    count: usize,
) -> isize {
    let rest = room.get_mut(count..).unwrap_or(&mut []);
    (count + harvest_slow(pipe, number, rest, Some(0)).unwrap_or(0)) as isize
}

/// What a look of a thread that went alone has found is not all for the fast path, or the thread does not go alone any
/// more.
#[cold]
#[inline(never)]
fn finish_shared(
    pipe: &'static Pipe,
    polled: &mut Polled,
    waited: isize,
    deadline: u64,
    done: Handled,
) -> Result<usize> {
    let _errno = errno::Kept::new();
    let harvester = Harvester::new(pipe, standby::claim_lane(pipe));
    let Polled { found, number, room } = polled;
    let number = *number;
    let mut basket = Basket { room: room.get_mut(done.events..).unwrap_or(&mut []), count: done.events };
    if waited == 0 {
        pipe.queue.count::<Shared>(Count::EmptyLooks);
    }
    if waited >= 0 {
        harvester.handle(&mut basket, found, done.things);
    }
    let count = basket.count;
    harvester.finish(&basket);
    pipe.leave_shared();
    match waited {
        // It has not waited, and may have found as much as it looks for at once.
        1.. if deadline == 0 => Ok(gather_rest(pipe, number, room, count) as usize),
        _ if count > 0 => Ok(count),
        n if n == -(libc::EINTR as isize) => Err(Errno::EINTR),
        // Whatever else the matter is, it is found out anew.
        _ if deadline == u64::MAX => harvest_slow(pipe, number, room, None),
        // The time is over; what was there by then is harvested.
        0 => harvest_slow(pipe, number, room, Some(0)),
        _ => harvest_slow(pipe, number, room, Some(deadline.saturating_sub(process::now()))),
    }
}
