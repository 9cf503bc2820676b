//! A flood, and polite clients beside it: connections that send pieces as fast as the server takes them, of which only
//! some read what comes back; and others that play ping-pong, whose requests are what is measured.

use super::connection::{Connection, Pattern};
use super::meter::Meter;
use super::{Outcome, Plan, STALL};
use crate::sys::{self, Epoll};
use anyhow::{Context, Result, bail, ensure};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// Connections of the flood.
pub const FLOODING: usize = 100;
/// So many of them read.
pub const READING: usize = 10;
/// What they send at once, in bytes.
pub const PIECE: usize = 16 * 1024;
/// One piece in so many is compared. The others are dropped without being copied, so that the generator has less work
/// for a byte than the server, and what is measured is how the server copes.
const COMPARED: usize = 16;
/// The buffers of a connection that does not read are full when none has taken a byte for this long.
const QUIET: Duration = Duration::from_millis(100);
/// After so many events of the flood the polite clients are looked after again: their latency is to be the server's.
const FLOOD_EVENTS: usize = 2;

/// A connection of the flood: a stream of messages of one piece each, without an end.
struct Flooder {
    connection: Connection,
    reads: bool,
    /// Bytes sent and received.
    sent: usize,
    received: usize,
}

impl Flooder {
    fn open(port: u16, number: usize) -> Result<Flooder> {
        let connection = Connection::open(port, number)?;
        connection.stream.set_nonblocking(true)?;
        Ok(Flooder { connection, reads: number < READING, sent: 0, received: 0 })
    }

    /// Sends the rest of a piece, or the next one.
    fn send(&mut self, pattern: &Pattern) -> Result<()> {
        let (number, from) = (self.sent / PIECE, self.sent % PIECE);
        let piece = pattern.slice(self.connection.index, number, from, PIECE);
        match (&self.connection.stream).write(piece) {
            Ok(n) => self.sent += n,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error).context("a write of the flood"),
        }
        Ok(())
    }

    /// Reads once: a piece that is compared, or what is left up to the next of these. Returns how many bytes there
    /// were.
    fn receive(&mut self, pattern: &Pattern, room: &mut [u8]) -> Result<usize> {
        let (number, from) = (self.received / PIECE, self.received % PIECE);
        let is_compared = number % COMPARED == 0;
        let result = if is_compared {
            (&self.connection.stream).read(room.get_mut(..PIECE - from).context("no room")?)
        } else {
            sys::discard(&self.connection.stream, COMPARED * PIECE - self.received % (COMPARED * PIECE))
        };
        let n = match result {
            Ok(0) => bail!("flood, connection {}: the server has closed it", self.connection.index + 1),
            Ok(n) => n,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(error) => return Err(error).context("a read of the flood"),
        };
        let wanted = pattern.slice(self.connection.index, number, from, from + n);
        let right = !is_compared || room.get(..n) == Some(wanted);
        ensure!(right, "flood, connection {}: wrong bytes", self.connection.index + 1);
        self.received += n;
        ensure!(
            self.received <= self.sent,
            "flood, connection {}: more came back",
            self.connection.index + 1
        );
        Ok(n)
    }
}

/// The flood.
struct Flood {
    epoll: Epoll,
    flooders: Vec<Flooder>,
    pattern: Pattern,
    room: Vec<u8>,
}

impl Flood {
    /// Opens the connections; their numbers begin at 0, those of the polite ones after them.
    fn open(port: u16) -> Result<Flood> {
        let flooders = (0..FLOODING).map(|number| Flooder::open(port, number)).collect::<Result<Vec<_>>>()?;
        let epoll = Epoll::new()?;
        for (number, flooder) in flooders.iter().enumerate() {
            let events = if flooder.reads { libc::EPOLLIN | libc::EPOLLOUT } else { libc::EPOLLOUT };
            epoll.add(&flooder.connection.stream, events, number as u64)?;
        }
        Ok(Flood { epoll, flooders, pattern: Pattern::new(PIECE), room: vec![0; PIECE] })
    }

