//! Atomics for the parts that loom checks: loom's under `--cfg loom`, the standard ones otherwise.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Between two SeqCst accesses of which the first must come first for everybody. Nothing, as SeqCst says that already;
/// but loom takes SeqCst accesses for AcqRel ones, and knows only SeqCst fences.
#[inline(always)]
pub(crate) fn in_order() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Between two accesses of one thread, for whose order another thread provides when it needs it: membarrier(2) makes a
/// fence of it. Otherwise only the compiler is kept from exchanging them.
#[inline(always)]
pub(crate) fn light_fence() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
    #[cfg(not(loom))]
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
}

macro_rules! define_plain {
    ($name:ident, $atomic:ident, $word:ident) => {
        /// Reads a word as plain memory, which the compiler can make an operand of what uses it.
        ///
        /// # Safety
        ///
        /// No other thread writes it meanwhile.
        #[inline(always)]
        pub(crate) unsafe fn $name(word: &$atomic) -> $word {
            #[cfg(loom)]
            // SAFETY: passed on to the caller; and loom checks it.
            return unsafe { word.unsync_load() };
            #[cfg(not(loom))]
            // SAFETY: passed on to the caller.
            return unsafe { *word.as_ptr() };
        }
    };
}

define_plain!(plain32, AtomicU32, u32);
define_plain!(plain64, AtomicU64, u64);
