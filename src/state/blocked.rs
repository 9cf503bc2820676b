//! Calls of the library's names that are libc's, since their descriptor is not attached, and that may wait: for the
//! watchdog to see which do so for long (IOEVENT_DEBUG). Such calls may be made in a signal handler (rule 5.1), and end
//! in any way: by a jump out of that, or with their thread. So there are no locks here, and what is left behind is
//! found out by asking the kernel.

use super::named_call::Call;
use crate::queue::op::Kind;
use crate::sys::process::{self, InCall};
use core::ffi::c_int;
use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// How many calls are watched at once.
const PLACES: usize = 64;

/// A call. The rest is read only while `since` is not 0, and is right if that is the same before and after.
struct Place {
    /// The thread that has the place; 0: it is free.
    thread: AtomicI32,
    fd: AtomicI32,
    kind: AtomicU8,
    is_addressed: AtomicBool,
    /// When it began; 0: it has not, or is over.
    since: AtomicU64,
}

static CALLS: [Place; PLACES] = [const {
    Place {
        thread: AtomicI32::new(0),
        fd: AtomicI32::new(0),
        kind: AtomicU8::new(0),
        is_addressed: AtomicBool::new(false),
        since: AtomicU64::new(0),
    }
}; PLACES];

/// The calls that may wait.
const KINDS: [Kind; 20] = [
    Kind::Read,
    Kind::Readv,
    Kind::Recv,
    Kind::Recvmsg,
    Kind::Accept,
    Kind::Write,
    Kind::Writev,
    Kind::Send,
    Kind::Sendmsg,
    Kind::Connect,
    Kind::Pread,
    Kind::Preadv,
    Kind::Pwrite,
    Kind::Pwritev,
    Kind::Sendfile,
    Kind::Splice,
    Kind::Fsync,
    Kind::Fdatasync,
    Kind::Shutdown,
    Kind::Waitid,
];

/// Makes a call of libc's that may wait, watched if there is a place. It may be a cancellation point: nothing here is
/// to be undone then.
pub(crate) fn watch<T>(call: Call, libc: impl FnOnce() -> T) -> T {
    let Some(place) = enter(call) else { return libc() };
    let answer = libc();
    leave(place);
    answer
}

fn enter(call: Call) -> Option<&'static Place> {
    let kind = KINDS.iter().position(|kind| *kind == call.kind)?;
    let me = process::thread_id();
    let is_taken = |place: &&Place| place.thread.compare_exchange(0, me, Acquire, Relaxed).is_ok();
    let place = CALLS.iter().find(is_taken)?;
    place.fd.store(call.fd, Relaxed);
    place.kind.store(kind as u8, Relaxed);
    place.is_addressed.store(call.is_addressed, Relaxed);
    // Release pairs with the Acquire in `each_since`: the rest is there.
    place.since.store(process::now(), Release);
    Some(place)
}

fn leave(place: &Place) {
    place.since.store(0, Relaxed);
    // Release pairs with the Acquire in `enter`.
    place.thread.store(0, Release);
}

/// Shows the calls that have been waiting since `then`, and the thread of each.
pub(crate) fn each_since(then: u64, mut show: impl FnMut(Call, c_int)) {
    for place in &CALLS {
        let since = place.since.load(Acquire);
        if since == 0 || since > then {
            continue;
        }
        let (thread, fd) = (place.thread.load(Relaxed), place.fd.load(Relaxed));
        let kind = KINDS.get(usize::from(place.kind.load(Relaxed))).copied().unwrap_or(Kind::Read);
        let is_addressed = place.is_addressed.load(Relaxed);
        if place.since.load(Acquire) != since {
            continue;
        }
        match process::is_in_call_on(thread, fd) {
            InCall::Yes | InCall::Unknown => show(Call { kind, is_addressed, fd }, thread),
            InCall::No => {}
            // It ended in the call, or is the thread of a process that this one was forked from.
            InCall::NoThread => leave(place),
        }
    }
}
