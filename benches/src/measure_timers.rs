//! Time: what a limit that never expires adds to a read, and what one of many timers costs.

use crate::peers::OURS;
use crate::samples::{Measure, Sample, Summary};
use crate::settings::Settings;
use anyhow::{Context, Result, ensure};
use ioevent_benches::c::Event;
use ioevent_benches::interface::Pipe;
use ioevent_benches::sys;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Nothing here takes so long.
const HOUR: Duration = Duration::from_secs(3600);
/// Reads in a block, after which the other kind has its turn: short, so that both see the same machine.
const BLOCK: usize = 200;
/// Room for a harvest.
const ROOM: usize = 64;

/// A connection of which one end is attached.
struct Reader {
    near: TcpStream,
    far: TcpStream,
    buffer: [u8; 64],
}

impl Reader {
    fn new(pipe: &Pipe, limit: Option<Duration>) -> Result<Box<Reader>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let far = TcpStream::connect(listener.local_addr()?)?;
        far.set_nodelay(true)?;
        let (near, _) = listener.accept()?;
        pipe.attach(&near, 0)?;
        if let Some(limit) = limit {
            pipe.set_limit(&near, limit)?;
        }
        Ok(Box::new(Reader { near, far, buffer: [0; 64] }))
    }

    /// Reads that each wait for their byte, and how long one took, in nanoseconds.
    fn block(&mut self, pipe: &Pipe) -> Result<f64> {
        let mut room = [Event::default(); ROOM];
        let begin = Instant::now();
        for _ in 0..BLOCK {
            // SAFETY: the event is harvested below; should that fail, the pipe is closed before the reader goes.
            unsafe { pipe.read(self.near.as_raw_fd(), self.buffer.as_mut_ptr(), self.buffer.len())? };
            self.far.write_all(&[1])?;
            let n = pipe.harvest(&mut room)?;
            ensure!(n == 1 && room.first().is_some_and(|event| event.result == 1), "not the event of a read");
        }
        Ok(begin.elapsed().as_nanos() as f64 / BLOCK as f64)
    }
}

/// What a time limit adds to a read: the median of the differences between neighbouring blocks with and without.
fn time_limit(reads: usize) -> Result<f64> {
    // Closed before the buffers go.
    let (mut plain, mut limited);
    let pipe = Pipe::new(16)?;
    plain = Reader::new(&pipe, None)?;
    limited = Reader::new(&pipe, Some(HOUR))?;
    let mut differences = Vec::new();
    for block in 0..(reads / BLOCK).max(4) {
        // The first has no advantage.
        let (without, with) = if block % 2 == 0 {
            let without = plain.block(&pipe)?;
            (without, limited.block(&pipe)?)
        } else {
            let with = limited.block(&pipe)?;
            (plain.block(&pipe)?, with)
        };
        differences.push(with - without);
    }
    let summary = Summary::of(differences).context("no blocks")?;
    drop(pipe);
    Ok(summary.median)
}

/// Sets many timers and cancels some of them, here and there, by their user pointers; nanoseconds for each.
fn timers(all: usize, cancelled: usize) -> Result<(f64, f64)> {
    let pipe = Pipe::new(all as i32)?;
    let begin = Instant::now();
    for number in 0..all {
        // Not in the order of time.
        let later = Duration::from_millis((number as u64).wrapping_mul(7919) % 1_000_003);
        pipe.set_timer(number + 1, HOUR + later)?;
    }
    let set = begin.elapsed().as_nanos() as f64 / all as f64;
    let begin = Instant::now();
    for number in 0..cancelled {
        let n = pipe.cancel_timer(number * (all / cancelled) + 1)?;
        ensure!(n == 1, "{n} timers were cancelled instead of one");
    }
    let cancel = begin.elapsed().as_nanos() as f64 / cancelled as f64;
    let mut room = [Event::default(); ROOM];
    let mut left = cancelled;
    while left > 0 {
        let n = pipe.harvest(&mut room)?;
        ensure!(room.iter().take(n).all(|event| event.errno == libc::ECANCELED), "not the event of a timer");
        left = left.checked_sub(n).context("more events than timers were cancelled")?;
    }
    Ok((set, cancel))
}

/// All of it, as often as wanted.
pub(crate) fn all(settings: &Settings) -> Result<Vec<Sample>> {
    if let [core, ..] = *sys::allowed_cores()? {
        sys::pin(&[core])?;
    }
    let (all, cancelled) = settings.timers;
    let case = format!("among {all} timers");
    let mut samples = Vec::new();
    for _ in 0..settings.rounds {
        let limit = time_limit(settings.limited)?;
        let (set, cancel) = timers(all, cancelled)?;
        samples.push(Sample::new(Measure::TimeLimit, "each read", OURS, limit));
        samples.push(Sample::new(Measure::TimerSet, &case, OURS, set));
        samples.push(Sample::new(Measure::TimerCancel, &case, OURS, cancel));
    }
    Ok(samples)
}
