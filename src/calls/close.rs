//! How pipes are closed, and attached descriptors.

use super::{lookup, remains, watchdog};
use crate::engine::{Engine, arming, completions::Completions, kept_errors, misuse, other_end, release};
use crate::event::RawEvent;
use crate::queue::lane::Lane;
use crate::queue::op::{Kind, OpRef};
use crate::queue::ring_accepts::ACCEPTED;
use crate::state::attachment::{Entry, Locked, SEVERAL_PIPES};
use crate::state::pipe::Pipe;
use crate::state::{private, table, world};
use crate::sync::access::{self, Shared};
use crate::sync::ring;
use crate::sys::{Errno, Result, errno, fd, observers};
use core::ffi::c_int;
use core::mem::MaybeUninit;

/// Ends everything of a pipe. The public descriptor stays open: it is the caller's. False if another thread closes the
/// pipe already.
pub(crate) fn close(pipe: &'static Pipe) -> bool {
    close_then(pipe, None, || {})
}

/// What is shown the events that no thread has harvested, and those of operations that have not ended, when a typed
/// pipe is closed. It owns the descriptors in them.
pub(crate) type Rest<'a> = &'a mut dyn FnMut(RawEvent);

/// The same; `last` is to close the descriptor. Until then, the number is known as that of a pipe: a thread that comes
/// to harvest it gets EBADF at any time (rule 3.7). Without a `rest` the descriptors in unread events are closed.
pub(crate) fn close_then(pipe: &'static Pipe, mut rest: Option<Rest>, last: impl FnOnce()) -> bool {
    access::admit();
    if !pipe.begin_closing() {
        return false;
    }
    let is_lost = !pipe.is_whole();
    let is_left = pipe.users.0.wait_for_users(is_lost, || pipe.wake_for_closing());
    if observers::is_debug() {
        remains::closes(pipe);
    }
    detach_all_of(pipe, &mut rest);
    pipe.users.0.wait_for_workers(|| pipe.wake_for_closing());
    if is_left {
        pipe.queue.give_places(take_apart(pipe, is_lost, &mut rest));
    }
    pipe.engine().close();
    if is_left {
        pipe.queue.wake.0.reset();
    }
    last();
    if let Ok(node) = table::make(pipe.number()) {
        node.clear_pipe(pipe);
    }
    if is_left {
        pipe.end();
    } else {
        pipe.abandon();
    }
    true
}

/// Takes timers and events out of a pipe that no thread uses; returns how many places they had.
fn take_apart(pipe: &Pipe, is_lost: bool, rest: &mut Option<Rest>) -> usize {
    let mut places = 0;
    let alarm = &pipe.engine().alarm;
    alarm.take_timers(None, 0, |op| {
        show_ended(op, rest);
        pipe.ops().give(op);
        places += 1;
    });
    alarm.reset();
    for lane in pipe.queue.lanes.iter() {
        let locked = lane.lock();
        places += if lane.accepts.are_there() || rest.is_some() {
            clear_ring(lane, is_lost, rest)
        } else {
            locked.clear_ring()
        };
        let taken = locked.take(usize::MAX, |op| {
            let number = op.done.get() as c_int;
            let accepted = (op.kind.get() == Kind::Accept && number >= 0).then_some(number);
            leave(accepted, op.user.get(), op.done.get(), op.arg.get(), is_lost, rest);
        });
        drop(locked);
        if let Some(taken) = taken {
            lane.stock().give_chain(taken.first, taken.last, taken.count);
            places += taken.count as usize;
        }
        lane.stock().reduce(pipe.ops(), 0);
    }
    pipe.queue.lanes.leave();
    places
}

/// Takes everything out of the ring of a locked lane; returns how many events there were.
fn clear_ring(lane: &Lane, is_lost: bool, rest: &mut Option<Rest>) -> usize {
    let mut events = [const { MaybeUninit::<(u64, u64)>::uninit() }; 32];
    let (mut all, mut accepts) = (0, 0u32);
    loop {
        let count =
            lane.ring.take::<Shared, _>(lane.slots_to_read(), &mut events, |user, outcome| (user, outcome));
        for event in events.iter().take(count) {
            // SAFETY: so many have been written.
            let (user, outcome) = unsafe { event.assume_init() };
            let (result, errno) = ring::unpack(outcome);
            let is_accept = errno == ACCEPTED;
            accepts += u32::from(is_accept);
            let errno = if is_accept { 0 } else { errno };
            leave(is_accept.then_some(result), user as usize, result as u32, errno, is_lost, rest);
        }
        if count == 0 {
            lane.accepts.taken(accepts);
            return all;
        }
        all += count;
    }
}

