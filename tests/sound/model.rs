//! A pipe with some descriptors, and what is known of it: which operations are outstanding, and what has been sent.

use super::kinds::{Kind, SHORT};
use super::listener::listener;
use super::tally::{Piece, Tally};
use ioevent::{Attached, Cancel, Event, EventPipe, Events, Op, OpId, Outcome, Refused, is_cancelled};
use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::mem;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const LINES: usize = 3;
const CAPACITY: usize = 8;

pub(crate) struct State {
    number: usize,
    /// What is asked for inline has it; all else is submitted on the line's.
    handle: Option<Arc<Attached<UnixStream>>>,
    bytes: [u8; 24],
    spare: Vec<u8>,
    _piece: Piece,
}

/// What is known of an operation.
#[derive(Clone)]
struct Known {
    kind: Kind,
    line: usize,
    generation: usize,
    id: OpId,
    since: Instant,
    may_time_out: bool,
    may_be_cancelled: bool,
    has_handle: bool,
}

/// A pair of sockets, ours attached.
struct Line {
    ours: Option<Arc<Attached<UnixStream>>>,
    peer: Option<UnixStream>,
    generation: usize,
    has_limit: bool,
    /// Whether all its events are looked at.
    is_whole: bool,
    /// Bytes that the peer wrote, and no read has brought.
    sent: VecDeque<u8>,
    /// Bytes that were written to the peer, as events say, and those that it has read.
    written: Vec<u8>,
    received: Vec<u8>,
    /// The last read that brought something, and the last write: they come in order.
    last_read: usize,
    last_write: usize,
}

pub(crate) struct Model {
    pipe: EventPipe<State>,
    events: Events<State>,
    listener: Attached<UnixListener>,
    address: SocketAddr,
    clients: Vec<UnixStream>,
    lines: [Line; LINES],
    capacity: usize,
    outstanding: BTreeMap<usize, Known>,
    next: usize,
    tally: Tally,
}

fn line(pipe: &EventPipe<State>, generation: usize) -> Line {
    let (ours, peer) = UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    Line {
        ours: Some(Arc::new(pipe.attach(ours).unwrap())),
        peer: Some(peer),
        generation,
        has_limit: false,
        is_whole: true,
        sent: VecDeque::new(),
        written: Vec::new(),
        received: Vec::new(),
        last_read: 0,
        last_write: 0,
    }
}

impl Model {
    pub(crate) fn new() -> Model {
        let pipe = EventPipe::new(CAPACITY).unwrap();
        let (listener, address) = listener();
        let listener = pipe.attach(listener).unwrap();
        let lines = std::array::from_fn(|_| line(&pipe, 0));
        Model {
            pipe,
            events: Events::with_capacity(4),
            listener,
            address,
            clients: Vec::new(),
            lines,
            capacity: CAPACITY,
            outstanding: BTreeMap::new(),
            next: 1,
            tally: Tally::default(),
        }
    }

    /// Places are taken by what is outstanding, less what waits in `Events`; all these have a state, and nothing else
    /// has.
    pub(crate) fn assert_counts(&self) {
        assert_eq!(self.pipe.places_taken(), self.outstanding.len() - self.events.len());
        assert_eq!(self.pipe.capacity(), self.capacity);
        assert_eq!(self.tally.alive(), self.outstanding.len());
    }

    fn op(&mut self, line: usize, kind: Kind) -> (Op<State>, Known) {
        let number = self.next;
        self.next += 1;
        let bytes = std::array::from_fn(|i| (number * 31 + i) as u8);
        let spare = Vec::with_capacity(16);
        let op = Op::new(State { number, handle: None, bytes, spare, _piece: self.tally.piece() });
        let has_limit = self.lines[line].has_limit && kind != Kind::Accept;
        let known = Known {
            kind,
            line,
            generation: self.lines[line].generation,
            id: Op::id(&op),
            since: Instant::now(),
            may_time_out: has_limit || matches!(kind, Kind::ReadTimed(_)),
            may_be_cancelled: false,
            has_handle: false,
        };
        (op, known)
    }

