//! Random operations with an allocator that shows when something writes to memory that was freed, or behind its end
//! (`sound/guard.rs`): no operation ends with EFAULT, nothing is written to what was freed, and all data arrive whole.

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/guard.rs"]
#[allow(unsafe_code)]
mod guard;
#[path = "sound/leaks.rs"]
#[allow(unsafe_code)]
mod leaks;
#[path = "sound/random.rs"]
mod random;
#[path = "sound/test.rs"]
mod test;

use guard::SMALLEST;
use ioevent::buffers::IoVecs;
use ioevent::net::{Address, Message};
use ioevent::{Attached, Cancel, EventPipe, Events, Io, Op, Readiness, timer};
use random::Random;
use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const LINES: usize = 6;
const PLACES: usize = 48;
const FILE: usize = 1 << 18;
const EFAULT: i32 = 14;

/// The byte at this position of every stream and file.
fn at(position: usize) -> u8 {
    (position * 7 + position / 251) as u8
}

fn fill(bytes: &mut [u8], from: usize) {
    bytes.iter_mut().zip(from..).for_each(|(byte, position)| *byte = at(position));
}

#[track_caller]
fn assert_whole(bytes: &[u8], from: usize) {
    assert!(
        bytes.iter().zip(from..).all(|(&byte, position)| byte == at(position)),
        "other bytes than written"
    );
}

/// One direction of a pair of sockets: how many bytes were written to it and read from it, and whether a write is
/// outstanding.
#[derive(Default)]
struct Way {
    written: Cell<usize>,
    read: Cell<usize>,
    is_written_to: Cell<bool>,
}

/// One end of a pair, and the ways in and out.
#[derive(Clone)]
struct End {
    stream: Rc<Attached<UnixStream>>,
    input: Rc<Way>,
    output: Rc<Way>,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Read,
    ReadSpare,
    ReadVectored,
    Receive,
    ReceiveFrom,
    Write,
    WriteBoxed,
    Poll,
    ReadAt(usize),
    Timer,
}

/// Ends where its last buffer ends: a byte more, and the kernel would touch the page behind it.
#[repr(C, align(16))]
struct State {
    what: What,
    /// The way that it reads from or writes to.
    way: Rc<Way>,
    _holds: Option<Rc<Attached<UnixStream>>>,
    spare: Vec<u8>,
    boxed: Box<[u8]>,
    vectors: IoVecs<2>,
    address: Address,
    message: Message<2>,
    first: [u8; 64],
    bytes: [u8; 640],
}

impl State {
    fn io(&mut self) -> Io<'_> {
        let State { what, spare, boxed, vectors, address, message, first, bytes, .. } = self;
        match *what {
            What::Read => Io::read(bytes),
            What::ReadSpare => Io::read_spare(spare),
            What::ReadVectored => Io::read_vectored(vectors, [first, bytes]),
            What::Receive => Io::receive(message, [first, bytes]),
            What::ReceiveFrom => Io::recv_from(bytes, address),
            What::Write => Io::write(bytes),
            What::WriteBoxed => Io::write(boxed),
            What::ReadAt(offset) => Io::read_at(boxed, offset as u64),
            What::Poll | What::Timer => Io::poll(Readiness::READABLE),
        }
    }

    /// What a successful operation has moved is what should have been moved.
    fn assert_moved(&self, count: usize) {
        let from = self.way.read.get();
        match self.what {
            What::Read | What::ReceiveFrom => assert_whole(&self.bytes[..count], from),
            What::ReadSpare => {
                assert_eq!(self.spare.len(), count);
                assert_whole(&self.spare, from);
            }
            What::ReadVectored | What::Receive => {
                let first = count.min(self.first.len());
                assert_whole(&self.first[..first], from);
                assert_whole(&self.bytes[..count - first], from + first);
            }
            What::ReadAt(offset) => return assert_whole(&self.boxed[..count], offset),
            What::Write | What::WriteBoxed => return self.way.written.set(self.way.written.get() + count),
            What::Poll | What::Timer => return,
        }
        self.way.read.set(from + count);
    }
}

fn file() -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guard-{}", std::process::id()));
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let mut bytes = vec![0; FILE];
    fill(&mut bytes, 0);
    file.write_all(&bytes).unwrap();
    file
}

fn line(pipe: &EventPipe<State>) -> [End; 2] {
    let (a, b) = UnixStream::pair().unwrap();
    let [a, b] = [a, b].map(|stream| Rc::new(pipe.attach(stream).unwrap()));
    let [to_a, to_b] = [(); 2].map(|()| Rc::new(Way::default()));
    let b_end = End { stream: b, input: to_b.clone(), output: to_a.clone() };
    [End { stream: a, input: to_a, output: to_b }, b_end]
}

struct Rounds {
    random: Random,
    pipe: EventPipe<State>,
    events: Events<State>,
    lines: Vec<[End; 2]>,
    file: Attached<File>,
    /// Bytes read, operations submitted, events.
    bytes: usize,
    submitted: usize,
    events_seen: usize,
}

impl Rounds {
    fn new(random: Random) -> Rounds {
        let pipe = EventPipe::new(PLACES).unwrap();
        let lines = (0..LINES).map(|_| line(&pipe)).collect();
        let file = pipe.attach(file()).unwrap();
        let events = Events::with_capacity(12);
        Rounds { random, pipe, events, lines, file, bytes: 0, submitted: 0, events_seen: 0 }
    }

    fn end(&mut self) -> End {
        self.lines[self.random.below(LINES)][self.random.below(2)].clone()
    }

