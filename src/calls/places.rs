//! How a call gets places that the fast path has not got, and how it is noted that there is none.

use crate::queue::counts::Count;
use crate::state::pipe::Pipe;
use crate::state::probes;
use crate::sys::Result;

/// Takes up to `wanted` places; returns how many, at least one, or EIOEVENTFULL.
#[inline]
pub(super) fn take_places(pipe: &Pipe, wanted: usize) -> Result<usize> {
    pipe.queue.take_places(wanted).inspect_err(|_| note_full(pipe))
}

#[cold]
fn note_full(pipe: &Pipe) {
    pipe.queue.counts.0.add(Count::Full, 1);
    probes::full(pipe);
}
