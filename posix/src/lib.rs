//! libc's own names (read, write, close, fcntl, ...) with the behaviour of libioevent's: the contract's section 6.
//!
//! A call passes through here once, without a frame: `read` jumps to `ioevent_read`, which looks the descriptor up and
//! jumps to the next `read` if it is not attached. The next one is libc's, or that of another library that was
//! preloaded after this one; libioevent.so is told at start where those are (`start`). Calls that libioevent.so has no
//! name for (`recvmmsg`, ...) look the descriptor up themselves (`look`).
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
