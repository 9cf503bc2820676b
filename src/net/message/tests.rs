//! The tests of `message`: real sockets, with the pointers and the hook that an operation has.

use super::*;
use std::fs::File;
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
fn watched(count: usize) -> (OwnedFd, Vec<OwnedFd>) {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    let writers = (0..count).map(|_| writer.try_clone().unwrap()).collect();
    (reader, writers)
}

fn is_hung_up(reader: &OwnedFd, timeout: libc::c_int) -> bool {
    let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one entry.
    assert!(unsafe { libc::poll(&mut entry, 1, timeout) } >= 0);
    entry.revents & libc::POLLHUP != 0
}

/// All its writers are closed. (Children of other tests may have them for a moment.)
#[track_caller]
fn assert_closed(reader: &OwnedFd) {
    assert!(is_hung_up(reader, 20_000));
}

#[track_caller]
fn assert_open(reader: &OwnedFd) {
    assert!(!is_hung_up(reader, 0));
}

#[test]
fn descriptors_arrive_in_order_and_close_on_exec() {
    let (a, b) = UnixStream::pair().unwrap();
    let (mut outgoing, mut incoming) = (Message::new(), Message::new());
    for count in [0, 1, 2, 253] {
        let device = |i: usize| if i % 3 == 0 { "/dev/zero" } else { "/dev/null" };
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
        let r =
            unsafe { libc::setsockopt(b.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const on).cast(), 4) };
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
    let (server, client) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    client.send_to(b"Hello", server.local_addr().unwrap()).unwrap();
    let mut message = Message::new();
    let (mut head, mut rest) = ([0; 2], [0; 9]);
    assert_eq!(receive(&server, &mut message, [&mut head, &mut rest]), 5);
    assert_eq!((&head, &rest), (b"He", b"llo\0\0\0\0\0\0"));
    assert_eq!(message.address().to_ip(), Some(client.local_addr().unwrap()));
    assert!(!message.is_truncated());
    // A socket of this family leaves the descriptors out.
    message.set_descriptors(watched(1).1).unwrap();
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
