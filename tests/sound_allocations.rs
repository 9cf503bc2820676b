//! Operations allocate nothing: the states are there, the events have their places. Counted by an allocator.

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/counting.rs"]
#[allow(unsafe_code)]
mod counting;
#[path = "sound/listener.rs"]
mod listener;
#[path = "sound/test.rs"]
mod test;

use counting::allocations;
use ioevent::net::Address;
use ioevent::{Attached, Event, EventPipe, Events, Io, Op, timer};
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const WARM: usize = 1_000;
const TIMES: usize = 10_000;

struct State {
    bytes: [u8; 64],
    spare: Vec<u8>,
    address: Address,
}

fn state() -> Op<State> {
    Op::new(State { bytes: [0; 64], spare: Vec::with_capacity(64), address: Address::default() })
}

struct Loop {
    pipe: EventPipe<State>,
    events: Events<State>,
}

impl Loop {
    fn new() -> Loop {
        Loop { pipe: EventPipe::new(64).unwrap(), events: Events::with_capacity(16) }
    }

    fn next(&mut self) -> Event<State> {
        self.pipe.wait(&mut self.events, None).unwrap().next().unwrap()
    }
}

/// Runs it until everything is warm, and then many times without any allocation. The state goes round.
#[track_caller]
fn allocates_nothing(mut once: impl FnMut(Op<State>) -> Op<State>) {
    let mut op = state();
    for _ in 0..WARM {
        op = once(op);
    }
    let before = allocations();
    for _ in 0..TIMES {
        op = once(op);
    }
    assert_eq!(allocations() - before, 0, "allocations in {TIMES} times");
}

fn pair(pipe: &EventPipe<State>) -> (Attached<UnixStream>, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    (pipe.attach(ours).unwrap(), peer)
}

#[test]
fn the_allocator_counts() {
    let _test = test::begin();
    let before = allocations();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(allocations() - before, 1);
}

#[test]
fn reads_that_wait() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let (ours, mut peer) = pair(&lp.pipe);
    allocates_nothing(|op| {
        lp.pipe.submit_on(&ours, op, |state| Io::read(&mut state.bytes)).unwrap();
        peer.write_all(b"something").unwrap();
        let (op, outcome) = lp.next().into_parts();
        assert_eq!(outcome.count(), Some(9));
        op
    });
}

#[test]
fn reads_that_find_something() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let (ours, mut peer) = pair(&lp.pipe);
    allocates_nothing(|mut op| {
        op.spare.clear();
        peer.write_all(b"something").unwrap();
        lp.pipe.submit_on(&ours, op, |state| Io::read_spare(&mut state.spare)).unwrap();
        let (op, outcome) = lp.next().into_parts();
        assert_eq!((outcome.count(), op.spare.len()), (Some(9), 9));
        op
    });
}

#[test]
fn several_reads_and_a_write_at_once() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let (ours, mut peer) = pair(&lp.pipe);
    let mut more = vec![state(), state(), state()];
    allocates_nothing(|op| {
        for op in more.drain(..) {
            lp.pipe.submit_on(&ours, op, |state| Io::read(&mut state.bytes[..1])).unwrap();
        }
        lp.pipe.submit_on(&ours, op, |state| Io::write(&state.bytes)).unwrap();
        peer.read_exact(&mut [0; 64]).unwrap();
        peer.write_all(b"abc").unwrap();
        while more.len() < 4 {
            more.push(lp.next().into_parts().0);
        }
        more.pop().unwrap()
    });
}

#[test]
fn writes() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let (ours, mut peer) = pair(&lp.pipe);
    allocates_nothing(|op| {
        lp.pipe.submit_on(&ours, op, |state| Io::write(&state.bytes)).unwrap();
        let (op, outcome) = lp.next().into_parts();
        assert_eq!(outcome.count(), Some(64));
        peer.read_exact(&mut [0; 64]).unwrap();
        op
    });
}

