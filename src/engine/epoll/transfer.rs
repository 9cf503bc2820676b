//! sendfile and splice: from one descriptor to another (`other`), of which one is attached and owns the operation.
//!
//! Sockets, terminals and devices have O_NONBLOCK set for the length of the call (rule 4.5); so have pipes for
//! sendfile, while splice has a flag for them. Disk files need none, since it means nothing there: what writes to a
//! disk is for a worker; what reads from one moves only what the page cache is seen to have, and a worker fetches the
//! rest into it. Where the kernel does not tell what it has, a worker makes the whole call.

use super::disk;
use super::job_file::Own;
use super::nonblock::{self, File};
use super::step::{Outcome, Step};
use crate::engine::other_end;
use crate::queue::op::{BY_POINTER, Kind, MOST_BYTES, OpRef, TRIED};
use crate::state::attachment::Locked;
use crate::state::file_class::Class;
use crate::state::world;
use crate::sys::file::{self, Offset, Position};
use crate::sys::{Errno, Result, UserPtr, fd, memory, nature, process, socket};
use core::cell::Cell;
use core::ffi::{c_int, c_short, c_uint};

/// What is looked at in the page cache before each call. More makes no call cheaper.
const PAGE: usize = 4096;
const MOST_PAGES: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Disk,
    Pipe,
    Socket,
    Rest,
}

/// One end.
#[derive(Clone, Copy)]
struct End {
    fd: c_int,
    sort: Sort,
    identity: c_int,
}

impl End {
    fn of(fd: c_int) -> End {
        let (kind, identity) = nature::nature(fd).map_or((0, -1), |nature| (nature.kind, nature.identity));
        let sort = match kind {
            kind if nature::is_disk_type(kind) => Sort::Disk,
            libc::S_IFIFO => Sort::Pipe,
            libc::S_IFSOCK => Sort::Socket,
            _ => Sort::Rest,
        };
        End { fd, sort, identity }
    }

    /// What of it has to be told not to wait.
    fn waits(self, kind: Kind) -> Option<File> {
        let is_told = match self.sort {
            Sort::Disk => false,
            Sort::Pipe => kind == Kind::Sendfile,
            Sort::Socket | Sort::Rest => true,
        };
        is_told.then_some(File { fd: self.fd, identity: self.identity })
    }

    fn is_disk(self) -> bool {
        self.sort == Sort::Disk
    }
}

/// A descriptor whose attachment is locked.
struct Here(c_int);

impl Own for Here {
    fn call<T>(&self, call: impl FnOnce(c_int) -> Result<T>) -> Result<T> {
        call(self.0)
    }
}

/// The two ends. The number of the one that owns the operation is to be had from `own` only.
struct Ends<'a, O> {
    source: End,
    destination: End,
    own: &'a O,
    own_is_source: bool,
}

