//! The chain: N socket pairs, a byte handed on from pair to pair.

use crate::child::Process;
use crate::peers::{self, Peer};
use crate::run::Bench;
use crate::samples::{Measure, Sample, Summary};
use crate::settings::Chain;
use anyhow::{Context, Result};
use std::process::Command;
use std::time::Duration;

/// How a chain is called in the report.
pub(crate) fn case(chain: &Chain) -> String {
    format!("{} pairs, {} active, {} writes", chain.pairs, chain.active, chain.writes)
}

/// The number of pairs, and the rest, of such a name.
pub(crate) fn parse_case(case: &str) -> Option<(f64, &str)> {
    let (pairs, rest) = case.split_once(" pairs, ")?;
    Some((pairs.parse().ok()?, rest))
}

/// One run: the median of its rounds, less the first, in nanoseconds per event.
fn once(bench: &Bench, peer: &Peer, chain: &Chain) -> Result<f64> {
    let mut command = Command::new(&peer.program);
    let options = [
        ("-n", chain.pairs),
        ("-a", chain.active),
        ("-w", chain.writes),
        ("-r", bench.settings.chain_rounds + 1),
    ];
    for (name, value) in options {
        command.args([name, &value.to_string()]);
    }
    let text = Process::start(command, &[bench.core])?.output(Duration::from_secs(120))?;
    let costs: Option<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| {
            let (time, events) = line.split_once(' ')?;
            Some(time.parse::<f64>().ok()? / events.trim().parse::<f64>().ok()?)
        })
        .collect();
    let summary = costs.and_then(Summary::of).with_context(|| format!("no times in {text:?}"))?;
    Ok(summary.median)
}

/// All chains.
pub(crate) fn chains(bench: &mut Bench) {
    let all = peers::chain(&bench.peers.clone(), &mut bench.notes);
    for chain in bench.settings.chains.clone() {
        let case = case(&chain);
        let rounds = bench.settings.rounds;
        bench.interleaved(&format!("chain of {case}"), &all, rounds, |bench, peer| {
            Ok(vec![Sample::new(Measure::Chain, &case, peer.label, once(bench, peer, &chain)?)])
        });
    }
}