#[test]
fn inline_reads_and_writes_of_a_state_that_has_its_descriptor() {
    let _test = test::begin();
    let pipe = EventPipe::<(Attached<UnixStream>, [u8; 8])>::new(4).unwrap();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let mut op = Some(Op::new((pipe.attach(ours).unwrap(), [0; 8])));
    let mut events = Events::with_capacity(4);
    let mut once = || {
        peer.write_all(b"eight...").unwrap();
        let event = pipe.submit_inline(op.take().unwrap(), |(stream, bytes)| stream.read(bytes)).unwrap();
        let event = event.or_else(|| pipe.wait(&mut events, None).unwrap().next()).unwrap();
        let event = pipe.submit_inline(event.into_parts().0, |(stream, bytes)| stream.write(bytes)).unwrap();
        op = Some(event.unwrap().into_parts().0);
        peer.read_exact(&mut [0; 8]).unwrap();
    };
    (0..WARM).for_each(|_| once());
    let before = allocations();
    (0..TIMES).for_each(|_| once());
    assert_eq!(allocations() - before, 0);
}

#[test]
fn accepts() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let (listener, address) = listener::listener();
    let listener = lp.pipe.attach(listener).unwrap();
    let mut number = 0;
    allocates_nothing(|op| {
        number += 1;
        // One that waits, and one that finds a connection.
        let early = (number % 2 == 0).then(|| UnixStream::connect_addr(&address).unwrap());
        lp.pipe.submit_on(&listener, op, |state| Io::accept_from(&mut state.address)).unwrap();
        let client = early.unwrap_or_else(|| UnixStream::connect_addr(&address).unwrap());
        let (op, outcome) = lp.next().into_parts();
        drop((outcome.descriptor().unwrap(), client));
        op
    });
}

#[test]
fn datagrams_with_addresses() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let [ours, peer] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    peer.connect(ours.local_addr().unwrap()).unwrap();
    let ours = lp.pipe.attach(ours).unwrap();
    allocates_nothing(|op| {
        lp.pipe.submit_on(&ours, op, |state| Io::recv_from(&mut state.bytes, &mut state.address)).unwrap();
        peer.send(b"ping").unwrap();
        let op = lp.next().into_parts().0;
        lp.pipe.submit_on(&ours, op, |state| Io::send_to(&state.bytes[..4], &mut state.address)).unwrap();
        let op = lp.next().into_parts().0;
        assert_eq!(peer.recv(&mut [0; 8]).unwrap(), 4);
        op
    });
}

#[test]
fn timers() {
    let _test = test::begin();
    let mut lp = Loop::new();
    allocates_nothing(|op| {
        lp.pipe.submit(op, |_| timer(Duration::from_nanos(1))).unwrap();
        lp.next().into_parts().0
    });
    allocates_nothing(|op| {
        let id = Op::id(&op);
        lp.pipe.submit(op, |_| timer(Duration::from_secs(3600))).unwrap();
        assert!(lp.pipe.cancel_timer(id));
        lp.next().into_parts().0
    });
}

#[test]
fn operations_with_a_limit_of_time() {
    let _test = test::begin();
    let mut lp = Loop::new();
    let (ours, mut peer) = pair(&lp.pipe);
    let hour = Duration::from_secs(3600);
    allocates_nothing(|op| {
        lp.pipe.submit_on(&ours, op, |state| Io::read(&mut state.bytes).timeout(hour)).unwrap();
        peer.write_all(b"in time").unwrap();
        lp.next().into_parts().0
    });
}

#[test]
fn posts_and_refusals() {
    let _test = test::begin();
    let mut lp = Loop::new();
    lp.pipe.set_capacity(1).unwrap();
    let mut other = Some(state());
    allocates_nothing(|op| {
        lp.pipe.post(op, 5).unwrap();
        let refused = lp.pipe.post(other.take().unwrap(), 6).unwrap_err();
        assert!(refused.is_full());
        other = Some(refused.op);
        lp.next().into_parts().0
    });
}
