//! The watchdog, which looks after pipes while no thread harvests: it takes no event away from a harvest, and does not
//! sleep where it is needed.

use crate::pipe::Pipe;
use crate::sync::access::Shared;
use crate::sync::atomic::{
    AtomicBool, AtomicU32, Ordering::Relaxed, Ordering::SeqCst, in_order, light_fence,
};
use crate::sync::waiters::Spot;
use crate::{barrier, model};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// A pipe as the watchdog sees it: `watch::Watchdog::look` against `Pipe::harvest`.
#[derive(Default)]
struct Watched {
    users: AtomicU32,
    watched: AtomicBool,
    looking: Mutex<()>,
    /// An edge in the kernel.
    edge: Mutex<bool>,
    /// An event in the common lane.
    lane: Mutex<bool>,
}

impl Watched {
    fn look(&self) {
        let _looking = self.looking.lock().unwrap();
        self.watched.store(true, SeqCst);
        in_order();
        if self.users.fetch_add(1, SeqCst) == 0 && core::mem::take(&mut *self.edge.lock().unwrap()) {
            *self.lane.lock().unwrap() = true;
        }
        self.users.fetch_sub(1, SeqCst);
        self.watched.store(false, SeqCst);
    }

    /// A harvest that does not wait.
    fn harvest(&self) -> bool {
        self.users.fetch_add(1, SeqCst);
        in_order();
        if self.watched.load(SeqCst) {
            drop(self.looking.lock().unwrap());
        }
        let edge = core::mem::take(&mut *self.edge.lock().unwrap());
        let lane = core::mem::take(&mut *self.lane.lock().unwrap());
        self.users.fetch_sub(1, SeqCst);
        edge || lane
    }
}

#[test]
fn the_watchdog_is_no_thief() {
    model(None, || {
        let pipe = Arc::new(Watched::default());
        *pipe.edge.lock().unwrap() = true;
        let watchdog = pipe.clone();
        let watchdog = thread::spawn(move || watchdog.look());
        assert!(pipe.harvest(), "the watchdog made a harvest miss an event");
        watchdog.join().unwrap();
    });
}

/// A thread that leaves a pipe where another is about to stand by (`InUse::drop`, `Pipe::wait_on_standby`), against the
/// watchdog that goes to sleep while the pipe is attended.
#[test]
fn the_watchdog_hears_that_only_threads_on_standby_are_left() {
    model(None, || {
        let users = Arc::new(AtomicU32::new(2));
        let dormant = Arc::new(AtomicBool::new(false));
        let pipe = Pipe::new();
        pipe.wake.waiters.let_one_wait(true);
        assert_eq!(pipe.wake.waiters.add(true), Spot::Kernel);
        let (its_users, its_dormant, its_pipe) = (users.clone(), dormant.clone(), pipe.clone());
        let leaver = thread::spawn(move || {
            its_pipe.wake.unpark::<Shared>();
            let left = its_users.fetch_sub(1, SeqCst) - 1;
            in_order();
            left == its_pipe.wake.waiters.on_standby() && its_dormant.load(SeqCst)
        });
        let (its_dormant, its_pipe) = (dormant.clone(), pipe.clone());
        let other = thread::spawn(move || {
            let spot = its_pipe.wake.waiters.add(false);
            in_order();
            spot == Spot::Standby && its_dormant.load(SeqCst)
        });
        dormant.store(true, SeqCst);
        in_order();
        let sleeps = users.load(SeqCst) > pipe.wake.waiters.on_standby();
        let is_woken = leaver.join().unwrap() | other.join().unwrap();
        let is_attended = users.load(SeqCst) > pipe.wake.waiters.on_standby();
        assert!(!sleeps || is_woken || is_attended, "the watchdog sleeps, and no thread wakes it");
    });
}

/// The only thread of a program leaves a pipe, without a lock (`Pipe::leave_sole`), against the watchdog that goes to
/// sleep for as long as that thread is there.
#[test]
fn the_watchdog_hears_that_the_only_thread_leaves() {
    model(None, || {
        let users = Arc::new(AtomicU32::new(1));
        let dormant = Arc::new(AtomicBool::new(false));
        let (its_users, its_dormant) = (users.clone(), dormant.clone());
        let leaver = thread::spawn(move || {
            its_users.store(0, Relaxed);
            light_fence();
            its_dormant.load(SeqCst)
        });
        dormant.store(true, SeqCst);
        barrier();
        let sleeps = users.load(SeqCst) != 0;
        let is_woken = leaver.join().unwrap();
        assert!(!sleeps || is_woken, "the watchdog sleeps, and no thread wakes it");
    });
}
