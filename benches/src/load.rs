//! The load generator: ping-pong on many connections, one thread, the same work for every request.
//!
//! A request is a message of N bytes to the server and the same N bytes back; a connection sends its next message when
//! the last has come back. Every byte is compared: what connection `c` sends as its message `m` is a slice of one
//! block of pseudo-random bytes, at a place that depends on `c` and `m`, so that nothing is computed for a message, and yet
//! a message that comes back on another connection, or twice, is noticed.
//!
//! Idle connections exchange one message when they are opened and one at the end: so they are accepted, and alive.

use crate::sys::{self, Epoll};
use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// Messages of idle connections are at most this long.
const IDLE_BYTES: usize = 64;
/// When this much time passes without any answer, the server is taken for dead.
const STALL: Duration = Duration::from_secs(10);
/// The starts of messages are spread over so many bytes: a prime.
const SPREAD: usize = 4093;

/// How much: of warm-up, and of what is measured.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// So many requests, and not one more.
    Requests(u64),
    /// So much time.
    Time(Duration),
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server listens on 127.0.0.1, here.
    pub port: u16,
    /// Connections that always have a message under way.
    pub active: usize,
    /// Connections that are open.
    pub idle: usize,
    /// The length of a message.
    pub bytes: usize,
    /// What is not measured, at the beginning.
    pub warm_up: Length,
    /// What is measured.
    pub length: Length,
    /// The server: its CPU time and memory are reported.
    pub server: Option<u32>,
}

/// What came out. Times are of the measured part.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Requests that were answered.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// Median latency in nanoseconds.
    pub p50: u64,
    /// The latency that one request in a hundred exceeded.
    pub p99: u64,
    /// The latency that one request in a thousand exceeded.
    pub p999: u64,
    /// CPU time of this process in nanoseconds.
    pub own_cpu: u64,
    /// CPU time of the server in nanoseconds.
    pub server_cpu: Option<u64>,
    /// The server's resident anonymous memory without a connection, in bytes.
    pub memory_before: Option<u64>,
    /// The same with a ninth of the connections, for what each further one costs.
    pub memory_ninth: Option<u64>,
    /// The same with all connections open, before the first request.
    pub memory_open: Option<u64>,
}

/// The bytes that messages are made of.
struct Pattern {
    bytes: Vec<u8>,
}

impl Pattern {
    fn new(longest: usize) -> Pattern {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64; // xorshift64, from any seed but 0
        let bytes = (0..longest + SPREAD).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        });
        Pattern { bytes: bytes.collect() }
    }

    /// Message `number` of connection `index`, less the first `from` bytes, at most up to byte `to`.
    fn slice(&self, index: usize, number: usize, from: usize, to: usize) -> &[u8] {
        let start = (index * 257 + number * 61) % SPREAD;
        self.bytes.get(start + from..start + to).unwrap_or_default()
    }
}

/// A connection.
struct Connection {
    stream: TcpStream,
    index: usize,
    /// The message under way.
    number: usize,
    sent: usize,
    received: usize,
    started: Instant,
    /// Whether epoll is asked for EPOLLOUT too.
    blocked: bool,
}

