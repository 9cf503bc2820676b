//! Which version this is. The header has the same from Cargo.toml, too (tests/header/).

use core::ffi::{c_char, c_uint};

/// A part of the version, from its digits.
const fn part(digits: &str) -> c_uint {
    match c_uint::from_str_radix(digits, 10) {
        Ok(part) if part < 256 => part,
        _ => c_uint::MAX,
    }
}

const MAJOR: c_uint = part(env!("CARGO_PKG_VERSION_MAJOR"));
const MINOR: c_uint = part(env!("CARGO_PKG_VERSION_MINOR"));
const PATCH: c_uint = part(env!("CARGO_PKG_VERSION_PATCH"));
const _: () = assert!(MAJOR < 256 && MINOR < 256 && PATCH < 256, "each has a byte of IOEVENT_VERSION");

/// The version of the library that the program runs with, as IOEVENT_VERSION is that of the header it was compiled
/// with: major * 0x10000 + minor * 0x100 + patch. Cannot fail. Any thread, async-signal-safe. ioevent_version(3).
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_version() -> c_uint {
    MAJOR << 16 | MINOR << 8 | PATCH
}

/// The same as a text, as IOEVENT_VERSION_STRING: "0.2.0". It is not to be changed, and stays. Cannot fail. Any thread,
/// async-signal-safe. ioevent_version(3).
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
