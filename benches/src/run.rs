//! One run: a server, the generator against it, and the end of both.

use crate::child::Process;
use crate::peers::Peer;
use crate::samples::{Load, Sample};
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow, ensure};
use ioevent_benches::load::{Kind, Outcome};
use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What a server runs under.
pub(crate) enum Under<'a> {
    /// Nothing.
    Itself,
    /// strace, which counts its system calls into this file.
    Strace(&'a Path),
    /// callgrind, which counts its instructions into this file.
    Callgrind(&'a Path),
}

/// A running server.
pub(crate) struct Server {
    process: Process,
    pid: u32,
    port: u16,
}

/// A kind of load as the generator's option says it.
fn kind_option(kind: Kind) -> &'static str {
    match kind {
        Kind::PingPong => "ping-pong",
        Kind::Short => "short",
        Kind::Flood => "flood",
    }
}

/// Where valgrind has the pipes by which vgdb speaks to it.
fn vgdb_prefix(file: &Path) -> String {
    format!("--vgdb-prefix={}.vgdb", file.display())
}

/// A port that is free.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Server {
    /// Starts a peer and waits until it is ready.
    pub(crate) fn start(peer: &Peer, buffer: usize, cores: &[usize], under: &Under<'_>) -> Result<Server> {
        let port = free_port().context("a free port")?;
        let mut command = match under {
            Under::Itself => Command::new(&peer.program),
            Under::Strace(file) => {
                // The shell says the number under which the server will run.
                let mut command = Command::new("strace");
                command.args(["-f", "-c", "-o"]).arg(file);
                command.args(["sh", "-c", r#"echo $$; exec "$0" "$@""#]).arg(&peer.program);
                command
            }
            Under::Callgrind(file) => {
                let mut command = Command::new("valgrind");
                command.args(["-q", "--tool=callgrind", &vgdb_prefix(file)]);
                command.arg(format!("--callgrind-out-file={}", file.display())).arg(&peer.program);
                command
            }
        };
        if peer.threads > 0 {
            command.args(["-t", &peer.threads.to_string()]);
        }
        command.args(["-s", &buffer.to_string(), &port.to_string()]);
        let mut process = Process::start(command, cores)?;
        let mut pid = process.id();
        if matches!(under, Under::Strace(_)) {
            let line = process.line(START)?;
            pid = line.parse().with_context(|| format!("strace: not a process id: {line:?}"))?;
            process.owns(pid);
        }
        let line = process.line(START)?;
        ensure!(line == "ready", "{}: said {line:?} instead of ready", peer.program.display());
        Ok(Server { process, pid, port })
    }

    /// Lets the generator loose on it. `length` are the generator's options of how long.
    pub(crate) fn load(
        &mut self,
        load: &Load,
        length: &[&str],
        cores: &[usize],
        time: Duration,
    ) -> Result<Outcome> {
        let mut command = Command::new(beside_us("load")?);
        command.arg(self.port.to_string()).args(["--server", &self.pid.to_string()]);
        command.args(["--kind", kind_option(load.kind)]);
        for (name, value) in [("--active", load.active), ("--idle", load.idle), ("--bytes", load.bytes)] {
            command.args([name, &value.to_string()]);
        }
        command.args(length);
        let line =
            Process::start(command, cores)?.output(time).map_err(|error| match self.process.fate() {
                Some(fate) => anyhow!("{fate}; {error:#}"),
                None => error,
            })?;
        serde_json::from_str(&line).with_context(|| format!("load: said {line:?}"))
    }

    /// Lets callgrind write what it has counted, into its file's name with `.1` after it.
    ///
    /// It would do that at the end, too. But a server that waits in io_uring_enter gets no signal under valgrind 3.19.
    pub(crate) fn dump(&self, file: &Path) -> Result<()> {
        let mut command = Command::new("vgdb");
        command.args([&vgdb_prefix(file), &format!("--pid={}", self.pid), "dump"]);
        Process::start(command, &[])?.output(START)?;
        Ok(())
    }

    /// Ends it.
    pub(crate) fn end(self) -> Result<()> {
        self.end_within(START)
    }

    /// Ends it; kills it if it takes longer than this.
    pub(crate) fn end_within(self, time: Duration) -> Result<()> {
        self.process.end(time)
    }
}

/// Enough to start or end, under valgrind and on a slow machine too.
const START: Duration = Duration::from_secs(30);

/// A program of this crate.
pub(crate) fn beside_us(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe().context("where this program is")?.with_file_name(name))
}

/// All that measuring needs, and what it gives.
pub(crate) struct Bench {
    /// How much is measured.
    pub(crate) settings: Settings,
    /// Where the programs of benches/peers are.
    pub(crate) peers: PathBuf,
    /// Where files may be written.
    pub(crate) directory: PathBuf,
    /// The core of servers.
    pub(crate) core: usize,
    /// Another one, if there is one, for the generator.
    pub(crate) other_core: Option<usize>,
    /// What came out.
    pub(crate) samples: Vec<Sample>,
    /// What was left out, and why.
    pub(crate) notes: Vec<String>,
    /// Peers by how often they have failed.
    pub(crate) failures: HashMap<&'static str, usize>,
}

/// A peer that fails so often is not tried again.
const PATIENCE: usize = 3;

impl Bench {
    /// Notes something for the reader of the report, and says it.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            eprintln!("  note: {note}");
            self.notes.push(note);
        }
    }

    /// Takes samples of each peer in turn, A B C A B C. A peer that fails is noted and has no samples here.
    pub(crate) fn interleaved(
        &mut self,
        what: &str,
        peers: &[Peer],
        rounds: usize,
        once: impl Fn(&Bench, &Peer) -> Result<Vec<Sample>>,
    ) {
        let fit = peers.iter().filter(|peer| self.failures.get(peer.label).is_none_or(|&n| n < PATIENCE));
        let mut lanes: Vec<(&Peer, Option<Vec<Sample>>)> = fit.map(|peer| (peer, Some(Vec::new()))).collect();
        eprintln!("{what}: {} peers, {rounds} rounds", lanes.len());
        for _ in 0..rounds {
            for (peer, samples) in &mut lanes {
                let Some(taken) = samples else { continue };
                match once(self, peer) {
                    Ok(new) => taken.extend(new),
                    Err(error) => {
                        *samples = None;
                        let failures = self.failures.entry(peer.label).or_default();
                        *failures += 1;
                        let end = if *failures == PATIENCE { "; it is not tried any more" } else { "" };
                        self.note(format!("{what}: {} is left out: {error:#}{end}", peer.label));
                    }
                }
            }
        }
        self.samples.extend(lanes.into_iter().filter_map(|(_, samples)| samples).flatten());
    }
}
