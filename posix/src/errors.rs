//! The two error numbers of libioevent's in the functions that describe errors.

use crate::names::Name;
use crate::start::pass;
use core::ffi::{CStr, c_char, c_int, c_void};

const EIOEVENTFULL: c_int = 1997;
const EIOEVENTQUEUED: c_int = 1998;

/// What ioevent_strerror says.
pub(crate) fn text(number: c_int) -> Option<&'static CStr> {
    match number {
        EIOEVENTFULL => Some(c"Ioevent pipe is full"),
        EIOEVENTQUEUED => Some(c"Operation queued on ioevent pipe"),
        _ => None,
    }
}

/// Sets errno.
pub(crate) fn set(number: c_int) {
    // SAFETY: the C library gives each thread its errno.
    unsafe { *libc::__errno_location() = number };
}

/// errno.
pub(crate) fn get() -> c_int {
    // SAFETY: the C library gives each thread its errno.
    unsafe { *libc::__errno_location() }
}

/// Fails with this errno.
pub(crate) fn fail(number: c_int) -> isize {
    set(number);
    -1
}

/// glibc's strerror_r: it returns the description, and need not use the buffer.
pub(crate) unsafe extern "C" fn strerror_r(number: c_int, buf: *mut c_char, len: usize) -> *const c_char {
    match text(number) {
        Some(text) => text.as_ptr(),
        // SAFETY: passed on to the caller.
        None => unsafe {
            pass(Name::strerror_r, [number as usize, buf as usize, len, 0, 0, 0]) as *const c_char
        },
    }
}

/// strerror_r as POSIX has it: what fits is copied, always with a zero at its end; ERANGE if that is not all.
pub(crate) unsafe extern "C" fn xpg_strerror_r(number: c_int, buf: *mut c_char, len: usize) -> c_int {
    let Some(text) = text(number) else {
        // SAFETY: passed on to the caller.
        return unsafe {
            pass(Name::__xpg_strerror_r, [number as usize, buf as usize, len, 0, 0, 0]) as c_int
        };
    };
    let bytes = text.count_bytes();
    if len > 0 {
        let fits = bytes.min(len - 1);
        // SAFETY: the caller gives `len` bytes.
        unsafe {
            buf.copy_from_nonoverlapping(text.as_ptr(), fits);
            *buf.add(fits) = 0;
        }
    }
    if len <= bytes { libc::ERANGE } else { 0 }
}

/// Ours are the same in each language.
pub(crate) unsafe extern "C" fn strerror_l(number: c_int, locale: *mut c_void) -> *const c_char {
    match text(number) {
        Some(text) => text.as_ptr(),
        // SAFETY: passed on to the caller.
        None => unsafe {
            pass(Name::strerror_l, [number as usize, locale as usize, 0, 0, 0, 0]) as *const c_char
        },
    }
}

pub(crate) unsafe extern "C" fn strerrorname_np(number: c_int) -> *const c_char {
    match number {
        EIOEVENTFULL => c"EIOEVENTFULL".as_ptr(),
        EIOEVENTQUEUED => c"EIOEVENTQUEUED".as_ptr(),
        // SAFETY: passed on to the caller.
        _ => unsafe { pass(Name::strerrorname_np, [number as usize, 0, 0, 0, 0, 0]) as *const c_char },
    }
}

pub(crate) unsafe extern "C" fn strerrordesc_np(number: c_int) -> *const c_char {
    match text(number) {
        Some(text) => text.as_ptr(),
        // SAFETY: passed on to the caller.
        None => unsafe { pass(Name::strerrordesc_np, [number as usize, 0, 0, 0, 0, 0]) as *const c_char },
    }
}

#[link(name = "c")]
unsafe extern "C" {
    static stderr: *mut libc::FILE;
    fn fwide(stream: *mut libc::FILE, mode: c_int) -> c_int;
    fn fwprintf(stream: *mut libc::FILE, format: *const libc::wchar_t, ...) -> c_int;
}

/// `%s%s%s\n`, for a stream of wide characters.
static WIDE: [libc::wchar_t; 8] = {
    const fn wide(character: u8) -> libc::wchar_t {
        character as libc::wchar_t
    }
    [wide(b'%'), wide(b's'), wide(b'%'), wide(b's'), wide(b'%'), wide(b's'), wide(b'\n'), 0]
};

/// Like libc's, which leaves errno and takes an empty prefix for none.
pub(crate) unsafe extern "C" fn perror(prefix: *const c_char) {
    let number = get();
    let Some(text) = text(number) else {
        // SAFETY: passed on to the caller.
        unsafe { pass(Name::perror, [prefix as usize, 0, 0, 0, 0, 0]) };
        return;
    };
    // SAFETY: the prefix is the caller's, NULL or a string; stderr is libc's.
    unsafe {
        let (prefix, colon) =
            if prefix.is_null() || *prefix == 0 { (c"".as_ptr(), c"") } else { (prefix, c": ") };
        if fwide(stderr, 0) > 0 {
            fwprintf(stderr, WIDE.as_ptr(), prefix, colon.as_ptr(), text.as_ptr());
        } else {
            libc::fprintf(stderr, c"%s%s%s\n".as_ptr(), prefix, colon.as_ptr(), text.as_ptr());
        }
    }
    set(number);
}
