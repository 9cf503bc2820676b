//! The lock that is biased to one thread: `visit` over `Solo`.

use crate::engine::solo::Solo;
use crate::number::Number;
use crate::{barrier, model};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// What the lock guards, and the thread that may do without it.
struct Place {
    bias: Solo,
    revocations: Mutex<()>,
    lock: Mutex<()>,
    count: Number,
}

impl Place {
    fn new() -> Arc<Place> {
        Arc::new(Place {
            bias: Solo::new(),
            revocations: Mutex::new(()),
            lock: Mutex::new(()),
            count: Number::new(),
        })
    }

    /// `visit::admit`.
    fn admit(&self, me: usize) {
        if self.bias.is_admitted(me) {
            return;
        }
        let _revocations = self.revocations.lock().unwrap();
        if self.bias.is_admitted(me) {
            return;
        }
        if self.bias.is_empty() {
            self.bias.claim(me);
        } else {
            self.bias.share(barrier, thread::yield_now);
        }
    }

    fn slow_path(&self, me: usize) {
        self.admit(me);
        let _lock = self.lock.lock().unwrap();
        self.count.add();
    }

    fn fast_path(&self, me: usize) {
        if self.bias.enter(me) {
            self.count.add();
            self.bias.leave();
        } else if self.bias.is_shared() {
            let _lock = self.lock.lock().unwrap();
            self.count.add();
        } else {
            self.slow_path(me);
        }
    }

    /// A thread of the library's own.
    fn revoke(&self, me: usize) {
        let revocations = (!self.bias.is_shared()).then(|| self.revocations.lock().unwrap());
        if revocations.is_some() {
            self.bias.visit(me, barrier, thread::yield_now);
        }
        self.slow_path(me);
        if revocations.is_some() {
            self.bias.end_visit();
        }
    }
}

#[test]
fn the_bias_lasts_until_a_second_thread_comes() {
    model(None, || {
        let place = Place::new();
        place.slow_path(10);
        assert!(place.bias.enter(10));
        place.bias.leave();
        let other = place.clone();
        let second = thread::spawn(move || {
            other.slow_path(20);
            other.fast_path(20);
        });
        place.fast_path(10);
        place.fast_path(10);
        second.join().unwrap();
        assert!(place.bias.is_shared() && !place.bias.enter(10));
        assert_eq!(place.count.get(), 5);
    });
}

#[test]
fn the_bias_comes_back_after_a_revocation() {
    model(None, || {
        let place = Place::new();
        place.slow_path(10);
        let other = place.clone();
        let revoker = thread::spawn(move || other.revoke(30));
        place.fast_path(10);
        place.slow_path(10);
        place.fast_path(10);
        revoker.join().unwrap();
        assert!(place.bias.enter(10));
        place.bias.leave();
        assert_eq!(place.count.get(), 5);
    });
}

#[test]
fn a_revoker_and_a_second_thread_may_come_together() {
    model(Some(3), || {
        let place = Place::new();
        place.slow_path(10);
        let other = place.clone();
        let revoker = thread::spawn(move || other.revoke(30));
        let other = place.clone();
        let second = thread::spawn(move || other.slow_path(20));
        place.fast_path(10);
        revoker.join().unwrap();
        second.join().unwrap();
        assert!(place.bias.is_shared());
        assert_eq!(place.count.get(), 4);
    });
}
