//! Calls that only sockets have: accept, connect, datagrams, shutdown.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::net::{Address, stream_socket};
use ioevent::{Attached, EventPipe, Io, Op, Request};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{Backlog, MsgFlags, listen};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use support::{Watchdog, errno, none, one, pair, several};

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn is_close_on_exec(descriptor: impl AsFd) -> bool {
    FdFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFD).unwrap()).contains(FdFlag::FD_CLOEXEC)
}

#[test]
fn an_accept_gives_a_descriptor() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = pipe.attach(listener).unwrap();
    pipe.submit(Op::new(listener), |l| l.accept()).unwrap();
    none(&pipe);
    let mut client = TcpStream::connect(address).unwrap();
    let (listener, outcome) = one(&pipe);
    // It is no count of bytes.
    assert_eq!(outcome.count(), None);
    assert!(outcome.error().is_none());
    let accepted = outcome.descriptor().unwrap();
    assert!(is_close_on_exec(&accepted));
    let mut accepted = TcpStream::from(accepted);
    assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
    accepted.write_all(b"hello").unwrap();
    let mut received = [0; 5];
    client.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"hello");
    // What was accepted is not attached.
    drop(pipe.attach(accepted).unwrap());
    pipe.submit(listener, |l| l.accept()).unwrap();
}

#[test]
fn an_accept_says_who_it_was() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        // Not every machine has IPv6.
        let Ok(listener) = TcpListener::bind(bind) else { continue };
        let address = listener.local_addr().unwrap();
        let listener = pipe.attach(listener).unwrap();
        pipe.submit_on(&listener, Op::new(Address::new()), |a| Io::accept_from(a)).unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (peer, outcome) = one(&pipe);
        assert_eq!(peer.to_ip(), Some(client.local_addr().unwrap()));
        drop(outcome.descriptor().unwrap());
    }
}

#[test]
fn several_accepts_wait_at_once() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(8).unwrap();
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = pipe.attach(listener).unwrap();
    for number in 0..8 {
        pipe.submit_on(&listener, Op::new((number, Address::new())), |(_, a)| Io::accept_from(a)).unwrap();
    }
    for number in 0..8 {
        let client = TcpStream::connect(address).unwrap();
        let (op, outcome) = one(&pipe);
        assert_eq!((op.0, op.1.to_ip()), (number, Some(client.local_addr().unwrap())));
        drop(outcome.descriptor().unwrap());
    }
}

#[test]
fn a_connection_is_made() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let socket = stream_socket(&address).unwrap();
    assert!(is_close_on_exec(&socket));
    let socket = pipe.attach(socket).unwrap();
    pipe.submit_on(&socket, Op::new(Address::from(address)), |a| Io::connect(a)).unwrap();
    // A write waits for it.
    pipe.submit_on(&socket, Op::new(Address::new()), |_| Io::write(b"hello")).unwrap();
    let (op, outcome) = one(&pipe);
    outcome.done().unwrap();
    assert_eq!(op.to_ip(), Some(address));
    assert_eq!(one(&pipe).1.bytes().unwrap(), 5);
    let mut received = [0; 5];
    listener.accept().unwrap().0.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"hello");
}

#[test]
fn a_connection_is_refused() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    // A port that is taken, and at which nothing listens.
    let taken = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Inet,
        nix::sys::socket::SockType::Stream,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )
    .unwrap();
    let any = nix::sys::socket::SockaddrIn::new(127, 0, 0, 1, 0);
    nix::sys::socket::bind(std::os::fd::AsRawFd::as_raw_fd(&taken), &any).unwrap();
    let address = TcpListener::from(taken.try_clone().unwrap()).local_addr().unwrap();
    let socket = pipe.attach(stream_socket(&address).unwrap()).unwrap();
    pipe.submit_on(&socket, Op::new(Address::from(address)), |a| Io::connect(a)).unwrap();
    assert_eq!(one(&pipe).1.done().unwrap_err().kind(), ErrorKind::ConnectionRefused);
    // Now something does.
    listen(&taken, Backlog::new(1).unwrap()).unwrap();
    let socket = pipe.attach(stream_socket(&address).unwrap()).unwrap();
    pipe.submit_on(&socket, Op::new(Address::from(address)), |a| Io::connect(a)).unwrap();
    one(&pipe).1.done().unwrap();
}

struct Datagram {
    peer: Address,
    bytes: [u8; 64],
    length: usize,
}

impl Datagram {
    fn new() -> Op<Datagram> {
        Op::new(Datagram { peer: Address::new(), bytes: [0; 64], length: 0 })
    }
}

