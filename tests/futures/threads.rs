//! Several threads in one reactor.

use crate::{pair, poll_once, read, watched};
use ioevent::future::Reactor;
use std::future::{Future, poll_fn};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

#[test]
fn a_channel_wakes_block_on() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        thread::scope(|scope| {
            for round in 0..200 {
                let (sender, receiver) = oneshot::channel();
                scope.spawn(move || sender.send(round).unwrap());
                assert_eq!(reactor.block_on(receiver).unwrap().unwrap(), round);
            }
        });
    });
}

#[test]
fn the_wake_up_does_not_take_the_places_of_operations() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        thread::scope(|scope| {
            scope.spawn(move || (0..1000).for_each(|round| sender.send(round).unwrap()));
            let numbers = async { while receiver.recv().await.is_some() {} };
            let bytes = async {
                numbers.await;
                other_end.write_all(b"x").unwrap();
            };
            let both = async { tokio::join!(read(&reactor, &stream), bytes).0 };
            assert_eq!(reactor.block_on(both).unwrap(), b"x");
        });
    });
}

/// A wake-up is posted though every other place is taken.
#[test]
fn a_full_pipe_has_a_place_for_the_wake_up() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let mut taken = reactor.sleep(Duration::MAX);
        assert!(poll_once(&mut taken).is_pending());
        thread::scope(|scope| {
            for round in 0..50 {
                let (sender, mut receiver) = oneshot::channel();
                let (asked, is_asked) = std::sync::mpsc::channel();
                scope.spawn(move || {
                    // The other thread has left its waker, and waits or is about to.
                    is_asked.recv().unwrap();
                    sender.send(round).unwrap();
                });
                let received = poll_fn(|context| {
                    let received = Pin::new(&mut receiver).poll(context);
                    if received.is_pending() {
                        let _ = asked.send(()); // once is enough
                    }
                    received
                });
                assert_eq!(reactor.block_on(received).unwrap().unwrap(), round);
            }
        });
    });
}

#[test]
fn threads_that_play_ping_pong_in_one_reactor() {
    const PAIRS: usize = 3;
    const ROUNDS: usize = 300;
    watched(|| {
        let reactor = &Reactor::new(4).unwrap();
        let play = |here, begins: bool| {
            let stream = reactor.attach(here).unwrap();
            let play = async {
                for round in 0..ROUNDS {
                    if begins || round > 0 {
                        let (_, sent) = reactor.submit(&stream, [7], |bytes| ioevent::Io::write(bytes)).await;
                        sent.unwrap().done().unwrap();
                    }
                    assert_eq!(read(reactor, &stream).await, [7]);
                }
                if !begins {
                    let (_, sent) = reactor.submit(&stream, [7], |bytes| ioevent::Io::write(bytes)).await;
                    sent.unwrap().done().unwrap();
                }
            };
            reactor.block_on(play).unwrap();
        };
        thread::scope(|scope| {
            for _ in 0..PAIRS {
                let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
                scope.spawn(move || play(here, true));
                scope.spawn(move || play(there, false));
            }
        });
    });
}

#[test]
fn run_harvests_until_it_is_stopped() {
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        thread::scope(|scope| {
            let runs = [(); 2].map(|()| scope.spawn(|| reactor.run()));
            let sleepers =
                [(); 3].map(|()| scope.spawn(|| reactor.block_on(reactor.sleep(Duration::from_millis(1)))));
            sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap().unwrap().unwrap());
            assert!(runs.iter().all(|run| !run.is_finished()));
            reactor.stop();
            runs.into_iter().for_each(|run| run.join().unwrap().unwrap());
        });
        reactor.run().unwrap();
        reactor.block_on(reactor.sleep(Duration::ZERO)).unwrap().unwrap();
    });
}

#[test]
fn two_reactors_wake_each_other() {
    watched(|| {
        let reactors = [(); 2].map(|()| Reactor::new(2).unwrap());
        let (a, mut from_a) = mpsc::channel(1);
        let (b, mut from_b) = mpsc::channel(1);
        let [first, second] = &reactors;
        thread::scope(|scope| {
            scope.spawn(move || {
                let all = async {
                    for round in 0..300u32 {
                        a.send(round).await.unwrap();
                        assert_eq!(from_b.recv().await, Some(round));
                        first.sleep(Duration::ZERO).await.unwrap();
                    }
                };
                first.block_on(all).unwrap();
            });
            let all = async {
                while let Some(round) = from_a.recv().await {
                    second.sleep(Duration::ZERO).await.unwrap();
                    b.send(round).await.unwrap();
                }
            };
            second.block_on(all).unwrap();
        });
    });
}

#[test]
fn a_future_of_one_reactor_waits_in_another_that_a_thread_runs() {
    watched(|| {
        let (here, elsewhere) = (Reactor::new(1).unwrap(), Reactor::new(1).unwrap());
        thread::scope(|scope| {
            scope.spawn(|| elsewhere.run());
            for _ in 0..100 {
                here.block_on(elsewhere.sleep(Duration::ZERO)).unwrap().unwrap();
            }
            elsewhere.stop();
        });
    });
}

#[test]
fn notify_ends_a_turn_now_or_later() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        reactor.notify();
        assert_eq!(reactor.turn(None).unwrap(), 0);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let turns = [(); 2].map(|()| {
                scope.spawn(|| {
                    while !is_over.load(SeqCst) {
                        assert_eq!(reactor.turn(None).unwrap(), 0);
                    }
                })
            });
            is_over.store(true, SeqCst);
            while !turns.iter().all(|turn| turn.is_finished()) {
                reactor.notify();
                thread::yield_now();
            }
        });
    });
}

#[test]
fn a_turn_ends_at_its_time_whoever_harvests() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let time = Duration::from_millis(5);
        let turn = || {
            let start = Instant::now();
            assert_eq!(reactor.turn(Some(time)).unwrap(), 0);
            assert!(start.elapsed() >= time);
        };
        turn();
        thread::scope(|scope| {
            scope.spawn(|| reactor.run());
            (0..5).for_each(|_| turn());
            reactor.stop();
        });
        assert_eq!(reactor.turn(Some(Duration::ZERO)).unwrap(), 0);
    });
}

#[test]
fn a_future_that_panics_leaves_the_other_threads_running() {
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        thread::scope(|scope| {
            let reader = scope.spawn(|| reactor.block_on(read(&reactor, &stream)).unwrap());
            let panics = [(); 3].map(|()| {
                scope.spawn(|| {
                    let panics = async {
                        reactor.sleep(Duration::from_millis(1)).await.unwrap();
                        panic!("as the test wants it");
                    };
                    assert!(catch_unwind(AssertUnwindSafe(|| reactor.block_on(panics))).is_err());
                })
            });
            panics.into_iter().for_each(|panics| panics.join().unwrap());
            other_end.write_all(b"there").unwrap();
            assert_eq!(reader.join().unwrap(), b"there");
        });
    });
}
