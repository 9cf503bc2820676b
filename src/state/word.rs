//! What is behind a descriptor number, in one word: 0: nothing of ours; else the address of a pipe, and a bit that says
//! what the number has to do with it.

use super::pipe::Pipe;
use core::ptr::NonNull;

/// The number is attached to the pipe.
const ATTACHED: usize = 1;
/// It is the pipe's own.
const OWN: usize = 1 << 1;

/// See the module's head.
#[derive(Clone, Copy)]
pub(crate) struct Word(pub(super) usize);

impl Word {
    /// Of a number that is attached to a pipe.
    pub(crate) fn attached(pipe: &'static Pipe) -> Word {
        Word(core::ptr::from_ref(pipe) as usize | ATTACHED)
    }

    /// Of a pipe's own number.
    pub(crate) fn own(pipe: &'static Pipe) -> Word {
        Word(core::ptr::from_ref(pipe) as usize | OWN)
    }

    #[inline(always)]
    pub(crate) fn is_attached(self) -> bool {
        self.0 & ATTACHED != 0
    }

    /// The pipe that it is attached to.
    #[inline(always)]
    pub(crate) fn attached_pipe(self) -> Option<&'static Pipe> {
        self.pipe_by(ATTACHED)
    }

    /// The pipe whose own number it is.
    #[inline(always)]
    pub(crate) fn pipe(self) -> Option<&'static Pipe> {
        self.pipe_by(OWN)
    }

    #[inline(always)]
    fn pipe_by(self, bit: usize) -> Option<&'static Pipe> {
        // SAFETY: with one of the bits it was made of a pipe, which lives for ever.
        (self.0 & bit != 0).then(|| unsafe { NonNull::new_unchecked((self.0 - bit) as *mut Pipe).as_ref() })
    }

    /// The pipe that it is attached to.
    ///
    /// # Safety
    ///
    /// It is attached.
    #[inline(always)]
    pub(crate) unsafe fn attached_pipe_unchecked(self) -> &'static Pipe {
        debug_assert!(self.is_attached());
        // SAFETY: passed on to the caller; then it was made of a pipe, which lives for ever.
        unsafe { &*((self.0 - ATTACHED) as *const Pipe) }
    }
}
