//! Messages: several buffers, an address, and descriptors.

use super::address::Address;
use super::control::{Control, MOST_DESCRIPTORS};
use crate::buffers::IoVecs;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::ptr::null_mut;

/// The head of a message of `N` buffers: the peer's address, and descriptors that go or come with it.
///
/// It is a part of the state of an operation, of [`Io::receive`](crate::Io::receive) or of
/// [`Io::transmit`](crate::Io::transmit), and may be used for one after the other. It is one allocation of 2 KiB.
///
/// Descriptors are passed between processes, or within one, over sockets of the family AF_UNIX (unix(7)); others leave
/// them out. The receiver gets new ones of the same open files. They come with the bytes that they were sent with: send
/// at least one.
///
/// ```
/// use ioevent::net::Message;
/// use ioevent::{Attached, EventPipe, Events, Op, Request};
/// use std::fs::File;
/// use std::io::{self, Read};
/// use std::os::unix::net::UnixStream;
///
/// enum Job {
///     Give { message: Message<1>, to: Attached<UnixStream> },
///     Take { message: Message<1>, byte: [u8; 1], from: Attached<UnixStream> },
/// }
///
/// impl Job {
///     fn start(&mut self) -> Request<'_> {
///         match self {
///             Job::Give { message, to } => to.transmit(message, [b"!"]),
///             Job::Take { message, byte, from } => from.receive(message, [byte]),
///         }
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let pipe = EventPipe::new(2)?;
/// let (from, to) = UnixStream::pair()?;
/// let (from, to) = (pipe.attach(from)?, pipe.attach(to)?);
///
/// let mut message = Message::new();
/// message.set_descriptors([File::open("/dev/zero")?.into()])?;
/// pipe.submit(Op::new(Job::Give { message, to }), Job::start)?;
/// pipe.submit(Op::new(Job::Take { message: Message::new(), byte: [0], from }), Job::start)?;
///
/// let mut events = Events::with_capacity(2);
/// let mut files = Vec::new();
/// while files.is_empty() {
///     for event in pipe.wait(&mut events, None)? {
///         let (mut job, outcome) = event.into_parts();
///         outcome.done()?;
///         if let Job::Take { message, .. } = &mut *job {
///             files = message.take_descriptors();
///         }
///     }
/// }
/// let mut bytes = [1; 4];
/// File::from(files.remove(0)).read_exact(&mut bytes)?;
/// assert_eq!(bytes, [0; 4]);
/// # Ok(()) }
/// ```
pub struct Message<const N: usize> {
    head: Box<Head<N>>,
}

struct Head<const N: usize> {
    header: libc::msghdr,
    vectors: IoVecs<N>,
    address: Address,
    control: Control,
    /// Came with the message that was received last, and not taken.
    received: Vec<OwnedFd>,
    /// Go with each message that is sent.
    passed: Vec<OwnedFd>,
    /// The flags that the last message came with.
    flags: libc::c_int,
}

// SAFETY: the addresses in the header are for the kernel, while an operation has it; no code follows them.
unsafe impl<const N: usize> Send for Head<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Sync for Head<N> {}

impl<const N: usize> Message<N> {
    /// A message without an address or descriptors. Allocates.
    pub fn new() -> Message<N> {
        Message {
            head: Box::new(Head {
                // SAFETY: zero is a valid msghdr.
                header: unsafe { std::mem::zeroed() },
                vectors: IoVecs::new(),
                address: Address::new(),
                control: Control::new(),
                received: Vec::new(),
                passed: Vec::new(),
                flags: 0,
            }),
        }
    }

    /// The peer's address. When a message was received it is that of the sender. What is sent goes to it, or, if it is
    /// empty, to where the socket is connected. So a datagram is answered with the `Message` that it came in.
    ///
    /// A stream of the family AF_UNIX whose peer is bound to a path receives that address, but sends to none (EISCONN):
    /// empty it before what was received there is used to send.
    ///
    /// ```
    /// use ioevent::net::{Address, Message};
    ///
    /// let mut message = Message::<1>::new();
    /// *message.address() = Address::from(std::net::SocketAddr::from(([127, 0, 0, 1], 7777)));
    /// *message.address() = Address::new();
    /// assert!(message.address().is_empty());
    /// ```
    pub fn address(&mut self) -> &mut Address {
        &mut self.head.address
    }

