//! Every kind of descriptor that can be attached (rule 4.1), read: before there is anything, and when there is.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use ioevent::{Attached, EventPipe, Io, Op, Readiness};
use nix::fcntl::OFlag;
use nix::pty::openpty;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::Mode;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::{mkfifo, pipe2, write};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use support::{Watchdog, none, one, pair};

type Buffer = [u8; 16];

/// Attaches it, and reads what `send` makes be there, which is `expected`, both into a read that waits for it and into
/// one that comes later.
fn reads<F: AsFd + 'static>(source: F, mut send: impl FnMut(), expected: &[u8]) -> F {
    let pipe = EventPipe::<Buffer>::new(2).unwrap();
    let attached = pipe.attach(source).unwrap();
    let mut op = Op::new([0; 16]);
    for early in [true, false, true] {
        if !early {
            send();
        }
        pipe.submit_on(&attached, op, |b| Io::read(b)).unwrap();
        if early {
            none(&pipe);
            send();
        }
        let outcome;
        (op, outcome) = one(&pipe);
        let count = outcome.bytes().unwrap();
        assert_eq!(&op[..count], expected);
        none(&pipe);
    }
    attached.into_inner()
}

/// The same for writing: all of it is taken.
fn writes<F: AsFd + 'static>(source: F, bytes: &'static [u8]) -> F {
    let pipe = EventPipe::new(1).unwrap();
    let attached = pipe.attach(source).unwrap();
    pipe.submit_on(&attached, Op::new(()), |()| Io::write(bytes)).unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), bytes.len());
    attached.into_inner()
}

#[test]
fn stream_sockets() {
    let _watchdog = Watchdog::new();
    let (ours, mut theirs) = pair();
    let ours: UnixStream = reads(ours, || theirs.write_all(b"stream").unwrap(), b"stream");
    writes(ours, b"back");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let ours = listener.accept().unwrap().0;
    writes(reads(ours, || theirs.write_all(b"tcp").unwrap(), b"tcp"), b"back");
}

#[test]
fn sockets_with_messages() {
    let _watchdog = Watchdog::new();
    for kind in [SockType::Datagram, SockType::SeqPacket] {
        let (ours, theirs) = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let ours = reads(ours, || assert_eq!(write(&theirs, b"message"), Ok(7)), b"message");
        writes(ours, b"back");
    }
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    let theirs = UdpSocket::bind("127.0.0.1:0").unwrap();
    ours.connect(theirs.local_addr().unwrap()).unwrap();
    theirs.connect(ours.local_addr().unwrap()).unwrap();
    writes(reads(ours, || assert_eq!(theirs.send(b"udp").unwrap(), 3), b"udp"), b"back");
}

#[test]
fn pipes() {
    let _watchdog = Watchdog::new();
    for flags in [OFlag::O_CLOEXEC, OFlag::O_CLOEXEC | OFlag::O_NONBLOCK] {
        let (reader, writer) = pipe2(flags).unwrap();
        let reader: OwnedFd = reads(reader, || assert_eq!(write(&writer, b"pipe"), Ok(4)), b"pipe");
        writes(writer, b"more");
        let mut all = Vec::new();
        File::from(reader).read_to_end(&mut all).unwrap();
        assert_eq!(all, b"more");
    }
}

#[test]
fn fifos() {
    let _watchdog = Watchdog::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    // To open one end would wait for the other.
    let both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let reader = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path).unwrap();
    let writer = OpenOptions::new().write(true).open(&path).unwrap();
    drop(both);
    let reader = reads(reader, || (&writer).write_all(b"fifo").unwrap(), b"fifo");
    writes(writer, b"more");
    let pipe = EventPipe::<Buffer>::new(2).unwrap();
    let reader = pipe.attach(reader).unwrap();
    for count in [4, 0] {
        pipe.submit_on(&reader, Op::new([0; 16]), |b| Io::read(b)).unwrap();
        assert_eq!(one(&pipe).1.bytes().unwrap(), count);
    }
}

#[test]
fn terminals() {
    let _watchdog = Watchdog::new();
    let terminal = openpty(None, None).unwrap();
    let (master, slave) = (terminal.master, terminal.slave);
    // Line by line, as a terminal is.
    let slave = reads(slave, || assert_eq!(write(&master, b"a line\n"), Ok(7)), b"a line\n");
    let mut raw = tcgetattr(&slave).unwrap();
    cfmakeraw(&mut raw);
    tcsetattr(&slave, SetArg::TCSAFLUSH, &raw).unwrap();
    let slave = reads(slave, || assert_eq!(write(&master, b"raw"), Ok(3)), b"raw");
    let slave = writes(slave, b"out");
    // What it has echoed comes first.
    let pipe = EventPipe::<[u8; 256]>::new(1).unwrap();
    let attached = pipe.attach(master).unwrap();
    let mut all = Vec::new();
    while !all.ends_with(b"out") {
        pipe.submit_on(&attached, Op::new([0; 256]), |b| Io::read(b)).unwrap();
        let (op, outcome) = one(&pipe);
        all.extend_from_slice(&op[..outcome.bytes().unwrap()]);
    }
    reads(attached.into_inner(), || assert_eq!(write(&slave, b"master"), Ok(6)), b"master");
}

