//! Ping-pong: a connection sends its next message when the last has come back.
//!
//! Idle connections exchange one message when they are opened and one at the end: so they are accepted, and alive.

use super::connection::{Connection, Pattern};
use super::meter::Meter;
use super::{Outcome, Plan, STALL};
use crate::sys::{self, Epoll};
use anyhow::{Context, Result, ensure};

/// Messages of idle connections are at most this long.
const IDLE_BYTES: usize = 64;

/// Opens all connections, and carries out the plan.
pub(super) fn run(plan: &Plan) -> Result<Outcome> {
    let total = plan.active + plan.idle;
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

    let outcome = measured(plan, &pattern, &mut active, &mut room)?;
    for connection in &mut idle {
        connection.exchange(&pattern, plan.bytes.min(IDLE_BYTES), &mut room)?;
    }
    Ok(Outcome { memory_before, memory_ninth, memory_open, ..outcome })
}

/// The part that is measured, with its warm-up.
fn measured(plan: &Plan, pattern: &Pattern, active: &mut [Connection], room: &mut [u8]) -> Result<Outcome> {
    let epoll = Epoll::new()?;
    let mut meter = Meter::new(plan)?;
    let mut outstanding = 0_usize;
    for connection in active.iter_mut() {
        connection.stream.set_nonblocking(true)?;
        epoll.add(&connection.stream, libc::EPOLLIN, connection.index as u64)?;
        if meter.goes_on() {
            outstanding += 1;
            connection.begin(std::time::Instant::now(), pattern, plan.bytes, &epoll)?;
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
            let now = meter.answer(connection.started)?;
            if meter.goes_on() {
                outstanding += 1;
                connection.begin(now, pattern, plan.bytes, &epoll)?;
            }
        }
    }
    meter.outcome()
}
