//! Memory in which the statistics of all pipes are published to other processes: IOEVENT_STATS, ioevent_stats(3).
//!
//! # Protocol
//!
//! It is a file in memory, which others find among this process's descriptors. One thread at a time writes, under a
//! lock. It makes the number of changes odd, *then* writes, *then* makes the number even again. A reader copies all of
//! it, and looks at the number before and after that.
//!
//! Once made it stays until the process ends, since a thread that has lost its turn may still write. A forked child
//! neither has the memory nor, after a while, the descriptor (`private`).

use crate::stats::Stats;
use crate::sync::lock::Mutex;
use crate::sys::{Result, fd, memory, process};
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU64, fence};

/// "iostats1": which layout it has.
const LAYOUT: u64 = u64::from_le_bytes(*b"iostats1");
/// How often it is published, in nanoseconds.
const PERIOD: u64 = 1_000_000_000;

/// Words before the records, of a record, of a record before its statistics, and how many records there is room for.
const HEAD: usize = 8;
const RECORD: usize = 32;
const BEFORE: usize = 3;
const RECORDS: usize = 255;
const BYTES: usize = 64 * 1024;
const _: () = assert!((HEAD + RECORDS * RECORD) * size_of::<u64>() <= BYTES);
const _: () = assert!(BEFORE * size_of::<u64>() + size_of::<Stats>() <= RECORD * size_of::<u64>());

/// Words of the head.
const CHANGES: usize = 1;
const TIME: usize = 2;
const PIPES: usize = 4;

type Words = [AtomicU64; BYTES / size_of::<u64>()];

/// What is published of one pipe.
pub(crate) struct Record {
    pub(crate) number: c_int,
    pub(crate) life: u64,
    pub(crate) stats: Stats,
}

/// See the module's head.
pub(crate) struct StatsPage {
    words: AtomicPtr<Words>,
    /// Held by a thread that makes or writes it; and when it is to be written next.
    due: Mutex<u64>,
}

impl StatsPage {
    pub(crate) const fn new() -> StatsPage {
        StatsPage { words: AtomicPtr::new(null_mut()), due: Mutex::new(0) }
    }

    /// Makes it, unless it is there. `keep` keeps its descriptor; false if it cannot.
    pub(crate) fn make(&self, keep: impl FnOnce(fd::OwnedFd) -> bool) {
        let _turn = self.due.lock();
        if self.words().is_some() {
            return;
        }
        if let Ok((words, file)) = create() {
            if keep(file) {
                // Release pairs with the Acquire in `words`.
                self.words.store(words, Release);
            }
        }
    }

    fn words(&self) -> Option<&Words> {
        // SAFETY: null, or memory that is never unmapped.
        unsafe { self.words.load(Acquire).as_ref() }
    }

    /// Whether it is there.
    pub(crate) fn is_there(&self) -> bool {
        self.words().is_some()
    }

    /// Publishes the records if it is time for that, or `at_once`. How long it is until it is time, in milliseconds;
    /// `None`: never.
    pub(crate) fn publish(
        &self,
        now: u64,
        at_once: bool,
        records: impl Iterator<Item = Record>,
    ) -> Option<c_int> {
        let words = self.words()?;
        let mut due = self.due.lock();
        if at_once || now >= *due {
            *due = now + PERIOD;
            write(words, now, records);
        }
        Some((due.saturating_sub(now)).div_ceil(1_000_000) as c_int)
    }
}

fn create() -> Result<(*mut Words, fd::OwnedFd)> {
    let (start, file) = memory::share(c"ioevent-stats", BYTES)?;
    let words = start.as_ptr().cast::<Words>();
    let head = [LAYOUT, 0, 0, process::id() as u64, 0, HEAD as u64, RECORD as u64, RECORDS as u64];
    // SAFETY: mapped, zeroed, and never unmapped.
    for (word, value) in unsafe { &*words }.iter().zip(head) {
        word.store(value, Relaxed);
    }
    Ok((words, file))
}

fn write(words: &Words, now: u64, records: impl Iterator<Item = Record>) {
    let set = |index: usize, value: u64| {
        if let Some(word) = words.get(index) {
            // Relaxed: the number of changes orders them.
            word.store(value, Relaxed);
        }
    };
    let [_, changes, ..] = words;
    let before = changes.load(Relaxed);
    changes.store(before | 1, Relaxed);
    // Pairs with the fence of a reader: who sees what follows, sees the odd number.
    fence(Release);
    set(TIME, now);
    let mut pipes = 0;
    for Record { number, life, stats } in records {
        if pipes < RECORDS {
            let at = HEAD + pipes * RECORD;
            let before = [number as u64, life, size_of::<Stats>() as u64];
            for (index, value) in before.iter().chain(stats.words()).enumerate() {
                set(at + index, *value);
            }
        }
        pipes += 1;
    }
    set(PIPES, pipes as u64);
    // Release: as the fence, for a reader that sees this.
    words.get(CHANGES).into_iter().for_each(|changes| changes.store((before | 1) + 1, Release));
}
