//! Reading and writing, and what begins and ends a connection.
#![allow(clippy::undocumented_unsafe_blocks)] // Every block is a C call on memory of a World, which lives for ever.

use crate::world::{MESSAGE, World, both, made, must, ours, queued};
use criterion::Criterion;
use ioevent_benches::c::*;
use libc::{iovec, msghdr, sockaddr, socklen_t};
use std::ffi::c_int;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::ptr;

pub(crate) fn all(c: &mut Criterion) {
    let world = World::new();
    reads(c, &world);
    writes(c, &world);
    others(c, &world);
    connections(c, &world);
}

/// A read of a message that is there.
fn read(
    c: &mut Criterion,
    w: &World,
    name: &str,
    with_ours: impl Fn(c_int) -> isize,
    with_libc: impl Fn(c_int) -> isize,
) {
    let [near, far] = w.plain;
    both(
        c,
        &format!("{name}, the message is there"),
        || {
            w.fill(w.far);
            queued(with_ours(w.near));
            w.harvest(MESSAGE as isize);
        },
        || {
            w.fill(far);
            must(with_libc(near) == MESSAGE as isize, name);
        },
    );
}

/// A write for which there is room.
fn write(
    c: &mut Criterion,
    w: &World,
    name: &str,
    with_ours: impl Fn(c_int) -> isize,
    with_libc: impl Fn(c_int) -> isize,
) {
    let [near, far] = w.plain;
    both(
        c,
        name,
        || {
            queued(with_ours(w.near));
            w.harvest(MESSAGE as isize);
            w.drain(w.far);
        },
        || {
            must(with_libc(near) == MESSAGE as isize, name);
            w.drain(far);
        },
    );
}

/// Two halves of a message.
fn vectors(w: &World) -> [iovec; 2] {
    [iovec { iov_base: w.buffer, iov_len: MESSAGE / 2 }; 2]
}

fn header(vectors: &mut [iovec; 2]) -> msghdr {
    // SAFETY: numbers and pointers, which may be 0.
    let mut header: msghdr = unsafe { std::mem::zeroed() };
    (header.msg_iov, header.msg_iovlen) = (vectors.as_mut_ptr(), vectors.len() as _);
    header
}

fn reads(c: &mut Criterion, w: &World) {
    let (buffer, none) = (w.buffer, ptr::null_mut());
    read(
        c,
        w,
        "ioevent_read",
        |fd| unsafe { ioevent_read(fd, buffer, MESSAGE) },
        |fd| unsafe { libc::read(fd, buffer, MESSAGE) },
    );
    ours(c, "ioevent_read, the message comes later", || unsafe {
        queued(ioevent_read(w.near, buffer, MESSAGE));
        w.fill(w.far);
        w.harvest(MESSAGE as isize);
    });
    let mut parts = vectors(w);
    read(
        c,
        w,
        "ioevent_readv",
        |fd| unsafe { ioevent_readv(fd, parts.as_ptr(), 2) },
        |fd| unsafe { libc::readv(fd, parts.as_ptr(), 2) },
    );
    read(
        c,
        w,
        "ioevent_recv",
        |fd| unsafe { ioevent_recv(fd, buffer, MESSAGE, 0) },
        |fd| unsafe { libc::recv(fd, buffer, MESSAGE, 0) },
    );
    read(
        c,
        w,
        "ioevent_recvfrom",
        |fd| unsafe { ioevent_recvfrom(fd, buffer, MESSAGE, 0, ptr::null_mut(), none) },
        |fd| unsafe { libc::recvfrom(fd, buffer, MESSAGE, 0, ptr::null_mut(), none) },
    );
    let message = &raw mut *Box::leak(Box::new(header(&mut parts)));
    read(
        c,
        w,
        "ioevent_recvmsg",
        |fd| unsafe { ioevent_recvmsg(fd, message, 0) },
        |fd| unsafe { libc::recvmsg(fd, message, 0) },
    );
}

fn writes(c: &mut Criterion, w: &World) {
    let (buffer, none) = (w.buffer.cast_const(), ptr::null());
    write(
        c,
        w,
        "ioevent_write",
        |fd| unsafe { ioevent_write(fd, buffer, MESSAGE) },
        |fd| unsafe { libc::write(fd, buffer, MESSAGE) },
    );
    let mut parts = vectors(w);
    write(
        c,
        w,
        "ioevent_writev",
        |fd| unsafe { ioevent_writev(fd, parts.as_ptr(), 2) },
        |fd| unsafe { libc::writev(fd, parts.as_ptr(), 2) },
    );
    write(
        c,
        w,
        "ioevent_send",
        |fd| unsafe { ioevent_send(fd, buffer, MESSAGE, 0) },
        |fd| unsafe { libc::send(fd, buffer, MESSAGE, 0) },
    );
    write(
        c,
        w,
        "ioevent_sendto",
        |fd| unsafe { ioevent_sendto(fd, buffer, MESSAGE, 0, none, 0) },
        |fd| unsafe { libc::sendto(fd, buffer, MESSAGE, 0, none, 0) },
    );
    let message = &raw const *Box::leak(Box::new(header(&mut parts)));
    write(
        c,
        w,
        "ioevent_sendmsg",
        |fd| unsafe { ioevent_sendmsg(fd, message, 0) },
        |fd| unsafe { libc::sendmsg(fd, message, 0) },
    );
}

