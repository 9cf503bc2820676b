//! Pipes: their lanes, and the life of a pipe.
//!
//! # Life
//!
//! Pipes are made once and used again; they are never freed, so a reference found in the table is always good. Who
//! found one counts itself in `users` and then checks that the pipe is still the one behind the number, and open.
//! `close` sets CLOSING in the same word; it rings the bell until nobody uses the pipe any more (a woken thread passes
//! the bell on), and only then takes the pipe apart. An operation holds no count: whoever handles one holds the lock
//! of its attachment, and closing takes each of these locks to detach it.
//!
//! # The reserve
//!
//! While all threads that harvest a pipe can only run on one and the same processor, one of them is enough to wait in the
//! kernel (`sleepers`). Each leaves a note of its processor when it gets a lane (`processor`), and looks again before it stands by,
//! because that may be changed from outside; the watch calls one from time to time so that it does. That they stand by at all is
//! allowed by the watch, which looks after them (`watch`).

use super::attachment::{Inside, Locked};
use super::epoll::Epoll;
use super::epoll::workers::Workers;
use super::lane::{ABSENT, LISTED, Lane};
use super::lock::{Condvar, Mutex};
use super::op::{Completion, Fate, Kind, OpRef, Ops};
use super::places::Places;
use super::private;
use super::ring;
use super::solo::Turn;
use super::table::{self, Entry, World};
use super::visit::{self, Alone};
use super::wake::{Wake, bit};
use super::{EIOEVENTFULL, attach};
use crate::Event;
use crate::sync::light_fence;
use crate::sys::{Errno, Result, fd, memory, process, race};
use core::ffi::c_int;
use core::ops::Deref;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU32};

/// In `users`: the pipe is closed, or being closed.
const CLOSING: u32 = 1 << 31;
/// Lanes of threads. A thread that finds no free one uses the common lane.
const THREAD_LANES: u32 = 32;
/// The lane that is common to all threads.
pub(crate) const COMMON: u32 = THREAD_LANES;
/// All lanes. `Wake` has a bit for each.
const LANES: usize = THREAD_LANES as usize + 1;

/// In `processor`: no thread has harvested yet.
const NO_PROCESSOR: i64 = -1;
/// Or several are in use.
const SEVERAL_PROCESSORS: i64 = -2;

/// On cache lines of its own.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// An ioevent pipe.
pub(crate) struct Pipe {
    /// The public descriptor; -1 while the pipe is not in use.
    number: AtomicI32,
    index: u32,
    nonblock: AtomicBool,
    world: &'static World,
    engine: Epoll,
    in_use: AtomicBool,
    /// It was closed while threads waited in an engine that can wake them no more; it is not used again.
    abandoned: AtomicBool,
    /// It is known that it was lost (`is_whole`). Relaxed: a thread that has been told that it is lost has seen it.
    lost: AtomicBool,
    next: AtomicPtr<Pipe>,
    quiet: (Mutex<()>, Condvar),
    lanes: [Lane; LANES],
    /// Harvests that looked into the kernel so far, roughly.
    harvests: AtomicU32,
    /// The only one that the threads which harvest run on, or what the constants say. Relaxed: it matters to speed alone.
    processor: AtomicI64,
    /// The watch had to call the reserve, and allows none for a time. Relaxed, like `known`.
    relieved: AtomicBool,
    /// The watch knows the pipe.
    known: AtomicBool,
    /// The watch looks into the pipe, or is about to.
    watched: AtomicBool,
    /// Operations that are with a worker.
    working: AtomicU32,
    places: Apart<Places>,
    users: Apart<AtomicU32>,
    pub(crate) wake: Apart<Wake>,
}

/// All pipes of a world: a list that only grows; a pipe that is not in use is used again.
pub(crate) struct Pipes {
    first: AtomicPtr<Pipe>,
    count: AtomicU32,
}

