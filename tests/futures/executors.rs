//! Other executors: tokio with a thread that harvests, and event loops that wait for the descriptor.

use crate::{pair, poll_once, watched};
use ioevent::Io;
use ioevent::future::Reactor;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Builder;

#[test]
fn futures_and_the_reactor_go_from_thread_to_thread() {
    fn is_send<T: Send>(_: &T) {}
    fn is_sync<T: Sync>(_: &T) {}
    let reactor = Reactor::new(1).unwrap();
    let (stream, _other_end) = pair(&reactor);
    let operation = reactor.submit(&stream, vec![0; 8], |buffer| Io::read(buffer));
    is_send(&operation);
    is_sync(&operation);
    is_send(&reactor.sleep(Duration::ZERO));
    is_send(&reactor);
    is_sync(&reactor);
}

/// Sends back what comes, until the end.
async fn echo(reactor: Arc<Reactor>, stream: TcpStream) {
    let stream = reactor.attach(stream).unwrap();
    let mut buffer = Vec::with_capacity(64);
    loop {
        let (read, outcome) = reactor.submit(&stream, buffer, |buffer| Io::read_spare(buffer)).await;
        if outcome.unwrap().bytes().unwrap() == 0 {
            return;
        }
        let (mut written, outcome) = reactor.submit(&stream, read, |bytes| Io::write(bytes)).await;
        outcome.unwrap().done().unwrap();
        written.clear();
        buffer = written;
    }
}

#[test]
fn tasks_of_tokio_with_a_thread_that_harvests() {
    watched(|| {
        let reactor = Arc::new(Reactor::new(4).unwrap());
        let harvester = reactor.clone();
        let harvester = thread::spawn(move || harvester.run());
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = reactor.attach(listener).unwrap();
        let accepts = reactor.clone();
        let server = runtime.spawn(async move {
            for _ in 0..8 {
                let ((), accepted) = accepts.submit(&listener, (), |()| Io::accept()).await;
                tokio::spawn(echo(accepts.clone(), accepted.unwrap().descriptor().unwrap().into()));
            }
        });
        let clients = (0..8u8).map(|number| {
            runtime.spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                for round in 0..50 {
                    stream.write_all(&[number, round]).await.unwrap();
                    let mut got = [0; 2];
                    stream.read_exact(&mut got).await.unwrap();
                    assert_eq!(got, [number, round]);
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        runtime.block_on(async {
            for task in clients.into_iter().chain([server]) {
                task.await.unwrap();
            }
            // Tokio's own timers and ours in one task.
            let slept =
                tokio::time::timeout(Duration::from_secs(60), reactor.sleep(Duration::from_millis(1)));
            slept.await.unwrap().unwrap();
        });
        reactor.stop();
        harvester.join().unwrap().unwrap();
    });
}

/// Harvests whenever the descriptor is readable.
async fn harvest(reactor: Arc<Reactor>) {
    // The constructors that are not deprecated are unsafe.
    #[allow(deprecated)]
    let readable = AsyncFd::with_interest(reactor, tokio::io::Interest::READABLE).unwrap();
    loop {
        let mut ready = readable.readable().await.unwrap();
        while readable.get_ref().turn(Some(Duration::ZERO)).unwrap() > 0 {}
        ready.clear_ready();
    }
}

#[test]
fn one_thread_with_tokio_that_waits_for_the_descriptor() {
    watched(|| {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        let reactor = Arc::new(Reactor::new(4).unwrap());
        runtime.block_on(async {
            let harvester = tokio::spawn(harvest(reactor.clone()));
            for _ in 0..20 {
                let sleeps = (0..100).map(|_| reactor.sleep(Duration::from_micros(100)));
                assert!(crate::join_all(sleeps).await.iter().all(Result::is_ok));
            }
            harvester.abort();
        });
    });
}

#[test]
fn a_loop_of_ones_own() {
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        let mut sleeps: Vec<_> = (0..100).map(|_| reactor.sleep(Duration::from_micros(100))).collect();
        while !sleeps.is_empty() {
            sleeps.retain_mut(|sleep| poll_once(sleep).is_pending());
            if !sleeps.is_empty() {
                assert!(reactor.turn(None).unwrap() > 0);
            }
        }
    });
}
