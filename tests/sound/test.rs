//! What each of these tests begins with: no other test of this program runs beside it, it is ended if it hangs, and
//! when it is over as many descriptors are open as before.

use ioevent::{EventPipe, Events, Io, Op};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Much longer than any of them takes, under memcheck and on a machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(180);

static TURN: Mutex<()> = Mutex::new(());
static WARM: Once = Once::new();

/// Lives as long as a test.
pub(crate) struct Test {
    /// The descriptors that are open outside of it.
    pub(crate) before: BTreeMap<i32, String>,
    watchdog: Option<(Sender<()>, JoinHandle<()>)>,
    _turn: MutexGuard<'static, ()>,
}

/// A test begins.
pub(crate) fn begin() -> Test {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let (alive, over) = mpsc::channel();
    let watch = move || {
        if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{name}: hangs");
            std::process::abort();
        }
    };
    let watchdog = thread::Builder::new().name("watchdog".into()).spawn(watch).unwrap();
    WARM.call_once(warm_up);
    Test { before: descriptors(), watchdog: Some((alive, watchdog)), _turn: turn }
}

/// What the library makes once in a process: the first pipe, the first thing that waits, the first that is harvested.
fn warm_up() {
    let pipe = EventPipe::new(4).unwrap();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new([0; 8]), |bytes| Io::read(bytes)).unwrap();
    peer.write_all(b"warm").unwrap();
    assert_eq!(pipe.wait(&mut Events::with_capacity(4), None).unwrap().count(), 1);
}

/// The open descriptors, and what they are.
pub(crate) fn descriptors() -> BTreeMap<i32, String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    let described = names.into_iter().filter_map(|path| {
        let number = path.file_name()?.to_str()?.parse().ok()?;
        // The directory itself is closed by now.
        Some((number, std::fs::read_link(path).ok()?.display().to_string()))
    });
    described.collect()
}

impl Test {
    /// As many descriptors are open as when the test began.
    pub(crate) fn assert_no_descriptor_is_left(&self) {
        let now = descriptors();
        assert!(now.len() == self.before.len(), "open before: {:?}\nopen now: {now:?}", self.before);
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        if let Some((alive, watchdog)) = self.watchdog.take() {
            drop(alive);
            watchdog.join().unwrap();
        }
        if !thread::panicking() {
            self.assert_no_descriptor_is_left();
        }
    }
}