    /// What the answer to a submission must be, and what it makes of the model.
    fn submitted(&mut self, number: usize, known: Known, result: Result<(), Refused<State>>) {
        let is_full = self.pipe.places_taken() == self.capacity;
        match result {
            Ok(()) => drop(self.outstanding.insert(number, known)),
            Err(refused) => {
                assert!(refused.is_full() && is_full, "{refused:?}");
                assert_eq!((refused.op.number, Op::id(&refused.op)), (number, known.id));
            }
        }
    }

    pub(crate) fn submit(&mut self, line: usize, kind: Kind) {
        let (op, known) = self.op(line, kind);
        let number = op.number;
        let was_full = self.pipe.places_taken() == self.capacity;
        let result = match (kind.timer(), kind, &self.lines[line].ours) {
            (Some(request), ..) => self.pipe.submit(op, |_| request),
            (None, Kind::Accept, _) => {
                self.pipe.submit_on(&self.listener, op, |state| kind.io(&mut state.bytes, &mut state.spare))
            }
            (None, _, Some(ours)) => {
                self.pipe.submit_on(ours, op, |state| kind.io(&mut state.bytes, &mut state.spare))
            }
            (None, _, None) => return,
        };
        assert_eq!(result.is_err(), was_full);
        self.submitted(number, known, result);
    }

    pub(crate) fn submit_inline(&mut self, line: usize, kind: Kind) {
        let Some(handle) = self.lines[line].ours.clone() else { return };
        // A direct result may be seen before an earlier event.
        if kind == Kind::Accept || self.outstanding.values().any(|known| known.line == line) {
            return self.submit(line, kind);
        }
        let (mut op, mut known) = self.op(line, kind);
        let number = op.number;
        let result = match kind.timer() {
            Some(request) => self.pipe.submit_inline(op, |_| request),
            None => {
                op.handle = Some(handle);
                known.has_handle = true;
                self.pipe.submit_inline(op, |state| {
                    kind.io(&mut state.bytes, &mut state.spare).on(state.handle.as_ref().unwrap())
                })
            }
        };
        match result {
            Ok(Some(event)) => {
                self.outstanding.insert(number, known);
                self.seen(event);
            }
            Ok(None) => self.submitted(number, known, Ok(())),
            Err(refused) => self.submitted(number, known, Err(refused)),
        }
    }

    pub(crate) fn post(&mut self, value: u32) {
        let (op, known) = self.op(0, Kind::Posted(value));
        let number = op.number;
        let result = self.pipe.post(op, value);
        self.submitted(number, known, result);
    }

    pub(crate) fn peer_write(&mut self, line: usize, len: usize) {
        let line = &mut self.lines[line];
        let (Some(peer), from) = (&mut line.peer, line.sent.len()) else { return };
        let bytes: Vec<u8> = (from..from + len).map(|i| (i * 13 + self.next) as u8).collect();
        if let Ok(count) = peer.write(&bytes) {
            line.sent.extend(&bytes[..count]);
        }
    }

    pub(crate) fn peer_read(&mut self, line: usize) -> usize {
        let line = &mut self.lines[line];
        let mut bytes = [0; 100];
        let Some(Ok(count)) = line.peer.as_mut().map(|peer| peer.read(&mut bytes)) else { return 0 };
        line.received.extend(&bytes[..count]);
        count
    }

    pub(crate) fn peer_closes(&mut self, line: usize) {
        self.lines[line].peer = None;
    }

    pub(crate) fn connect(&mut self) {
        if self.clients.len() < 16 {
            self.clients.push(UnixStream::connect_addr(&self.address).unwrap());
        }
    }

