//! Deadlines: a heap of the times at which operations end, the earliest on top, and where in it each operation is.
//!
//! Each node has four children, so that the heap of a hundred thousand is nine levels deep. An operation keeps the
//! index of its entry (`Op::deadline`), so that one that ends in time is found without a search. Its entry is only
//! marked as dead, and stays where it is: to take it out would touch a node at each level. A dead one that comes to the
//! top is taken out; and all are, when there are more of them than others.

use super::op::{NO_DEADLINE, OpRef, TIME_OVER};
use super::timer_users::TimerUsers;
use crate::sys::{Errno, Result};

/// Children of a node.
const CHILDREN: usize = 4;

/// When an operation is to end.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    /// CLOCK_MONOTONIC, in nanoseconds.
    pub(crate) time: u64,
    pub(crate) op: OpRef,
    /// Its attachment (`Attachment::to_word`); 0 for a timer; DEAD.
    pub(crate) attachment: u64,
}

/// In `Deadline::attachment`: the entry means nothing any more, and its operation may be another by now.
const DEAD: u64 = u64::MAX;

impl Deadline {
    pub(crate) fn is_timer(&self) -> bool {
        self.attachment == 0
    }

    fn is_dead(&self) -> bool {
        self.attachment == DEAD
    }
}

/// See the module's head.
pub(crate) struct Deadlines {
    /// The one on top is not dead.
    heap: Vec<Deadline>,
    /// How many are dead.
    dead: usize,
    timers: TimerUsers,
}

impl Deadlines {
    pub(crate) const fn new() -> Deadlines {
        Deadlines { heap: Vec::new(), dead: 0, timers: TimerUsers::new() }
    }

    /// The earliest time.
    pub(crate) fn first(&self) -> Option<u64> {
        self.heap.first().map(|first| first.time)
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) -> Result<()> {
        self.heap.try_reserve(more).map_err(|_| Errno::ENOMEM)
    }

    pub(crate) fn insert(&mut self, deadline: Deadline) -> Result<()> {
        self.reserve(1)?;
        let index = self.heap.len();
        if index >= TIME_OVER as usize {
            return Err(Errno::ENOMEM);
        }
        if deadline.is_timer() {
            self.timers.insert(deadline.op)?;
        }
        self.heap.push(deadline);
        self.rise(index);
        Ok(())
    }

    /// Takes an operation's entry out, if it has one.
    pub(crate) fn remove(&mut self, op: OpRef) {
        let index = op.deadline.replace(NO_DEADLINE) as usize;
        if self.heap.get(index).is_some_and(|entry| core::ptr::eq(entry.op, op)) {
            self.replace_with_dead(index);
        }
    }

    /// When an operation is to end, if it has an entry.
    pub(crate) fn time_of(&self, op: OpRef) -> Option<u64> {
        let entry = self.heap.get(op.deadline.get() as usize)?;
        core::ptr::eq(entry.op, op).then_some(entry.time)
    }

    /// Makes an entry a dead one.
    fn replace_with_dead(&mut self, index: usize) {
        /// So few dead ones are left alone.
        const FEW: usize = 64;
        let Some(entry) = self.heap.get_mut(index) else { return };
        let (op, is_timer) = (entry.op, entry.is_timer());
        entry.attachment = DEAD;
        self.dead += 1;
        if is_timer {
            self.timers.remove(op);
        }
        if self.dead > FEW && self.dead > self.heap.len() / 2 {
            self.sort();
        }
        self.clear_top();
    }

    /// Takes dead entries out that are on top.
    fn clear_top(&mut self) {
        while self.heap.first().is_some_and(Deadline::is_dead) {
            self.take_at(0);
            self.dead -= 1;
        }
    }

    /// Takes all dead entries out, and sorts the others by time: they are a heap then.
    fn sort(&mut self) {
        self.heap.retain(|entry| !entry.is_dead());
        self.dead = 0;
        self.heap.sort_unstable_by_key(|entry| entry.time);
        self.tell_all();
    }