fn others(c: &mut Criterion, w: &World) {
    let [plain, _] = w.plain;
    both(
        c,
        "ioevent_poll of what is ready",
        || unsafe {
            queued(ioevent_poll(w.near, libc::POLLOUT) as isize);
            w.harvest(libc::POLLOUT as isize);
        },
        || unsafe {
            let mut entry = libc::pollfd { fd: plain, events: libc::POLLOUT, revents: 0 };
            must(libc::poll(&mut entry, 1, -1) == 1, "poll");
        },
    );
    let null = made(File::options().write(true).open("/dev/null")).into_raw_fd();
    both(
        c,
        "ioevent_write on what is not attached",
        || unsafe { must(ioevent_write(null, w.buffer, MESSAGE) == MESSAGE as isize, "write") },
        || unsafe { must(libc::write(null, w.buffer, MESSAGE) == MESSAGE as isize, "write") },
    );
    // Results that come back directly, on a pair of its own.
    let (near, far) = made(UnixStream::pair());
    let (near, far) = (w.attached(near), far.into_raw_fd());
    let answer = unsafe { ioevent_fcntl(near, F_SETIOEVENTFLAGS, IOEVENT_INLINE) };
    must(answer == 0, "IOEVENT_INLINE");
    let [plain, other] = w.plain;
    both(
        c,
        "ioevent_read with IOEVENT_INLINE, the message is there",
        || unsafe {
            w.fill(far);
            must(ioevent_read(near, w.buffer, MESSAGE) == MESSAGE as isize, "read");
        },
        || unsafe {
            w.fill(other);
            must(libc::read(plain, w.buffer, MESSAGE) == MESSAGE as isize, "read");
        },
    );
}

/// A TCP socket that vanishes when it is closed.
fn tcp_socket(flags: c_int) -> c_int {
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | flags, 0) };
    must(fd != -1 && ioevent_benches::sys::no_linger(&fd).is_ok(), "socket");
    fd
}

fn connections(c: &mut Criterion, w: &World) {
    let listener = made(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    made(listener.set_nonblocking(true));
    let plain = made(listener.try_clone()).into_raw_fd();
    let port = made(listener.local_addr()).port();
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() },
        sin_zero: [0; 8],
    };
    let (to, length) = ((&raw const address).cast::<sockaddr>(), size_of_val(&address) as socklen_t);
    let listener = w.attached(listener);
    let close = |one, other| unsafe { must(libc::close(one) == 0 && libc::close(other) == 0, "close") };
    let client = || unsafe {
        let fd = tcp_socket(0);
        must(libc::connect(fd, to, length) == 0, "connect");
        fd
    };
    let none = ptr::null_mut::<sockaddr>();
    both(
        c,
        "ioevent_accept (with socket, connect, close)",
        || unsafe {
            let fd = client();
            queued(ioevent_accept(listener, none, ptr::null_mut()) as isize);
            close(fd, w.harvested());
        },
        || unsafe {
            let fd = client();
            close(fd, libc::accept(plain, none, ptr::null_mut()));
        },
    );
    both(
        c,
        "ioevent_accept4 (with socket, connect, close)",
        || unsafe {
            let fd = client();
            queued(ioevent_accept4(listener, none, ptr::null_mut(), libc::SOCK_CLOEXEC) as isize);
            close(fd, w.harvested());
        },
        || unsafe {
            let fd = client();
            close(fd, libc::accept4(plain, none, ptr::null_mut(), libc::SOCK_CLOEXEC));
        },
    );
    both(
        c,
        "ioevent_connect (with socket, F_SETIOEVENTPIPE, accept, ioevent_close)",
        || unsafe {
            let fd = tcp_socket(libc::SOCK_NONBLOCK);
            w.attach(fd);
            queued(ioevent_connect(fd, to, length) as isize);
            w.harvest(0);
            let other = libc::accept(plain, none, ptr::null_mut());
            must(ioevent_close(fd) == 0 && libc::close(other) == 0, "close");
        },
        || unsafe {
            let fd = client();
            close(fd, libc::accept(plain, none, ptr::null_mut()));
        },
    );
    both(
        c,
        "ioevent_shutdown (with socketpair, F_SETIOEVENTPIPE, ioevent_close)",
        || unsafe {
            let (one, _other) = made(UnixStream::pair());
            let one = w.attached(one);
            queued(ioevent_shutdown(one, libc::SHUT_WR) as isize);
            w.harvest(0);
            must(ioevent_close(one) == 0, "close");
        },
        || unsafe {
            let (one, _other) = made(UnixStream::pair());
            must(libc::shutdown(one.as_raw_fd(), libc::SHUT_WR) == 0, "shutdown");
        },
    );
}