#[test]
fn datagrams_come_from_and_go_to_somewhere() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let socket = UdpSocket::bind(ANY_PORT).unwrap();
    let address = socket.local_addr().unwrap();
    let socket = pipe.attach(socket).unwrap();
    let client = UdpSocket::bind(ANY_PORT).unwrap();
    pipe.submit_on(&socket, Datagram::new(), |d| Io::recv_from(&mut d.bytes, &mut d.peer)).unwrap();
    client.send_to(b"question", address).unwrap();
    let (mut datagram, outcome) = one(&pipe);
    datagram.length = outcome.bytes().unwrap();
    assert_eq!(&datagram.bytes[..datagram.length], b"question");
    assert_eq!(datagram.peer.to_ip(), Some(client.local_addr().unwrap()));
    datagram.bytes[..6].copy_from_slice(b"answer");
    pipe.submit_on(&socket, datagram, |d| Io::send_to(&d.bytes[..6], &mut d.peer)).unwrap();
    let (datagram, outcome) = one(&pipe);
    assert_eq!(outcome.bytes().unwrap(), 6);
    assert_eq!(datagram.peer.to_ip(), Some(client.local_addr().unwrap()));
    let mut received = [0; 64];
    assert_eq!(client.recv_from(&mut received).unwrap(), (6, address));
    assert_eq!(&received[..6], b"answer");
}

/// MSG_TRUNC counts what was cut off too; nothing is written beyond the buffer.
#[test]
fn a_datagram_that_is_too_long_is_cut_off() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let ours = pipe.attach(ours).unwrap();
    let mut op = Op::new([0; 8]);
    for (flags, count) in [(MsgFlags::empty(), 4), (MsgFlags::MSG_TRUNC, 6)] {
        *op = [9; 8];
        pipe.submit_on(&ours, op, |b| Io::recv(&mut b[..4], flags.bits())).unwrap();
        theirs.send(b"abcdef").unwrap();
        let outcome;
        (op, outcome) = one(&pipe);
        assert_eq!((outcome.count(), &*op), (Some(count), b"abcd\t\t\t\t"));
    }
}

#[test]
fn flags_of_recv_and_send_are_the_kernel_s() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    theirs.write_all(b"peek").unwrap();
    fn peek(buffer: &mut [u8; 8]) -> Io<'_> {
        Io::recv(buffer, MsgFlags::MSG_PEEK.bits())
    }
    for _ in 0..2 {
        pipe.submit_on(&ours, Op::new([0; 8]), peek).unwrap();
        let (op, outcome) = one(&pipe);
        assert_eq!((outcome.count(), &op[..4]), (Some(4), &b"peek"[..]));
    }
    // All or nothing.
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::recv(b, MsgFlags::MSG_WAITALL.bits())).unwrap();
    none(&pipe);
    theirs.write_all(b" all").unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), &*op), (Some(8), b"peek all"));
    pipe.submit_on(&ours, op, |b| Io::send(b, MsgFlags::MSG_NOSIGNAL.bits())).unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), 8);
    // MSG_DONTWAIT does not count (rule 2.4): this waits.
    pipe.submit_on(&ours, Op::new([0; 8]), |b| Io::recv(b, MsgFlags::MSG_DONTWAIT.bits())).unwrap();
    none(&pipe);
    theirs.write_all(b"x").unwrap();
    assert_eq!(one(&pipe).1.count(), Some(1));
}

#[test]
fn a_shutdown_waits_for_the_writes_before_it() {
    let _watchdog = Watchdog::new();
    const LENGTH: usize = 1 << 20;
    let pipe = EventPipe::new(2).unwrap();
    let (ours, mut theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(vec![7; LENGTH]), |b| Io::write(b)).unwrap();
    pipe.submit_on(&ours, Op::new(vec![]), |_| Io::shutdown(Shutdown::Write)).unwrap();
    none(&pipe);
    let mut all = Vec::new();
    theirs.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), LENGTH);
    let [(written, count), (_, done)] = <[_; 2]>::try_from(several(&pipe, 2)).unwrap();
    assert_eq!((written.len(), count.count()), (LENGTH, Some(LENGTH)));
    done.done().unwrap();
    // The other direction is open.
    theirs.write_all(b"x").unwrap();
    pipe.submit_on(&ours, Op::new(vec![0]), |b| Io::read(b)).unwrap();
    assert_eq!(one(&pipe).1.count(), Some(1));
}

#[test]
fn a_shutdown_of_reading_ends_the_reads() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let (ours, _theirs) = pair();
    let ours = pipe.attach(ours).unwrap();
    pipe.submit_on(&ours, Op::new(("read", [0; 1])), |(_, b)| Io::read(b)).unwrap();
    pipe.submit_on(&ours, Op::new(("shutdown", [0; 1])), |_| Io::shutdown(Shutdown::Read)).unwrap();
    for (op, outcome) in several(&pipe, 2) {
        assert_eq!((outcome.count(), outcome.error().is_none()), (Some(0), true), "{}", op.0);
    }
}