impl Connection {
    fn open(port: u16, index: usize) -> Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("connection {} to port {port}", index + 1))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(STALL))?;
        stream.set_write_timeout(Some(STALL))?;
        sys::no_linger(&stream)?;
        Ok(Connection {
            stream,
            index,
            number: 0,
            sent: 0,
            received: 0,
            started: Instant::now(),
            blocked: false,
        })
    }

    /// Exchanges one message, waiting for it.
    fn exchange(&mut self, pattern: &Pattern, bytes: usize, room: &mut [u8]) -> Result<()> {
        let message = pattern.slice(self.index, self.number, 0, bytes);
        let room = room.get_mut(..bytes).context("no room")?;
        self.stream.write_all(message).and_then(|()| self.stream.read_exact(room)).with_context(|| {
            format!("a message and its echo, while connection {} is idle", self.index + 1)
        })?;
        ensure!(room == message, "connection {}: wrong bytes in its echo", self.index + 1);
        self.number += 1;
        Ok(())
    }

    /// Sends what is left of the message under way, as far as it goes.
    fn send(&mut self, pattern: &Pattern, bytes: usize, epoll: &Epoll) -> Result<()> {
        while self.sent < bytes {
            match self.stream.write(pattern.slice(self.index, self.number, self.sent, bytes)) {
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context(format!("connection {}: write", self.index + 1)),
            }
        }
        let blocked = self.sent < bytes;
        if blocked != self.blocked {
            self.blocked = blocked;
            let events = if blocked { libc::EPOLLIN | libc::EPOLLOUT } else { libc::EPOLLIN };
            epoll.modify(&self.stream, events, self.index as u64)?;
        }
        Ok(())
    }

    /// Reads once and compares; true when the message under way has come back whole.
    fn receive(&mut self, pattern: &Pattern, bytes: usize, room: &mut [u8]) -> Result<bool> {
        let room = room.get_mut(..bytes - self.received).context("no room")?;
        let n = match self.stream.read(room) {
            Ok(0) => bail!("connection {}: the server has closed it", self.index + 1),
            Ok(n) => n,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(false);
            }
            Err(error) => return Err(error).context(format!("connection {}: read", self.index + 1)),
        };
        let to = self.received + n;
        let wanted = pattern.slice(self.index, self.number, self.received, to);
        ensure!(to <= self.sent, "connection {}: more came back than was sent", self.index + 1);
        ensure!(
            room.get(..n) == Some(wanted),
            "connection {}, message {}: wrong bytes in its echo",
            self.index + 1,
            self.number + 1
        );
        self.received = to;
        Ok(to == bytes)
    }

    /// Begins with the next message.
    fn begin(&mut self, now: Instant, pattern: &Pattern, bytes: usize, epoll: &Epoll) -> Result<()> {
        self.number += 1;
        (self.sent, self.received, self.started) = (0, 0, now);
        self.send(pattern, bytes, epoll)
    }
}

/// What had been used at an instant.
struct Mark {
    at: Instant,
    own: u64,
    server: Option<u64>,
}

impl Mark {
    /// The begin of what is measured: what it costs to find out comes before it.
    fn begin(server: Option<u32>) -> Result<Mark> {
        let server = server.map(sys::cpu_of).transpose().context("the server's CPU time")?;
        Ok(Mark { server, own: sys::own_cpu()?, at: Instant::now() })
    }

    /// The end: what it costs to find out comes after it.
    fn end(at: Instant, server: Option<u32>) -> Result<Mark> {
        let own = sys::own_cpu()?;
        Ok(Mark { at, own, server: server.map(sys::cpu_of).transpose().context("the server's CPU time")? })
    }
}

/// Carries out a plan.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let total = plan.active + plan.idle;
    ensure!(plan.active > 0 && plan.bytes > 0, "at least one active connection and one byte");
    let limit = sys::raise_descriptor_limit().context("the limit of descriptors")?;
    ensure!(total as u64 + 32 <= limit, "{total} connections, but this process may have {limit} descriptors");

    let memory = |server: Option<u32>| server.map(sys::rss_anon).transpose().context("the server's memory");
    let pattern = Pattern::new(plan.bytes.max(IDLE_BYTES));
    let mut room = vec![0; plan.bytes.max(IDLE_BYTES)];
    let memory_before = memory(plan.server)?;
    let mut memory_ninth = memory_before;
    let (mut active, mut idle) = (Vec::with_capacity(plan.active), Vec::with_capacity(plan.idle));
    for i in 0..total {
        // The active ones are spread evenly among the idle ones, as they are in a server's tables after a while.
        let is_active = (i + 1) * plan.active / total > active.len();
        let index = if is_active { active.len() } else { plan.active + idle.len() };
        let mut connection = Connection::open(plan.port, index)?;
        connection.exchange(&pattern, plan.bytes.min(IDLE_BYTES), &mut room)?;
        if is_active { &mut active } else { &mut idle }.push(connection);
        if i + 1 == total / 9 {
            memory_ninth = memory(plan.server)?;
        }
    }
    let memory_open = memory(plan.server)?;

    let mut outcome = ping_pong(plan, &pattern, &mut active, &mut room)?;
    for connection in &mut idle {
        connection.exchange(&pattern, plan.bytes.min(IDLE_BYTES), &mut room)?;
    }
    (outcome.memory_before, outcome.memory_ninth, outcome.memory_open) =
        (memory_before, memory_ninth, memory_open);
    Ok(outcome)
}

