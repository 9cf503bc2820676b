//! How a thread reaches what is shared: alone, by the bias, or by the locks. See `bias`.
//!
//! `tests/loom/` runs this file under loom.

use super::bias::Bias;
use super::lock::{Mutex, MutexGuard};
use crate::sys::memory::Pages;
use crate::sys::process;
use crate::sys::thread_pointer::thread_pointer;
use core::marker::PhantomData;

/// How the calling thread reaches shared words for the moment. What is generic over it is compiled twice: with plain
/// loads and stores for `Sole`, with atomic read-modify-writes for `Shared`.
pub(crate) trait Access {
    /// Whether the thread goes alone.
    const SOLE: bool;
}

/// The calling thread holds the bias as long as this value lives: a short time, in which it waits for nothing.
pub(crate) struct Sole(PhantomData<*const ()>);

/// The calling thread holds the locks of what it touches.
pub(crate) struct Shared(PhantomData<*const ()>);

impl Access for Sole {
    const SOLE: bool = true;
}

impl Access for Shared {
    const SOLE: bool = false;
}

impl Sole {
    /// `None`: the calling thread may not go alone now.
    #[inline(always)]
    pub(crate) fn enter() -> Option<Sole> {
        if STATE.value.bias.enter(thread_pointer()) { Some(Sole(PhantomData)) } else { None }
    }
}

impl Drop for Sole {
    #[inline(always)]
    fn drop(&mut self) {
        STATE.value.bias.leave();
    }
}

struct State {
    bias: Bias,
    /// Held by a thread that revokes the bias, and while a thread is let in.
    revocation: Mutex<()>,
}

/// In pages of its own, which a forked child sees zeroed.
#[cfg(not(loom))]
static STATE: Pages<State> = Pages::new(State { bias: Bias::new(), revocation: Mutex::new(()) });
#[cfg(loom)]
loom::lazy_static! {
    static ref STATE: Pages<State> = Pages::new(State { bias: Bias::new(), revocation: Mutex::new(()) });
}

/// Has the kernel zero it in forked children; false if it cannot.
pub(crate) fn prepare_for_fork() -> bool {
    STATE.wipe_on_fork()
}

/// Back to the beginning, in a forked child where the pages could not be wiped.
pub(crate) fn forget() {
    STATE.value.bias.forget();
    STATE.value.revocation.forget();
}

/// Whether the fast path is open to all threads, with locks.
#[inline(always)]
pub(crate) fn is_shared() -> bool {
    STATE.value.bias.is_shared()
}

/// Whether the calling thread is the one that holds the bias, as far as it is not revoked.
pub(crate) fn is_home() -> bool {
    STATE.value.bias.is_home(thread_pointer())
}

/// The calling thread comes by the slow path: from here on what it has locked is its own. Not to be called while it
/// holds the bias, nor with locks held, but for those that only threads of the application take.
#[inline(always)]
pub(crate) fn admit() {
    let me = thread_pointer();
    if !STATE.value.bias.is_admitted(me) {
        admit_slow(me);
    }
}

/// Whether it has been admitted.
#[cfg(not(loom))]
pub(crate) fn is_admitted() -> bool {
    STATE.value.bias.is_admitted(thread_pointer())
}

#[cold]
#[inline(never)]
fn admit_slow(me: usize) {
    let bias = &STATE.value.bias;
    let _revocation = STATE.value.revocation.lock();
    if bias.is_admitted(me) {
        return;
    }
    if bias.is_empty() && !crate::sys::observers::are_there() && process::prepare_barrier().is_ok() {
        bias.claim(me);
    } else {
        bias.share(process::barrier, pause());
    }
}

/// How often a thread looks again whether the one that holds the bias has left, before it lets others run.
#[cfg(not(loom))]
const PATIENCE: u32 = 1000;
#[cfg(loom)]
const PATIENCE: u32 = 0;

/// Lets the thread that holds the bias come to the end of its way.
fn pause() -> impl FnMut() {
    let mut patience = PATIENCE;
    move || {
        if patience > 0 {
            patience -= 1;
            core::hint::spin_loop();
        } else {
            process::pause();
        }
    }
}

/// A thread of the library's own is at work: no thread goes alone meanwhile. It takes all the locks that the work needs
/// after this.
pub(crate) struct Revoked {
    /// `None` if all lock anyway.
    revocation: Option<MutexGuard<'static, ()>>,
}

impl Revoked {
    pub(crate) fn begin() -> Revoked {
        let bias = &STATE.value.bias;
        let revocation = (!bias.is_shared()).then(|| STATE.value.revocation.lock());
        if revocation.is_some() {
            bias.revoke(thread_pointer(), process::barrier, pause());
        }
        Revoked { revocation }
    }
}

impl Drop for Revoked {
    fn drop(&mut self) {
        if self.revocation.is_some() {
            STATE.value.bias.give_back();
        }
    }
}

/// Between a store of the calling thread's and a load of what a thread that goes alone may be about to write: that one
/// sees the store, if it comes after this, or the caller sees what it wrote. (`atomic::light_fence` is its part.)
pub(crate) fn barrier() {
    if !is_shared() {
        process::barrier();
    }
}
