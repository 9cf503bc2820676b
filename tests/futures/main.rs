//! Futures on a pipe: the feature `futures`.

#![cfg(feature = "futures")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod drops;
mod executors;
mod operations;
mod places;
mod random;
mod threads;
mod wakers;

use ioevent::future::{Operation, Reactor};
use ioevent::{Attached, Io};
use std::future::Future;
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Runs a test, and ends the process if it hangs.
fn watched(test: impl FnOnce()) {
    let (_running, over) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or_default().to_owned();
    thread::spawn(move || {
        if over.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{name} hangs");
            abort();
        }
    });
    test();
}

/// Counts how often it was woken, and how often it is there.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Count {
    fn waker() -> (Arc<Count>, Waker) {
        let count = Arc::<Count>::default();
        (count.clone(), count.into())
    }

    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// A state that counts its drops.
struct Dropped(Arc<AtomicUsize>, [u8; 8]);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Dropped {
    fn counted() -> (Dropped, Arc<AtomicUsize>) {
        let count = Arc::<AtomicUsize>::default();
        (Dropped(count.clone(), [0; 8]), count)
    }
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Polls without being woken for it.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll(future, Waker::noop())
}

/// Two ends of a stream, of which the first is attached.
fn pair(reactor: &Reactor) -> (Attached<UnixStream>, UnixStream) {
    let (here, there) = UnixStream::pair().unwrap();
    (reactor.attach(here).unwrap(), there)
}

/// Reads into 8 bytes.
async fn read(reactor: &Reactor, stream: &Attached<UnixStream>) -> Vec<u8> {
    let (buffer, outcome) = reactor.submit(stream, [0; 8], |buffer| Io::read(buffer)).await;
    buffer[..outcome.unwrap().bytes().unwrap()].to_vec()
}

type Read<'r, S> = Operation<'r, S, UnixStream, fn(&mut S) -> Io<'_>>;

/// A read whose state counts its drops.
fn counted_read<'r>(
    reactor: &'r Reactor,
    stream: &'r Attached<UnixStream>,
) -> (Read<'r, Dropped>, Arc<AtomicUsize>) {
    let (state, count) = Dropped::counted();
    let read: fn(&mut Dropped) -> Io<'_> = |state| Io::read(&mut state.1);
    (reactor.submit(stream, state, read), count)
}

/// All outputs, when the last future is ready.
async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if futures.iter().all(|(_, output)| output.is_some()) {
            return Poll::Ready(futures.iter_mut().filter_map(|(_, output)| output.take()).collect());
        }
        Poll::Pending
    })
    .await
}

/// Whichever is ready first; the first of two.
async fn select<A: Future, B: Future>(a: A, b: B) -> Result<A::Output, B::Output> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = a.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        b.as_mut().poll(context).map(Err)
    })
    .await
}

/// Takes turns until the condition holds.
fn turn_until(reactor: &Reactor, mut holds: impl FnMut() -> bool) {
    while !holds() {
        reactor.turn(Some(Duration::from_millis(10))).unwrap();
    }
}

/// That no place is lost, and there is none too many.
fn assert_all_places(reactor: &Reactor, count: usize) {
    let mut taken: Vec<_> = (1..count).map(|_| reactor.sleep(Duration::MAX)).collect();
    assert!(taken.iter_mut().all(|sleep| poll_once(sleep).is_pending()));
    reactor.block_on(reactor.sleep(Duration::ZERO)).unwrap().unwrap();
    taken.push(reactor.sleep(Duration::MAX));
    assert!(taken.iter_mut().all(|sleep| poll_once(sleep).is_pending()));
    assert!(reactor.block_on(select(reactor.sleep(Duration::ZERO), yielding(100))).unwrap().is_err());
}

/// Ready when it has been polled so often.
async fn yielding(times: usize) {
    let mut left = times;
    std::future::poll_fn(|context| {
        left = left.saturating_sub(1);
        context.waker().wake_by_ref();
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
