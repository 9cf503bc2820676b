//! The lock and the condition variable.

use crate::number::Number;
use crate::sync::lock::{Condvar, Mutex, MutexGuard, RawLock};
use crate::sys::futex;
use crate::{join, model_with_futex, spawn};
use loom::sync::Arc;
use loom::thread;

/// A number under a lock, and the threads that wait for it to change.
struct Place {
    number: Mutex<Number>,
    changed: Condvar,
}

impl Place {
    fn new() -> Arc<Place> {
        Arc::new(Place { number: Mutex::new(Number::new()), changed: Condvar::new() })
    }

    fn add(&self) {
        self.number.lock().add();
    }

    fn get(&self) -> u32 {
        self.number.lock().get()
    }

    fn wait(&self, guard: &mut MutexGuard<'_, Number>, deadline: Option<u64>) -> bool {
        self.changed.wait(guard, deadline)
    }

    /// Waits for a number, and for ever if a wake-up is lost, which loom reports as a deadlock.
    fn wait_for(&self, number: u32) {
        let mut guard = self.number.lock();
        while guard.get() < number {
            assert!(self.wait(&mut guard, None), "there is no deadline");
        }
        guard.add();
    }
}

#[test]
fn two_threads_have_a_lock_one_after_the_other() {
    model_with_futex(None, || {
        let place = Place::new();
        let other = spawn(&place, |place| {
            place.add();
            place.add();
        });
        place.add();
        place.add();
        other.join().unwrap();
        assert_eq!(place.get(), 4);
    });
}

/// A thread that has slept unlocks, and must wake one that came after it.
#[test]
fn three_threads_have_a_lock_one_after_the_other() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        let others = [spawn(&place, Place::add), spawn(&place, Place::add)];
        place.add();
        join(others);
        assert_eq!(place.get(), 3);
    });
}

#[test]
fn a_try_takes_the_lock_or_does_not_wait() {
    model_with_futex(None, || {
        let lock = Arc::new((RawLock::new(), Number::new()));
        let other = lock.clone();
        let other = thread::spawn(move || {
            let has = other.0.try_lock();
            if has {
                other.1.add();
                other.0.unlock();
            }
            has
        });
        lock.0.lock();
        lock.1.add();
        assert!(!lock.0.try_lock(), "a held lock was given away");
        lock.0.unlock();
        let had = other.join().unwrap();
        assert!(lock.0.try_lock(), "nobody has it");
        assert_eq!(lock.1.get(), 1 + u32::from(had));
    });
}

#[test]
fn a_signal_does_not_give_the_lock() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        let other = spawn(&place, Place::add);
        let signal = thread::spawn(futex::signal);
        place.add();
        other.join().unwrap();
        signal.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

#[test]
fn a_waiter_is_notified() {
    model_with_futex(None, || {
        let place = Place::new();
        let waiter = spawn(&place, |place| place.wait_for(1));
        place.add();
        place.changed.notify_one();
        waiter.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

/// The same by a thread that has the lock.
#[test]
fn a_waiter_is_notified_under_the_lock() {
    model_with_futex(None, || {
        let place = Place::new();
        let waiter = spawn(&place, |place| place.wait_for(1));
        let guard = place.number.lock();
        guard.add();
        place.changed.notify_one();
        drop(guard);
        waiter.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

#[test]
fn all_waiters_are_notified() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        let waiters = [(), ()].map(|()| spawn(&place, |place| place.wait_for(1)));
        place.add();
        place.changed.notify_all();
        join(waiters);
        assert_eq!(place.get(), 3);
    });
}

/// One notification for each of two threads.
#[test]
fn each_of_two_waiters_is_notified() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        let waiters = [(), ()].map(|()| spawn(&place, |place| place.wait_for(1)));
        place.add();
        place.changed.notify_one();
        place.changed.notify_one();
        join(waiters);
        assert_eq!(place.get(), 3);
    });
}

#[test]
fn a_deadline_that_has_passed_is_told_at_once_with_the_lock() {
    model_with_futex(None, || {
        futex::strike();
        let place = Place::new();
        let other = spawn(&place, Place::add);
        let mut guard = place.number.lock();
        assert!(!place.wait(&mut guard, Some(0)), "it waited, or says so");
        guard.add();
        drop(guard);
        other.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

#[test]
fn a_deadline_that_passes_ends_the_wait_and_a_signal_is_none() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        let clock = spawn(&place, |place| {
            futex::signal();
            place.add();
            futex::strike();
        });
        let mut guard = place.number.lock();
        while place.wait(&mut guard, Some(1)) {}
        assert_eq!(guard.get(), 1, "the deadline has not passed");
        drop(guard);
        clock.join().unwrap();
    });
}

/// A deadline that passes while another thread notifies.
#[test]
fn a_wait_ends_by_deadline_or_notification() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        let clock = thread::spawn(futex::strike);
        let notifier = spawn(&place, |place| {
            place.add();
            place.changed.notify_one();
        });
        let mut guard = place.number.lock();
        while guard.get() == 0 && place.wait(&mut guard, Some(1)) {}
        guard.add();
        drop(guard);
        clock.join().unwrap();
        notifier.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}
