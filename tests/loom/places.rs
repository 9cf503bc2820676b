//! The places of a pipe, taken and given back while it is resized.

use crate::sync::access::Shared;
use crate::sync::places::Places;
use crate::{model, model_with_futex};
use loom::sync::Arc;
use loom::thread;

/// Rule 3.1: two threads of which each takes one of two places are never refused, whatever the third does to give its
/// places back.
#[test]
fn places_are_not_refused_without_cause() {
    model(Some(4), || {
        let places = Arc::new(Places::new());
        assert!(places.resize(3));
        // All are open.
        assert_eq!(places.take(3), 3);
        places.give::<Shared>(2);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let places = places.clone();
                thread::spawn(move || {
                    assert_eq!(places.take(1), 1);
                    assert!(places.taken() <= places.capacity());
                    places.give::<Shared>(1);
                })
            })
            .collect();
        places.give::<Shared>(1);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(places.taken(), 0);
    });
}

/// Rule 3.1: never more places taken than there are.
#[test]
fn places_are_not_overdrawn() {
    model_with_futex(Some(3), || {
        let places = Arc::new(Places::new());
        assert!(places.resize(2));
        assert_eq!(places.take(2), 2);
        places.give::<Shared>(2);
        let other = places.clone();
        let taker = thread::spawn(move || u32::from(other.take_at_once::<Shared>()) + other.take(2));
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
    model_with_futex(Some(3), || {
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

/// The most that were taken at once is exact, whatever is opened, given back and resized at the same time.
#[test]
fn the_most_that_were_taken_is_known() {
    model_with_futex(Some(2), || {
        let places = Arc::new(Places::new());
        assert!(places.resize(3));
        assert_eq!((places.take(1), places.most()), (1, 1));
        let (other, third) = (places.clone(), places.clone());
        let taker = thread::spawn(move || assert_eq!(other.take(1), 1));
        let resizer = thread::spawn(move || assert!(third.resize(2)));
        places.give::<Shared>(1);
        taker.join().unwrap();
        resizer.join().unwrap();
        let most = places.most();
        assert!(most == 1 || most == 2, "{most}");
        assert_eq!(places.taken(), 1);
        let more = places.take(5);
        assert_eq!((more, places.most(), places.taken()), (1, 2, 2));
        places.give::<Shared>(2);
        assert!(places.resize(1));
        assert_eq!((places.most(), places.capacity()), (2, 1));
        assert_eq!((places.take(1), places.take(1), places.most()), (1, 0, 2));
    });
}
