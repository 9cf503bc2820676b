//! What is outstanding, for those who debug a program (IOEVENT_DEBUG; else it stays empty): each operation from the call
//! that queues it until its event is harvested, and the memory that it has the use of for that long (rule 2.3).
//!
//! An operation is known by the address of its node, which is its own until its event has been harvested: where
//! operations are listed here, no event loses its node before that (`Completions::push`).

use crate::queue::op::{Kind, OpRef};
use crate::sync::lock::{Mutex, MutexGuard};
use core::ffi::c_int;
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

/// Part of the memory that an operation has the use of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub(crate) at: usize,
    pub(crate) len: usize,
    /// Whether the operation writes there, and does not only read.
    pub(crate) is_written: bool,
    /// Whether it is for bytes that are moved, and is no struct.
    pub(crate) is_data: bool,
}

/// An operation.
#[derive(Clone, Copy)]
pub(crate) struct Outstanding {
    pub(crate) kind: Kind,
    /// It names an address, as recvfrom and sendto do.
    pub(crate) is_addressed: bool,
    /// The descriptor, and which of those that had the number (`Inside::generation`).
    pub(crate) fd: c_int,
    pub(crate) generation: u32,
    pub(crate) user: usize,
    /// The pipe: its index, its number, and whether it is one of Rust's.
    pub(crate) pipe: u32,
    pub(crate) number: c_int,
    pub(crate) is_typed: bool,
    /// It is not complete.
    pub(crate) waits: bool,
    /// Counted up.
    serial: u64,
}

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// An attached descriptor was closed by plain close(2).
    Closed,
    /// Two operations have the use of the same memory, and one writes.
    Overlap,
    /// A pipe is full, and no thread harvests it.
    Full,
    /// A call waits on a descriptor that is not attached.
    Blocks,
    /// The number of an attached descriptor is that of another file.
    Stale,
}

/// How many faults of one kind are reported.
const MOST: usize = 64;

/// Whether a fault is to be reported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Known,
    New,
    /// It is, and as the last one of its kind.
    Last,
}

/// What a new operation has in common with another.
pub(crate) struct Overlap {
    pub(crate) part: Part,
    pub(crate) other: Outstanding,
    pub(crate) others: Part,
}

/// The parts whose length is at most 2^index, by where they begin and which operation they belong to. Which of them
/// overlap another part is found among few neighbours that way, however long those of other lengths are.
type Parts = [BTreeMap<(usize, usize, usize), Part>; 32];

/// See the module's head.
pub(crate) struct Inside {
    operations: BTreeMap<usize, (Outstanding, Vec<Part>)>,
    parts: Parts,
    reported: BTreeSet<(Fault, c_int, u32)>,
    counts: BTreeMap<Fault, usize>,
    /// Numbers that the program has detached, and which file each was then.
    detached: BTreeMap<c_int, c_int>,
    begun: u64,
}

/// The same, behind its lock, which is the innermost of all.
pub(crate) struct Register(Mutex<Inside>);

impl Register {
    pub(crate) const fn new() -> Register {
        Register(Mutex::new(Inside {
            operations: BTreeMap::new(),
            parts: [const { BTreeMap::new() }; 32],
            reported: BTreeSet::new(),
            counts: BTreeMap::new(),
            detached: BTreeMap::new(),
            begun: 0,
        }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock()
    }

    /// The same, unless another thread has it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Inside>> {
        self.0.try_lock()
    }
}

fn key(op: OpRef) -> usize {
    core::ptr::from_ref(op) as usize
}

/// The index among `Parts` for this length.
fn class(len: usize) -> usize {
    (len.max(1).next_power_of_two().trailing_zeros() as usize).min(31)
}

impl Inside {
    /// Lists an operation that begins. Returns what it has in common with another, if one of the two writes there.
    pub(crate) fn begin(&mut self, op: OpRef, operation: Outstanding, parts: Vec<Part>) -> Option<Overlap> {
        let overlap = parts.iter().find_map(|part| self.overlap(*part));
        for (index, part) in parts.iter().enumerate() {
            if let Some(map) = self.parts.get_mut(class(part.len)) {
                map.insert((part.at, key(op), index), *part);
            }
        }
        self.begun += 1;
        self.operations.insert(key(op), (Outstanding { serial: self.begun, ..operation }, parts));
        overlap
    }

    fn overlap(&self, part: Part) -> Option<Overlap> {
        let end = part.at.saturating_add(part.len);
        for (class, map) in self.parts.iter().enumerate().filter(|(_, map)| !map.is_empty()) {
            // The last class has all that is longer.
            let longest = if class == 31 { crate::queue::op::MOST_BYTES } else { 1 << class };
            let from = part.at.saturating_sub(longest);
            let near = map.range((from, 0, 0)..(end, 0, 0));
            for (&(_, other, _), others) in near {
                if others.at.saturating_add(others.len) > part.at
                    && (part.is_written || others.is_written)
                    && let Some((other, _)) = self.operations.get(&other)
                {
                    return Some(Overlap { part, other: *other, others: *others });
                }
            }
        }
        None
    }

