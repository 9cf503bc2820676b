//! The statistics of a pipe (`queue::counts`).
//!
//! A thread that asks changes nothing, and need not be admitted: otherwise one that only looks would end the fast path
//! of the thread that goes alone.

use super::lookup;
use crate::queue::counts::Count;
use crate::state::attachment::Entry;
use crate::state::pipe::Pipe;
use crate::stats::Stats;
use crate::sys::{Errno, Result, fd};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// The statistics of the pipe behind a descriptor. EBADF if that is not open, or if the pipe was closed or lost; EINVAL
/// if it is something else.
pub(crate) fn stats(number: c_int) -> Result<Stats> {
    let Entry::Pipe(pipe) = lookup::get(number) else { return Err(fd::unfit(number)) };
    let stats = stats_of(pipe);
    // Pipes live for ever, but this may have become another one meanwhile.
    if pipe.is_open_as(number) && pipe.is_whole() { Ok(stats) } else { Err(Errno::EBADF) }
}

/// Events that were harvested, places taken, and places ever taken for anything but reads (see `counts`): all at one
/// time, but for what other threads are about to count, unless they are at it all the time.
fn at_one_time(pipe: &Pipe) -> (u64, u64, u64) {
    /// How often it looks again.
    const PATIENCE: u32 = 100;
    let look = || (pipe.queue.counted(Count::Events), pipe.queue.counted_with_place());
    let (mut events, mut others) = look();
    for _ in 0..PATIENCE {
        let places = pipe.queue.places_taken() as u64;
        let again = look();
        if again == (events, others) {
            return (events, places, others);
        }
        (events, others) = again;
    }
    (events, pipe.queue.places_taken() as u64, others)
}

/// The same of a pipe.
pub(crate) fn stats_of(pipe: &Pipe) -> Stats {
    let counted = |what| pipe.queue.counted(what);
    let (events, places, others) = at_one_time(pipe);
    Stats {
        places,
        places_max: pipe.queue.most_places_taken().into(),
        capacity: pipe.queue.capacity() as u64,
        attached: pipe.attached.load(Relaxed) as u64,
        reads: (events + places).saturating_sub(others),
        writes: counted(Count::Writes),
        accepts: counted(Count::Accepts),
        connects: counted(Count::Connects),
        polls: counted(Count::Polls),
        transfers: counted(Count::Transfers),
        syncs: counted(Count::Syncs),
        shutdowns: counted(Count::Shutdowns),
        waits: counted(Count::Waits),
        timers: counted(Count::Timers),
        posts: counted(Count::Posts),
        inline: counted(Count::Inline),
        events,
        full: counted(Count::Full),
        takeovers: counted(Count::Takeovers),
        wakeups: pipe.engine().wakes(),
        empty_looks: counted(Count::EmptyLooks),
        expired: counted(Count::Expired),
        jobs: counted(Count::Jobs),
    }
}
