//! Random operations that are dropped at random, in several threads that harvest in every way: each state is dropped
//! once, no place is lost, and nothing hangs.

use crate::{assert_all_places, pair, poll_once, select, watched};
use ioevent::Io;
use ioevent::future::Reactor;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const PLACES: usize = 5;
const ROUNDS: usize = 400;

fn random(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 16) as usize
}

#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

struct State(Arc<Counts>, [u8; 16]);

impl State {
    fn new(counts: &Arc<Counts>) -> State {
        counts.made.fetch_add(1, SeqCst);
        State(counts.clone(), [0; 16])
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

async fn round(reactor: &Reactor, counts: &Arc<Counts>, what: usize) {
    let (stream, mut other_end) = pair(reactor);
    let read = || reactor.submit(&stream, State::new(counts), |state| Io::read(&mut state.1));
    let sleep = || reactor.sleep(Duration::from_micros((what / 16 % 300) as u64));
    match what % 8 {
        // The bytes come before, after, or not at all.
        0 => {
            other_end.write_all(b"x").unwrap();
            let (_, outcome) = read().await;
            assert_eq!(outcome.unwrap().bytes().unwrap(), 1);
        }
        1 => drop(select(read(), sleep()).await),
        2 => {
            let writes = async {
                sleep().await.unwrap();
                other_end.write_all(b"x").unwrap();
            };
            let (_, outcome) = tokio::join!(read(), writes).0;
            assert_eq!(outcome.unwrap().bytes().unwrap(), 1);
        }
        3 => {
            let mut operation = read();
            assert!(poll_once(&mut operation).is_pending());
            other_end.write_all(b"x").unwrap();
        }
        4 => {
            let mut operations = [(); PLACES].map(|()| read());
            operations.iter_mut().for_each(|operation| drop(poll_once(operation)));
        }
        5 => drop(select(sleep(), sleep()).await),
        6 => drop(select(async { tokio::join!(read(), read()) }, sleep()).await),
        _ => sleep().await.unwrap(),
    }
}

#[test]
fn random_drops_in_many_threads() {
    watched(|| {
        let reactor = Reactor::new(PLACES).unwrap();
        let counts = Arc::<Counts>::default();
        thread::scope(|scope| {
            let (reactor, counts) = (&reactor, &counts);
            scope.spawn(|| reactor.run().unwrap());
            let workers: Vec<_> = (1..=3u64)
                .map(|thread| {
                    scope.spawn(move || {
                        let mut seed = 0x9e37_79b9_7f4a_7c15 ^ thread;
                        for _ in 0..ROUNDS {
                            reactor.block_on(round(reactor, counts, random(&mut seed))).unwrap();
                            if random(&mut seed) % 8 == 0 {
                                reactor.turn(Some(Duration::ZERO)).unwrap();
                            }
                        }
                    })
                })
                .collect();
            workers.into_iter().for_each(|worker| worker.join().unwrap());
            reactor.stop();
        });
        assert_all_places(&reactor, PLACES);
        drop(reactor);
        assert!(counts.made.load(SeqCst) > ROUNDS);
        assert_eq!(counts.made.load(SeqCst), counts.dropped.load(SeqCst));
    });
}
