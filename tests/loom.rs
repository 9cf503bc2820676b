//! Every interleaving of the protocols that everything rests on: `make check-loom`.
//!
//! The files under test are the library's own, built over loom's atomics. What the kernel does for them is modelled by a
//! mutex and a condition variable: edges that are there until somebody waits for one.

#![cfg(loom)]
#![allow(dead_code)]

#[path = "../src/engine/places.rs"]
mod places;
#[path = "../src/engine/ring.rs"]
mod ring;
#[path = "../src/engine/sleepers.rs"]
mod sleepers;
#[path = "../src/engine/solo.rs"]
mod solo;
#[path = "../src/sync.rs"]
mod sync;
#[path = "../src/engine/wake.rs"]
mod wake;

use core::mem::MaybeUninit;
use loom::cell::UnsafeCell;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use places::Places;
use ring::{Ring, SLOTS, Slot};
use sleepers::Reserve;
use solo::{Solo, Turn};
use sync::{AtomicBool, AtomicU32};
use wake::{Bell, Doze, Wake, bit};

const COMMON: u32 = 1;
const OWN: u32 = 0;
/// A thread that harvests and has no lane with events.
const OTHER: u32 = 2;

/// What happens in the kernel.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Edges {
    rings: u32,
    ticks: u32,
    /// Something that is an event for whoever sees it.
    packets: u32,
}

/// The kernel: what has happened that nobody has waited for yet, and a futex.
#[derive(Default)]
struct Kernel {
    edges: Mutex<Edges>,
    there: Condvar,
    futex: Mutex<()>,
    called: Condvar,
}

impl Kernel {
    fn happen(&self, change: impl FnOnce(&mut Edges)) {
        change(&mut self.edges.lock().unwrap());
        self.there.notify_one();
    }

    /// epoll_wait: takes all that is there; waits for something.
    fn wait(&self) -> Edges {
        let mut edges = self.edges.lock().unwrap();
        while *edges == Edges::default() {
            edges = self.there.wait(edges).unwrap();
        }
        core::mem::take(&mut *edges)
    }
}

impl Bell for Kernel {
    fn ring(&self) {
        self.happen(|edges| edges.rings += 1);
    }

    fn start_clock(&self) {
        self.happen(|edges| edges.ticks += 1);
    }
}

impl Reserve for Kernel {
    type Broken = core::convert::Infallible;

    fn wait_for_call(&self, calls: &AtomicU32, _: Option<u64>) -> Result<(), Self::Broken> {
        let mut futex = self.futex.lock().unwrap();
        while calls.load(sync::Ordering::SeqCst) == 0 {
            futex = self.called.wait(futex).unwrap();
        }
        Ok(())
    }

    fn wake_one(&self, _: &AtomicU32) {
        drop(self.futex.lock().unwrap());
        self.called.notify_all();
    }
}

/// The same for a thread that gets a signal as soon as it waits for a call and no deadline; then it waits on.
struct Interrupted<'a>(&'a Kernel);

impl Reserve for Interrupted<'_> {
    type Broken = ();

    fn wait_for_call(&self, calls: &AtomicU32, deadline: Option<u64>) -> Result<(), ()> {
        if deadline.is_some() {
            return Err(());
        }
        let Ok(()) = self.0.wait_for_call(calls, None);
        Ok(())
    }

    fn wake_one(&self, calls: &AtomicU32) {
        self.0.wake_one(calls);
    }
}

/// A pipe with lanes that only count.
#[derive(Default)]
struct Pipe {
    wake: Wake,
    kernel: Kernel,
    lanes: [Mutex<u32>; 2],
}

impl Pipe {
    fn new() -> Arc<Pipe> {
        Arc::new(Pipe::default())
    }

    fn push(&self, lane: u32) {
        let mut count = self.lanes[lane as usize].lock().unwrap();
        *count += 1;
        let was_empty = *count == 1;
        if was_empty {
            self.wake.fill(Turn::Shared, lane);
        }
        drop(count);
        if was_empty {
            self.wake.announce(lane, false, &self.kernel);
        }
    }

    /// Takes one event out of a lane.
    fn take(&self, lane: u32) -> bool {
        let mut count = self.lanes[lane as usize].lock().unwrap();
        if *count == 0 {
            return false;
        }
        *count -= 1;
        if *count == 0 {
            self.wake.empty(Turn::Shared, lane);
        }
        true
    }

