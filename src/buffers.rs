//! Memory that an operation needs beside, or in the place of, a slice of bytes.
//!
//! [`IoVecs`] keeps the array of vectors of a vectored operation. A buffer that is [`Spare`] is read into behind what
//! it has, without being zeroed first.

use std::fmt;
use std::ptr::null_mut;

/// Room for the vectors of a vectored operation on `N` buffers: where each begins, and its length.
///
/// It is a part of the state that the operation is submitted with, so that it stays where it is until the event has
/// been harvested; what it has in it then means nothing any more, and it is used again for the next operation. The
/// kernel takes up to 1024 vectors at a time; with more the operation fails with `InvalidInput`.
///
/// ```
/// use ioevent::buffers::IoVecs;
/// use ioevent::{Attached, EventPipe, Events, Op};
/// use std::io::{self, Write};
/// use std::os::unix::net::UnixStream;
///
/// struct Frame {
///     head: [u8; 4],
///     body: [u8; 16],
///     vectors: IoVecs<2>,
///     stream: Attached<UnixStream>,
/// }
///
/// # fn main() -> io::Result<()> {
/// let pipe = EventPipe::new(1)?;
/// let (mut peer, stream) = UnixStream::pair()?;
/// peer.write_all(b"ping and the rest")?;
/// let stream = pipe.attach(stream)?;
/// let frame = Frame { head: [0; 4], body: [0; 16], vectors: IoVecs::new(), stream };
/// pipe.submit(Op::new(frame), |f| {
///     f.stream.read_vectored(&mut f.vectors, [&mut f.head, &mut f.body])
/// })?;
/// for event in pipe.wait(&mut Events::with_capacity(1), None)? {
///     let (frame, outcome) = event.into_parts();
///     assert_eq!(outcome.bytes()?, 17);
///     assert_eq!(&frame.head, b"ping");
///     assert_eq!(&frame.body[..13], b" and the rest");
/// }
/// # Ok(()) }
/// ```
pub struct IoVecs<const N: usize>([libc::iovec; N]);

// SAFETY: the addresses in it are for the kernel, while an operation has it; no code reads them.
unsafe impl<const N: usize> Send for IoVecs<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Sync for IoVecs<N> {}

impl<const N: usize> IoVecs<N> {
    /// Room for `N` vectors.
    pub const fn new() -> IoVecs<N> {
        IoVecs([const { libc::iovec { iov_base: null_mut(), iov_len: 0 } }; N])
    }

    /// Describes these buffers. The address of the array.
    pub(crate) fn fill(&mut self, bufs: [(*mut u8, usize); N]) -> *mut u8 {
        for (vector, (start, len)) in self.0.iter_mut().zip(bufs) {
            *vector = libc::iovec { iov_base: start.cast(), iov_len: len };
        }
        self.0.as_mut_ptr().cast()
    }
}

impl<const N: usize> Default for IoVecs<N> {
    fn default() -> IoVecs<N> {
        IoVecs::new()
    }
}

impl<const N: usize> fmt::Debug for IoVecs<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IoVecs<{N}>")
    }
}

mod sealed {
    /// What the library asks of a buffer that has room behind its bytes.
    pub trait Sealed {
        /// Lets the buffer grow by what was read behind its bytes: the result of the read, but no more than there was
        /// room for; nothing if the result is negative.
        ///
        /// # Safety
        ///
        /// The pointer is that of a `Self` which is not borrowed, and whose `spare` has not changed since the kernel
        /// was given it and wrote as many bytes to its beginning.
        const FILLED: unsafe fn(*mut (), i32);

        /// Where the room behind the bytes begins, and its length.
        fn spare(&mut self) -> (*mut u8, usize);
    }
}
pub(crate) use sealed::Sealed;

/// A buffer with room behind its bytes that was not written to: a `Vec<u8>`, and with the feature `bytes` a
/// [`bytes::BytesMut`](https://docs.rs/bytes/1/bytes/struct.BytesMut.html).
///
/// An operation reads into that room, and the buffer grows by what was read. It never grows beyond its capacity:
/// to make room, call `reserve` before.
///
/// The trait is for these types only, and cannot be implemented elsewhere: the kernel writes to the room of a buffer
/// while no borrow of it is left, so the library has to know how it behaves.
///
/// ```
/// use ioevent::{Attached, EventPipe, Events, Op};
/// use std::io::{self, Write};
/// use std::os::unix::net::UnixStream;
///
/// struct Line {
///     stream: Attached<UnixStream>,
///     text: Vec<u8>,
/// }
///
/// # fn main() -> io::Result<()> {
/// let pipe = EventPipe::new(1)?;
/// let (mut peer, stream) = UnixStream::pair()?;
/// peer.write_all(b", world")?;
/// let mut text = b"Hello".to_vec();
/// text.reserve(4096);
/// let line = Line { stream: pipe.attach(stream)?, text };
/// pipe.submit(Op::new(line), |line| line.stream.read_spare(&mut line.text))?;
/// for event in pipe.wait(&mut Events::with_capacity(1), None)? {
///     let (line, outcome) = event.into_parts();
///     assert_eq!(outcome.bytes()?, 7);
///     assert_eq!(line.text, b"Hello, world");
/// }
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(note = "for an array or a slice use `read`")]
pub trait Spare: Sealed {}

