//! Files, transfers, children.
#![allow(clippy::undocumented_unsafe_blocks)] // Every block is a C call on memory of a World, which lives for ever.

use crate::world::{World, both, disk_file, made, memory_file, must, queued};
use criterion::Criterion;
use ioevent_benches::c::*;
use libc::{iovec, siginfo_t};
use std::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::process::Command;
use std::ptr;

const BLOCK: usize = 4096;

pub(crate) fn all(c: &mut Criterion) {
    let world = World::new();
    blocks(c, &world);
    flushes(c, &world);
    transfers(c, &world);
    children(c, &world);
}

/// A block is read or written: attached, and not.
fn block(
    c: &mut Criterion,
    w: &World,
    name: &str,
    fd: OwnedFd,
    with_ours: impl Fn(c_int) -> isize,
    with_libc: impl Fn(c_int) -> isize,
) {
    let plain = made(fd.try_clone()).into_raw_fd();
    let fd = w.attached(fd);
    both(
        c,
        name,
        || {
            queued(with_ours(fd));
            w.harvest(BLOCK as isize);
        },
        || must(with_libc(plain) == BLOCK as isize, name),
    );
}

fn blocks(c: &mut Criterion, w: &World) {
    let buffer = w.buffer;
    let parts = [iovec { iov_base: buffer, iov_len: BLOCK / 2 }; 2];
    block(
        c,
        w,
        "ioevent_pread, 4 KiB from the page cache",
        disk_file(),
        |fd| unsafe { ioevent_pread(fd, buffer, BLOCK, 0) },
        |fd| unsafe { libc::pread(fd, buffer, BLOCK, 0) },
    );
    block(
        c,
        w,
        "ioevent_pread, 4 KiB of a memfd (by the pool)",
        memory_file(),
        |fd| unsafe { ioevent_pread(fd, buffer, BLOCK, 0) },
        |fd| unsafe { libc::pread(fd, buffer, BLOCK, 0) },
    );
    block(
        c,
        w,
        "ioevent_preadv, 4 KiB from the page cache",
        disk_file(),
        |fd| unsafe { ioevent_preadv(fd, parts.as_ptr(), 2, 0) },
        |fd| unsafe { libc::preadv(fd, parts.as_ptr(), 2, 0) },
    );
    block(
        c,
        w,
        "ioevent_pwrite, 4 KiB to a memfd (by the pool)",
        memory_file(),
        |fd| unsafe { ioevent_pwrite(fd, buffer, BLOCK, 0) },
        |fd| unsafe { libc::pwrite(fd, buffer, BLOCK, 0) },
    );
    block(
        c,
        w,
        "ioevent_pwritev, 4 KiB to a memfd (by the pool)",
        memory_file(),
        |fd| unsafe { ioevent_pwritev(fd, parts.as_ptr(), 2, 0) },
        |fd| unsafe { libc::pwritev(fd, parts.as_ptr(), 2, 0) },
    );
}

fn flushes(c: &mut Criterion, w: &World) {
    let (plain, fd) = (memory_file().into_raw_fd(), w.attached(memory_file()));
    both(
        c,
        "ioevent_fsync of a memfd (by the pool)",
        || unsafe {
            queued(ioevent_fsync(fd) as isize);
            w.harvest(0);
        },
        || unsafe { must(libc::fsync(plain) == 0, "fsync") },
    );
    both(
        c,
        "ioevent_fdatasync of a memfd (by the pool)",
        || unsafe {
            queued(ioevent_fdatasync(fd) as isize);
            w.harvest(0);
        },
        || unsafe { must(libc::fdatasync(plain) == 0, "fdatasync") },
    );
}

fn transfers(c: &mut Criterion, w: &World) {
    let source = disk_file().into_raw_fd();
    let [near, far] = w.plain;
    let (mut one, mut other) = (0, 0);
    both(
        c,
        "ioevent_sendfile, 4 KiB from the page cache to a socket",
        || unsafe {
            one = 0;
            queued(ioevent_sendfile(w.near, source, &mut one, BLOCK));
            w.harvest(BLOCK as isize);
            w.drain(w.far);
        },
        || unsafe {
            other = 0;
            must(libc::sendfile(near, source, &mut other, BLOCK) == BLOCK as isize, "sendfile");
            w.drain(far);
        },
    );
    let mut ends = [0; 2];
    must(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } == 0, "pipe2");
    let [out, into] = ends;
    let fill = || unsafe { must(libc::write(into, w.buffer, BLOCK) == BLOCK as isize, "write") };
    let none = ptr::null_mut();
    both(
        c,
        "ioevent_splice, 4 KiB from a pipe to a socket",
        || unsafe {
            fill();
            queued(ioevent_splice(out, none, w.near, none, BLOCK, 0));
            w.harvest(BLOCK as isize);
            w.drain(w.far);
        },
        || unsafe {
            fill();
            must(libc::splice(out, none, near, none, BLOCK, 0) == BLOCK as isize, "splice");
            w.drain(far);
        },
    );
}

fn children(c: &mut Criterion, w: &World) {
    // It has ended, and stays a zombie: WNOWAIT leaves it so.
    let mut child = made(Command::new("true").spawn());
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id() as libc::pid_t, 0) };
    must(number != -1, "pidfd_open");
    let fd = unsafe { OwnedFd::from_raw_fd(number as c_int) };
    let plain = made(fd.try_clone());
    let fd = w.attached(fd);
    // SAFETY: numbers, which may be 0.
    let info: &'static mut siginfo_t = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
    let info = &raw mut *info;
    both(
        c,
        "ioevent_waitid of a child that has ended",
        || unsafe {
            queued(
                ioevent_waitid(libc::P_PIDFD, fd as libc::id_t, info, libc::WEXITED | libc::WNOWAIT) as isize
            );
            w.harvest(0);
        },
        || unsafe {
            let options = libc::WEXITED | libc::WNOWAIT;
            let answer = libc::waitid(libc::P_PIDFD, plain.as_raw_fd() as libc::id_t, info, options);
            must(answer == 0, "waitid");
        },
    );
    must(child.wait().is_ok(), "wait");
}
