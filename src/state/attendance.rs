//! Whether a pipe is harvested, for the watchdog: what the threads that harvest leave word of, and what it says itself.
//! See `calls::watchdog` and `calls::standby`.

use super::watchdog::Watchdog;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32};

/// In `processor`: no thread has harvested yet.
const NO_PROCESSOR: i64 = -1;
/// Or several are in use.
const SEVERAL_PROCESSORS: i64 = -2;

/// See the module's head.
pub(crate) struct Attendance {
    pub(crate) watchdog: &'static Watchdog,
    /// Harvests that looked into the kernel so far, roughly.
    harvests: AtomicU32,
    /// The only one that the threads which harvest run on, or what the constants say. Relaxed: it matters to speed
    /// alone.
    processor: AtomicI64,
    /// The watchdog had to call those on standby, and allows none for a time. Relaxed, like `known`.
    relieved: AtomicBool,
    /// The watchdog knows the pipe.
    known: AtomicBool,
    /// The watchdog polls the pipe, or is about to.
    watched: AtomicBool,
}

impl Attendance {
    pub(crate) const fn new(watchdog: &'static Watchdog) -> Attendance {
        Attendance {
            watchdog,
            harvests: AtomicU32::new(0),
            processor: AtomicI64::new(NO_PROCESSOR),
            relieved: AtomicBool::new(false),
            known: AtomicBool::new(false),
            watched: AtomicBool::new(false),
        }
    }

    /// The life of the pipe begins.
    pub(crate) fn begin(&self) {
        self.processor.store(NO_PROCESSOR, Relaxed);
        self.relieved.store(false, Relaxed);
    }

    /// A thread harvests. The watchdog leaves a pipe alone as long as harvests come: also such that take what is in
    /// lanes, or what the watchdog finds would overtake that.
    #[inline(always)]
    pub(crate) fn count_harvest(&self) {
        // Relaxed, and not exact when several threads do it at once; but it changes.
        self.harvests.store(self.harvests.load(Relaxed).wrapping_add(1), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn harvests(&self) -> u32 {
        self.harvests.load(Relaxed)
    }

    /// A harvest begins, whose thread is among the users.
    #[inline]
    pub(crate) fn begin_harvest(&self) {
        self.count_harvest();
        self.wait_for_watchdog();
    }

    /// Waits until the watchdog, if it polls the pipe, is done.
    #[inline]
    pub(crate) fn wait_for_watchdog(&self) {
        if self.is_watched() {
            self.watchdog.wait();
        }
    }

    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(SeqCst)
    }

    pub(crate) fn set_watched(&self, watched: bool) {
        self.watched.store(watched, SeqCst);
    }

    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Relaxed)
    }

    pub(crate) fn set_known(&self, known: bool) {
        self.known.store(known, Relaxed);
    }

    pub(crate) fn set_relieved(&self, relieved: bool) {
        self.relieved.store(relieved, Relaxed);
    }

    /// Whether threads may be on standby: all run on one processor, and the watchdog looks after them.
    pub(crate) fn may_have_standby(&self) -> bool {
        self.is_on_one_processor() && self.is_known() && !self.relieved.load(Relaxed)
    }

    /// Whether all that harvest run on one and the same processor.
    pub(crate) fn is_on_one_processor(&self) -> bool {
        self.processor.load(Relaxed) >= 0
    }

    /// A thread that harvests can run on this processor only; `None`: on several. Whether all run on one.
    pub(crate) fn note_processor(&self, only: Option<u32>) -> bool {
        let mine = only.map_or(SEVERAL_PROCESSORS, i64::from);
        match self.processor.compare_exchange(NO_PROCESSOR, mine, Relaxed, Relaxed) {
            Ok(_) => mine != SEVERAL_PROCESSORS,
            Err(noted) if noted == mine => mine != SEVERAL_PROCESSORS,
            Err(_) => {
                self.processor.store(SEVERAL_PROCESSORS, Relaxed);
                false
            }
        }
    }
}
