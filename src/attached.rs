//! Descriptors that are attached to a pipe.

use crate::buffers::{IoVecs, Spare};
use crate::calls::link::Link;
use crate::calls::submit::Which;
use crate::net::{Address, Message};
use crate::op::MARKS;
use crate::process::Exit;
use crate::request::{Waits, nanoseconds};
use crate::{Io, OpId, Readiness, Request};
use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// A descriptor that it owns, attached to a pipe.
///
/// It is made by [`EventPipe::attach`](crate::EventPipe::attach). Usually it is part of a state, and makes the
/// [`Request`]s of that: each constructor of [`Io`] is a method here.
///
/// Methods of what was attached are called on [`get_ref`](Self::get_ref). While the state that it is part of is in the
/// pipe the program cannot reach it: to cancel, to set a limit or to shut down meanwhile, keep a second handle, an
/// `Arc<Attached<F>>` in the state, or keep it outside and use [`submit_on`](crate::EventPipe::submit_on).
///
/// Dropping it ends the operations that are outstanding on it, each of which still gives its event, and drops what was
/// attached, which closes the descriptor if that owns it. There is no way to a `&mut F`: with one the descriptor could
/// be closed, and its number be another file's, while operations are outstanding. To share a descriptor, attach an
/// `Arc` of it, or a copy (`try_clone`).
#[must_use = "dropping it closes the descriptor"]
pub struct Attached<F: AsFd> {
    link: Link,
    source: ManuallyDrop<F>,
}

/// Which operations of a descriptor are meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cancel {
    /// What reads or accepts, and a splice out of the descriptor.
    Reads,
    /// What writes or connects, syncs and shutdowns with them.
    Writes,
    /// Polls, and waits for a child.
    Polls,
    /// All of them.
    All,
}

impl Cancel {
    fn which(self, user: Option<usize>) -> Which {
        Which {
            input: matches!(self, Cancel::Reads | Cancel::All),
            output: matches!(self, Cancel::Writes | Cancel::All),
            polls: matches!(self, Cancel::Polls | Cancel::All),
            user,
            marks: MARKS,
        }
    }
}

impl<F: AsFd> Attached<F> {
    pub(crate) fn new(link: Link, source: F) -> Attached<F> {
        Attached { link, source: ManuallyDrop::new(source) }
    }

    #[inline(always)]
    pub(crate) fn link(&self) -> Link {
        self.link
    }

    /// What was attached. Calls of its own on it do not wait for queued operations.
    pub fn get_ref(&self) -> &F {
        &self.source
    }

    /// Detaches it, and gives it back open. Operations that are outstanding are ended, each with an event.
    pub fn into_inner(self) -> F {
        let mut this = ManuallyDrop::new(self);
        this.link.detach();
        // SAFETY: it is taken once: `this` is not dropped.
        unsafe { ManuallyDrop::take(&mut this.source) }
    }

    /// Ends operations that are not finished; returns how many.
    ///
    /// Each gives its event: what it has moved ([`ended_early`](crate::Outcome::ended_early)), or an error
    /// ([`is_cancelled`](crate::is_cancelled)). Disk I/O that the kernel is at work on goes on, and is not
    /// counted. Returns 0 if the pipe is gone.
    ///
    /// ```
    /// use ioevent::{Cancel, EventPipe, Events, Io, Op};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let pipe = EventPipe::new(8)?;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// let stream = pipe.attach(ours)?;
    /// pipe.submit_on(&stream, Op::new([0; 16]), |buffer| Io::read(buffer))?;
    /// assert_eq!((stream.cancel(Cancel::Writes), stream.cancel(Cancel::Reads)), (0, 1));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn cancel(&self, what: Cancel) -> usize {
        self.link.cancel(what.which(None))
    }

    /// The same for the operation of this state, if it is outstanding here; returns whether it was ended.
    pub fn cancel_op(&self, op: OpId) -> bool {
        self.link.cancel(Cancel::All.which(Some(op.0))) > 0
    }

    /// Bounds operations that are submitted from now on: one that is not finished in time ends with what it has moved,
    /// or with `TimedOut`. `None`: no limit. EBADF if the pipe is gone.
    pub fn set_timeout(&self, time: Option<Duration>) -> io::Result<()> {
        Ok(self.link.set_timeout(time.map_or(0, nanoseconds))?)
    }
}

