//! What the lock of an attachment, or the bias, guards.

use super::file_class::Class;
use super::pipe::Pipe;
use super::slot::Slot;
use super::word::Word;
use crate::queue::lane::LISTED;
use crate::queue::op_list::Queue;
use core::cell::Cell;
use core::ffi::c_int;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};

/// A read may succeed: it is worth a try. Without this bit an edge comes when it may.
pub(crate) const READABLE: u16 = 1;
/// The same for writes.
pub(crate) const WRITABLE: u16 = 1 << 1;
/// For the fast path: a writable socket that one pipe watches, with nothing in `output` and `unordered`.
pub(crate) const OUTPUT_FREE: u16 = 1 << 2;
/// Nothing waits, and an operation may be put into the slot; the words of the queues hold what was there before.
pub(crate) const INPUT_FREE: u16 = 1 << 3;
/// An operation waits in the slot, without a node (`slot`), and nothing else does.
pub(crate) const SLOT: u16 = 1 << 4;
/// IOEVENT_INLINE (rule 2.8).
pub(crate) const INLINE: u16 = 1 << 5;
/// For the thread that holds the bias: all events of the descriptor that no thread has harvested yet are in the ring of
/// that thread's lane. `newest_number` says nothing then.
pub(crate) const HERE: u16 = 1 << 6;
/// The descriptor has a time limit for its operations, which `limits` knows (rule 4.6).
pub(crate) const TIME_LIMIT: u16 = 1 << 7;
/// The first operation of `input` is to be tried again after a pause; until then edges say nothing (`epoll::alarm`).
pub(crate) const PAUSED_INPUT: u16 = 1 << 8;
/// The same for `output`.
pub(crate) const PAUSED_OUTPUT: u16 = 1 << 9;
/// The engine is asked to tell when it can be written to, too.
pub(super) const OUTPUT_WATCHED: u16 = 1 << 10;
/// The kernel tells level-triggered, of input alone: for polls that come again and again (`epoll::polls`).
pub(crate) const LEVEL: u16 = 1 << 11;
/// IOEVENT_POLLONLY (rule 2.11).
pub(crate) const POLL_ONLY: u16 = 1 << 12;
/// Operations of more than one pipe may be outstanding, and more than one pipe's engine may watch the descriptor.
pub(crate) const SEVERAL_PIPES: u16 = 1 << 13;
/// The kernel has no call-by-call way not to wait for reads of this file.
pub(crate) const NO_NOWAIT_READ: u16 = 1 << 14;
/// The same for writes.
pub(crate) const NO_NOWAIT_WRITE: u16 = 1 << 15;

/// In `newest_place`: a node is reserved in the pool, for an operation that waits in the slot.
const RESERVED: u8 = 0x40;

/// In a generation: the edge is of the other descriptor of a sendfile or splice.
pub(crate) const OTHER_SIDE: u32 = 1 << 31;

/// What the lock of an attachment guards.
pub(crate) struct Inside {
    pub(crate) class: Cell<Class>,
    newest_place: Cell<u8>,
    /// The constants above.
    bits: Cell<u16>,
    /// The descriptor.
    pub(super) fd: Cell<c_int>,
    /// Counted up for each descriptor that uses the node: tells its events from those of earlier ones. Not 0 while
    /// there is one, and below OTHER_SIDE.
    pub(crate) generation: Cell<u32>,
    /// Its newest event was put into `newest_place` as this number (see `Completions`).
    newest_number: Cell<u32>,
    pub(crate) user: Cell<usize>,
    /// What is behind the number (`Word`). Written under the lock if it was or becomes an attachment; read by any
    /// thread.
    pub(super) pipe: AtomicUsize,
    pub(crate) input: Queue,
    pub(crate) output: Queue,
    /// Operations that stand outside the order of reads and writes.
    pub(crate) unordered: Queue,
}

impl Inside {
    pub(super) const fn new() -> Inside {
        Inside {
            class: Cell::new(Class::File),
            newest_place: Cell::new(0),
            bits: Cell::new(0),
            fd: Cell::new(0),
            generation: Cell::new(0),
            newest_number: Cell::new(0),
            user: Cell::new(0),
            pipe: AtomicUsize::new(0),
            input: Queue::new(),
            output: Queue::new(),
            unordered: Queue::new(),
        }
    }

