//! The slow path of a harvest: a thread that takes events out of any lane, looks into the kernel, and sleeps. See
//! `wake` for how threads sleep and are woken.

use super::standby;
use crate::engine::completions::Completions;
use crate::engine::{Engine, Found, Heard};
use crate::engine::{observed, times};
use crate::event::RawEvent;
use crate::queue::counts::Count;
use crate::queue::lane::{Lane, Locked, Taken};
use crate::queue::lanes::COMMON;
use crate::queue::op::{Completion, Kind, OpRef};
use crate::queue::ring_accepts::ACCEPTED;
use crate::state::handover;
use crate::state::pipe::Pipe;
use crate::state::poller::Poller;
use crate::state::private;
use crate::state::probes;
use crate::state::world;
use crate::state::world::World;
use crate::sync::access::{self, Access, Shared};
use crate::sync::wake::{Park, bit};
use crate::sys::{Errno, Result, errno, observers, process};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::Relaxed;

/// A harvesting thread looks into the kernel at least once in 64 events (rule 3.4): with the harvest after this many.
pub(crate) const POLL_AFTER: u32 = 63;

/// How many descriptors to take from the kernel for a harvest that is full already: few, so that what waits gets less.
const FEW: usize = 4;

/// Where the events go.
pub(crate) struct Basket<'a> {
    pub(crate) room: &'a mut [MaybeUninit<RawEvent>],
    /// How many have been put in. `room` is what is left.
    pub(crate) count: usize,
}

impl Basket<'_> {
    #[inline]
    fn is_full(&self) -> bool {
        self.room.is_empty()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// A thread that harvests.
pub(crate) struct Harvester<'a> {
    pipe: &'static Pipe,
    me: u32,
    out: Completions<'a>,
}

/// Takes events out of the ring of a lane, which is locked.
#[inline(always)]
pub(crate) fn take_ring<A: Access>(lane: &Lane, room: &mut [MaybeUninit<RawEvent>]) -> usize {
    let count = lane.ring.take::<A, _>(lane.slots_to_read(), room, RawEvent::of_words);
    if lane.accepts.are_there() {
        hand_over_accepted(lane, room.get_mut(..count).unwrap_or(&mut []));
    }
    count
}

/// Descriptors in events of accepts that were taken out of a ring are the program's from now on.
#[inline(never)]
pub(crate) fn hand_over_accepted(lane: &Lane, events: &mut [MaybeUninit<RawEvent>]) {
    let mut count = 0;
    for event in events {
        // SAFETY: they have been taken out of a ring.
        let event = unsafe { event.assume_init_mut() };
        if event.errno == ACCEPTED {
            event.errno = 0;
            private::hand_over(event.result);
            count += 1;
        }
    }
    lane.accepts.taken(count);
}

/// Takes events out of a locked lane, as many as there is room for, and returns how many; the nodes of those that had
/// one go to `keep`. The lane's mark is taken away if it is empty then.
#[inline(always)]
fn take_out(
    pipe: &Pipe,
    locked: &Locked,
    index: u32,
    room: &mut [MaybeUninit<RawEvent>],
    keep: impl FnOnce(Taken),
) -> usize {
    let mut count = take_ring::<Shared>(pipe.queue.lanes.get(index), room);
    if !locked.list_is_empty() {
        let mut slots = room.iter_mut().skip(count);
        let most = slots.len();
        if let Some(taken) = locked.take(most, |op| write(op, slots.next())) {
            count += taken.count as usize;
            keep(taken);
        }
    }
    pipe.queue.unmark_if_empty(bit(index), || locked.is_empty());
    count
}

/// Shows the operations whose events were taken out of a list to those who look at them.
#[cold]
fn show_harvested(taken: &Taken) {
    let mut next = Some(taken.first);
    for _ in 0..taken.count {
        let Some(op) = next else { return };
        observed::harvest(op, Completion { value: op.done.get(), errno: op.arg.get() });
        next = op.next.get();
    }
}