    /// Takes the descriptors that came with the message that was received last, in the order in which they were sent.
    /// They are close-on-exec.
    ///
    /// What is not taken is closed when the next message is received, or failed to be, or the `Message` is dropped.
    /// (With the option SO_PASSPIDFD of the socket the kernel adds the descriptor of a process: it is closed, and not
    /// among these.)
    pub fn take_descriptors(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.head.received)
    }

    /// The descriptors that go with each message sent from now on, instead of those before, which are closed; `[]` for
    /// none. They are kept, and sent again with the next message, until they are replaced or the `Message` is dropped.
    ///
    /// The receiver gets new descriptors of the same open files: these may be closed once the message was sent.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are more than 253, which the kernel does not pass: then all that were given are closed,
    /// and those before are kept.
    ///
    /// A message fails to be sent, with ETOOMANYREFS in its event, while more descriptors are on their way than a
    /// process may have open.
    pub fn set_descriptors(&mut self, descriptors: impl IntoIterator<Item = OwnedFd>) -> io::Result<()> {
        let descriptors: Vec<_> = descriptors.into_iter().take(MOST_DESCRIPTORS + 1).collect();
        if descriptors.len() > MOST_DESCRIPTORS {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        self.head.passed = descriptors;
        Ok(())
    }

    /// Whether the message that was received last was a datagram longer than the buffers: the rest of it is lost.
    pub fn is_truncated(&self) -> bool {
        self.head.flags & libc::MSG_TRUNC != 0
    }

    /// Whether descriptors that were sent with the message that was received last are lost: this process was out of
    /// descriptors, mostly.
    pub fn has_lost_descriptors(&self) -> bool {
        self.head.flags & libc::MSG_CTRUNC != 0
    }

    /// A msghdr for the kernel to fill in, with these buffers. When the operation is complete `RECEIVED` is to be run.
    pub(crate) fn for_kernel(&mut self, bufs: [(*mut u8, usize); N]) -> *mut u8 {
        let head = &mut *self.head;
        let (name, _) = head.address.for_kernel();
        let control = head.control.room();
        head.fill(name, bufs, control)
    }

    /// A msghdr for the kernel to read: with these buffers, the address if there is one, and the descriptors.
    pub(crate) fn as_it_is(&mut self, bufs: [(*mut u8, usize); N]) -> *mut u8 {
        let head = &mut *self.head;
        let name = if head.address.is_empty() { null_mut() } else { head.address.as_it_is().0 };
        let control = head.control.pass(&head.passed);
        head.fill(name, bufs, control)
    }

    /// To be run with the result when a message was received, or failed to be: takes over what came with it.
    ///
    /// # Safety
    ///
    /// The pointer is that of a `Message<N>` which is not borrowed. Since its `for_kernel` the msghdr was used for one
    /// operation, to receive, whose result this is.
    pub(crate) const RECEIVED: unsafe fn(*mut (), i32) = |message, result| {
        // SAFETY: the caller vouches for it.
        let message = unsafe { &mut *message.cast::<Message<N>>() };
        message.head.receive(result);
    };
}

impl<const N: usize> Head<N> {
    fn fill(&mut self, name: *mut u8, bufs: [(*mut u8, usize); N], control: (*mut u8, usize)) -> *mut u8 {
        let header = &mut self.header;
        header.msg_name = name.cast();
        header.msg_namelen = if name.is_null() { 0 } else { self.address.len() };
        header.msg_iov = self.vectors.fill(bufs).cast();
        header.msg_iovlen = N as _;
        header.msg_control = control.0.cast();
        header.msg_controllen = control.1 as _;
        header.msg_flags = 0;
        (&raw mut *header).cast()
    }

    fn receive(&mut self, result: i32) {
        self.received.clear();
        // If it failed, the kernel has not written the lengths: they are those of the room.
        let is_message = result >= 0;
        self.flags = if is_message { self.header.msg_flags } else { 0 };
        self.address.set_len(if is_message { self.header.msg_namelen } else { 0 });
        let control = std::mem::take(&mut self.header.msg_controllen) as _;
        if is_message {
            // SAFETY: the kernel has received a message, and said how long its control data are. They are taken once:
            // the length is not there any more.
            unsafe { self.control.take_descriptors(control, &mut self.received) };
        }
    }
}

impl<const N: usize> Default for Message<N> {
    fn default() -> Message<N> {
        Message::new()
    }
}

impl<const N: usize> fmt::Debug for Message<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("address", &self.head.address)
            .field("received", &self.head.received)
            .field("passed", &self.head.passed)
            .field("is_truncated", &self.is_truncated())
            .field("has_lost_descriptors", &self.has_lost_descriptors())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