impl Pipes {
    pub(super) const fn new() -> Pipes {
        Pipes { first: AtomicPtr::new(null_mut()), count: AtomicU32::new(0) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Pipe> {
        // Acquire pairs with the Release in `add`: a pipe is whole before it is seen.
        // SAFETY: pipes are never freed.
        let first = unsafe { self.first.load(Acquire).as_ref() };
        // SAFETY: as above; `next` is written before the pipe is seen.
        core::iter::successors(first, |pipe| unsafe { pipe.next.load(Relaxed).as_ref() })
    }

    /// A pipe that nobody else uses, marked as in use.
    fn take(&self, world: &'static World) -> Result<&'static Pipe> {
        // AcqRel: pairs with the Release in `Pipe::close`, so that what closing put back is seen.
        let unused = |pipe: &&Pipe| pipe.in_use.compare_exchange(false, true, AcqRel, Relaxed).is_ok();
        if let Some(pipe) = self.iter().find(unused) {
            return Ok(pipe);
        }
        let fresh = memory::allocate(Pipe {
            number: AtomicI32::new(-1),
            index: self.count.fetch_add(1, Relaxed),
            nonblock: AtomicBool::new(false),
            world,
            engine: Epoll::new(),
            in_use: AtomicBool::new(true),
            abandoned: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            next: AtomicPtr::new(null_mut()),
            quiet: (Mutex::new(()), Condvar::new()),
            lanes: core::array::from_fn(|_| Lane::default()),
            harvests: AtomicU32::new(0),
            processor: AtomicI64::new(NO_PROCESSOR),
            relieved: AtomicBool::new(false),
            known: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            working: AtomicU32::new(0),
            places: Apart(Places::new()),
            users: Apart(AtomicU32::new(CLOSING)),
            wake: Apart(Wake::default()),
        })?;
        // SAFETY: just made, never freed.
        let pipe: &'static Pipe = unsafe { &*fresh };
        let mut first = self.first.load(Relaxed);
        loop {
            pipe.next.store(first, Relaxed);
            // Release pairs with the Acquire in `iter`.
            match self.first.compare_exchange(first, fresh, Release, Relaxed) {
                Ok(_) => return Ok(pipe),
                Err(other) => first = other,
            }
        }
    }
}

/// A pipe that cannot be taken apart as long as this value lives.
pub(crate) struct InUse(&'static Pipe);

impl Deref for InUse {
    type Target = &'static Pipe;
    #[inline]
    fn deref(&self) -> &&'static Pipe {
        &self.0
    }
}

impl Drop for InUse {
    #[inline]
    fn drop(&mut self) {
        // SeqCst: see `watch`; and as Release it pairs with the Acquire of `close`, which takes apart what this user has
        // used.
        let left = self.0.users.0.fetch_sub(1, SeqCst) - 1;
        if left & CLOSING != 0 {
            self.0.leave_closing(left);
        } else if left == self.0.wake.0.sleepers.in_reserve() {
            self.0.world.watch.pipe_left();
        }
    }
}

/// `ioeventpipe2`.
pub(crate) fn create(nevents: c_int, flags: c_int) -> Result<c_int> {
    if nevents < 1 || flags & !(libc::O_NONBLOCK | libc::O_CLOEXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    let world = table::make_world()?;
    if table::is_borrowed() {
        return Err(Errno::EPERM);
    }
    let pipe = world.pipes.take(world)?;
    let opened = pipe.open(nevents as u32, flags);
    if opened.is_err() {
        pipe.in_use.store(false, Release);
    }
    opened
}

/// The pipe behind a descriptor. EBADF if that is not open, EINVAL if it is something else.
#[inline]
pub(crate) fn enter(number: c_int) -> Result<InUse> {
    find(number)?.ok_or_else(|| fd::unfit(number))
}

/// The same, for a change to it; nor in a vfork child, which has the memory of its parent, but not its pipes
/// (rule 5.2). EBADF if it is known to be lost.
pub(crate) fn enter_own(number: c_int) -> Result<InUse> {
    if table::is_borrowed() {
        return Err(fd::unfit(number));
    }
    let pipe = enter(number)?;
    if pipe.is_lost() { Err(Errno::EBADF) } else { Ok(pipe) }
}

/// The same, to be asked about. EBADF if it was lost.
pub(crate) fn enter_whole(number: c_int) -> Result<InUse> {
    let pipe = enter(number)?;
    if pipe.is_whole() { Ok(pipe) } else { Err(Errno::EBADF) }
}

/// The pipe behind a descriptor, if it is one; EBADF if it is being closed.
#[inline]
pub(crate) fn find(number: c_int) -> Result<Option<InUse>> {
    let Entry::Pipe(pipe) = table::get(number) else { return Ok(None) };
    visit::admit();
    pipe.enter_as(number).map(Some).ok_or(Errno::EBADF)
}

impl Pipe {
    /// Enters a pipe that was found under a number, if it still is the one behind it, and open.
    #[inline(always)]
    pub(super) fn enter_as(&'static self, number: c_int) -> Option<InUse> {
        // SeqCst: `close` sets CLOSING and then looks at the count; either it sees this user, or this user sees CLOSING.
        let before = self.users.0.fetch_add(1, SeqCst);
        let in_use = InUse(self);
        (before & CLOSING == 0 && self.number.load(Relaxed) == number).then_some(in_use)
    }

    /// The thread that is alone, and has found the pipe to be open, enters it to wait.
    #[inline(always)]
    pub(super) fn enter_alone(&self, _: &Alone) {
        // Relaxed, as in the other ways alone: nobody else changes these now (`solo`).
        self.users.0.store(self.users.0.load(Relaxed) + 1, Relaxed);
        self.harvests.store(self.harvests.load(Relaxed).wrapping_add(1), Relaxed);
        // The watch visits while it looks.
        debug_assert!(!self.watched.load(Relaxed));
    }

    /// It leaves, and still is alone.
    #[inline(always)]
    pub(super) fn leave_alone(&self, _: &Alone) {
        self.users.0.store(self.users.0.load(Relaxed) - 1, Relaxed);
        // With the barrier of the watch: see there.
        light_fence();
        self.world.watch.pipe_left();
    }

    /// It leaves, and is not alone any more.
    pub(super) fn leave_among_others(&'static self) {
        drop(InUse(self));
    }

    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    pub(super) fn engine(&self) -> &Epoll {
        &self.engine
    }

    #[inline]
    pub(super) fn ops(&self) -> &'static Ops {
        &self.world.ops
    }

    /// How many descriptors its engine watches at most: each attached one, the other side of each transfer, and its
    /// own.
    pub(super) fn most_registrations(&self) -> usize {
        self.world.attachments.begun() + self.world.ops.begun() + 4
    }

    pub(super) fn by_index(&self, index: u32) -> Option<&'static Pipe> {
        self.world.pipes.iter().find(|pipe| pipe.index == index)
    }

    /// The public descriptor.
    pub(crate) fn number(&self) -> c_int {
        self.number.load(Relaxed)
    }

    /// Whether harvests do not wait, and the descriptor can be waited on (rule 3.6).
    #[inline]
    pub(crate) fn is_nonblock(&self) -> bool {
        // SeqCst, for `set_nonblock`: it asks, after its store, whether the watch is looking; the watch asks here after it
        // has said so. (On the processors there are that is a plain load.)
        self.nonblock.load(SeqCst)
    }

    /// O_NONBLOCK was set or cleared.
    pub(crate) fn set_nonblock(&self, nonblock: bool) {
        self.nonblock.store(nonblock, SeqCst);
        if self.watched.load(SeqCst) {
            self.world.watch.wait();
        }
        if nonblock && self.wake.0.filled() != 0 {
            self.wake.0.ring(&self.engine);
        }
    }

    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.users.0.load(SeqCst) & CLOSING != 0
    }

    /// Whether this still is the pipe behind `number`. Of use only while something keeps `close` from going on.
    #[inline(always)]
    pub(crate) fn is_open_as(&self, number: c_int) -> bool {
        !self.is_closing() && self.number.load(Relaxed) == number
    }

    // What `watch` wants to know. `known` is Relaxed: it is about which of two attachments tells the watch.

    /// Whether some thread harvests now, and does not only stand by.
    pub(super) fn is_attended(&self) -> bool {
        self.users.0.load(SeqCst) & !CLOSING > self.wake.0.sleepers.in_reserve()
    }

    pub(super) fn has_reserve(&self) -> bool {
        self.wake.0.sleepers.in_reserve() > 0
    }

    /// Whether threads stand by here, or might.
    pub(super) fn does_one_look(&self) -> bool {
        self.wake.0.sleepers.does_one_look()
    }

    /// Lets one thread in the kernel be enough, if all run on one processor, and the watch looks after them.
    pub(super) fn let_one_look(&self) {
        let sleepers = &self.wake.0.sleepers;
        let may_stand_by =
            || self.processor.load(Relaxed) >= 0 && self.is_known() && !self.relieved.load(Relaxed);
        if may_stand_by() && !sleepers.does_one_look() {
            sleepers.let_one_look(true);
            // Something may have changed meanwhile.
            if !may_stand_by() {
                self.let_all_look();
            }
        }
    }

    /// All that harvest are to wait in the kernel.
    fn let_all_look(&self) {
        self.wake.0.sleepers.let_one_look(false);
        self.wake.0.sleepers.call_all(&self.engine);
    }

    /// Nobody has come back to look into the kernel for long: one of the reserve is called, or all, and then they do not stand
    /// by again for now. What the busy ones have left in their lanes is for them, too.
    pub(super) fn relieve(&self, all: bool) {
        let mut lanes = self.wake.0.filled() & !bit(COMMON);
        while lanes != 0 {
            self.mark_absent(lanes.trailing_zeros());
            lanes &= lanes - 1;
        }
        if all {
            self.relieved.store(true, Relaxed);
            self.let_all_look();
        } else {
            self.wake.0.sleepers.call_one(&self.engine);
        }
    }

    /// That was long enough ago.
    pub(super) fn end_relief(&self) {
        self.relieved.store(false, Relaxed);
        self.let_one_look();
    }

    /// Calls one of the reserve, which will see whether it still is right to stand by.
    pub(super) fn review_reserve(&self) {
        self.wake.0.sleepers.call_one(&self.engine);
    }

    /// The calling thread, which harvests, notes which processor it runs on. False if there are several in use.
    fn note_processor(&self) -> bool {
        let mine = process::only_processor().map_or(SEVERAL_PROCESSORS, i64::from);
        let noted = match self.processor.compare_exchange(NO_PROCESSOR, mine, Relaxed, Relaxed) {
            Ok(_) => mine,
            Err(noted) if noted == mine => mine,
            Err(_) => {
                self.processor.store(SEVERAL_PROCESSORS, Relaxed);
                SEVERAL_PROCESSORS
            }
        };
        if noted == SEVERAL_PROCESSORS && self.does_one_look() {
            self.let_all_look();
        }
        noted != SEVERAL_PROCESSORS
    }

    /// Waits in reserve, where `doze` has sent the calling thread, until `deadline` (CLOCK_MONOTONIC, in nanoseconds) at most:
    /// Ok when it is to look itself. EINTR, ETIMEDOUT; EBADF if the pipe is closed.
    pub(super) fn stand_by(&self, deadline: Option<u64>) -> Result<()> {
        let sleepers = &self.wake.0.sleepers;
        if self.is_closing() || !self.note_processor() {
            sleepers.step_out(&self.engine);
            return if self.is_closing() { Err(Errno::EBADF) } else { Ok(()) };
        }
        // It may be the last that was not in reserve.
        self.world.watch.pipe_left();
        let outcome = sleepers.stand_by(&self.engine, deadline);
        if outcome.is_ok() {
            self.wake.0.awake(Turn::Shared);
        }
        // It attends the pipe again.
        self.begin_harvest();
        outcome
    }

    /// Whether anybody but the caller uses the pipe.
    pub(super) fn has_other_users(&self) -> bool {
        self.users.0.load(SeqCst) != 1
    }

    pub(super) fn harvests(&self) -> u32 {
        self.harvests.load(Relaxed)
    }

    pub(super) fn is_known(&self) -> bool {
        self.known.load(Relaxed)
    }

    pub(super) fn make_known(&self) {
        self.known.store(true, Relaxed);
    }

    pub(super) fn set_watched(&self, watched: bool) {
        self.watched.store(watched, SeqCst);
    }

    /// A harvest begins, whose thread is among the users.
    #[inline]
    pub(super) fn begin_harvest(&self) {
        // Not exact when several threads do it at once, but it changes.
        self.harvests.store(self.harvests.load(Relaxed).wrapping_add(1), Relaxed);
        if self.watched.load(SeqCst) {
            self.world.watch.wait();
        }
    }

    /// Something was attached.
    pub(super) fn begin_watch(&self) {
        if !self.is_known() {
            self.world.watch.begin(self.world);
        }
    }

    /// The pipe, which the application has closed, is not to be watched any more. With the last one the library's threads
    /// end.
    pub(super) fn end_watch(&self) {
        self.world.watch.pipe_closed(self.world);
    }

    pub(super) fn workers(&self) -> &'static Workers {
        &self.world.workers
    }

