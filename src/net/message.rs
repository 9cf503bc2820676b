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
/// Descriptors are passed between processes, or within one, over sockets of the family AF_UNIX (unix(7)). The receiver
/// gets new ones of the same open files. They come with the bytes that they were sent with, so at least one byte is to be
/// sent.
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

    /// The peer's address. A message that was received has that of its sender; one that is sent goes there, or, if it is
    /// empty, to where the socket is connected. So a datagram is answered by sending from the same `Message`.
    ///
    /// A stream of the family AF_UNIX may have its peer's address in what it receives, and refuses (AlreadyConnected) to
    /// send to any: there, make it empty before the same `Message` is sent.
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
    /// (Where the option SO_PASSPIDFD of the socket is on, the kernel adds the descriptor of a process; it is closed, and
    /// not among these.)
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
    /// To send fails, with an error in the event, where the socket is not of the family AF_UNIX (InvalidInput), or too
    /// many descriptors are on their way (ETOOMANYREFS).
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
        header.msg_iovlen = N;
        header.msg_control = control.0.cast();
        header.msg_controllen = control.1;
        header.msg_flags = 0;
        (&raw mut *header).cast()
    }

    fn receive(&mut self, result: i32) {
        self.received.clear();
        // If it failed, the kernel has not written the lengths: they are those of the room.
        let is_message = result >= 0;
        self.flags = if is_message { self.header.msg_flags } else { 0 };
        self.address.set_len(if is_message { self.header.msg_namelen } else { 0 });
        let control = std::mem::take(&mut self.header.msg_controllen);
        if is_message {
            // SAFETY: the kernel has received a message, and said how long its control data are. The length is taken, so
            // the descriptors are taken once.
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
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::PipeReader;
    use std::net::UdpSocket;
    use std::os::fd::{AsFd, AsRawFd};
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    const _: () = {
        const fn goes_anywhere<T: Send + Sync>() {}
        goes_anywhere::<Message<2>>();
    };

    /// sendmsg(2) as the library makes it.
    fn transmit<const N: usize>(
        socket: impl AsFd,
        message: &mut Message<N>,
        bufs: [&[u8]; N],
    ) -> io::Result<usize> {
        let header = message.as_it_is(bufs.map(|buf| (buf.as_ptr().cast_mut(), buf.len())));
        // SAFETY: a msghdr of buffers that outlive the call.
        let n = unsafe { libc::sendmsg(socket.as_fd().as_raw_fd(), header.cast(), libc::MSG_NOSIGNAL) };
        usize::try_from(n).map_err(|_| io::Error::last_os_error())
    }

    /// recvmsg(2) as the library makes it: with the hook. It does not wait.
    fn receive<const N: usize>(socket: impl AsFd, message: &mut Message<N>, bufs: [&mut [u8]; N]) -> i32 {
        let header = message.for_kernel(bufs.map(|buf| (buf.as_mut_ptr(), buf.len())));
        receive_into(socket, message, header)
    }

    fn receive_into<const N: usize>(socket: impl AsFd, message: &mut Message<N>, header: *mut u8) -> i32 {
        let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
        // SAFETY: a msghdr of buffers that outlive the call; the hook gets its result.
        unsafe {
            let n = libc::recvmsg(socket.as_fd().as_raw_fd(), header.cast(), flags) as i32;
            Message::<N>::RECEIVED((&raw mut *message).cast(), n);
            n
        }
    }

    /// Descriptors of one pipe, of which can be told whether all are closed.
    fn watched(count: usize) -> (PipeReader, Vec<OwnedFd>) {
        let (reader, writer) = io::pipe().unwrap();
        let writers = (0..count).map(|_| writer.try_clone().unwrap().into()).collect();
        (reader, writers)
    }

    fn is_hung_up(reader: &PipeReader, timeout: libc::c_int) -> bool {
        let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: 0, revents: 0 };
        // SAFETY: one entry.
        assert!(unsafe { libc::poll(&mut entry, 1, timeout) } >= 0);
        entry.revents & libc::POLLHUP != 0
    }

    /// All its writers are closed. (Children of other tests may have them for a moment.)
    #[track_caller]
    fn assert_closed(reader: &PipeReader) {
        assert!(is_hung_up(reader, 20_000));
    }

    #[track_caller]
    fn assert_open(reader: &PipeReader) {
        assert!(!is_hung_up(reader, 0));
    }

    #[test]
    fn descriptors_arrive_in_order_and_close_on_exec() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut outgoing, mut incoming) = (Message::new(), Message::new());
        for count in [0, 1, 2, 253] {
            let device = |i: usize| if i.is_multiple_of(3) { "/dev/zero" } else { "/dev/null" };
            let files = (0..count).map(|i| File::open(device(i)).unwrap().into());
            outgoing.set_descriptors(files).unwrap();
            let mut byte = [0];
            assert_eq!(transmit(&a, &mut outgoing, [b"!"]).unwrap(), 1);
            assert_eq!(receive(&b, &mut incoming, [&mut byte]), 1);
            assert_eq!(byte, *b"!");
            assert!(!incoming.has_lost_descriptors());
            let descriptors = incoming.take_descriptors();
            assert_eq!(descriptors.len(), count);
            for (i, descriptor) in descriptors.into_iter().enumerate() {
                // SAFETY: no pointers.
                let flags = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFD) };
                assert_eq!(flags, libc::FD_CLOEXEC);
                let metadata = File::from(descriptor).metadata().unwrap();
                assert!(metadata.file_type().is_char_device());
                assert_eq!(metadata.rdev(), std::fs::metadata(device(i)).unwrap().rdev());
            }
            assert!(incoming.take_descriptors().is_empty());
        }
    }

    #[test]
    fn none_is_left_over() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut outgoing, mut incoming) = (Message::new(), Message::new());
        for count in [1, 253] {
            let (reader, writers) = watched(count);
            outgoing.set_descriptors(writers).unwrap();
            transmit(&a, &mut outgoing, [b"!"]).unwrap();
            outgoing.set_descriptors([]).unwrap();
            receive(&b, &mut incoming, [&mut [0]]);
            assert_open(&reader);
            // The next message has none: those before are not its own.
            transmit(&a, &mut outgoing, [b"!"]).unwrap();
            assert_eq!(receive(&b, &mut incoming, [&mut [0]]), 1);
            assert!(incoming.take_descriptors().is_empty());
            assert_closed(&reader);
        }
        let (reader, writers) = watched(2);
        outgoing.set_descriptors(writers).unwrap();
        transmit(&a, &mut outgoing, [b"!"]).unwrap();
        receive(&b, &mut incoming, [&mut [0]]);
        drop(outgoing);
        assert_open(&reader);
        drop(incoming);
        assert_closed(&reader);
    }

    #[test]
    fn what_failed_brings_nothing_of_what_was_before() {
        let (a, b) = UnixDatagram::pair().unwrap();
        let (mut outgoing, mut incoming) = (Message::new(), Message::new());
        let (reader, writers) = watched(3);
        outgoing.set_descriptors(writers).unwrap();
        transmit(&a, &mut outgoing, [b"longer"]).unwrap();
        drop(outgoing);
        assert_eq!(receive(&b, &mut incoming, [&mut [0]]), 1);
        assert!(incoming.is_truncated());
        let taken = incoming.take_descriptors();
        // The control data of the first message are still there, with the numbers of descriptors that are open.
        assert_eq!(receive(&b, &mut incoming, [&mut [0]]), -1);
        assert_eq!(io::Error::last_os_error().kind(), io::ErrorKind::WouldBlock);
        assert!(incoming.take_descriptors().is_empty());
        assert!(!incoming.is_truncated() && incoming.address().is_empty());
        assert_open(&reader);
        // Nor do they come when an operation ends that never was carried out.
        let header = incoming.for_kernel([(null_mut(), 0)]);
        // SAFETY: the hook of an operation that has failed.
        unsafe { Message::<1>::RECEIVED((&raw mut incoming).cast(), -1) };
        assert!(!header.is_null() && incoming.take_descriptors().is_empty());
        assert_open(&reader);
        drop(taken);
        assert_closed(&reader);
    }

    #[test]
    fn what_was_not_taken_is_closed_by_a_failure_too() {
        let (a, b) = UnixStream::pair().unwrap();
        let (reader, writers) = watched(1);
        let (mut outgoing, mut incoming) = (Message::new(), Message::new());
        outgoing.set_descriptors(writers).unwrap();
        transmit(&a, &mut outgoing, [b"!"]).unwrap();
        drop(outgoing);
        assert_eq!(receive(&b, &mut incoming, [&mut [0]]), 1);
        assert_open(&reader);
        assert_eq!(receive(&b, &mut incoming, [&mut [0]]), -1);
        assert_closed(&reader);
        drop(a);
        assert_eq!(receive(&b, &mut incoming, [&mut [0]]), 0);
        assert!(incoming.take_descriptors().is_empty());
    }

    #[test]
    fn descriptors_go_with_each_message_until_they_are_replaced() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut outgoing, mut incoming) = (Message::new(), Message::new());
        let (first, writers) = watched(2);
        outgoing.set_descriptors(writers).unwrap();
        for _ in 0..2 {
            transmit(&a, &mut outgoing, [b"!"]).unwrap();
            receive(&b, &mut incoming, [&mut [0]]);
            assert_eq!(incoming.take_descriptors().len(), 2);
        }
        // To receive with it changes nothing of that.
        transmit(&b, &mut incoming, [b"!"]).unwrap();
        receive(&a, &mut outgoing, [&mut [0]]);
        transmit(&a, &mut outgoing, [b"!"]).unwrap();
        receive(&b, &mut incoming, [&mut [0]]);
        assert_eq!(incoming.take_descriptors().len(), 2);

        let (refused, writers) = watched(254);
        let error = outgoing.set_descriptors(writers).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_closed(&refused);
        assert_open(&first);
        let (second, writers) = watched(1);
        outgoing.set_descriptors(writers).unwrap();
        assert_closed(&first);
        assert_open(&second);
    }

    #[test]
    fn what_the_kernel_found_no_room_for_is_told() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut outgoing, mut incoming) = (Message::new(), Message::<1>::new());
        let (reader, writers) = watched(9);
        outgoing.set_descriptors(writers).unwrap();
        transmit(&a, &mut outgoing, [b"!"]).unwrap();
        drop(outgoing);
        let mut byte = [0];
        let header = incoming.for_kernel([(byte.as_mut_ptr(), 1)]);
        incoming.head.header.msg_controllen = 16 + 4 * 2;
        assert_eq!(receive_into(&b, &mut incoming, header), 1);
        assert!(incoming.has_lost_descriptors());
        assert_eq!(incoming.take_descriptors().len(), 2);
        assert_closed(&reader);
    }

    #[test]
    fn what_options_add_is_passed_over_and_a_pidfd_is_closed() {
        const SO_PASSPIDFD: libc::c_int = 76;
        let (a, b) = UnixStream::pair().unwrap();
        for option in [libc::SO_PASSCRED, libc::SO_TIMESTAMP, SO_PASSPIDFD] {
            let on: libc::c_int = 1;
            // SAFETY: four bytes are read.
            let r = unsafe {
                libc::setsockopt(b.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const on).cast(), 4)
            };
            // Kernels before 6.5 have no SO_PASSPIDFD.
            assert!(r == 0 || option == SO_PASSPIDFD);
        }
        let (mut outgoing, mut incoming) = (Message::new(), Message::new());
        let (reader, writers) = watched(253);
        outgoing.set_descriptors(writers).unwrap();
        transmit(&a, &mut outgoing, [b"!"]).unwrap();
        drop(outgoing);
        receive(&b, &mut incoming, [&mut [0]]);
        assert!(!incoming.has_lost_descriptors());
        assert_eq!(incoming.take_descriptors().len(), 253);
        assert_closed(&reader);
        // Other tests have pidfds of their children only.
        let own = format!("Pid:\t{}\n", std::process::id());
        for entry in std::fs::read_dir("/proc/self/fdinfo").unwrap() {
            let info = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            assert!(!info.contains(&own), "a pidfd is left: {info}");
        }
    }

    #[test]
    fn a_datagram_is_answered_with_the_message_that_it_came_in() {
        let (server, client) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        client.send_to(b"Hello", server.local_addr().unwrap()).unwrap();
        let mut message = Message::new();
        let (mut head, mut rest) = ([0; 2], [0; 9]);
        assert_eq!(receive(&server, &mut message, [&mut head, &mut rest]), 5);
        assert_eq!((&head, &rest), (b"He", b"llo\0\0\0\0\0\0"));
        assert_eq!(message.address().to_ip(), Some(client.local_addr().unwrap()));
        assert!(!message.is_truncated());
        assert_eq!(transmit(&server, &mut message, [&rest[..3], &head]).unwrap(), 5);
        let mut answer = [0; 9];
        assert_eq!(client.recv(&mut answer).unwrap(), 5);
        assert_eq!(&answer, b"lloHe\0\0\0\0");
        // Without an address it has nowhere to go.
        *message.address() = Address::new();
        let error = transmit(&server, &mut message, [b"", b"!"]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EDESTADDRREQ));
    }

    #[test]
    fn a_stream_takes_no_address() {
        let path = std::env::temp_dir().join(format!("ioevent-{}-message", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let client = UnixStream::connect(&path).unwrap();
        io::Write::write_all(&mut &listener.accept().unwrap().0, b"!").unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut message = Message::new();
        assert_eq!(receive(&client, &mut message, [&mut [0]]), 1);
        assert_eq!(message.address().to_unix().unwrap().as_pathname(), Some(&*path));
        let error = transmit(&client, &mut message, [b"!"]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EISCONN));
        let text = format!("{message:?}");
        assert!(text.starts_with("Message { address: Address(\"/"), "{text}");
    }
}
