//! A list of operations that wait.

use super::op::{Op, OpRef};
use core::cell::Cell;

/// A first-in first-out list of operations, in one word: the address of the last node, whose `next` is the first.
///
/// While it is empty, and all threads that may look at it know that by other means, its word can hold something else.
#[derive(Default)]
pub(crate) struct Queue {
    word: Cell<usize>,
}

impl Queue {
    pub(crate) const fn new() -> Queue {
        Queue { word: Cell::new(0) }
    }

    #[inline(always)]
    pub(crate) fn last(&self) -> Option<OpRef> {
        // SAFETY: it is 0, or the address of a node (made by `set`; of what `hold` puts in its place the caller knows),
        // which lives for ever.
        unsafe { (self.word.get() as *const Op).as_ref() }
    }

    #[inline(always)]
    fn set(&self, last: OpRef) {
        self.word.set(core::ptr::from_ref(last) as usize);
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.word.get() == 0
    }

    /// Holds a number in the place of its list, which is empty. Before anything else, hold 0 again.
    ///
    /// # Safety
    ///
    /// Until then no thread calls anything but `hold` and `held`.
    #[inline(always)]
    pub(crate) unsafe fn hold(&self, number: usize) {
        self.word.set(number);
    }

    /// The number that `hold` was given last.
    #[inline(always)]
    pub(crate) fn held(&self) -> usize {
        self.word.get()
    }

    /// The first, if it is the only one.
    #[inline]
    pub(crate) fn only(&self) -> Option<OpRef> {
        let last = self.last()?;
        last.next.get().is_some_and(|first| core::ptr::eq(first, last)).then_some(last)
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<OpRef> {
        self.last()?.next.get()
    }

    #[inline]
    pub(crate) fn push(&self, op: OpRef) {
        match self.last() {
            None => op.next.set(Some(op)),
            Some(last) => {
                op.next.set(last.next.get());
                last.next.set(Some(op));
            }
        }
        self.set(op);
    }

    /// Puts it before all others.
    pub(crate) fn push_front(&self, op: OpRef) {
        match self.last() {
            None => self.push(op),
            Some(last) => {
                op.next.set(last.next.get());
                last.next.set(Some(op));
            }
        }
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<OpRef> {
        let last = self.last()?;
        let first = last.next.get()?;
        if core::ptr::eq(first, last) {
            self.word.set(0);
        } else {
            last.next.set(first.next.get());
        }
        first.next.set(None);
        Some(first)
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Queue {
        let all = Queue::default();
        if let Some(last) = self.last() {
            all.set(last);
            self.word.set(0);
        }
        all
    }

    /// Takes out, in order, the operations for which `pick` says true.
    pub(crate) fn take_out(&self, mut pick: impl FnMut(OpRef) -> bool, mut each: impl FnMut(OpRef)) {
        let (kept, taken) = (Queue::default(), Queue::default());
        while let Some(op) = self.pop() {
            if pick(op) { &taken } else { &kept }.push(op);
        }
        if let Some(last) = kept.last() {
            self.set(last);
        }
        while let Some(op) = taken.pop() {
            each(op);
        }
    }

    pub(crate) fn any(&self, test: impl Fn(OpRef) -> bool) -> bool {
        self.find(test).is_some()
    }

    /// The first for which `test` says true.
    pub(crate) fn find(&self, test: impl Fn(OpRef) -> bool) -> Option<OpRef> {
        let last = self.last()?;
        let mut at = last.next.get();
        while let Some(op) = at {
            if test(op) {
                return Some(op);
            }
            if core::ptr::eq(op, last) {
                break;
            }
            at = op.next.get();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::op::Ops;

    fn numbers(queue: &Queue) -> Vec<usize> {
        let mut all = Vec::new();
        while let Some(op) = queue.pop() {
            all.push(op.user.get());
        }
        all
    }

    fn queue_of(pool: &Ops, n: usize) -> Queue {
        let queue = Queue::default();
        for user in 0..n {
            let op = pool.take().unwrap();
            op.user.set(user);
            queue.push(op);
        }
        queue
    }

    #[test]
    fn a_queue_is_first_in_first_out() {
        let pool = Ops::new();
        assert_eq!(numbers(&queue_of(&pool, 0)), []);
        assert_eq!(numbers(&queue_of(&pool, 1)), [0]);
        assert_eq!(numbers(&queue_of(&pool, 4)), [0, 1, 2, 3]);
    }

    #[test]
    fn taking_out_keeps_the_order_of_both_parts() {
        let pool = Ops::new();
        let queue = queue_of(&pool, 6);
        let mut taken = Vec::new();
        queue.take_out(|op| op.user.get() % 2 == 0, |op| taken.push(op.user.get()));
        assert_eq!(taken, [0, 2, 4]);
        assert!(queue.any(|op| op.user.get() == 5));
        assert!(!queue.any(|op| op.user.get() == 4));
        assert!(queue.only().is_none() && queue_of(&pool, 1).only().is_some());
        assert_eq!(numbers(&queue), [1, 3, 5]);
    }
}