    /// The operation is complete; its event has not been harvested.
    pub(crate) fn complete(&mut self, op: OpRef) {
        if let Some((operation, _)) = self.operations.get_mut(&key(op)) {
            operation.waits = false;
        }
    }

    /// The event was harvested, or there will be none.
    pub(crate) fn end(&mut self, op: OpRef) {
        self.remove(key(op));
    }

    fn remove(&mut self, key: usize) -> Option<Outstanding> {
        let (operation, parts) = self.operations.remove(&key)?;
        for (index, part) in parts.iter().enumerate() {
            if let Some(map) = self.parts.get_mut(class(part.len)) {
                map.remove(&(part.at, key, index));
            }
        }
        Some(operation)
    }

    /// All of a pipe that is being closed, the oldest first, which are outstanding no more; and what was reported of
    /// the pipe is forgotten.
    pub(crate) fn end_all_of(&mut self, pipe: u32, number: c_int) -> Vec<Outstanding> {
        let keys: Vec<usize> =
            self.operations.iter().filter(|(_, (op, _))| op.pipe == pipe).map(|(key, _)| *key).collect();
        let mut ended: Vec<Outstanding> = keys.into_iter().filter_map(|key| self.remove(key)).collect();
        ended.sort_by_key(|operation| operation.serial);
        self.reported.remove(&(Fault::Full, number, 0));
        ended
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Outstanding> {
        self.operations.values().map(|(operation, _)| operation)
    }

    /// The oldest of those for which `is_meant` says true, and how many these are.
    pub(crate) fn oldest(&self, is_meant: impl Fn(&Outstanding) -> bool) -> Option<(Outstanding, usize)> {
        let meant = || self.all().filter(|operation| is_meant(operation));
        let oldest = meant().min_by_key(|operation| operation.serial)?;
        Some((*oldest, meant().count()))
    }

    /// The program has detached a descriptor that is this file: calls on it are meant to be libc's.
    pub(crate) fn detach(&mut self, number: c_int, identity: c_int) {
        self.detached.insert(number, identity);
    }

    /// Whether it has.
    pub(crate) fn was_detached(&self, number: c_int, identity: c_int) -> bool {
        self.detached.get(&number) == Some(&identity)
    }

    /// Whether a fault of a descriptor, or of a pipe, is to be reported: it is once, and not after many others.
    pub(crate) fn judge(&mut self, fault: Fault, number: c_int, generation: u32) -> Verdict {
        let count = self.counts.entry(fault).or_default();
        if *count >= MOST || !self.reported.insert((fault, number, generation)) {
            return Verdict::Known;
        }
        *count += 1;
        if *count == MOST { Verdict::Last } else { Verdict::New }
    }
}

impl Outstanding {
    /// One that begins now.
    pub(crate) fn new(
        op: OpRef,
        fd: c_int,
        generation: u32,
        (number, is_typed): (c_int, bool),
    ) -> Outstanding {
        Outstanding {
            kind: op.kind.get(),
            is_addressed: !op.addr.get().is_null(),
            fd,
            generation,
            user: op.user.get(),
            pipe: op.pipe.get(),
            number,
            is_typed,
            waits: true,
            serial: 0,
        }
    }

    /// The older, the less.
    pub(crate) fn age(&self) -> u64 {
        self.serial
    }

    /// Which call it is, and on what.
    pub(crate) fn call(&self) -> Call {
        Call { kind: self.kind, is_addressed: self.is_addressed, fd: self.fd }
    }
}

/// The operation, and its user pointer.
impl fmt::Display for Outstanding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.kind {
            Kind::Timer => write!(f, "a timer of pipe {}", self.number)?,
            _ => self.call().fmt(f)?,
        }
        write!(f, " (user pointer {:#x})", self.user)
    }
}

/// A call on a descriptor.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) is_addressed: bool,
    pub(crate) fd: c_int,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} of descriptor {}", name(self.kind, self.is_addressed), self.fd)
    }
}