    /// Waits in the kernel, being counted there. Whether there was an event: then the thread has left its harvest with it.
    fn look(&self) -> bool {
        let edges = self.kernel.wait();
        self.wake.awake(Turn::Shared);
        if edges.rings > 0 {
            self.wake.heard();
        }
        if edges.ticks > 0 {
            self.wake.ticked();
            // Nothing was taken since the last tick, in the worst case.
            self.wake.deactivate(OWN);
            self.wake.tick_on(OTHER, &self.kernel);
        }
        if edges.packets > 0 {
            self.wake.leave(false, &self.kernel);
        }
        edges.packets > 0
    }

    /// A harvest for one event by a thread that owns none of the lanes. It waits for ever if a wake-up is lost, which
    /// loom reports as a deadlock.
    fn harvest(&self) {
        loop {
            match self.wake.doze(OTHER, false, &self.kernel) {
                Doze::Take => {}
                Doze::Sleep if self.look() => return,
                Doze::Sleep => {}
                Doze::StandBy => {
                    let Ok(()) = self.wake.sleepers.stand_by(&self.kernel, None);
                    self.wake.awake(Turn::Shared);
                }
            }
            let lanes = self.wake.takeable(OTHER, false);
            let got = [OWN, COMMON].into_iter().any(|lane| lanes & bit(lane) != 0 && self.take(lane));
            if got {
                self.wake.leave(false, &self.kernel);
                return;
            }
        }
    }
}

#[test]
fn an_event_for_all_wakes_a_sleeper() {
    loom::model(|| {
        let pipe = Pipe::new();
        let pusher = pipe.clone();
        let pusher = thread::spawn(move || pusher.push(COMMON));
        pipe.harvest();
        pusher.join().unwrap();
    });
}

#[test]
fn two_events_of_two_threads_come_to_one_sleeper() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let pipe = Pipe::new();
        let pushers: Vec<_> = (0..2)
            .map(|_| {
                let pusher = pipe.clone();
                thread::spawn(move || pusher.push(COMMON))
            })
            .collect();
        pipe.harvest();
        pipe.harvest();
        for pusher in pushers {
            pusher.join().unwrap();
        }
    });
}

#[test]
fn two_events_come_to_two_sleepers_that_take_one_each() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let pipe = Pipe::new();
        let sleepers: Vec<_> = (0..2)
            .map(|_| {
                let sleeper = pipe.clone();
                thread::spawn(move || sleeper.harvest())
            })
            .collect();
        pipe.push(COMMON);
        pipe.push(COMMON);
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
    });
}

#[test]
fn the_events_of_a_busy_thread_are_taken_over() {
    loom::model(|| {
        let pipe = Pipe::new();
        pipe.wake.activate(OWN);
        let busy = pipe.clone();
        // It never comes back to harvest.
        let busy = thread::spawn(move || busy.push(OWN));
        pipe.harvest();
        busy.join().unwrap();
    });
}

/// Of two threads one waits in the kernel, and may be busy with what it has found there when the event comes. (What comes
/// to the kernel then is found by the watch.)
#[test]
fn an_event_calls_the_reserve_when_nobody_is_in_the_kernel() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let pipe = Pipe::new();
        pipe.wake.sleepers.let_one_look(true);
        pipe.kernel.happen(|edges| edges.packets += 1);
        assert_eq!(pipe.wake.sleepers.add(true), sleepers::Spot::Kernel);
        let (first, pusher) = (pipe.clone(), pipe.clone());
        let first = thread::spawn(move || assert!(first.look()));
        let pusher = thread::spawn(move || pusher.push(COMMON));
        pipe.harvest();
        pusher.join().unwrap();
        first.join().unwrap();
        assert!(!pipe.wake.sleepers.any(), "a thread is counted that does not wait");
    });
}

