//! Statistics for other processes (`stats_page`).

use super::stats;
use crate::state::private;
use crate::state::stats_page::Record;
use crate::state::world::World;
use crate::sys::observers;
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// A pipe was made: whether its statistics are to be published.
pub(super) fn begin(world: &World) -> bool {
    let is_wanted = observers::is_published();
    if is_wanted {
        world.page.make(|file| {
            world.lose_to_watchdog(&[file.raw()]);
            // In the table of private numbers, so that a child does not keep it.
            private::keep(file).is_ok()
        });
    }
    is_wanted
}

/// Publishes the statistics of all pipes if it is time for that, or `at_once`. How long it is until it is time, in
/// milliseconds; `None`: never.
pub(super) fn publish(world: &World, now: u64, at_once: bool) -> Option<c_int> {
    if !world.page.is_there() {
        return None;
    }
    let records = world.pipes.in_use().filter(|pipe| pipe.number() >= 0).map(|pipe| Record {
        number: pipe.number(),
        life: pipe.life.load(Relaxed),
        stats: stats::stats_of(pipe),
    });
    world.page.publish(now, at_once, records)
}