    /// Back to the beginning, in a forked child.
    pub(super) fn forget(&self) {
        self.bits.set(0);
        self.newest_place.set(0);
        for queue in [&self.input, &self.output, &self.unordered] {
            // SAFETY: an empty queue.
            unsafe { queue.hold(0) };
        }
    }

    /// The descriptor.
    #[inline(always)]
    pub(crate) fn fd(&self) -> c_int {
        self.fd.get()
    }

    #[inline(always)]
    pub(crate) fn bits(&self) -> u16 {
        self.bits.get()
    }

    #[inline(always)]
    pub(crate) fn set_bits(&self, bits: u16) {
        self.bits.set(bits);
    }

    /// Whether one of these bits is set.
    #[inline(always)]
    pub(crate) fn has(&self, bits: u16) -> bool {
        self.bits.get() & bits != 0
    }

    #[inline(always)]
    pub(crate) fn mark(&self, bits: u16) {
        self.bits.set(self.bits.get() | bits);
    }

    #[inline(always)]
    pub(crate) fn clear(&self, bits: u16) {
        self.bits.set(self.bits.get() & !bits);
    }

    pub(crate) fn set(&self, bits: u16, on: bool) {
        if on { self.mark(bits) } else { self.clear(bits) }
    }

    /// Whether the number is attached.
    #[inline(always)]
    pub(crate) fn is_attached(&self) -> bool {
        // Relaxed, here and below: under the lock.
        Word(self.pipe.load(Relaxed)).is_attached()
    }

