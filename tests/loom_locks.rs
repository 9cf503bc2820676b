//! Every interleaving of the locks, and of what is made of them: `make check-loom`.
//!
//! The files under test are the library's own, built over loom's atomics. The futex is modelled by a list of sleepers under
//! one of loom's mutexes. That orders more than the kernel promises; but there are interleavings in which nobody sleeps, and
//! in those nothing but what is tested orders what the threads do.

#![cfg(loom)]
#![allow(dead_code)]

#[path = "../src/engine/epoll/identity_locks.rs"]
mod identity_locks;
#[path = "../src/engine/lock.rs"]
mod lock;
#[path = "../src/engine/epoll/positions.rs"]
mod positions;
#[path = "../src/sync.rs"]
#[allow(unused_imports)]
mod sync;

mod engine {
    pub(crate) use crate::lock;
}

/// What the kernel does.
mod sys {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) enum Errno {
        EINTR,
        ETIMEDOUT,
    }

    pub(crate) mod process {
        pub(crate) fn pause() {
            super::futex::pause();
        }
    }

    pub(crate) mod futex {
        use super::Errno;
        use crate::sync::{AtomicU32, Ordering::Relaxed};
        use loom::sync::{Condvar, Mutex, MutexGuard};
        use std::sync::{Arc, OnceLock};

        struct Sleeper {
            word: *const AtomicU32,
            has_deadline: bool,
            outcome: OnceLock<Result<(), Errno>>,
            woken: Condvar,
        }

        // SAFETY: nobody follows the pointer.
        unsafe impl Send for Sleeper {}
        // SAFETY: the same.
        unsafe impl Sync for Sleeper {}

        #[derive(Default)]
        struct Kernel {
            sleepers: Vec<Arc<Sleeper>>,
            /// Every deadline has passed.
            is_late: bool,
            /// A pause lasts until then.
            is_pause_long: bool,
        }

        loom::lazy_static! {
            static ref KERNEL: Mutex<Kernel> = Mutex::new(Kernel::default());
        }

        /// Begins a model, before it has threads: making the kernel would order what they do.
        pub(crate) fn boot() {
            drop(KERNEL.lock().unwrap());
        }

        pub(crate) fn wait(word: &AtomicU32, value: u32, deadline: Option<u64>) -> Result<(), Errno> {
            let kernel = KERNEL.lock().unwrap();
            // Relaxed: it may see an old value if who wrote a new one has not called to wake anybody yet.
            if word.load(Relaxed) != value {
                return Ok(());
            }
            if deadline.is_some() && kernel.is_late {
                return Err(Errno::ETIMEDOUT);
            }
            sleep(kernel, word, deadline.is_some())
        }

        fn sleep(
            mut kernel: MutexGuard<'_, Kernel>,
            word: *const AtomicU32,
            has_deadline: bool,
        ) -> Result<(), Errno> {
            let me =
                Arc::new(Sleeper { word, has_deadline, outcome: OnceLock::new(), woken: Condvar::new() });
            kernel.sleepers.push(me.clone());
            loop {
                kernel = me.woken.wait(kernel).unwrap();
                if let Some(outcome) = me.outcome.get() {
                    return *outcome;
                }
            }
        }

        /// Two threads that look again and again would keep loom busy for ever: it lets them take turns with each other
        /// and nobody else. So where there are two, they look again when the thread that they wait for says so.
        pub(crate) fn make_pauses_long() {
            KERNEL.lock().unwrap().is_pause_long = true;
        }

        pub(crate) fn pause() {
            let kernel = KERNEL.lock().unwrap();
            if kernel.is_pause_long && !kernel.is_late {
                let _ = sleep(kernel, core::ptr::null(), true);
            } else {
                drop(kernel);
                loom::thread::yield_now();
            }
        }

        fn end(kernel: &mut Kernel, most: usize, outcome: Result<(), Errno>, who: impl Fn(&Sleeper) -> bool) {
            let mut left = most;
            kernel.sleepers.retain(|sleeper| {
                if left == 0 || !who(sleeper) {
                    return true;
                }
                left -= 1;
                sleeper.outcome.set(outcome).unwrap();
                sleeper.woken.notify_one();
                false
            });
        }

        pub(crate) fn wake_one(word: &AtomicU32) {
            end(&mut KERNEL.lock().unwrap(), 1, Ok(()), |sleeper| core::ptr::eq(sleeper.word, word));
        }

        pub(crate) fn wake_all(word: &AtomicU32) {
            end(&mut KERNEL.lock().unwrap(), usize::MAX, Ok(()), |sleeper| core::ptr::eq(sleeper.word, word));
        }

        /// A signal for everybody who sleeps.
        pub(crate) fn signal() {
            end(&mut KERNEL.lock().unwrap(), usize::MAX, Err(Errno::EINTR), |_| true);
        }

        /// The time of all deadlines.
        pub(crate) fn strike() {
            let mut kernel = KERNEL.lock().unwrap();
            kernel.is_late = true;
            end(&mut kernel, usize::MAX, Err(Errno::ETIMEDOUT), |sleeper| sleeper.has_deadline);
        }
    }
}

