//! Time limits of operations that wait in a slot (rule 4.6).
//!
//! Nearly every operation has one, and none expires. So to set one is to write down the deadline, which replaces the
//! one before it, and to take it back is nothing at all. What is in a heap (`queue::alarm`) is, for each descriptor, an
//! *entry* with a time that is not after its deadline. When that has come it is looked at: if the deadline is later,
//! the entry is entered anew with it; if nothing waits, it is dropped. A descriptor's entry is looked at once in the
//! length of its limit, whatever happens on it meanwhile.
//!
//! Times are in nanoseconds of CLOCK_MONOTONIC, or in ticks of 2^20 of them, which wrap around after 52 days: no limit
//! here is longer than 20 days. The deadline of a slot is a number of ticks here, and a fraction in the slot.
//!
//! All accesses are Relaxed: the attachment guards them.

use super::other_end;
use crate::queue::deadlines::Deadline;
use crate::queue::limit_entry::{BELOW, LimitEntry, TICK, nanoseconds};
use crate::queue::op::OpRef;
use crate::state::attachment::{Attachment, Inside, Locked, TIME_LIMIT};
use crate::state::pipe::Pipe;
use crate::state::slot::Slot;
use crate::sync::sparse::{Sparse, Zeroed};
use crate::sys::process::LONG_TIME;
use crate::sys::{Result, errno, process};
use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Limits longer than this are kept with a node.
const LONGEST: u64 = 20 * 86_400_000_000_000;

/// What is known of a number.
struct Limit {
    /// F_SETIOEVENTTIMEO, in nanoseconds. It means something only while its attachment says so (TIME_LIMIT).
    timeout: AtomicU64,
    /// The deadline of the operation in the slot, in ticks.
    deadline: AtomicU32,
    /// The time of its entry in the heap, in ticks; 0 if it has none.
    entry: AtomicU32,
}

// SAFETY: zeros are numbers.
unsafe impl Zeroed for Limit {}

/// Numbers below this are found without a look at anything else, as in `table`.
const NEAR: usize = 1 << 17;
static NEAR_LIMITS: [Limit; NEAR] = [const { Limit::new() }; NEAR];
static FAR_LIMITS: Sparse<Limit> = Sparse::new();

impl Limit {
    const fn new() -> Limit {
        Limit { timeout: AtomicU64::new(0), deadline: AtomicU32::new(0), entry: AtomicU32::new(0) }
    }

    /// What is known of a number; `None` if it is nothing.
    #[inline(always)]
    fn of(number: c_int) -> Option<&'static Limit> {
        match NEAR_LIMITS.get(number as u32 as usize) {
            Some(limit) => Some(limit),
            None => FAR_LIMITS.get(number),
        }
    }

    /// Whether it has no entry in the heap for a time that is not after this one.
    #[inline(always)]
    fn is_entered_after(&self, ticks: u32) -> bool {
        let entry = self.entry.load(Relaxed);
        entry == 0 || is_later(entry, ticks)
    }

    /// What is known of a number, made if need be.
    fn make(number: c_int) -> Result<&'static Limit> {
        match NEAR_LIMITS.get(number as u32 as usize) {
            Some(limit) => Ok(limit),
            None => FAR_LIMITS.make(number),
        }
    }
}

/// How long operations of a number may take, in nanoseconds.
pub(crate) fn timeout(number: c_int) -> u64 {
    Limit::of(number).map_or(0, |limit| limit.timeout.load(Relaxed))
}

/// Sets that.
pub(crate) fn set_timeout(number: c_int, nanoseconds: u64) -> Result<()> {
    Limit::make(number)?.timeout.store(nanoseconds, Relaxed);
    Ok(())
}

/// The descriptor belongs to another pipe, or to none: its entry in the heap means nothing any more.
pub(crate) fn forget(number: c_int) {
    if let Some(limit) = Limit::of(number) {
        limit.entry.store(0, Relaxed);
    }
}

/// Limits an operation that is about to be put into the slot. `timeout` is its own, in nanoseconds; 0: the
/// descriptor's. `None` if it has to have a node.
#[inline(always)]
pub(crate) fn limit_slot(attachment: &Inside, timeout: u64, slot: Slot) -> Option<Slot> {
    if timeout == 0 && !attachment.has(TIME_LIMIT) {
        return Some(slot);
    }
    if slot.is_full() {
        return None;
    }
    match limit(attachment, timeout) {
        NOT_HERE => None,
        NO_LIMIT => Some(slot),
        fraction => Some(slot.with_fraction(fraction as u16)),
    }
}

/// What `limit` says beside a fraction: the operation has to have a node.
const NOT_HERE: u32 = u32::MAX;
/// Or it has no limit after all.
const NO_LIMIT: u32 = u32::MAX - 1;

/// Writes the deadline down; returns its fraction.
#[inline(always)]
fn limit(attachment: &Inside, timeout: u64) -> u32 {
    let Ok(limit) = Limit::make(attachment.fd()) else { return NOT_HERE };
    limit_by(attachment, limit, if timeout == 0 { limit.timeout.load(Relaxed) } else { timeout })
}

