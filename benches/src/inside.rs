//! What is measured inside one process: that process is a child of ours, so that it can be ended, and what it does to
//! itself ends with it.

use crate::child::Process;
use crate::run::{Bench, beside_us};
use crate::samples::Samples;
use crate::settings::Settings;
use crate::{measure_files, measure_memory, measure_post, measure_timers};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Starts a child for it, and takes its samples. One that fails is noted.
pub(crate) fn measure(bench: &mut Bench, what: &str) {
    eprintln!("{what}");
    let child = || -> Result<Samples> {
        let mut command = Command::new(beside_us("bench")?);
        command.args(["--inside", what, "--out"]).arg(&bench.directory);
        command.args(["--rounds", &bench.settings.rounds.to_string()]);
        if bench.settings.quick {
            command.arg("--quick");
        }
        let text = Process::start(command, &[])?.output(Duration::from_secs(600))?;
        serde_json::from_str(&text).context("its samples")
    };
    match child() {
        Ok(samples) => bench.samples.extend(samples.0),
        Err(error) => bench.note(format!("{what} is left out: {error:#}")),
    }
}

/// The child: measures, and prints its samples.
pub(crate) fn child(what: &str, settings: &Settings, directory: &Path) -> Result<()> {
    let samples = match what {
        "post" => measure_post::all(settings)?,
        "timers" => measure_timers::all(settings)?,
        "files" => measure_files::all(settings, directory)?,
        _ => match what.strip_prefix(measure_memory::INSIDE) {
            Some(how) => measure_memory::library(how, settings.memory_library)?,
            None => bail!("there is nothing called {what}"),
        },
    };
    println!("{}", serde_json::to_string(&Samples(samples))?);
    Ok(())
}
