//! What is behind a descriptor number, in one word: 0: nothing of ours; else the address of a pipe, and a bit that says
//! what the number has to do with it.
//!
//! C and Rust do not see what the other one has: a C event in a typed pipe would be taken for a state of Rust's. So
//! they have different bits. What Rust has attached is *linked*: the node belongs to one handle until that is dropped,
//! also when its pipe is closed before.

use super::pipe::Pipe;
use core::ptr::NonNull;

/// The number is attached to the pipe, by C.
const ATTACHED: usize = 1;
/// It is the pipe's own, and was given to C.
const OWN: usize = 1 << 1;
/// The number is attached to the pipe, by Rust.
const LINKED: usize = 1 << 2;
/// It is the pipe's own, and was given to Rust.
const TYPED: usize = 1 << 3;
/// It was LINKED, and its pipe is gone.
const LEFT: usize = 1 << 4;
const BITS: usize = ATTACHED | OWN | LINKED | TYPED | LEFT;

const _: () = assert!(align_of::<Pipe>() > BITS);

/// See the module's head.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(pub(super) usize);

/// The word of a number that is linked to a pipe: one that stands for the pipe, too.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Linked(usize);

impl Linked {
    /// That of this pipe.
    #[inline(always)]
    pub(crate) fn to(pipe: &'static Pipe) -> Linked {
        Linked(core::ptr::from_ref(pipe) as usize | LINKED)
    }

    #[inline(always)]
    pub(crate) fn word(self) -> Word {
        Word(self.0)
    }

    /// The pipe.
    #[inline(always)]
    pub(crate) fn pipe(self) -> &'static Pipe {
        // SAFETY: `to` made it of a pipe, which lives for ever.
        unsafe { &*((self.0 - LINKED) as *const Pipe) }
    }
}

impl Word {
    /// Nothing of ours.
    pub(super) const NOTHING: Word = Word(0);
    /// Of a number that was linked to a pipe that is gone.
    pub(super) const LEFT: Word = Word(LEFT);

    /// Of a number that is attached to a pipe.
    pub(crate) fn attached(pipe: &'static Pipe) -> Word {
        Word(core::ptr::from_ref(pipe) as usize | ATTACHED)
    }

    /// Of a pipe's own number.
    pub(crate) fn own(pipe: &'static Pipe) -> Word {
        Word(core::ptr::from_ref(pipe) as usize | OWN)
    }

    /// Of the number of a typed pipe.
    pub(crate) fn typed(pipe: &'static Pipe) -> Word {
        Word(core::ptr::from_ref(pipe) as usize | TYPED)
    }

    /// Whether it is attached, by C or by Rust.
    #[inline(always)]
    pub(crate) fn is_attached(self) -> bool {
        self.0 & (ATTACHED | LINKED) != 0
    }

    /// Whether it is attached as far as C sees.
    #[inline(always)]
    pub(crate) fn is_attached_for_c(self) -> bool {
        self.0 & ATTACHED != 0
    }

    /// Whether it belongs to a handle of Rust's.
    pub(crate) fn is_of_handle(self) -> bool {
        self.0 & (LINKED | LEFT) != 0
    }

    /// The pipe that it is attached to, as far as C sees.
    #[inline(always)]
    pub(crate) fn attached_pipe(self) -> Option<&'static Pipe> {
        self.pipe_by(ATTACHED)
    }

    /// The pipe whose own number it is, as far as C sees.
    #[inline(always)]
    pub(crate) fn pipe(self) -> Option<&'static Pipe> {
        self.pipe_by(OWN)
    }

    /// The typed pipe whose number it is.
    pub(crate) fn typed_pipe(self) -> Option<&'static Pipe> {
        self.pipe_by(TYPED)
    }

    #[inline(always)]
    fn pipe_by(self, bit: usize) -> Option<&'static Pipe> {
        // SAFETY: with one of the bits it was made of a pipe, which lives for ever.
        (self.0 & bit != 0).then(|| unsafe { NonNull::new_unchecked((self.0 - bit) as *mut Pipe).as_ref() })
    }

    /// The pipe that it is attached to, by C or by Rust.
    ///
    /// # Safety
    ///
    /// It is attached.
    #[inline(always)]
    pub(crate) unsafe fn attached_pipe_unchecked(self) -> &'static Pipe {
        debug_assert!(self.is_attached());
        // SAFETY: passed on to the caller; then it was made of a pipe, which lives for ever.
        unsafe { &*((self.0 & !BITS) as *const Pipe) }
    }
}
