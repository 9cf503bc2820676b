//! A full pipe: operations wait for a place, in the order in which they were first polled.

use crate::{Count, counted_read, join_all, pair, poll, poll_once, read, turn_until, watched};
use ioevent::future::{Reactor, Sleep};
use std::io::Write;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// Sleeps that wait for a place, in this order, and their wakers.
fn waiting<const N: usize>(reactor: &Reactor) -> [(Sleep<'_>, Arc<Count>, Waker); N] {
    [(); N].map(|()| {
        let mut sleep = reactor.sleep(Duration::ZERO);
        let (count, waker) = Count::waker();
        assert!(poll(&mut sleep, &waker).is_pending());
        (sleep, count, waker)
    })
}

#[test]
fn places_are_given_in_order() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let mut taken = Box::pin(read(&reactor, &stream));
        assert!(poll_once(&mut taken).is_pending());
        let mut sleeps = waiting::<3>(&reactor);
        assert!(sleeps.iter().all(|(_, wakes, _)| wakes.get() == 0));
        other_end.write_all(b"x").unwrap();
        turn_until(&reactor, || poll_once(&mut taken).is_ready());
        for next in 0..3 {
            let wakes = [0, 1, 2].map(|index| sleeps[index].1.get());
            assert_eq!(wakes, [0, 1, 2].map(|index| usize::from(index == next)), "{next}");
            // One that comes later, or is polled though it is not its turn, gets nothing.
            let mut late = reactor.sleep(Duration::ZERO);
            assert!(poll_once(&mut late).is_pending());
            for (sleep, _, waker) in &mut sleeps[next + 1..] {
                assert!(poll(sleep, waker).is_pending());
            }
            let (sleep, wakes, waker) = &mut sleeps[next];
            assert!(poll(sleep, waker).is_pending());
            drop(late);
            turn_until(&reactor, || wakes.get() == 2);
            assert!(poll(sleep, waker).is_ready());
            *wakes = Arc::default();
        }
    });
}

#[test]
fn one_that_is_dropped_passes_its_turn_on() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let mut taken = Box::pin(read(&reactor, &stream));
        assert!(poll_once(&mut taken).is_pending());
        let [first, second, third, (mut last, wakes, waker)] = waiting(&reactor);
        drop(second);
        other_end.write_all(b"x").unwrap();
        turn_until(&reactor, || poll_once(&mut taken).is_ready());
        assert_eq!((first.1.get(), third.1.get()), (1, 0));
        // It has a place, and does not know.
        drop(first.0);
        assert_eq!((third.1.get(), wakes.get()), (1, 0));
        drop(third.0);
        assert_eq!(wakes.get(), 1);
        assert!(poll(&mut last, &waker).is_pending());
        turn_until(&reactor, || wakes.get() == 2);
        assert!(poll(&mut last, &waker).is_ready());
        // With no one waiting, it is free.
        reactor.block_on(reactor.sleep(Duration::ZERO)).unwrap().unwrap();
    });
}

#[test]
fn one_that_waits_for_a_place_goes_from_task_to_task() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, _other_end) = pair(&reactor);
        let (mut taken, _) = counted_read(&reactor, &stream);
        assert!(poll_once(&mut taken).is_pending());
        let [(mut sleep, before, waker)] = waiting(&reactor);
        drop(waker);
        let (after, waker) = Count::waker();
        assert!(poll(&mut sleep, &waker).is_pending());
        assert_eq!(Arc::strong_count(&before), 1);
        drop(taken);
        turn_until(&reactor, || after.get() == 1);
        assert_eq!(before.get(), 0);
        reactor.block_on(sleep).unwrap().unwrap();
    });
}

#[test]
fn a_thousand_sleeps_on_eight_places() {
    watched(|| {
        let reactor = &Reactor::new(8).unwrap();
        let slept =
            reactor.block_on(join_all((0..1000).map(|i| reactor.sleep(Duration::from_micros(i % 7)))));
        assert_eq!(slept.unwrap().into_iter().filter(Result::is_ok).count(), 1000);
    });
}

#[test]
fn a_thousand_reads_on_eight_places() {
    watched(|| {
        let reactor = &Reactor::new(8).unwrap();
        let pairs: Vec<_> = (0..250).map(|_| pair(reactor)).collect();
        // Those of one stream come one after the other.
        let all = pairs.iter().map(|(stream, _)| async move {
            let mut bytes = Vec::new();
            while bytes.len() < 4 * 8 {
                bytes.extend(read(reactor, stream).await);
            }
            bytes
        });
        pairs.iter().for_each(|(_, end)| (&*end).write_all(&[7; 32]).unwrap());
        assert_eq!(reactor.block_on(join_all(all)).unwrap(), vec![vec![7; 32]; 250]);
    });
}
