//! A pipe whose lanes only count, over a kernel that is a mutex and a condition variable.

use crate::sync::access::Shared;
use crate::sync::atomic::{AtomicU32, Ordering::SeqCst};
use crate::sync::waiters::Standby;
use crate::sync::wake::{Park, Wake, Waker, bit};
use loom::sync::{Arc, Condvar, Mutex};

pub(crate) const COMMON: u32 = 1;
pub(crate) const OWN: u32 = 0;
/// A thread that harvests and has no lane with events.
const OTHER: u32 = 2;

/// What happens in the kernel.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edges {
    wakes: u32,
    ticks: u32,
    /// Something that is an event for the thread that sees it.
    pub(crate) packets: u32,
}

/// The kernel: what has happened that no thread has waited for yet, and a futex.
#[derive(Default)]
pub(crate) struct Kernel {
    edges: Mutex<Edges>,
    there: Condvar,
    futex: Mutex<()>,
    called: Condvar,
}

impl Kernel {
    pub(crate) fn happen(&self, change: impl FnOnce(&mut Edges)) {
        change(&mut self.edges.lock().unwrap());
        self.there.notify_one();
    }

    /// epoll_wait: takes all that is there; waits for something.
    fn wait(&self) -> Edges {
        let mut edges = self.edges.lock().unwrap();
        while *edges == Edges::default() {
            edges = self.there.wait(edges).unwrap();
        }
        core::mem::take(&mut *edges)
    }
}

impl Waker for Kernel {
    fn wake(&self) {
        self.happen(|edges| edges.wakes += 1);
    }

    fn start_steal_timer(&self) {
        self.happen(|edges| edges.ticks += 1);
    }
}

impl Standby for Kernel {
    type Broken = core::convert::Infallible;

    fn wait_for_call(&self, calls: &AtomicU32, _: Option<u64>) -> Result<(), Self::Broken> {
        let mut futex = self.futex.lock().unwrap();
        while calls.load(SeqCst) == 0 {
            futex = self.called.wait(futex).unwrap();
        }
        Ok(())
    }

    fn wake_one(&self, _: &AtomicU32) {
        drop(self.futex.lock().unwrap());
        self.called.notify_all();
    }
}

#[derive(Default)]
pub(crate) struct Pipe {
    pub(crate) wake: Wake,
    pub(crate) kernel: Kernel,
    pub(crate) lanes: [Mutex<u32>; 2],
}

impl Pipe {
    pub(crate) fn new() -> Arc<Pipe> {
        Arc::new(Pipe::default())
    }

    pub(crate) fn push(&self, lane: u32) {
        let mut count = self.lanes[lane as usize].lock().unwrap();
        *count += 1;
        let was_empty = *count == 1;
        if was_empty {
            self.wake.fill::<Shared>(bit(lane));
        }
        drop(count);
        if was_empty {
            self.wake.announce(lane, false, &self.kernel);
        }
    }

    /// Takes one event out of a lane.
    pub(crate) fn take(&self, lane: u32) -> bool {
        let mut count = self.lanes[lane as usize].lock().unwrap();
        if *count == 0 {
            return false;
        }
        *count -= 1;
        if *count == 0 {
            self.wake.empty::<Shared>(bit(lane));
        }
        true
    }

    /// Waits in the kernel, being counted there. Whether there was an event: then the thread has left its harvest with
    /// it.
    pub(crate) fn wait(&self) -> bool {
        let edges = self.kernel.wait();
        self.wake.unpark::<Shared>();
        if edges.wakes > 0 {
            self.wake.heard();
        }
        if edges.ticks > 0 {
            self.wake.ticked();
            // Nothing was taken since the last tick, in the worst case.
            self.wake.deactivate(OWN);
            self.wake.tick_on(OTHER, &self.kernel);
        }
        if edges.packets > 0 {
            self.wake.leave(false, &self.kernel);
        }
        edges.packets > 0
    }

    /// A harvest for one event by a thread that owns none of the lanes. It waits for ever if a wake-up is lost, which
    /// loom reports as a deadlock.
    pub(crate) fn harvest(&self) {
        loop {
            match self.wake.park(OTHER, false, &self.kernel) {
                Park::Take => {}
                Park::Wait if self.wait() => return,
                Park::Wait => {}
                Park::Standby => {
                    let Ok(()) = self.wake.waiters.wait_on_standby(&self.kernel, None);
                    self.wake.unpark::<Shared>();
                }
            }
            let lanes = self.wake.stealable(OTHER, false);
            let got = [OWN, COMMON].into_iter().any(|lane| lanes & bit(lane) != 0 && self.take(lane));
            if got {
                self.wake.leave(false, &self.kernel);
                return;
            }
        }
    }
}
