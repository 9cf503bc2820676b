//! Attachments: what ties a descriptor to its pipe, and the operations that wait on it.

use super::file_class::Class;
use super::inside::OUTPUT_WATCHED;
use super::pipe::Pipe;
use super::word::Word;
use crate::queue::op::{Kind, OpRef, Order};
use crate::queue::op_list::Queue;
use crate::sync::access::{self, Access, Shared, Sole};
use crate::sync::lock::RawLock;
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::{
    AtomicI32, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

pub(crate) use super::inside::{
    HERE, INLINE, INPUT_FREE, Inside, LEVEL, NO_NOWAIT_READ, NO_NOWAIT_WRITE, OTHER_SIDE, OUTPUT_FREE,
    PAUSED_INPUT, PAUSED_OUTPUT, POLL_ONLY, READABLE, SEVERAL_PIPES, SLOT, TIME_LIMIT, WRITABLE,
    next_generation,
};

/// What the table has of a number (`table`). One cache line. All zeros is one of a number that was never used.
#[repr(C, align(64))]
pub(crate) struct Attachment {
    inside: UnsafeCell<Inside>,
    lock: RawLock,
    /// The library's own open file of a `Class::Reopened` while operations are outstanding, else -1; the identity of
    /// all other files. Used under the lock like the rest, and outside of `Inside` only because there is room for it
    /// beside the lock; so Relaxed.
    own_fd: AtomicI32,
}

const _: () = assert!(size_of::<Attachment>() == 64);

// SAFETY: `inside` is reached only through `Held`, and its one atomic by any thread.
unsafe impl Sync for Attachment {}

/// What is behind a descriptor number, as far as C sees.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// Nothing of ours.
    Nothing,
    Attachment(&'static Attachment),
    Pipe(&'static Pipe),
}

/// An attachment that the calling thread has for itself: by the bias, or by its lock.
pub(crate) struct Held<'a, A: Access> {
    node: &'static Attachment,
    /// The lock is of the thread that took it, as the bias is.
    access: PhantomData<(&'a A, *const ())>,
}

/// The same, by the lock.
pub(crate) type Locked = Held<'static, Shared>;

impl<A: Access> Drop for Held<'_, A> {
    #[inline(always)]
    fn drop(&mut self) {
        if !A::SOLE {
            self.node.lock.unlock();
        }
    }
}

impl<A: Access> Deref for Held<'_, A> {
    type Target = Inside;
    #[inline(always)]
    fn deref(&self) -> &Inside {
        // SAFETY: no other thread reaches it, and all fields are cells or atomic: there is no unique reference.
        unsafe { &*self.node.inside.get() }
    }
}

impl<A: Access> Held<'_, A> {
    pub(crate) fn node(&self) -> &'static Attachment {
        self.node
    }

    /// Which file it is (`nature::identity`), unless it is a `Class::Reopened`. Of a socket negative until it is asked
    /// for.
    pub(crate) fn identity(&self) -> c_int {
        self.node.identity()
    }
}

impl Attachment {
    /// Where its word (`read`) is in it.
    pub(crate) const WORD: usize =
        core::mem::offset_of!(Attachment, inside) + core::mem::offset_of!(Inside, pipe);

    pub(crate) const fn new() -> Attachment {
        Attachment { lock: RawLock::new(), own_fd: AtomicI32::new(0), inside: UnsafeCell::new(Inside::new()) }
    }

    #[inline(always)]
    fn word(&self) -> &AtomicUsize {
        // SAFETY: an atomic may be shared, whichever thread has the rest.
        unsafe { &(*self.inside.get()).pipe }
    }

    /// The same as `Held::identity`, for a thread that holds it.
    pub(crate) fn identity(&self) -> c_int {
        self.own_fd.load(Relaxed)
    }

    /// Whether the number is attached now. Without the lock that may change at any time.
    #[inline(always)]
    pub(crate) fn is_attached(&self) -> bool {
        // Acquire pairs with the Release in `set_attached`.
        Word(self.word().load(Acquire)).is_attached()
    }

    /// Whether it is anything of ours.
    #[inline(always)]
    pub(crate) fn is_in_use(&self) -> bool {
        self.word().load(Acquire) != 0
    }

    /// What the number is now, in one word.
    #[inline(always)]
    pub(crate) fn read(&self) -> Word {
        // Acquire pairs with the Release in `set_attached` and `set_pipe`: a pipe is whole before it is found.
        Word(self.word().load(Acquire))
    }