impl<'a> Io<'a> {
    /// The operation, on this descriptor.
    #[inline(always)]
    pub fn on<F: AsFd>(self, attached: &'a Attached<F>) -> Request<'a> {
        Request { waits: Waits::On(attached.link), io: self }
    }
}

/// The operations: see [`Io`].
impl<F: AsFd> Attached<F> {
    /// [`Io::read`].
    #[inline(always)]
    pub fn read<'a>(&'a self, buf: &'a mut [u8]) -> Request<'a> {
        Io::read(buf).on(self)
    }

    /// [`Io::read_spare`].
    #[inline(always)]
    pub fn read_spare<'a, B: Spare>(&'a self, buf: &'a mut B) -> Request<'a> {
        Io::read_spare(buf).on(self)
    }

    /// [`Io::write`].
    #[inline(always)]
    pub fn write<'a>(&'a self, buf: &'a [u8]) -> Request<'a> {
        Io::write(buf).on(self)
    }

    /// [`Io::read_vectored`].
    #[inline(always)]
    pub fn read_vectored<'a, const N: usize>(
        &'a self,
        vectors: &'a mut IoVecs<N>,
        bufs: [&'a mut [u8]; N],
    ) -> Request<'a> {
        Io::read_vectored(vectors, bufs).on(self)
    }