impl<'a, O: Own> Ends<'a, O> {
    fn of(own: &'a O, op: OpRef) -> Result<Ends<'a, O>> {
        let own_is_source = other_end::is_destination(op);
        let mine = own.call(|fd| Ok(End::of(fd)))?;
        let other = End::of(other_end::current(op)?);
        let (source, destination) = if own_is_source { (mine, other) } else { (other, mine) };
        Ok(Ends { source, destination, own, own_is_source })
    }

    /// Makes a call on the source.
    fn on_source<T>(&self, call: impl FnOnce(c_int) -> Result<T>) -> Result<T> {
        if self.own_is_source { self.own.call(call) } else { call(self.source.fd) }
    }

    /// Makes a call on both.
    fn on_both<T>(&self, call: impl FnOnce(c_int, c_int) -> Result<T>) -> Result<T> {
        self.own.call(|own| {
            let other = if self.own_is_source { self.destination.fd } else { self.source.fd };
            if self.own_is_source { call(own, other) } else { call(other, own) }
        })
    }
}

/// What the page cache has of what a transfer reads next.
enum Cached {
    /// At least so many bytes, or all there are.
    Bytes(usize),
    /// Nothing: it has to be fetched from there.
    Nothing(usize),
    /// The kernel does not tell.
    Unknown,
}

/// Tries it, unless it is a worker's.
pub(crate) fn attempt(attachment: &Locked, op: OpRef) -> Step {
    let own = Here(attachment.fd());
    let ends = match Ends::of(&own, op) {
        Ok(ends) => ends,
        Err(errno) => return Step::Done(part_or(op, errno)),
    };
    if attachment.class.get() == Class::Special && !disk::is_ready(attachment, other_end::is_destination(op))
    {
        return Step::Wait;
    }
    if ends.destination.is_disk() || attachment.class.get() == Class::Special {
        return Step::Work;
    }
    // An error that has ended the stream is left to the next call.
    let is_broken = || ends.destination.sort == Sort::Socket && socket::is_broken(ends.destination.fd);
    if op.has(TRIED) && op.done.get() > 0 && is_broken() {
        return Step::Done(Ok(op.done.get() as usize));
    }
    if !ends.source.is_disk() {
        return transfer(&ends, op, || Cached::Bytes(MOST_BYTES));
    }
    // The position of the file is asked for, and moved.
    let Some(positions) = world::world().map(|world| &world.positions) else { return Step::Work };
    let Some(_in_use) = positions.attempt(ends.source.identity) else { return Step::Work };
    transfer(&ends, op, || cached(&ends, op))
}

/// What a worker does: writes to the disk, or fetches the beginning of what is to be read from it, or all of it if the
/// kernel has no other way.
pub(crate) fn work(own: &impl Own, op: OpRef) -> Outcome {
    let ends = match Ends::of(own, op) {
        Ok(ends) => ends,
        Err(errno) => return Outcome::Done(part_or(op, errno)),
    };
    if !ends.source.is_disk() || ends.destination.is_disk() {
        return outcome(transfer(&ends, op, || Cached::Bytes(MOST_BYTES)));
    }
    let there = match cached(&ends, op) {
        Cached::Bytes(bytes) => bytes,
        Cached::Nothing(at) => ends.on_source(|fd| Ok(file::warm(fd, at))).unwrap_or(1),
        Cached::Unknown => MOST_BYTES,
    };
    // What was seen, or fetched, is there, whatever the kernel says of it now. If it is gone again, that costs one wait
    // for the disk.
    let there = Cell::new(there);
    outcome(transfer(&ends, op, || match there.take() {
        0 => cached(&ends, op),
        bytes => Cached::Bytes(bytes),
    }))
}

fn outcome(step: Step) -> Outcome {
    match step {
        Step::Done(r) => Outcome::Done(r),
        // What was moved is moved; the error will be there again, or was the other descriptor's.
        Step::Part(done, _) => Outcome::Done(Ok(done)),
        Step::Work => Outcome::Again,
        Step::Wait | Step::Retry => Outcome::Wait,
    }
}

/// The part that was moved, or else this error.
pub(crate) fn part_or(op: OpRef, errno: Errno) -> Result<usize> {
    match op.done.get() as usize {
        0 => Err(errno),
        done => Ok(done),
    }
}

/// Whether an error after a part is one that a socket tells once, and the socket is the one that owns the operation.
fn is_for_next<O: Own>(ends: &Ends<O>, op: OpRef, errno: Errno) -> bool {
    op.done.get() > 0
        && if ends.own_is_source {
            ends.source.sort == Sort::Socket && errno != Errno::EPIPE
        } else {
            ends.destination.sort == Sort::Socket
        }
}

/// Whether an operation that reads is a transfer, and waits for its destination.
pub(crate) fn waits_for_destination(op: OpRef) -> bool {
    const WRITABLE: c_short = libc::POLLOUT;
    matches!(op.kind.get(), Kind::Sendfile | Kind::Splice)
        && other_end::current(op).is_ok_and(|other| fd::poll_now(other, WRITABLE) == Ok(0))
}

/// Where in the source it goes on; `None` if that is nowhere. An error if the kernel does not say.
fn source_position<O: Own>(ends: &Ends<O>, op: OpRef) -> Result<Option<usize>> {
    let addr = op.addr.get();
    if !op.has(BY_POINTER) {
        return match addr.addr() {
            usize::MAX => ends.on_source(file::position).map(Some),
            offset => Ok(Some(offset + op.done.get() as usize)),
        };
    }
    if addr.is_null() {
        return ends.on_source(file::position).map(Some);
    }
    if !memory::has_word(addr) {
        // The call will say so.
        return Ok(None);
    }
    // SAFETY: it can be read, and is the library's (rule 2.3).
    Ok(Some(unsafe { (addr.addr() as *const libc::off_t).read_unaligned() } as usize))
}

fn left(op: OpRef) -> usize {
    (op.len.get() as usize).min(MOST_BYTES) - op.done.get() as usize
}

/// What the page cache has of what is to be moved next.
fn cached<O: Own>(ends: &Ends<O>, op: OpRef) -> Cached {
    // To the kernel -1 would be the file's own position, which the question moves.
    let is_offset = |at: &usize| (*at as i64) >= 0;
    let begin = match source_position(ends, op) {
        Ok(begin) => begin,
        Err(_) => return Cached::Unknown,
    };
    let Some(begin) = begin.filter(is_offset) else { return Cached::Bytes(MOST_BYTES) };
    let end = begin.saturating_add(left(op)).min((begin / PAGE + MOST_PAGES) * PAGE);
    let mut at = begin;
    while at < end {
        match ends.on_source(|fd| file::look_at(fd, at)) {
            Ok(0) => return Cached::Bytes(MOST_BYTES),
            Ok(_) => at = (at / PAGE + 1) * PAGE,
            Err(Errno::EAGAIN) if at == begin => return Cached::Nothing(at),
            Err(Errno::EOPNOTSUPP) if at == begin => return Cached::Unknown,
            Err(Errno::EAGAIN | Errno::EOPNOTSUPP) => break,
            // The call will say so.
            Err(_) => return Cached::Bytes(MOST_BYTES),
        }
    }
    Cached::Bytes(at.min(end) - begin)
}

/// An offset after the bytes that were moved: the kernel moves a caller's variable on by itself.
fn offset(op: OpRef, address: UserPtr) -> Offset {
    if op.has(BY_POINTER) {
        return Offset::Variable(address);
    }
    Offset::At(Position::at(address.addr()).after(op.done.get() as usize))
}

fn call<O: Own>(ends: &Ends<O>, op: OpRef, most: usize) -> Result<usize> {
    let count = left(op).min(most);
    let from = offset(op, op.addr.get());
    let kind = op.kind.get();
    let transfer = || {
        ends.on_both(|source, destination| match kind {
            Kind::Sendfile => file::sendfile(destination, source, from, count),
            _ => file::splice(
                (source, from),
                (destination, offset(op, op.addrlen.get())),
                count,
                op.arg.get() as c_uint | libc::SPLICE_F_NONBLOCK,
            ),
        })
    };
    let (source, destination) = (ends.source, ends.destination);
    // To a disk file there is no SIGPIPE.
    let call = || if destination.is_disk() { transfer() } else { process::without_sigpipe(transfer) };
    // (What has to be told not to wait keeps its number: only that of a disk file may be taken from a worker.)
    nonblock::with_both(source.waits(kind), destination.waits(kind), call)
}

/// Moves what can be moved without waiting.
fn transfer<O: Own>(ends: &Ends<O>, op: OpRef, cached: impl Fn() -> Cached) -> Step {
    loop {
        let done = op.done.get() as usize;
        let most = match cached() {
            Cached::Bytes(most) => most,
            _ if done > 0 && is_enough(ends, op) => return Step::Done(Ok(done)),
            Cached::Nothing(_) | Cached::Unknown => return Step::Work,
        };
        match call(ends, op, most) {
            Ok(n) => {
                let done = done + n;
                op.done.set(done as u32);
                if n == 0 || done >= op.len.get() as usize {
                    return Step::Done(Ok(done));
                }
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) if done > 0 && is_enough(ends, op) => return Step::Done(Ok(done)),
            Err(Errno::EAGAIN) => return Step::Wait,
            Err(errno) if is_for_next(ends, op, errno) => return Step::Part(done, errno),
            Err(errno) => return Step::Done(part_or(op, errno)),
        }
    }
}

/// Whether the call that waits would return with what was moved so far, rather than wait for more. What goes into a
/// pipe is what fits. Else sendfile goes on to the end of the file, splice from a file stops when it has moved
/// something, and with another source both stop when that has no more, and go on while it is the destination that they
/// wait for.
fn is_enough<O: Own>(ends: &Ends<O>, op: OpRef) -> bool {
    const READABLE: c_short = libc::POLLIN;
    match (ends.destination.sort, ends.source.sort) {
        (Sort::Pipe, _) => true,
        (_, Sort::Disk) => op.kind.get() == Kind::Splice,
        _ => !ends.on_source(|fd| fd::poll_now(fd, READABLE)).is_ok_and(|revents| revents & READABLE != 0),
    }
}
