//! The descriptor table: what is behind a descriptor number, found without a lock.
//!
//! Each number has a node of one cache line (`Attachment`), in memory that comes zeroed from the kernel and costs
//! nothing until it is touched, by whole pages. The nodes of the numbers that nearly all programs get along with are
//! static, so that one is found without anything else; those of higher numbers, up to the highest that the kernel can
//! give out, are in a second level. Both lie in pages that a forked child sees zeroed (MADV_WIPEONFORK), so the child
//! has no pipes and no attachments from its first instruction on (rule 5.2).
//!
//! A node says what a number was when it was looked at. A thread that found an attachment locks it, or goes alone, and
//! checks that it still is one.

use super::attachment::{Attachment, Entry};
use crate::sync::sparse::{Sparse, Zeroed};
use crate::sys::Result;
use crate::sys::memory::Pages;
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicI32, Ordering};

/// Numbers below this have static nodes.
const NEAR: usize = 1 << 17;

// SAFETY: see `Attachment`.
unsafe impl Zeroed for Attachment {
    // Those too that a link refers to.
    const WIPED_ON_FORK: bool = true;
}

/// What a forked child sees zeroed.
static NEAR_NODES: Pages<[Attachment; NEAR]> = Pages::new([const { Attachment::new() }; NEAR]);
/// Of which a child sees the nodes zeroed.
static FAR_NODES: Sparse<Attachment> = Sparse::new();

/// No number above this was ever attached, in this process or one that it was forked from. Relaxed: written under the
/// lock of the attachment, before it is one.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);

/// Has the kernel zero the nodes in forked children (the far ones when they are made); false if it cannot.
pub(crate) fn wipe_on_fork() -> bool {
    NEAR_NODES.wipe_on_fork()
}

/// Forgets everything, in a forked child where the pages could not be wiped.
pub(crate) fn forget() {
    // Nothing is written to pages that were never used.
    for node in NEAR_NODES.value.iter().chain(FAR_NODES.made()).filter(|node| node.is_in_use()) {
        node.forget();
    }
}

/// The node of a number, for the fast path: `None` is not certain.
#[inline(always)]
pub(crate) fn near(number: c_int) -> Option<&'static Attachment> {
    NEAR_NODES.value.get(number as u32 as usize)
}

/// The words of the numbers that have static nodes, as `Attachment::read` reads them, and how many there are.
pub(crate) fn near_words() -> (*const c_void, usize) {
    (NEAR_NODES.value.as_ptr().cast::<c_void>().wrapping_byte_add(Attachment::WORD), NEAR)
}

/// The node of a number: `None` if it is not static, and nothing near it was ever used.
#[inline(always)]
fn node(number: c_int) -> Option<&'static Attachment> {
    match near(number) {
        Some(node) => Some(node),
        None => FAR_NODES.get(number),
    }
}

/// The node of a number that is open, made if need be.
pub(crate) fn make(number: c_int) -> Result<&'static Attachment> {
    match near(number) {
        Some(node) => Ok(node),
        None => FAR_NODES.make(number),
    }
}

/// The node of the number in a word that `Attachment::to_word` has made, and the generation there. The node may have
/// become another descriptor's since; then its generation is another. Of a word that is not of that kind no generation
/// fits.
#[inline(always)]
pub(crate) fn by_word(word: u64) -> Option<(&'static Attachment, u32)> {
    Some((node(word as u32 as c_int)?, (word >> 32) as u32))
}

/// What is behind a number now, as far as C sees.
pub(crate) fn get(number: c_int) -> Entry {
    node(number).map_or(Entry::Nothing, Attachment::entry)
}

/// The attachment of a number, if it has one now.
pub(crate) fn attached(number: c_int) -> Option<&'static Attachment> {
    node(number).filter(|node| node.is_attached())
}

/// A number is about to be attached.
pub(crate) fn note_attached(number: c_int) {
    HIGHEST.fetch_max(number, Ordering::Relaxed);
}

/// All attachments there are, and perhaps some that are no more.
pub(crate) fn attachments() -> impl Iterator<Item = &'static Attachment> {
    numbers().filter_map(attached)
}

/// The numbers of those that C sees.
pub(crate) fn attached_numbers() -> impl Iterator<Item = c_int> {
    numbers().filter(|number| matches!(get(*number), Entry::Attachment(_)))
}

/// All that may be attached.
fn numbers() -> impl Iterator<Item = c_int> {
    0..=HIGHEST.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::word::Word;

    #[test]
    fn numbers_that_nobody_used_are_nothing() {
        for number in [-1, c_int::MIN, 0, 1_000_000, c_int::MAX] {
            assert!(matches!(get(number), Entry::Nothing));
        }
    }

    #[test]
    fn the_highest_numbers_of_each_kind_have_a_node() {
        let word = |number: c_int| u64::from(number as u32) | 7 << 32;
        for number in [NEAR as c_int - 1, NEAR as c_int, c_int::MAX] {
            let made = make(number).unwrap();
            let (found, generation) = by_word(word(number)).unwrap();
            assert!(core::ptr::eq(made, found) && generation == 7);
            assert!(matches!(get(number), Entry::Nothing));
        }
    }

    #[test]
    fn negative_numbers_have_none() {
        assert!(make(-1).is_err() && by_word(word_of(-1)).is_none());
    }

    #[test]
    fn a_forked_child_sees_no_node_in_use() {
        assert!(wipe_on_fork());
        // Numbers that no test attaches.
        let nodes =
            [NEAR as c_int - 2, NEAR as c_int + 5, c_int::MAX - 1].map(|number| make(number).unwrap());
        for node in nodes {
            node.set_pipe(Word::LEFT);
        }
        // SAFETY: the child looks at memory, and ends.
        let child = unsafe {
            match libc::fork() {
                0 => libc::_exit(nodes.iter().filter(|node| node.is_in_use()).count() as c_int),
                child => child,
            }
        };
        let mut status = -1;
        // SAFETY: the status is written.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0, "so many were in use, in the upper byte");
        for node in nodes {
            assert!(node.is_in_use());
            node.set_pipe(Word::NOTHING);
        }
    }

    fn word_of(number: c_int) -> u64 {
        u64::from(number as u32)
    }
}
