//! What the watchdog looks out for on behalf of those who debug a program (IOEVENT_DEBUG): descriptors that were closed
//! by plain close(2), pipes that are full and not harvested, calls that wait on descriptors that are not attached.

use crate::engine::misuse::{self, Others};
use crate::state::known_pipes::{Known, Notes};
use crate::state::outstanding::{Fault, Inside};
use crate::state::pipe::Pipe;
use crate::state::{blocked, faults};
use crate::sync::access::Revoked;
use crate::sys::nature;
use core::ffi::c_int;
use core::fmt;

/// How often it looks, in milliseconds.
pub(super) const LOOK: c_int = 250;
/// For how long a pipe may be full, and a call may wait, in nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// Looks, if it is time. No lock is held.
pub(super) fn look(notes: &mut Notes, now: u64) {
    if now - notes.looked < LOOK as u64 * 1_000_000 {
        return;
    }
    notes.looked = now;
    {
        let _revoked = Revoked::begin();
        misuse::look_for_closed();
    }
    for known in &mut notes.known {
        if known.is_full_since(now).is_some_and(|since| now - since >= PATIENCE) {
            report_full(known);
        }
    }
    blocked::each_since(now.saturating_sub(PATIENCE), |call, thread| {
        let was_detached = |register: &mut Inside| register.was_detached(call.fd, nature::identity(call.fd));
        if faults::with(was_detached) == Some(true) {
            return;
        }
        faults::report(
            Fault::Blocks,
            call.fd,
            0,
            format_args!(
                "{call} has waited for a second, and thread {thread} with it: the descriptor is not attached to a pipe \
                 (and so has no user pointer)"
            ),
        );
    });
}

fn report_full(known: &Known) {
    let pipe = known.pipe;
    let (number, places) = (pipe.number(), pipe.queue.places_taken());
    report_full_by(
        pipe,
        format_args!(
            "pipe {number} has been full for a second, and no thread has harvested it: all {places} places are taken"
        ),
    );
}

fn report_full_by(pipe: &Pipe, head: fmt::Arguments) {
    let number = pipe.number();
    let oldest = faults::with(|register| register.oldest(|op| op.pipe == pipe.index())).flatten();
    match oldest {
        Some((oldest, count)) => {
            let state = if oldest.waits { "outstanding" } else { "complete" };
            faults::report(
                Fault::Full,
                number,
                0,
                format_args!("{head}, the first by {oldest}, which is {state}{}", Others(count - 1)),
            );
        }
        None => faults::report(Fault::Full, number, 0, format_args!("{head}, by events that were posted")),
    }
}