/// Detaches the descriptors of a pipe that is being closed. Their operations get no events (rule 3.7).
fn detach_all_of(pipe: &'static Pipe, rest: &mut Option<Rest>) {
    // What is attached from now on cannot be to a pipe that is being closed.
    for node in table::attachments() {
        let attachment = node.lock();
        if attachment.pipe().is_some_and(|its| core::ptr::eq(its, pipe)) {
            kept_errors::forget(&attachment);
            drop_operations(pipe, &attachment, rest);
            // What is left is another pipe's, from before the descriptor was attached to this one.
            release::release(attachment);
        } else if attachment.pipe().is_some() && attachment.has(SEVERAL_PIPES) {
            drop_operations(pipe, &attachment, rest);
            pipe.engine().detach(&attachment);
            if let Some(its) = attachment.pipe() {
                // What was found out for those that are gone, and the alarm for a second try, went with the pipe.
                attachment.assume_ready();
                its.engine().resume(&attachment, &Completions::of_thread(its));
            }
        }
    }
}

/// Removes from the attachment the operations that belong to this pipe, without events.
fn drop_operations(pipe: &Pipe, attachment: &Locked, rest: &mut Option<Rest>) {
    let mut places = 0;
    for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
        queue.take_out(
            |op| op.pipe.get() == pipe.index(),
            |op| {
                if !pipe.engine().retract(op) {
                    // Another thread may close the descriptor while this one waits for the worker.
                    release::leave_to_worker(attachment, pipe, op);
                    return;
                }
                other_end::release(op);
                show_ended(op, rest);
                pipe.ops().give(op);
                places += 1;
            },
        );
    }
    pipe.queue.give_places(places);
}

/// Shows that an operation is ended by closing its pipe.
fn show_ended(op: OpRef, rest: &mut Option<Rest>) {
    if let Some(rest) = rest {
        rest(RawEvent { user: op.user.get() as *mut _, result: -1, errno: Errno::ECANCELED.0 });
    }
}

/// An event that no thread has read. Descriptors in those of accepts are closed (rule 3.7), unless it is shown. Not
/// with a pipe that the program has closed among all the numbers it knew nothing of: they may be its files by now (rule
/// 5.5).
fn leave(
    accepted: Option<c_int>,
    user: usize,
    result: u32,
    errno: c_int,
    is_lost: bool,
    rest: &mut Option<Rest>,
) {
    if let Some(number) = accepted {
        private::hand_over(number);
    }
    match rest {
        Some(rest) if is_lost && accepted.is_some() => {
            rest(RawEvent { user: user as *mut _, result: -1, errno: Errno::EBADF.0 });
        }
        Some(rest) => rest(RawEvent { user: user as *mut _, result: result as c_int, errno }),
        None => {
            if let Some(number) = accepted.filter(|_| !is_lost) {
                let _ = fd::close(number);
            }
        }
    }
}

/// The number is not open, or was just given out by the kernel: whatever the table has under it was closed behind the
/// library's back (rules 3.7, 4.4).
pub(crate) fn forget_stale(number: c_int) {
    release::forget_stale_attachment(number);
    if let Entry::Pipe(pipe) = table::get(number) {
        close(pipe);
    }
}

/// `number` is about to be replaced by a copy of `by` (dup2): closes what the library has there. An error if `by` is
/// not open; then nothing was done.
pub(crate) fn replace(by: c_int, number: c_int) -> Result<()> {
    let entry = lookup::get(number);
    if by == number || matches!(entry, Entry::Nothing) || world::is_borrowed() {
        return Ok(());
    }
    fd::check_open(by)?;
    match entry {
        Entry::Pipe(pipe) if pipe.number() == number && close(pipe) => end_watch(),
        Entry::Attachment(_) => {
            if let Some(attachment) = arming::lock_attached(number) {
                misuse::check_closed(&attachment);
                release::release(attachment);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Closes an attached descriptor or a pipe. `None` if `fd` is neither.
pub(crate) fn close_number(fd: c_int) -> Option<Result<()>> {
    match lookup::get(fd) {
        Entry::Nothing => None,
        _ if world::is_borrowed() => None,
        Entry::Attachment(node) => {
            let attachment = arming::lock_for_c(node)?;
            misuse::check_closed(&attachment);
            release::release(attachment);
            let closed = fd::close(fd);
            // It may have had the lock that something lingers for.
            private::close_lingering();
            Some(closed)
        }
        Entry::Pipe(pipe) => {
            let mut closed = Ok(());
            if pipe.number() != fd || !close_then(pipe, None, || closed = fd::close(fd)) {
                return Some(Err(Errno::EBADF));
            }
            end_watch();
            Some(closed)
        }
    }
}

/// The kernel has just given a number out.
pub(crate) fn forget(number: c_int) {
    if matches!(lookup::get(number), Entry::Attachment(_)) && !world::is_borrowed() {
        let _errno = errno::Kept::new();
        release::forget_stale_attachment(number);
    }
}

/// A pipe was closed by the program.
pub(super) fn end_watch() {
    if let Some(world) = world::world() {
        watchdog::pipe_closed(world);
    }
}
