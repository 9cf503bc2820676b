//! Posting and harvesting: in one thread, from one to another, and there and back.

use crate::carriers::{Carrier, Channel, Counter, Queue};
use crate::samples::{Measure, Sample};
use crate::settings::Settings;
use anyhow::{Context, Result, ensure};
use ioevent_benches::c::Event;
use ioevent_benches::interface::Pipe;
use ioevent_benches::sys;
use std::thread;
use std::time::{Duration, Instant};

/// Events that are posted at once.
const BATCHES: [usize; 3] = [1, 8, 64];
/// Room for a harvest.
const ROOM: usize = 64;

/// How a batch is called in the report.
pub(crate) fn case(batch: usize) -> String {
    if batch == 1 { "one by one".to_owned() } else { format!("batches of {batch}") }
}

/// Nanoseconds for each of so many events.
fn each(time: Duration, events: usize) -> f64 {
    time.as_nanos() as f64 / events as f64
}

/// What is posted: the numbers from `first` on.
fn number(events: &mut [Event], first: usize) {
    for (event, user) in events.iter_mut().zip(first..) {
        event.user = user;
    }
}

/// Takes up to a number of events; the sum of their numbers.
fn take<C: Carrier>(carrier: &C, events: usize) -> Result<usize> {
    let mut room = [Event::default(); ROOM];
    let (mut sum, mut left) = (0_usize, events);
    while left > 0 {
        let n = carrier.harvest(&mut room)?;
        sum += room.iter().take(n).map(|event| event.user).sum::<usize>();
        left = left.checked_sub(n).context("more events came than were posted")?;
    }
    Ok(sum)
}

/// Whether the numbers below `events` have come.
fn check<C: Carrier>(sum: usize, events: usize) -> Result<()> {
    ensure!(!C::CARRIES || sum == events * (events - 1) / 2, "{}: not what was posted has come", C::LABEL);
    Ok(())
}

/// A batch is posted and harvested, again and again.
fn one_thread<C: Carrier>(batch: usize, events: usize) -> Result<f64> {
    let carrier = C::new()?;
    let mut posted = vec![Event::default(); batch];
    let mut sum = 0;
    let events = events / batch * batch;
    let begin = Instant::now();
    for first in (0..events).step_by(batch) {
        number(&mut posted, first);
        carrier.post(&posted)?;
        sum += take(&carrier, batch)?;
    }
    let time = begin.elapsed();
    check::<C>(sum, events)?;
    Ok(each(time, events))
}

/// One thread posts as fast as places are free, the other harvests.
fn two_threads<C: Carrier>(batch: usize, events: usize, cores: [usize; 2]) -> Result<f64> {
    let carrier = &C::new()?;
    let events = events / batch * batch;
    let [here, there] = cores;
    sys::pin(&[here])?;
    thread::scope(|scope| {
        let poster = scope.spawn(move || -> Result<()> {
            sys::pin(&[there])?;
            let mut posted = vec![Event::default(); batch];
            for first in (0..events).step_by(batch) {
                number(&mut posted, first);
                carrier.post(&posted)?;
            }
            Ok(())
        });
        let begin = Instant::now();
        let sum = take(carrier, events);
        let time = begin.elapsed();
        poster.join().ok().context("the poster has panicked")??;
        check::<C>(sum?, events)?;
        Ok(each(time, events))
    })
}

/// One event goes to another thread, which posts one back.
fn round_trip<C: Carrier>(rounds: usize, cores: [usize; 2]) -> Result<f64> {
    let (to, from) = (&C::new()?, &C::new()?);
    let [here, there] = cores;
    sys::pin(&[here])?;
    thread::scope(|scope| {
        let other = scope.spawn(move || -> Result<()> {
            sys::pin(&[there])?;
            for _ in 0..rounds {
                take(to, 1)?;
                from.post(&[Event::default()])?;
            }
            Ok(())
        });
        let begin = Instant::now();
        for _ in 0..rounds {
            to.post(&[Event::default()])?;
            take(from, 1)?;
        }
        let time = begin.elapsed();
        other.join().ok().context("the other thread has panicked")??;
        Ok(each(time, rounds))
    })
}

/// One sample of everything for one carrier.
fn round<C: Carrier>(settings: &Settings, cores: &[usize], samples: &mut Vec<Sample>) -> Result<()> {
    for batch in BATCHES {
        if let [core, ..] = cores {
            sys::pin(&[*core])?;
        }
        // An eventfd takes a system call for each event: fewer do.
        let events = if C::CARRIES { settings.posted } else { settings.posted / 10 };
        samples.push(Sample::new(Measure::PostOne, case(batch), C::LABEL, one_thread::<C>(batch, events)?));
        if let [one, other, ..] = *cores {
            let value = two_threads::<C>(batch, events, [one, other])?;
            samples.push(Sample::new(Measure::PostTwo, case(batch), C::LABEL, value));
        }
    }
    if let [one, other, ..] = *cores {
        let value = round_trip::<C>(settings.posted / 50, [one, other])?;
        samples.push(Sample::new(Measure::PostRound, "there and back", C::LABEL, value));
    }
    Ok(())
}

/// All carriers in turn.
pub(crate) fn all(settings: &Settings) -> Result<Vec<Sample>> {
    let cores = sys::allowed_cores()?;
    let mut samples = Vec::new();
    for _ in 0..settings.rounds {
        round::<Channel>(settings, &cores, &mut samples)?;
        round::<Queue>(settings, &cores, &mut samples)?;
        round::<Counter>(settings, &cores, &mut samples)?;
        round::<Pipe>(settings, &cores, &mut samples)?;
    }
    Ok(samples)
}
