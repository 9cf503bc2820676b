//! Operations described, before anything is done.

use crate::buffers::{IoVecs, Spare};
use crate::calls::link::Link;
use crate::calls::owned::RawCall;
use crate::net::{Address, Message};
use crate::op::Hook;
use crate::process::Exit;
use crate::queue::op::{FROM_SOURCE, Kind};
use crate::readiness::Readiness;
use crate::sys::Errno;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// One I/O call and the memory that it works on, without a descriptor: [`on`](Self::on) makes a [`Request`] of it. It
/// does nothing until it is submitted.
///
/// `'a` says how long that memory is lent: in a closure that is given to [`submit`](crate::EventPipe::submit), until
/// the event has been harvested. It is not `Clone`: what it was given to work on is for one operation.
///
/// Each constructor is named after the call of std, or else of POSIX, that does the same and waits. An operation ends
/// as that call would end, whatever O_NONBLOCK says: a read with some bytes, 0 at the end; a write when all bytes
/// were taken. It never ends with `WouldBlock` or `Interrupted`. More than 0x7ffff000 bytes are cut to that.
///
/// Reads of one descriptor (receives, accepts) are carried out in the order in which they were submitted, and so are
/// writes (sends, connects, `send_file`, a shutdown of the writing half); neither waits for the other. What names a
/// place (`read_at` and its like), polls, and waits for children stand on their own.
#[must_use = "does nothing until it is submitted"]
pub struct Io<'a> {
    pub(crate) call: RawCall,
    pub(crate) hook: Option<Hook>,
    refusal: Option<Errno>,
    _lent: PhantomData<&'a mut [u8]>,
}

/// An [`Io`] on a descriptor, or a [`timer`].
#[must_use = "does nothing until it is submitted"]
pub struct Request<'a> {
    pub(crate) waits: Waits,
    pub(crate) io: Io<'a>,
}

/// What a request waits for.
pub(crate) enum Waits {
    /// I/O on this descriptor.
    On(Link),
    /// So many nanoseconds.
    For(u64),
}

const NOTHING: RawCall =
    RawCall { kind: Kind::Poll, flags: 0, arg: 0, buf: 0, len: 0, addr: 0, addrlen: 0, nanoseconds: 0 };

/// 0 is no limit, so no time at all is the shortest; what cannot be said is for ever.
#[inline(always)]
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// The file's own position, as an offset.
const OWN_POSITION: usize = usize::MAX;

#[inline(always)]
fn address<T>(memory: *const T) -> usize {
    memory.expose_provenance()
}

/// An address that is to be sent or connected to, and its length.
fn destination(to: &mut Address) -> (usize, usize) {
    let (start, len) = to.as_it_is();
    // SAFETY: it is of `to`.
    (address(start), unsafe { *len } as usize)
}

