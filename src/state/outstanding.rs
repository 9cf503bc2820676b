//! What is outstanding, for those who debug a program (IOEVENT_DEBUG; else it stays empty): each operation from the
//! call that queues it until its event is harvested, and the memory that it has the use of for that long (rule 2.3).
//!
//! An operation is known by the address of its node, which is its own until its event has been harvested: where
//! operations are listed here, no event loses its node before that (`Completions::push`).

use super::named_call::Call;
use crate::queue::op::{Kind, MOST_BYTES, OpRef};
use crate::sync::lock::{Mutex, MutexGuard};
use core::ffi::c_int;
use core::fmt;
use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

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
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// How many lists of parts there are: one for each length up to a power of two.
const CLASSES: usize = 32;

/// A part in its list.
#[derive(Clone, Copy)]
struct Listed {
    part: Part,
    /// The operation that it belongs to.
    key: usize,
}

/// Spreads the addresses of nodes. (What the standard library has for it needs thread-local storage.)
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        // 2^64 over the golden ratio.
        self.0 = (self.0 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn write_i32(&mut self, number: i32) {
        self.write_usize(number as usize);
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// See the module's head. What there is no memory for is not listed, and so not reported.
pub(crate) struct Inside {
    operations: Map<usize, (Outstanding, Vec<Part>)>,
    /// The parts by their length, and in each list by where they begin: so those that overlap another are found among
    /// few neighbours, however long those in the other lists are.
    parts: [Vec<Listed>; CLASSES],
    reported: Vec<(Fault, c_int, u32)>,
    /// Numbers that the program has detached, and which file each was then.
    detached: Map<c_int, c_int>,
    begun: u64,
}

/// The same, behind its lock, which is the innermost of all.
pub(crate) struct Register(Mutex<Inside>);

impl Register {
    pub(crate) fn new() -> Register {
        Register(Mutex::new(Inside {
            operations: Map::default(),
            parts: [const { Vec::new() }; CLASSES],
            reported: Vec::new(),
            detached: Map::default(),
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

/// The index of the list for this length.
fn class(len: usize) -> usize {
    (len.max(1).next_power_of_two().trailing_zeros() as usize).min(CLASSES - 1)
}

/// Where a part of this operation is in its list, or would be.
fn place(list: &[Listed], at: usize, key: usize) -> usize {
    list.partition_point(|listed| (listed.part.at, listed.key) < (at, key))
}

impl Inside {
    /// Lists an operation that begins. Returns what it has in common with another, if one of the two writes there.
    pub(crate) fn begin(&mut self, op: OpRef, operation: Outstanding, parts: Vec<Part>) -> Option<Overlap> {
        let overlap = parts.iter().find_map(|part| self.overlap(*part));
        let has_room = self.operations.try_reserve(1).is_ok()
            && self.parts.iter_mut().all(|list| list.try_reserve(parts.len()).is_ok());
        if has_room {
            let key = key(op);
            for part in &parts {
                if let Some(list) = self.parts.get_mut(class(part.len)) {
                    list.insert(place(list, part.at, key), Listed { part: *part, key });
                }
            }
            self.begun += 1;
            self.operations.insert(key, (Outstanding { serial: self.begun, ..operation }, parts));
        }
        overlap
    }

    fn overlap(&self, part: Part) -> Option<Overlap> {
        let end = part.at.saturating_add(part.len);
        for (class, list) in self.parts.iter().enumerate() {
            // The last has all that is longer.
            let longest = if class == CLASSES - 1 { MOST_BYTES } else { 1 << class };
            let first = place(list, part.at.saturating_sub(longest), 0);
            let near = list.iter().skip(first).take_while(|listed| listed.part.at < end);
            for &Listed { part: others, key } in near {
                let is_met = others.at.saturating_add(others.len) > part.at;
                if !is_met || !(part.is_written || others.is_written) {
                    continue;
                }
                if let Some((other, _)) = self.operations.get(&key) {
                    return Some(Overlap { part, other: *other, others });
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
        for part in parts {
            let Some(list) = self.parts.get_mut(class(part.len)) else { continue };
            let first = place(list, part.at, key);
            let is_meant = |listed: &Listed| listed.key == key && listed.part == part;
            if let Some(index) = list.iter().skip(first).position(is_meant) {
                list.remove(first + index);
            }
        }
        Some(operation)
    }

    /// The oldest of a pipe that is being closed, which is outstanding no more.
    pub(crate) fn end_oldest_of(&mut self, pipe: u32) -> Option<Outstanding> {
        let of_pipe = self.operations.iter().filter(|(_, (operation, _))| operation.pipe == pipe);
        let (key, _) = of_pipe.min_by_key(|(_, (operation, _))| operation.serial)?;
        let key = *key;
        self.remove(key)
    }

    /// How many more there were, which are outstanding no more either. What was reported of the pipe is forgotten.
    pub(crate) fn end_rest_of(&mut self, pipe: u32, number: c_int) -> usize {
        let before = self.operations.len();
        let (operations, parts) = (&mut self.operations, &mut self.parts);
        for list in parts {
            list.retain(|listed| {
                operations.get(&listed.key).is_some_and(|(operation, _)| operation.pipe != pipe)
            });
        }
        operations.retain(|_, (operation, _)| operation.pipe != pipe);
        self.reported.retain(|reported| *reported != (Fault::Full, number, 0));
        before - self.operations.len()
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
        if self.detached.try_reserve(1).is_ok() {
            self.detached.insert(number, identity);
        }
    }

    /// Whether it has.
    pub(crate) fn was_detached(&self, number: c_int, identity: c_int) -> bool {
        self.detached.get(&number) == Some(&identity)
    }

    /// Whether a fault of a descriptor, or of a pipe, is to be reported: it is once, and not after many others.
    pub(crate) fn judge(&mut self, fault: Fault, number: c_int, generation: u32) -> Verdict {
        let count = self.reported.iter().filter(|(reported, ..)| *reported == fault).count();
        let this = (fault, number, generation);
        if count >= MOST || self.reported.contains(&this) || self.reported.try_reserve(1).is_err() {
            return Verdict::Known;
        }
        self.reported.push(this);
        if count + 1 == MOST { Verdict::Last } else { Verdict::New }
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

    /// Counted up: the older, the less.
    pub(crate) fn serial(&self) -> u64 {
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
        let ended = register.lock().end_oldest_of(0).unwrap();
        assert_eq!((ended.serial, ended.waits), (2, false));
        assert_eq!(ended.to_string(), "ioevent_read of descriptor 3 (user pointer 0x0)");
        assert_eq!(register.lock().end_rest_of(1, 5), 0);
        assert_eq!(register.lock().end_rest_of(0, 5), 1);
        assert!(register.lock().all().next().is_none());
    }
}
