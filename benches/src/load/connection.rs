//! A connection of the generator, and the bytes that go over it.

use super::STALL;
use crate::sys::{self, Epoll};
use anyhow::{Context, Result, bail, ensure};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;

/// The starts of messages are spread over so many bytes: a prime.
const SPREAD: usize = 4093;

/// The bytes that messages are made of.
pub(super) struct Pattern {
    bytes: Vec<u8>,
}

impl Pattern {
    pub(super) fn new(longest: usize) -> Pattern {
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
    pub(super) fn slice(&self, index: usize, number: usize, from: usize, to: usize) -> &[u8] {
        let start = (index * 257 + number * 61) % SPREAD;
        self.bytes.get(start + from..start + to).unwrap_or_default()
    }
}

/// A connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) index: usize,
    /// The message under way.
    number: usize,
    sent: usize,
    received: usize,
    pub(super) started: Instant,
    /// Whether epoll is asked for EPOLLOUT too.
    blocked: bool,
}

impl Connection {
    /// A connection that stays.
    pub(super) fn open(port: u16, index: usize) -> Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("connection {} to port {port}", index + 1))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(STALL))?;
        stream.set_write_timeout(Some(STALL))?;
        sys::no_linger(&stream)?;
        Ok(Connection::of(stream, index, 0, Instant::now()))
    }

    /// A connection that was made otherwise, whose next message is the one after `number`.
    pub(super) fn of(stream: TcpStream, index: usize, number: usize, started: Instant) -> Connection {
        Connection { stream, index, number, sent: 0, received: 0, started, blocked: false }
    }

    /// Exchanges one message, waiting for it.
    pub(super) fn exchange(&mut self, pattern: &Pattern, bytes: usize, room: &mut [u8]) -> Result<()> {
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
    pub(super) fn send(&mut self, pattern: &Pattern, bytes: usize, epoll: &Epoll) -> Result<()> {
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
    pub(super) fn receive(&mut self, pattern: &Pattern, bytes: usize, room: &mut [u8]) -> Result<bool> {
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
    pub(super) fn begin(
        &mut self,
        now: Instant,
        pattern: &Pattern,
        bytes: usize,
        epoll: &Epoll,
    ) -> Result<()> {
        self.number += 1;
        (self.sent, self.received, self.started) = (0, 0, now);
        self.send(pattern, bytes, epoll)
    }
}
