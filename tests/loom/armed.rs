//! An attachment that is armed for the fast path, while the thread that holds the bias meets others: each operation
//! has one event, and none overtakes another. Under test is what the two paths leave for each other: INPUT_FREE, the
//! slot, and HERE, with which the fast path does not write down where the newest event is. `attachment`, `start`,
//! `epoll::edge` and `out` have a model of their own for that, over the library's bias, locks and rings.

use crate::sync::access::{self, Access, Revoked, Shared, Sole};
use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};
use crate::sync::lock::RawLock;
use crate::sync::ring::{Ring, SLOTS, Slot};
use crate::{model_with_futex, spawn};
use core::mem::MaybeUninit;
use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};

/// The lane of the first thread, that of a second one, and that of all who have none.
const HOME: usize = 0;
const SECOND: usize = 1;
const COMMON: usize = 2;

/// Where an event was put, and as which number.
#[derive(Clone, Copy)]
struct Newest {
    lane: usize,
    is_listed: bool,
    number: u32,
}

/// What lock and bias guard.
struct Inside {
    /// INPUT_FREE.
    is_free: bool,
    /// SLOT: an operation waits there.
    is_in_slot: bool,
    /// HERE.
    is_here: bool,
    newest: Newest,
    /// How many operations wait with a node.
    queued: u32,
    /// How many were begun in all.
    begun: u64,
    /// How many are complete: the number of the newest event.
    complete: u64,
}

impl Inside {
    /// `start::park`.
    fn park(&mut self) -> bool {
        if !self.is_free {
            return false;
        }
        self.begun += 1;
        self.is_free = false;
        self.is_in_slot = true;
        true
    }

    /// `edge::take`.
    fn take_from_slot(&mut self) -> Option<u64> {
        if !self.is_in_slot {
            return None;
        }
        self.is_in_slot = false;
        self.is_free = true;
        Some(self.next_event())
    }

    fn next_event(&mut self) -> u64 {
        self.complete += 1;
        self.complete
    }
}

#[derive(Default)]
struct List {
    events: Vec<u64>,
    pushed: u32,
}

/// `lane`.
#[derive(Default)]
struct Lane {
    ring: Ring,
    slots: [Slot; SLOTS],
    list: Mutex<List>,
    popped: AtomicU32,
}

struct Descriptor {
    lock: RawLock,
    inside: UnsafeCell<Inside>,
    lanes: [Lane; 3],
    /// The events that were handed out. Under the standard library's lock, which loom does not see.
    handed: std::sync::Mutex<Vec<u64>>,
}

impl Descriptor {
    /// One that is attached and armed, by a thread that holds the bias.
    fn new() -> Arc<Descriptor> {
        let descriptor = Arc::new(Descriptor {
            lock: RawLock::new(),
            inside: UnsafeCell::new(Inside {
                is_free: false,
                is_in_slot: false,
                is_here: false,
                newest: Newest { lane: COMMON, is_listed: true, number: u32::MAX },
                queued: 0,
                begun: 0,
                complete: 0,
            }),
            lanes: Default::default(),
            handed: Default::default(),
        });
        descriptor.lanes[HOME].ring.allow(true);
        descriptor.lanes[SECOND].ring.allow(true);
        descriptor.with_lock(|_| {});
        assert!(descriptor.is_armed_for_the_bias());
        descriptor
    }

    fn is_armed_for_the_bias(&self) -> bool {
        self.with_bias(|inside| inside.is_here && (inside.is_free || inside.is_in_slot)) == Some(true)
    }

    fn reach<T>(&self, way: impl FnOnce(&mut Inside) -> T) -> T {
        // SAFETY: that nobody else is there is what is checked.
        self.inside.with_mut(|inside| way(unsafe { &mut *inside }))
    }

    /// `Attachment::hold`.
    fn with_bias<T>(&self, way: impl FnOnce(&mut Inside) -> T) -> Option<T> {
        let _sole = Sole::enter()?;
        Some(self.reach(way))
    }

    /// `Attachment::lock_quietly`.
    fn with_lock_quietly<T>(&self, way: impl FnOnce(&mut Inside) -> T) -> T {
        self.lock.lock();
        let outcome = self.reach(way);
        self.lock.unlock();
        outcome
    }

    /// `Attachment::lock`, and `arm` in the end.
    fn with_lock(&self, way: impl FnOnce(&mut Inside)) {
        access::admit();
        self.with_lock_quietly(|inside| {
            self.disarm(inside);
            way(inside);
            self.arm(inside);
        });
    }

    fn disarm(&self, inside: &mut Inside) {
        inside.is_free = false;
        if core::mem::take(&mut inside.is_here) {
            inside.newest = Newest { lane: HOME, is_listed: false, number: self.lanes[HOME].ring.newest() };
        }
        if core::mem::take(&mut inside.is_in_slot) {
            inside.queued += 1;
        }
    }

