//! Harvesting by the fast path, by a thread that goes alone: it takes what its own lane holds, or looks into the kernel
//! once. See `wake` for how threads sleep and are woken.

use super::harvest_shared::harvest_shared;
use super::harvester::{Basket, Harvester, POLL_AFTER, answer, harvest_slow, leave_rest, take_ring};
use crate::Event;
use crate::engine::epoll::{Edge, Found, Handled};
use crate::state::pipe::Pipe;
use crate::sync::access::{Shared, Sole};
use crate::sys::{Errno, Result, errno, process};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::Relaxed;

/// Takes out up to `room.len()` events, which is not 0, of the pipe that was found under `number`. Waits for the first
/// for `timeout` nanoseconds (`None`: for ever). How many there were, 0 only when the time is over; or -errno.
#[inline(never)]
pub(crate) fn harvest(
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<Event>],
    timeout: Option<u64>,
) -> isize {
    if let Some(sole) = Sole::enter() {
        if let Some(lane) = pipe.home() {
            let filled = pipe.wake.0.filled();
            if filled == 0 {
                return match timeout {
                    None => poll_sole::<FOREVER>(sole, pipe, number, room, u64::MAX),
                    Some(0) => poll_sole::<NOT>(sole, pipe, number, room, 0),
                    Some(ns) => poll_sole::<FOR_A_TIME>(sole, pipe, number, room, ns),
                };
            }
            if filled == lane.bit() {
                return take_sole(sole, pipe, number, room, timeout);
            }
        }
        drop(sole);
        return answer(harvest_slow(number, room, timeout));
    }
    harvest_shared(pipe, number, room, timeout)
}

/// A thread that goes alone takes events out of the ring of its own lane, which is the only one that holds any, if it
/// is not yet time to look into the kernel.
#[inline(never)]
fn take_sole(
    sole: Sole,
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<Event>],
    timeout: Option<u64>,
) -> isize {
    // SAFETY: the caller has found one.
    let lane = unsafe { pipe.home_there_is() };
    // Relaxed: counts for this thread alone.
    let since = lane.since_poll.load(Relaxed);
    if since < POLL_AFTER && !lane.ring.is_empty() {
        let count = take_ring::<Sole>(lane, room);
        if lane.ring.is_empty() {
            // Else there are more in its list.
            if lane.ring.is_open() {
                pipe.wake.0.empty::<Sole>(lane.bit());
            }
        } else if pipe.is_nonblock() {
            leave_rest(pipe);
        }
        lane.since_poll.store(since + count as u32, Relaxed);
        pipe.give_places_at_once::<Sole>(count);
        if timeout != Some(0) || count == room.len() {
            return count as isize;
        }
        return count as isize + poll_too(sole, pipe, number, room.get_mut(count..).unwrap_or(&mut []));
    }
    drop(sole);
    answer(harvest_slow(number, room, timeout))
}

/// A harvest that does not wait has taken what was in its lane: it looks into the kernel all the same. How much more
/// there is.
#[inline(never)]
fn poll_too(sole: Sole, pipe: &'static Pipe, number: c_int, room: &mut [MaybeUninit<Event>]) -> isize {
    if pipe.wake.0.filled() == 0 {
        return poll_sole::<NOT>(sole, pipe, number, room, 0).max(0);
    }
    drop(sole);
    answer(harvest_slow(number, room, Some(0))).max(0)
}

/// How long `poll_sole` waits.
const FOREVER: u8 = 0;
const NOT: u8 = 1;
const FOR_A_TIME: u8 = 2;

