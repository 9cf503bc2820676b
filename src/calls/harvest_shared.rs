//! Harvesting by the fast path, where several threads make calls: a thread takes what its own lane holds, or looks into
//! the kernel once, or both.
//!
//! What a thread has taken waits for it, also while something else runs in its place. So where others harvest the same
//! pipe it takes a few edges at a time (`Pipe::most_edges`), and the rest is there for the others. If it has left some,
//! it looks again with its next harvest, whatever that takes out of the lane: that costs no more calls, and a harvest
//! less for each look.

use super::answer::answer;
use super::harvester::{Basket, Harvester, POLL_AFTER, harvest_slow, leave_rest, take_ring};
use crate::engine::{Engine, Found};
use crate::event::RawEvent;
use crate::queue::counts::Count;
use crate::queue::lane::Lane;
use crate::queue::lanes::COMMON;
use crate::state::pipe::Pipe;
use crate::state::poller::Poller;
use crate::state::probes;
use crate::sync::access::{self, Shared};
use crate::sync::wake::{Park, bit};
use crate::sys::{errno, observers};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::Relaxed;

/// `harvest` for a thread that does not go alone.
#[inline(never)]
pub(super) fn harvest_shared(
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    pipe: &'static Pipe,
    timeout: Option<u64>,
) -> isize {
    let outcome = harvest_at_once(pipe, number, room, timeout);
    if outcome != 0 { outcome } else { otherwise(pipe, number, room, timeout) }
}

#[cold]
#[inline(never)]
fn otherwise(
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    timeout: Option<u64>,
) -> isize {
    answer(harvest_slow(pipe, number, room, timeout))
}

/// How many events there were; 0: use `harvest_slow`; -EINTR.
#[inline(always)]
fn harvest_at_once(
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    timeout: Option<u64>,
) -> isize {
    // One that does not wait takes all there is (rule 3.2).
    if !access::is_shared() || observers::are_there() || timeout == Some(0) {
        return 0;
    }
    let Some(me) = pipe.queue.lanes.find_at_once() else { return 0 };
    let lane = pipe.queue.lanes.get(me);
    // What is in the lanes of others that come back to harvest them is theirs.
    let stealable = pipe.queue.wake.0.stealable(me, pipe.is_nonblock());
    let waits = stealable == 0;
    if waits {
        if timeout.is_some() {
            return 0;
        }
        if lane.expects_posts() && expect_posts(pipe, lane) {
            return take_posted(pipe, lane, number, room);
        }
    } else if stealable == bit(COMMON) {
        return take_posted(pipe, lane, number, room);
    } else if stealable != lane.bit() {
        return 0;
    // Relaxed: counts for this thread alone.
    } else if !lane.has_left_some() && lane.since_poll.load(Relaxed) < POLL_AFTER {
        return take_at_once(pipe, lane, number, room);
    }
    // SAFETY: there is a pipe, so the world was made, which prepares it.
    let _errno = unsafe { errno::KeptQuickly::new() };
    poll_at_once(pipe, lane, number, room, waits)
}

/// Takes events out of the ring of the calling thread's own lane, which is the only one that holds any for it. How many
/// there were; 0: use `harvest_slow`.
///
/// It does not count itself among the users of the pipe. Instead it makes sure that the pipe is open, with the lane
/// locked: a thread that closes the pipe locks each lane after it has said so. It makes no call of libc's, and so
/// leaves `errno` alone.
#[inline(always)]
fn take_at_once(
    pipe: &'static Pipe,
    lane: &Lane,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
) -> isize {
    let Some(locked) = lane.try_lock() else { return 0 };
    if !pipe.is_open_as(number) || !lane.ring.is_open() {
        return 0;
    }
    let count = take_ring::<Shared>(lane, room);
    let is_empty = lane.ring.is_empty();
    if is_empty {
        // It stays empty: this thread is the owner, and the lane is its own now.
        pipe.queue.wake.0.empty::<Shared>(lane.bit());
    }
    // Relaxed: counts for this thread alone.
    lane.since_poll.store(lane.since_poll.load(Relaxed) + count as u32, Relaxed);
    pipe.attendance.count_harvest();
    pipe.queue.harvested_by(lane, count);
    probes::harvest(pipe, count);
    if !is_empty {
        drop(locked);
        leave_rest(pipe);
    }
    count as isize
}

