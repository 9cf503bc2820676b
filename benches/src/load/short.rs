//! Short connections: each request has one of its own, which is closed after the answer.
//!
//! The client ends its direction and waits for the server to close, so that the server has done all its work for one
//! connection before the next takes its place.

use super::connection::{Connection, Pattern};
use super::meter::Meter;
use super::{Outcome, Plan, STALL};
use crate::sys::{self, Epoll};
use anyhow::{Context, Result, bail, ensure};
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown};
use std::time::Instant;

/// Connections come from so many addresses of the loopback network in turn: a port stays in TIME_WAIT for a minute, and
/// one address does not have enough of them.
const ADDRESSES: u64 = 64;

/// A client, which makes one connection after the other.
struct Client {
    connection: Connection,
    /// The answer has come, and the server is to close.
    ending: bool,
}

/// Makes connections, as many as asked for.
struct Maker<'a> {
    plan: &'a Plan,
    pattern: Pattern,
    epoll: Epoll,
    made: u64,
}

impl Maker<'_> {
    /// Connects and sends the message.
    fn client(&mut self, index: usize) -> Result<Client> {
        let started = Instant::now();
        let from = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + (self.made % ADDRESSES) as u32);
        let stream = sys::connect(from, self.plan.port, STALL)
            .with_context(|| format!("connection {} to port {}", self.made + 1, self.plan.port))?;
        self.epoll.add(&stream, libc::EPOLLIN, index as u64)?;
        let mut connection = Connection::of(stream, index, self.made as usize, started);
        connection.begin(started, &self.pattern, self.plan.bytes, &self.epoll)?;
        self.made += 1;
        Ok(Client { connection, ending: false })
    }
}

/// Reads the end of file; true when it was there.
fn closed(client: &Connection) -> Result<bool> {
    match (&client.stream).read(&mut [0]) {
        Ok(0) => Ok(true),
        Ok(_) => bail!("connection {}: more came back than was sent", client.index + 1),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
        Err(error) => Err(error).context("the server's end of a connection"),
    }
}

/// Carries out the plan.
pub(super) fn run(plan: &Plan) -> Result<Outcome> {
    let mut maker = Maker { plan, pattern: Pattern::new(plan.bytes), epoll: Epoll::new()?, made: 0 };
    let mut room = vec![0; plan.bytes];
    let mut meter = Meter::new(plan)?;
    let mut clients = Vec::with_capacity(plan.active);
    while clients.len() < plan.active && meter.goes_on() {
        clients.push(maker.client(clients.len())?);
    }
    let mut open = clients.len();
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
    while open > 0 {
        let n = maker.epoll.wait(&mut events, STALL)?;
        ensure!(n > 0, "no answer for {} s on {open} connections", STALL.as_secs());
        for event in events.iter().take(n) {
            let index = event.u64 as usize;
            let client = clients.get_mut(index).context("an event of nobody")?;
            if !client.ending {
                if event.events & libc::EPOLLOUT as u32 != 0 {
                    client.connection.send(&maker.pattern, plan.bytes, &maker.epoll)?;
                }
                if client.connection.receive(&maker.pattern, plan.bytes, &mut room)? {
                    meter.answer(client.connection.started)?;
                    client.connection.stream.shutdown(Shutdown::Write)?;
                    client.ending = true;
                }
            } else if closed(&client.connection)? {
                if meter.goes_on() {
                    *client = maker.client(index)?;
                } else {
                    maker.epoll.remove(&client.connection.stream)?;
                    open -= 1;
                }
            }
        }
    }
    meter.outcome()
}
