//! CPU time, throughput and latency of the echo servers.

use crate::peers::{self, Peer};
use crate::run::{Bench, Server, Under};
use crate::samples::{Load, Measure, Sample};
use anyhow::{Context, Result};
use ioevent_benches::load::Outcome;
use std::time::Duration;

/// The peers for a load.
fn fit(bench: &mut Bench, load: &Load) -> Vec<Peer> {
    let all = peers::echo(&bench.peers.clone(), &mut bench.notes);
    all.into_iter().filter(|peer| peer.is_timed(load)).collect()
}

fn once(peer: &Peer, load: &Load, time: Duration, server: &[usize], generator: &[usize]) -> Result<Outcome> {
    let time = time.as_secs_f64();
    let patience = Duration::from_secs_f64(60.0 + 5.0 * time + 0.01 * (load.active + load.idle) as f64);
    let mut running = Server::start(peer, load.buffer(), server, &Under::Itself)?;
    let outcome = running.load(load, &["--seconds", &time.to_string()], generator, patience)?;
    running.end()?;
    Ok(outcome)
}

/// Server and generator on one core. The generator does the same for every request, so the quotient of the two CPU
/// times does not depend on how fast the machine happens to be.
pub(crate) fn one_core(bench: &mut Bench) {
    for load in bench.settings.one_core.clone() {
        let (rounds, peers) = (bench.settings.rounds, fit(bench, &load));
        bench.interleaved(&format!("one core, {load}"), &peers, rounds, |bench, peer| {
            let core = [bench.core];
            let outcome = once(peer, &load, bench.settings.time, &core, &core)?;
            let server = outcome.server_cpu.context("no CPU time of the server")? as f64;
            let per_request = server / outcome.requests as f64 / 1000.0;
            Ok(vec![
                Sample::new(Measure::Ratio, load, peer.label, server / outcome.own_cpu as f64),
                Sample::new(Measure::Cpu, load, peer.label, per_request),
            ])
        });
    }
}

/// Server and generator on different cores. A server with several threads may use all.
pub(crate) fn two_cores(bench: &mut Bench) {
    let Some(other) = bench.other_core else {
        bench.note("one core: no throughput and latency with server and generator on different cores");
        return;
    };
    for load in bench.settings.two_cores.clone() {
        let (rounds, peers) = (bench.settings.rounds, fit(bench, &load));
        bench.interleaved(&format!("two cores, {load}"), &peers, rounds, |bench, peer| {
            let own = [bench.core];
            let cores: &[usize] = if peer.threads > 0 { &[] } else { &own };
            let outcome = once(peer, &load, bench.settings.time, cores, &[other])?;
            let requests = outcome.requests as f64;
            let server = outcome.server_cpu.context("no CPU time of the server")? as f64;
            let figures = [
                (Measure::Throughput, requests / outcome.seconds),
                (Measure::P50, outcome.p50 as f64 / 1000.0),
                (Measure::P99, outcome.p99 as f64 / 1000.0),
                (Measure::P999, outcome.p999 as f64 / 1000.0),
                (Measure::CpuApart, server / requests / 1000.0),
            ];
            Ok(figures.map(|(measure, value)| Sample::new(measure, load, peer.label, value)).into())
        });
    }
}

/// Polite clients beside a flood, with server and generator on different cores.
pub(crate) fn flood(bench: &mut Bench) {
    let Some(other) = bench.other_core else {
        bench.note("one core: no flood, which wants server and generator on different cores");
        return;
    };
    let load = bench.settings.flood;
    let (rounds, peers) = (bench.settings.rounds, fit(bench, &load));
    bench.interleaved(&load.to_string(), &peers, rounds, |bench, peer| {
        let outcome = once(peer, &load, bench.settings.flood_time, &[bench.core], &[other])?;
        let server = outcome.server_cpu.context("no CPU time of the server")? as f64;
        let figures = [
            (Measure::FloodP50, outcome.p50 as f64 / 1000.0),
            (Measure::FloodP99, outcome.p99 as f64 / 1000.0),
            (Measure::FloodCpu, server / outcome.requests as f64 / 1000.0),
            (Measure::FloodMoved, outcome.flooded as f64 / f64::from(1 << 20) / outcome.seconds),
        ];
        Ok(figures.map(|(measure, value)| Sample::new(measure, load, peer.label, value)).into())
    });
}
