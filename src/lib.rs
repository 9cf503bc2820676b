#![doc = include_str!("../doc/crate.md")]

// This crate is the C library, too: see `include/ioevent.h` and the manual, `ioevent(7)`. The folders are floors, and a
// file uses only its own floor and those under it (`ci/floors.sh`). From the bottom up: `sys` makes the system calls;
// `sync` is what threads agree by; `queue` holds events until they are harvested; `state` is what there is: pipes,
// attachments and the table of them; `engine` does the I/O; `calls` is what a program can ask for; `ffi` has the C
// entry points, and beside it the files right here are the Rust API.

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("libioevent is for Linux on x86-64 and aarch64");

// Under loom only tests/loom/ is of interest, which includes the files that it tests.
#[cfg(not(loom))]
mod calls;
#[cfg(not(loom))]
mod engine;
#[cfg(not(loom))]
mod event;
// What is `pub` in there is so for C: cbindgen puts it into the header.
#[cfg(not(loom))]
#[expect(unreachable_pub)]
mod ffi;
#[cfg(not(loom))]
mod queue;
#[cfg(not(loom))]
mod state;
#[cfg(not(loom))]
mod sync;
#[cfg(not(loom))]
mod sys;

#[cfg(not(loom))]
mod attached;
#[cfg(not(loom))]
pub mod buffers;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod event_pipe;
#[cfg(not(loom))]
mod events;
#[cfg(all(feature = "futures", not(loom)))]
pub mod future;
#[cfg(not(loom))]
pub mod guide;
#[cfg(not(loom))]
pub mod net;
#[cfg(not(loom))]
mod op;
#[cfg(not(loom))]
pub mod process;
#[cfg(not(loom))]
mod readiness;
#[cfg(not(loom))]
mod request;
#[cfg(not(loom))]
pub mod signal;
#[cfg(not(loom))]
mod stats;

#[cfg(not(loom))]
pub use {
    attached::{Attached, Cancel},
    error::{NotAttached, Refused, is_cancelled, is_full},
    event_pipe::EventPipe,
    events::{Event, Events, Outcome},
    ffi::constants::EIOEVENTFULL,
    op::{Op, OpId},
    readiness::Readiness,
    request::{Io, Request, timer},
    stats::Stats,
};