    /// The pipe that it is attached to.
    #[inline(always)]
    pub(crate) fn pipe(&self) -> Option<&'static Pipe> {
        // SAFETY: `set_attached` has made the word of a pipe, which lives for ever.
        self.is_attached().then(|| unsafe { self.attached_pipe() })
    }

    /// The pipe of an attached descriptor.
    ///
    /// # Safety
    ///
    /// It is attached.
    #[inline(always)]
    pub(crate) unsafe fn attached_pipe(&self) -> &'static Pipe {
        // SAFETY: passed on to the caller.
        unsafe { Word(self.pipe.load(Relaxed)).attached_pipe_unchecked() }
    }

    /// What the number is now.
    #[inline(always)]
    pub(crate) fn word(&self) -> Word {
        Word(self.pipe.load(Relaxed))
    }

    /// The descriptor belongs to a pipe from now on: `word` says to which, and for C or for Rust.
    pub(crate) fn set_attached(&self, fd: c_int, word: Word) {
        self.fd.set(fd);
        // Release pairs with the Acquire in `entry`.
        self.pipe.store(word.0, Release);
    }

    /// It does not belong to any. One that was linked still is its handle's.
    pub(crate) fn set_detached(&self) {
        self.bits.set(0);
        self.generation.set(next_generation(self.generation.get()));
        let word = if self.word().is_of_handle() { Word::LEFT } else { Word::NOTHING };
        self.pipe.store(word.0, Release);
    }

    /// Its handle gives it up, if it is a handle's that is not attached any more.
    pub(crate) fn give_up(&self) {
        if self.word() == Word::LEFT {
            self.pipe.store(Word::NOTHING.0, Release);
        }
    }

    /// A read has found nothing: from now on a short read proves that nothing is left, since all that comes behind has
    /// come while the engine watched. False if the engine is to learn first whether that is so.
    #[inline(always)]
    pub(crate) fn found_nothing(&self) -> bool {
        match self.class.get() {
            Class::Tcp => self.class.set(Class::PlainTcp),
            Class::Met => self.class.set(Class::MetIdle),
            Class::MetIdle => return false,
            _ => {}
        }
        true
    }

    /// A read has moved so many bytes.
    #[inline(always)]
    pub(crate) fn has_read(&self, bytes: usize) {
        if self.class.get() == Class::Fresh && bytes > 0 {
            self.meet();
        }
    }

    /// The kernel has told that the stream ends: a short read proves nothing any more.
    pub(crate) fn end_stream(&self) {
        if self.class.get() == Class::Fresh {
            self.meet();
        }
        self.class.set(Class::Stream);
    }

    /// What a stream socket has given came over its connection: outputs need not ask whether they connect.
    #[inline(never)]
    fn meet(&self) {
        self.class.set(Class::Met);
        // Where the fast path is open to reads it is so to writes, but for what was not known.
        if self.has(INPUT_FREE | SLOT) {
            self.mark(OUTPUT_FREE);
        }
    }

    /// Whether a short read proves that nothing is left.
    #[inline(always)]
    pub(crate) fn proves_drained(&self) -> bool {
        self.class.get() == Class::PlainTcp
    }

    /// The operation in the slot, or the one that was there last, as far as `Slot::is_like` goes.
    #[inline(always)]
    pub(crate) fn slot(&self) -> Slot {
        Slot::from_words([self.input.held(), self.unordered.held(), self.output.held()])
    }

    /// The user pointer of the operation that was in the slot until now.
    #[inline(always)]
    pub(crate) fn slot_user(&self) -> usize {
        self.output.held()
    }

    /// Puts it there, for an operation that had no room for it.
    pub(crate) fn set_slot_user(&self, user: usize) {
        debug_assert!(self.has(INPUT_FREE));
        // SAFETY: as in `put_into_slot`.
        unsafe { self.output.hold(user) };
    }

    /// The operation that waits in the slot.
    #[inline(always)]
    pub(crate) fn waiting_slot(&self) -> Option<Slot> {
        if self.has(SLOT) { Some(self.slot()) } else { None }
    }

    /// The operation whose words are there has a deadline, of which the slot keeps the fraction.
    #[inline(always)]
    pub(crate) fn set_fraction(&self, fraction: u16) {
        debug_assert!(self.has(INPUT_FREE | SLOT));
        // SAFETY: as in `put_into_slot`.
        unsafe { self.unordered.hold(self.unordered.held() | Slot::bits_of_fraction(fraction) as usize) };
    }

    /// Puts an operation into the slot. In that state, SLOT, the words of the queues, which are empty, hold it; a node
    /// is reserved for it, so that `disarm` cannot fail.
    #[inline(always)]
    pub(crate) fn put_into_slot(&self, slot: Slot) {
        let [input, unordered, output] = slot.words();
        // SAFETY: with INPUT_FREE or SLOT no thread looks at the queues before `disarm` has emptied them.
        unsafe {
            self.input.hold(input);
            self.unordered.hold(unordered);
            self.output.hold(output);
        }
    }

    /// Where the newest event was put: the lane, with `LISTED` for its list.
    #[inline(always)]
    pub(crate) fn newest_place(&self) -> u32 {
        u32::from(self.newest_place.get() & !RESERVED)
    }

    /// The lane of the newest event.
    #[inline(always)]
    pub(crate) fn newest_lane(&self) -> u32 {
        self.newest_place() & !LISTED
    }

    /// The number that the newest event has there.
    #[inline(always)]
    pub(crate) fn newest_number(&self) -> u32 {
        self.newest_number.get()
    }

    /// Whether a node is reserved in the pool, for an operation that waits in the slot.
    pub(crate) fn has_reserved(&self) -> bool {
        self.newest_place.get() & RESERVED != 0
    }

    pub(crate) fn set_reserved(&self, reserved: bool) {
        let place = self.newest_place.get() & !RESERVED;
        self.newest_place.set(place | if reserved { RESERVED } else { 0 });
    }

    /// The newest event was put into `place` as this number.
    #[inline(always)]
    pub(crate) fn set_newest(&self, place: u32, number: u32) {
        self.newest_place.set(place as u8 | self.newest_place.get() & RESERVED);
        self.newest_number.set(number);
    }
}

/// The generation after `generation`.
pub(crate) fn next_generation(generation: u32) -> u32 {
    ((generation + 1) & (OTHER_SIDE - 1)).max(1)
}
