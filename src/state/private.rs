//! Descriptors of the library's own that hold open files of the program's: copies, files that were opened anew, and
//! accepted descriptors that the program does not know yet.
//!
//! There is a word for each such number, which says which file it is. It serves three ends:
//!
//! - A program may close all numbers that it does not know (close_range(2)), and be given them again for files of its
//!   own. So before a number is used or closed, it is looked at whether it still is that file (rule 5.5).
//! - A forked child has copies of them, which would keep the files open that all others have closed. It finds
//!   the numbers here and closes what still is what it was (rule 5.5). The table is ordinary memory, of which a child
//!   has a copy.
//! - Closing any descriptor of a file makes the process lose all locks that fcntl(2) has taken on that file. One that
//!   the program has such a lock on is not closed as long as that is so (`linger`).

use crate::state::world;
use crate::sync::sparse::Sparse;
use crate::sys::fd::{self, OwnedFd};
use crate::sys::{Result, nature, process};
use core::ffi::c_int;
use core::sync::atomic::{
    AtomicI32, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};

static NUMBERS: Sparse<AtomicUsize> = Sparse::new();
/// No number above this was ever private. Relaxed: a child has the copy that its parent's thread saw.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);
/// How many linger. Relaxed: a hint.
static LINGERING: AtomicUsize = AtomicUsize::new(0);

/// In a word, besides the identity: the number is private.
const PRIVATE: usize = 1 << 32;
/// It lingers.
const LINGERS: usize = 1 << 33;

/// A bit for each accepted descriptor whose event no thread has read: words of 64. Those of higher numbers are not
/// noted.
static ACCEPTED: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];
const WORDS: usize = (1 << 20) / 64;
/// No number above this was ever among them. Relaxed: as `HIGHEST`.
static HIGHEST_ACCEPTED: AtomicI32 = AtomicI32::new(-1);

fn accepted_word(number: c_int) -> Option<(&'static AtomicU64, u64)> {
    let number = usize::try_from(number).ok()?;
    Some((ACCEPTED.get(number / 64)?, 1 << (number % 64)))
}

fn word(identity: c_int) -> usize {
    PRIVATE | identity as u32 as usize
}

fn enter(number: c_int, word: usize) -> Result<()> {
    // Release in `Sparse::make` and here: no thread looks at the word but the one that has the number, and a child.
    let before = NUMBERS.make(number)?.swap(word, Relaxed);
    if before & LINGERS != 0 {
        // The program has closed it, among numbers that it knew nothing of.
        LINGERING.fetch_sub(1, Relaxed);
    }
    HIGHEST.fetch_max(number, Relaxed);
    Ok(())
}

/// Keeps a descriptor; returns its number. To be closed with `close`.
pub(crate) fn keep(fd: OwnedFd) -> Result<c_int> {
    enter(fd.raw(), word(nature::nature(fd.raw())?.identity))?;
    Ok(fd.into_raw())
}

/// Whether a number still is the file that its word in the table says.
fn is_what_it_was(number: c_int, known: usize) -> bool {
    known & PRIVATE != 0
        && nature::nature(number).is_ok_and(|nature| word(nature.identity) == known & !LINGERS)
}

/// Whether a number that is kept still is the file that it was.
pub(crate) fn is_kept(number: c_int) -> bool {
    is_what_it_was(number, NUMBERS.get(number).map_or(0, |slot| slot.load(Acquire)))
}

/// Closes a number that is kept, if it still is the file that it was.
pub(crate) fn close(number: c_int) {
    close_after(number, |_| {});
}

/// The same; `first` is called with it before, if it still is that.
pub(crate) fn close_after(number: c_int, first: impl FnOnce(c_int)) {
    close_lingering();
    let kept = is_kept(number);
    if kept {
        first(number);
    }
    let Some(slot) = NUMBERS.get(number) else { return };
    if kept && process::has_lock(number) {
        slot.fetch_or(LINGERS, AcqRel);
        LINGERING.fetch_add(1, Relaxed);
        // The watchdog looks after it from time to time.
        if let Some(world) = world::world() {
            world.watchdog.wake();
        }
        return;
    }
    slot.store(0, Relaxed);
    if kept {
        let _ = fd::close(number);
    }
}

/// Whether something lingers.
pub(crate) fn is_lingering() -> bool {
    LINGERING.load(Relaxed) > 0
}

/// Closes what lingers and need not any more: the program has given its lock back, or lost it with a descriptor of its
/// own.
pub(crate) fn close_lingering() {
    if is_lingering() {
        look_after_lingering();
    }
}

#[cold]
fn look_after_lingering() {
    for number in 0..=HIGHEST.load(Relaxed) {
        let Some(slot) = NUMBERS.get(number) else { continue };
        let known = slot.load(Relaxed);
        if known & LINGERS == 0 {
            continue;
        }
        let kept = is_kept(number);
        if (!kept || !process::has_lock(number))
            // Only one thread closes it.
            && slot.compare_exchange(known, 0, AcqRel, Relaxed).is_ok()
        {
            LINGERING.fetch_sub(1, Relaxed);
            if kept {
                let _ = fd::close(number);
            }
        }
    }
}

/// The kernel has given out a descriptor for an accept whose event has to wait for its reader.
pub(crate) fn accepted(number: c_int) {
    if let Some((word, bit)) = accepted_word(number) {
        // Relaxed, here and below: a child begins with what the thread that forks has seen.
        word.fetch_or(bit, Relaxed);
        HIGHEST_ACCEPTED.fetch_max(number, Relaxed);
    }
}

/// The program knows the number now: it is its own.
pub(crate) fn hand_over(number: c_int) {
    if let Some((word, bit)) = accepted_word(number) {
        word.fetch_and(!bit, Relaxed);
    }
}

/// In a forked child: closes the copies. `early`: the program has not had its turn in the child yet.
pub(crate) fn close_in_child(early: bool) {
    for number in 0..=HIGHEST.load(Relaxed) {
        let Some(slot) = NUMBERS.get(number) else { continue };
        if is_what_it_was(number, slot.swap(0, Relaxed)) {
            let _ = fd::close(number);
        }
    }
    LINGERING.store(0, Relaxed);
    HIGHEST.store(-1, Relaxed);
    for number in 0..=HIGHEST_ACCEPTED.swap(-1, Relaxed) {
        let Some((word, bit)) = accepted_word(number) else { break };
        let is_socket = || nature::nature(number).is_ok_and(|nature| nature.kind == libc::S_IFSOCK);
        if word.fetch_and(!bit, Relaxed) & bit != 0 && early && is_socket() {
            let _ = fd::close(number);
        }
    }
}
