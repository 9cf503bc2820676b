//! Pipes, attachments, posting, cancelling, closing, replacing, timers.
#![allow(clippy::undocumented_unsafe_blocks)] // Every block is a C call on memory of a World, which lives for ever.

use crate::world::{MESSAGE, World, both, made, must, ours, queued};
use criterion::Criterion;
use ioevent_benches::c::*;
use std::ffi::c_void;
use std::hint::black_box;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::ptr;

pub(crate) fn all(c: &mut Criterion) {
    let world = World::new();
    pipes(c);
    commands(c, &world);
    posting(c, &world);
    ending(c, &world);
    submitting(c, &world);
}

fn pipes(c: &mut Criterion) {
    both(
        c,
        "ioeventpipe, ioevent_close (beside: eventfd, close)",
        || unsafe { must(ioevent_close(ioeventpipe(1024)) == 0, "close") },
        || unsafe { must(libc::close(libc::eventfd(0, 0)) == 0, "close") },
    );
    ours(c, "ioeventpipe2 with O_NONBLOCK, ioevent_close", || unsafe {
        must(ioevent_close(ioeventpipe2(1024, libc::O_NONBLOCK)) == 0, "close");
    });
    ours(c, "ioevent_strerror", || unsafe {
        black_box(ioevent_strerror(EIOEVENTFULL));
    });
    ours(c, "ioevent_version", || {
        black_box(ioevent_version());
    });
    ours(c, "ioevent_version_string", || {
        black_box(ioevent_version_string());
    });
}

fn commands(c: &mut Criterion, w: &World) {
    let [plain, _] = w.plain;
    ours(c, "ioevent_fcntl F_SETIOEVENTPIPE: attach, detach", || unsafe {
        must(ioevent_fcntl(plain, F_SETIOEVENTPIPE, w.pipe, 1_usize) == 0, "attach");
        must(ioevent_fcntl(plain, F_SETIOEVENTPIPE, -1, 0_usize) == 0, "detach");
    });
    let (mut number, mut user) = (0, ptr::null_mut::<c_void>());
    ours(c, "ioevent_fcntl F_GETIOEVENTPIPE", || unsafe {
        must(
            ioevent_fcntl(w.near, F_GETIOEVENTPIPE, &raw mut number, &raw mut user) == 0,
            "F_GETIOEVENTPIPE",
        );
    });
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    for (name, command) in
        [("F_SETIOEVENTTIMEO", F_SETIOEVENTTIMEO), ("F_GETIOEVENTTIMEO", F_GETIOEVENTTIMEO)]
    {
        ours(c, &format!("ioevent_fcntl {name}"), || unsafe {
            must(ioevent_fcntl(w.near, command, &raw mut time) == 0, name);
        });
    }
    let numbers = [
        ("F_SETIOEVENTFLAGS", F_SETIOEVENTFLAGS, w.near, 0),
        ("F_GETIOEVENTFLAGS", F_GETIOEVENTFLAGS, w.near, 0),
        ("F_SETIOEVENTSZ", F_SETIOEVENTSZ, w.pipe, 1024),
        ("F_GETIOEVENTSZ", F_GETIOEVENTSZ, w.pipe, 0),
        ("F_GETIOEVENTCNT", F_GETIOEVENTCNT, w.pipe, 0),
    ];
    for (name, command, fd, argument) in numbers {
        ours(c, &format!("ioevent_fcntl {name}"), || unsafe {
            must(ioevent_fcntl(fd, command, argument) >= 0, name);
        });
    }
    both(
        c,
        "ioevent_fcntl F_GETFL, handed to libc",
        || unsafe { must(ioevent_fcntl(w.near, libc::F_GETFL) >= 0, "F_GETFL") },
        || unsafe { must(libc::fcntl(w.near, libc::F_GETFL) >= 0, "F_GETFL") },
    );
}

fn posting(c: &mut Criterion, w: &World) {
    let event = Event { result: 7, ..Event::default() };
    let mut room = [event; 64];
    ours(c, "ioevent_wait for an event posted by ioevent_write", || unsafe {
        must(ioevent_write(w.pipe, (&raw const event).cast(), 16) == 16, "post");
        w.harvest(7);
    });
    ours(c, "ioevent_read of an event posted by ioevent_write", || unsafe {
        must(ioevent_write(w.pipe, (&raw const event).cast(), 16) == 16, "post");
        must(ioevent_read(w.pipe, room.as_mut_ptr().cast(), size_of_val(&room)) == 16, "harvest");
    });
}

fn ending(c: &mut Criterion, w: &World) {
    ours(c, "ioevent_cancel of a read that waits", || unsafe {
        queued(ioevent_read(w.near, w.buffer, MESSAGE));
        must(ioevent_cancel(w.near) == 1, "cancel");
        w.harvest(-1);
    });
    ours(c, "ioevent_cancel2 of a read that waits", || unsafe {
        queued(ioevent_read(w.near, w.buffer, MESSAGE));
        must(ioevent_cancel2(w.near, IOEVENT_CANCEL_IN, ptr::null()) == 1, "cancel");
        w.harvest(-1);
    });
    let pair = || {
        let (one, other) = made(UnixStream::pair());
        (one.into_raw_fd(), other)
    };
    both(
        c,
        "ioevent_close after socketpair and F_SETIOEVENTPIPE (beside: socketpair, close)",
        || unsafe {
            let (one, _other) = pair();
            w.attach(one);
            must(ioevent_close(one) == 0, "close");
        },
        || unsafe {
            let (one, _other) = pair();
            must(libc::close(one) == 0, "close");
        },
    );
    let [from, to] = w.plain;
    let target = unsafe { libc::dup(to) };
    both(
        c,
        "ioevent_dup2, nothing attached",
        || unsafe { must(ioevent_dup2(from, target) == target, "dup2") },
        || unsafe { must(libc::dup2(from, target) == target, "dup2") },
    );
    both(
        c,
        "ioevent_dup3, nothing attached",
        || unsafe { must(ioevent_dup3(from, target, libc::O_CLOEXEC) == target, "dup3") },
        || unsafe { must(libc::dup3(from, target, libc::O_CLOEXEC) == target, "dup3") },
    );
}

fn submitting(c: &mut Criterion, w: &World) {
    // SAFETY: numbers and pointers, which may be 0.
    let nothing: Operation = unsafe { std::mem::zeroed() };
    let write = Operation { kind: IOEVENT_OP_WRITE, fd: w.near, buf: w.buffer, len: MESSAGE, ..nothing };
    let read = Operation { kind: IOEVENT_OP_READ, ..write };
    ours(c, "ioevent_submit of a write", || unsafe {
        must(ioevent_submit(&write, 1) == 1, "submit");
        w.harvest(MESSAGE as isize);
        w.drain(w.far);
    });
    ours(c, "ioevent_submit of a read", || unsafe {
        w.fill(w.far);
        must(ioevent_submit(&read, 1) == 1, "submit");
        w.harvest(MESSAGE as isize);
    });
    let hour = libc::timespec { tv_sec: 3600, tv_nsec: 0 };
    let timer = Operation { kind: IOEVENT_OP_TIMER, fd: w.pipe, timeout: hour, ..nothing };
    ours(c, "ioevent_submit of a timer, ioevent_cancel", || unsafe {
        must(ioevent_submit(&timer, 1) == 1, "submit");
        must(ioevent_cancel(w.pipe) == 1, "cancel");
        w.harvest(-1);
    });
}