/// A thread that is interrupted in the reserve just when it is called.
#[test]
fn an_interrupted_thread_leaves_no_call_behind() {
    loom::model(|| {
        let pipe = Pipe::new();
        let sleepers = &pipe.wake.sleepers;
        sleepers.let_one_look(true);
        assert_eq!(sleepers.add(true), sleepers::Spot::Kernel);
        assert_eq!(sleepers.add(false), sleepers::Spot::Reserve);
        let other = pipe.clone();
        let other = thread::spawn(move || {
            if other.wake.sleepers.stand_by(&Interrupted(&other.kernel), Some(1)).is_ok() {
                other.wake.awake(Turn::Shared);
            }
        });
        pipe.wake.awake(Turn::Shared);
        pipe.push(COMMON);
        other.join().unwrap();
        assert!(!sleepers.any(), "a thread is counted that does not wait");
        assert!(sleepers.has_no_calls(), "a call is left for somebody who will not have been called");
    });
}

/// A thread that leaves a pipe where another is about to stand by (`InUse::drop`, `Pipe::stand_by`), against the watch that
/// goes to sleep while the pipe is attended.
#[test]
fn the_watch_hears_of_a_reserve_that_is_all_that_is_left() {
    use sync::Ordering::SeqCst;
    loom::model(|| {
        let users = Arc::new(AtomicU32::new(2));
        let dormant = Arc::new(AtomicBool::new(false));
        let pipe = Pipe::new();
        pipe.wake.sleepers.let_one_look(true);
        assert_eq!(pipe.wake.sleepers.add(true), sleepers::Spot::Kernel);
        let (its_users, its_dormant, its_pipe) = (users.clone(), dormant.clone(), pipe.clone());
        let leaver = thread::spawn(move || {
            its_pipe.wake.awake(Turn::Shared);
            let left = its_users.fetch_sub(1, SeqCst) - 1;
            sync::in_order();
            left == its_pipe.wake.sleepers.in_reserve() && its_dormant.load(SeqCst)
        });
        let (its_dormant, its_pipe) = (dormant.clone(), pipe.clone());
        let other = thread::spawn(move || {
            let spot = its_pipe.wake.sleepers.add(false);
            sync::in_order();
            spot == sleepers::Spot::Reserve && its_dormant.load(SeqCst)
        });
        dormant.store(true, SeqCst);
        sync::in_order();
        let sleeps = users.load(SeqCst) > pipe.wake.sleepers.in_reserve();
        let is_woken = leaver.join().unwrap() | other.join().unwrap();
        let is_attended = users.load(SeqCst) > pipe.wake.sleepers.in_reserve();
        assert!(!sleeps || is_woken || is_attended, "the watch sleeps, and nobody wakes it");
    });
}

#[test]
fn what_a_leaving_harvester_leaves_behind_is_taken_over() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let pipe = Pipe::new();
        pipe.wake.activate(OWN);
        let leaver = pipe.clone();
        let leaver = thread::spawn(move || {
            // Its look into the kernel has put two events into its lane, without announcing them; it takes one along.
            let mut count = leaver.lanes[OWN as usize].lock().unwrap();
            *count = 2;
            leaver.wake.fill(Turn::Shared, OWN);
            drop(count);
            assert!(leaver.take(OWN));
            leaver.wake.leave(false, &leaver.kernel);
        });
        pipe.harvest();
        leaver.join().unwrap();
    });
}

/// A lane with a ring, as `harvest::take_out` and `fast::write` use it.
struct Lane {
    wake: Wake,
    lock: Mutex<()>,
    ring: Ring,
    slots: [Slot; SLOTS],
}

impl Lane {
    fn new() -> Arc<Lane> {
        let lane = Lane {
            wake: Wake::default(),
            lock: Mutex::new(()),
            ring: Ring::default(),
            slots: core::array::from_fn(|_| Slot::default()),
        };
        lane.ring.allow(true);
        Arc::new(lane)
    }

    fn put(&self, user: u64) -> bool {
        if !self.ring.has_room() {
            return false;
        }
        if self.ring.put(Turn::Shared, &self.slots, user, user + 100).1 {
            self.wake.fill(Turn::Shared, OWN);
        }
        true
    }

    fn take(&self, most: usize) -> Vec<u64> {
        let _locked = self.lock.lock().unwrap();
        let mut room = vec![MaybeUninit::uninit(); most];
        let n = self.ring.take(Turn::Shared, &self.slots, &mut room, |user, outcome| {
            assert_eq!(outcome, user + 100, "half an event");
            user
        });
        if self.ring.is_empty() {
            self.wake.empty(Turn::Shared, OWN);
            if !self.ring.is_empty() {
                self.wake.fill(Turn::Shared, OWN);
            }
        }
        // SAFETY: the first `n` are written.
        room.iter().take(n).map(|user| unsafe { user.assume_init() }).collect()
    }
}