/// A thread that goes alone has found no lane that holds anything: it looks into the kernel. `ns` says for how long,
/// FOR_A_TIME.
#[inline(never)]
fn poll_sole<const WAITS: u8>(
    sole: Sole,
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<Event>],
    ns: u64,
) -> isize {
    let sleeps = WAITS != NOT;
    if if sleeps { pipe.is_nonblock() } else { pipe.engine().alarm.has_expired() } {
        drop(sole);
        let timeout = if WAITS == FOREVER { None } else { Some(ns) };
        return answer(harvest_slow(number, room, timeout));
    }
    // Before it waits, the time at which that is over.
    let deadline = if WAITS == FOR_A_TIME { deadline_after(ns) } else { ns };
    // SAFETY: the caller has found one.
    let lane = unsafe { pipe.home_there_is() };
    pipe.enter_sole(&sole, sleeps);
    drop(sole);
    let most = lane.most_edges();
    let mut found = Found::default();
    let waited = if WAITS == FOR_A_TIME {
        answer(pipe.engine().wait(&mut found, most, Some(ns)).map(<[Edge]>::len))
    } else {
        pipe.engine().wait_plainly(&mut found, most, sleeps)
    };
    let mut done = Handled::default();
    if let Some(sole) = Sole::enter() {
        pipe.unpark_sole(&sole, sleeps);
        if waited >= 0 {
            // SAFETY: the kernel has filled so many.
            let edges = unsafe { found.first(waited as usize) };
            done = pipe.engine().handle_sole(&sole, edges, pipe, lane, room);
            if done.edges == edges.len() && (done.events > 0 || !sleeps) {
                // Relaxed: counts for this thread alone.
                lane.since_poll.store(done.events as u32, Relaxed);
                pipe.give_places_at_once::<Sole>(done.events);
                pipe.leave_sole(&sole);
                drop(sole);
                if sleeps || done.edges < most || done.events == room.len() {
                    return done.events as isize;
                }
                return gather_rest(number, room, done.events);
            }
        }
    } else if sleeps {
        pipe.wake.0.unpark::<Shared>();
    }
    answer(finish_shared(pipe, number, room, done, &found, waited, deadline))
}

/// When so many nanoseconds are over.
#[cold]
#[inline(never)]
fn deadline_after(ns: u64) -> u64 {
    /// Limits as long as this are counted by the clock that costs less: they may end some ten milliseconds late.
    const LONG: u64 = 10_000_000_000;
    let now = if ns >= LONG { process::now_or_later() } else { process::now() };
    now.saturating_add(ns).min(u64::MAX - 1)
}

/// A harvest that does not wait has found as much as it looks for at once: there may be more.
#[cold]
#[inline(never)]
fn gather_rest(number: c_int, room: &mut [MaybeUninit<Event>], count: usize) -> isize {
    let rest = room.get_mut(count..).unwrap_or(&mut []);
    (count + harvest_slow(number, rest, Some(0)).unwrap_or(0)) as isize
}

/// What a look of a thread that went alone has found is not all for the fast path, or the thread does not go alone any
/// more.
#[cold]
#[inline(never)]
fn finish_shared(
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<Event>],
    done: Handled,
    found: &Found,
    waited: isize,
    deadline: u64,
) -> Result<usize> {
    let _errno = errno::Kept::new();
    let harvester = Harvester::new(pipe, pipe.claim_lane());
    let mut basket = Basket { room: room.get_mut(done.events..).unwrap_or(&mut []), count: done.events };
    if let Ok(count) = usize::try_from(waited) {
        // SAFETY: the kernel has filled so many.
        let edges = unsafe { found.first(count) };
        harvester.handle(&mut basket, edges.get(done.edges..).unwrap_or(&[]), count);
    }
    let count = basket.count;
    harvester.finish(&basket);
    pipe.leave_shared();
    match waited {
        // It has not waited, and may have found as much as it looks for at once.
        1.. if deadline == 0 => Ok(gather_rest(number, room, count) as usize),
        _ if count > 0 => Ok(count),
        n if n == -(libc::EINTR as isize) => Err(Errno::EINTR),
        // Whatever else the matter is, it is found out anew.
        _ if deadline == u64::MAX => harvest_slow(number, room, None),
        // The time is over; what was there by then is harvested.
        0 => harvest_slow(number, room, Some(0)),
        _ => harvest_slow(number, room, Some(deadline.saturating_sub(process::now()))),
    }
}