/// Takes events out of the ring of the common lane, which is the only one that holds any for the calling thread: others
/// have posted them. As `take_at_once`.
#[inline(never)]
fn take_posted(pipe: &'static Pipe, lane: &Lane, number: c_int, room: &mut [MaybeUninit<RawEvent>]) -> isize {
    // Relaxed: counts for this thread alone.
    let since = lane.since_poll.load(Relaxed);
    let common = pipe.queue.lanes.get(COMMON);
    if since >= POLL_AFTER {
        return 0;
    }
    let Some(locked) = common.try_lock() else { return 0 };
    if !pipe.is_open_as(number) || !common.ring.is_open() {
        return 0;
    }
    let count = take_ring::<Shared>(common, room);
    let is_empty = pipe.queue.unmark_if_empty(common.bit(), || common.ring.is_empty());
    pipe.queue.harvested_by(lane, count);
    probes::harvest(pipe, count);
    drop(locked);
    lane.since_poll.store(since + count as u32, Relaxed);
    pipe.attendance.count_harvest();
    lane.expect_posts_on();
    if !is_empty {
        leave_rest(pipe);
    }
    count as isize
}

/// A thread to which others post again and again has found nothing: before it goes to sleep, which costs it and the one
/// that posts next a call each, it looks whether that is about to post, for a time that is short beside these. Whether
/// it was, and there is nothing else.
#[inline(never)]
fn expect_posts(pipe: &Pipe, lane: &Lane) -> bool {
    /// How often it looks.
    const LOOKS: u32 = 5;
    /// The time between two looks. In it several may come, for which the two threads meet once.
    const PAUSES: u32 = 32;
    if pipe.attendance.is_on_one_processor() {
        return false;
    }
    for _ in 0..LOOKS {
        (0..PAUSES).for_each(|_| core::hint::spin_loop());
        let filled = pipe.queue.wake.0.filled();
        if filled & (bit(COMMON) | lane.bit()) != 0 {
            return filled & (bit(COMMON) | lane.bit()) == bit(COMMON);
        }
    }
    lane.expect_posts_less();
    false
}

/// Looks into the kernel, once; `waits`: for ever, if it finds nothing, and the lane is empty. Otherwise the thread
/// takes what is in its lane before.
#[inline(always)]
fn poll_at_once(
    pipe: &'static Pipe,
    lane: &'static Lane,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    waits: bool,
) -> isize {
    let Some(_in_use) = pipe.enter_as(number) else { return 0 };
    if waits && pipe.is_nonblock() {
        return 0;
    }
    pipe.attendance.begin_harvest();
    let wake = &pipe.queue.wake.0;
    let mut count = 0;
    if waits {
        match wake.park(lane.index(), false, pipe.engine()) {
            Park::Wait => {}
            Park::Standby => {
                wake.waiters.step_out(pipe.engine());
                return 0;
            }
            Park::Take => return 0,
        }
        if pipe.is_closing() {
            wake.unpark::<Shared>();
            return 0;
        }
    } else {
        let Some(locked) = lane.try_lock() else { return 0 };
        if !lane.ring.is_open() {
            return 0;
        }
        count = take_ring::<Shared>(lane, room);
        if !lane.ring.is_empty() {
            drop(locked);
            return finish(pipe, lane, count, count);
        }
        // It stays empty, as in `take_at_once`, so that what is found now overtakes nothing.
        wake.empty::<Shared>(lane.bit());
    }
    let room = room.get_mut(count..).unwrap_or(&mut []);
    if room.is_empty() {
        return finish(pipe, lane, count, count);
    }
    let most = pipe.queue.most_edges(lane, room.len(), waits, pipe.attendance.harvests());
    let mut found = Found::default();
    let waited = pipe.engine().wait_plainly(&mut found, most, waits);
    if waits {
        wake.unpark::<Shared>();
    }
    let Ok(things) = usize::try_from(waited) else {
        finish(pipe, lane, count, count);
        return if count > 0 || waited != -(libc::EINTR as isize) { count as isize } else { waited };
    };
    lane.set_left_some(things == most);
    if things == 0 {
        pipe.queue.count_in(lane, Count::EmptyLooks, 1);
    }
    let done = Poller::handle_shared(&found, pipe, lane, room);
    if done.things == things {
        return finish(pipe, lane, count + done.events, done.events);
    }
    let harvester = Harvester::new(pipe, lane.index());
    let rest = room.get_mut(done.events..).unwrap_or(&mut []);
    let mut basket = Basket { room: rest, count: count + done.events };
    harvester.handle(&mut basket, &found, done.things);
    harvester.finish(&basket);
    basket.count as isize
}

/// Leaves with so many events, of which so many were harvested since the thread looked into the kernel last.
#[inline(always)]
fn finish(pipe: &Pipe, lane: &Lane, count: usize, since_poll: usize) -> isize {
    // Relaxed: counts for this thread alone.
    lane.since_poll.store(since_poll as u32, Relaxed);
    if count > 0 {
        pipe.queue.harvested_by(lane, count);
        probes::harvest(pipe, count);
    }
    pipe.queue.wake.0.leave(pipe.is_nonblock(), pipe.engine());
    count as isize
}
