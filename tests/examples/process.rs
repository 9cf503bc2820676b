//! The examples as processes.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

/// No program takes so long, whatever else the machine does.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(300);

/// Builds all examples as this test was built, and gives the path of one.
pub(crate) fn example(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| {
        let test = std::env::current_exe().unwrap(); // [target/][triple/]profile/deps/examples-hash
        let profile = test.ancestors().nth(2).unwrap();
        let above = profile.parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "-q", "--examples", "--features", "bytes,futures"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        match name_of(profile) {
            "debug" => {}
            profile => drop(cargo.args(["--profile", profile])),
        }
        let target = if name_of(above).contains("-linux-") {
            cargo.args(["--target", name_of(above)]);
            above.parent().unwrap()
        } else {
            above
        };
        assert!(
            cargo.arg("--target-dir").arg(target).status().unwrap().success(),
            "the examples cannot be built"
        );
        profile.join("examples")
    });
    directory.join(name)
}

fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// A program that is running. Dropped, it is killed.
pub(crate) struct Running {
    child: Arc<Mutex<Child>>,
    id: u32,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: Option<thread::JoinHandle<()>>,
    /// What it has written to stderr so far.
    said: Arc<(Mutex<String>, Condvar)>,
    _alive: mpsc::Sender<()>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let id = child.id();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let says = said.clone();
        let stderr = thread::spawn(move || {
            for line in stderr.lines() {
                *says.0.lock().unwrap() += &(line.unwrap() + "\n");
                says.1.notify_all();
            }
        });
        let child = Arc::new(Mutex::new(child));
        let (alive, ended) = mpsc::channel();
        let watched = child.clone();
        thread::spawn(move || {
            if ended.recv_timeout(WATCHDOG) == Err(RecvTimeoutError::Timeout) {
                watched.lock().unwrap().kill().unwrap();
            }
        });
        Running { child, id, stdout, stderr: Some(stderr), said, _alive: alive }
    }

    pub(crate) fn example(name: &str, arguments: &[&str]) -> Running {
        Running::start(Command::new(example(name)).args(arguments))
    }

    /// Where it listens, which is the first that it prints.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").and_then(|rest| rest.trim().parse().ok());
        address.unwrap_or_else(|| panic!("no address: {line:?}"))
    }

    /// Waits until it has written this to stderr.
    pub(crate) fn wait_for(&self, words: &str) {
        let (said, changed) = &*self.said;
        let text = said.lock().unwrap();
        let (text, wait) = changed.wait_timeout_while(text, WATCHDOG, |text| !text.contains(words)).unwrap();
        assert!(!wait.timed_out(), "never said {words:?}: {text:?}");
    }

    pub(crate) fn terminate(&self) {
        assert!(
            Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id)]).status().unwrap().success()
        );
    }

    /// Waits for its end: the status, and what it wrote to stdout (from now on) and stderr.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let mut out = String::new();
        self.stdout.read_to_string(&mut out).unwrap();
        self.stderr.take().unwrap().join().unwrap();
        let err = self.said.0.lock().unwrap().clone();
        (self.child.lock().unwrap().wait().unwrap(), out, err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, and a watchdog that panicked matters no more.
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a program says and how it ends, given these arguments.
pub(crate) fn run(name: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (status, out, err) = Running::example(name, arguments).end();
    (status.code(), out, err)
}