    /// Whether an operation, whose attachment is locked, can be ended now (rule 4.8).
    pub(super) fn may_end(&self, op: OpRef) -> bool {
        op.may_be_ended() || self.world.workers.withdraw(op)
    }

    /// An operation of the pipe goes to a worker.
    pub(super) fn begin_work(&self) {
        // Relaxed: it happens under the lock of an attachment, which `close` takes before it looks.
        self.working.fetch_add(1, Relaxed);
    }

    /// It is back, and its event is in a lane. After this the caller does not touch the pipe.
    pub(super) fn end_work(&self) {
        // The lock, as in `leave_closing`. Release pairs with the Acquire in `wait_until_unused`.
        let _guard = self.quiet.0.lock();
        if self.working.fetch_sub(1, Release) == 1 {
            self.quiet.1.notify_all();
        }
    }

    /// A worker is done with an operation whose attachment has gone.
    pub(super) fn end_orphan(&self, op: OpRef, completion: Completion) {
        self.release(op);
        op.set_outcome(completion);
        self.put_common(op);
    }

    /// Whether the time of an operation, of whatever pipe, is over.
    pub(super) fn is_late(&self, op: OpRef) -> bool {
        self.by_index(op.pipe.get()).is_some_and(|pipe| pipe.engine.is_late(op))
    }

