//! Attaching, detaching and closing.

use crate::engine::completions::Completions;
use crate::engine::{Engine, limits};
use crate::queue::lane::LISTED;
use crate::queue::op::{Completion, Fate};
use crate::state::attachment::{
    self, Attachment, Entry, INLINE, Locked, POLL_ONLY, SEVERAL_PIPES, TIME_LIMIT,
};
use crate::state::pipe::{self, Pipe};
use crate::state::private;
use crate::state::table::{self, World};
use crate::sys::{Errno, Result, fd};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// F_SETIOEVENTPIPE: ties `fd` to the pipe behind `pipefd`, or to none if that is -1.
pub(crate) fn attach(fd: c_int, pipefd: c_int, user: usize) -> Result<()> {
    if pipefd == -1 {
        return detach(fd);
    }
    if table::is_borrowed() {
        fd::check_open(fd)?;
        return Err(fd::unfit(pipefd));
    }
    if let Err(errno) = fd::check_open(fd) {
        forget_stale(fd);
        return Err(errno);
    }
    let pipe = pipe::enter(pipefd)?;
    let world = table::make_world()?;
    let _stripe = world.attaching(fd);
    if let Entry::Pipe(other) = table::get(fd) {
        if other.is_current() {
            return Err(Errno::EINVAL);
        }
        other.close();
    }
    if let Some(attachment) = attachment::find(fd) {
        if knows(&attachment) {
            attach_again(&attachment, &pipe, user)?;
            drop(attachment);
            pipe.begin_watch();
            return Ok(());
        }
        release(attachment);
    }
    attach_new(world, fd, &pipe, user)?;
    pipe.begin_watch();
    Ok(())
}

fn attach_new(world: &World, fd: c_int, pipe: &'static Pipe, user: usize) -> Result<()> {
    // Where there is no memory for operations, the program is told so now.
    world.ops.reserve()?;
    world.ops.give_up_reserved();
    let attachment = table::make(fd)?.lock();
    table::count_attached(fd, world);
    if attachment.generation.get() == 0 {
        attachment.generation.set(1);
    }
    attachment.set_own_fd(None);
    attachment.user.set(user);
    limits::forget(fd);
    // The engine may hand out an edge as soon as it watches; the table must know the descriptor then.
    attachment.set_attached(fd, pipe);
    belong_to(&attachment, pipe);
    let attached = pipe.engine().attach(&attachment);
    if attached.is_err() {
        free(attachment);
    }
    attached
}

/// Changes pipe and user pointer for operations queued from now on (rule 4.2).
fn attach_again(attachment: &Locked, pipe: &'static Pipe, user: usize) -> Result<()> {
    let Some(before) = attachment.pipe() else { return Err(Errno::EBADF) };
    if !core::ptr::eq(before, pipe) {
        before.engine().forget_level(attachment);
        let generation = attachment.generation.get();
        if attachment.is_idle() {
            // Edges for the pipe before that are under way must not be taken for edges of this one.
            attachment.generation.set(Attachment::next_generation(generation));
        }
        if let Err(errno) = pipe.engine().attach_again(attachment) {
            attachment.generation.set(generation);
            return Err(errno);
        }
        if attachment.is_idle() {
            before.engine().detach(attachment);
        } else {
            // The pipe of the operations that are still outstanding goes on watching for them.
            attachment.mark(SEVERAL_PIPES);
        }
        limits::forget(attachment.fd());
        attachment.set_attached(attachment.fd(), pipe);
        belong_to(attachment, pipe);
    }
    attachment.user.set(user);
    Ok(())
}

fn belong_to(attachment: &Locked, pipe: &'static Pipe) {
    // No event of the descriptor is in any lane of this pipe: the number before the next to be taken out is gone.
    attachment.set_newest(pipe::COMMON | LISTED, pipe.lane(pipe::COMMON).popped().wrapping_sub(1));
}

fn knows(attachment: &Locked) -> bool {
    attachment.pipe().is_some_and(|pipe| pipe.engine().knows(attachment))
}

