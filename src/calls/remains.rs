//! What is outstanding when a pipe is closed, or the program ends, for those who debug it (IOEVENT_DEBUG).

use crate::state::faults;
use crate::state::outstanding::{Inside, Outstanding};
use crate::state::pipe::Pipe;
use crate::state::world::{self, World};
use crate::sync::lock::MutexGuard;
use crate::sys::report::Line;
use crate::sys::{observers, process};
use core::fmt;

/// How many operations are named.
const MOST: usize = 16;
/// How often the end of a program looks whether another thread still has the lock, a millisecond apart.
const PATIENCE: u32 = 100;

/// A pipe is being closed, which no thread uses any more: names what is outstanding (of Rust's pipes it goes back to
/// the program), and forgets it.
#[cold]
pub(super) fn closes(pipe: &Pipe) {
    name_rest(pipe, format_args!("pipe {} is closed", pipe.number()));
}

fn name_rest(pipe: &Pipe, what: fmt::Arguments) {
    if !pipe.is_typed() {
        for _ in 0..MOST {
            let oldest = faults::with(|register| register.end_oldest_of(pipe.index())).flatten();
            let Some(operation) = oldest else { break };
            name(&operation, what);
        }
    }
    let more = faults::with(|register| register.end_rest_of(pipe.index(), pipe.number())).unwrap_or(0);
    if !pipe.is_typed() {
        count(more, what);
    }
}

fn name(operation: &Outstanding, what: fmt::Arguments) {
    let state =
        if operation.waits { "is outstanding" } else { "is complete, and its event was not harvested" };
    Line::send(format_args!("{what} while {operation} {state}"));
}

fn count(more: usize, what: fmt::Arguments) {
    if more > 0 {
        Line::send(format_args!("{what} while {more} more operations are outstanding"));
    }
}

/// The program ends: names what is outstanding. A thread that ends it may have the lock, in a signal handler.
extern "C" fn ends() {
    if !observers::is_debug() || world::is_borrowed() {
        return;
    }
    let Some(world) = world::world() else { return };
    let what = format_args!("the program ends");
    let mut newest = 0;
    for named in 0..=MOST {
        let Some(register) = wait_for(world) else { return };
        let next = register.oldest(|op| !op.is_typed && op.serial() > newest);
        drop(register);
        match next {
            Some((_, more)) if named == MOST => count(more, what),
            Some((operation, _)) => {
                newest = operation.serial();
                name(&operation, what);
            }
            None => return,
        }
    }
}

fn wait_for(world: &World) -> Option<MutexGuard<'_, Inside>> {
    for _ in 0..PATIENCE {
        if let Some(register) = world.outstanding.try_lock() {
            return Some(register);
        }
        process::pause();
    }
    None
}

/// Called after what the program has given to atexit(3), and after its destructors: by its priority also where the
/// library is linked statically.
#[used]
#[unsafe(link_section = ".fini_array.00101")]
static AT_END: extern "C" fn() = ends;
