//! Stocks of free nodes: one for each lane (`lane`), filled from the pool and emptied into it by many at a time.

use super::op::{OpRef, Ops};
use crate::sys::Result;
use core::cell::Cell;

/// Nodes fetched from the pool at a time.
const BATCH: usize = 32;
/// A stock larger than this goes back to the pool, so that what one thread frees another can use.
const MOST: u32 = 256;

/// Free nodes.
#[derive(Default)]
pub(crate) struct Stock {
    first: Cell<Option<OpRef>>,
    count: Cell<u32>,
}

impl Stock {
    /// A free node.
    #[inline(always)]
    pub(crate) fn take(&self, ops: &Ops) -> Result<OpRef> {
        match self.first.get() {
            Some(op) => {
                self.first.set(op.next.get());
                self.count.set(self.count.get().wrapping_sub(1));
                Ok(op)
            }
            None => self.restock(ops),
        }
    }

    #[cold]
    fn restock(&self, ops: &Ops) -> Result<OpRef> {
        let (first, n) = ops.take_some(BATCH)?;
        self.first.set(first.next.get());
        self.count.set(n as u32 - 1);
        Ok(first)
    }

    /// Takes a node back.
    #[inline(always)]
    pub(crate) fn give(&self, op: OpRef) {
        op.next.set(self.first.get());
        self.first.set(Some(op));
        self.count.set(self.count.get().wrapping_add(1));
    }

    /// Takes back `count` nodes that are linked from `first` to `last`.
    #[inline]
    pub(crate) fn give_chain(&self, first: OpRef, last: OpRef, count: u32) {
        last.next.set(self.first.get());
        self.first.set(Some(first));
        self.count.set(self.count.get().wrapping_add(count));
    }

    /// Gives nodes back to the pool if there are many.
    #[inline]
    pub(crate) fn trim(&self, ops: &Ops) {
        if self.count.get() > MOST {
            self.reduce(ops, MOST / 2);
        }
    }

    /// Gives nodes back to the pool until `keep` are left.
    #[cold]
    pub(crate) fn reduce(&self, ops: &Ops, keep: u32) {
        let surplus = self.count.get().saturating_sub(keep);
        let Some(first) = self.first.get().filter(|_| surplus > 0) else { return };
        let mut last = first;
        for _ in 1..surplus {
            let Some(next) = last.next.get() else { break };
            last = next;
        }
        self.first.set(last.next.get());
        self.count.set(self.count.get() - surplus);
        ops.give_chain(first, last, surplus as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_stock_goes_back_to_the_pool() {
        let ops = Ops::new();
        let (here, there) = (Stock::default(), Stock::default());
        for _ in 0..10 * MOST {
            there.give(here.take(&ops).unwrap());
            there.trim(&ops);
        }
        assert!(there.count.get() <= MOST);
        assert!(ops.nth(2 * MOST as usize).is_none());
    }

    #[test]
    fn a_chain_goes_into_the_stock() {
        let ops = Ops::new();
        let stock = Stock::default();
        let nodes: Vec<OpRef> = (0..3).map(|_| ops.take().unwrap()).collect();
        for (user, op) in nodes.iter().enumerate() {
            op.user.set(user);
            op.next.set(nodes.get(user + 1).copied());
        }
        stock.give_chain(nodes[0], nodes[2], 3);
        assert_eq!(stock.count.get(), 3);
        let all: Vec<usize> = (0..3).map(|_| stock.take(&ops).unwrap().user.get()).collect();
        assert_eq!(all, [0, 1, 2]);
    }
}