/// Detaches (rule 4.3). It is no error if `fd` is not attached.
pub(crate) fn detach(fd: c_int) -> Result<()> {
    if !table::is_borrowed()
        && let Some(attachment) = attachment::find(fd)
    {
        release(attachment);
    }
    fd::check_open(fd)
}

/// F_GETIOEVENTPIPE: the number of the pipe, and the user pointer.
pub(crate) fn attached_to(fd: c_int) -> Result<Option<(c_int, usize)>> {
    if !table::is_borrowed()
        && let Some(attachment) = attachment::find(fd)
    {
        if knows(&attachment) {
            return Ok(attachment.pipe().map(|pipe| (pipe.number(), attachment.user.get())));
        }
        release(attachment);
    }
    fd::check_open(fd)?;
    Ok(None)
}

/// How calls on an attached descriptor behave: F_SETIOEVENTFLAGS.
#[derive(Clone, Copy)]
pub(crate) struct Modes {
    /// What can be finished at once returns its result (rule 2.8).
    pub(crate) inline: bool,
    /// All but polls and what is submitted are libc's (rule 2.11).
    pub(crate) poll_only: bool,
}

fn find_attached(fd: c_int) -> Result<Locked> {
    let found = if table::is_borrowed() { None } else { attachment::find(fd) };
    found.ok_or_else(|| fd::unfit(fd))
}

/// F_SETIOEVENTFLAGS.
pub(crate) fn set_modes(fd: c_int, modes: Modes) -> Result<()> {
    let attachment = find_attached(fd)?;
    attachment.set(INLINE, modes.inline);
    attachment.set(POLL_ONLY, modes.poll_only);
    attachment.arm();
    Ok(())
}

/// F_GETIOEVENTFLAGS.
pub(crate) fn modes(fd: c_int) -> Result<Modes> {
    let attachment = find_attached(fd)?;
    attachment.arm();
    Ok(Modes { inline: attachment.has(INLINE), poll_only: attachment.has(POLL_ONLY) })
}

/// F_SETIOEVENTTIMEO: how long operations that are queued from now on may take, in nanoseconds; 0: for ever.
pub(crate) fn set_timeout(fd: c_int, timeout: u64) -> Result<()> {
    let attachment = find_attached(fd)?;
    let set = if timeout > 0 { limits::set_timeout(fd, timeout) } else { Ok(()) };
    if set.is_ok() {
        attachment.set(TIME_LIMIT, timeout > 0);
    }
    attachment.arm();
    set
}

/// F_GETIOEVENTTIMEO.
pub(crate) fn timeout(fd: c_int) -> Result<u64> {
    let attachment = find_attached(fd)?;
    attachment.arm();
    Ok(if attachment.has(TIME_LIMIT) { limits::timeout(fd) } else { 0 })
}

/// `number` is about to be replaced by a copy of `by` (dup2): closes what the library has there. An error if `by` is
/// not open; then nothing was done.
pub(crate) fn replace(by: c_int, number: c_int) -> Result<()> {
    let entry = table::get(number);
    if by == number || matches!(entry, Entry::Nothing) || table::is_borrowed() {
        return Ok(());
    }
    fd::check_open(by)?;
    match entry {
        Entry::Pipe(pipe) if pipe.number() == number && pipe.close() => pipe.end_watch(),
        Entry::Attachment(_) => forget_stale_attachment(number),
        _ => {}
    }
    Ok(())
}

/// Closes an attached descriptor or a pipe. `None` if `fd` is neither.
pub(crate) fn close(fd: c_int) -> Option<Result<()>> {
    match table::get(fd) {
        Entry::Nothing => None,
        _ if table::is_borrowed() => None,
        Entry::Attachment(_) => {
            let attachment = attachment::find(fd)?;
            release(attachment);
            let closed = fd::close(fd);
            // It may have had the lock that something lingers for.
            private::close_lingering();
            Some(closed)
        }
        Entry::Pipe(pipe) => {
            let mut closed = Ok(());
            if pipe.number() != fd || !pipe.close_then(|| closed = fd::close(fd)) {
                return Some(Err(Errno::EBADF));
            }
            pipe.end_watch();
            Some(closed)
        }
    }
}