/// Errors of the call come in the event, each with the state (rule 2.6 leaves room for both).
#[test]
fn a_call_that_a_descriptor_does_not_have_fails() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let (ours, _theirs) = nix::unistd::pipe().unwrap();
    let ours: Attached<OwnedFd> = pipe.attach(ours).unwrap();
    type State = (Address, [u8; 4]);
    type Describe = for<'a> fn(&'a mut State) -> Io<'a>;
    let calls: [Describe; 4] = [
        |(_, b)| Io::recv(b, 0),
        |(a, b)| Io::recv_from(b, a),
        |_| Io::accept(),
        |_| Io::shutdown(Shutdown::Both),
    ];
    for describe in calls {
        let number = match pipe.submit_on(&ours, Op::new((Address::new(), [1; 4])), describe) {
            Ok(()) => errno(one(&pipe).1),
            Err(refused) => refused.error().raw_os_error(),
        };
        assert_eq!(number, Some(Errno::ENOTSOCK as i32));
        assert_eq!(pipe.places_taken(), 0);
    }
}

/// The whole of a server and its clients in one pipe, by methods of `Attached`.
#[test]
fn clients_and_a_server_share_a_pipe() {
    let _watchdog = Watchdog::new();
    enum Job {
        Accept(Attached<TcpListener>),
        Connect(Attached<OwnedFd>, Address),
        Ask(Attached<OwnedFd>),
        Hear(Attached<OwnedFd>, [u8; 8]),
        Answer(Attached<OwnedFd>, [u8; 8]),
        Learn(Attached<OwnedFd>, [u8; 8]),
    }
    fn next(job: &mut Job) -> Request<'_> {
        match job {
            Job::Accept(listener) => listener.accept(),
            Job::Connect(socket, to) => socket.connect(to),
            Job::Ask(socket) => socket.send(b"question", 0),
            Job::Hear(socket, buffer) | Job::Learn(socket, buffer) => {
                socket.recv(buffer, MsgFlags::MSG_WAITALL.bits())
            }
            Job::Answer(socket, buffer) => socket.write(buffer),
        }
    }
    const CLIENTS: usize = 20;
    let pipe = EventPipe::new(2 * CLIENTS + 1).unwrap();
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    pipe.submit(Op::new(Job::Accept(pipe.attach(listener).unwrap())), next).unwrap();
    for _ in 0..CLIENTS {
        let socket = pipe.attach(stream_socket(&address).unwrap()).unwrap();
        pipe.submit(Op::new(Job::Connect(socket, address.into())), next).unwrap();
    }
    let mut learnt = 0;
    while learnt < CLIENTS {
        let (job, outcome) = one(&pipe);
        let next_job = match Op::into_inner(job) {
            Job::Accept(listener) => {
                let accepted = pipe.attach(outcome.descriptor().unwrap()).unwrap();
                pipe.submit(Op::new(Job::Hear(accepted, [0; 8])), next).unwrap();
                Job::Accept(listener)
            }
            Job::Connect(socket, _) => {
                outcome.done().unwrap();
                Job::Ask(socket)
            }
            Job::Ask(socket) => {
                assert_eq!(outcome.count(), Some(8));
                Job::Learn(socket, [0; 8])
            }
            Job::Hear(socket, buffer) => {
                assert_eq!((outcome.count(), &buffer), (Some(8), b"question"));
                Job::Answer(socket, *b"answer!!")
            }
            Job::Answer(..) => {
                assert_eq!(outcome.count(), Some(8));
                continue;
            }
            Job::Learn(_, buffer) => {
                assert_eq!((outcome.count(), &buffer), (Some(8), b"answer!!"));
                learnt += 1;
                continue;
            }
        };
        pipe.submit(Op::new(next_job), next).unwrap();
    }
}

#[test]
fn a_buffer_that_the_kernel_would_keep_is_refused() {
    const MSG_ZEROCOPY: i32 = 0x400_0000;
    let pipe = EventPipe::new(1).unwrap();
    let (ours, _theirs) = pair();
    let stream = pipe.attach(ours).unwrap();
    let refused = pipe.submit_on(&stream, Op::new([7; 4]), |b| Io::send(b, MSG_ZEROCOPY)).unwrap_err();
    assert_eq!((refused.error().kind(), *refused.op), (ErrorKind::InvalidInput, [7; 4]));
    assert_eq!(pipe.places_taken(), 0);
}