/// The part that is measured, with its warm-up.
fn ping_pong(plan: &Plan, pattern: &Pattern, active: &mut [Connection], room: &mut [u8]) -> Result<Outcome> {
    let epoll = Epoll::new()?;
    let mut latencies = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3)?;
    // Of requests there are exactly as many as asked for, so that two runs differ by a known number.
    let requests = |length| if let Length::Requests(n) = length { n } else { u64::MAX };
    let warm_up = if let Length::Requests(0) = plan.warm_up { Length::Requests(1) } else { plan.warm_up };
    let mut left = requests(warm_up).saturating_add(requests(plan.length));
    let (mut answered, mut measured) = (0_u64, 0_u64);
    let mut phase_began = Instant::now();
    let (mut begun, mut ended): (Option<Mark>, Option<Mark>) = (None, None);
    let mut outstanding = 0_usize;

    for connection in active.iter_mut() {
        connection.stream.set_nonblocking(true)?;
        epoll.add(&connection.stream, libc::EPOLLIN, connection.index as u64)?;
        if left > 0 {
            (left, outstanding) = (left - 1, outstanding + 1);
            connection.begin(Instant::now(), pattern, plan.bytes, &epoll)?;
        }
    }
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
    while outstanding > 0 {
        let n = epoll.wait(&mut events, STALL)?;
        ensure!(n > 0, "no answer for {} s on {outstanding} connections", STALL.as_secs());
        for event in events.iter().take(n) {
            let connection = active.get_mut(event.u64 as usize).context("an event of nobody")?;
            if event.events & libc::EPOLLOUT as u32 != 0 {
                connection.send(pattern, plan.bytes, &epoll)?;
            }
            if !connection.receive(pattern, plan.bytes, room)? {
                continue;
            }
            outstanding -= 1;
            answered += 1;
            let mut now = Instant::now();
            // Those that were under way while the first mark was made have waited for it.
            if begun.is_some() && ended.is_none() && connection.started >= phase_began {
                latencies.saturating_record((now - connection.started).as_nanos() as u64);
            }
            let over = |length| match length {
                Length::Requests(n) => answered >= n,
                Length::Time(time) => now - phase_began >= time,
            };
            if begun.is_none() && over(warm_up) {
                begun = Some(Mark::begin(plan.server)?);
                now = Instant::now();
                (phase_began, answered) = (now, 0);
            } else if begun.is_some() && ended.is_none() && over(plan.length) {
                ended = Some(Mark::end(now, plan.server)?);
                measured = answered;
            }
            if ended.is_none() && left > 0 {
                (left, outstanding) = (left - 1, outstanding + 1);
                connection.begin(now, pattern, plan.bytes, &epoll)?;
            }
        }
    }
    let (begun, ended) = begun.zip(ended).context("the run was over before it was measured")?;
    Ok(Outcome {
        requests: measured,
        seconds: (ended.at - begun.at).as_secs_f64(),
        p50: latencies.value_at_quantile(0.5),
        p99: latencies.value_at_quantile(0.99),
        p999: latencies.value_at_quantile(0.999),
        own_cpu: ended.own - begun.own,
        server_cpu: ended.server.zip(begun.server).map(|(end, begin)| end.saturating_sub(begin)),
        memory_before: None,
        memory_ninth: None,
        memory_open: None,
    })
}
