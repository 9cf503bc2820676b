//! I/O that may wait for a disk (`Class::Disk`).
//!
//! What the page cache has is taken at once, with RWF_NOWAIT; the rest is for a worker, which makes the same call
//! without it. What an operation has moved so far is in `Op::done`.
//!
//! Several descriptors may share a file's position (`positions`). Two calls that use it at once follow one another, but
//! for files that memfd_create(2) and the like have made: the kernel has no lock for the position of those. They do not
//! know RWF_NOWAIT either, so all is in the hands of the workers, which lock such a file themselves.
//!
//! That a try with RWF_NOWAIT gives nothing, or a part, does not prove that the file ends there (Linux 5.9 and 5.10 may
//! give that anywhere): only its size does, or a worker's call.

use super::buffers::{self, position, total};
use super::class;
use super::job_file::JobFile;
use super::job_file::Own;
use super::step::{Outcome, Step};
use crate::engine::iovecs::Iovecs;
use crate::queue::op::{Kind, OpRef};
use crate::state::attachment::{Locked, NO_NOWAIT_READ, NO_NOWAIT_WRITE};
use crate::state::file_class::Class;
use crate::state::world;
use crate::sys::file::{self, Buffers};
use crate::sys::{Errno, Result, fd, nature, process};
use core::ffi::c_int;

/// More than this is a worker's even if the page cache has it all: copying it takes a while too.
const MOST_AT_ONCE: usize = 1 << 20;

/// What makes one call for the part of the operation that is left.
type Call = fn(c_int, Buffers, file::Position) -> Result<usize>;

fn is_read(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Read | Kind::Readv | Kind::Pread | Kind::Preadv)
}

fn is_array(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev)
}

/// Whether it uses the file's own position: a submitted pread or pwrite at -1 does, too.
fn moves_position(op: OpRef) -> bool {
    !matches!(op.kind.get(), Kind::Fsync | Kind::Fdatasync) && position(op) == file::Position::OWN
}

/// Goes on after `done` bytes.
fn go_on(fd: c_int, op: OpRef, done: usize, call: Call) -> Result<usize> {
    let at = position(op).after(done);
    match buffers::buffers(op) {
        buffers if done == 0 => call(fd, buffers, at),
        Buffers::One { buf, len } => call(fd, Buffers::One { buf: buf.skip(done), len: len - done }, at),
        // SAFETY: the kernel has moved bytes to or from this array.
        Buffers::Many { iov, count } => unsafe { Iovecs::accepted(iov, count) }
            .rest(done, |iov, count| call(fd, Buffers::Many { iov, count }, at)),
    }
}

/// Tries an operation that reads or writes.
pub(crate) fn attempt(attachment: &Locked, op: OpRef) -> Step {
    if attachment.class.get() == Class::Special {
        return if is_ready(attachment, is_read(op)) { Step::Work } else { Step::Wait };
    }
    let (refuses, call) = if is_read(op) {
        (NO_NOWAIT_READ, file::read_nowait as Call)
    } else {
        (NO_NOWAIT_WRITE, file::write_nowait as Call)
    };
    if attachment.has(refuses) || (!is_array(op) && op.len.get() as usize > MOST_AT_ONCE) {
        return Step::Work;
    }
    let positions = world::world().map(|world| &world.positions);
    let _in_use = match positions {
        Some(positions) if moves_position(op) => match positions.attempt(class::identity(attachment)) {
            Some(in_use) => Some(in_use),
            None => return Step::Work,
        },
        _ => None,
    };
    loop {
        let done = op.done.get() as usize;
        match go_on(attachment.fd(), op, done, call) {
            Ok(0) if !is_at_end(attachment.fd(), op, done) => return Step::Work,
            Ok(n) => {
                op.done.set((done + n) as u32);
                if n == 0 || done + n >= total(op) {
                    return Step::Done(Ok(done + n));
                }
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Step::Work,
            Err(Errno::EOPNOTSUPP) => {
                attachment.mark(refuses);
                return Step::Work;
            }
            Err(_) if done > 0 => return Step::Done(Ok(done)),
            Err(errno) => return Step::Done(Err(errno)),
        }
    }
}

/// Whether poll(2) says of a `Class::Special` that a call would not wait.
pub(crate) fn is_ready(attachment: &Locked, to_read: bool) -> bool {
    let events = if to_read { libc::POLLIN } else { libc::POLLOUT };
    fd::poll_now(attachment.fd(), events) != Ok(0)
}

/// Whether a read that has found nothing after `done` bytes is at the end of its file, or was to move nothing.
fn is_at_end(fd: c_int, op: OpRef, done: usize) -> bool {
    if !is_read(op) || total(op) == 0 {
        return true;
    }
    let at = match position(op).after(done) {
        file::Position::OWN => file::position(fd),
        at => Ok(at.offset()),
    };
    nature::size(fd).is_some_and(|size| at.is_ok_and(|at| at as u64 >= size))
}

/// fsync, fdatasync. The kernel refuses it at once for what is on no disk.
pub(crate) fn sync(attachment: &Locked, op: OpRef) -> Step {
    if matches!(attachment.class.get(), Class::Disk | Class::Special) {
        return Step::Work;
    }
    Step::Done(file::sync(attachment.fd(), op.kind.get() == Kind::Fdatasync))
}

/// Carries out what `attempt` and `sync` have left, waiting for the disk.
pub(crate) fn work(file: &JobFile, op: OpRef) -> Outcome {
    let kind = op.kind.get();
    let nature = match file.call(nature::nature) {
        Ok(nature) => nature,
        Err(errno) => return Outcome::Done(Err(errno)),
    };
    let may_be_short = !nature::is_disk_type(nature.kind) || file.is_special;
    let positions = world::world().map(|world| &world.positions).filter(|_| moves_position(op));
    let _alone = positions.filter(|_| nature.nameless).map(|positions| positions.work_alone(file.identity));
    let _in_use = positions.and_then(|positions| positions.work(file.identity));
    // One system call: the number may be another file's by the time of a second.
    let call: Call = match is_read(op) {
        true => file::read,
        false if may_be_short => file::write,
        false => file::write_file,
    };
    let mut done = op.done.get() as usize;
    let result = loop {
        // Each in a call of its own, as the number may be taken away in between: the copy has the same open file.
        let flags = match file.is_special {
            true => file.call(fd::status_flags).ok().filter(|flags| flags & libc::O_NONBLOCK == 0),
            false => None,
        };
        if let Some(flags) = flags {
            if let Err(errno) = file.call(|fd| fd::set_status_flags(fd, flags | libc::O_NONBLOCK)) {
                break Err(errno);
            }
        }
        let r = file.call(|fd| match kind {
            Kind::Fsync | Kind::Fdatasync => file::sync(fd, kind == Kind::Fdatasync),
            _ => go_on(fd, op, done, call),
        });
        if let Some(flags) = flags {
            let _ = file.call(|fd| fd::set_status_flags(fd, flags));
        }
        match r {
            Err(Errno::EINTR) => {}
            // Another has taken what was there; or it is a device that is never ready to poll(2) and yet does not wait.
            Err(Errno::EAGAIN) => {
                op.done.set(done as u32);
                if !file.is_special {
                    process::pause();
                }
                return Outcome::Again;
            }
            Ok(n) => {
                done += n;
                // For a thread that ends it early, too.
                op.done.set(done as u32);
                if n == 0 || may_be_short || done >= total(op) {
                    break Ok(done);
                }
            }
            Err(_) if done > 0 => break Ok(done),
            r => break r,
        }
    };
    Outcome::Done(result)
}
