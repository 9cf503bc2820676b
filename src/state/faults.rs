//! Reports of faults, for those who debug a program (IOEVENT_DEBUG). ioevent_debug(7) lists them.

use super::outstanding::{Fault, Inside, Verdict};
use super::world;
use crate::sys::observers;
use crate::sys::report::Line;
use core::ffi::c_int;
use core::fmt;

/// Reports a fault of a descriptor, or of a pipe, if it has not been; the caller holds no lock of `Register`.
#[cold]
pub(crate) fn report(fault: Fault, number: c_int, generation: u32, text: fmt::Arguments) {
    let Some(world) = world::world() else { return };
    let verdict = world.outstanding.lock().judge(fault, number, generation);
    if verdict == Verdict::Known {
        return;
    }
    Line::send(text);
    if verdict == Verdict::Last {
        Line::send(format_args!("there were many faults of this kind: no more of them are reported"));
    }
    if observers::aborts() {
        std::process::abort();
    }
}

/// Runs `action` with what is outstanding in this process, if there is anything to run it with.
pub(crate) fn with<T>(action: impl FnOnce(&mut Inside) -> T) -> Option<T> {
    Some(action(&mut world::world()?.outstanding.lock()))
}
