//! What operations give.

use crate::{join_all, pair, poll_once, read, select, turn_until, watched};
use ioevent::Io;
use ioevent::future::Reactor;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Sends back what comes, until the end.
async fn echo(reactor: &Reactor, stream: TcpStream) -> io::Result<()> {
    let stream = reactor.attach(stream)?;
    let mut buffer = Vec::with_capacity(512);
    loop {
        let (read, outcome) = reactor.submit(&stream, buffer, |buffer| Io::read_spare(buffer)).await;
        if outcome?.bytes()? == 0 {
            return Ok(());
        }
        let (mut written, outcome) = reactor.submit(&stream, read, |bytes| Io::write(bytes)).await;
        outcome?.done()?;
        written.clear();
        buffer = written;
    }
}

#[test]
fn echo_server_and_clients_in_one_thread() {
    watched(|| {
        let reactor = &Reactor::new(4).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = &reactor.attach(listener).unwrap();
        let client = |number: u8| async move {
            let stream = reactor.attach(TcpStream::connect(address).unwrap()).unwrap();
            for round in 0..100 {
                let (sent, outcome) =
                    reactor.submit(&stream, [number, round], |bytes| Io::write(bytes)).await;
                assert_eq!(outcome.unwrap().bytes().unwrap(), 2);
                let (got, outcome) = reactor.submit(&stream, [0; 2], |buffer| Io::recv(buffer, 0)).await;
                assert_eq!((outcome.unwrap().bytes().unwrap(), got), (2, sent));
            }
        };
        let server = || async {
            let ((), accepted) = reactor.submit(listener, (), |()| Io::accept()).await;
            echo(reactor, accepted.unwrap().descriptor().unwrap().into()).await.unwrap();
        };
        let servers = join_all((0..3).map(|_| server()));
        let clients = join_all((0..3).map(client));
        reactor.block_on(async { tokio::join!(servers, clients) }).unwrap();
    });
}

#[test]
fn an_error_comes_with_the_state() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, other_end) = pair(&reactor);
        drop(other_end);
        let (state, outcome) =
            reactor.block_on(reactor.submit(&stream, vec![7; 3], |bytes| Io::write(bytes))).unwrap();
        assert_eq!(state, [7; 3]);
        assert_eq!(outcome.unwrap().bytes().unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn what_is_refused_comes_back_and_keeps_no_place() {
    watched(|| {
        let (reactor, other) = (Reactor::new(1).unwrap(), Reactor::new(1).unwrap());
        let (foreign, _other_end) = pair(&other);
        for _ in 0..3 {
            let operation = reactor.submit(&foreign, String::from("mine"), |text| Io::write(text.as_bytes()));
            let (state, refused) = reactor.block_on(operation).unwrap();
            assert_eq!(state, "mine");
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn sleeps_are_never_early() {
    watched(|| {
        let reactor = &Reactor::new(8).unwrap();
        let sleep = |time| async move {
            let start = Instant::now();
            reactor.sleep(Duration::from_millis(time)).await.unwrap();
            assert!(start.elapsed() >= Duration::from_millis(time));
        };
        reactor.block_on(join_all([30, 0, 20, 10].map(sleep))).unwrap();
    });
}

#[test]
fn a_sleep_counts_from_its_call_while_it_waits_for_a_place() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        let mut taken = Box::pin(read(&reactor, &stream));
        assert!(poll_once(&mut taken).is_pending());
        let mut sleep = reactor.sleep(Duration::from_secs(3600));
        let mut over = reactor.sleep(Duration::ZERO);
        assert!(poll_once(&mut sleep).is_pending() && poll_once(&mut over).is_pending());
        other_end.write_all(b"x").unwrap();
        turn_until(&reactor, || poll_once(&mut taken).is_ready());
        drop(sleep);
        reactor.block_on(over).unwrap().unwrap();
    });
}

#[test]
fn a_sleep_for_ever_is_pending_and_can_be_dropped() {
    watched(|| {
        let reactor = Reactor::new(2).unwrap();
        let ended = select(reactor.sleep(Duration::MAX), reactor.sleep(Duration::from_millis(1)));
        assert!(reactor.block_on(ended).unwrap().is_err());
    });
}

#[test]
fn polled_after_it_was_ready_it_is_pending() {
    watched(|| {
        let reactor = Reactor::new(2).unwrap();
        let (stream, mut other_end) = pair(&reactor);
        other_end.write_all(b"hello").unwrap();
        let mut operation = reactor.submit(&stream, [0; 8], |buffer| Io::read(buffer));
        let (_, outcome) = reactor.block_on(&mut operation).unwrap();
        assert_eq!(outcome.unwrap().bytes().unwrap(), 5);
        let mut sleep = reactor.sleep(Duration::ZERO);
        reactor.block_on(&mut sleep).unwrap().unwrap();
        for _ in 0..3 {
            assert!(poll_once(&mut operation).is_pending() && poll_once(&mut sleep).is_pending());
        }
    });
}

#[test]
fn block_on_within_block_on() {
    watched(|| {
        let reactor = Reactor::new(4).unwrap();
        let (here, there) = (pair(&reactor), pair(&reactor));
        let ((a, mut a_end), (b, mut b_end)) = (here, there);
        let outer = async {
            let outer_read = read(&reactor, &a);
            let inner = async {
                reactor.block_on(reactor.sleep(Duration::from_millis(1))).unwrap().unwrap();
                a_end.write_all(b"outer").unwrap();
                b_end.write_all(b"inner").unwrap();
                assert_eq!(reactor.block_on(read(&reactor, &b)).unwrap(), b"inner");
            };
            tokio::join!(outer_read, inner).0
        };
        assert_eq!(reactor.block_on(outer).unwrap(), b"outer");
    });
}

#[test]
fn a_future_that_wakes_itself_does_not_keep_events_away() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let restless = poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(reactor.block_on(select(reactor.sleep(Duration::from_millis(1)), restless)).unwrap().is_ok());
    });
}

#[test]
fn the_closure_may_borrow_what_is_not_lent() {
    watched(|| {
        let reactor = Reactor::new(1).unwrap();
        let (stream, other_end) = pair(&reactor);
        let bytes = String::from("hello world");
        let (from, to) = (6, bytes.len());
        reactor
            .block_on(async {
                let (_, outcome) =
                    reactor.submit(&stream, bytes, |text| Io::write(&text.as_bytes()[from..to])).await;
                assert_eq!(outcome.unwrap().bytes().unwrap(), 5);
            })
            .unwrap();
        let other_end = reactor.attach(other_end).unwrap();
        assert_eq!(reactor.block_on(read(&reactor, &other_end)).unwrap(), b"world");
    });
}

#[test]
fn a_capacity_of_none_and_of_too_many_is_invalid() {
    for capacity in [0, i32::MAX as usize, usize::MAX] {
        assert_eq!(Reactor::new(capacity).unwrap_err().kind(), ErrorKind::InvalidInput, "{capacity}");
    }
}
