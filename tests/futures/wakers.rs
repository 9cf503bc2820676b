//! Wakers: not cloned without need, and free to do what they like.

use crate::{
    Count, assert_all_places, counted_read, pair, poll, poll_once, read, select, turn_until, watched,
    yielding,
};
use ioevent::Attached;
use ioevent::future::Reactor;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn a_waker_is_cloned_once_and_given_up_for_another() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, _other_end) = pair(&reactor);
        let (mut operation, _) = counted_read(&reactor, &stream);
        let (first, waker) = Count::waker();
        for _ in 0..3 {
            assert!(poll(&mut operation, &waker).is_pending());
            assert_eq!(Arc::strong_count(&first), 3);
        }
        let (second, other) = Count::waker();
        for _ in 0..3 {
            assert!(poll(&mut operation, &other).is_pending());
            assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
        }
        drop(operation);
        assert_eq!(Arc::strong_count(&second), 2);
    });
}

struct Panics(AtomicUsize);

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        panic!("as the test wants it");
    }
}

#[test]
fn a_waker_that_panics_keeps_no_other_from_being_woken() {
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        let (streams, mut ends): (Vec<_>, Vec<_>) = (0..4).map(|_| pair(&reactor)).unzip();
        let panics = Arc::new(Panics(AtomicUsize::new(0)));
        let (wakes, calm) = Count::waker();
        let mut reads: Vec<_> = streams.iter().map(|stream| counted_read(&reactor, stream).0).collect();
        for (index, operation) in reads.iter_mut().enumerate() {
            let waker = if index % 2 == 0 { Waker::from(panics.clone()) } else { calm.clone() };
            assert!(poll(operation, &waker).is_pending());
        }
        ends.iter_mut().for_each(|end| end.write_all(b"x").unwrap());
        let mut caught = 0;
        while wakes.get() < 2 || panics.0.load(SeqCst) < 2 {
            caught += usize::from(catch_unwind(AssertUnwindSafe(|| reactor.turn(None).unwrap())).is_err());
        }
        assert!(caught >= 1);
        assert!(reads.iter_mut().all(|read| poll_once(read).is_ready()));
        assert_all_places(&reactor, 4);
    });
}

/// The thread that harvests ends with the panic of a waker; another one that waits takes its place.
#[test]
fn a_waker_that_panics_leaves_a_thread_that_harvests() {
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        for _ in 0..20 {
            let mut panics = reactor.sleep(Duration::from_millis(1));
            assert!(poll(&mut panics, &Arc::new(Panics(AtomicUsize::new(0))).into()).is_pending());
            thread::scope(|scope| {
                let waits = || catch_unwind(|| reactor.block_on(reactor.sleep(Duration::from_millis(3))));
                let threads = [(); 3].map(|()| scope.spawn(waits));
                let panicked = threads.map(|thread| usize::from(thread.join().unwrap().is_err()));
                assert!(panicked.iter().sum::<usize>() <= 1);
            });
        }
    });
}

/// Does this when it is woken, and when it is dropped.
struct Reenters<F: Fn() + Send + Sync>(F);

impl<F: Fn() + Send + Sync> Wake for Reenters<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl<F: Fn() + Send + Sync> Drop for Reenters<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_waker_may_come_back_into_the_reactor() {
    watched(|| {
        static REACTOR: LazyLock<Reactor> = LazyLock::new(|| Reactor::new(3).unwrap());
        static STREAMS: LazyLock<[(Attached<UnixStream>, UnixStream); 2]> =
            LazyLock::new(|| [(); 2].map(|()| pair(&REACTOR)));
        let (reactor, streams, calls) = (&*REACTOR, &*STREAMS, Arc::<AtomicUsize>::default());
        let (other, _) = counted_read(reactor, &streams[1].0);
        let other = Arc::new(Mutex::new(Some(other)));
        let reenters = {
            let (calls, other) = (calls.clone(), other.clone());
            Reenters(move || {
                calls.fetch_add(1, SeqCst);
                reactor.turn(Some(Duration::ZERO)).unwrap();
                reactor.turn(Some(Duration::from_millis(1))).unwrap();
                // Poll it, and later drop it.
                let mut other = other.lock().unwrap();
                if other.take_if(|other| poll_once(other).is_ready() || calls.load(SeqCst) > 1).is_none() {
                    drop(other);
                    reactor.block_on(reactor.sleep(Duration::from_millis(1))).unwrap().unwrap();
                }
                reactor.notify();
            })
        };
        let waker = Waker::from(Arc::new(reenters));
        let (mut operation, _) = counted_read(reactor, &streams[0].0);
        assert!(poll(&mut operation, &waker).is_pending());
        (&streams[0].1).write_all(b"x").unwrap();
        turn_until(reactor, || calls.load(SeqCst) == 1);
        assert!(poll_once(&mut operation).is_ready());
        // Its last clone is dropped by the operation that is dropped, or gets another.
        let (mut operation, _) = counted_read(reactor, &streams[0].0);
        assert!(poll(&mut operation, &waker).is_pending());
        drop(waker);
        assert!(poll_once(&mut operation).is_pending());
        assert_eq!(calls.load(SeqCst), 2);
        assert!(other.lock().unwrap().is_none());
    });
}

#[test]
fn the_waker_of_block_on_outlives_it_and_the_reactor() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let mut kept = None;
        reactor
            .block_on(async {
                kept = Some(
                    std::future::poll_fn(|context| std::task::Poll::Ready(context.waker().clone())).await,
                );
            })
            .unwrap();
        let kept = kept.unwrap();
        kept.wake_by_ref();
        drop(reactor);
        kept.wake();
    });
}

#[test]
fn an_operation_goes_from_one_block_on_to_another() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let mut operation = Box::pin(read(&reactor, &stream));
        assert!(reactor.block_on(select(operation.as_mut(), yielding(3))).unwrap().is_err());
        other_end.write_all(b"x").unwrap();
        assert_eq!(reactor.block_on(operation).unwrap(), b"x");
    });
}