#[inline(always)]
fn write(op: OpRef, slot: Option<&mut MaybeUninit<RawEvent>>) {
    if let Some(slot) = slot {
        if op.kind.get() == Kind::Accept && op.done.get() as i32 >= 0 {
            private::hand_over(op.done.get() as i32);
        }
        slot.write(RawEvent {
            user: op.user.get() as *mut _,
            result: op.done.get() as i32,
            errno: op.arg.get(),
        });
    }
}

impl<'a> Harvester<'a> {
    #[inline]
    pub(crate) fn new(pipe: &'static Pipe, me: u32) -> Harvester<'a> {
        Harvester { pipe, me, out: Completions::of_harvest(pipe, me) }
    }

    /// Leaves: the events in the basket have been harvested.
    #[inline]
    pub(crate) fn finish(&self, basket: &Basket) {
        let pipe = self.pipe;
        if basket.count > 0 {
            // Relaxed: counts for this thread alone.
            let since = &self.lane().since_poll;
            since.store(since.load(Relaxed).wrapping_add(basket.count as u32), Relaxed);
            pipe.queue.give_places(basket.count);
            self.out.count(Count::Events, basket.count as u64);
            probes::harvest(pipe, basket.count);
        }
        if self.me != COMMON {
            self.lane().stock().trim(pipe.ops());
        }
        pipe.queue.wake.0.leave(pipe.is_nonblock(), pipe.engine());
    }

    #[inline]
    pub(crate) fn fill(&self, basket: &mut Basket<'a>, timeout: Option<u64>) -> Result<()> {
        let stealable = self.stealable();
        if stealable != 0 {
            // Relaxed: counts for this thread alone.
            let its_time = self.lane().since_poll.load(Relaxed) >= POLL_AFTER;
            if stealable & !bit(self.me) != 0 {
                // This thread's own lane and the others have the first turn in turn.
                let others_first = &self.lane().others_first;
                if others_first.load(Relaxed) && !self.lane().goes_first() {
                    self.take_others(basket, stealable);
                }
                others_first.store(!others_first.load(Relaxed), Relaxed);
            }
            self.take_own(basket);
            if !basket.is_full() {
                self.take_others(basket, self.stealable());
            }
            if its_time && (basket.is_full() || timeout != Some(0)) {
                let room = basket.room.len();
                let most = if room == 0 {
                    FEW
                } else {
                    self.pipe.queue.most_edges(self.lane(), room, false, self.pipe.attendance.harvests())
                };
                self.poll_into(basket, most, Some(0), || {})?;
            }
        }
        match timeout {
            Some(0) => self.gather(basket),
            _ if !basket.is_empty() => Ok(()),
            _ => self.sleep(basket, timeout),
        }
    }

    #[inline(always)]
    fn lane(&self) -> &Lane {
        self.pipe.queue.lanes.get(self.me)
    }

    #[inline]
    fn stealable(&self) -> u64 {
        self.pipe.queue.wake.0.stealable(self.me, self.pipe.is_nonblock())
    }

    #[inline]
    fn take_own(&self, basket: &mut Basket) {
        self.take(self.me, basket);
    }

    /// The events of the lanes in `lanes`, but for this thread's own.
    #[inline]
    fn take_others(&self, basket: &mut Basket, lanes: u64) {
        let mut lanes = lanes & !bit(self.me);
        while lanes != 0 && !basket.is_full() {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            self.take(lane, basket);
        }
    }

    /// The events of one lane, as many as there is room for.
    #[inline]
    fn take(&self, index: u32, basket: &mut Basket) {
        let locked = self.pipe.queue.lanes.get(index).lock();
        let mut nodes = None;
        if index == COMMON {
            self.lane().expect_posts_later();
        }
        let count = take_out(self.pipe, &locked, index, basket.room, |taken| nodes = Some(taken));
        if let Some(taken) = nodes {
            if observers::of_memory() {
                show_harvested(&taken);
            }
            // The nodes go to this thread's stock; to the common one under the lock of that lane.
            if self.me == COMMON && index != COMMON {
                drop(locked);
                let _common = self.lane().lock();
                self.lane().stock().give_chain(taken.first, taken.last, taken.count);
            } else {
                self.lane().stock().give_chain(taken.first, taken.last, taken.count);
            }
        }
        if count > 0 && index != self.me && index != COMMON {
            self.out.count(Count::Takeovers, 1);
            probes::takeover(self.pipe, index, count);
        }
        basket.count += count;
        let room = core::mem::take(&mut basket.room);
        basket.room = room.get_mut(count..).unwrap_or(&mut []);
    }

    /// Looks into the kernel. What completes is handed out at once while there is room (there is none unless this
    /// thread's lane is empty, so that nothing is overtaken); the rest is in the lane afterwards.
    #[inline]
    pub(crate) fn poll_into(
        &self,
        basket: &mut Basket<'a>,
        most: usize,
        timeout: Option<u64>,
        woken: impl FnOnce(),
    ) -> Result<Heard> {
        let heard = self.with_room(basket, || self.poll_then(most, timeout, woken));
        self.lane().set_left_some(heard.as_ref().is_ok_and(|heard| heard.count >= most));
        heard
    }

    #[inline]
    fn poll_then(&self, most: usize, timeout: Option<u64>, woken: impl FnOnce()) -> Result<Heard> {
        let mut found = Found::default();
        let waited = self.pipe.engine().wait(&mut found, most, timeout);
        woken();
        waited.inspect_err(|errno| self.pipe.note_failure(*errno))?;
        let heard = self.pipe.engine().handle(&found, 0, &self.out);
        if heard.count == 0 {
            self.out.count(Count::EmptyLooks, 1);
        }
        self.looked(heard);
        Ok(heard)
    }

    /// Goes on with what a look has found, of which the first `from` are handled.
    pub(crate) fn handle(&self, basket: &mut Basket<'a>, found: &Found, from: usize) {
        self.with_room(basket, || self.looked(self.pipe.engine().handle(found, from, &self.out)));
    }

    /// Does something whose completions are handed out into the basket while there is room.
    #[inline(always)]
    fn with_room<T>(&self, basket: &mut Basket<'a>, action: impl FnOnce() -> T) -> T {
        let room = core::mem::take(&mut basket.room);
        let before = room.len();
        self.out.set_room(room);
        let outcome = action();
        basket.room = self.out.take_room();
        basket.count += before - basket.room.len();
        outcome
    }

    /// The thread has looked into the kernel.
    #[inline(always)]
    fn looked(&self, heard: Heard) {
        self.lane().since_poll.store(0, Relaxed);
        if heard.tick {
            self.tick();
        }
    }

    /// A tick: lanes out of which nothing was taken since the last one become everybody's.
    #[cold]
    fn tick(&self) {
        let wake = &self.pipe.queue.wake.0;
        wake.ticked();
        let mut lanes = wake.filled() & !bit(self.me) & !bit(COMMON);
        while lanes != 0 {
            let index = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let locked = self.pipe.queue.lanes.get(index).lock();
            if locked.taken() == locked.at_tick.get() {
                self.pipe.queue.mark_absent(index);
            } else {
                locked.at_tick.set(locked.taken());
            }
        }
        wake.tick_on(self.me, self.pipe.engine());
    }

    /// A harvest that does not wait: all that is there now, wherever it is (rule 3.2).
    fn gather(&self, basket: &mut Basket<'a>) -> Result<()> {
        self.expire_due(basket)?;
        // Those that become ready again line up behind all that were ready when it began.
        let mut left = None;
        while !basket.is_full() {
            let heard = self.poll_into(basket, Poller::MOST, Some(0), || {})?;
            self.take_all(basket);
            if heard.count < Poller::MOST {
                break;
            }
            let rest = left
                .unwrap_or_else(|| world::world().map_or(0, World::most_registrations))
                .saturating_sub(heard.count);
            if rest == 0 {
                break;
            }
            left = Some(rest);
        }
        Ok(())
    }

    /// What has come to its time by now, whether the kernel has told of it or not.
    fn expire_due(&self, basket: &mut Basket) -> Result<()> {
        let engine = self.pipe.engine();
        if engine.alarm.has_expired() {
            // What waits in a pipe that was lost is lost with it.
            if !self.pipe.is_whole() {
                return Err(Errno::EBADF);
            }
            times::expire(&self.out);
        }
        self.take_all(basket);
        Ok(())
    }

    /// The events of all lanes, while there is room.
    fn take_all(&self, basket: &mut Basket) {
        if self.pipe.queue.wake.0.filled() != 0 {
            self.take_own(basket);
            self.take_others(basket, self.pipe.queue.wake.0.filled());
        }
    }

    /// A harvest that waits, and has found nothing yet.
    #[inline]
    fn sleep(&self, basket: &mut Basket<'a>, timeout: Option<u64>) -> Result<()> {
        let wake = &self.pipe.queue.wake.0;
        let deadline = timeout.map(|ns| process::now().saturating_add(ns));
        let mut left = timeout;
        loop {
            let mut over = false;
            match wake.park(self.me, self.pipe.is_nonblock(), self.pipe.engine()) {
                Park::Take => {}
                Park::Wait if self.pipe.is_closing() => {
                    wake.unpark::<Shared>();
                    return Err(Errno::EBADF);
                }
                Park::Wait => {
                    let most = self.pipe.queue.most_edges(
                        self.lane(),
                        basket.room.len(),
                        true,
                        self.pipe.attendance.harvests(),
                    );
                    let heard = self.poll_into(basket, most, left, || wake.unpark::<Shared>())?;
                    over = heard.count == 0;
                }
                Park::Standby => match standby::wait(self.pipe, deadline) {
                    Err(Errno::ETIMEDOUT) => {
                        self.gather(basket)?;
                        over = true;
                    }
                    outcome => outcome?,
                },
            }
            if !basket.is_full() && self.stealable() != 0 {
                self.take_own(basket);
                self.take_others(basket, self.stealable());
            }
            if !basket.is_empty() {
                return Ok(());
            }
            if let Some(deadline) = deadline {
                left = Some(deadline.saturating_sub(process::now()));
                if left == Some(0) {
                    // Descriptors that are ready without end do not keep it here; but what was there is harvested.
                    if !over {
                        self.gather(basket)?;
                    }
                    return self.expire_due(basket);
                }
            }
        }
    }
}

/// The slow path: it makes sure that the pipe still is the one that was found under the number.
#[inline(never)]
pub(crate) fn harvest_slow(
    pipe: &'static Pipe,
    number: c_int,
    room: &mut [MaybeUninit<RawEvent>],
    timeout: Option<u64>,
) -> Result<usize> {
    let _errno = errno::Kept::new();
    access::admit();
    let pipe = pipe.enter_as(number).ok_or(Errno::EBADF)?;
    pipe.attendance.begin_harvest();
    let harvester = Harvester::new(&pipe, standby::claim_lane(&pipe));
    let mut basket = Basket { room: &mut *room, count: 0 };
    let outcome = harvester.fill(&mut basket, timeout);
    harvester.finish(&basket);
    let count = basket.count;
    // SAFETY: so many events have been written, from the front.
    handover::hand_out(&pipe, room.iter().take(count).map(|event| unsafe { event.assume_init_ref() }));
    if count == 0 { outcome.map(|()| 0) } else { Ok(count) }
}

/// A thread leaves its harvest, and something behind.
#[cold]
pub(super) fn leave_rest(pipe: &'static Pipe) {
    pipe.queue.wake.0.leave(pipe.is_nonblock(), pipe.engine());
}
