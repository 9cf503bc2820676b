//! Pipes: their lanes, and the life of a pipe.
//!
//! # Life
//!
//! Pipes are made once and used again; they are never freed, so a reference found in the table is always good. Who
//! found one counts itself in `users` and then checks that the pipe is still the one behind the number, and open.
//! `close` sets CLOSING in the same word; it rings the waker until nobody uses the pipe any more (a woken thread passes
//! the waker on), and only then takes the pipe apart. An operation holds no count: whoever handles one holds the lock
//! of its attachment, and closing takes each of these locks to detach it.
//!

mod lanes;
mod life;
mod standby;

use super::attachment::{Entry, Inside, Locked};
use super::private;
use super::table::{self, World};
use crate::Event;
use crate::calls::attach;
use crate::engine::epoll::Epoll;
use crate::engine::epoll::workers::Workers;
use crate::queue::EIOEVENTFULL;
use crate::queue::lane::{ABSENT, LISTED, Lane};
use crate::queue::op::{Completion, Fate, Kind, OpRef, Ops};
use crate::sync::access::{self, Access, Shared, Sole};
use crate::sync::atomic::light_fence;
use crate::sync::lock::{Condvar, Mutex};
use crate::sync::places::Places;
use crate::sync::ring;
use crate::sync::wake::{Wake, bit};
use crate::sys::{Errno, Result, fd, memory, process};
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
    /// The lane of the thread that holds the bias, when it has one. Relaxed: written and read by that thread, and while
    /// nobody goes alone.
    home: AtomicPtr<Lane>,
    /// Harvests that looked into the kernel so far, roughly.
    harvests: AtomicU32,
    /// The only one that the threads which harvest run on, or what the constants say. Relaxed: it matters to speed
    /// alone.
    processor: AtomicI64,
    /// The watchdog had to call the reserve, and allows none for a time. Relaxed, like `known`.
    relieved: AtomicBool,
    /// The watchdog knows the pipe.
    known: AtomicBool,
    /// The watchdog looks into the pipe, or is about to.
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
    pub(crate) const fn new() -> Pipes {
        Pipes { first: AtomicPtr::new(null_mut()), count: AtomicU32::new(0) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static Pipe> {
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
            lanes: core::array::from_fn(|index| Lane::new(index as u32)),
            home: AtomicPtr::new(null_mut()),
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
        // SeqCst: see `watchdog`; and as Release it pairs with the Acquire of `close`, which takes apart what this user
        // has used.
        let left = self.0.users.0.fetch_sub(1, SeqCst) - 1;
        if left & CLOSING != 0 {
            self.0.leave_closing(left);
        } else if left == self.0.wake.0.waiters.on_standby() {
            self.0.world.watchdog.pipe_left();
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
    access::admit();
    pipe.enter_as(number).map(Some).ok_or(Errno::EBADF)
}

impl Pipe {
    /// Enters a pipe that was found under a number, if it still is the one behind it, and open.
    #[inline(always)]
    pub(crate) fn enter_as(&'static self, number: c_int) -> Option<InUse> {
        // SeqCst: `close` sets CLOSING and then looks at the count; either it sees this user, or this user sees
        // CLOSING.
        let before = self.users.0.fetch_add(1, SeqCst);
        let in_use = InUse(self);
        (before & CLOSING == 0 && self.number.load(Relaxed) == number).then_some(in_use)
    }

    /// A thread that goes alone, and has found the pipe to be open, enters it to look into the kernel. `sleeps`: it may
    /// wait.
    #[inline(always)]
    pub(crate) fn enter_sole(&self, sole: &Sole, sleeps: bool) {
        // Relaxed, as on the other ways alone: nobody else changes these now (`bias`).
        self.users.0.store(self.users.0.load(Relaxed) + 1, Relaxed);
        self.harvests.store(self.harvests.load(Relaxed).wrapping_add(1), Relaxed);
        if sleeps {
            self.wake.0.park_sole(sole);
        }
        // The watchdog has revoked the bias while it looks.
        debug_assert!(!self.watched.load(Relaxed));
    }

    /// It has looked, and goes alone again.
    #[inline(always)]
    pub(crate) fn unpark_sole(&self, _: &Sole, slept: bool) {
        if slept {
            self.wake.0.unpark::<Sole>();
        }
    }

    /// It leaves, and still goes alone.
    #[inline(always)]
    pub(crate) fn leave_sole(&self, _: &Sole) {
        self.users.0.store(self.users.0.load(Relaxed) - 1, Relaxed);
        // With the barrier of the watchdog: see there.
        light_fence();
        self.world.watchdog.pipe_left();
    }

    /// It leaves, and is not alone any more.
    pub(crate) fn leave_shared(&'static self) {
        drop(InUse(self));
    }

    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Epoll {
        &self.engine
    }

    #[inline]
    pub(crate) fn ops(&self) -> &'static Ops {
        &self.world.ops
    }

    /// How many descriptors its engine watches at most: each attached one, the other side of each transfer, and its
    /// own.
    pub(crate) fn most_registrations(&self) -> usize {
        self.world.attached.load(Relaxed) + self.world.ops.begun() + 4
    }

    pub(crate) fn by_index(&self, index: u32) -> Option<&'static Pipe> {
        self.world.pipes.iter().find(|pipe| pipe.index == index)
    }

    /// The public descriptor.
    pub(crate) fn number(&self) -> c_int {
        self.number.load(Relaxed)
    }

    /// Whether harvests do not wait, and the descriptor can be waited on (rule 3.6).
    #[inline]
    pub(crate) fn is_nonblock(&self) -> bool {
        // SeqCst, for `set_nonblock`: it asks, after its store, whether the watchdog is looking; the watchdog asks here after
        // it has said so. (On the processors there are that is a plain load.)
        self.nonblock.load(SeqCst)
    }

    /// The same for a thread that goes alone.
    #[inline(always)]
    pub(crate) fn is_nonblock_sole(&self, _: &Sole) -> bool {
        // SAFETY: nobody else changes it meanwhile.
        unsafe { *self.nonblock.as_ptr() }
    }

    /// O_NONBLOCK was set or cleared.
    pub(crate) fn set_nonblock(&self, nonblock: bool) {
        self.nonblock.store(nonblock, SeqCst);
        if self.watched.load(SeqCst) {
            self.world.watchdog.wait();
        }
        if nonblock && self.wake.0.filled() != 0 {
            self.wake.0.wake_one(&self.engine);
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
    pub(crate) fn take_place_at_once<A: Access>(&self) -> bool {
        self.places.0.take_at_once::<A>()
    }

    /// Gives places back.
    #[inline]
    pub(crate) fn give_places(&self, n: usize) {
        self.give_places_at_once::<Shared>(n);
    }

    /// The same on the fast path.
    #[inline(always)]
    pub(crate) fn give_places_at_once<A: Access>(&self, n: usize) {
        self.places.0.give::<A>(n as u32);
    }
}