use lock::{Condvar, Mutex, MutexGuard, RawLock};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};
use positions::Positions;
use sys::futex;

fn model(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        futex::boot();
        body();
    });
}

/// A number that loom watches: it sees it if two threads are there at once, or one does not see what the other did.
type Number = UnsafeCell<u32>;

fn add(number: &Number) {
    // SAFETY: that is what is checked.
    number.with_mut(|number| unsafe { *number += 1 });
}

fn get(number: &Number) -> u32 {
    // SAFETY: the same.
    number.with(|number| unsafe { *number })
}

/// A number under a lock, and who waits for it.
struct Place {
    number: Mutex<Number>,
    changed: Condvar,
}

impl Place {
    fn new() -> Arc<Place> {
        Arc::new(Place { number: Mutex::new(Number::new(0)), changed: Condvar::new() })
    }

    fn add(&self) {
        add(&self.number.lock());
    }

    fn get(&self) -> u32 {
        get(&self.number.lock())
    }

    fn wait(&self, guard: &mut MutexGuard<'_, Number>, deadline: Option<u64>) -> bool {
        self.changed.wait(guard, deadline)
    }

    /// Waits for a number, and for ever if a wake-up is lost, which loom reports as a deadlock.
    fn wait_for(&self, number: u32) {
        let mut guard = self.number.lock();
        while get(&guard) < number {
            assert!(self.wait(&mut guard, None), "there is no deadline");
        }
        add(&guard);
    }
}

fn spawn<T: 'static>(place: &Arc<T>, run: impl FnOnce(&T) + 'static) -> JoinHandle<()> {
    let place = place.clone();
    thread::spawn(move || run(&place))
}

