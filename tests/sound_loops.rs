//! A pipe inside other event loops, by its descriptor: no event is missed, whether the loop tells levels or edges,
//! whatever the event comes of.

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, timer};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

type Pipe = EventPipe<[u8; 4]>;

/// What an event may come of.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Post,
    PostElsewhere,
    Timer,
    CancelledTimer,
    ReadBefore,
    ReadAfter,
    ReadElsewhere,
    Write,
    Accept,
    Cancelled,
    TimedOut,
    Closed,
}

const CAUSES: [Cause; 12] = [
    Cause::Post,
    Cause::PostElsewhere,
    Cause::Timer,
    Cause::CancelledTimer,
    Cause::ReadBefore,
    Cause::ReadAfter,
    Cause::ReadElsewhere,
    Cause::Write,
    Cause::Accept,
    Cause::Cancelled,
    Cause::TimedOut,
    Cause::Closed,
];

struct World {
    pipe: Pipe,
    ours: Attached<UnixStream>,
    listener: Attached<TcpListener>,
    peer: UnixStream,
    clients: Vec<TcpStream>,
}

impl World {
    fn new() -> World {
        let pipe = Pipe::new(32).unwrap();
        let (ours, peer) = UnixStream::pair().unwrap();
        let ours = pipe.attach(ours).unwrap();
        let listener = pipe.attach(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        World { pipe, ours, listener, peer, clients: Vec::new() }
    }

    fn read(&self) {
        self.pipe.submit_on(&self.ours, Op::new([0; 4]), |bytes| Io::read(bytes)).unwrap();
    }

    /// One event comes of it, at once or soon.
    fn make(&mut self, cause: Cause) {
        let (pipe, op) = (&self.pipe, Op::new([0; 4]));
        match cause {
            Cause::Post => pipe.post(op, 1).unwrap(),
            Cause::PostElsewhere => {
                thread::scope(|scope| drop(scope.spawn(|| pipe.post(op, 1).unwrap())));
            }
            Cause::Timer => pipe.submit(op, |_| timer(Duration::from_millis(2))).unwrap(),
            Cause::CancelledTimer => {
                let id = Op::id(&op);
                pipe.submit(op, |_| timer(Duration::from_secs(3600))).unwrap();
                assert!(pipe.cancel_timer(id));
            }
            Cause::ReadBefore => {
                self.peer.write_all(b"here").unwrap();
                self.read();
            }
            Cause::ReadAfter => {
                self.read();
                self.peer.write_all(b"read").unwrap();
            }
            Cause::ReadElsewhere => {
                self.read();
                let peer = &self.peer;
                thread::scope(|scope| drop(scope.spawn(|| { peer }.write_all(b"read").unwrap())));
            }
            Cause::Write => pipe.submit_on(&self.ours, op, |bytes| Io::write(bytes)).unwrap(),
            Cause::Accept => {
                pipe.submit_on(&self.listener, op, |_| Io::accept()).unwrap();
                let address = self.listener.get_ref().local_addr().unwrap();
                self.clients.push(TcpStream::connect(address).unwrap());
            }
            Cause::Cancelled => {
                self.read();
                assert_eq!(self.ours.cancel(Cancel::Reads), 1);
            }
            Cause::TimedOut => {
                let time = Duration::from_millis(2);
                pipe.submit_on(&self.ours, op, |bytes| Io::read(bytes).timeout(time)).unwrap();
            }
            Cause::Closed => {
                let other = pipe.attach(UnixStream::pair().unwrap().0).unwrap();
                pipe.submit_on(&other, op, |_| Io::poll(ioevent::Readiness::PRIORITY)).unwrap();
            }
        }
    }
}

/// All that is there: loops that tell edges must come to the end.
fn harvest(pipe: &Pipe) -> usize {
    let mut events = Events::with_capacity(2);
    std::iter::from_fn(|| Some(pipe.try_wait(&mut events).unwrap().count()).filter(|count| *count > 0)).sum()
}

/// Each cause by itself, and then several before the loop looks; `wait` says when there may be something.
fn each_cause(wait: impl Fn(&Pipe), world: &mut World) {
    let expect = |world: &World, expected: usize, what: &dyn std::fmt::Debug| {
        let mut count = 0;
        while count < expected {
            // Missed: then it hangs, and the watchdog says where.
            wait(&world.pipe);
            count += harvest(&world.pipe);
        }
        assert_eq!((count, world.pipe.places_taken()), (expected, 0), "{what:?}");
    };
    for cause in CAUSES {
        for _ in 0..3 {
            world.make(cause);
            expect(world, 1, &cause);
        }
    }
    for pair in CAUSES.windows(2) {
        pair.iter().for_each(|cause| world.make(*cause));
        expect(world, 2, &pair);
    }
}

#[test]
fn poll_2() {
    let _test = test::begin();
    let wait = |pipe: &Pipe| {
        let mut descriptors = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut descriptors, PollTimeout::NONE), Ok(1));
    };
    each_cause(wait, &mut World::new());
}

