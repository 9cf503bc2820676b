//! ioeventpipe, wait, and reading and writing a pipe.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::{answer, fail};
use crate::calls::create;
use crate::calls::harvest::{harvest, harvest_as_read};
use crate::calls::harvester::harvest_slow;
use crate::calls::{lookup, post};
use crate::event::RawEvent;
use crate::state::attachment::{Attachment, Entry};
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::sync::access;
use crate::sys::{Errno, Result, fd};
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use libc::{iovec, timespec};

/// Makes an ioevent pipe that can have `nevents` operations outstanding and events posted, together. Returns its
/// descriptor.
///
/// Errors: EINVAL (nevents below 1), EMFILE, ENFILE, ENOMEM. Any thread. ioeventpipe(3), rule 3.1.
#[unsafe(no_mangle)]
pub extern "C" fn ioeventpipe(nevents: c_int) -> c_int {
    answer(|| create::create(nevents, 0))
}

/// ioeventpipe with flags: O_NONBLOCK (harvests do not wait, and the descriptor can be waited on with poll(2) and its
/// like), O_CLOEXEC.
///
/// Errors: as ioeventpipe, and EINVAL for other flags. Any thread. ioeventpipe(3), rule 3.6.
#[unsafe(no_mangle)]
pub extern "C" fn ioeventpipe2(nevents: c_int, flags: c_int) -> c_int {
    answer(|| create::create(nevents, flags))
}

/// Harvests: takes up to `nevents` events out of a pipe and returns how many there were.
///
/// Waits for the first for at most `timeout`; NULL waits for ever, 0 does not wait; 0 is returned when the time is
/// over. O_NONBLOCK does not matter. Errors: EINVAL (not a pipe, nevents below 1, no valid time), EBADF (not open, or
/// the pipe was closed meanwhile or is lost), EFAULT, EINTR (a signal was handled and no event read). Any number of
/// threads; each event goes to one of them. ioevent_wait(3), rule 3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_wait(
    pipefd: c_int,
    events: *mut RawEvent,
    nevents: c_int,
    timeout: *const timespec,
) -> c_int {
    if timeout.is_null() && nevents > 0 && !events.is_null() {
        if let Some(pipe) = table::near(pipefd).and_then(Attachment::pipe_of_number) {
            // SAFETY: the caller gives room for `nevents` events.
            let room = unsafe { core::slice::from_raw_parts_mut(events.cast(), nevents as usize) };
            return harvested(harvest(pipefd, room, pipe, None));
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { wait_otherwise(pipefd, events, nevents, timeout) }
}

/// # Safety
///
/// As for `ioevent_wait`.
#[inline(never)]
unsafe fn wait_otherwise(
    pipefd: c_int,
    events: *mut RawEvent,
    nevents: c_int,
    timeout: *const timespec,
) -> c_int {
    let Entry::Pipe(pipe) = lookup::get(pipefd) else { return fail(fd::unfit(pipefd)) };
    if nevents <= 0 || events.is_null() {
        return fail(unfit_room(pipefd, nevents <= 0));
    }
    // SAFETY: the caller gives room for `nevents` events.
    let room = unsafe { core::slice::from_raw_parts_mut(events.cast(), nevents as usize) };
    // SAFETY: the caller gives a timespec or NULL.
    match unsafe { timeout.as_ref() }.map(nanoseconds).transpose() {
        Ok(timeout) => harvested(harvest(pipefd, room, pipe, timeout)),
        Err(errno) => fail(errno),
    }
}

/// What a wait gives.
#[inline(always)]
fn harvested(n: isize) -> c_int {
    if n >= 0 { n as c_int } else { crate::ffi::done(n) }
}

/// What a harvest gives that has no room for events.
#[cold]
fn unfit_room(pipefd: c_int, is_of_size: bool) -> Errno {
    match lookup::enter(pipefd) {
        Err(errno) => errno,
        Ok(_) if is_of_size => Errno::EINVAL,
        Ok(_) => Errno::EFAULT,
    }
}

#[inline(always)]
pub(super) fn nanoseconds(time: &timespec) -> Result<u64> {
    if time.tv_sec == 0 && time.tv_nsec == 0 {
        return Ok(0);
    }
    let seconds = u64::try_from(time.tv_sec).map_err(|_| Errno::EINVAL)?;
    match u64::try_from(time.tv_nsec) {
        Ok(rest @ 0..=999_999_999) => Ok(seconds.saturating_mul(1_000_000_000).saturating_add(rest)),
        _ => Err(Errno::EINVAL),
    }
}

/// The caller's array of buffers, and how many whole events they hold together.
///
/// # Safety
///
/// `iov` is null or has `iovcnt` entries.
unsafe fn vector<'a>(iov: *const iovec, iovcnt: c_int) -> Result<(&'a [iovec], usize)> {
    const MOST: usize = 1024;
    let count = usize::try_from(iovcnt).ok().filter(|n| *n <= MOST).ok_or(Errno::EINVAL)?;
    if count == 0 {
        return Err(Errno::EINVAL);
    }
    if iov.is_null() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: passed on to the caller.
    let parts = unsafe { core::slice::from_raw_parts(iov, count) };
    if parts.iter().any(|part| part.iov_base.is_null() && part.iov_len > 0) {
        return Err(Errno::EFAULT);
    }
    let bytes = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.iov_len));
    Ok((parts, bytes / size_of::<RawEvent>()))
}