/// The kernel has just given a number out.
pub(crate) fn forget(number: c_int) {
    if matches!(table::get(number), Entry::Attachment(_)) && !table::is_borrowed() {
        let _errno = crate::sys::errno::Kept::new();
        forget_stale_attachment(number);
    }
}

/// The number is not open, or was just given out by the kernel: whatever the table has under it was closed behind the
/// library's back (rules 3.7, 4.4).
pub(crate) fn forget_stale(number: c_int) {
    forget_stale_attachment(number);
    if let Entry::Pipe(pipe) = table::get(number) {
        pipe.close();
    }
}

/// The same, if it is an attached descriptor. A pipe is left for later: its close waits for all who harvest it, and the
/// caller may be one of them.
pub(crate) fn forget_stale_attachment(number: c_int) {
    if let Some(attachment) = attachment::find(number) {
        release(attachment);
    }
}

/// Ends what is outstanding, each operation with its event, and frees the attachment. What the kernel cannot be kept
/// from finishing has its event later (rule 4.8).
fn release(attachment: Locked) {
    if let Some(pipe) = attachment.pipe() {
        let out = Completions::of_thread(pipe);
        attachment.forget_kept();
        for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
            while let Some(op) = queue.pop() {
                if pipe.may_end(op) {
                    let why = if pipe.is_late(op) { Errno::ETIMEDOUT } else { Errno::ECANCELED };
                    out.complete(&attachment, op, Completion::early(op, why));
                } else {
                    op.set_fate(Fate::Orphan);
                    // The program may close or replace the number from now on: a worker that is at work on it goes on
                    // with a copy, if the number still is that file.
                    if knows(&attachment) {
                        pipe.workers().take_number(op);
                    }
                }
            }
        }
        unwatch(&attachment, pipe);
    }
    free(attachment);
}

fn unwatch(attachment: &Locked, pipe: &'static Pipe) {
    if attachment.class.get().is_polled_apart()
        && let Some(world) = table::world()
    {
        return world.watchdog.drop_apart(attachment);
    }
    pipe.engine().detach(attachment);
    if attachment.has(SEVERAL_PIPES)
        && let Some(world) = table::world()
    {
        for other in world.pipes.iter().filter(|pipe| pipe.is_in_use()) {
            other.engine().detach(attachment);
        }
    }
}

/// Frees an attachment that nobody watches and that has no operations.
fn free(attachment: Locked) {
    if let Some(own) = attachment.set_own_fd(None) {
        private::close(own);
    }
    attachment.give_up_reserved();
    limits::forget(attachment.fd());
    attachment.set_detached();
    if let Some(world) = table::world() {
        world.attached.fetch_sub(1, Relaxed);
    }
}

/// The pipe is being closed: detaches its descriptors. Their operations get no events (rule 3.7).
pub(crate) fn detach_all_of(pipe: &'static Pipe) {
    // What is attached from now on cannot be to a pipe that is being closed.
    for node in table::attachments() {
        let attachment = node.lock();
        if attachment.pipe().is_some_and(|its| core::ptr::eq(its, pipe)) {
            attachment.forget_kept();
            pipe.drop_operations(&attachment);
            // What is left is another pipe's, from before the descriptor was attached to this one.
            release(attachment);
        } else if attachment.pipe().is_some() && attachment.has(SEVERAL_PIPES) {
            pipe.drop_operations(&attachment);
            pipe.engine().detach(&attachment);
            if let Some(its) = attachment.pipe() {
                // What was found out for those that are gone, and the alarm for a second try, went with the pipe.
                attachment.assume_ready();
                its.engine().proceed(&attachment, &Completions::of_thread(its));
            }
        }
    }
}
