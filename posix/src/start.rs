//! How the next functions are found, and handed over to libioevent.so.
//!
//! That is done once, by this library's constructor or by the first call, whichever comes first: other libraries call
//! from their constructors, from IFUNC resolvers while relocations are being made, or from the malloc that is their
//! own. A thread that calls meanwhile does not wait: there is no lock.

use crate::errors;
use crate::libioevent::{self, Answer, GIVEN, HAND_OVER, Next};
use crate::look;
use crate::names::{COUNT, NAMES, Name, TEXTS, Target, may_be_missing, plain, substitute, target};
use crate::raw;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::{MaybeUninit, transmute};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};

/// Where each exported function jumps to: 0 as long as that is not known, and for good if libc has no such function.
pub(crate) static TARGETS: [AtomicUsize; COUNT] = [const { AtomicUsize::new(0) }; COUNT];
/// The function of this name that a program would have called without this library; 0 if it is not known, or if there
/// is none and `raw` stands in.
pub(crate) static NEXT: [AtomicUsize; COUNT] = [const { AtomicUsize::new(0) }; COUNT];

/// How far this has come.
static PHASE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
/// The next functions are being found or handed over, by this thread or by another.
const BUSY: u8 = 1;
/// They are known, and not handed over yet.
const FOUND: u8 = 2;
/// TARGETS has them all.
const DONE: u8 = 3;

/// What `read` means in this process, if it means this library's.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// The `read` that comes first in the process.
static FIRST_READ: AtomicUsize = AtomicUsize::new(0);

/// A pointer that is right only after this library's own relocations.
struct Own(*const Own);
// SAFETY: it is never changed.
unsafe impl Sync for Own {}
static OWN: Own = Own(&raw const OWN);

/// Whether this library's relocations are done. Before that it can call no other.
pub(crate) fn is_relocated() -> bool {
    // SAFETY: a static; the loader writes it, so it must be read each time.
    unsafe { (&raw const OWN.0).read_volatile() == &raw const OWN }
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = start;

extern "C" fn start() {
    let errno = errors::get();
    find();
    find_rest();
    hand_over();
    errors::set(errno);
}

/// Where the call of an exported function goes that knows no target: to this address; 0: to `raw::call`.
pub(crate) extern "C" fn choose(index: usize) -> usize {
    if !is_relocated() {
        return 0;
    }
    prepare();
    // Partner: the stores in `hand_over`.
    let table = if PHASE.load(Acquire) == DONE { &TARGETS } else { &NEXT };
    table.get(index).map_or(0, |function| function.load(Acquire))
}

/// Calls the next function of this name, or what stands in for it.
///
/// # Safety
///
/// The arguments are what the function takes.
#[inline]
pub(crate) unsafe fn pass(name: Name, arguments: [usize; 6]) -> isize {
    let mut next = next(name);
    // Partner: the stores in `hand_over`.
    if next == 0 && PHASE.load(Acquire) != DONE && is_relocated() {
        prepare();
        next = self::next(name);
    }
    if next == 0 {
        // SAFETY: passed on to the caller.
        return unsafe { stand_in(name, arguments) };
    }
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: it has at most six arguments, none of which is a floating-point number; more do no harm. The rest is
    // passed on to the caller.
    unsafe {
        let next: extern "C" fn(usize, usize, usize, usize, usize, usize) -> isize = transmute(next);
        next(a, b, c, d, e, f)
    }
}

/// What stands in for the next function of this name.
///
/// # Safety
///
/// As for `pass`.
pub(crate) unsafe fn stand_in(name: Name, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: passed on to the caller.
    unsafe { stand_in_apart(name, a, b, c, d, e, f) }
}

/// Without the address of anything of the caller's, so that the caller's last call leaves no frame of it.
///
/// # Safety
///
/// As for `pass`.
#[cold]
#[inline(never)]
unsafe extern "C" fn stand_in_apart(
    name: Name,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> isize {
    // SAFETY: passed on to the caller.
    unsafe { raw::call(name as usize, &[a, b, c, d, e, f]) }
}

fn next(name: Name) -> usize {
    // Partner: the store in `look_for`. A thread that has the address may call the function.
    NEXT.get(name as usize).map_or(0, |function| function.load(Acquire))
}

/// Does what can be done at this moment, and has not been done.
#[cold]
fn prepare() {
    // Partner: the stores in `find` and `hand_over`.
    if let BUSY | DONE = PHASE.load(Acquire) {
        return;
    }
    let errno = errors::get();
    find();
    if are_all_relocated() {
        hand_over();
    }
    errors::set(errno);
}

/// Takes it upon this thread to come from one phase to the next.
fn begin(phase: u8) -> bool {
    PHASE.compare_exchange(phase, BUSY, AcqRel, Acquire).is_ok()
}

/// Finds the next functions that every libc has.
fn find() {
    if begin(UNKNOWN) {
        look_for(|name| !may_be_missing(name));
        for (name, place) in NAMES.iter().zip(&NEXT) {
            if let Some(plain) = plain(*name) {
                // Partner: the load in `next`.
                place.store(next(plain), Release);
            }
        }
        // SAFETY: this is a name.
        let first = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"read".as_ptr()) };
        FIRST_READ.store(first as usize, Relaxed);
        // Partner: `begin` and all loads of it.
        PHASE.store(FOUND, Release);
    }
}