/// How many events a call with an array of buffers moves at most.
const MOST_AT_ONCE: usize = 4096;

/// readv(2) of a pipe.
///
/// # Safety
///
/// `iov` has `iovcnt` entries, which describe memory to write to.
#[cold]
#[inline(never)]
pub(super) unsafe fn readv(fd: c_int, iov: *const iovec, iovcnt: c_int, pipe: &'static Pipe) -> isize {
    answer(move || {
        lookup::enter(fd)?;
        // SAFETY: passed on to the caller.
        let (parts, room) = unsafe { vector(iov, iovcnt) }?;
        if room == 0 {
            return Err(Errno::EINVAL);
        }
        let mut events = Vec::<RawEvent>::new();
        events.try_reserve_exact(room.min(MOST_AT_ONCE)).map_err(|_| Errno::ENOMEM)?;
        let room = events.spare_capacity_mut();
        let most = room.len().min(MOST_AT_ONCE);
        let n = match harvest_as_read(fd, room.get_mut(..most).unwrap_or(&mut []), pipe) {
            0 => return Err(Errno::EAGAIN),
            n @ 1.. => n as usize,
            n => return Err(Errno(-n as c_int)),
        };
        let mut from = events.as_ptr().cast::<u8>();
        let mut left = n * size_of::<RawEvent>();
        for part in parts {
            let len = part.iov_len.min(left);
            // SAFETY: `left` bytes of the harvested events are left at `from`; the caller's part has `len` bytes.
            from = unsafe {
                core::ptr::copy_nonoverlapping(from, part.iov_base.cast(), len);
                from.add(len)
            };
            left -= len;
        }
        Ok((n * size_of::<RawEvent>()) as isize)
    })
}

/// writev(2) to a pipe.
///
/// # Safety
///
/// `iov` has `iovcnt` entries, which describe memory to read.
#[cold]
#[inline(never)]
pub(super) unsafe fn writev(fd: c_int, iov: *const iovec, iovcnt: c_int, pipe: &'static Pipe) -> isize {
    // SAFETY: passed on to the caller.
    let (parts, events) = match unsafe { vector(iov, iovcnt) } {
        Ok(parts) => parts,
        Err(errno) => return crate::ffi::fail(errno),
    };
    let bytes = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.iov_len));
    if bytes != events * size_of::<RawEvent>() {
        return crate::ffi::fail(Errno::EINVAL);
    }
    let mut gathered = Vec::new();
    if gathered.try_reserve_exact(events.min(MOST_AT_ONCE)).is_err() {
        return crate::ffi::fail(Errno::ENOMEM);
    }
    gathered.resize(events.min(MOST_AT_ONCE), NO_EVENT);
    let mut left = gathered.len() * size_of::<RawEvent>();
    let mut to = gathered.as_mut_ptr().cast::<u8>();
    for part in parts {
        let len = part.iov_len.min(left);
        // SAFETY: `left` bytes are left at `to`, in which any bytes are valid; the caller's part has `len` bytes.
        to = unsafe {
            core::ptr::copy_nonoverlapping(part.iov_base.cast(), to, len);
            to.add(len)
        };
        left -= len;
    }
    // SAFETY: `gathered` is an array of whole events.
    unsafe { write(fd, gathered.as_ptr().cast(), size_of_val(gathered.as_slice()), pipe) }
}

