//! The position of a file: attempts, which do not wait, and workers, which do.

use crate::number::Number;
use crate::sync::positions::Positions;
use crate::sys::futex;
use crate::{join, model_with_futex, spawn};
use loom::sync::Arc;

/// The position of a file. Attempts are kept away from workers, but not from each other, and workers neither: each pair
/// of one and one has a number of its own.
struct File {
    positions: Positions,
    numbers: [[Number; 2]; 2],
}

impl File {
    fn new() -> Arc<File> {
        let numbers = core::array::from_fn(|_| core::array::from_fn(|_| Number::new()));
        Arc::new(File { positions: Positions::new(), numbers })
    }

    fn attempt(&self, me: usize) -> bool {
        let in_use = self.positions.attempt(5);
        if in_use.is_some() {
            self.numbers.iter().for_each(|numbers| numbers[me].add());
        }
        in_use.is_some()
    }

    fn work(&self, me: usize) {
        let in_use = self.positions.work(5);
        assert!(in_use.is_some());
        self.numbers[me].iter().for_each(Number::add);
    }

    fn is_free(&self) -> bool {
        self.positions.attempt(5).is_some()
    }
}

#[test]
fn an_attempt_and_a_worker_are_never_both_at_a_position() {
    model_with_futex(None, || {
        let file = File::new();
        let worker = spawn(&file, |file| file.work(0));
        let attempts = u32::from(file.attempt(0)) + u32::from(file.attempt(0));
        worker.join().unwrap();
        assert!(file.is_free(), "an attempt or a worker is counted that has left");
        assert_eq!(file.numbers[0][0].get(), 1 + attempts);
    });
}

#[test]
fn two_attempts_and_a_worker_are_never_both_at_a_position() {
    model_with_futex(Some(3), || {
        let file = File::new();
        let worker = spawn(&file, |file| file.work(0));
        let attempt = spawn(&file, |file| {
            file.attempt(1);
        });
        file.attempt(0);
        worker.join().unwrap();
        attempt.join().unwrap();
        assert!(file.is_free(), "an attempt or a worker is counted that has left");
    });
}

#[test]
fn an_attempt_and_two_workers_are_never_both_at_a_position() {
    model_with_futex(Some(3), || {
        let file = File::new();
        futex::make_pauses_long();
        let workers = [0, 1].map(|me| spawn(&file, move |file| file.work(me)));
        file.attempt(0);
        futex::strike();
        join(workers);
        assert!(file.is_free(), "an attempt or a worker is counted that has left");
    });
}

#[test]
fn attempts_do_not_keep_each_other_away() {
    model_with_futex(None, || {
        let file = File::new();
        let other = spawn(&file, |file| assert!(file.attempt(1)));
        assert!(file.attempt(0));
        other.join().unwrap();
    });
}

/// Workers at a file in memory, and one at another: there is room for one here.
#[test]
fn workers_at_a_file_in_memory_keep_each_other_away() {
    model_with_futex(Some(3), || {
        let file = File::new();
        let work = |identity| {
            move |file: &File| {
                let _alone = file.positions.work_alone(identity);
                file.numbers[0][0].add();
            }
        };
        let others = [spawn(&file, work(5)), spawn(&file, work(6))];
        work(5)(&file);
        join(others);
        let _alone = file.positions.work_alone(5);
        assert_eq!(file.numbers[0][0].get(), 3);
    });
}
