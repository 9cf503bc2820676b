//! What is outstanding when a pipe is closed, or the program ends, for those who debug it (IOEVENT_DEBUG).

use crate::state::outstanding::Outstanding;
use crate::state::pipe::Pipe;
use crate::state::{faults, world};
use crate::sys::report::Line;
use crate::sys::{observers, process};
use core::fmt;

/// How many operations are named.
const MOST: usize = 16;
/// How often the end of a program looks whether another thread still has the lock, a millisecond apart.
const PATIENCE: u32 = 100;

/// A pipe is being closed, which no thread uses any more: names what is outstanding (of Rust's pipes it goes back to the
/// program), and forgets it.
#[cold]
pub(super) fn closes(pipe: &Pipe) {
    let number = pipe.number();
    let ended = faults::with(|register| register.end_all_of(pipe.index(), number)).unwrap_or_default();
    if !pipe.is_typed() {
        name(&ended, format_args!("pipe {number} is closed"));
    }
}

fn name(operations: &[Outstanding], what: fmt::Arguments) {
    for operation in operations.iter().take(MOST) {
        let state =
            if operation.waits { "is outstanding" } else { "is complete, and its event was not harvested" };
        Line::send(format_args!("{what} while {operation} {state}"));
    }
    if let Some(more) = operations.len().checked_sub(MOST).filter(|more| *more > 0) {
        Line::send(format_args!("{what} while {more} more operations are outstanding"));
    }
}

/// The program ends: names what is outstanding. A thread that ends it may have the lock, in a signal handler.
extern "C" fn ends() {
    if !observers::is_debug() || world::is_borrowed() {
        return;
    }
    let Some(world) = world::world() else { return };
    for _ in 0..PATIENCE {
        let Some(register) = world.outstanding.try_lock() else {
            process::pause();
            continue;
        };
        let mut operations: Vec<Outstanding> = register.all().filter(|op| !op.is_typed).copied().collect();
        drop(register);
        operations.sort_by_key(Outstanding::age);
        return name(&operations, format_args!("the program ends"));
    }
}

/// Called after what the program has given to atexit(3), and after its destructors.
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_END: extern "C" fn() = ends;