    /// Goes on until the buffers of those that do not read are full, which takes megabytes each: before that, the flood
    /// is not the same in any two instants.
    fn fill(&mut self) -> Result<()> {
        let (begin, mut filled, mut since) = (Instant::now(), 0, Instant::now());
        while since.elapsed() < QUIET {
            ensure!(begin.elapsed() < 3 * STALL, "the buffers are not full after {} s", 3 * STALL.as_secs());
            if self.go_on()?.is_none() {
                self.epoll.wait(&mut [libc::epoll_event { events: 0, u64: 0 }], QUIET / 4)?;
            }
            let sent =
                self.flooders.iter().filter(|flooder| !flooder.reads).map(|flooder| flooder.sent).sum();
            if sent != filled {
                (filled, since) = (sent, Instant::now());
            }
        }
        Ok(())
    }

    /// Goes on with a few of those that are ready; returns the bytes that came back, or nothing if none was ready.
    fn go_on(&mut self) -> Result<Option<usize>> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; FLOOD_EVENTS];
        let n = self.epoll.wait(&mut events, Duration::ZERO)?;
        let mut bytes = 0;
        for event in events.iter().take(n) {
            let flooder = self.flooders.get_mut(event.u64 as usize).context("an event of nobody")?;
            if event.events & libc::EPOLLIN as u32 != 0 {
                bytes += flooder.receive(&self.pattern, &mut self.room)?;
            }
            if event.events & libc::EPOLLOUT as u32 != 0 {
                flooder.send(&self.pattern)?;
            }
        }
        Ok((n > 0).then_some(bytes))
    }
}

/// Carries out the plan.
pub(super) fn run(plan: &Plan) -> Result<Outcome> {
    let pattern = Pattern::new(plan.bytes);
    let mut room = vec![0; plan.bytes];
    let mut polite = Vec::with_capacity(plan.active);
    let epoll = Epoll::new()?;
    for index in 0..plan.active {
        let mut connection = Connection::open(plan.port, index)?;
        connection.exchange(&pattern, plan.bytes, &mut room)?;
        connection.stream.set_nonblocking(true)?;
        epoll.add(&connection.stream, libc::EPOLLIN, index as u64)?;
        polite.push(connection);
    }
    let mut flood = Flood::open(plan.port)?;
    flood.fill()?;
    // Where there is nothing to do, this one wakes for both.
    let both = Epoll::new()?;
    both.add(&epoll, libc::EPOLLIN, 0)?;
    both.add(&flood.epoll, libc::EPOLLIN, 1)?;

    let mut meter = Meter::new(plan)?;
    let mut outstanding = 0_usize;
    let mut flooded = 0;
    for connection in &mut polite {
        if meter.goes_on() {
            outstanding += 1;
            connection.begin(Instant::now(), &pattern, plan.bytes, &epoll)?;
        }
    }
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
    let mut heard = Instant::now();
    while outstanding > 0 {
        let n = epoll.wait(&mut events, Duration::ZERO)?;
        for event in events.iter().take(n) {
            let connection = polite.get_mut(event.u64 as usize).context("an event of nobody")?;
            if event.events & libc::EPOLLOUT as u32 != 0 {
                connection.send(&pattern, plan.bytes, &epoll)?;
            }
            if connection.receive(&pattern, plan.bytes, &mut room)? {
                outstanding -= 1;
                heard = meter.answer(connection.started)?;
                if meter.goes_on() {
                    outstanding += 1;
                    connection.begin(heard, &pattern, plan.bytes, &epoll)?;
                }
            }
        }
        match flood.go_on()? {
            Some(bytes) if meter.measures() => flooded += bytes as u64,
            Some(_) => {}
            None if n > 0 => {}
            None => _ = both.wait(&mut events, STALL)?,
        }
        // The flood goes on and on, so it does not tell whether the polite ones are served.
        ensure!(heard.elapsed() < STALL, "no answer for {} s on {outstanding} connections", STALL.as_secs());
    }
    Ok(Outcome { flooded, ..meter.outcome()? })
}