fn join(threads: [JoinHandle<()>; 2]) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn two_threads_have_a_lock_one_after_the_other() {
    model(None, || {
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
    model(Some(3), || {
        let place = Place::new();
        let others = [spawn(&place, Place::add), spawn(&place, Place::add)];
        place.add();
        join(others);
        assert_eq!(place.get(), 3);
    });
}

#[test]
fn who_tries_has_the_lock_or_does_not_wait() {
    model(None, || {
        let lock = Arc::new((RawLock::new(), Number::new(0)));
        let other = lock.clone();
        let other = thread::spawn(move || {
            let has = other.0.try_lock();
            if has {
                add(&other.1);
                other.0.unlock();
            }
            has
        });
        lock.0.lock();
        add(&lock.1);
        assert!(!lock.0.try_lock(), "a held lock was given away");
        lock.0.unlock();
        let had = other.join().unwrap();
        assert!(lock.0.try_lock(), "nobody has it");
        assert_eq!(get(&lock.1), 1 + u32::from(had));
    });
}

#[test]
fn a_signal_does_not_give_the_lock() {
    model(Some(3), || {
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
fn who_waits_is_notified() {
    model(None, || {
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
fn who_waits_is_notified_under_the_lock() {
    model(None, || {
        let place = Place::new();
        let waiter = spawn(&place, |place| place.wait_for(1));
        let guard = place.number.lock();
        add(&guard);
        place.changed.notify_one();
        drop(guard);
        waiter.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

#[test]
fn all_who_wait_are_notified() {
    model(Some(3), || {
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
fn each_who_waits_is_notified() {
    model(Some(3), || {
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
    model(None, || {
        futex::strike();
        let place = Place::new();
        let other = spawn(&place, Place::add);
        let mut guard = place.number.lock();
        assert!(!place.wait(&mut guard, Some(0)), "it waited, or says so");
        add(&guard);
        drop(guard);
        other.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

#[test]
fn a_deadline_that_passes_ends_the_wait_and_a_signal_is_none() {
    model(Some(3), || {
        let place = Place::new();
        let clock = spawn(&place, |place| {
            futex::signal();
            place.add();
            futex::strike();
        });
        let mut guard = place.number.lock();
        while place.wait(&mut guard, Some(1)) {}
        assert_eq!(get(&guard), 1, "the deadline has not passed");
        drop(guard);
        clock.join().unwrap();
    });
}

/// A deadline that passes while another thread notifies.
#[test]
fn a_wait_ends_by_deadline_or_notification() {
    model(Some(3), || {
        let place = Place::new();
        let clock = thread::spawn(futex::strike);
        let notifier = spawn(&place, |place| {
            place.add();
            place.changed.notify_one();
        });
        let mut guard = place.number.lock();
        while get(&guard) == 0 && place.wait(&mut guard, Some(1)) {}
        add(&guard);
        drop(guard);
        clock.join().unwrap();
        notifier.join().unwrap();
        assert_eq!(place.get(), 2);
    });
}

/// The position of a file. Attempts are kept away from workers, but not from each other, and workers neither: each pair
/// of one and one has a number of its own.
struct File {
    positions: Positions,
    numbers: [[Number; 2]; 2],
}

impl File {
    fn new() -> Arc<File> {
        let numbers = core::array::from_fn(|_| core::array::from_fn(|_| Number::new(0)));
        Arc::new(File { positions: Positions::new(), numbers })
    }

    fn attempt(&self, me: usize) -> bool {
        let in_use = self.positions.attempt(5);
        if in_use.is_some() {
            self.numbers.iter().for_each(|numbers| add(&numbers[me]));
        }
        in_use.is_some()
    }

    fn work(&self, me: usize) {
        let in_use = self.positions.work(5);
        assert!(in_use.is_some());
        self.numbers[me].iter().for_each(add);
    }

    fn is_free(&self) -> bool {
        self.positions.attempt(5).is_some()
    }
}

#[test]
fn an_attempt_and_a_worker_are_never_both_at_a_position() {
    model(None, || {
        let file = File::new();
        let worker = spawn(&file, |file| file.work(0));
        let attempts = u32::from(file.attempt(0)) + u32::from(file.attempt(0));
        worker.join().unwrap();
        assert!(file.is_free(), "somebody is counted who has left");
        assert_eq!(get(&file.numbers[0][0]), 1 + attempts);
    });
}

#[test]
fn two_attempts_and_a_worker_are_never_both_at_a_position() {
    model(Some(3), || {
        let file = File::new();
        let worker = spawn(&file, |file| file.work(0));
        let attempt = spawn(&file, |file| {
            file.attempt(1);
        });
        file.attempt(0);
        worker.join().unwrap();
        attempt.join().unwrap();
        assert!(file.is_free(), "somebody is counted who has left");
    });
}

#[test]
fn an_attempt_and_two_workers_are_never_both_at_a_position() {
    model(Some(3), || {
        let file = File::new();
        futex::make_pauses_long();
        let workers = [0, 1].map(|me| spawn(&file, move |file| file.work(me)));
        file.attempt(0);
        futex::strike();
        join(workers);
        assert!(file.is_free(), "somebody is counted who has left");
    });
}

#[test]
fn attempts_do_not_keep_each_other_away() {
    model(None, || {
        let file = File::new();
        let other = spawn(&file, |file| assert!(file.attempt(1)));
        assert!(file.attempt(0));
        other.join().unwrap();
    });
}

/// Workers at a file in memory, and one at another: there is room for one here.
#[test]
fn workers_at_a_file_in_memory_are_alone() {
    model(Some(3), || {
        let file = File::new();
        let work = |identity| {
            move |file: &File| {
                let _alone = file.positions.work_alone(identity);
                add(&file.numbers[0][0]);
            }
        };
        let others = [spawn(&file, work(5)), spawn(&file, work(6))];
        work(5)(&file);
        join(others);
        let _alone = file.positions.work_alone(5);
        assert_eq!(get(&file.numbers[0][0]), 3);
    });
}