    /// The pipe whose own number it is.
    #[inline(always)]
    pub(crate) fn pipe_of_number(&self) -> Option<&'static Pipe> {
        self.read().pipe()
    }

    /// What the number is now, as far as C sees.
    pub(crate) fn entry(&'static self) -> Entry {
        let word = self.read();
        if word.is_attached_for_c() {
            Entry::Attachment(self)
        } else {
            word.pipe().map_or(Entry::Nothing, Entry::Pipe)
        }
    }

    /// The number is a pipe's own, which the kernel has just given out: `Word::own`, `Word::typed`.
    pub(crate) fn set_pipe(&self, word: Word) {
        self.word().store(word.0, Release);
    }

    /// The number is not this pipe's any more; if it is, by now, something else, nothing happens.
    pub(crate) fn clear_pipe(&self, pipe: &'static Pipe) {
        for word in [Word::own(pipe), Word::typed(pipe)] {
            let _ = self.word().compare_exchange(word.0, Word::NOTHING.0, AcqRel, Relaxed);
        }
    }

    /// Locks, for the fast path.
    #[inline(always)]
    pub(crate) fn lock_quietly(&'static self) -> Locked {
        self.lock.lock();
        Held { node: self, access: PhantomData }
    }

    /// The same, unless another thread has the lock.
    #[inline(always)]
    pub(crate) fn try_lock_quietly(&'static self) -> Option<Locked> {
        if self.lock.try_lock() { Some(Held { node: self, access: PhantomData }) } else { None }
    }

    /// The same, if threads lock at this time.
    #[inline(always)]
    pub(crate) fn try_lock_shared(&'static self) -> Option<Locked> {
        if access::is_shared() { self.try_lock_quietly() } else { None }
    }

    /// Holds it while the calling thread goes alone.
    #[inline(always)]
    pub(crate) fn hold<'a>(&'static self, _: &'a Sole) -> Held<'a, Sole> {
        Held { node: self, access: PhantomData }
    }

    /// What is held, for a thread that goes alone.
    #[inline(always)]
    pub(crate) fn inside_of<'a>(&'static self, _: &'a Sole) -> &'a Inside {
        // SAFETY: no other thread reaches it meanwhile, with or without the lock; and all fields are cells or atomic.
        unsafe { &*self.inside.get() }
    }

    /// Back to the beginning, in a forked child.
    pub(crate) fn forget(&'static self) {
        self.lock.forget();
        self.word().store(0, Relaxed);
        // SAFETY: a child begins with one thread.
        let inside = unsafe { &*self.inside.get() };
        inside.forget();
    }

    /// Number and generation in one word, for the kernel to hand back (`table::by_word`).
    pub(crate) fn to_word(attachment: &Inside) -> u64 {
        u64::from(attachment.fd() as u32) | u64::from(attachment.generation.get()) << 32
    }
}

impl Locked {
    /// Lets the next operations make a try: one that waited for something of its own (more data than there were,
    /// another descriptor) has been ended, and what it left the bits at says nothing about others.
    pub(crate) fn assume_ready(&self) {
        self.clear(PAUSED_INPUT | PAUSED_OUTPUT);
        self.mark(READABLE | WRITABLE);
    }

    /// Lets the next operation of one side (PAUSED_INPUT, PAUSED_OUTPUT) make a try.
    pub(crate) fn assume_ready_for(&self, side: u16) {
        self.mark(if side == PAUSED_INPUT { READABLE } else { WRITABLE });
    }

    /// The library's own open file for this descriptor, if there is one now.
    #[inline]
    pub(crate) fn own_fd(&self) -> Option<c_int> {
        let own = self.node.own_fd.load(Relaxed);
        (own >= 0 && self.class.get() == Class::Reopened).then_some(own)
    }

    /// Whether the engine watches for when it can be written to.
    pub(crate) fn is_output_watched(&self) -> bool {
        self.has(OUTPUT_WATCHED)
    }

    pub(crate) fn set_output_watched(&self, watched: bool) {
        self.set(OUTPUT_WATCHED, watched);
    }

    pub(crate) fn set_identity(&self, identity: c_int) {
        self.node.own_fd.store(identity, Relaxed);
    }

    /// Remembers, or forgets, the library's own open file; returns the one before.
    pub(crate) fn set_own_fd(&self, own: Option<c_int>) -> Option<c_int> {
        let before = self.own_fd();
        self.node.own_fd.store(own.unwrap_or(-1), Relaxed);
        before
    }

    /// Where operations of an order wait.
    #[inline]
    pub(crate) fn queue(&self, order: Order) -> &Queue {
        match order {
            Order::Input => &self.input,
            Order::Output => &self.output,
            Order::Unordered => &self.unordered,
        }
    }

    /// Whether no operation is outstanding.
    pub(crate) fn is_idle(&self) -> bool {
        let is_operation = |op: OpRef| op.kind.get() != Kind::Kept;
        [&self.input, &self.output, &self.unordered]
            .iter()
            .all(|queue| queue.is_empty() || !queue.any(is_operation))
    }
}