    fn submit(&mut self) {
        let end = self.end();
        let what = match self.random.below(22) {
            0..3 => What::Read,
            3..6 => What::ReadSpare,
            6..8 => What::ReadVectored,
            8..10 => What::Receive,
            10 => What::ReceiveFrom,
            // One at a time: what is written after a part would be in the wrong place.
            11..15 if !end.output.is_written_to.get() => What::Write,
            15..18 if !end.output.is_written_to.get() => What::WriteBoxed,
            18..20 => What::ReadAt(self.random.below(FILE / 2)),
            20 => What::Timer,
            _ => What::Poll,
        };
        let is_write = matches!(what, What::Write | What::WriteBoxed);
        let way = if is_write { &end.output } else { &end.input };
        let mut op = Op::new(State {
            what,
            way: way.clone(),
            _holds: (self.random.below(2) == 0).then(|| end.stream.clone()),
            spare: Vec::with_capacity(SMALLEST),
            boxed: vec![0; 2 * SMALLEST].into(),
            vectors: IoVecs::new(),
            address: Address::new(),
            message: Message::new(),
            first: [0; 64],
            bytes: [0; 640],
        });
        fill(&mut op.bytes, way.written.get());
        fill(&mut op.boxed, way.written.get());
        let short = self.random.below(12) == 0;
        let limit = if short { Duration::from_micros(50) } else { Duration::from_secs(3600) };
        let submitted = match what {
            What::Timer => self.pipe.submit(op, |_| timer(Duration::from_micros(100))),
            What::ReadAt(_) => self.pipe.submit_on(&self.file, op, State::io),
            _ => self.pipe.submit_on(&end.stream, op, |state| state.io().timeout(limit)),
        };
        match submitted {
            Ok(()) => {
                self.submitted += 1;
                if is_write {
                    end.output.is_written_to.set(true);
                }
            }
            Err(refused) => assert!(refused.is_full(), "{refused:?}"),
        }
    }

    fn harvest(&mut self) {
        let most = self.random.below(16);
        for event in self.pipe.try_wait(&mut self.events).unwrap().take(most) {
            let (state, outcome) = event.into_parts();
            self.events_seen += 1;
            if matches!(state.what, What::Write | What::WriteBoxed) {
                state.way.is_written_to.set(false);
            }
            let error = outcome.error().and_then(|error| error.raw_os_error());
            assert_ne!(error, Some(EFAULT), "the kernel was given memory that is not there");
            match outcome.count() {
                Some(count) => {
                    state.assert_moved(count);
                    self.bytes += count;
                }
                None => assert!(matches!(state.what, What::ReadAt(_)) || error.is_some()),
            }
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..55 => self.submit(),
            55..90 => self.harvest(),
            90..92 => {
                let what = [Cancel::Reads, Cancel::Writes, Cancel::Polls, Cancel::All][self.random.below(4)];
                self.end().stream.cancel(what);
            }
            92 => {
                let number = self.random.below(LINES);
                for end in &self.lines[number] {
                    end.stream.cancel(Cancel::All);
                }
                self.lines[number] = line(&self.pipe);
            }
            93 if self.events.len() == 0 => self.events = Events::with_capacity(1 + self.random.below(12)),
            94 => self.replace_pipe(),
            _ => drop(vec![0u8; SMALLEST + self.random.below(4096)]),
        }
    }

    /// The pipe ends with all that is outstanding; then there is something to read wherever a read was.
    fn replace_pipe(&mut self) {
        let places = self.pipe.places_taken();
        assert!(places <= PLACES);
        let random = Random::new(self.random.below(1 << 30) as u64);
        let next = Rounds::new(random);
        let old = std::mem::replace(self, next);
        (self.bytes, self.submitted, self.events_seen) = (old.bytes, old.submitted, old.events_seen);
        let Rounds { pipe, lines, .. } = old;
        drop(pipe);
        for end in lines.iter().flatten() {
            let stream = end.stream.get_ref();
            stream.set_nonblocking(true).unwrap();
            // Room, and then something to read.
            while let Ok(1..) = { stream }.read(&mut [0; 300]) {}
            let _ = { stream }.write(&[0xee; 640]);
        }
    }
}

#[test]
fn the_allocator_sees_the_kernel() {
    let _test = test::begin();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    peer.write_all(&[1; 64]).unwrap();
    guard::keep_freed(false);
    assert_eq!(guard::read_into_freed(ours.as_fd()).unwrap_err().raw_os_error(), Some(EFAULT));
    assert_eq!(guard::read_behind(ours.as_fd()).unwrap_err().raw_os_error(), Some(EFAULT));
    guard::keep_freed(true);
    let before = guard::spoiled();
    assert_eq!(guard::read_into_freed(ours.as_fd()).unwrap(), 8);
    assert_eq!(guard::spoiled(), before + 1);
}

#[test]
fn nothing_writes_to_what_was_freed() {
    let _test = test::begin();
    let before = guard::spoiled();
    let mut total = (0, 0, 0);
    for round in 0..24 {
        guard::keep_freed(round % 2 == 1);
        let mut rounds = Rounds::new(Random::new(round));
        (0..600).for_each(|_| rounds.step());
        total = (total.0 + rounds.bytes, total.1 + rounds.submitted, total.2 + rounds.events_seen);
        drop(rounds);
        assert_eq!(guard::spoiled(), before, "round {round}");
    }
    assert!(total.0 > 1 << 19 && total.1 > 3000 && total.2 > 2000, "{total:?}");
}
