//! Memory per idle connection: of whole servers, and of the library alone.

use crate::inside;
use crate::peers::{self, OURS, Peer};
use crate::run::{Bench, Server, Under};
use crate::samples::{Load, Measure, Sample};
use anyhow::{Context, Result, bail, ensure};
use ioevent_benches::interface::Pipe;
use ioevent_benches::{c, sys};
use std::ffi::c_void;
use std::io::Error;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;
use std::time::Duration;

/// Of each server: RssAnon before and after so many connections were opened. And of the library, in a process of its
/// own.
pub(crate) fn memory(bench: &mut Bench) {
    let all = peers::echo(&bench.peers.clone(), &mut bench.notes);
    let all: Vec<Peer> = all.into_iter().filter(Peer::is_weighed).collect();
    let load = Load::ping_pong(1, bench.settings.memory, 64);
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
    for ask in ASKS {
        for limit in ["", LIMITED] {
            inside::measure(bench, &format!("{INSIDE}{ask}{limit}"));
        }
    }
}

/// How what is measured inside a process of its own is called: this, the call, and perhaps `LIMITED`.
pub(crate) const INSIDE: &str = "library-memory-";
const LIMITED: &str = "-limit";
/// The calls.
pub(crate) const ASKS: [&str; 5] = ["read", "recv", "readv", "recvmsg", "submit"];

/// How the two cases are called in the report.
pub(crate) const UNLIMITED_CASE: &str = "no time limit";
/// Likewise.
pub(crate) const LIMITED_CASE: &str = "with a time limit";

/// What an operation is given, beside its buffer.
struct Given {
    buffer: [u8; 64],
    vector: libc::iovec,
    message: libc::msghdr,
}

/// Queues an input operation.
fn ask(how: &str, fd: RawFd, given: &mut Given) -> Result<()> {
    let (buffer, len) = (given.buffer.as_mut_ptr().cast::<c_void>(), given.buffer.len());
    given.vector = libc::iovec { iov_base: buffer, iov_len: len };
    (given.message.msg_iov, given.message.msg_iovlen) = (&raw mut given.vector, 1);
    // SAFETY: what is given outlives the pipe, whose end is the end of the operation.
    let answer = unsafe {
        match how {
            "read" => c::ioevent_read(fd, buffer, len),
            "recv" => c::ioevent_recv(fd, buffer, len, 0),
            "readv" => c::ioevent_readv(fd, &raw const given.vector, 1),
            "recvmsg" => c::ioevent_recvmsg(fd, &raw mut given.message, 0),
            "submit" => {
                let nothing: c::Operation = std::mem::zeroed();
                let user = ptr::from_mut(given).cast();
                let op = c::Operation { kind: c::IOEVENT_OP_READ, fd, user, buf: buffer, len, ..nothing };
                ensure!(c::ioevent_submit(&op, 1) == 1, "ioevent_submit: {}", Error::last_os_error());
                return Ok(());
            }
            _ => bail!("there is no call {how}"),
        }
    };
    let error = Error::last_os_error();
    ensure!(answer == -1 && error.raw_os_error() == Some(c::EIOEVENTQUEUED), "ioevent_{how}: {error}");
    Ok(())
}

/// In a fresh process: as many descriptors as wanted, then one outstanding operation on each, and what that added.
pub(crate) fn library(how: &str, descriptors: usize) -> Result<Vec<Sample>> {
    let (how, limited) = how.strip_suffix(LIMITED).map_or((how, false), |how| (how, true));
    let limit = sys::raise_descriptor_limit()?;
    let descriptors = descriptors.min(limit.saturating_sub(64) as usize);
    let mut sockets = Vec::with_capacity(descriptors + 1);
    while sockets.len() < descriptors {
        let (one, other) = UnixStream::pair().with_context(|| format!("socket {}", sockets.len()))?;
        sockets.extend([one, other]);
    }
    let fresh = || Given {
        buffer: [1; 64],
        vector: libc::iovec { iov_base: ptr::null_mut(), iov_len: 1 },
        // SAFETY: numbers and pointers, which may be 0.
        message: unsafe { std::mem::zeroed() },
    };
    let mut given: Vec<Given> = std::iter::repeat_with(fresh).take(sockets.len()).collect();
    let id = std::process::id();
    let before = sys::rss_anon(id)?;
    let pipe = Pipe::new(i32::MAX)?;
    for (socket, given) in sockets.iter().zip(&mut given) {
        pipe.attach(socket, 0)?;
        if limited {
            pipe.set_limit(socket, HOUR)?;
        }
        ask(how, socket.as_raw_fd(), given)?;
    }
    let after = sys::rss_anon(id)?;
    drop(pipe);
    ensure!(given.iter().all(|given| given.buffer == [1; 64]), "something was written into a buffer");
    let bytes = (after as f64 - before as f64) / sockets.len() as f64;
    let case = if limited { LIMITED_CASE } else { UNLIMITED_CASE };
    Ok(vec![Sample::new(Measure::MemoryLibrary, case, label(how), bytes)])
}

/// How a call is named in the report.
pub(crate) fn label(how: &str) -> String {
    if how == "read" { OURS.to_owned() } else { format!("{OURS}, {how}") }
}

/// Never over while this is measured.
const HOUR: Duration = Duration::from_secs(3600);
