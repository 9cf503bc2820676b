//! What kinds of files there are, as far as the way to their I/O differs.

/// What kind of file an attached descriptor is, as far as the way to its I/O differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Class {
    /// Pollable, none of the others: eventfd, timerfd, signalfd, pidfd, inotify, pty masters, devices, ...
    File,
    /// A pipe without a name.
    Pipe,
    /// Of perf_event_open(2).
    Perf,
    /// A FIFO or terminal: I/O goes through an open file of the library's own.
    Reopened,
    /// A regular file, block device or anything else that is always ready: its I/O may wait for a disk.
    Disk,
    /// A regular file by its type that can be waited for with poll(2) all the same, of /proc, /sys and the like: it is,
    /// apart from others, and then a worker does its I/O.
    Special,
    /// A socket of messages.
    Datagram = SOCKET,
    /// The same, shut down for reading: a call that waits gives 0 when there are none, and one that does not wait gives
    /// EAGAIN.
    DatagramShut,
    /// A stream socket; TCP too, once it is known that no short read proves anything.
    Stream,
    /// TCP that connects with its first write (TCP_FASTOPEN_CONNECT).
    Deferred,
    /// TCP on which a short read will prove that nothing is left, once a read has found nothing (`PlainTcp`).
    Tcp,
    /// The same, and that has happened since the engine has watched for urgent data: so none came unseen.
    PlainTcp,
    /// A stream socket of which nothing else is known yet. Most connections live and die without more being asked:
    /// before the first output it has to be known whether that connects, and before a short read can prove anything,
    /// whether it is TCP (`Engine::learn`).
    Fresh,
    /// The same, and something has been read from it: so it has its connection, and an output does not connect.
    Met,
    /// The same, and since then a read has found nothing, once. With the second one it is worth asking for more.
    MetIdle,
}

/// The classes from here on are sockets.
const SOCKET: u8 = 8;

impl Class {
    #[inline]
    pub(crate) fn is_socket(self) -> bool {
        self as u8 >= SOCKET
    }

    #[inline]
    pub(crate) fn is_tcp(self) -> bool {
        matches!(self, Class::Tcp | Class::PlainTcp)
    }

    /// A socket that moves a stream of bytes.
    #[inline]
    pub(crate) fn is_stream_socket(self) -> bool {
        self as u8 >= Class::Stream as u8
    }

    /// Whether it is one of those that tell of a thing only once, whichever thread asks. An epoll instance that is
    /// itself polled would ask twice. So these are in none: the watchdog polls them.
    pub(crate) fn is_polled_apart(self) -> bool {
        matches!(self, Class::Perf | Class::Special)
    }

    /// Whether a write may be taken in parts.
    #[inline]
    pub(crate) fn is_byte_stream(self) -> bool {
        !matches!(self, Class::Datagram | Class::DatagramShut)
    }
}
