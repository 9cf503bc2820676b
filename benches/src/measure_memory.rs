//! Memory per idle connection: of whole servers, and of the library alone.

use crate::inside;
use crate::peers::{self, OURS};
use crate::run::{Bench, Server, Under};
use crate::samples::{Load, Measure, Sample};
use anyhow::{Context, Result, ensure};
use ioevent_benches::interface::Pipe;
use ioevent_benches::sys;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Of each server: RssAnon before and after so many connections were opened. And of the library, in a process of its own.
pub(crate) fn memory(bench: &mut Bench) {
    let all = peers::echo(&bench.peers.clone(), &mut bench.notes);
    let load = Load { active: 1, idle: bench.settings.memory, bytes: 64 };
    let rounds = bench.settings.counts;
    bench.interleaved(&format!("memory of {} idle connections", load.idle), &all, rounds, |bench, peer| {
        let core = [bench.core];
        // A small buffer, so that it does not hide the rest.
        let mut running = Server::start(peer, load.bytes, &core, &Under::Itself)?;
        let outcome = running.load(&load, &["--requests", "100"], &core, Duration::from_secs(120))?;
        running.end()?;
        let before = outcome.memory_before.context("no memory of the server")? as f64;
        let ninth = outcome.memory_ninth.context("no memory of the server")? as f64;
        let open = outcome.memory_open.context("no memory of the server")? as f64;
        let connections = load.idle + load.active;
        let case = format!("{} connections", load.idle);
        Ok(vec![
            Sample::new(Measure::Memory, &case, peer.label, (open - before) / connections as f64),
            Sample::new(
                Measure::MemoryFurther,
                &case,
                peer.label,
                (open - ninth) / (connections - connections / 9) as f64,
            ),
        ])
    });
    inside::measure(bench, "library-memory");
}

/// In a fresh process: as many descriptors as wanted, then one outstanding read on each, and what that added.
pub(crate) fn library(descriptors: usize) -> Result<Vec<Sample>> {
    let limit = sys::raise_descriptor_limit()?;
    let descriptors = descriptors.min(limit.saturating_sub(64) as usize);
    let mut sockets = Vec::with_capacity(descriptors + 1);
    while sockets.len() < descriptors {
        let (one, other) = UnixStream::pair().with_context(|| format!("socket {}", sockets.len()))?;
        sockets.extend([one, other]);
    }
    let mut buffers = vec![[1_u8; 64]; sockets.len()];
    let id = std::process::id();
    let before = sys::rss_anon(id)?;
    let pipe = Pipe::new(i32::MAX)?;
    for (socket, buffer) in sockets.iter().zip(&mut buffers) {
        pipe.attach(socket, 0)?;
        // SAFETY: the pipe is closed, which ends the reads, before the buffers go.
        unsafe { pipe.read(socket.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())? };
    }
    let after = sys::rss_anon(id)?;
    drop(pipe);
    ensure!(buffers.iter().flatten().all(|&byte| byte == 1), "something was written into a buffer");
    let bytes = (after as f64 - before as f64) / sockets.len() as f64;
    Ok(vec![Sample::new(Measure::MemoryLibrary, format!("{} descriptors", sockets.len()), OURS, bytes)])
}