#[test]
fn eventfds() {
    let _watchdog = Watchdog::new();
    for flags in [EfdFlags::EFD_CLOEXEC, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK] {
        let pipe = EventPipe::new(1).unwrap();
        let counter: Attached<EventFd> = pipe.attach(EventFd::from_flags(flags).unwrap()).unwrap();
        for value in [1_u64, 7, 1 << 40] {
            pipe.submit_on(&counter, Op::new([0; 8]), |b| Io::read(b)).unwrap();
            none(&pipe);
            counter.get_ref().write(value).unwrap();
            let (op, outcome) = one(&pipe);
            assert_eq!((outcome.count(), u64::from_ne_bytes(*op)), (Some(8), value));
        }
        // A write that would overflow waits.
        counter.get_ref().write(u64::MAX - 1).unwrap();
        pipe.submit_on(&counter, Op::new(1_u64.to_ne_bytes()), |b| Io::write(b)).unwrap();
        none(&pipe);
        assert_eq!(counter.get_ref().read(), Ok(u64::MAX - 1));
        assert_eq!(one(&pipe).1.bytes().unwrap(), 8);
        assert_eq!(counter.get_ref().read(), Ok(1));
    }
}

#[test]
fn timerfds() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(1).unwrap();
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC).unwrap();
    let timer = pipe.attach(timer).unwrap();
    pipe.submit_on(&timer, Op::new([0; 8]), |b| Io::read(b)).unwrap();
    none(&pipe);
    let soon = Expiration::OneShot(TimeSpec::from_duration(Duration::from_millis(10)));
    timer.get_ref().set(soon, TimerSetTimeFlags::empty()).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), u64::from_ne_bytes(*op)), (Some(8), 1));
}

#[test]
fn watched_directories() {
    let _watchdog = Watchdog::new();
    let directory = tempfile::tempdir().unwrap();
    let watch = Inotify::init(InitFlags::IN_CLOEXEC).unwrap();
    watch.add_watch(directory.path(), AddWatchFlags::IN_CREATE).unwrap();
    let pipe = EventPipe::new(1).unwrap();
    let watch = pipe.attach(watch).unwrap();
    let mut op = Op::new([0; 512]);
    for name in ["first", "second"] {
        pipe.submit_on(&watch, op, |b| Io::read(b)).unwrap();
        none(&pipe);
        File::create(directory.path().join(name)).unwrap();
        let outcome;
        (op, outcome) = one(&pipe);
        let event = &op[..outcome.bytes().unwrap()];
        assert!(event.windows(name.len()).any(|part| part == name.as_bytes()));
    }
}

#[test]
fn files() {
    let _watchdog = Watchdog::new();
    let memory = File::from(memfd_create("ioevent", MFdFlags::MFD_CLOEXEC).unwrap());
    for file in [tempfile::tempfile().unwrap(), memory] {
        let mut file = writes(file, b"written");
        file.seek(SeekFrom::Start(0)).unwrap();
        let pipe = EventPipe::new(2).unwrap();
        let file = pipe.attach(file).unwrap();
        for count in [7, 0] {
            pipe.submit_on(&file, Op::new([0; 16]), |b| Io::read(b)).unwrap();
            assert_eq!(one(&pipe).1.bytes().unwrap(), count);
        }
        pipe.submit_on(&file, Op::new([0; 16]), |_| Io::poll(Readiness::READABLE | Readiness::WRITABLE))
            .unwrap();
        let found = one(&pipe).1.readiness().unwrap();
        assert_eq!(found, Readiness::READABLE | Readiness::WRITABLE);
    }
}

#[test]
fn character_devices() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(2).unwrap();
    let zero = pipe.attach(File::open("/dev/zero").unwrap()).unwrap();
    pipe.submit_on(&zero, Op::new([1; 16]), |b| Io::read(b)).unwrap();
    let (op, outcome) = one(&pipe);
    assert_eq!((outcome.count(), *op), (Some(16), [0; 16]));
    let null = pipe.attach(OpenOptions::new().read(true).write(true).open("/dev/null").unwrap()).unwrap();
    pipe.submit_on(&null, op, |b| Io::read(b)).unwrap();
    assert_eq!(one(&pipe).1.bytes().unwrap(), 0);
    writes(null.into_inner(), b"nowhere");
}

/// A poll is told of each of them, too, and leaves what is there to be read by other means (rule 2.10).
#[test]
fn polls() {
    let _watchdog = Watchdog::new();
    fn polls<F: AsFd + 'static>(source: F, send: impl FnOnce(&F)) {
        let pipe = EventPipe::new(1).unwrap();
        let attached = pipe.attach(source).unwrap();
        pipe.submit_on(&attached, Op::new(()), |()| Io::poll(Readiness::READABLE)).unwrap();
        none(&pipe);
        send(attached.get_ref());
        assert!(one(&pipe).1.readiness().unwrap().contains(Readiness::READABLE));
    }
    let (ours, mut theirs) = pair();
    polls(ours, |mut ours| {
        theirs.write_all(b"x").unwrap();
        // Again if it was not there when the event was made.
        ours.read_exact(&mut [0]).unwrap();
        theirs.write_all(b"y").unwrap();
    });
    let (reader, writer) = nix::unistd::pipe().unwrap();
    polls(reader, |_| assert_eq!(write(&writer, b"x"), Ok(1)));
    let terminal = openpty(None, None).unwrap();
    polls(terminal.slave, |_| assert_eq!(write(&terminal.master, b"x\n"), Ok(2)));
    polls(EventFd::new().unwrap(), |counter| assert_eq!(counter.write(1), Ok(8)));
}
