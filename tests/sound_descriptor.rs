//! The descriptor of a pipe is public: safe code can do anything to it that epoll_ctl(2), read(2) and their like do.
//! Harvests go on, no event is made up, and nothing crashes; what such code spoils are its own wake-ups.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/random.rs"]
mod random;
#[path = "sound/test.rs"]
mod test;

use ioevent::{Attached, EventPipe, Events, Io, Op, timer};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;
use random::Random;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

type Pipe = EventPipe<[u8; 16]>;

/// Words as the library might have them in its own entries: small numbers, descriptors, generations, addresses.
fn words(descriptors: &[i32]) -> Vec<u64> {
    let stack = 0u8;
    let heap = Box::new(0u8);
    let mut words = vec![0, 1, 2, u64::MAX, u64::MAX - 1, 1 << 63, 1 << 32, (1 << 32) - 1, 0x7fff_ffff_ffff];
    words.push(std::ptr::from_ref(&stack).addr() as u64);
    words.push(std::ptr::from_ref::<u8>(&heap).addr() as u64 & !63);
    for &descriptor in descriptors {
        let number = descriptor as u64;
        words.extend([number, number << 32, number << 1, number << 20, number | 1 << 32, number | 1 << 63]);
        words.extend((0..4).map(|generation| number | generation << 32));
        words.extend((0..4).map(|generation| generation | number << 32));
    }
    words
}

struct Line {
    pipe: Pipe,
    ours: Attached<UnixStream>,
    peer: UnixStream,
}

fn line() -> Line {
    let pipe = Pipe::new(16).unwrap();
    let (ours, peer) = UnixStream::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    Line { pipe, ours, peer }
}

impl Line {
    /// A read, a timer and a posted event come, with what belongs to them, and nothing else.
    fn assert_works(&self) {
        let Line { pipe, ours, peer } = self;
        pipe.submit_on(ours, Op::new([1; 16]), |bytes| Io::read(bytes)).unwrap();
        pipe.submit(Op::new([2; 16]), |_| timer(Duration::from_micros(10))).unwrap();
        pipe.post(Op::new([3; 16]), 3).unwrap();
        { peer }.write_all(b"read").unwrap();
        let mut events = Events::with_capacity(2);
        let mut seen = [0; 4];
        while seen != [0, 1, 1, 1] {
            for event in pipe.wait(&mut events, None).unwrap() {
                let (bytes, outcome) = event.into_parts();
                let which = if bytes.starts_with(b"read") { 1 } else { usize::from(bytes[0]) };
                assert_eq!(outcome.count(), Some([0, 4, 0, 3][which]));
                seen[which] += 1;
            }
        }
        assert_eq!(pipe.try_wait(&mut events).unwrap().count(), 0);
        assert_eq!(pipe.places_taken(), 0);
    }

    /// Also while something is outstanding, and from another thread.
    fn assert_works_throughout(&self) {
        self.pipe.submit_on(&self.ours, Op::new([1; 16]), |bytes| Io::read(bytes)).unwrap();
        assert_eq!(self.pipe.try_wait(&mut Events::with_capacity(4)).unwrap().count(), 0);
        { &self.peer }.write_all(b"first").unwrap();
        assert_eq!(self.pipe.wait(&mut Events::with_capacity(4), None).unwrap().count(), 1);
        thread::scope(|scope| drop(scope.spawn(|| self.assert_works())));
        self.assert_works();
    }
}

/// epoll_ctl(2) on the pipe's descriptor, in safe code: the wrapper owns what it is made of, so it has a copy, which is
/// the same open file.
fn as_epoll(pipe: &Pipe) -> Epoll {
    Epoll(pipe.as_fd().try_clone_to_owned().unwrap())
}

const FLAGS: [EpollFlags; 5] = [
    EpollFlags::EPOLLIN,
    EpollFlags::EPOLLOUT,
    EpollFlags::EPOLLIN.union(EpollFlags::EPOLLOUT).union(EpollFlags::EPOLLET),
    EpollFlags::EPOLLIN.union(EpollFlags::EPOLLONESHOT),
    EpollFlags::empty(),
];