/// The others. To look for what is not there allocates, and leaves a message for dlerror: two calls of it take that
/// away.
fn find_rest() {
    if !look_for(may_be_missing) {
        return;
    }
    // SAFETY: no one else has the text.
    unsafe {
        libc::dlerror();
        libc::dlerror();
    }
}

/// Looks for all next functions of this kind; true: one of them is not there.
fn look_for(wanted: impl Fn(Name) -> bool) -> bool {
    let mut missing = false;
    let mut rest = TEXTS.as_bytes();
    for (name, place) in NAMES.iter().zip(&NEXT) {
        let Ok(text) = CStr::from_bytes_until_nul(rest) else { break };
        rest = rest.get(text.count_bytes() + 1..).unwrap_or(&[]);
        if wanted(*name) {
            let function = find_next(text.as_ptr(), *name);
            if function == 0 {
                missing = true;
            } else {
                // Partner: the load in `next`.
                place.store(function, Release);
            }
        }
    }
    missing
}

/// The next function of this name. If no library after this one has it, then this one comes after libc: a program's
/// calls go to libc, and those that come here follow.
fn find_next(text: *const c_char, name: Name) -> usize {
    // SAFETY: this is a name.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, text) };
    if !next.is_null() {
        return next as usize;
    }
    if may_be_missing(name) {
        return 0;
    }
    // SAFETY: this is a name.
    let first = unsafe { libc::dlsym(libc::RTLD_DEFAULT, text) };
    if library_of(first) == library_of((&raw const OWN).cast()) { 0 } else { first as usize }
}

/// Where the library of this address was loaded to; 0 if it is in none.
fn library_of(address: *const c_void) -> usize {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: a struct to write to; zeros are a value of it.
    unsafe {
        libc::dladdr(address, info.as_mut_ptr());
        info.assume_init().dli_fbase as usize
    }
}

/// Whether the relocations of all libraries that the process has started with are done, those of libioevent.so too:
/// only then can it be called. The loader tells debuggers. Before it says so, calls go to the next functions.
fn are_all_relocated() -> bool {
    #[repr(C)]
    struct Debug {
        version: c_int,
        map: *const c_void,
        brk: usize,
        state: c_int,
        base: usize,
    }
    const CONSISTENT: c_int = 0;
    // SAFETY: this is a name.
    let debug = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_r_debug".as_ptr()) } as *const Debug;
    // SAFETY: the loader has it for as long as the process lives; it changes it, so it must be read each time.
    !debug.is_null() && unsafe { (&raw const (*debug).state).read_volatile() } == CONSISTENT
}

/// Gives libioevent.so the next functions and takes its answer; from then on all calls find their way by TARGETS.
fn hand_over() {
    if begin(FOUND) {
        let mut answer = Answer {
            size: size_of::<Answer>(),
            nodes: 0,
            count: 0,
            stride: 0,
            state: 0,
            what: None,
            close_all: None,
        };
        let accepted = offer(&mut answer);
        lead(accepted);
        // Only now do looks succeed, and lead to the next functions or to the targets without a check.
        look::open(accepted.then_some(&answer));
        let is_first = FIRST_READ.load(Relaxed) != next(Name::read);
        ACTIVE.store(accepted && is_first, Relaxed);
        // Partner: `begin` and all loads of it.
        PHASE.store(DONE, Release);
    }
}

/// Whether libioevent.so takes the next functions. One that does not know the command says EBADF, or EINVAL.
#[inline(never)] // Its structs are off the stack before the call goes on.
fn offer(answer: &mut Answer) -> bool {
    let mut given = Next { size: size_of::<Next>(), functions: [0; GIVEN] };
    for (function, next) in given.functions.iter_mut().zip(&NEXT) {
        *function = next.load(Relaxed);
    }
    if given.functions.contains(&0) {
        return false;
    }
    // SAFETY: these are the two structs of this command.
    let result = unsafe {
        libioevent::ioevent_fcntl(-1, HAND_OVER, (&raw const given).cast(), (&raw mut *answer).cast())
    };
    result == 0
}

/// Sets all TARGETS.
fn lead(accepted: bool) {
    for (name, (place, next)) in NAMES.iter().zip(TARGETS.iter().zip(&NEXT)) {
        if next.load(Relaxed) == 0 {
            // Partner: the load in `next`.
            next.store(substitute(*name), Release);
        }
        let target = match target(*name) {
            Target::To(function) if accepted => function,
            _ => next.load(Relaxed),
        };
        // Partner: the load of it in `entry` and in `choose`. The function that it leads to finds all that was stored
        // before.
        place.store(target, Release);
    }
}

/// `int ioevent_posix_active(void)`: 1 if the plain names are this library's in this process.
#[unsafe(no_mangle)]
extern "C" fn ioevent_posix_active() -> c_int {
    c_int::from(ACTIVE.load(Relaxed))
}