    fn tell_all(&self) {
        for (index, entry) in self.heap.iter().enumerate() {
            entry.op.deadline.set(index as u32);
        }
    }

    /// Whether the time of an operation is over, taken out or not.
    pub(crate) fn is_over(&self, op: OpRef, now: u64) -> bool {
        match op.deadline.get() {
            TIME_OVER => true,
            index => self
                .heap
                .get(index as usize)
                .is_some_and(|entry| core::ptr::eq(entry.op, op) && entry.time <= now),
        }
    }

    /// Takes out the first, if its time is over.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Deadline> {
        let first = *self.heap.first().filter(|first| first.time <= now)?;
        self.take_at(0);
        if first.is_timer() {
            self.timers.remove(first.op);
        }
        self.clear_top();
        first.op.deadline.set(TIME_OVER);
        Some(first)
    }

    /// Takes out all for which `pick` says true, in order of time. They are `each`'s from the call on.
    pub(crate) fn take_out(&mut self, pick: impl Fn(&Deadline) -> bool, mut each: impl FnMut(Deadline)) {
        // What is left of it is a heap, too.
        self.sort();
        let timers = &mut self.timers;
        self.heap.retain(|entry| {
            let picked = pick(entry);
            if picked {
                entry.op.deadline.set(NO_DEADLINE);
                if entry.is_timer() {
                    timers.remove(entry.op);
                }
                each(*entry);
            }
            !picked
        });
        self.tell_all();
    }

    /// Takes out the timers with this user pointer that come after `now`, in order of time. They are `each`'s from the
    /// call on.
    pub(crate) fn take_out_timers_of(&mut self, user: usize, now: u64, mut each: impl FnMut(Deadline)) {
        let count = self.timers.of(user).count();
        // Where they are a good part of all, or there is no memory, all are gone through.
        if count < self.heap.len() / 8 {
            if let Some(taken) = self.sorted_timers_of(user, count, now) {
                for entry in taken {
                    self.remove(entry.op);
                    each(entry);
                }
                return;
            }
        }
        let is_meant = |entry: &Deadline| entry.is_timer() && entry.op.user.get() == user && entry.time > now;
        self.take_out(is_meant, each);
    }

    /// The timers with this user pointer, `count` at most, that come after `now`, in order of time. `None` if there is
    /// no memory.
    fn sorted_timers_of(&mut self, user: usize, count: usize, now: u64) -> Option<Vec<Deadline>> {
        let mut sorted: Vec<Deadline> = Vec::new();
        sorted.try_reserve_exact(count).ok()?;
        let heap = &self.heap;
        let entries = self.timers.of(user).filter_map(|op| heap.get(op.deadline.get() as usize));
        sorted.extend(entries.filter(|entry| entry.time > now));
        sorted.sort_unstable_by_key(|entry| entry.time);
        Some(sorted)
    }

    fn take_at(&mut self, index: usize) {
        self.heap.swap_remove(index);
        if index < self.heap.len() {
            self.out(index);
            self.rise(index);
        }
    }

    fn time(&self, index: usize) -> u64 {
        self.heap.get(index).map_or(u64::MAX, |entry| entry.time)
    }

    /// Tells the operation at `index` where it is.
    fn tell(&self, index: usize) {
        if let Some(entry) = self.heap.get(index).filter(|entry| !entry.is_dead()) {
            entry.op.deadline.set(index as u32);
        }
    }

    fn rise(&mut self, mut index: usize) {
        while index > 0 {
            let parent = (index - 1) / CHILDREN;
            if self.time(parent) <= self.time(index) {
                break;
            }
            self.heap.swap(parent, index);
            self.tell(index);
            index = parent;
        }
        self.tell(index);
    }

    fn out(&mut self, mut index: usize) {
        loop {
            let children = index * CHILDREN + 1..(index * CHILDREN + 1 + CHILDREN).min(self.heap.len());
            let Some(earliest) = children.min_by_key(|&child| self.time(child)) else { break };
            if self.time(index) <= self.time(earliest) {
                break;
            }
            self.heap.swap(index, earliest);
            self.tell(index);
            index = earliest;
        }
        self.tell(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::op::Ops;

    fn deadline(ops: &Ops, time: u64) -> Deadline {
        Deadline { time, op: ops.take().unwrap(), attachment: 1 }
    }

    /// Times in no order: the multiples of a number that is prime to the count.
    fn times(count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(move |i| i * 7919 % count)
    }

    fn all(heap: &mut Deadlines) -> Vec<u64> {
        core::iter::from_fn(|| heap.pop(u64::MAX)).map(|entry| entry.time).collect()
    }

    #[test]
    fn they_come_in_order_of_time_and_not_early() {
        let (ops, mut heap) = (Ops::new(), Deadlines::new());
        for time in times(1000) {
            heap.insert(deadline(&ops, time)).unwrap();
        }
        let early: Vec<u64> = core::iter::from_fn(|| heap.pop(99)).map(|entry| entry.time).collect();
        assert_eq!(early, (0..100).collect::<Vec<_>>());
        assert_eq!(heap.first(), Some(100));
        assert_eq!(all(&mut heap), (100..1000).collect::<Vec<_>>());
    }

    #[test]
    fn each_operation_finds_its_entry() {
        let (ops, mut heap) = (Ops::new(), Deadlines::new());
        let entries: Vec<Deadline> = times(500).map(|time| deadline(&ops, time)).collect();
        entries.iter().for_each(|&entry| heap.insert(entry).unwrap());
        entries.iter().filter(|entry| entry.time % 3 != 0).for_each(|entry| heap.remove(entry.op));
        // A second time there is nothing to remove.
        entries.iter().filter(|entry| entry.time % 3 == 1).for_each(|entry| heap.remove(entry.op));
        assert_eq!(all(&mut heap), (0..500).filter(|time| time % 3 == 0).collect::<Vec<_>>());
    }

    #[test]
    fn dead_entries_go_and_leave_the_nodes_of_others_alone() {
        let (ops, mut heap) = (Ops::new(), Deadlines::new());
        let entries: Vec<Deadline> = times(1000).map(|time| deadline(&ops, time)).collect();
        entries.iter().for_each(|&entry| heap.insert(entry).unwrap());
        for (count, entry) in entries.iter().filter(|entry| entry.time % 10 != 9).enumerate() {
            heap.remove(entry.op);
            // It is another's by now, that has an entry in another heap.
            entry.op.deadline.set(7);
            assert!(heap.heap.len() <= 2 * (1000 - count) + 64);
        }
        assert!(
            heap.heap.len() < 300 && entries.iter().all(|e| e.time % 10 == 9 || e.op.deadline.get() == 7)
        );
        assert_eq!(heap.first(), Some(9));
        assert_eq!(all(&mut heap), (0..1000).filter(|time| time % 10 == 9).collect::<Vec<_>>());
        assert_eq!((heap.heap.len(), heap.dead), (0, 0));
    }

    #[test]
    fn one_whose_time_is_over_has_no_entry() {
        let (ops, mut heap) = (Ops::new(), Deadlines::new());
        let (first, second) = (deadline(&ops, 1), deadline(&ops, 2));
        heap.insert(first).unwrap();
        heap.insert(second).unwrap();
        assert!(heap.pop(0).is_none());
        assert!(core::ptr::eq(heap.pop(1).unwrap().op, first.op));
        assert_eq!(first.op.deadline.get(), TIME_OVER);
        heap.remove(first.op);
        assert_eq!(all(&mut heap), [2]);
    }

    #[test]
    fn those_that_are_picked_come_out_and_the_rest_stays_a_heap() {
        let (ops, mut heap) = (Ops::new(), Deadlines::new());
        for time in times(300) {
            heap.insert(deadline(&ops, time)).unwrap();
        }
        let mut taken = Vec::new();
        heap.take_out(|entry| entry.time % 2 == 0, |entry| taken.push(entry.time));
        assert_eq!(taken, (0..300).step_by(2).collect::<Vec<_>>());
        assert_eq!(all(&mut heap), (1..300).step_by(2).collect::<Vec<_>>());
    }
}