impl<'a> Io<'a> {
    #[inline(always)]
    fn new(call: RawCall) -> Io<'a> {
        Io { call, hook: None, refusal: None, _lent: PhantomData }
    }

    #[inline(always)]
    fn input(kind: Kind, buf: &'a mut [u8]) -> Io<'a> {
        Io::new(RawCall { kind, buf: address(buf.as_mut_ptr()), len: buf.len(), ..NOTHING })
    }

    #[inline(always)]
    fn output(kind: Kind, buf: &'a [u8]) -> Io<'a> {
        Io::new(RawCall { kind, buf: address(buf.as_ptr()), len: buf.len(), ..NOTHING })
    }

    /// Why it is not even to be tried.
    #[inline(always)]
    pub(crate) fn refusal(&self) -> Option<Errno> {
        self.refusal
    }

    /// read(2): 1 to `buf.len()` bytes; 0 at the end.
    ///
    /// An empty buffer gives 0 at once, which looks like the end. A `Vec` that has only capacity is empty:
    /// [`read_spare`](Self::read_spare) is for that.
    #[inline(always)]
    pub fn read(buf: &'a mut [u8]) -> Io<'a> {
        Io::input(Kind::Read, buf)
    }

    /// read(2) into what a buffer has spare: it is not zeroed before, and the buffer's length grows by what came.
    ///
    /// With nothing spare the operation is refused (`InvalidInput`): its result could not be told from the end.
    #[inline(always)]
    pub fn read_spare<B: Spare>(buf: &'a mut B) -> Io<'a> {
        let (start, len) = buf.spare();
        // SAFETY: FILLED takes the buffer that the operation has borrowed, and its result.
        let hook = unsafe { Hook::new(B::FILLED, (&raw mut *buf).cast()) };
        let refusal = if len == 0 { Some(Errno::EINVAL) } else { None };
        let call = RawCall { kind: Kind::Read, buf: address(start), len, ..NOTHING };
        Io { hook: Some(hook), refusal, ..Io::new(call) }
    }

    /// write(2): it ends when all bytes were taken.
    #[inline(always)]
    pub fn write(buf: &'a [u8]) -> Io<'a> {
        Io::output(Kind::Write, buf)
    }

    /// readv(2). `vectors` has room for the array that the kernel wants.
    #[inline(always)]
    pub fn read_vectored<const N: usize>(vectors: &'a mut IoVecs<N>, bufs: [&'a mut [u8]; N]) -> Io<'a> {
        let vectors = vectors.fill(bufs.map(|buf| (buf.as_mut_ptr(), buf.len())));
        Io::new(RawCall { kind: Kind::Readv, buf: address(vectors), len: N, ..NOTHING })
    }

    /// writev(2).
    #[inline(always)]
    pub fn write_vectored<const N: usize>(vectors: &'a mut IoVecs<N>, bufs: [&'a [u8]; N]) -> Io<'a> {
        let vectors = vectors.fill(bufs.map(|buf| (buf.as_ptr().cast_mut(), buf.len())));
        Io::new(RawCall { kind: Kind::Writev, buf: address(vectors), len: N, ..NOTHING })
    }

    /// pread(2): at this place in a file. It gives fewer bytes than the buffer has room for only at the end of the
    /// file, or if it is ended early.
    #[inline]
    pub fn read_at(buf: &'a mut [u8], offset: u64) -> Io<'a> {
        Io::input(Kind::Pread, buf).at(offset)
    }

    /// pwrite(2): at this place in a file.
    #[inline]
    pub fn write_at(buf: &'a [u8], offset: u64) -> Io<'a> {
        Io::output(Kind::Pwrite, buf).at(offset)
    }

    /// preadv(2).
    #[inline]
    pub fn read_vectored_at<const N: usize>(
        vectors: &'a mut IoVecs<N>,
        bufs: [&'a mut [u8]; N],
        offset: u64,
    ) -> Io<'a> {
        Io::read_vectored(vectors, bufs).of_kind(Kind::Preadv).at(offset)
    }

    /// pwritev(2).
    #[inline]
    pub fn write_vectored_at<const N: usize>(
        vectors: &'a mut IoVecs<N>,
        bufs: [&'a [u8]; N],
        offset: u64,
    ) -> Io<'a> {
        Io::write_vectored(vectors, bufs).of_kind(Kind::Pwritev).at(offset)
    }

    fn of_kind(mut self, kind: Kind) -> Io<'a> {
        self.call.kind = kind;
        self
    }

    fn at(mut self, offset: u64) -> Io<'a> {
        // A place beyond the last one, which the kernel refuses, as it would this one.
        self.call.addr = i64::try_from(offset).unwrap_or(i64::MAX) as usize;
        self
    }

    /// recv(2). `flags` are the kernel's (MSG_PEEK, MSG_WAITALL and so on); MSG_DONTWAIT has no effect.
    #[inline(always)]
    pub fn recv(buf: &'a mut [u8], flags: i32) -> Io<'a> {
        Io::input(Kind::Recv, buf).flags(flags)
    }

    /// send(2). With MSG_ZEROCOPY it is refused (`InvalidInput`): the kernel would use the buffer after the event.
    #[inline(always)]
    pub fn send(buf: &'a [u8], flags: i32) -> Io<'a> {
        let refusal = if flags & libc::MSG_ZEROCOPY != 0 { Some(Errno::EINVAL) } else { None };
        Io { refusal, ..Io::output(Kind::Send, buf).flags(flags) }
    }

    #[inline(always)]
    fn flags(mut self, flags: i32) -> Io<'a> {
        self.call.arg = flags;
        self
    }

    /// recvfrom(2): a datagram, and where it comes from.
    #[inline]
    pub fn recv_from(buf: &'a mut [u8], from: &'a mut Address) -> Io<'a> {
        let (addr, len) = from.for_kernel();
        let mut io = Io::input(Kind::Recv, buf);
        (io.call.addr, io.call.addrlen) = (address(addr), address(len));
        io
    }

    /// sendto(2): a datagram to this address.
    #[inline]
    pub fn send_to(buf: &'a [u8], to: &'a mut Address) -> Io<'a> {
        let (addr, len) = destination(to);
        let mut io = Io::output(Kind::Send, buf);
        (io.call.addr, io.call.addrlen) = (addr, len);
        io
    }

    /// recvmsg(2): into several buffers, with the peer's address and with descriptors that are passed, close-on-exec.
    #[inline]
    pub fn receive<const N: usize>(message: &'a mut Message<N>, bufs: [&'a mut [u8]; N]) -> Io<'a> {
        let header = message.for_kernel(bufs.map(|buf| (buf.as_mut_ptr(), buf.len())));
        // SAFETY: RECEIVED takes the message that the operation has borrowed, and its result.
        let hook = unsafe { Hook::new(Message::<N>::RECEIVED, (&raw mut *message).cast()) };
        let call =
            RawCall { kind: Kind::Recvmsg, buf: address(header), arg: libc::MSG_CMSG_CLOEXEC, ..NOTHING };
        Io { hook: Some(hook), ..Io::new(call) }
    }

    /// sendmsg(2): out of several buffers, to the message's address if it has one, and with its descriptors.
    #[inline]
    pub fn transmit<const N: usize>(message: &'a mut Message<N>, bufs: [&'a [u8]; N]) -> Io<'a> {
        let header = message.as_it_is(bufs.map(|buf| (buf.as_ptr().cast_mut(), buf.len())));
        Io::new(RawCall { kind: Kind::Sendmsg, buf: address(header), ..NOTHING })
    }

    /// accept(2): a new descriptor, close-on-exec ([`Outcome::descriptor`](crate::Outcome::descriptor)).
    ///
    /// It fails with EMFILE or ENFILE where descriptors have run out, and would fail again at once: submit it again
    /// after a while ([`timer`]), or when a connection has been closed. ECONNABORTED is about one client only.
    #[inline]
    pub fn accept() -> Io<'a> {
        Io::new(RawCall { kind: Kind::Accept, arg: libc::SOCK_CLOEXEC, ..NOTHING })
    }

    /// The same, with the address of the peer.
    #[inline]
    pub fn accept_from(peer: &'a mut Address) -> Io<'a> {
        let (addr, len) = peer.for_kernel();
        let mut io = Io::accept();
        (io.call.addr, io.call.addrlen) = (address(addr), address(len));
        io
    }

    /// connect(2). Reads that are submitted after it wait for it. The address is part of the state, where it
    /// stays while the kernel may look at it; it is not changed. A family that is not the socket's ends it with an
    /// error.
    #[inline]
    pub fn connect(to: &'a mut Address) -> Io<'a> {
        let (addr, addrlen) = destination(to);
        Io::new(RawCall { kind: Kind::Connect, addr, addrlen, ..NOTHING })
    }

    /// shutdown(2): of the writing half after the writes that were submitted before; else at once.
    #[inline]
    pub fn shutdown(how: Shutdown) -> Io<'a> {
        let how = match how {
            Shutdown::Read => libc::SHUT_RD,
            Shutdown::Write => libc::SHUT_WR,
            Shutdown::Both => libc::SHUT_RDWR,
        };
        Io::new(RawCall { kind: Kind::Shutdown, arg: how, ..NOTHING })
    }

    /// sendfile(2): up to `len` bytes of `file` from this place on. (Of an `f` that a pattern has bound it is
    /// `(*f).as_fd()`: `f.as_fd()` borrows the `f` itself.)
    #[inline]
    pub fn send_file(file: BorrowedFd<'a>, offset: u64, len: usize) -> Io<'a> {
        Io::between(Kind::Sendfile, file, len).at(offset)
    }

    /// splice(2): up to `len` bytes from a descriptor, at its own position; one of the two has to be a pipe.
    #[inline]
    pub fn splice(from: BorrowedFd<'a>, len: usize) -> Io<'a> {
        Io::between(Kind::Splice, from, len)
    }

    /// The same, out of the descriptor that the operation is on, in the order of its reads. If the destination is
    /// attached too, submit a [`splice`](Self::splice) on that instead.
    #[inline]
    pub fn splice_to(to: BorrowedFd<'a>, len: usize) -> Io<'a> {
        let mut io = Io::between(Kind::Splice, to, len);
        io.call.flags = FROM_SOURCE;
        io
    }

    fn between(kind: Kind, other: BorrowedFd<'a>, len: usize) -> Io<'a> {
        let number: RawFd = other.as_raw_fd();
        let [addr, addrlen] = [OWN_POSITION; 2];
        Io::new(RawCall { kind, buf: number as u32 as usize, len, addr, addrlen, ..NOTHING })
    }

    /// fsync(2), after the writes that were submitted before.
    #[inline]
    pub fn sync_all() -> Io<'a> {
        Io::new(RawCall { kind: Kind::Fsync, ..NOTHING })
    }

    /// fdatasync(2), after the writes that were submitted before.
    #[inline]
    pub fn sync_data() -> Io<'a> {
        Io::new(RawCall { kind: Kind::Fdatasync, ..NOTHING })
    }

    /// poll(2): it ends when the descriptor is ready for any of these ([`Outcome::readiness`]), and needs no buffer.
    ///
    /// [`Outcome::readiness`]: crate::Outcome::readiness
    #[inline(always)]
    pub fn poll(readiness: Readiness) -> Io<'a> {
        Io::new(RawCall { kind: Kind::Poll, arg: readiness.bits().into(), ..NOTHING })
    }

    /// waitid(2) of a [`PidFd`](crate::process::PidFd): it ends when the child has ended. It is not reaped:
    /// `Child::wait` of std works as ever, and does not wait any more.
    #[inline]
    pub fn wait(exit: &'a mut Exit) -> Io<'a> {
        Io::of_child(exit, libc::WEXITED | libc::WNOWAIT)
    }

    /// The same, and reaps the child. Not for one of which the program has a `std::process::Child`.
    #[inline]
    pub fn reap(exit: &'a mut Exit) -> Io<'a> {
        Io::of_child(exit, libc::WEXITED)
    }

    fn of_child(exit: &'a mut Exit, options: i32) -> Io<'a> {
        Io::new(RawCall { kind: Kind::Waitid, buf: address(exit.for_kernel()), arg: options, ..NOTHING })
    }

    /// Bounds the operation: not finished after this time, it ends with what it has moved
    /// ([`Outcome::ended_early`](crate::Outcome::ended_early)), or with `TimedOut`. No time at all is the shortest;
    /// [`Duration::MAX`] is for ever, whatever limit the descriptor has.
    #[inline]
    pub fn timeout(mut self, time: Duration) -> Io<'a> {
        self.call.nanoseconds = nanoseconds(time);
        self
    }
}

impl Request<'_> {
    /// Bounds the operation, as [`Io::timeout`]; of a timer it is the time.
    #[inline]
    pub fn timeout(mut self, time: Duration) -> Self {
        match &mut self.waits {
            Waits::On(_) => self.io = self.io.timeout(time),
            Waits::For(nanos) => *nanos = nanoseconds(time),
        }
        self
    }
}

/// An event after this time, never early (CLOCK_MONOTONIC). It needs no descriptor; a hundred thousand of them are
/// fine. [`Duration::MAX`] is never.
///
/// ```
/// use ioevent::{EventPipe, Events, Op, timer};
/// use std::time::{Duration, Instant};
///
/// let pipe = EventPipe::new(1)?;
/// let begun = Instant::now();
/// pipe.submit(Op::new(begun), |_| timer(Duration::from_millis(2)))?;
/// let event = pipe.wait(&mut Events::with_capacity(1), None)?.next();
/// assert!(event.is_some_and(|event| event.op().elapsed() >= Duration::from_millis(2)));
/// # std::io::Result::Ok(())
/// ```
#[inline]
pub fn timer(time: Duration) -> Request<'static> {
    Request { waits: Waits::For(nanoseconds(time)), io: Io::new(NOTHING) }
}

impl std::fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io")
            .field("kind", &self.call.kind)
            .field("len", &self.call.len)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.waits {
            Waits::On(_) => self.io.fmt(f),
            Waits::For(nanos) => write!(f, "timer({:?})", Duration::from_nanos(nanos)),
        }
    }
}