    /// Gives back what an operation, of whatever pipe, holds beside its node.
    pub(super) fn release(&self, op: OpRef) {
        if let Some(pipe) = self.by_index(op.pipe.get()) {
            pipe.engine.release(op);
        }
    }

    // Places.

    /// Takes up to `wanted` places; returns how many, at least one, or EIOEVENTFULL.
    #[inline]
    pub(crate) fn take_places(&self, wanted: usize) -> Result<usize> {
        match self.places.0.take(u32::try_from(wanted).unwrap_or(u32::MAX)) {
            0 => Err(EIOEVENTFULL),
            n => Ok(n as usize),
        }
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> c_int {
        self.places.0.capacity() as c_int
    }

    /// How many places are taken.
    pub(crate) fn places_taken(&self) -> c_int {
        self.places.0.taken() as c_int
    }

    /// F_SETIOEVENTSZ: EBUSY if more places are taken (rule 3.8).
    pub(crate) fn set_capacity(&self, capacity: c_int) -> Result<c_int> {
        match u32::try_from(capacity) {
            Ok(places @ 1..) if self.places.0.resize(places) => Ok(capacity),
            Ok(1..) => Err(Errno::EBUSY),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Takes a place unless the pipe is full or another thread takes one at the same time.
    #[inline(always)]
    pub(crate) fn take_place_at_once(&self, turn: Turn) -> bool {
        self.places.0.take_at_once(turn)
    }

    /// Gives places back.
    #[inline]
    pub(crate) fn give_places(&self, n: usize) {
        self.give_places_at_once(Turn::Shared, n);
    }

    /// The same on a short way.
    #[inline(always)]
    pub(crate) fn give_places_at_once(&self, turn: Turn, n: usize) {
        self.places.0.give(turn, n as u32);
    }

    // Lanes.

    #[inline(always)]
    pub(crate) fn lane(&self, index: u32) -> &Lane {
        debug_assert!(index <= COMMON);
        // SAFETY: lane numbers are made here, of threads and COMMON, and kept in one byte of an attachment; none is
        // above COMMON.
        unsafe { self.lanes.get_unchecked(index as usize) }
    }

    /// Whether the event that was put into `place` (a lane, with `LISTED` for its list) as this number is still there.
    #[inline(always)]
    pub(crate) fn holds(&self, place: u32, number: u32) -> bool {
        self.lane(place & !LISTED).holds(place, number)
    }

    /// Where the search for a thread's lane begins. The stacks of threads, at whose ends thread pointers lie, are a
    /// power of two and one guard page apart, so these bits differ.
    #[inline(always)]
    fn first_try(thread: usize) -> u32 {
        (thread >> 12) as u32 % THREAD_LANES
    }

    /// The lane of the calling thread, if it is one that harvests.
    #[inline(always)]
    pub(crate) fn find_lane(&self) -> Option<u32> {
        self.find_lane_at_once().or_else(|| self.search_active_lane())
    }

    /// The same; `None` may also mean that another thread's lane is in the place where it is first looked for.
    #[inline(always)]
    pub(crate) fn find_lane_at_once(&self) -> Option<u32> {
        let thread = process::thread_pointer();
        let lane = Self::first_try(thread);
        // Relaxed, here and below: a thread finds what it wrote itself, nobody else's number is its own, and whether
        // ABSENT was set a moment ago only decides in which lane an event waits.
        (self.lane(lane).owner.load(Relaxed) == thread).then_some(lane)
    }

    /// Whether the lane is the calling thread's.
    #[inline(always)]
    pub(crate) fn is_my_lane(&self, lane: u32) -> bool {
        // Relaxed as above.
        self.lane(lane).owner.load(Relaxed) == process::thread_pointer()
    }

    /// Whether an event of the descriptor may not go into this lane, because an earlier one is in another.
    #[inline(always)]
    pub(crate) fn must_follow(&self, lane: u32, attachment: &Inside) -> bool {
        attachment.newest_lane() != lane
            && self.holds(u32::from(attachment.newest_place.get()), attachment.newest_number.get())
    }

    #[cold]
    fn search_active_lane(&self) -> Option<u32> {
        let thread = process::thread_pointer();
        let lane = self.search_lane(thread).ok()?;
        (self.lane(lane).owner.load(Relaxed) == thread).then_some(lane)
    }

    /// The lane of the calling thread, which harvests: given to it if it has none. When all are given away that is the
    /// common one.
    #[inline(always)]
    pub(crate) fn claim_lane(&self) -> u32 {
        self.find_lane_at_once().unwrap_or_else(|| self.claim_lane_slow())
    }

    #[cold]
    fn claim_lane_slow(&self) -> u32 {
        // Without a lane of its own no thread finds the short ways, which tell a race detector nothing (`handover`).
        if race::is_present() {
            return COMMON;
        }
        let thread = process::thread_pointer();
        loop {
            match self.search_lane(thread) {
                Ok(lane) => {
                    self.lane(lane).prepare();
                    self.lane(lane).owner.store(thread, Relaxed);
                    self.wake.0.activate(lane);
                    return lane;
                }
                Err(None) => return COMMON,
                Err(Some(free)) => {
                    if self.lane(free).owner.compare_exchange(0, thread, Relaxed, Relaxed).is_ok() {
                        self.note_processor();
                        self.let_one_look();
                    }
                }
            }
        }
    }

    /// The lane's owner is busy with something else: others take its events until it comes back.
    pub(crate) fn mark_absent(&self, lane: u32) {
        let owner = &self.lane(lane).owner;
        let thread = owner.load(Relaxed);
        // If the owner comes back just now, it does not matter which of the two is last: an active lane that is marked
        // absent is looked after by everybody, and the owner's next harvest puts it right.
        let _ = owner.compare_exchange(thread & !ABSENT, thread | ABSENT, Relaxed, Relaxed);
        self.wake.0.deactivate(lane);
    }

    /// The lane of a thread, or else the first free one in the order of its search.
    #[cold]
    fn search_lane(&self, thread: usize) -> core::result::Result<u32, Option<u32>> {
        let first = Self::first_try(thread);
        for step in 0..THREAD_LANES {
            let lane = (first + step) % THREAD_LANES;
            match self.lane(lane).owner.load(Relaxed) & !ABSENT {
                0 => return Err(Some(lane)),
                owner if owner == thread => return Ok(lane),
                _ => {}
            }
        }
        Err(None)
    }

    /// Puts an event into a lane; returns its number, and whether the lane was empty: then it must be announced.
    #[inline]
    pub(crate) fn put(&self, lane: u32, op: OpRef) -> (u32, bool) {
        let locked = self.lane(lane).lock();
        let (number, was_empty) = locked.push(op);
        if was_empty {
            self.wake.0.fill(Turn::Shared, lane);
        }
        (number, was_empty)
    }

    /// Puts an event into the ring of the calling thread's own lane, which has room; returns as `put`.
    #[inline(always)]
    pub(crate) fn put_into_ring(
        &self,
        turn: Turn,
        lane: u32,
        user: usize,
        result: u32,
        errno: c_int,
    ) -> (u32, bool) {
        let here = self.lane(lane);
        let (number, is_first) =
            here.ring.put(turn, here.slots_in_use(), user as u64, ring::pack(result, errno));
        if is_first {
            self.wake.0.fill(turn, lane);
        }
        (number, is_first)
    }

    /// An event was put into the empty lane from outside a harvest.
    #[inline]
    pub(crate) fn announce(&self, lane: u32) {
        self.wake.0.announce(lane, self.is_nonblock(), &self.engine);
    }

    /// Puts an event that has its place into the common lane.
    pub(crate) fn put_common(&self, op: OpRef) {
        if self.put(COMMON, op).1 {
            self.announce(COMMON);
        }
    }

    /// Posts events (rule 3.5); returns how many had a place, at least one, or EIOEVENTFULL.
    pub(crate) fn post(&self, events: &[Event]) -> Result<usize> {
        if self.is_lost() {
            return Err(Errno::EBADF);
        }
        let places = self.take_places(events.len())?;
        let locked = self.lane(COMMON).lock();
        let was_empty = locked.list_is_empty();
        let mut posted = 0;
        for event in events.iter().take(places) {
            let Ok(op) = self.lane(COMMON).stock().take(self.ops()) else { break };
            op.become_event(event.user as usize, event.result as u32, event.errno);
            self.hand_in(event.user as usize);
            locked.push(op);
            posted += 1;
        }
        if was_empty && posted > 0 {
            self.wake.0.fill(Turn::Shared, COMMON);
        }
        drop(locked);
        if posted < places {
            self.give_places(places - posted);
        }
        if was_empty && posted > 0 {
            self.announce(COMMON);
        }
        if posted == 0 { Err(Errno::ENOMEM) } else { Ok(posted) }
    }

    // Life.

    fn open(&'static self, capacity: u32, flags: c_int) -> Result<c_int> {
        let public = self.engine.open()?;
        let number = public.raw();
        self.world.lose(self, number);
        let nonblock = flags & libc::O_NONBLOCK != 0;
        let prepared = table::reserve(number).and_then(|()| {
            if flags & libc::O_CLOEXEC == 0 {
                fd::control(number, libc::F_SETFD, 0)?;
            }
            fd::control(number, libc::F_SETFL, (flags & libc::O_NONBLOCK) as usize)
        });
        if let Err(errno) = prepared {
            self.engine.close();
            return Err(errno);
        }
        attach::forget_stale(number);
        self.places.0.resize(capacity);
        self.nonblock.store(nonblock, Relaxed);
        self.processor.store(NO_PROCESSOR, Relaxed);
        self.relieved.store(false, Relaxed);
        self.lost.store(false, Relaxed);
        self.number.store(number, Relaxed);
        // Release pairs with `find`: the pipe is whole before it can be entered.
        self.users.0.fetch_and(!CLOSING, Release);
        table::set(number, Entry::Pipe(self));
        Ok(public.into_raw())
    }

    /// Whether the public number still is this pipe's descriptor (rule 3.7).
    pub(super) fn is_current(&self) -> bool {
        self.engine.is_whole() && self.engine.is_behind(self.number())
    }

    /// Whether the engine's descriptors still are that. A program may have closed them, as some that it did not know,
    /// and so have lost the pipe (rule 5.5).
    pub(super) fn is_whole(&self) -> bool {
        let is_whole = self.engine.is_whole();
        if !is_whole {
            self.lost.store(true, Relaxed);
        }
        is_whole
    }

    /// Whether it is known that the pipe was lost.
    fn is_lost(&self) -> bool {
        self.lost.load(Relaxed)
    }

    /// A look into the kernel has failed: the descriptors may be lost.
    #[cold]
    pub(super) fn note_failure(&self, errno: Errno) {
        if errno == Errno::EBADF {
            self.lost.store(true, Relaxed);
        }
    }

    /// Ends everything. The public descriptor stays open: it is the caller's. False if somebody else closes the pipe already.
    pub(super) fn close(&'static self) -> bool {
        self.close_then(|| {})
    }

    /// The same; `last` is to close the descriptor. Until then, the number is known as that of a pipe: who comes to harvest it
    /// gets EBADF at any time (rule 3.7).
    pub(super) fn close_then(&'static self, last: impl FnOnce()) -> bool {
        visit::admit();
        // SeqCst: see `find`.
        if self.users.0.fetch_or(CLOSING, SeqCst) & CLOSING != 0 {
            return false;
        }
        for lane in &self.lanes {
            // See `harvest_at_once`: whoever has the lane now is done before this goes on.
            drop(lane.lock());
        }
        let is_lost = !self.is_whole();
        let is_left = self.wait_until_unused(is_lost, || self.users.0.load(Acquire) == CLOSING);
        attach::detach_all_of(self);
        self.wait_until_unused(false, || self.working.load(Acquire) == 0);
        if !is_left {
            return self.abandon(last);
        }
        let mut places = 0;
        self.engine.drop_timers(|op| {
            self.ops().give(op);
            places += 1;
        });
        for lane in &self.lanes {
            let locked = lane.lock();
            places += locked.clear_ring();
            let taken = locked.take(usize::MAX, |op| close_unread_accept(op, is_lost));
            drop(locked);
            if let Some(taken) = taken {
                lane.stock().give_chain(taken.first, taken.last, taken.count);
                places += taken.count as usize;
            }
            lane.stock().reduce(self.ops(), 0);
            lane.owner.store(0, Relaxed);
        }
        self.give_places(places);
        self.engine.close();
        self.wake.0.reset();
        last();
        table::clear(self.number(), Entry::Pipe(self));
        self.number.store(-1, Relaxed);
        self.known.store(false, Relaxed);
        // Release pairs with the AcqRel in `Pipes::take`.
        self.in_use.store(false, Release);
        true
    }

    /// Waits for the threads that use the pipe, or for the workers. Acquire in `unused` pairs with the Release in
    /// `InUse::drop` and `end_work`.
    ///
    /// Threads that wait in an engine that is lost cannot be woken: then it waits only for those that do not sleep.
    /// False if some are left.
    fn wait_until_unused(&self, is_lost: bool, unused: impl Fn() -> bool) -> bool {
        /// In nanoseconds.
        const PATIENCE: u64 = 20_000_000;
        let deadline = is_lost.then(|| process::now() + PATIENCE);
        let mut guard = self.quiet.0.lock();
        while !unused() {
            self.engine.ring_all();
            self.wake.0.sleepers.call_all(&self.engine);
            if !self.quiet.1.wait(&mut guard, deadline) {
                return unused();
            }
        }
        true
    }

    /// The last part of closing a pipe that some threads will never leave.
    #[cold]
    fn abandon(&'static self, last: impl FnOnce()) -> bool {
        self.engine.close();
        last();
        table::clear(self.number(), Entry::Pipe(self));
        self.number.store(-1, Relaxed);
        self.abandoned.store(true, Relaxed);
        true
    }

    #[cold]
    fn leave_closing(&self, left: u32) {
        // The lock makes sure that `wait_until_unused` either waits already, or has not looked at the count yet.
        let _guard = self.quiet.0.lock();
        if left == CLOSING {
            self.quiet.1.notify_all();
        } else {
            self.engine.ring_all();
        }
    }

    /// Removes from the attachment the operations that belong to this pipe, without events.
    pub(super) fn drop_operations(&self, attachment: &Locked) {
        let mut places = 0;
        for queue in [&attachment.input, &attachment.output, &attachment.alone] {
            queue.take_out(
                |op| op.pipe.get() == self.index,
                |op| {
                    if !self.may_end(op) {
                        op.set_fate(Fate::Orphan);
                        return;
                    }
                    self.release(op);
                    self.ops().give(op);
                    places += 1;
                },
            );
        }
        self.give_places(places);
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.in_use.load(Relaxed) && !self.abandoned.load(Relaxed)
    }

    /// In a forked child: the descriptors are the child's copies. The number stays taken, by a descriptor that can do
    /// nothing (if there is one to be had). The child may have closed any of them, and have other files there, which
    /// are left alone; so are the parent's registrations.
    pub(super) fn replace_with_dead(&self, dead: &Result<fd::OwnedFd>) {
        if self.is_current() {
            fd::kill(self.number(), dead);
        }
        self.engine.close();
    }
}

/// Descriptors in accept events that nobody read are closed (rule 3.7). Not with a pipe that the program has closed
/// among all the numbers it knew nothing of: they may be its files by now (rule 5.5).
fn close_unread_accept(op: OpRef, is_lost: bool) {
    if op.kind.get() == Kind::Accept && op.done.get() as c_int >= 0 {
        private::hand_over(op.done.get() as c_int);
        if !is_lost {
            let _ = fd::close(op.done.get() as c_int);
        }
    }
}