#[test]
fn a_ring_loses_nothing_and_its_mark_is_true_in_the_end() {
    loom::model(|| {
        let lane = Lane::new();
        let thief = lane.clone();
        let thief = thread::spawn(move || {
            let mut got = thief.take(1);
            got.extend(thief.take(2));
            got
        });
        let mut next = 0;
        for _ in 0..3 {
            if lane.put(next) {
                next += 1;
            }
        }
        let mut got = thief.join().unwrap();
        assert_eq!(lane.wake.filled() == 0, lane.ring.is_empty(), "the mark is not true");
        got.extend(lane.take(9));
        assert_eq!(got, (0..next).collect::<Vec<_>>());
        assert_eq!(lane.wake.filled(), 0);
    });
}

#[test]
fn two_takers_of_a_ring_get_each_event_once() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let lane = Lane::new();
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let taker = lane.clone();
                thread::spawn(move || taker.take(1))
            })
            .collect();
        let put = (0..2).filter(|&user| lane.put(user)).count() as u64;
        let mut got: Vec<u64> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        got.extend(lane.take(9));
        got.sort_unstable();
        assert_eq!(got, (0..put).collect::<Vec<_>>());
    });
}

/// A pipe as the watch sees it: `watch::Watch::look` against `Pipe::harvest`.
#[derive(Default)]
struct Watched {
    users: sync::AtomicU32,
    watched: sync::AtomicBool,
    looking: Mutex<()>,
    /// An edge in the kernel.
    edge: Mutex<bool>,
    /// An event in the common lane.
    lane: Mutex<bool>,
}

impl Watched {
    fn look(&self) {
        use sync::Ordering::SeqCst;
        let _looking = self.looking.lock().unwrap();
        self.watched.store(true, SeqCst);
        sync::in_order();
        if self.users.fetch_add(1, SeqCst) == 0 && core::mem::take(&mut *self.edge.lock().unwrap()) {
            *self.lane.lock().unwrap() = true;
        }
        self.users.fetch_sub(1, SeqCst);
        self.watched.store(false, SeqCst);
    }

    /// A harvest that does not wait.
    fn harvest(&self) -> bool {
        use sync::Ordering::SeqCst;
        self.users.fetch_add(1, SeqCst);
        sync::in_order();
        if self.watched.load(SeqCst) {
            drop(self.looking.lock().unwrap());
        }
        let edge = core::mem::take(&mut *self.edge.lock().unwrap());
        let lane = core::mem::take(&mut *self.lane.lock().unwrap());
        self.users.fetch_sub(1, SeqCst);
        edge || lane
    }
}

#[test]
fn the_watch_is_no_thief() {
    loom::model(|| {
        let pipe = Arc::new(Watched::default());
        *pipe.edge.lock().unwrap() = true;
        let watch = pipe.clone();
        let watch = thread::spawn(move || watch.look());
        assert!(pipe.harvest(), "the watch made a harvest miss an event");
        watch.join().unwrap();
    });
}

/// What locks guard, and who may do without: `visit` over `Solo`.
struct Place {
    solo: Solo,
    visits: Mutex<()>,
    lock: Mutex<()>,
    count: UnsafeCell<u32>,
}

/// membarrier(2).
fn barrier() {
    loom::sync::atomic::fence(sync::Ordering::SeqCst);
}

impl Place {
    fn new() -> Arc<Place> {
        Arc::new(Place {
            solo: Solo::new(),
            visits: Mutex::new(()),
            lock: Mutex::new(()),
            count: UnsafeCell::new(0),
        })
    }

    /// `visit::admit`.
    fn admit(&self, me: usize) {
        if self.solo.is_admitted(me) {
            return;
        }
        let _visits = self.visits.lock().unwrap();
        if self.solo.is_admitted(me) {
            return;
        }
        if self.solo.is_empty() {
            self.solo.claim(me);
        } else {
            self.solo.share(barrier, thread::yield_now);
        }
    }

    /// loom sees it if two do this at once, or one does not see what the other did.
    fn work(&self) {
        // SAFETY: that is what is checked.
        self.count.with_mut(|count| unsafe { *count += 1 });
    }