    /// Those of this line may be ended early from now on.
    fn may_be_cancelled(&mut self, line: usize, is_meant: impl Fn(Kind) -> bool) -> usize {
        let generation = self.lines[line].generation;
        let all = self.outstanding.values_mut();
        let meant = all.filter(|known| (known.line, known.generation) == (line, generation));
        let meant = meant.filter(|known| known.kind.is_on_line() && is_meant(known.kind));
        meant.map(|known| known.may_be_cancelled = true).count()
    }

    pub(crate) fn cancel(&mut self, line: usize, what: usize) {
        let Some(ours) = self.lines[line].ours.clone() else { return };
        let what = [Cancel::Reads, Cancel::Writes, Cancel::Polls, Cancel::All][what];
        let most = self.may_be_cancelled(line, |kind| match what {
            Cancel::Reads => kind.is_read(),
            Cancel::Writes => matches!(kind, Kind::Write(_)),
            Cancel::Polls => kind == Kind::Poll,
            _ => true,
        });
        assert!(ours.cancel(what) <= most);
    }

    /// One that is outstanding, whatever it is.
    pub(crate) fn cancel_one(&mut self, which: usize) {
        let Some((&number, known)) = self.outstanding.iter().nth(which) else { return };
        let known = known.clone();
        let line = &self.lines[known.line];
        let is_ended = match known.kind {
            Kind::Posted(_) | Kind::LongTimer | Kind::ShortTimer(_) => self.pipe.cancel_timer(known.id),
            Kind::Accept => self.listener.cancel_op(known.id),
            _ => match &line.ours {
                Some(ours) if line.generation == known.generation => ours.cancel_op(known.id),
                _ => return,
            },
        };
        let can_be_over = known.kind != Kind::LongTimer;
        assert!(is_ended || can_be_over || known.may_be_cancelled);
        assert!(!(is_ended && matches!(known.kind, Kind::Posted(_))));
        self.outstanding.get_mut(&number).unwrap().may_be_cancelled |= is_ended;
    }

    pub(crate) fn set_timeout(&mut self, line: usize, short: bool) {
        let Line { ours: Some(ours), has_limit, .. } = &mut self.lines[line] else { return };
        ours.set_timeout(short.then_some(SHORT)).unwrap();
        *has_limit = short;
    }

    pub(crate) fn drop_handle(&mut self, line: usize) {
        self.may_be_cancelled(line, |_| true);
        let Some(ours) = self.lines[line].ours.take() else { return };
        let generation = self.lines[line].generation;
        let mut all = self.outstanding.values();
        if all.any(|known| known.has_handle && (known.line, known.generation) == (line, generation)) {
            ours.cancel(Cancel::All);
        }
    }

    /// A new pair of sockets.
    pub(crate) fn renew(&mut self, number: usize) {
        self.drop_handle(number);
        self.lines[number] = line(&self.pipe, self.lines[number].generation + 1);
    }