    fn arm(&self, inside: &mut Inside) {
        match inside.queued {
            0 => inside.is_free = true,
            1 => {
                inside.queued = 0;
                inside.is_in_slot = true;
            }
            _ => return,
        }
        self.come_here(inside);
    }

    fn come_here(&self, inside: &mut Inside) {
        if !access::is_shared() && self.may_come_to(HOME, inside) {
            inside.is_here = true;
        }
    }

    /// Whether the next event may go into the ring of a lane.
    fn may_come_to(&self, lane: usize, inside: &Inside) -> bool {
        let newest = inside.newest;
        (newest.lane == lane && !newest.is_listed) || !self.holds(newest)
    }

    fn holds(&self, newest: Newest) -> bool {
        let lane = &self.lanes[newest.lane];
        if newest.is_listed {
            newest.number.wrapping_sub(lane.popped.load(Relaxed)) as i32 >= 0
        } else {
            lane.ring.holds(newest.number)
        }
    }

    /// `Pipe::must_follow`.
    fn must_follow(&self, lane: usize, inside: &Inside) -> bool {
        inside.newest.lane != lane && self.holds(inside.newest)
    }

    fn hand_out(&self, event: u64) {
        self.handed.lock().unwrap().push(event);
    }

    /// `start::input`, of a call that waits.
    fn read(&self) {
        let is_parked = self.with_bias(Inside::park).unwrap_or_else(|| {
            access::is_shared() && self.with_lock_quietly(|inside| !inside.is_here && inside.park())
        });
        if !is_parked {
            self.with_lock(|inside| {
                inside.begun += 1;
                inside.queued += 1;
            });
        }
    }

    /// `start::output`, by the thread whose lane it is: a call that the kernel takes whole.
    fn write(&self, lane: usize) {
        let is_done = self.with_bias(|inside| self.write_alone(inside)).unwrap_or_else(|| {
            access::is_shared() && self.with_lock_quietly(|inside| self.write_among_others(inside, lane))
        });
        if !is_done {
            self.with_lock(|inside| {
                inside.begun += 1;
                self.put(inside, lane, false);
            });
        }
    }

    fn write_alone(&self, inside: &mut Inside) -> bool {
        if !inside.is_here {
            self.come_here(inside);
        }
        let home = &self.lanes[HOME];
        if !inside.is_here || !home.ring.has_room::<Sole>() {
            return false;
        }
        inside.begun += 1;
        home.ring.put::<Sole>(&home.slots, inside.next_event(), 0);
        true
    }

    fn write_among_others(&self, inside: &mut Inside, lane: usize) -> bool {
        let here = &self.lanes[lane];
        if inside.is_here || !self.may_come_to(lane, inside) || !here.ring.has_room::<Shared>() {
            return false;
        }
        inside.begun += 1;
        let (number, _) = here.ring.put::<Shared>(&here.slots, inside.next_event(), 0);
        inside.newest = Newest { lane, is_listed: false, number };
        true
    }

    /// The first operation that waits, if any does, is complete: by a thread whose events go into this lane.
    fn complete(&self, inside: &mut Inside, lane: usize, harvests: bool) {
        if inside.queued > 0 {
            inside.queued -= 1;
            self.put(inside, lane, harvests);
        }
    }

    /// `Completions::complete`.
    fn put(&self, inside: &mut Inside, lane: usize, harvests: bool) {
        let event = inside.next_event();
        if !self.must_follow(lane, inside) {
            return if harvests { self.hand_out(event) } else { self.push(inside, lane, event) };
        }
        let there = &self.lanes[inside.newest.lane];
        let mut list = there.list.lock().unwrap();
        if self.holds(inside.newest) {
            let number = list.push(event, there);
            inside.newest = Newest { is_listed: true, number, ..inside.newest };
            return;
        }
        drop(list);
        self.push(inside, lane, event);
    }

    /// `Completions::push`.
    fn push(&self, inside: &mut Inside, lane: usize, event: u64) {
        let here = &self.lanes[lane];
        let is_listed = lane == COMMON || !here.ring.has_room::<Shared>();
        let number = if is_listed {
            here.list.lock().unwrap().push(event, here)
        } else {
            here.ring.put::<Shared>(&here.slots, event, 0).0
        };
        inside.newest = Newest { lane, is_listed, number };
    }

    /// A thread that does not harvest ends what waits first.
    fn end_first(&self) {
        self.with_lock(|inside| self.complete(inside, COMMON, false));
    }

    /// The first thread harvests: what is in its ring, or else what the kernel tells of the operation that waits first.
    fn harvest(&self) {
        let home = &self.lanes[HOME];
        let is_done = self.with_bias(|inside| {
            if !home.ring.is_open() {
                return false;
            }
            if !home.ring.is_empty() {
                self.take_ring::<Sole>(home);
                return true;
            }
            // `Epoll::handle_sole`.
            let event = if inside.is_here { inside.take_from_slot() } else { None };
            event.inspect(|&event| self.hand_out(event)).is_some()
        });
        if is_done != Some(true) {
            self.harvest_slow();
        }
    }

