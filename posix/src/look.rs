//! What is behind a descriptor, for the calls that libioevent.so has no name for.
//!
//! The first look is made where the call comes in (`entry`), by the three numbers of TABLE; the second by `what`.

use crate::libioevent::Answer;
use core::ffi::{c_int, c_uint};
use core::mem::transmute;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Where libioevent's descriptors are: the first word of each is 0 if it is nothing of libioevent's.
#[repr(C)]
pub(crate) struct Table {
    nodes: AtomicUsize,
    stride: AtomicUsize,
    /// How many there are; 0 as long as nothing is known, so that every look fails.
    count: AtomicUsize,
    /// What libioevent.so has in this process (`State`).
    state: AtomicUsize,
}

pub(crate) static TABLE: Table = Table {
    nodes: AtomicUsize::new(0),
    stride: AtomicUsize::new(0),
    count: AtomicUsize::new(0),
    state: AtomicUsize::new(0),
};
static WHAT: AtomicUsize = AtomicUsize::new(0);
static CLOSE_ALL: AtomicUsize = AtomicUsize::new(0);

/// What libioevent.so has in a process.
#[repr(C)]
struct State {
    /// Not 0: there was a pipe.
    pipes: usize,
    /// Not 0: libioevent.so has been called in this process. (A child that was made without fork(3) sees 0 again, and
    /// is dealt with in its first call.)
    seen: u8,
}

/// Every look finds this where libioevent.so did not answer.
static NOTHING: AtomicUsize = AtomicUsize::new(0);
static UNUSED: State = State { pipes: 0, seen: 1 };

/// More than there are descriptors.
const ALL: usize = 1 << 32;

/// What a descriptor is.
pub(crate) enum What {
    /// Nothing of libioevent's.
    Nothing,
    Attached,
    Pipe,
    /// Attached; only polls are asynchronous.
    PollOnly,
}

/// From now on looks find something, or nothing at all if there is no answer.
pub(crate) fn open(answer: Option<&Answer>) {
    let (nodes, stride, count, state) = match answer {
        Some(answer) => {
            // They are read after a number of `count`, see below.
            WHAT.store(answer.what.map_or(0, |function| function as *const () as usize), Relaxed);
            CLOSE_ALL.store(answer.close_all.map_or(0, |function| function as *const () as usize), Relaxed);
            (answer.nodes, answer.stride, answer.count, answer.state)
        }
        None => (&raw const NOTHING as usize, 0, ALL, &raw const UNUSED as usize),
    };
    TABLE.nodes.store(nodes, Relaxed);
    TABLE.stride.store(stride, Relaxed);
    TABLE.state.store(state, Relaxed);
    // Partner: the load of `count` in `entry` and in `what`. Else a look may read the other numbers as they were
    // before.
    TABLE.count.store(count, Release);
}

/// What `fd` is.
pub(crate) fn what(fd: c_int) -> What {
    // Partner: the store in `open`.
    if TABLE.count.load(Acquire) == 0 {
        return What::Nothing;
    }
    let function = WHAT.load(Relaxed);
    if function == 0 {
        return What::Nothing;
    }
    // SAFETY: it is what libioevent.so has answered.
    let function: extern "C" fn(c_int) -> c_int = unsafe { transmute(function) };
    match function(fd) {
        1 => What::Attached,
        2 => What::Pipe,
        3 => What::PollOnly,
        _ => What::Nothing,
    }
}

/// Closes what libioevent has in this range, as ioevent_close does.
pub(crate) fn close_all(first: c_uint, last: c_uint) {
    // Partner: the store in `open`.
    if TABLE.count.load(Acquire) == 0 {
        return;
    }
    let function = CLOSE_ALL.load(Relaxed);
    if function != 0 {
        // SAFETY: it is what libioevent.so has answered.
        let function: extern "C" fn(c_uint, c_uint) = unsafe { transmute(function) };
        function(first, last);
    }
}
