//! Posting (rule 3.5).
//!
//! Posted events go into the common lane: into its ring, for which no node is needed and no lock of the lane, or, when
//! that is full, into its list. Threads that post take turns by a lock of their own: the one that has it is the owner
//! of that ring (`ring`), so that it and the threads that harvest do not wait for each other.
//!
//! With the lock held a thread that posts need not count itself among the users of the pipe: one that closes the pipe
//! says so, *then* takes the lock; one that posts takes the lock, *then* looks whether the pipe is open. So it does all
//! under the lock, and uses the waker there, too: after it the pipe may be another.

use super::places::take_places;
use crate::event::RawEvent;
use crate::queue::counts::Count;
use crate::queue::lanes::COMMON;
use crate::state::handover;
use crate::state::pipe::Pipe;
use crate::sync::access::Shared;
use crate::sync::ring;
use crate::sync::wake::bit;
use crate::sys::{Errno, Result};
use core::ffi::c_int;

/// Posts events to the pipe that was found under a number; returns how many had a place, at least one.
/// EIOEVENTFULL; ENOMEM; EBADF if it is not the one behind the number any more.
pub(crate) fn post(pipe: &Pipe, number: c_int, events: &[RawEvent]) -> Result<usize> {
    let _turn = pipe.queue.posting.0.lock();
    if !pipe.is_open_as(number) || pipe.is_lost() {
        return Err(Errno::EBADF);
    }
    let places = take_places(pipe, events.len())?;
    let events = events.get(..places).unwrap_or(events);
    let mut posted = post_into_ring(pipe, events);
    if posted < places {
        posted += wait_for_room(pipe, events.get(posted..).unwrap_or(&[]));
        posted += post_into_list(pipe, events.get(posted..).unwrap_or(&[]));
        pipe.queue.give_places(places - posted);
    }
    // The lock makes the common lane's counts this thread's.
    pipe.queue.count_in(pipe.queue.lanes.get(COMMON), Count::Posts, posted as u64);
    if posted == 0 { Err(Errno::ENOMEM) } else { Ok(posted) }
}

/// The ring is full: a thread that harvests as fast as this one posts makes room soon. Otherwise the events go into
/// the list, from the beginning of which until its end none goes into the ring.
#[cold]
fn wait_for_room(pipe: &Pipe, events: &[RawEvent]) -> usize {
    /// How often it looks.
    const PATIENCE: u32 = 100;
    let mut posted = 0;
    for _ in 0..PATIENCE {
        if posted == events.len() || !pipe.queue.lanes.get(COMMON).ring.is_open() {
            break;
        }
        core::hint::spin_loop();
        posted += post_into_ring(pipe, events.get(posted..).unwrap_or(&[]));
    }
    posted
}

/// How many had room.
fn post_into_ring(pipe: &Pipe, events: &[RawEvent]) -> usize {
    let lane = pipe.queue.lanes.get(COMMON);
    if !lane.is_prepared() && !lane.prepare() {
        return 0;
    }
    let (posted, is_first) = lane.ring.put_all(
        lane.slots_in_use(),
        events.iter().map(|event| {
            handover::hand_in(pipe, event.user as usize);
            (event.user as u64, ring::pack(event.result as u32, event.errno))
        }),
    );
    if is_first {
        pipe.queue.wake.0.fill::<Shared>(bit(COMMON));
        pipe.announce(COMMON);
    }
    posted
}

/// How many there was a node for.
#[cold]
fn post_into_list(pipe: &Pipe, events: &[RawEvent]) -> usize {
    let lane = pipe.queue.lanes.get(COMMON);
    let locked = lane.lock();
    let (mut posted, mut was_empty) = (0, false);
    for event in events {
        let Ok(op) = lane.stock().take(pipe.ops()) else { break };
        op.become_event(event.user as usize, event.result as u32, event.errno);
        handover::hand_in(pipe, event.user as usize);
        was_empty |= locked.push(op).1;
        posted += 1;
    }
    if was_empty {
        pipe.queue.wake.0.fill::<Shared>(bit(COMMON));
        drop(locked);
        pipe.announce(COMMON);
    }
    posted
}
