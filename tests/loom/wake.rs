//! No wake-up is lost: an event that was put into a lane comes to a thread that waits.

use crate::model;
use crate::pipe::{COMMON, OWN, Pipe};
use crate::sync::access::Shared;
use crate::sync::wake::bit;
use loom::thread;

#[test]
fn an_event_for_all_wakes_a_sleeper() {
    model(None, || {
        let pipe = Pipe::new();
        let pusher = pipe.clone();
        let pusher = thread::spawn(move || pusher.push(COMMON));
        pipe.harvest();
        pusher.join().unwrap();
    });
}

#[test]
fn two_events_of_two_threads_come_to_one_sleeper() {
    model(Some(3), || {
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
    model(Some(3), || {
        let pipe = Pipe::new();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let sleeper = pipe.clone();
                thread::spawn(move || sleeper.harvest())
            })
            .collect();
        pipe.push(COMMON);
        pipe.push(COMMON);
        for sleeper in waiters {
            sleeper.join().unwrap();
        }
    });
}

#[test]
fn the_events_of_a_busy_thread_are_taken_over() {
    model(None, || {
        let pipe = Pipe::new();
        pipe.wake.activate(OWN);
        let busy = pipe.clone();
        // It never comes back to harvest.
        let busy = thread::spawn(move || busy.push(OWN));
        pipe.harvest();
        busy.join().unwrap();
    });
}

#[test]
fn what_a_leaving_harvester_leaves_behind_is_taken_over() {
    model(Some(3), || {
        let pipe = Pipe::new();
        pipe.wake.activate(OWN);
        let leaver = pipe.clone();
        let leaver = thread::spawn(move || {
            // Its wait in the kernel has put two events into its lane, without announcing them; it takes one along.
            let mut count = leaver.lanes[OWN as usize].lock().unwrap();
            *count = 2;
            leaver.wake.fill::<Shared>(bit(OWN));
            drop(count);
            assert!(leaver.take(OWN));
            leaver.wake.leave(false, &leaver.kernel);
        });
        pipe.harvest();
        leaver.join().unwrap();
    });
}
