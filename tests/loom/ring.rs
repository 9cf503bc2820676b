//! A lane with a ring, as `harvester::take_out`, `fast_path::put` and `pipe::post` use it: each event comes out once, and the lane's mark
//! is true in the end.

use crate::model;
use crate::pipe::OWN;
use crate::sync::access::Shared;
use crate::sync::ring::{Ring, SLOTS, Slot};
use crate::sync::wake::{Wake, bit};
use core::mem::MaybeUninit;
use loom::sync::{Arc, Mutex};
use loom::thread;

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
        if !self.ring.has_room::<Shared>() {
            return false;
        }
        if self.ring.put::<Shared>(&self.slots, user, user + 100).1 {
            self.wake.fill::<Shared>(bit(OWN));
        }
        true
    }

    fn take(&self, most: usize) -> Vec<u64> {
        let _locked = self.lock.lock().unwrap();
        let mut room = vec![MaybeUninit::uninit(); most];
        let n = self.ring.take::<Shared, _>(&self.slots, &mut room, |user, outcome| {
            assert_eq!(outcome, user + 100, "half an event");
            user
        });
        if self.ring.is_empty() {
            self.wake.empty::<Shared>(bit(OWN));
            if !self.ring.is_empty() {
                self.wake.fill::<Shared>(bit(OWN));
            }
        }
        // SAFETY: the first `n` are written.
        room.iter().take(n).map(|user| unsafe { user.assume_init() }).collect()
    }
}

#[test]
fn a_ring_loses_nothing_and_its_mark_is_true_in_the_end() {
    model(None, || {
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
    model(Some(3), || {
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

/// The common lane: threads that post take turns, and put in several events at once.
#[test]
fn what_several_threads_post_comes_out_once_and_no_mark_is_missing() {
    model(Some(3), || {
        let lane = Lane::new();
        let turn = Arc::new(Mutex::new(()));
        let post = |lane: &Lane, turn: &Mutex<()>, users: &[u64]| {
            let _turn = turn.lock().unwrap();
            let events = users.iter().map(|&user| (user, user + 100));
            let (count, is_first) = lane.ring.put_all(&lane.slots, events);
            if is_first {
                lane.wake.fill::<Shared>(bit(OWN));
            }
            count
        };
        let other = (lane.clone(), turn.clone());
        let other = thread::spawn(move || post(&other.0, &other.1, &[10]));
        let taker = lane.clone();
        let taker = thread::spawn(move || taker.take(1));
        let posted = post(&lane, &turn, &[0, 1]);
        let theirs = other.join().unwrap();
        let mut got = taker.join().unwrap();
        assert!(lane.wake.filled() != 0 || lane.ring.is_empty(), "a mark is missing");
        got.extend(lane.take(9));
        assert_eq!(lane.wake.filled(), 0);
        let mine: Vec<u64> = got.iter().copied().filter(|&user| user < 10).collect();
        assert_eq!(mine, [0, 1][..posted]);
        assert_eq!(got.len(), posted + theirs);
    });
}
