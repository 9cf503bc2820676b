//! A number that loom watches: a model fails if two threads use it at once, or one does not see what the other did.

use loom::cell::UnsafeCell;

pub(crate) struct Number(UnsafeCell<u32>);

impl Number {
    pub(crate) fn new() -> Number {
        Number(UnsafeCell::new(0))
    }

    pub(crate) fn add(&self) {
        // SAFETY: that is what is checked.
        self.0.with_mut(|number| unsafe { *number += 1 });
    }

    pub(crate) fn get(&self) -> u32 {
        // SAFETY: the same.
        self.0.with(|number| unsafe { *number })
    }
}