fn in_epoll(flags: EpollFlags) {
    let _test = test::begin();
    let mut world = World::new();
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    epoll.add(&world.pipe, EpollEvent::new(flags | EpollFlags::EPOLLIN, 3)).unwrap();
    let wait = |pipe: &Pipe| {
        let mut events = [EpollEvent::empty(); 4];
        assert_eq!(epoll.wait(&mut events, EpollTimeout::NONE), Ok(1));
        if flags.contains(EpollFlags::EPOLLONESHOT) {
            epoll.modify(pipe, &mut EpollEvent::new(flags | EpollFlags::EPOLLIN, 3)).unwrap();
        }
    };
    each_cause(wait, &mut world);
}

#[test]
fn epoll_that_tells_levels() {
    in_epoll(EpollFlags::empty());
}

#[test]
fn epoll_that_tells_edges() {
    in_epoll(EpollFlags::EPOLLET);
}

#[test]
fn epoll_that_tells_once() {
    in_epoll(EpollFlags::EPOLLONESHOT);
}

#[test]
fn mio() {
    let _test = test::begin();
    let mut world = World::new();
    let poll = mio::Poll::new().unwrap();
    let number = world.pipe.as_raw_fd();
    let mut source = mio::unix::SourceFd(&number);
    poll.registry().register(&mut source, mio::Token(1), mio::Interest::READABLE).unwrap();
    let poll = std::cell::RefCell::new(poll);
    let wait = |_: &Pipe| {
        let mut events = mio::Events::with_capacity(4);
        while events.is_empty() {
            poll.borrow_mut().poll(&mut events, None).unwrap();
        }
    };
    each_cause(wait, &mut world);
}

#[test]
#[allow(unsafe_code)]
fn polling() {
    let _test = test::begin();
    for mode in [polling::PollMode::Level, polling::PollMode::Edge, polling::PollMode::Oneshot] {
        let mut world = World::new();
        let poller = polling::Poller::new().unwrap();
        let event = polling::Event::readable(1);
        // SAFETY: it is deleted before the pipe ends.
        unsafe { poller.add_with_mode(&world.pipe, event, mode).unwrap() };
        let wait = |pipe: &Pipe| {
            let mut events = polling::Events::new();
            while events.is_empty() {
                poller.wait(&mut events, None).unwrap();
            }
            poller.modify_with_mode(pipe, event, mode).unwrap();
        };
        each_cause(wait, &mut world);
        poller.delete(&world.pipe).unwrap();
    }
}

/// (The constructors of AsyncFd that are not deprecated are unsafe.)
#[allow(deprecated)]
async fn in_tokio(world: &mut World) {
    let interest = tokio::io::Interest::READABLE;
    let number = world.pipe.as_raw_fd();
    let ready = tokio::io::unix::AsyncFd::with_interest(number, interest).unwrap();
    for cause in CAUSES.into_iter().chain(CAUSES) {
        world.make(cause);
        let mut count = 0;
        while count == 0 {
            let mut guard = ready.readable().await.unwrap();
            count = harvest(&world.pipe);
            guard.clear_ready();
        }
        assert_eq!((count, world.pipe.places_taken()), (1, 0), "{cause:?}");
    }
}

#[test]
fn tokio() {
    let _test = test::begin();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(in_tokio(&mut World::new()));
}

/// A thread that waits for the descriptor, while others post, submit and harvest.
#[test]
fn while_other_threads_use_the_pipe() {
    const EVENTS: usize = 4000;
    let _test = test::begin();
    let pipe = EventPipe::<usize>::new(64).unwrap();
    let taken = std::sync::atomic::AtomicUsize::new(0);
    use std::sync::atomic::Ordering::SeqCst;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    epoll.add(&pipe, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, 3)).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..EVENTS / 2 {
                    let mut op = Op::new(number);
                    loop {
                        let sent = match number % 3 {
                            0 => pipe.submit(op, |_| timer(Duration::from_nanos(1))),
                            _ => pipe.post(op, 0),
                        };
                        let Err(refused) = sent else { break };
                        assert!(refused.is_full());
                        op = refused.op;
                        thread::yield_now();
                    }
                }
            });
        }
        let mut events = Events::with_capacity(8);
        while taken.load(SeqCst) < EVENTS {
            epoll.wait(&mut [EpollEvent::empty(); 2], EpollTimeout::NONE).unwrap();
            loop {
                let count = pipe.try_wait(&mut events).unwrap().count();
                if taken.fetch_add(count, SeqCst) + count == EVENTS || count == 0 {
                    break;
                }
            }
        }
    });
    assert_eq!(pipe.places_taken(), 0);
}