impl Sealed for Vec<u8> {
    const FILLED: unsafe fn(*mut (), i32) = |vec, result| {
        // SAFETY: the caller vouches for it.
        let vec = unsafe { &mut *vec.cast::<Vec<u8>>() };
        // The kernel may count more than there was room for (MSG_TRUNC).
        let count = usize::try_from(result).unwrap_or(0).min(vec.capacity() - vec.len());
        // SAFETY: the kernel has written as many bytes there, and they are within the capacity.
        unsafe { vec.set_len(vec.len() + count) };
    };

    fn spare(&mut self) -> (*mut u8, usize) {
        let spare = self.spare_capacity_mut();
        (spare.as_mut_ptr().cast(), spare.len())
    }
}

impl Spare for Vec<u8> {}

#[cfg(feature = "bytes")]
impl Sealed for bytes::BytesMut {
    const FILLED: unsafe fn(*mut (), i32) = |buffer, result| {
        // SAFETY: the caller vouches for it.
        let buffer = unsafe { &mut *buffer.cast::<bytes::BytesMut>() };
        // The kernel may count more than there was room for (MSG_TRUNC).
        let count = usize::try_from(result).unwrap_or(0).min(buffer.capacity() - buffer.len());
        // SAFETY: the kernel has written as many bytes there, and they are within the capacity.
        unsafe { buffer.set_len(buffer.len() + count) };
    };

    fn spare(&mut self) -> (*mut u8, usize) {
        let spare = self.spare_capacity_mut();
        (spare.as_mut_ptr().cast(), spare.len())
    }
}

#[cfg(feature = "bytes")]
impl Spare for bytes::BytesMut {}

#[cfg(test)]
mod tests {
    use super::*;

    const _: () = {
        const fn goes_anywhere<T: Send + Sync>() {}
        goes_anywhere::<IoVecs<3>>();
    };

    /// Writes bytes into the room as the kernel does, and reports a result.
    fn read<B: Spare>(buffer: &mut B, bytes: &[u8], result: i32) {
        let (start, len) = buffer.spare();
        assert!(bytes.len() <= len);
        // SAFETY: the room is that long. The bytes are there, and the buffer is not borrowed.
        unsafe {
            start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            B::FILLED((&raw mut *buffer).cast(), result);
        }
    }

    #[test]
    fn a_vec_grows_by_what_was_read() {
        let mut vec = Vec::with_capacity(8);
        vec.extend(b"ab");
        let room = vec.capacity() - 2;
        assert_eq!(vec.spare().1, room);
        read(&mut vec, b"cde", 3);
        assert_eq!(vec, b"abcde");
        assert_eq!(vec.spare().1, room - 3);
        read(&mut vec, b"", 0);
        read(&mut vec, b"xyz", -1);
        read(&mut vec, b"xyz", i32::MIN);
        assert_eq!(vec, b"abcde");
    }

    #[test]
    fn a_vec_never_grows_beyond_its_capacity() {
        let mut vec = b"ab".to_vec();
        vec.shrink_to_fit();
        vec.reserve_exact(4);
        let room = vec.capacity() - 2;
        read(&mut vec, &vec![b'x'; room], i32::MAX);
        assert_eq!(vec.len(), vec.capacity());
        assert!(vec.starts_with(b"abxxxx"));
        read(&mut vec, b"", 1);
        assert_eq!(vec.len(), room + 2);
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn bytes_grow_by_what_was_read_in_their_own_half() {
        let mut first = bytes::BytesMut::zeroed(12);
        let second = first.split_off(6);
        first.truncate(2);
        assert_eq!(first.spare().1, 4);
        read(&mut first, b"cd", 2);
        read(&mut first, b"", -1);
        assert_eq!(&first[..], b"\0\0cd");
        read(&mut first, b"ef", i32::MAX);
        assert_eq!(&first[..], b"\0\0cdef");
        assert_eq!(first.spare().1, 0);
        assert_eq!(&second[..], b"\0\0\0\0\0\0");
    }

    #[test]
    fn the_vectors_are_what_the_kernel_reads() {
        let (mut head, mut body, mut ends) = ([0u8; 2], [0u8; 5], [0; 2]);
        let mut vectors = IoVecs::new();
        // SAFETY: the descriptors are written.
        assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
        let array = vectors.fill([(head.as_mut_ptr(), head.len()), (body.as_mut_ptr(), body.len())]);
        // SAFETY: the array describes two buffers, which outlive the call; the descriptors are this test's.
        let read = unsafe {
            assert_eq!(libc::write(ends[1], c"abcdef".as_ptr().cast(), 6), 6);
            let read = libc::readv(ends[0], array.cast(), 2);
            libc::close(ends[0]);
            libc::close(ends[1]);
            read
        };
        assert_eq!((read, &head, &body), (6, b"ab", b"cdef\0"));
        assert_eq!(format!("{vectors:?}"), "IoVecs<2>");
    }
}