/// The same for the descriptor whose limit is given.
#[inline(always)]
fn limit_by(attachment: &Inside, limit: &Limit, timeout: u64) -> u32 {
    if timeout == 0 {
        return NO_LIMIT;
    }
    if timeout >= LONGEST {
        return NOT_HERE;
    }
    let (ticks, fraction) = split(process::now_for(timeout) + timeout);
    if limit.is_entered_after(ticks) && !enter(attachment, limit, ticks) {
        return NOT_HERE;
    }
    limit.deadline.store(ticks, Relaxed);
    fraction.into()
}

/// A deadline in ticks, and its fraction; not early.
#[inline(always)]
fn split(time: u64) -> (u32, u16) {
    let time = time + ((1 << BELOW) - 1);
    ((time >> TICK) as u32, (time >> BELOW) as u16)
}

/// Limits the operation whose words are in the slot already by the limit of its descriptor. False: nothing was done,
/// and it may have to have a node.
#[inline(always)]
pub(crate) fn limit_in_slot(attachment: &Inside) -> bool {
    // First, as little as possible is to be kept over a call.
    let now = process::now_or_later();
    let Some(limit) = NEAR_LIMITS.get(attachment.fd() as u32 as usize) else { return false };
    let timeout = limit.timeout.load(Relaxed);
    if timeout.wrapping_sub(LONG_TIME) >= LONGEST - LONG_TIME {
        return limit_in_slot_otherwise(attachment, limit, timeout);
    }
    let (ticks, fraction) = split(now + timeout);
    if limit.is_entered_after(ticks) {
        return limit_in_slot_otherwise(attachment, limit, timeout);
    }
    limit.deadline.store(ticks, Relaxed);
    attachment.set_fraction(fraction);
    true
}

/// The same for limits that are not long, or too long, or with which the number has to be entered in the heap.
#[cold]
#[inline(never)]
fn limit_in_slot_otherwise(attachment: &Inside, limit: &Limit, timeout: u64) -> bool {
    let fraction = limit_by(attachment, limit, timeout);
    if fraction >= NO_LIMIT {
        return false;
    }
    attachment.set_fraction(fraction as u16);
    true
}

fn is_later(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) as i32 > 0
}

/// Enters the number in the heap; false if there is no memory, or no clock.
#[cold]
#[inline(never)]
fn enter(attachment: &Inside, limit: &Limit, ticks: u32) -> bool {
    // To enter it may allocate.
    let _errno = errno::Kept::new();
    // 0 says that there is no entry.
    let ticks = if ticks == 0 { u32::MAX } else { ticks };
    let entry = LimitEntry { ticks, number: attachment.fd() };
    let is_entered = attachment.pipe().is_some_and(|pipe| pipe.engine().alarm.enter_limit(entry).is_ok());
    if is_entered {
        limit.entry.store(ticks, Relaxed);
    }
    is_entered
}

/// An entry's time has come. The attachment is that of its number now, and of the heap's pipe. If the operation in the
/// slot has come close to its deadline it gets a node, which has its own among the deadlines.
pub(crate) fn review(attachment: &Locked, entry: LimitEntry) {
    let Some(limit) = Limit::of(entry.number) else { return };
    if limit.entry.load(Relaxed) != entry.ticks {
        return;
    }
    limit.entry.store(0, Relaxed);
    let Some(slot) = attachment.waiting_slot().filter(|slot| slot.is_timed()) else { return };
    let ticks = limit.deadline.load(Relaxed);
    // With less than a tick left its entry would be due at once, again and again.
    let is_due = nanoseconds(ticks, slot.fraction()) <= process::now() + (1 << TICK);
    if is_due || !enter(attachment, limit, ticks) {
        // And it keeps the node: in the slot it would be looked at again and again.
        attachment.disarm();
    }
}

/// The slot for an operation that waits with a node and a deadline: the deadline goes with it. `None` if it has to keep
/// them.
pub(crate) fn move_to_slot(attachment: &Locked, op: OpRef, slot: Slot) -> Option<Slot> {
    let pipe = attachment.pipe()?;
    let time = pipe.engine().alarm.time_of(op)?;
    let limit = Limit::make(attachment.fd()).ok()?;
    if time > process::now() + LONGEST {
        return None;
    }
    let (ticks, fraction) = split(time);
    if limit.is_entered_after(ticks) && !enter(attachment, limit, ticks) {
        return None;
    }
    other_end::release(op);
    limit.deadline.store(ticks, Relaxed);
    Some(slot.with_fraction(fraction))
}

/// Has an operation that waits, and is TIMED, ended with ETIMEDOUT at a time of CLOCK_MONOTONIC; ENOMEM if that cannot
/// be.
pub(crate) fn limit_node(pipe: &Pipe, attachment: &Locked, op: OpRef, time: u64) -> Result<()> {
    pipe.engine().alarm.limit(Deadline { time, op, attachment: Attachment::to_word(attachment) })
}

/// The operation of a slot, which has a deadline, has got a node: the deadline goes with it.
pub(crate) fn move_to_node(attachment: &Locked, op: OpRef, slot: Slot) {
    let Some(limit) = Limit::of(attachment.fd()) else { return };
    op.expect_deadline();
    let time = nanoseconds(limit.deadline.load(Relaxed), slot.fraction());
    if let Some(pipe) = attachment.pipe() {
        // There is room: see `Deadlines::reserve`.
        let _ = limit_node(pipe, attachment, op, time);
    }
}
