//! What race detectors are told (`sys::race`): to queue an operation, and to post an event, happens before it is
//! harvested (rule 5.6). They are told on the slow path only: where there is a detector, the fast path is closed.

use crate::event::RawEvent;
use crate::state::pipe::Pipe;
use crate::sys::race;

/// An operation or a posted event with this user pointer can be harvested from now on.
#[inline]
pub(crate) fn hand_in(pipe: &Pipe, user: usize) {
    race::release(key(pipe, user));
}

/// The calling thread has harvested these.
#[inline]
pub(crate) fn hand_out<'a>(pipe: &Pipe, events: impl Iterator<Item = &'a RawEvent>) {
    if race::is_present() {
        events.for_each(|event| race::acquire(key(pipe, event.user as usize)));
    }
}

/// A word of the pipe for each user pointer; few have the same. With one key for all, a race between two threads
/// that handle different descriptors would mostly go unseen.
#[inline]
fn key(pipe: &Pipe, user: usize) -> usize {
    const WORD: usize = size_of::<usize>();
    // 2^64 over the golden ratio: it spreads addresses that lie close together, or at equal distances.
    let spread = user.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (usize::BITS / 2);
    core::ptr::from_ref(pipe) as usize + spread % (size_of::<Pipe>() / WORD) * WORD
}
