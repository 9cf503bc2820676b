//! libc's own names (read, write, close, fcntl, ...) with the behaviour of libioevent's: the contract's section 6.
//!
//! A call passes through here once, without a frame (`entry`): `read` takes one look at the descriptor, by a table of
//! libioevent.so's (`look`), and jumps to the next `read` if it is nothing of libioevent's, else to `ioevent_read`. The
//! next one is libc's, or that of another library that was preloaded after this one; libioevent.so, whose own calls
//! would come back here, is told at start where those are (`start`).
//!
//! Until the next functions are known, calls are made in whichever way is safe then (`start`, `raw`): other libraries
//! call from their constructors, from IFUNC resolvers, and from a malloc of their own.

// A panic ends the process in what is released. Where it unwinds, which takes std, this is only looked at: by clippy.
#![cfg_attr(panic = "abort", no_std)]

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("libioevent runs on Linux, on x86-64 and aarch64");

mod descriptors;
mod entry;
mod errors;
mod libioevent;
mod look;
mod names;
mod raw;
mod start;
mod vectors;

/// Nothing here panics: what might is denied by lints.
#[cfg(panic = "abort")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    raw::abort()
}