    fn general_way(&self, me: usize) {
        self.admit(me);
        let _lock = self.lock.lock().unwrap();
        self.work();
    }

    fn short_way(&self, me: usize) {
        if self.solo.enter(me) {
            self.work();
            self.solo.leave();
        } else if self.solo.is_shared() {
            let _lock = self.lock.lock().unwrap();
            self.work();
        } else {
            self.general_way(me);
        }
    }

    /// A thread of the library's own.
    fn visit(&self, me: usize) {
        let visits = (!self.solo.is_shared()).then(|| self.visits.lock().unwrap());
        if visits.is_some() {
            self.solo.visit(me, barrier, thread::yield_now);
        }
        self.general_way(me);
        if visits.is_some() {
            self.solo.end_visit();
        }
    }

    fn count(&self) -> u32 {
        self.count.with(|count| unsafe { *count })
    }
}

#[test]
fn who_is_alone_is_alone_until_another_comes() {
    loom::model(|| {
        let place = Place::new();
        place.general_way(10);
        assert!(place.solo.enter(10));
        place.solo.leave();
        let other = place.clone();
        let second = thread::spawn(move || {
            other.general_way(20);
            other.short_way(20);
        });
        place.short_way(10);
        place.short_way(10);
        second.join().unwrap();
        assert!(place.solo.is_shared() && !place.solo.enter(10));
        assert_eq!(place.count(), 5);
    });
}

#[test]
fn who_is_alone_is_so_again_after_a_visit() {
    loom::model(|| {
        let place = Place::new();
        place.general_way(10);
        let other = place.clone();
        let visitor = thread::spawn(move || other.visit(30));
        place.short_way(10);
        place.general_way(10);
        place.short_way(10);
        visitor.join().unwrap();
        assert!(place.solo.enter(10));
        place.solo.leave();
        assert_eq!(place.count(), 5);
    });
}

#[test]
fn a_visit_and_a_second_thread_may_come_together() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let place = Place::new();
        place.general_way(10);
        let other = place.clone();
        let visitor = thread::spawn(move || other.visit(30));
        let other = place.clone();
        let second = thread::spawn(move || other.general_way(20));
        place.short_way(10);
        visitor.join().unwrap();
        second.join().unwrap();
        assert!(place.solo.is_shared());
        assert_eq!(place.count(), 4);
    });
}

/// A thread that leaves a pipe alone (`Pipe::leave_alone`) against the watch that goes to sleep for as long as it is there.
#[test]
fn the_watch_hears_of_a_thread_that_leaves_alone() {
    use sync::Ordering::{Relaxed, SeqCst};
    loom::model(|| {
        let users = Arc::new(sync::AtomicU32::new(1));
        let dormant = Arc::new(AtomicBool::new(false));
        let (its_users, its_dormant) = (users.clone(), dormant.clone());
        let leaver = thread::spawn(move || {
            its_users.store(0, Relaxed);
            sync::light_fence();
            its_dormant.load(SeqCst)
        });
        dormant.store(true, SeqCst);
        barrier();
        let sleeps = users.load(SeqCst) != 0;
        let is_woken = leaver.join().unwrap();
        assert!(!sleeps || is_woken, "the watch sleeps, and nobody wakes it");
    });
}

/// Rule 3.1: two threads of which each takes one of two places are never refused, whatever the third does to give its
/// places back.
#[test]
fn places_are_not_refused_without_cause() {
    loom::model(|| {
        let places = Arc::new(Places::new());
        assert!(places.resize(3));
        assert_eq!(places.take(1), 1);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let places = places.clone();
                thread::spawn(move || {
                    assert_eq!(places.take(1), 1);
                    assert!(places.taken() <= 3);
                    places.give(Turn::Shared, 1);
                })
            })
            .collect();
        places.give(Turn::Shared, 1);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(places.taken(), 0);
    });
}

/// Rule 3.1: never more places taken than there are.
#[test]
fn places_are_not_overdrawn() {
    loom::model(|| {
        let places = Arc::new(Places::new());
        assert!(places.resize(2));
        let other = places.clone();
        let taker = thread::spawn(move || other.take(2) + u32::from(other.take_at_once(Turn::Shared)));
        let mine = places.take(2);
        assert!(places.taken() <= 2);
        let theirs = taker.join().unwrap();
        assert_eq!(mine + theirs, places.taken());
        assert_eq!(places.taken(), 2);
    });
}

