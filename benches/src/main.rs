//! bench: measures libioevent beside its peers, and writes target/bench/report.html and report.md.
//!
//! The work is in the measure_* modules, each of which takes samples (samples.rs); run.rs and child.rs start what they
//! need; report.rs, plot.rs, html.rs and markdown.rs make of the samples what is read.

mod carriers;
mod child;
mod functions;
mod html;
mod inside;
mod machine;
mod markdown;
mod measure_chain;
mod measure_counts;
mod measure_echo;
mod measure_files;
mod measure_memory;
mod measure_post;
mod measure_timers;
mod peers;
mod plot;
mod report;
mod result;
mod run;
mod samples;
mod settings;
mod targets;

use anyhow::{Context, Result, bail};
use clap::Parser;
use ioevent_benches::sys;
use machine::Machine;
use report::Results;
use run::Bench;
use samples::Measure;
use settings::Settings;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Measures libioevent beside its peers, and writes a report.
#[derive(Parser)]
struct Options {
    /// Where the programs of benches/peers were built.
    #[arg(long, default_value = "target/peers")]
    peers: PathBuf,
    /// Where the report goes, and the samples that it was made from.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Where criterion has left the costs of the functions.
    #[arg(long, default_value = "target/bench/criterion")]
    criterion: PathBuf,
    /// The library's header: whose functions should have been measured.
    #[arg(long, default_value = "include/ioevent.h")]
    header: PathBuf,
    /// Fewer rounds, sizes and connections.
    #[arg(long)]
    quick: bool,
    /// How often each figure is taken.
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these, into the results of an earlier run: ratio, latency, flood, calls, instructions, memory, chain, post,
    /// timers, files, functions; or "none": only write the report anew.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// For itself: a part that runs in a process of its own.
    #[arg(long, hide = true)]
    inside: Option<String>,
}

/// What can be measured: its name, and what its samples are samples of.
const PARTS: [(&str, &[Measure]); 11] = [
    ("ratio", &[Measure::Ratio, Measure::Cpu]),
    ("latency", &[Measure::Throughput, Measure::P50, Measure::P99, Measure::P999, Measure::CpuApart]),
    ("flood", &[Measure::FloodP50, Measure::FloodP99, Measure::FloodCpu, Measure::FloodMoved]),
    ("calls", &[Measure::Calls]),
    ("instructions", &[Measure::Instructions]),
    ("memory", &[Measure::Memory, Measure::MemoryFurther, Measure::MemoryLibrary]),
    ("chain", &[Measure::Chain]),
    ("post", &[Measure::PostOne, Measure::PostTwo, Measure::PostRound]),
    ("timers", &[Measure::TimeLimit, Measure::TimerSet, Measure::TimerCancel]),
    ("files", &[Measure::Files]),
    ("functions", &[Measure::Function]),
];

fn measure(bench: &mut Bench, part: &str, options: &Options) {
    match part {
        "ratio" => measure_echo::one_core(bench),
        "latency" => measure_echo::two_cores(bench),
        "flood" => measure_echo::flood(bench),
        "calls" => measure_counts::calls(bench),
        "instructions" => measure_counts::instructions(bench),
        "memory" => measure_memory::memory(bench),
        "chain" => measure_chain::chains(bench),
        "functions" => functions::functions(bench, &options.criterion, &options.header),
        inside => inside::measure(bench, inside),
    }
}

/// Writes the report, and the samples for another one.
fn write(results: &Results, directory: &Path) -> Result<()> {
    let sections = report::sections(results)?;
    let files = [
        ("results.json", serde_json::to_string(results)?),
        ("report.html", html::report(results, &sections)),
        ("report.md", markdown::report(results, &sections)),
    ];
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// What an earlier run has left, less what is measured anew.
fn earlier(options: &Options) -> Result<Results> {
    let path = options.out.join("results.json");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Results::default()),
        Err(error) => return Err(error).context(path.display().to_string()),
    };
    let mut results: Results = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let parts = PARTS.iter().filter(|(name, _)| options.only.iter().any(|only| only == name));
    let again: Vec<Measure> = parts.flat_map(|(_, measures)| measures.iter().copied()).collect();
    results.samples.0.retain(|sample| !again.contains(&sample.measure));
    Ok(results)
}

fn run(options: &Options) -> Result<()> {
    let mut settings = if options.quick { Settings::quick() } else { Settings::full() };
    settings.rounds = options.rounds.unwrap_or(settings.rounds).max(1);
    if let Some(what) = &options.inside {
        return inside::child(what, &settings, &options.out);
    }
    for only in &options.only {
        if only != "none" && !PARTS.iter().any(|(name, _)| name == only) {
            let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
            bail!("--only {only}: there are {}, and none", names.join(", "));
        }
    }
    fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    if options.quick {
        eprintln!("{}", report::QUICK);
    }
    let cores = sys::allowed_cores().context("the cores that may be used")?;
    let mut results = if options.only.is_empty() { Results::default() } else { earlier(options)? };
    if !options.only.iter().any(|only| only == "none") {
        results.machine = Machine::this(cores.len());
        results.quick |= options.quick;
        results.settings = format!(
            "Each figure was taken {} times, the peers in turn (A B C A B C); calls, instructions and memory {} times.",
            settings.rounds, settings.counts,
        );
    }
    let mut bench = Bench {
        settings,
        peers: options.peers.clone(),
        directory: options.out.clone(),
        core: *cores.first().context("no core may be used")?,
        other_core: cores.get(1).copied(),
        samples: Vec::new(),
        notes: Vec::new(),
        failures: HashMap::new(),
    };
    let begin = Instant::now();
    for (part, _) in PARTS {
        if options.only.is_empty() || options.only.iter().any(|only| only == part) {
            measure(&mut bench, part, options);
            results.samples.0.append(&mut bench.samples);
            results.notes.extend(
                bench.notes.iter().filter(|note| !results.notes.contains(note)).cloned().collect::<Vec<_>>(),
            );
            // What there is now is there even if the rest never comes.
            write(&results, &options.out)?;
            eprintln!("  ({:.0} s so far)", begin.elapsed().as_secs_f64());
        }
    }
    write(&results, &options.out)?;
    eprintln!("{}", options.out.join("report.html").display());
    Ok(())
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
