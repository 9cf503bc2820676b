//! What the watchdog knows of pipes: which are harvested, which are deserted, and where threads on standby may have to
//! be called. See `calls::watchdog`.

use super::pipe::Pipe;
use super::polled_apart::Apart;
use core::ffi::c_int;

/// How often the watchdog looks whether a lively pipe still is one, in milliseconds. A pipe is found to be deserted
/// after two ticks at most: within the 20 ms of the rule.
pub(crate) const TICK: c_int = 8;
/// The same where threads are on standby, which may have to be called: within about 10 ms (rule 3.3).
const SHORT_TICK: c_int = 4;
/// For how long no thread is on standby in a pipe where those had to be called, in nanoseconds: at least, and at most.
const RELIEF: core::ops::RangeInclusive<u64> = 100_000_000..=64_000_000_000;
/// How often one on standby is asked whether that still is right, in nanoseconds.
const REVIEW: u64 = 1_000_000_000;

/// What the watchdog's thread keeps in mind.
pub(crate) struct Notes {
    pub(crate) known: Vec<Known>,
    pub(crate) polled: Vec<libc::pollfd>,
    pub(crate) apart: Vec<Apart>,
    /// When it last looked for misuse (`calls::lookout`).
    pub(crate) looked: u64,
}

impl Notes {
    pub(crate) const fn new() -> Notes {
        Notes { known: Vec::new(), polled: Vec::new(), apart: Vec::new(), looked: 0 }
    }
}

/// What the watchdog knows of a pipe.
pub(crate) struct Known {
    pub(crate) pipe: &'static Pipe,
    pub(crate) harvests: u32,
    /// Whether it was attended when it was last looked at.
    attended: bool,
    /// When there was last a sign that a thread harvests it.
    since: u64,
    pub(crate) deserted: bool,
    /// It was harvested since the time before.
    harvested: bool,
    pub(crate) relief: Relief,
    /// When one on standby was last called.
    reviewed: u64,
    /// How many places were taken when it was last looked at.
    places: c_int,
    /// Since when it has been full, and how many harvests there had been (`is_full_since`).
    full: Option<(u64, u32)>,
}

/// What the threads on standby in a pipe need.
pub(crate) enum Need {
    Nothing,
    /// One of them is called, or all are: the others are busy for long.
    Relief {
        all: bool,
    },
    /// One is asked whether it still is right that it is there.
    Review,
    /// Threads may be on standby again.
    NoRelief,
}

/// Whether some are on standby.
fn has_standby(pipe: &Pipe) -> bool {
    pipe.queue.wake.0.waiters.on_standby() > 0
}

/// When threads may be on standby again, and for how long they may not the next time.
pub(crate) struct Relief {
    until: u64,
    length: u64,
}

impl Relief {
    /// Those on standby had to be called.
    pub(crate) fn begin(&mut self, now: u64) {
        if now.saturating_sub(self.until) > *RELIEF.end() {
            self.length = *RELIEF.start();
        }
        self.until = now + self.length;
        self.length = (2 * self.length).min(*RELIEF.end());
    }

    /// How long no thread may be on standby from now on, in milliseconds, if there was a relief that is not over.
    pub(crate) fn rest(&self, now: u64) -> Option<c_int> {
        (self.until > now).then(|| (self.until - now).div_ceil(1_000_000) as c_int)
    }
}

impl Known {
    /// A pipe that it has not known until now.
    pub(crate) fn new(pipe: &'static Pipe, now: u64) -> Known {
        Known {
            pipe,
            attended: true,
            harvests: pipe.attendance.harvests(),
            since: now,
            deserted: false,
            harvested: false,
            relief: Relief { until: 0, length: *RELIEF.start() },
            reviewed: now,
            places: 0,
            full: None,
        }
    }

    /// Sees what has become of the pipe since the last time, and says what those on standby need.
    pub(crate) fn update(&mut self, now: u64) -> Need {
        let harvests = self.pipe.attendance.harvests();
        let attended = self.pipe.is_attended();
        self.harvested = harvests != self.harvests;
        if attended || self.attended || harvests != self.harvests {
            self.attended = attended;
            self.harvests = harvests;
            self.since = now;
        }
        let has_standby = has_standby(self.pipe);
        self.deserted = now - self.since >= self.tick() as u64 * 1_000_000;
        let places = self.pipe.queue.places_taken();
        let is_at_work = places != self.places;
        self.places = places;
        if self.deserted && has_standby {
            if !is_at_work {
                self.relief.begin(now);
            }
            self.since = now;
            self.deserted = false;
            Need::Relief { all: !is_at_work }
        } else if has_standby && now - self.reviewed >= REVIEW {
            self.reviewed = now;
            Need::Review
        } else if now >= self.relief.until {
            Need::NoRelief
        } else {
            Need::Nothing
        }
    }

    /// Since when it has been full, with no thread that harvests it, or that can know that there is nothing to harvest:
    /// for those who debug a program.
    pub(crate) fn is_full_since(&mut self, now: u64) -> Option<u64> {
        let pipe = self.pipe;
        let harvests = pipe.attendance.harvests();
        let is_known_to_have_nothing = pipe.is_nonblock() && pipe.queue.wake.0.filled() == 0;
        let is_full = pipe.queue.places_taken() >= pipe.queue.capacity();
        if !is_full || pipe.is_attended() || is_known_to_have_nothing {
            self.full = None;
        } else if self.full.is_none_or(|(_, before)| before != harvests) {
            self.full = Some((now, harvests));
        }
        self.full.map(|(since, _)| since)
    }

    pub(crate) fn tick(&self) -> c_int {
        if has_standby(self.pipe) { SHORT_TICK } else { TICK }
    }

    /// Whether it may become deserted without a word; or will probably be left soon, and to be told of that
    /// would cost more than to look again.
    pub(crate) fn is_lively(&self) -> bool {
        !self.deserted && (self.harvested || !self.pipe.is_attended())
    }

    /// Its descriptor is readable as long as no thread harvests what is there already: not to be waited for, but to be
    /// polled from time to time.
    pub(crate) fn is_readable_for_long(&self) -> bool {
        self.deserted && self.pipe.is_nonblock() && self.pipe.queue.wake.0.filled() != 0
    }
}
