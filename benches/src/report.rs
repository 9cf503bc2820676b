//! What the report says: sections of tables and plots, made from the samples. How it looks is html.rs's and
//! markdown.rs's.

use crate::machine::Machine;
use crate::peers::{OURS, is_ours};
use crate::plot::{self, Dot, Line};
use crate::samples::{Measure, Samples, Summary};
use crate::{measure_chain, result, targets};
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Everything that a run leaves.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Where it was.
    pub(crate) machine: Machine,
    /// How it was measured, in a sentence.
    pub(crate) settings: String,
    /// Whether any of it is from a quick run.
    #[serde(default)]
    pub(crate) quick: bool,
    /// What came out.
    pub(crate) samples: Samples,
    /// What was left out, and why.
    pub(crate) notes: Vec<String>,
}

/// A field of a table.
#[derive(Clone, Default)]
pub(crate) struct Cell {
    /// What stands in it.
    pub(crate) text: String,
    /// The quartiles.
    pub(crate) spread: String,
    /// To be set off: the best of its column.
    pub(crate) best: bool,
}

/// A table; the first field of a row is its name.
pub(crate) struct Table {
    /// The heads of the columns.
    pub(crate) head: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A part of a section.
pub(crate) enum Block {
    /// A table.
    Table(Table),
    /// A plot, as SVG.
    Plot(String),
    /// A heading of the next blocks.
    Heading(String),
}

/// A section.
pub(crate) struct Section {
    /// Its title.
    pub(crate) title: &'static str,
    /// What was measured, and how.
    pub(crate) text: String,
    /// Its parts.
    pub(crate) blocks: Vec<Block>,
    /// Whether README shows it.
    pub(crate) readme: bool,
}

/// A number with thousands set off.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.char_indices() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// A field with text only.
pub(crate) fn plain(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

/// A field with a figure.
pub(crate) fn figure(summary: Option<Summary>, decimals: usize, best: bool) -> Cell {
    let Some(Summary { median, low, high, count }) = summary else { return plain("–") };
    // Small values keep two digits that say something.
    let decimals = if decimals == 0 && median.abs() < 10.0 { 1 } else { decimals };
    let (low, high) = (number(low, decimals), number(high, decimals));
    let spread = if count < 2 || low == high { String::new() } else { format!("{low}–{high}") };
    Cell { text: number(median, decimals), spread, best }
}

/// One row for each peer, one column for each case that passes.
fn by_peer(samples: &Samples, measure: Measure, which: impl Fn(&str) -> bool) -> Table {
    let cases: Vec<&str> = samples.cases(measure).into_iter().filter(|case| which(case)).collect();
    let head = std::iter::once(String::new()).chain(cases.iter().map(|case| (*case).to_owned())).collect();
    let best: Vec<_> =
        cases.iter().map(|case| samples.best(measure, case, |_| true).map(|best| best.0)).collect();
    let mut rows = Vec::new();
    for who in samples.who(measure) {
        let figures = cases.iter().zip(&best).map(|(case, best)| {
            figure(samples.summary(measure, case, who), measure.decimals(), *best == Some(who))
        });
        let row: Vec<Cell> = std::iter::once(plain(who)).chain(figures).collect();
        if row.iter().skip(1).any(|cell| cell.text != "–") {
            rows.push(row);
        }
    }
    Table { head, rows }
}

/// The same turned: one row for each case, one column for each peer.
fn by_case(samples: &Samples, measure: Measure, peers: &[&str]) -> Table {
    let head = std::iter::once(String::new()).chain(peers.iter().map(|who| (*who).to_owned())).collect();
    let rows = samples.cases(measure).into_iter().map(|case| {
        let figures =
            peers.iter().map(|who| figure(samples.summary(measure, case, who), measure.decimals(), false));
        std::iter::once(plain(case)).chain(figures).collect()
    });
    Table { head, rows: rows.collect() }
}

/// The first line of a report that has figures of a quick run.
pub(crate) const QUICK: &str = "A quick run, to see that all works: its figures are not to be quoted.";

/// What it is called.
pub(crate) const TITLE: &str = "libioevent beside its peers";

/// The result in short.
fn result_table(samples: &Samples) -> Table {
    let head = ["", OURS, "the best of the others", "which"];
    let rows = result::rows(samples).into_iter().map(|row| {
        let (which, best) =
            row.best.map_or((String::from("–"), None), |(who, summary)| (who, Some(summary)));
        vec![
            plain(row.what),
            figure(row.ours, row.decimals, false),
            figure(best, row.decimals, false),
            plain(which),
        ]
    });
    Table { head: head.map(str::to_owned).into(), rows: rows.collect() }
}

/// What was to be reached.
fn target_table(samples: &Samples) -> Table {
    let head = ["", "measured", "at most", "which is", ""];
    let rows = targets::all(samples).into_iter().map(|target| {
        let verdict = match (target.ours, target.limit) {
            (Some(ours), Some(limit)) if ours.median <= limit => "reached",
            (Some(_), Some(_)) => "not reached",
            _ => "not measured",
        };
        vec![
            plain(target.what),
            figure(target.ours, target.decimals, false),
            plain(target.limit.map_or_else(|| "–".to_owned(), |limit| number(limit, target.decimals))),
            plain(target.beside),
            plain(verdict),
        ]
    });
    Table { head: head.map(str::to_owned).into(), rows: rows.collect() }
}

/// A dot plot of each case of a measure.
fn dot_plots(samples: &Samples, measure: Measure, unit: &str, blocks: &mut Vec<Block>) -> Result<()> {
    for case in samples.cases(measure) {
        let rows = samples.who(measure).into_iter().filter_map(|who| {
            let summary = samples.summary(measure, case, who)?;
            Some(Dot { label: who.to_owned(), summary, ours: is_ours(who) })
        });
        let rows: Vec<Dot> = rows.collect();
        if !rows.is_empty() {
            blocks.push(Block::Plot(plot::dots(case, unit, &rows, None)?));
        }
    }
    Ok(())
}

/// Line plots of the chains: one for each number of active pairs.
fn chain_plots(samples: &Samples, blocks: &mut Vec<Block>) -> Result<()> {
    let mut kinds: Vec<&str> = Vec::new();
    for (_, kind) in samples.cases(Measure::Chain).into_iter().filter_map(measure_chain::parse_case) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let line = |who: &str| -> Line {
            let points = samples.cases(Measure::Chain).into_iter().filter_map(|case| {
                let (pairs, its) = measure_chain::parse_case(case)?;
                Some((pairs, samples.summary(Measure::Chain, case, who).filter(|_| its == kind)?))
            });
            (who.to_owned(), points.collect())
        };
        let all: Vec<Line> = samples.who(Measure::Chain).into_iter().map(line).collect();
        blocks.push(Block::Plot(plot::lines(kind, "socket pairs", "ns per event", &all)?));
    }
    Ok(())
}

/// Large messages: the case names their length.
fn is_large(case: &str) -> bool {
    case.contains(',')
}

/// Short connections.
fn is_short(case: &str) -> bool {
    case.ends_with(" short")
}

/// A section of tables, one for each measure that has samples.
fn tables(samples: &Samples, measures: &[(&str, Measure)]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (heading, measure) in measures.iter().filter(|(_, measure)| !samples.cases(*measure).is_empty()) {
        if !heading.is_empty() {
            blocks.push(Block::Heading((*heading).to_owned()));
        }
        // Several tables are easier to read than one that is as wide as all of them.
        let small = |case: &str| !is_large(case) && !is_short(case);
        for table in [
            by_peer(samples, *measure, small),
            by_peer(samples, *measure, is_short),
            by_peer(samples, *measure, is_large),
        ] {
            if !table.rows.is_empty() {
                blocks.push(Block::Table(table));
            }
        }
    }
    blocks
}

/// All sections.
pub(crate) fn sections(results: &Results) -> Result<Vec<Section>> {
    let samples = &results.samples;
    let mut sections = Vec::new();
    let mut add = |title, readme, text: &str, blocks: Vec<Block>| {
        if !blocks.is_empty() {
            sections.push(Section { title, text: text.to_owned(), blocks, readme });
        }
    };
    let result = result_table(samples);
    if !result.rows.is_empty() {
        add(
            "Result",
            true,
            "Echo servers, messages of 64 bytes, buffers of 4 KiB, the servers' own work included. Each row has the \
             best of those that do the same: with as many threads, and with time limits or without. Less is better.",
            vec![Block::Table(result)],
        );
    }
    let mut blocks =
        tables(samples, &[("", Measure::Ratio), ("Microseconds of server CPU per request", Measure::Cpu)]);
    dot_plots(samples, Measure::Ratio, "server CPU / generator CPU", &mut blocks)?;
    add(
        "CPU time of the server over that of the load generator",
        true,
        "Both on one core. The generator does the same work for every request, so the machine's speed cancels out. \
         Less is better. Short: each request has a connection of its own, which is accepted, serves it and is closed.",
        blocks,
    );
    let blocks = tables(
        samples,
        &[
            ("Requests per second", Measure::Throughput),
            ("Median latency, microseconds", Measure::P50),
            ("99th percentile, microseconds", Measure::P99),
            ("99.9th percentile, microseconds", Measure::P999),
            ("Microseconds of server CPU per request", Measure::CpuApart),
        ],
    );
    add(
        "Throughput and latency",
        false,
        "Server and generator on different cores; a server with two threads may use both.",
        blocks,
    );
    let flood = [
        ("Median latency of the polite requests, microseconds", Measure::FloodP50),
        ("99th percentile, microseconds", Measure::FloodP99),
        ("Server CPU from one polite answer to the next, microseconds", Measure::FloodCpu),
        ("What came back to the flood, MiB per second", Measure::FloodMoved),
    ];
    add(
        "Polite clients beside a flood",
        true,
        "100 connections send pieces of 16 KiB as fast as they can, 10 of which read what comes back; 10 others send \
         requests of 64 bytes, each when the last has come back. Server and generator on different cores.",
        tables(samples, &flood),
    );
    let counted = [("System calls", Measure::Calls), ("User-space instructions", Measure::Instructions)];
    add(
        "Counted per request",
        true,
        "The difference between two runs that differ by a known number of requests (strace -f -c; callgrind).",
        tables(samples, &counted),
    );
    let memory = [
        ("Server: bytes per idle connection, from none to all", Measure::Memory),
        ("Server: bytes per idle connection, from a ninth of them to all", Measure::MemoryFurther),
        (
            "Library alone: bytes per attached descriptor with one outstanding operation",
            Measure::MemoryLibrary,
        ),
    ];
    add(
        "Memory of idle connections",
        true,
        "Growth of resident anonymous memory (RssAnon). A server's has the program's own part in it: a buffer of 64 \
         bytes, and what it keeps of a connection.",
        tables(samples, &memory),
    );
    let mut blocks = tables(samples, &[("", Measure::Chain)]);
    chain_plots(samples, &mut blocks)?;
    add(
        "Chain",
        false,
        "Socket pairs, of which some are active: who reads a byte writes one into the next pair. Nanoseconds per \
         event.",
        blocks,
    );
    let post = [
        ("One thread, ns per event", Measure::PostOne),
        ("From one thread to another, ns per event", Measure::PostTwo),
        ("To another thread and back, ns", Measure::PostRound),
    ];
    add("Post and harvest", true, "Events of 16 bytes; at most 1,024 under way.", tables(samples, &post));
    let timers = [
        ("What a time limit that does not expire adds to a read, ns", Measure::TimeLimit),
        ("Setting a timer, ns", Measure::TimerSet),
        ("Cancelling a timer by its user pointer, ns", Measure::TimerCancel),
    ];
    add(
        "Time limits and timers",
        true,
        "A read that waits for its byte, with a time limit of an hour and without, in turn; timers of an hour and \
         more.",
        tables(samples, &timers),
    );
    let files = samples.who(Measure::Files);
    if !files.is_empty() {
        add(
            "Reads from files",
            false,
            "Microseconds per read. A memfd cannot be read without perhaps waiting, so libioevent reads it by its \
             pool.",
            vec![Block::Table(by_case(samples, Measure::Files, &files))],
        );
    }
    let functions = samples.who(Measure::Function);
    if !functions.is_empty() {
        add(
            "Each function",
            false,
            "Nanoseconds for a whole turn in a typical use: what makes the call possible (the other end writes, for \
             instance), the call, and the harvest of its event; beside the same with libc's function. By criterion.",
            vec![Block::Table(by_case(samples, Measure::Function, &[OURS, "libc"]))],
        );
    }
    add(
        "What was to be reached",
        false,
        "What this version set out to reach, as a fixed figure or beside another figure of the same runs.",
        vec![Block::Table(target_table(samples))],
    );
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(1234567.0, 0), "1,234,567");
        assert_eq!(number(123.456, 2), "123.46");
        assert_eq!(number(-1234.5, 1), "-1,234.5");
        assert_eq!(number(-123.0, 0), "-123");
    }

    #[test]
    fn a_report_of_nothing_has_only_its_targets() {
        let sections = sections(&Results::default()).unwrap();
        assert_eq!(sections.len(), 1);
    }
}
