//! Attaching and detaching, for C; what Rust attaches is a link (`link`).

use super::{close, fork, lookup, watchdog};
use crate::engine::{Attach, Engine, limits, misuse, release};
use crate::queue::lane::LISTED;
use crate::queue::lanes::COMMON;
use crate::state::attachment::{
    Attachment, Entry, INLINE, INPUT_FREE, Locked, POLL_ONLY, SEVERAL_PIPES, TIME_LIMIT, next_generation,
};
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::state::word::Word;
use crate::state::world::{self, World};
use crate::sys::nature::{self, Look};
use crate::sys::{Errno, Result, fd};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// F_SETIOEVENTPIPE: ties `fd` to the pipe behind `pipefd`, or to none if that is -1.
pub(crate) fn attach(fd: c_int, pipefd: c_int, user: usize) -> Result<()> {
    if pipefd == -1 {
        return detach(fd);
    }
    if world::is_borrowed() {
        fd::check_open(fd)?;
        return Err(fd::unfit(pipefd));
    }
    let look = nature::look(fd);
    if look == Err(Errno::EBADF) {
        close::forget_stale(fd);
    }
    let look = look?;
    let pipe = lookup::enter(pipefd)?;
    let world = fork::world()?;
    let _stripe = world.attaching(fd);
    let node = table::make(fd)?;
    match known(node, fd)? {
        Some(attachment) => {
            attach_again(&attachment, &pipe, user)?;
            attachment.arm();
        }
        None => attach_new(world, node, fd, (&pipe, Word::attached(&pipe)), (user, look))?,
    }
    watchdog::begin(&pipe);
    Ok(())
}

/// What the table has under a number that is to be attached: if C has attached it, and it is the same file still, the
/// attachment. All else that may be there is forgotten. EINVAL: it is a pipe's. EEXIST: it is linked.
pub(super) fn known(node: &'static Attachment, fd: c_int) -> Result<Option<Locked>> {
    let word = node.read();
    if word.is_of_handle() {
        return Err(Errno::EEXIST);
    }
    if let Some(typed) = word.typed_pipe() {
        if typed.is_current() {
            return Err(Errno::EINVAL);
        }
        node.clear_pipe(typed);
    } else if let Entry::Pipe(other) = lookup::get(fd) {
        if other.is_current() {
            return Err(Errno::EINVAL);
        }
        close::close(other);
    }
    let Some(attachment) = lookup::find(fd) else { return Ok(None) };
    if !is_same_file(&attachment) {
        misuse::report_closed(&attachment);
        release::release(attachment);
        return Ok(None);
    }
    Ok(Some(attachment))
}

/// Attaches a number under which the table has nothing. `word` says to which pipe, and for C or for Rust.
pub(super) fn attach_new(
    world: &World,
    node: &'static Attachment,
    fd: c_int,
    (pipe, word): (&'static Pipe, Word),
    (user, look): (usize, Look),
) -> Result<()> {
    // Where there is no memory for operations, the program is told so now.
    world.ops.reserve()?;
    let attachment = node.lock();
    attachment.set_reserved(true);
    table::note_attached(fd);
    world.attached.fetch_add(1, Relaxed);
    pipe.attached.fetch_add(1, Relaxed);
    if attachment.generation.get() == 0 {
        attachment.generation.set(1);
    }
    attachment.set_own_fd(None);
    attachment.user.set(user);
    limits::forget(fd);
    // The engine may hand out an edge as soon as it watches; the table must know the descriptor then.
    attachment.set_attached(fd, word);
    belong_to(&attachment, pipe);
    let attached = pipe.engine().attach(&attachment, Attach::New(look));
    if attached.is_err() {
        release::free(attachment);
        node.lock().give_up();
        return attached;
    }
    // So that the first call can go the fast path.
    attachment.arm();
    if !attachment.has(INPUT_FREE) {
        attachment.give_up_reserved();
    }
    Ok(())
}

/// Changes pipe and user pointer for operations queued from now on (rule 4.2).
fn attach_again(attachment: &Locked, pipe: &'static Pipe, user: usize) -> Result<()> {
    let Some(before) = attachment.pipe() else { return Err(Errno::EBADF) };
    if !core::ptr::eq(before, pipe) {
        let generation = attachment.generation.get();
        if attachment.is_idle() {
            // Edges for the pipe before that are under way must not be taken for edges of this one.
            attachment.generation.set(next_generation(generation));
        }
        if let Err(errno) = pipe.engine().attach(attachment, Attach::Again) {
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
        attachment.set_attached(attachment.fd(), Word::attached(pipe));
        before.attached.fetch_sub(1, Relaxed);
        pipe.attached.fetch_add(1, Relaxed);
        belong_to(attachment, pipe);
    }
    attachment.user.set(user);
    Ok(())
}

fn belong_to(attachment: &Locked, pipe: &'static Pipe) {
    // No event of the descriptor is in any lane of this pipe: the number before the next to be taken out is gone.
    attachment.set_newest(COMMON | LISTED, pipe.queue.lanes.get(COMMON).popped().wrapping_sub(1));
}

fn is_same_file(attachment: &Locked) -> bool {
    attachment.pipe().is_some_and(|pipe| pipe.engine().is_same_file(attachment))
}

/// The attachment of `fd`, unless all there are belong to the parent process.
fn find_own(fd: c_int) -> Option<Locked> {
    if world::is_borrowed() { None } else { lookup::find(fd) }
}

/// Detaches (rule 4.3). It is no error if `fd` is not attached.
pub(crate) fn detach(fd: c_int) -> Result<()> {
    if let Some(attachment) = find_own(fd) {
        misuse::detach(&attachment);
        release::release(attachment);
    }
    fd::check_open(fd)
}

/// F_GETIOEVENTPIPE: the number of the pipe, and the user pointer.
pub(crate) fn attached_to(fd: c_int) -> Result<Option<(c_int, usize)>> {
    if let Some(attachment) = find_own(fd) {
        if is_same_file(&attachment) {
            return Ok(attachment.pipe().map(|pipe| (pipe.number(), attachment.user.get())));
        }
        misuse::report_closed(&attachment);
        release::release(attachment);
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
    let found = if world::is_borrowed() { None } else { lookup::find(fd) };
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
    set_timeout_of(&find_attached(fd)?, timeout)
}

/// The same for a descriptor that is locked.
pub(super) fn set_timeout_of(attachment: &Locked, timeout: u64) -> Result<()> {
    let set = if timeout > 0 { limits::set_timeout(attachment.fd(), timeout) } else { Ok(()) };
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