    fn harvest_slow(&self) {
        access::admit();
        [HOME, SECOND, COMMON].into_iter().for_each(|lane| self.take_all(lane));
        // `Epoll::hand_out`.
        let is_done = self.with_lock_quietly(|inside| {
            let is_open = !inside.is_here && !self.must_follow(HOME, inside);
            let event = if is_open { inside.take_from_slot() } else { None };
            event.inspect(|&event| self.hand_out(event)).is_some()
        });
        if !is_done {
            self.with_lock(|inside| self.complete(inside, HOME, true));
        }
    }

    fn take_ring<A: Access>(&self, lane: &Lane) {
        let mut room = [MaybeUninit::<()>::uninit(); SLOTS];
        lane.ring.take::<A, _>(&lane.slots, &mut room, |event, _| self.hand_out(event));
    }

    /// `harvest::take_out`.
    fn take_all(&self, lane: usize) {
        let lane = &self.lanes[lane];
        let mut list = lane.list.lock().unwrap();
        self.take_ring::<Shared>(lane);
        if list.events.is_empty() {
            return;
        }
        let events = core::mem::take(&mut list.events);
        lane.ring.allow(!core::ptr::eq(lane, &self.lanes[COMMON]));
        lane.popped.store(lane.popped.load(Relaxed).wrapping_add(events.len() as u32), Relaxed);
        events.into_iter().for_each(|event| self.hand_out(event));
    }

    /// In the end, with one thread left. First come the lanes into which events of other threads may have gone too
    /// early.
    fn check(&self) {
        [COMMON, SECOND, HOME].into_iter().for_each(|lane| self.take_all(lane));
        self.with_lock_quietly(|inside| {
            let handed = self.handed.lock().unwrap();
            assert_eq!(*handed, (1..=inside.complete).collect::<Vec<_>>(), "lost, twice, or out of order");
            let waiting = u64::from(inside.queued) + u64::from(inside.is_in_slot);
            assert_eq!(inside.begun, inside.complete + waiting, "an operation was lost, or is there twice");
        });
    }
}

impl List {
    /// `lane::Locked::push`.
    fn push(&mut self, event: u64, of: &Lane) -> u32 {
        of.ring.allow(false);
        self.events.push(event);
        self.pushed += 1;
        self.pushed - 1
    }
}

/// A second thread of the application ends what the first has begun without a lock, and begins something itself.
#[test]
fn what_waits_in_the_slot_is_found_by_a_second_thread() {
    model_with_futex(Some(3), || {
        let descriptor = Descriptor::new();
        descriptor.read();
        let second = spawn(&descriptor, |descriptor| {
            descriptor.end_first();
            descriptor.read();
        });
        descriptor.read();
        descriptor.harvest();
        second.join().unwrap();
        assert!(access::is_shared() && !descriptor.is_armed_for_the_bias());
        descriptor.check();
    });
}

/// The events that the first thread has put into its ring, without writing down where they are, are not overtaken by
/// one of a second thread.
#[test]
fn events_that_are_here_are_not_overtaken() {
    model_with_futex(Some(3), || {
        let descriptor = Descriptor::new();
        descriptor.read();
        descriptor.write(HOME);
        let second = spawn(&descriptor, Descriptor::end_first);
        descriptor.write(HOME);
        // There is no room in the ring for this one.
        descriptor.write(HOME);
        second.join().unwrap();
        descriptor.check();
    });
}

/// Nor by one in the ring of a second thread, which was admitted elsewhere and comes by the fast path.
#[test]
fn events_that_are_here_are_not_overtaken_by_the_fast_path() {
    model_with_futex(Some(3), || {
        let descriptor = Descriptor::new();
        descriptor.write(HOME);
        let second = spawn(&descriptor, |descriptor| {
            access::admit();
            descriptor.write(SECOND);
        });
        descriptor.write(HOME);
        descriptor.harvest();
        second.join().unwrap();
        descriptor.check();
    });
}

/// The same with a thread of the library's own. When that one is gone, the events of the first thread go into its ring
/// again, but not before what was put elsewhere is harvested.
#[test]
fn events_come_here_again_after_a_revocation() {
    model_with_futex(Some(3), || {
        let descriptor = Descriptor::new();
        descriptor.read();
        descriptor.write(HOME);
        let revoker = spawn(&descriptor, |descriptor| {
            let _revoked = Revoked::begin();
            descriptor.end_first();
        });
        descriptor.harvest();
        descriptor.write(HOME);
        descriptor.harvest();
        revoker.join().unwrap();
        descriptor.check();
        descriptor.with_lock(|_| {});
        assert!(descriptor.is_armed_for_the_bias() && !access::is_shared());
    });
}
