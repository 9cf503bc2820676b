//! Threads on standby, while one thread is enough to wait in the kernel.

use crate::model;
use crate::pipe::{COMMON, Kernel, Pipe};
use crate::sync::access::Shared;
use crate::sync::atomic::AtomicU32;
use crate::sync::waiters::{Spot, Standby};
use loom::thread;

/// The kernel for a thread that gets a signal as soon as it waits for a call and no deadline; then it waits on.
struct Interrupted<'a>(&'a Kernel);

impl Standby for Interrupted<'_> {
    type Broken = ();

    fn wait_for_call(&self, calls: &AtomicU32, deadline: Option<u64>) -> Result<(), ()> {
        if deadline.is_some() {
            return Err(());
        }
        let Ok(()) = self.0.wait_for_call(calls, None);
        Ok(())
    }

    fn wake_one(&self, calls: &AtomicU32) {
        self.0.wake_one(calls);
    }
}

/// Of two threads one waits in the kernel, and may be busy with what it has found there when the event comes. (What
/// comes to the kernel then is found by the watchdog.)
#[test]
fn an_event_calls_a_thread_on_standby_when_none_is_in_the_kernel() {
    model(Some(3), || {
        let pipe = Pipe::new();
        pipe.wake.waiters.let_one_wait(true);
        pipe.kernel.happen(|edges| edges.packets += 1);
        assert_eq!(pipe.wake.waiters.add(true), Spot::Kernel);
        let (first, pusher) = (pipe.clone(), pipe.clone());
        let first = thread::spawn(move || assert!(first.wait()));
        let pusher = thread::spawn(move || pusher.push(COMMON));
        pipe.harvest();
        pusher.join().unwrap();
        first.join().unwrap();
        assert!(!pipe.wake.waiters.any(), "a thread is counted that does not wait");
    });
}

/// A thread that is interrupted on standby just when it is called.
#[test]
fn an_interrupted_thread_leaves_no_call_behind() {
    model(None, || {
        let pipe = Pipe::new();
        let waiters = &pipe.wake.waiters;
        waiters.let_one_wait(true);
        assert_eq!(waiters.add(true), Spot::Kernel);
        assert_eq!(waiters.add(false), Spot::Standby);
        let other = pipe.clone();
        let other = thread::spawn(move || {
            if other.wake.waiters.wait_on_standby(&Interrupted(&other.kernel), Some(1)).is_ok() {
                other.wake.unpark::<Shared>();
            }
        });
        pipe.wake.unpark::<Shared>();
        pipe.push(COMMON);
        other.join().unwrap();
        assert!(!waiters.any(), "a thread is counted that does not wait");
        assert!(waiters.has_no_calls(), "a call is left for a thread that will not have been called");
    });
}
