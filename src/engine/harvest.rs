//! Harvesting: how a thread takes events out of a pipe. See `wake` for how threads sleep and are woken.

use super::epoll::BATCH;
use super::pipe::{COMMON, Pipe};
use super::sink::Sink;
use super::wake::{Doze, bit};
use super::{Engine, Heard, lane};
use crate::Event;
use crate::sys::{Errno, Result, process};
use core::mem::MaybeUninit;

/// A harvesting thread looks into the kernel at least once in this many events (rule 3.4).
const LOOK_EVERY: u32 = 64;

/// Where the events go.
struct Basket<'a> {
    room: &'a mut [MaybeUninit<Event>],
    count: usize,
}

impl Basket<'_> {
    #[inline]
    fn is_full(&self) -> bool {
        self.count == self.room.len()
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// A thread that harvests.
struct Harvester {
    pipe: &'static Pipe,
    me: u32,
    sink: Sink,
}

impl Pipe {
    /// Takes out up to `room.len()` events. Waits for the first for `timeout` nanoseconds (`None`: for ever); returns
    /// how many there were, 0 only when the time is over.
    #[inline]
    pub(crate) fn harvest(
        &'static self, room: &mut [MaybeUninit<Event>], timeout: Option<u64>,
    ) -> Result<usize> {
        let me = self.claim_lane();
        self.wake.0.activate(me);
        let harvester = Harvester { pipe: self, me, sink: Sink::of_harvest(self, me) };
        let mut basket = Basket { room, count: 0 };
        let outcome = harvester.fill(&mut basket, timeout);
        self.wake.0.leave(self.is_nonblock(), self.engine());
        if basket.is_empty() { outcome.map(|()| 0) } else { Ok(basket.count) }
    }
}

impl Harvester {
    #[inline]
    fn fill(&self, basket: &mut Basket, timeout: Option<u64>) -> Result<()> {
        self.take_own(basket)?;
        if basket.is_full() {
            return Ok(());
        }
        self.take_others(basket, self.takeable());
        match timeout {
            Some(0) => self.gather(basket),
            _ if !basket.is_empty() => Ok(()),
            _ => self.sleep(basket, timeout),
        }
    }

    fn takeable(&self) -> u64 {
        self.pipe.wake.0.takeable(self.me, self.pipe.is_nonblock())
    }

    /// The events of this thread's lane. When its turn has lasted long enough, the kernel is looked into first, and
    /// the lanes that are for all have theirs first every other time.
    #[inline]
    fn take_own(&self, basket: &mut Basket) -> Result<()> {
        let locked = self.pipe.lane(self.me).lock();
        if locked.is_empty() {
            return Ok(());
        }
        let since = locked.since_look.get();
        if since < LOOK_EVERY {
            self.take(&locked, self.me, basket);
            return Ok(());
        }
        let others_first = locked.turn.replace(!locked.turn.get());
        drop(locked);
        self.look(BATCH, Some(0))?;
        if others_first {
            self.take_others(basket, self.takeable());
        }
        self.take(&self.pipe.lane(self.me).lock(), self.me, basket);
        Ok(())
    }

    /// The events of the lanes in `lanes`, but for this thread's own.
    #[inline]
    fn take_others(&self, basket: &mut Basket, lanes: u64) {
        let mut lanes = lanes & !bit(self.me);
        while lanes != 0 && !basket.is_full() {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            self.take(&self.pipe.lane(lane).lock(), lane, basket);
        }
    }

    /// The events of one lane, as many as there is room for.
    #[inline]
    fn take(&self, locked: &lane::Locked, lane: u32, basket: &mut Basket) {
        let before = basket.count;
        for slot in basket.room.iter_mut().skip(before) {
            let Some(op) = locked.pop() else { break };
            slot.write(Event {
                user: op.user.get() as *mut _,
                result: op.done.get() as i32,
                errno: op.arg.get(),
            });
            locked.give_free(op, self.pipe.ops());
            basket.count += 1;
        }
        let taken = basket.count - before;
        if taken == 0 {
            return;
        }
        if locked.is_empty() {
            self.pipe.wake.0.empty(lane);
        }
        locked.since_look.set(locked.since_look.get().saturating_add(taken as u32));
        self.pipe.give_places(taken);
    }

    /// Looks into the kernel. What comes of it is in this thread's lane afterwards (or behind earlier events of the
    /// same descriptors, elsewhere).
    fn look(&self, most: usize, timeout: Option<u64>) -> Result<Heard> {
        self.look_then(most, timeout, || {})
    }

    #[inline]
    fn look_then(&self, most: usize, timeout: Option<u64>, woken: impl FnOnce()) -> Result<Heard> {
        let heard = self.pipe.engine().look(&self.sink, most, timeout, woken)?;
        self.pipe.lane(self.me).lock().since_look.set(0);
        if heard.tick {
            self.tick();
        }
        Ok(heard)
    }

    /// A tick: lanes out of which nothing was taken since the last one become everybody's.
    #[cold]
    fn tick(&self) {
        let wake = &self.pipe.wake.0;
        wake.ticked();
        let mut lanes = wake.filled() & !bit(self.me) & !bit(COMMON);
        while lanes != 0 {
            let index = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let locked = self.pipe.lane(index).lock();
            if locked.popped() == locked.at_tick.get() {
                wake.deactivate(index);
            } else {
                locked.at_tick.set(locked.popped());
            }
        }
        wake.tick_on(self.me, self.pipe.engine());
    }

    /// A harvest that does not wait: all that is there now, wherever it is (rule 3.2).
    fn gather(&self, basket: &mut Basket) -> Result<()> {
        while !basket.is_full() {
            let heard = self.look(BATCH, Some(0))?;
            self.take(&self.pipe.lane(self.me).lock(), self.me, basket);
            self.take_others(basket, self.pipe.wake.0.filled());
            if heard.count < BATCH {
                break;
            }
        }
        Ok(())
    }

    /// A harvest that waits, and has found nothing yet.
    #[inline]
    fn sleep(&self, basket: &mut Basket, timeout: Option<u64>) -> Result<()> {
        let wake = &self.pipe.wake.0;
        let deadline = timeout.map(|ns| process::now().saturating_add(ns));
        let mut left = timeout;
        loop {
            let mut over = false;
            match wake.doze(self.me, self.pipe.is_nonblock(), self.pipe.engine()) {
                Doze::Take => {}
                Doze::Sleep if self.pipe.is_closing() => {
                    wake.awake();
                    return Err(Errno::EBADF);
                }
                Doze::Sleep => {
                    let heard = self.look_then(self.most(basket), left, || wake.awake())?;
                    over = heard.count == 0;
                }
            }
            self.take(&self.pipe.lane(self.me).lock(), self.me, basket);
            if !basket.is_full() {
                self.take_others(basket, self.takeable());
            }
            if !basket.is_empty() {
                return Ok(());
            }
            if let Some(deadline) = deadline {
                left = Some(deadline.saturating_sub(process::now()));
                if over && left == Some(0) {
                    return Ok(());
                }
            }
        }
    }

    /// How many descriptors to take from the kernel at once. If others wait too, no more than there is room for: the
    /// rest is for them.
    #[inline]
    fn most(&self, basket: &Basket) -> usize {
        // One sleeper is this thread itself.
        if self.pipe.wake.0.several_sleep() { basket.room.len().min(BATCH) } else { BATCH }
    }
}