/// The name of the call that a kind stands for.
fn name(kind: Kind, is_addressed: bool) -> &'static str {
    match kind {
        Kind::Read => "ioevent_read",
        Kind::Readv => "ioevent_readv",
        Kind::Recv if is_addressed => "ioevent_recvfrom",
        Kind::Recv => "ioevent_recv",
        Kind::Recvmsg => "ioevent_recvmsg",
        Kind::Accept => "ioevent_accept",
        Kind::Write => "ioevent_write",
        Kind::Writev => "ioevent_writev",
        Kind::Send if is_addressed => "ioevent_sendto",
        Kind::Send => "ioevent_send",
        Kind::Sendmsg => "ioevent_sendmsg",
        Kind::Connect => "ioevent_connect",
        Kind::Poll => "ioevent_poll",
        Kind::Pread => "ioevent_pread",
        Kind::Preadv => "ioevent_preadv",
        Kind::Pwrite => "ioevent_pwrite",
        Kind::Pwritev => "ioevent_pwritev",
        Kind::Sendfile => "ioevent_sendfile",
        Kind::Splice => "ioevent_splice",
        Kind::Fsync => "ioevent_fsync",
        Kind::Fdatasync => "ioevent_fdatasync",
        Kind::Shutdown => "ioevent_shutdown",
        Kind::Waitid => "ioevent_waitid",
        Kind::Timer => "a timer",
        Kind::Posted | Kind::Kept => "an event",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::op::{Ops, Request};

    fn part(at: usize, len: usize, is_written: bool) -> Part {
        Part { at, len, is_written, is_data: true }
    }

    fn begin(register: &Register, ops: &Ops, parts: &[Part]) -> (OpRef, Option<Part>) {
        let op = ops.take().unwrap();
        op.fill(&Request::NOTHING, 0, 0);
        let overlap = register.lock().begin(op, Outstanding::new(op, 3, 1, (5, false)), parts.to_vec());
        (op, overlap.map(|overlap| overlap.others))
    }

    #[test]
    fn memory_of_two_operations_overlaps_if_one_writes_and_until_one_has_ended() {
        let (register, ops) = (Register::new(), Ops::new());
        let long = part(0x1000, 1 << 20, true);
        let (first, overlap) = begin(&register, &ops, &[long, part(0x10, 4, false)]);
        assert_eq!(overlap, None);
        // Before it, behind it, beside what is only read.
        for free in [part(0xfff, 1, true), part(0x101000, 9, true), part(0x10, 4, false)] {
            let (op, overlap) = begin(&register, &ops, &[free]);
            assert_eq!(overlap, None);
            register.lock().end(op);
        }
        for taken in [part(0x1000, 1, false), part(0x100fff, 1, true), part(0x800, 0x801, false)] {
            let (op, overlap) = begin(&register, &ops, &[taken]);
            assert_eq!(overlap, Some(long));
            register.lock().end(op);
        }
        register.lock().complete(first);
        assert!(begin(&register, &ops, &[part(0x12, 1, true)]).1.is_some());
        register.lock().end(first);
        assert_eq!(begin(&register, &ops, &[long]).1, None);
    }

    #[test]
    fn parts_of_one_operation_may_overlap_and_the_longest_is_found() {
        let (register, ops) = (Register::new(), Ops::new());
        let longest = part(1 << 40, crate::queue::op::MOST_BYTES, true);
        assert_eq!(begin(&register, &ops, &[longest, longest, part(1 << 40, 1, true)]).1, None);
        let last = part((1 << 40) + crate::queue::op::MOST_BYTES - 1, 1, false);
        assert_eq!(begin(&register, &ops, &[last]).1, Some(longest));
    }

    #[test]
    fn a_fault_is_reported_once_and_no_flood_of_them() {
        let register = Register::new();
        let mut inside = register.lock();
        assert!(inside.judge(Fault::Closed, 7, 1) == Verdict::New);
        assert!(inside.judge(Fault::Closed, 7, 1) == Verdict::Known);
        assert!(inside.judge(Fault::Stale, 7, 1) == Verdict::New);
        let verdicts: Vec<Verdict> = (2..100).map(|n| inside.judge(Fault::Closed, 7, n)).collect();
        assert!(verdicts.iter().filter(|verdict| **verdict == Verdict::New).count() == MOST - 2);
        assert!(verdicts.iter().filter(|verdict| **verdict == Verdict::Last).count() == 1);
    }

    #[test]
    fn what_a_pipe_leaves_is_listed_by_age() {
        let (register, ops) = (Register::new(), Ops::new());
        let taken: Vec<OpRef> = (0..3).map(|_| begin(&register, &ops, &[]).0).collect();
        register.lock().complete(taken[1]);
        register.lock().end(taken[0]);
        assert_eq!(register.lock().oldest(|op| op.waits).map(|(op, n)| (op.serial, n)), Some((3, 1)));
        let ended = register.lock().end_all_of(0, 5);
        assert_eq!(ended.iter().map(|op| (op.serial, op.waits)).collect::<Vec<_>>(), [(2, false), (3, true)]);
        assert_eq!(ended[0].to_string(), "ioevent_read of descriptor 3 (user pointer 0x0)");
        assert!(register.lock().end_all_of(0, 5).is_empty());
    }
}
