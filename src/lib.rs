//! libioevent: the completion port that Linux never had.
//!
//! An *ioevent pipe* hands out exactly the events that have happened. A descriptor that is attached to one has its
//! ordinary I/O done asynchronously: the calls return at once with EIOEVENTQUEUED, and what they would have returned
//! comes out of the pipe later. The design was put to the linux-kernel list in 1997 by Dean Gaudet.
//!
//! This crate is the C library: see `include/ioevent.h` and the manual, `ioevent(7)`. The folders are floors, and a
//! file uses only its own floor and those under it (`ci/floors.sh`). From the bottom up: `sys` makes the system calls;
//! `sync` is what threads agree by; `queue` holds events until they are harvested; `state` is what there is: pipes,
//! attachments and the table of them; `engine` does the I/O; `calls` is what a program can ask for; `ffi` has the C
//! entry points.

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
#[allow(unreachable_pub)]
#[cfg(not(loom))]
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
pub use ffi::constants::EIOEVENTFULL;
#[cfg(not(loom))]
pub(crate) use ffi::constants::EIOEVENTQUEUED;
