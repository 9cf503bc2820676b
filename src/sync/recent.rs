//! Which threads look into the kernel these days: an estimate, by which a thread that does so takes more or less at a
//! time.
//!
//! `now` has a bit for each lane whose owner has looked since a while ago, and `before` one for each that has in the
//! while before. With every so many looks one becomes the other. All accesses are Relaxed: nothing depends on what is
//! read but how much a thread takes.
//!
//! `tests/loom/` compiles this file under loom, as a part of `wake`.

use super::atomic::AtomicU64;
use super::atomic::Ordering::Relaxed;

/// How many looks a while lasts.
const WHILE: u32 = 256;

/// See the module's head.
#[derive(Default)]
pub(crate) struct Recent {
    now: AtomicU64,
    before: AtomicU64,
}

impl Recent {
    /// The thread whose lane has this bit looks into the kernel; there were so many looks, roughly. Whether others have
    /// looked lately.
    #[inline(always)]
    pub(crate) fn note(&self, bit: u64, looks: u32) -> bool {
        let now = self.now.load(Relaxed);
        let others = (now | self.before.load(Relaxed)) & !bit != 0;
        if now & bit == 0 || looks % WHILE == 0 {
            self.note_slow(bit, looks);
        }
        others
    }

    #[cold]
    fn note_slow(&self, bit: u64, looks: u32) {
        if looks % WHILE == 0 {
            self.before.store(self.now.swap(bit, Relaxed), Relaxed);
        } else {
            self.now.fetch_or(bit, Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_looks_no_more_is_forgotten_after_a_while() {
        let recent = Recent::default();
        assert!(!recent.note(1, 1));
        assert!(recent.note(2, 2) && recent.note(1, 3));
        let alone_from = (4..).find(|&looks| !recent.note(1, looks)).unwrap();
        assert_eq!(alone_from, 2 * WHILE + 1);
        assert!(!recent.note(1, alone_from + 1));
    }

    #[test]
    fn those_that_go_on_are_not_forgotten() {
        let recent = Recent::default();
        recent.note(1, 0);
        assert!((1..5 * WHILE).all(|looks| recent.note(1 << (looks % 2), looks)));
    }
}
