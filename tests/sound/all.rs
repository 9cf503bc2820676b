//! A program with operations outstanding, complete, harvested and looked at, all at once.

use super::listener::listener;
use super::rights::send_with;
use super::tally::{Piece, Tally};
use ioevent::net::Message;
use ioevent::{Attached, Event, EventPipe, Events, Io, Op, Outcome, Readiness, timer};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The state of an operation of any kind.
#[derive(Default)]
pub(crate) struct Job {
    pub(crate) shared: Option<Arc<Attached<UnixStream>>>,
    own: Option<Attached<UnixStream>>,
    pub(crate) bytes: [u8; 32],
    pub(crate) spare: Vec<u8>,
    message: Message<1>,
    _piece: Option<Piece>,
}

pub(crate) fn job(tally: &Tally) -> Op<Job> {
    let spare = Vec::with_capacity(32);
    Op::new(Job { spare, _piece: Some(tally.piece()), ..Job::default() })
}

/// What the program keeps of what it attached.
pub(crate) struct Handles {
    pub(crate) listener: Attached<UnixListener>,
    pub(crate) stream: Attached<UnixStream>,
    pub(crate) shared: Arc<Attached<UnixStream>>,
}

/// All that a program may have in its hands.
#[derive(Default)]
pub(crate) struct All {
    pub(crate) pipe: Option<EventPipe<Job>>,
    pub(crate) handles: Option<Handles>,
    pub(crate) events: Option<Events<Job>>,
    pub(crate) event: Option<Event<Job>>,
    pub(crate) op: Option<Op<Job>>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) peers: Vec<UnixStream>,
}

pub(crate) const PARTS: usize = 6;

impl All {
    /// What happens to one of the six.
    pub(crate) fn part(&mut self, part: usize, end: fn(&mut All)) {
        let mut only = match part {
            0 => All { pipe: self.pipe.take(), ..All::default() },
            1 => All { handles: self.handles.take(), ..All::default() },
            2 => All { events: self.events.take(), ..All::default() },
            3 => All { event: self.event.take(), ..All::default() },
            4 => All { op: self.op.take(), ..All::default() },
            _ => All { outcome: self.outcome.take(), ..All::default() },
        };
        end(&mut only);
    }

    pub(crate) fn new(tally: &Tally) -> All {
        let pipe = EventPipe::new(64).unwrap();
        let (listener, address) = listener();
        let (stream, peer) = UnixStream::pair().unwrap();
        let (shared, shared_peer) = UnixStream::pair().unwrap();
        let listener = pipe.attach(listener).unwrap();
        let stream = pipe.attach(stream).unwrap();
        let shared = Arc::new(pipe.attach(shared).unwrap());
        let mut all = All { peers: vec![peer, shared_peer], ..All::default() };
        let handles = Handles { listener, stream, shared };

        // In an event, and in an outcome: descriptors that the program may or may not take.
        let mut events = Events::with_capacity(16);
        all.accept(&pipe, &handles, tally, &address);
        all.event = pipe.wait(&mut events, None).unwrap().next();
        all.accept(&pipe, &handles, tally, &address);
        let (op, outcome) = pipe.wait(&mut events, None).unwrap().next().unwrap().into_parts();
        (all.op, all.outcome) = (Some(op), Some(outcome));

        // Harvested, and not looked at.
        let done = all.complete(&pipe, &handles, tally, &address);
        assert_eq!(pipe.wait(&mut events, None).unwrap().len(), done);
        all.events = Some(events);

        // Complete, and not harvested.
        all.complete(&pipe, &handles, tally, &address);

        all.outstanding(&pipe, &handles, tally);
        all.pipe = Some(pipe);
        all.handles = Some(handles);
        all
    }

    fn accept(&mut self, pipe: &EventPipe<Job>, handles: &Handles, tally: &Tally, address: &SocketAddr) {
        self.peers.push(UnixStream::connect_addr(address).unwrap());
        pipe.submit_on(&handles.listener, job(tally), |_| Io::accept()).unwrap();
    }

    /// Operations that can be finished at once; returns how many.
    fn complete(
        &mut self,
        pipe: &EventPipe<Job>,
        handles: &Handles,
        tally: &Tally,
        address: &SocketAddr,
    ) -> usize {
        self.accept(pipe, handles, tally, address);
        send_with(&self.peers[0], b"with a descriptor", self.peers[1].as_fd());
        pipe.submit_on(&handles.stream, job(tally), |job| Io::receive(&mut job.message, [&mut job.bytes]))
            .unwrap();
        self.peers[1].write_all(b"something").unwrap();
        let mut op = job(tally);
        op.shared = Some(handles.shared.clone());
        pipe.submit(op, |job| job.shared.as_ref().unwrap().read_spare(&mut job.spare)).unwrap();
        pipe.post(job(tally), 7).unwrap();
        4
    }

    /// Operations for which nothing comes.
    fn outstanding(&mut self, pipe: &EventPipe<Job>, handles: &Handles, tally: &Tally) {
        pipe.submit_on(&handles.listener, job(tally), |_| Io::accept()).unwrap();
        pipe.submit_on(&handles.stream, job(tally), |job| Io::receive(&mut job.message, [&mut job.bytes]))
            .unwrap();
        pipe.submit_on(&handles.stream, job(tally), |_| Io::poll(Readiness::READABLE)).unwrap();
        pipe.submit_on(&handles.stream, job(tally), |job| Io::read(&mut job.bytes).timeout(HOUR)).unwrap();
        let mut op = job(tally);
        op.shared = Some(handles.shared.clone());
        pipe.submit(op, |job| job.shared.as_ref().unwrap().read_spare(&mut job.spare)).unwrap();
        let (own, peer) = UnixStream::pair().unwrap();
        let mut op = job(tally);
        op.own = Some(pipe.attach(own).unwrap());
        pipe.submit(op, |job| job.own.as_ref().unwrap().read(&mut job.bytes)).unwrap();
        self.peers.push(peer);
        pipe.submit(job(tally), |_| timer(HOUR)).unwrap();
    }
}