    /// [`Io::write_vectored`].
    #[inline(always)]
    pub fn write_vectored<'a, const N: usize>(
        &'a self,
        vectors: &'a mut IoVecs<N>,
        bufs: [&'a [u8]; N],
    ) -> Request<'a> {
        Io::write_vectored(vectors, bufs).on(self)
    }

    /// [`Io::read_at`].
    #[inline(always)]
    pub fn read_at<'a>(&'a self, buf: &'a mut [u8], offset: u64) -> Request<'a> {
        Io::read_at(buf, offset).on(self)
    }

    /// [`Io::write_at`].
    #[inline(always)]
    pub fn write_at<'a>(&'a self, buf: &'a [u8], offset: u64) -> Request<'a> {
        Io::write_at(buf, offset).on(self)
    }

    /// [`Io::read_vectored_at`].
    #[inline(always)]
    pub fn read_vectored_at<'a, const N: usize>(
        &'a self,
        vectors: &'a mut IoVecs<N>,
        bufs: [&'a mut [u8]; N],
        offset: u64,
    ) -> Request<'a> {
        Io::read_vectored_at(vectors, bufs, offset).on(self)
    }

    /// [`Io::write_vectored_at`].
    #[inline(always)]
    pub fn write_vectored_at<'a, const N: usize>(
        &'a self,
        vectors: &'a mut IoVecs<N>,
        bufs: [&'a [u8]; N],
        offset: u64,
    ) -> Request<'a> {
        Io::write_vectored_at(vectors, bufs, offset).on(self)
    }

    /// [`Io::recv`].
    #[inline(always)]
    pub fn recv<'a>(&'a self, buf: &'a mut [u8], flags: i32) -> Request<'a> {
        Io::recv(buf, flags).on(self)
    }

    /// [`Io::send`].
    #[inline(always)]
    pub fn send<'a>(&'a self, buf: &'a [u8], flags: i32) -> Request<'a> {
        Io::send(buf, flags).on(self)
    }

    /// [`Io::recv_from`].
    #[inline(always)]
    pub fn recv_from<'a>(&'a self, buf: &'a mut [u8], from: &'a mut Address) -> Request<'a> {
        Io::recv_from(buf, from).on(self)
    }

    /// [`Io::send_to`].
    #[inline(always)]
    pub fn send_to<'a>(&'a self, buf: &'a [u8], to: &'a mut Address) -> Request<'a> {
        Io::send_to(buf, to).on(self)
    }

    /// [`Io::receive`].
    #[inline(always)]
    pub fn receive<'a, const N: usize>(
        &'a self,
        message: &'a mut Message<N>,
        bufs: [&'a mut [u8]; N],
    ) -> Request<'a> {
        Io::receive(message, bufs).on(self)
    }

    /// [`Io::transmit`].
    #[inline(always)]
    pub fn transmit<'a, const N: usize>(
        &'a self,
        message: &'a mut Message<N>,
        bufs: [&'a [u8]; N],
    ) -> Request<'a> {
        Io::transmit(message, bufs).on(self)
    }

    /// [`Io::accept`].
    #[inline(always)]
    pub fn accept(&self) -> Request<'_> {
        Io::accept().on(self)
    }

    /// [`Io::accept_from`].
    #[inline(always)]
    pub fn accept_from<'a>(&'a self, peer: &'a mut Address) -> Request<'a> {
        Io::accept_from(peer).on(self)
    }

    /// [`Io::connect`].
    #[inline(always)]
    pub fn connect<'a>(&'a self, to: &'a mut Address) -> Request<'a> {
        Io::connect(to).on(self)
    }

    /// [`Io::shutdown`].
    #[inline(always)]
    pub fn shutdown(&self, how: Shutdown) -> Request<'_> {
        Io::shutdown(how).on(self)
    }

    /// [`Io::send_file`].
    #[inline(always)]
    pub fn send_file<'a>(&'a self, file: BorrowedFd<'a>, offset: u64, len: usize) -> Request<'a> {
        Io::send_file(file, offset, len).on(self)
    }

    /// [`Io::splice`].
    #[inline(always)]
    pub fn splice<'a>(&'a self, from: BorrowedFd<'a>, len: usize) -> Request<'a> {
        Io::splice(from, len).on(self)
    }

    /// [`Io::splice_to`].
    #[inline(always)]
    pub fn splice_to<'a>(&'a self, to: BorrowedFd<'a>, len: usize) -> Request<'a> {
        Io::splice_to(to, len).on(self)
    }

    /// [`Io::sync_all`].
    #[inline(always)]
    pub fn sync_all(&self) -> Request<'_> {
        Io::sync_all().on(self)
    }

    /// [`Io::sync_data`].
    #[inline(always)]
    pub fn sync_data(&self) -> Request<'_> {
        Io::sync_data().on(self)
    }

    /// [`Io::poll`].
    #[inline(always)]
    pub fn poll(&self, readiness: Readiness) -> Request<'_> {
        Io::poll(readiness).on(self)
    }

    /// [`Io::wait`].
    #[inline(always)]
    pub fn wait<'a>(&'a self, exit: &'a mut Exit) -> Request<'a> {
        Io::wait(exit).on(self)
    }

    /// [`Io::reap`].
    #[inline(always)]
    pub fn reap<'a>(&'a self, exit: &'a mut Exit) -> Request<'a> {
        Io::reap(exit).on(self)
    }
}

impl<F: AsFd> Drop for Attached<F> {
    fn drop(&mut self) {
        self.link.detach();
        // SAFETY: it is dropped once, and after it was detached.
        unsafe { ManuallyDrop::drop(&mut self.source) };
        Link::closed();
    }
}

impl<F: AsFd> AsFd for Attached<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl<F: AsFd> AsRawFd for Attached<F> {
    fn as_raw_fd(&self) -> RawFd {
        self.source.as_fd().as_raw_fd()
    }
}

impl<F: AsFd + fmt::Debug> fmt::Debug for Attached<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attached").field(&*self.source).finish()
    }
}
