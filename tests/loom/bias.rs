//! The lock that is biased to one thread: `access` over `Bias`.

use crate::model_with_futex;
use crate::number::Number;
use crate::spawn;
use crate::sync::access::{self, Revoked, Sole};
use loom::sync::{Arc, Mutex};

/// What the lock guards, and the thread that holds the bias may do without.
struct Place {
    lock: Mutex<()>,
    count: Number,
}

impl Place {
    fn new() -> Arc<Place> {
        Arc::new(Place { lock: Mutex::new(()), count: Number::new() })
    }

    fn add_with_lock(&self) {
        let _lock = self.lock.lock().unwrap();
        self.count.add();
    }

    fn slow_path(&self) {
        access::admit();
        self.add_with_lock();
    }

    fn fast_path(&self) {
        if let Some(_sole) = Sole::enter() {
            self.count.add();
        } else if access::is_shared() {
            self.add_with_lock();
        } else {
            self.slow_path();
        }
    }

    /// A thread of the library's own.
    fn revoke(&self) {
        let _revoked = Revoked::begin();
        self.slow_path();
    }
}

#[test]
fn the_bias_lasts_until_a_second_thread_comes() {
    model_with_futex(None, || {
        let place = Place::new();
        place.slow_path();
        assert!(Sole::enter().is_some());
        let second = spawn(&place, |place| {
            place.slow_path();
            place.fast_path();
        });
        place.fast_path();
        place.fast_path();
        second.join().unwrap();
        assert!(access::is_shared() && Sole::enter().is_none());
        assert_eq!(place.count.get(), 5);
    });
}

#[test]
fn the_bias_comes_back_after_a_revocation() {
    model_with_futex(None, || {
        let place = Place::new();
        place.slow_path();
        let revoker = spawn(&place, Place::revoke);
        place.fast_path();
        place.slow_path();
        place.fast_path();
        revoker.join().unwrap();
        assert!(Sole::enter().is_some() && !access::is_shared());
        assert_eq!(place.count.get(), 5);
    });
}

#[test]
fn a_revoker_and_a_second_thread_may_come_together() {
    model_with_futex(Some(3), || {
        let place = Place::new();
        place.slow_path();
        let revoker = spawn(&place, Place::revoke);
        let second = spawn(&place, Place::slow_path);
        place.fast_path();
        revoker.join().unwrap();
        second.join().unwrap();
        assert!(access::is_shared());
        assert_eq!(place.count.get(), 4);
    });
}