    /// An event, which nothing but an operation that is outstanding can have.
    fn seen(&mut self, event: Event<State>) {
        let (state, outcome) = event.into_parts();
        let known = self.outstanding.remove(&state.number).expect("an event that was asked for, once");
        assert_eq!(Op::id(&state), known.id);
        let error = outcome.error();
        if let Some(error) = &error {
            let is_cancelled = is_cancelled(error) && known.may_be_cancelled;
            let is_over = error.kind() == ErrorKind::TimedOut && known.may_time_out;
            let is_closed = matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset);
            let may_be_closed = self.lines[known.line].generation != known.generation
                || self.lines[known.line].peer.is_none();
            assert!(is_cancelled || is_over || is_closed && may_be_closed, "{:?}: {error}", known.kind);
            return;
        }
        match known.kind {
            Kind::Accept => drop(outcome.descriptor().unwrap()),
            Kind::LongTimer => panic!("an hour is not over"),
            Kind::ShortTimer(us) => assert!(known.since.elapsed() >= Duration::from_micros(us)),
            Kind::Posted(value) => assert_eq!(outcome.count(), Some(value as usize)),
            Kind::Poll => drop(outcome.readiness().unwrap()),
            _ => self.moved(&state, &known, outcome),
        }
    }

    /// Bytes came or went.
    fn moved(&mut self, state: &State, known: &Known, outcome: Outcome) {
        let count = outcome.bytes().unwrap();
        let line = &mut self.lines[known.line];
        if line.generation != known.generation || !line.is_whole {
            return;
        }
        if let Kind::Write(len) = known.kind {
            assert_eq!(count, len);
            assert!(mem::replace(&mut line.last_write, state.number) < state.number);
            return line.written.extend(&state.bytes[..count]);
        }
        let bytes = if known.kind == Kind::ReadSpare { &state.spare } else { &state.bytes[..count] };
        assert_eq!(bytes.len(), count);
        assert!(mem::replace(&mut line.last_read, state.number) < state.number);
        assert!(count > 0 || line.peer.is_none(), "the end, though the peer is there");
        assert!(count <= line.sent.len());
        assert!(line.sent.drain(..count).eq(bytes.iter().copied()), "other bytes than the next ones");
    }

    pub(crate) fn harvest(&mut self, room: usize, take: usize) {
        if self.events.len() == 0 {
            self.events = Events::with_capacity(room);
        }
        let left = self.events.len();
        let count = self.pipe.try_wait(&mut self.events).unwrap().len();
        assert!(if left > 0 { count == left } else { count <= room });
        for _ in 0..take {
            let Some(event) = self.events.next() else { break };
            self.seen(event);
        }
    }

    /// What waits in them is dropped.
    pub(crate) fn drop_events(&mut self) {
        let waiting = self.events.len();
        self.events = Events::with_capacity(4);
        let alive = self.tally.those_alive();
        self.outstanding.retain(|number, known| {
            let is_alive = alive.contains(&(number - 1));
            self.lines[known.line].is_whole &= is_alive || !known.kind.is_on_line();
            is_alive
        });
        assert_eq!(self.outstanding.len(), self.pipe.places_taken(), "{waiting} were dropped");
    }

    pub(crate) fn resize(&mut self, capacity: usize) {
        let taken = self.pipe.places_taken();
        match self.pipe.set_capacity(capacity) {
            Ok(()) => {
                assert!(capacity >= taken.max(1));
                self.capacity = capacity;
            }
            Err(error) if capacity == 0 => assert_eq!(error.kind(), ErrorKind::InvalidInput),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ResourceBusy);
                assert!(capacity < taken);
            }
        }
    }

    /// And goes on with a new one.
    pub(crate) fn drop_pipe(&mut self) {
        let new = Model::new();
        let Model { pipe, events, tally, listener, .. } = mem::replace(self, new);
        let waiting = events.len();
        drop(pipe);
        assert_eq!(tally.alive(), waiting);
        drop(events);
        tally.assert_each_was_dropped_once();
        drop(listener);
    }

    /// Ends what waits, and harvests until nothing is outstanding.
    pub(crate) fn finish(&mut self) {
        for line in 0..LINES {
            self.drop_handle(line);
        }
        for known in self.outstanding.values_mut() {
            if known.kind == Kind::Accept {
                known.may_be_cancelled = true;
            }
        }
        self.listener.cancel(Cancel::All);
        for which in 0..self.outstanding.len() {
            self.cancel_one(which);
        }
        while !self.outstanding.is_empty() {
            // The watchdog of the test ends this if one is missing.
            self.pipe.wait(&mut self.events, None).unwrap();
            while let Some(event) = self.events.next() {
                self.seen(event);
            }
        }
        self.assert_counts();
        for line in 0..LINES {
            while self.lines[line].peer.is_some() && self.peer_read(line) > 0 {}
            let Line { peer, written, received, is_whole, .. } = &self.lines[line];
            assert!(peer.is_none() || !is_whole || written == received, "other bytes than were written");
        }
    }
}