const NO_EVENT: RawEvent = RawEvent { user: core::ptr::null_mut(), result: 0, errno: 0 };

#[inline(always)]
fn patience(pipe: &Pipe) -> Option<u64> {
    if pipe.is_nonblock() { Some(0) } else { None }
}

/// read(2) of a pipe.
///
/// # Safety
///
/// `buf` has room for `nbytes` bytes.
#[inline(never)]
pub(super) unsafe fn read(fd: c_int, buf: *mut c_void, nbytes: usize, pipe: &'static Pipe) -> isize {
    let room = nbytes / size_of::<RawEvent>();
    if room == 0 || buf.is_null() || !buf.cast::<RawEvent>().is_aligned() {
        // SAFETY: passed on to the caller.
        return unsafe { read_unaligned(fd, buf, room, pipe) };
    }
    // SAFETY: passed on to the caller.
    let room = unsafe { core::slice::from_raw_parts_mut(buf.cast::<MaybeUninit<RawEvent>>(), room) };
    match harvest_as_read(fd, room, pipe) {
        n @ 1.. => n * size_of::<RawEvent>() as isize,
        0 => crate::ffi::done(-(libc::EAGAIN as isize)),
        n => crate::ffi::done(n),
    }
}

/// How many events are copied at a time to or from a buffer that is not aligned.
const PART: usize = 64;

/// # Safety
///
/// `buf` has room for `room` events.
#[cold]
unsafe fn read_unaligned(fd: c_int, buf: *mut c_void, room: usize, pipe: &'static Pipe) -> isize {
    if room == 0 || buf.is_null() {
        return fail(unfit_room(fd, room == 0));
    }
    let mut part = [const { MaybeUninit::<RawEvent>::uninit() }; PART];
    let mut count = 0;
    while count < room {
        let most = (room - count).min(PART);
        let timeout = if count == 0 { patience(pipe) } else { Some(0) };
        let n = match harvest_slow(pipe, fd, part.get_mut(..most).unwrap_or(&mut []), timeout) {
            Err(errno) if count == 0 => return fail(errno),
            n => n.unwrap_or(0),
        };
        // SAFETY: the caller's buffer has room for what is left of it; the two do not overlap, and bytes need no
        // alignment.
        unsafe {
            let to = buf.cast::<u8>().add(count * size_of::<RawEvent>());
            core::ptr::copy_nonoverlapping(part.as_ptr().cast::<u8>(), to, n * size_of::<RawEvent>());
        }
        count += n;
        if n < PART {
            break;
        }
    }
    if count == 0 { fail(Errno::EAGAIN) } else { (count * size_of::<RawEvent>()) as isize }
}

/// write(2) to a pipe.
///
/// # Safety
///
/// `buf` has `nbytes` bytes.
#[cold]
#[inline(never)]
pub(super) unsafe fn write(fd: c_int, buf: *const c_void, nbytes: usize, pipe: &'static Pipe) -> isize {
    access::admit();
    answer(move || {
        let count = nbytes / size_of::<RawEvent>();
        if count == 0 || nbytes % size_of::<RawEvent>() != 0 {
            return Err(Errno::EINVAL);
        }
        if buf.is_null() {
            return Err(Errno::EFAULT);
        }
        let events = buf.cast::<RawEvent>();
        let posted = if events.is_aligned() {
            // SAFETY: passed on to the caller; the events are copied before this returns.
            post::post(pipe, fd, unsafe { core::slice::from_raw_parts(events, count) })?
        } else {
            // SAFETY: passed on to the caller.
            unsafe { post_unaligned(pipe, fd, events, count) }?
        };
        Ok((posted * size_of::<RawEvent>()) as isize)
    })
}

/// # Safety
///
/// `events` has `count` events, of any alignment.
#[cold]
unsafe fn post_unaligned(pipe: &Pipe, fd: c_int, events: *const RawEvent, count: usize) -> Result<usize> {
    let mut part = [NO_EVENT; PART];
    let mut posted = 0;
    while posted < count {
        let most = (count - posted).min(PART);
        for (index, slot) in part.iter_mut().take(most).enumerate() {
            // SAFETY: passed on to the caller.
            *slot = unsafe { events.add(posted + index).read_unaligned() };
        }
        match post::post(pipe, fd, part.get(..most).unwrap_or(&[])) {
            Ok(n) if n == most => posted += n,
            Ok(n) => return Ok(posted + n),
            Err(_) if posted > 0 => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(posted)
}
