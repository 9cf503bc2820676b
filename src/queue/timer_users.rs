//! Timers by their user pointers, so that one is found among many (rule 2.12): a hash table of lists. Each list goes
//! through its timers' own nodes, whose words for a buffer and an address a timer does not need.

use super::op::{Op, OpRef};
use crate::sys::{Errno, Result, UserPtr};

/// How many lists there are at first.
const FEW: usize = 64;

/// See the module's head.
pub(crate) struct TimerUsers {
    /// The first timer of each list. As many as a power of two.
    lists: Vec<Option<OpRef>>,
    count: usize,
}

fn next(op: OpRef) -> Option<OpRef> {
    // SAFETY: null, or a node that `link` put there; nodes live for ever.
    unsafe { (op.addr.get().addr() as *const Op).as_ref() }
}

fn previous(op: OpRef) -> Option<OpRef> {
    // SAFETY: as in `next`.
    unsafe { (op.buf.get().addr() as *const Op).as_ref() }
}

fn word(op: Option<OpRef>) -> UserPtr {
    op.map_or(UserPtr::NULL, |op| UserPtr::number(core::ptr::from_ref(op) as usize))
}

impl TimerUsers {
    pub(crate) const fn new() -> TimerUsers {
        TimerUsers { lists: Vec::new(), count: 0 }
    }

    fn index(&self, user: usize) -> usize {
        let mixed = (user as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        mixed as usize & (self.lists.len() - 1)
    }

    fn list(&mut self, user: usize) -> Option<&mut Option<OpRef>> {
        let index = if self.lists.is_empty() { 0 } else { self.index(user) };
        self.lists.get_mut(index)
    }

    fn link(&mut self, op: OpRef) {
        let Some(first) = self.list(op.user.get()) else { return };
        let before = first.replace(op);
        op.buf.set(UserPtr::NULL);
        op.addr.set(word(before));
        if let Some(before) = before {
            before.buf.set(word(Some(op)));
        }
    }

    /// Enters a timer; ENOMEM.
    pub(crate) fn insert(&mut self, op: OpRef) -> Result<()> {
        if self.count >= self.lists.len() && self.grow().is_err() && self.lists.is_empty() {
            return Err(Errno::ENOMEM);
        }
        self.link(op);
        self.count += 1;
        Ok(())
    }

    /// Makes twice as many lists. Without memory they stay, and are longer.
    fn grow(&mut self) -> Result<()> {
        let length = (self.lists.len() * 2).max(FEW);
        let mut lists = Vec::new();
        lists.try_reserve_exact(length).map_err(|_| Errno::ENOMEM)?;
        lists.resize(length, None);
        for first in core::mem::replace(&mut self.lists, lists) {
            let mut at = first;
            while let Some(op) = at {
                at = next(op);
                self.link(op);
            }
        }
        Ok(())
    }

    /// Takes a timer out, which is there.
    pub(crate) fn remove(&mut self, op: OpRef) {
        let (before, after) = (previous(op), next(op));
        match before {
            Some(before) => before.addr.set(word(after)),
            None => {
                if let Some(first) = self.list(op.user.get()) {
                    *first = after;
                }
            }
        }
        if let Some(after) = after {
            after.buf.set(word(before));
        }
        self.count -= 1;
    }

    /// The timers of a user, in no order.
    pub(crate) fn of(&mut self, user: usize) -> impl Iterator<Item = OpRef> {
        let first = self.list(user).and_then(|first| *first);
        core::iter::successors(first, |op| next(op)).filter(move |op| op.user.get() == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::op::Ops;

    #[test]
    fn timers_are_found_by_user_whatever_was_taken_out() {
        let (ops, mut users) = (Ops::new(), TimerUsers::new());
        let timers: Vec<OpRef> = (0..1000)
            .map(|i| {
                let op = ops.take().unwrap();
                op.user.set(i % 250);
                users.insert(op).unwrap();
                op
            })
            .collect();
        assert_eq!(users.of(7).count(), 4);
        timers.iter().filter(|op| op.user.get() % 2 == 0).for_each(|op| users.remove(op));
        for user in 0..250 {
            assert_eq!(users.of(user).count(), if user % 2 == 0 { 0 } else { 4 });
        }
        assert_eq!(users.count, 500);
        assert_eq!(users.of(1000).count(), 0);
    }

    #[test]
    fn without_timers_there_is_nothing_to_find() {
        assert_eq!(TimerUsers::new().of(0).count(), 0);
    }
}
