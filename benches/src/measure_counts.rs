//! System calls and instructions per request: the difference between two runs that differ by a known number of
//! requests.

use crate::peers::{self, Peer};
use crate::run::{Bench, Server, Under};
use crate::samples::{Load, Measure, Sample};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Why a tool cannot be used, if it cannot.
fn unusable(command: &mut Command) -> Option<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(format!("{name} does not work here: {}", said.lines().next().unwrap_or("it says nothing")))
        }
        Err(_) => Some(format!("{name} is not installed")),
    }
}

/// The count of a run with so many requests.
fn count(
    peer: &Peer,
    load: &Load,
    requests: u64,
    under: &Under<'_>,
    read: fn(&str) -> Option<u64>,
) -> Result<f64> {
    // Not pinned: nothing here is a time.
    let mut running = Server::start(peer, load.buffer(), &[], under)?;
    let length = ["--requests", &requests.to_string(), "--warm-up", "1"];
    running.load(load, &length, &[], Duration::from_secs(300))?;
    let file = match under {
        Under::Callgrind(file) => {
            running.dump(file)?;
            // Killed, if need be.
            drop(running.end_within(Duration::from_secs(1)));
            file.with_extension("1")
        }
        Under::Strace(file) => {
            running.end()?;
            file.to_path_buf()
        }
        Under::Itself => bail!("nothing counts"),
    };
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let number = read(&text).with_context(|| format!("{}: no count in it", file.display()))?;
    fs::remove_file(file)?;
    Ok(number as f64)
}

/// The number of calls in what strace -c writes: the fourth column of each line that begins with a number.
fn calls_in(text: &str) -> Option<u64> {
    let mut sum = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [share, _, _, calls, .., name] = words.as_slice()
            && share.parse::<f64>().is_ok()
            && *name != "total"
        {
            sum = Some(sum.unwrap_or(0) + calls.parse::<u64>().ok()?);
        }
    }
    sum
}

/// The number of instructions in what callgrind writes.
fn instructions_in(text: &str) -> Option<u64> {
    let of = |name| text.lines().rev().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    of("totals:").or_else(|| of("summary:"))
}

fn measure(
    bench: &mut Bench,
    measure: Measure,
    what: &str,
    (few, many): (u64, u64),
    under: fn(&Path) -> Under<'_>,
    read: fn(&str) -> Option<u64>,
) {
    let all = peers::echo(&bench.peers.clone(), &mut bench.notes);
    // In a directory of their own, because valgrind leaves more there than it is told.
    let directory = bench.directory.join("counts");
    if let Err(error) = fs::create_dir_all(&directory) {
        return bench.note(format!("no {what}: {}: {error}", directory.display()));
    }
    let file = directory.join("count");
    for load in bench.settings.counted.clone() {
        let fit: Vec<Peer> = all.iter().filter(|peer| peer.is_counted(&load)).cloned().collect();
        let rounds = bench.settings.counts;
        bench.interleaved(&format!("{what}, {load}"), &fit, rounds, |_, peer| {
            let first = count(peer, &load, few, &under(&file), read)?;
            let second = count(peer, &load, many, &under(&file), read)?;
            ensure!(second > first, "{second} in {many} requests, but {first} in {few}");
            Ok(vec![Sample::new(measure, load, peer.label, (second - first) / (many - few) as f64)])
        });
    }
    fs::remove_dir_all(directory).ok();
}

/// System calls, by strace.
pub(crate) fn calls(bench: &mut Bench) {
    if let Some(why) = unusable(Command::new("strace").args(["-f", "-c", "-o", "/dev/null", "true"])) {
        bench.note(format!("no system calls per request: {why}"));
        return;
    }
    let lengths = bench.settings.calls;
    measure(bench, Measure::Calls, "system calls", lengths, |file| Under::Strace(file), calls_in);
}

/// Instructions, by callgrind.
pub(crate) fn instructions(bench: &mut Bench) {
    let mut trial = Command::new("valgrind");
    if let Some(why) =
        unusable(trial.args(["-q", "--tool=callgrind", "--callgrind-out-file=/dev/null", "true"]))
    {
        bench.note(format!("no instructions per request: {why}"));
        return;
    }
    let lengths = bench.settings.instructions;
    measure(
        bench,
        Measure::Instructions,
        "instructions",
        lengths,
        |file| Under::Callgrind(file),
        instructions_in,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let strace = "% time     seconds  usecs/call     calls    errors syscall\n\
                      ------ ----------- ----------- --------- --------- ----------------\n \
                       60.00    0.000300           3       100           read\n \
                       40.00    0.000200           4        50        10 write\n\
                      ------ ----------- ----------- --------- --------- ----------------\n\
                      100.00    0.000500           3       150        10 total\n";
        assert_eq!(calls_in(strace), Some(150));
        assert_eq!(calls_in("nothing"), None);
        assert_eq!(instructions_in("events: Ir\nsummary: 12\nfn=x\n1 2\ntotals: 345\n"), Some(345));
        assert_eq!(instructions_in("summary: 12\n"), Some(12));
    }
}