/// Descriptors that a program may have: ready and not, attached and not.
fn descriptors(line: &Line) -> Vec<OwnedFd> {
    let (a, b) = UnixStream::pair().unwrap();
    let silent = EventFd::new().unwrap();
    let ready = EventFd::from_value(1).unwrap();
    vec![a.into(), b.into(), silent.into(), ready.into(), line.peer.try_clone().unwrap().into()]
}

#[test]
fn entries_with_any_word() {
    let _test = test::begin();
    let line = line();
    let epoll = as_epoll(&line.pipe);
    let (_, ready) = (UnixStream::pair().unwrap(), EventFd::from_value(1).unwrap());
    let attached = line.ours.as_fd();
    for word in words(&[attached.as_raw_fd(), line.pipe.as_raw_fd(), epoll.0.as_raw_fd()]) {
        let mut event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT, word);
        // Errors are as good: what is asked for here is that nothing comes of it.
        let _ = epoll.add(&ready, event);
        let _ = epoll.add(attached, event);
        line.assert_works();
        let _ = epoll.modify(&ready, &mut event);
        let _ = epoll.modify(attached, &mut event);
        line.assert_works_throughout();
        let _ = epoll.delete(&ready);
        let _ = epoll.delete(attached);
        line.assert_works();
    }
}

#[test]
fn entries_at_random() {
    let _test = test::begin();
    for seed in 0..6 {
        let lines = [line(), line()];
        let epolls = [as_epoll(&lines[0].pipe), as_epoll(&lines[1].pipe)];
        let mut random = Random::new(seed);
        let all: Vec<_> = lines.iter().flat_map(descriptors).collect();
        let words = words(&all.iter().map(|descriptor| descriptor.as_raw_fd()).collect::<Vec<_>>());
        for _ in 0..150 {
            let (which, word) = (random.below(2), words[random.below(words.len())]);
            let epoll = &epolls[which];
            let mut event = EpollEvent::new(FLAGS[random.below(FLAGS.len())], word);
            // Its own descriptors, those of the program, and pipes: itself, and each other.
            let descriptor = match random.below(9) {
                0 => lines[0].ours.as_fd(),
                1 => lines[1].ours.as_fd(),
                2 => lines[0].pipe.as_fd(),
                3 => epolls[1].0.as_fd(),
                _ => all[random.below(all.len())].as_fd(),
            };
            let _ = match random.below(4) {
                0 => epoll.modify(descriptor, &mut event),
                1 => epoll.delete(descriptor),
                _ => epoll.add(descriptor, event),
            };
            if random.below(3) == 0 {
                // Takes edges away from nothing but itself.
                let _ = epoll.wait(&mut [EpollEvent::empty(); 4], EpollTimeout::ZERO);
            }
            lines[random.below(2)].assert_works();
        }
        lines.iter().for_each(Line::assert_works_throughout);
    }
}

#[test]
fn an_entry_that_is_always_ready_does_not_end_a_wait() {
    let _test = test::begin();
    let line = line();
    let ready = EventFd::from_value(1).unwrap();
    let _ = as_epoll(&line.pipe).add(&ready, EpollEvent::new(EpollFlags::EPOLLIN, 1));
    let mut events = Events::with_capacity(4);
    assert_eq!(line.pipe.try_wait(&mut events).unwrap().count(), 0);
    let begun = std::time::Instant::now();
    let time = Duration::from_millis(20);
    assert_eq!(line.pipe.wait(&mut events, Some(time)).unwrap().count(), 0);
    assert!(begun.elapsed() >= time);
    thread::scope(|scope| {
        scope.spawn(|| line.pipe.post(Op::new([0; 16]), 1).unwrap());
        assert_eq!(line.pipe.wait(&mut events, None).unwrap().count(), 1);
    });
}

#[test]
fn a_copy_neither_harvests_nor_posts() {
    let _test = test::begin();
    let line = line();
    let mut copy = File::from(line.pipe.as_fd().try_clone_to_owned().unwrap());
    line.pipe.post(Op::new([7; 16]), 7).unwrap();
    copy.read(&mut [0; 64]).unwrap_err();
    copy.write(&[0x50; 64]).unwrap_err();
    copy.set_len(0).unwrap_err();
    let _ = (copy.metadata(), copy.sync_all());
    assert_eq!(line.pipe.places_taken(), 1);
    let mut events = Events::with_capacity(4);
    assert_eq!(*line.pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts().0, [7; 16]);
    assert_eq!(line.pipe.try_wait(&mut events).unwrap().count(), 0);
    line.assert_works();
}