/// Rule 3.8: a pipe that shrinks never has more places taken than it has places.
#[test]
fn places_that_are_taken_are_not_taken_away() {
    loom::model(|| {
        let places = Arc::new(Places::new());
        assert!(places.resize(2));
        let other = places.clone();
        let taker = thread::spawn(move || other.take(2));
        let resized = places.resize(1);
        let taken = taker.join().unwrap();
        match (resized, taken) {
            (true, 1) | (false, 2) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(places.taken(), taken);
        assert_eq!(places.capacity(), if resized { 1 } else { 2 });
    });
}

/// A descriptor as `attachment`, `attach` and the engine treat it: a table that is read without a lock, a node that is used
/// again, and edges that name a node and its generation.
struct Descriptor {
    /// What the table says: the node is attached.
    table: AtomicBool,
    node: Mutex<Node>,
    /// Results that came out, by the user pointer of the operation.
    events: Mutex<Vec<(u32, Outcome)>>,
}

struct Node {
    attached: bool,
    generation: u32,
    user: u32,
    /// How many operations wait.
    parked: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Done,
    Canceled,
}

impl Descriptor {
    /// `attach::attach_new`, and an operation that is queued.
    fn attach(&self, user: u32) -> bool {
        let mut node = self.node.lock().unwrap();
        if node.attached {
            return false;
        }
        *node = Node { attached: true, user, parked: 0, generation: node.generation };
        self.table.store(true, sync::Ordering::Release);
        true
    }

    /// `submit`: looks into the table, locks, and makes sure that the node is still what it looked for.
    fn submit(&self) -> Option<u32> {
        if !self.table.load(sync::Ordering::Acquire) {
            return None;
        }
        let mut node = self.node.lock().unwrap();
        if !node.attached {
            return None;
        }
        node.parked += 1;
        Some(node.user)
    }

    /// `Epoll::edge`, with what the kernel was told when the descriptor was attached.
    fn edge(&self, generation: u32) {
        let mut node = self.node.lock().unwrap();
        if node.attached && node.generation == generation {
            self.complete(&mut node, Outcome::Done);
        }
    }

    fn complete(&self, node: &mut Node, outcome: Outcome) {
        let mut events = self.events.lock().unwrap();
        events.extend((0..core::mem::take(&mut node.parked)).map(|_| (node.user, outcome)));
    }

    /// `attach::release`.
    fn detach(&self) {
        let mut node = self.node.lock().unwrap();
        if !core::mem::take(&mut node.attached) {
            return;
        }
        self.complete(&mut node, Outcome::Canceled);
        node.generation += 1;
        self.table.store(false, sync::Ordering::Release);
    }
}

/// Rules 2.2 and 4.3: attach against detach against completion: each operation that was queued has exactly one event, and
/// an edge of the descriptor before completes nothing of the new one.
#[test]
fn attach_detach_and_completion_give_one_event_each() {
    loom::model(|| {
        let node = Node { attached: false, generation: 0, user: 0, parked: 0 };
        let descriptor = Arc::new(Descriptor {
            table: AtomicBool::new(false),
            node: Mutex::new(node),
            events: Mutex::new(Vec::new()),
        });
        assert!(descriptor.attach(1));
        assert_eq!(descriptor.submit(), Some(1));
        // The kernel's edge for the first attachment, on its way.
        let other = descriptor.clone();
        let edge = thread::spawn(move || other.edge(0));
        // Another thread queues, on whatever is attached.
        let other = descriptor.clone();
        let submitter = thread::spawn(move || other.submit());
        descriptor.detach();
        assert!(descriptor.attach(2));
        edge.join().unwrap();
        let queued = submitter.join().unwrap();
        descriptor.detach();
        let events = descriptor.events.lock().unwrap();
        let of = |user| events.iter().filter(|event| event.0 == user).count();
        assert_eq!(of(1), 1 + usize::from(queued == Some(1)), "{events:?}");
        assert_eq!(of(2), usize::from(queued == Some(2)), "{events:?}");
        assert!(!events.contains(&(2, Outcome::Done)), "{events:?}");
    });
}
