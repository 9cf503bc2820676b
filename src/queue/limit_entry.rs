//! Times in ticks, for limits that nearly never expire, and the entries of the heap that says when to look at them. See
//! `limits`.
//!
//! Times are in nanoseconds of CLOCK_MONOTONIC, or in ticks of 2^20 of them, which wrap around after 52 days: no limit
//! that is kept in ticks is longer than 20 days.

use crate::sys::process;
use core::cmp::Ordering;
use core::ffi::c_int;

/// The lowest bits of a time that is a tick.
pub(crate) const TICK: u32 = 20;
/// The lowest bits of a time that are below a fraction.
pub(crate) const BELOW: u32 = 4;

/// An entry of the heap; the earliest is the greatest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LimitEntry {
    pub(crate) ticks: u32,
    pub(crate) number: c_int,
}

impl LimitEntry {
    /// Its time in nanoseconds.
    pub(crate) fn time(&self) -> u64 {
        nanoseconds(self.ticks, 0)
    }
}

impl Ord for LimitEntry {
    fn cmp(&self, other: &LimitEntry) -> Ordering {
        (other.ticks.wrapping_sub(self.ticks) as i32).cmp(&0).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for LimitEntry {
    fn partial_cmp(&self, other: &LimitEntry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A time near now, given in ticks and a fraction.
pub(crate) fn nanoseconds(ticks: u32, fraction: u16) -> u64 {
    let now = process::now() >> TICK;
    let from_now = i64::from(ticks.wrapping_sub(now as u32) as i32);
    now.saturating_add_signed(from_now) << TICK | u64::from(fraction) << BELOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_entry_is_the_greatest_also_where_ticks_wrap_around() {
        let mut heap = std::collections::BinaryHeap::new();
        for ticks in [5, u32::MAX - 3, 0, u32::MAX, 9] {
            heap.push(LimitEntry { ticks, number: 1 });
        }
        let order: Vec<u32> = core::iter::from_fn(|| heap.pop()).map(|entry| entry.ticks).collect();
        assert_eq!(order, [u32::MAX - 3, u32::MAX, 0, 5, 9]);
    }

    #[test]
    fn a_time_near_now_is_what_it_was() {
        let time = process::now() + 123_456_789_012;
        let back = nanoseconds((time >> TICK) as u32, (time >> BELOW) as u16);
        assert_eq!(back, time >> BELOW << BELOW);
    }
}