#[test]
fn a_copy_outlives_its_pipe() {
    let _test = test::begin();
    let old = line();
    let epoll = as_epoll(&old.pipe);
    let ready = EventFd::from_value(1).unwrap();
    let _ = epoll.add(&ready, EpollEvent::new(EpollFlags::EPOLLIN, u64::MAX));
    old.pipe.post(Op::new([1; 16]), 1).unwrap();
    drop(old);
    for _ in 0..10 {
        let new = line();
        let _ = epoll.add(new.ours.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, 0));
        let _ = epoll.add(new.pipe.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, 0));
        let mut events = [EpollEvent::empty(); 8];
        let _ = epoll.wait(&mut events, EpollTimeout::ZERO);
        new.assert_works_throughout();
        let _ = epoll.wait(&mut events, EpollTimeout::ZERO);
    }
}

#[test]
fn a_copy_as_something_to_attach() {
    let _test = test::begin();
    let [first, second] = [line(), line()];
    for _ in 0..3 {
        for pipe in [&first.pipe, &second.pipe] {
            let copy = first.pipe.as_fd().try_clone_to_owned().unwrap();
            let Ok(attached) = pipe.attach(copy) else { continue };
            let _ = pipe.submit_on(&attached, Op::new([9; 16]), |_| Io::poll(ioevent::Readiness::READABLE));
            let _ = pipe.submit_on(&attached, Op::new([9; 16]), |bytes| Io::read(bytes));
            let _ = pipe.submit_on(&attached, Op::new([9; 16]), |bytes| Io::write(bytes));
            drop(attached);
            let mut events = Events::with_capacity(4);
            while pipe.places_taken() > 0 {
                pipe.wait(&mut events, None).unwrap().for_each(drop);
            }
        }
        first.assert_works_throughout();
        second.assert_works_throughout();
    }
}

/// Whether the descriptor is readable, now or soon.
fn is_readable(pipe: &Pipe, time: PollTimeout) -> bool {
    let mut descriptors = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    poll(&mut descriptors, time).unwrap() == 1
}

#[test]
fn asked_for_while_operations_are_outstanding() {
    let _test = test::begin();
    for what in 0..3 {
        let Line { pipe, ours, mut peer } = line();
        pipe.submit_on(&ours, Op::new([1; 16]), |bytes| Io::read(bytes)).unwrap();
        let mut expected = 1;
        match what {
            // Nothing is there yet, or something is, or is complete.
            0 => assert!(!is_readable(&pipe, PollTimeout::ZERO)),
            1 => peer.write_all(b"before").unwrap(),
            _ => {
                pipe.post(Op::new([2; 16]), 2).unwrap();
                expected = 2;
            }
        }
        assert_eq!(is_readable(&pipe, PollTimeout::ZERO), what > 0);
        if what != 1 {
            peer.write_all(b"after").unwrap();
        }
        let mut events = Events::with_capacity(4);
        let mut count = 0;
        while count < expected {
            assert!(is_readable(&pipe, PollTimeout::NONE));
            count += pipe.try_wait(&mut events).unwrap().count();
        }
        assert_eq!(pipe.places_taken(), 0);
    }
}

#[test]
fn it_is_the_same_each_time_and_close_on_exec() {
    let _test = test::begin();
    let line = line();
    let number = line.pipe.as_raw_fd();
    assert_eq!((line.pipe.as_fd().as_raw_fd(), line.pipe.as_raw_fd()), (number, number));
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
    assert_eq!(i32::from_str_radix(flags, 8).unwrap() & 0o2_000_000, 0o2_000_000);
    let inner = Epoll::new(EpollCreateFlags::empty()).unwrap();
    inner.add(&line.pipe, EpollEvent::new(EpollFlags::EPOLLIN, 5)).unwrap();
    line.pipe.post(Op::new([0; 16]), 0).unwrap();
    let mut events = [EpollEvent::empty()];
    assert_eq!(inner.wait(&mut events, EpollTimeout::NONE), Ok(1));
    assert_eq!(events[0].data(), 5);
    assert_eq!(line.pipe.try_wait(&mut Events::with_capacity(4)).unwrap().count(), 1);
}
