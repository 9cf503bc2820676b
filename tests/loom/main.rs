//! Every interleaving of the protocols that everything rests on: `make check-loom`.
//!
//! The files under test are the library's own, built over loom's atomics. What the kernel does for them is modelled:
//! edges that are there until a thread waits for one (`pipe`), and a futex (`sys`).

#![cfg(loom)]
#![allow(dead_code)]

#[path = "../../src/sync/mod.rs"]
mod sync;
mod sys;

mod number;
mod pipe;

mod armed;
mod attachment;
mod bias;
mod file_position;
mod locks;
mod places;
mod reactor;
mod ring;
mod standby;
mod wake;
mod watchdog;

use loom::sync::Arc;
use loom::thread::{self, JoinHandle};

/// Checks all interleavings, or those with so many preemptions at most.
fn model(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    if preemptions.is_some() {
        model.preemption_bound = preemptions;
    }
    model.check(body);
}

/// The same for what waits in a futex.
fn model_with_futex(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    model(preemptions, move || {
        sys::futex::boot();
        body();
    });
}

fn spawn<T: 'static>(shared: &Arc<T>, run: impl FnOnce(&T) + 'static) -> JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || run(&shared))
}

fn join(threads: [JoinHandle<()>; 2]) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// membarrier(2).
fn barrier() {
    loom::sync::atomic::fence(sync::atomic::Ordering::SeqCst);
}
