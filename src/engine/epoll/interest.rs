//! What an attached descriptor is registered for with the kernel.
//!
//! A descriptor is watched for output from the first time on that something has to wait for that (`watch_output`). If
//! it was from the beginning, it would have an edge at once, since it can be written to, and with it a place among the
//! ready ones that it keeps: descriptors that become readable later would come in the order in which they were
//! attached, instead of that in which they became ready (rule 3.5).

use super::class;
use crate::state::attachment::{Attachment, Locked, SEVERAL_PIPES};
use crate::state::file_class::Class;
use crate::state::pipe::Pipe;
use crate::state::poller::Poller;
use crate::state::world;
use crate::sys::{Errno, Result, epoll as sys, nature};

/// What every attached descriptor is watched for. PRI and RDHUP tell when a short read proves nothing; the band bits
/// are what `ioevent_poll` may ask for.
pub(crate) const WATCHED_INPUT: u32 =
    (sys::EPOLLIN | sys::EPOLLPRI | sys::EPOLLRDHUP | sys::EPOLLRDNORM | sys::EPOLLRDBAND | sys::EPOLLET)
        as u32;
/// The same, once something has had to wait for output.
pub(crate) const WATCHED: u32 = WATCHED_INPUT | (sys::EPOLLOUT | sys::EPOLLWRNORM | sys::EPOLLWRBAND) as u32;
pub(crate) const HUNG_UP: u32 = (sys::EPOLLHUP | sys::EPOLLERR) as u32;
/// After one of these a short read proves nothing any more.
pub(crate) const NO_PROOF: u32 = (sys::EPOLLRDHUP | sys::EPOLLPRI) as u32 | HUNG_UP;
pub(crate) const INPUT: u32 = (sys::EPOLLIN | sys::EPOLLRDNORM | sys::EPOLLRDBAND) as u32 | NO_PROOF;
pub(crate) const OUTPUT: u32 = (sys::EPOLLOUT | sys::EPOLLWRNORM | sys::EPOLLWRBAND) as u32 | HUNG_UP;

/// What a descriptor is to be watched for.
pub(crate) fn watched(attachment: &Locked) -> u32 {
    if attachment.is_output_watched() { WATCHED } else { WATCHED_INPUT }
}

/// Something has found that it has to wait for output: there will be an edge when it can go on, also if that is now.
pub(crate) fn watch_output(attachment: &Locked) {
    if attachment.is_output_watched()
        || attachment.class.get() == Class::Disk
        || attachment.class.get().is_polled_apart()
    {
        return;
    }
    attachment.set_output_watched(true);
    let modify = |pipe: &Pipe| {
        let word = Attachment::to_word(attachment);
        // Where it is not watched (another pipe; it was closed behind the library's back) nothing changes.
        let _ = sys::modify(pipe.engine().epfd(), attachment.fd(), WATCHED, word);
    };
    let among_several = if attachment.has(SEVERAL_PIPES) { world::world() } else { None };
    if let Some(world) = among_several {
        world.pipes.iter().filter(|pipe| pipe.is_in_use()).for_each(modify);
    } else if let Some(pipe) = attachment.pipe() {
        modify(pipe);
    }
}

/// Has the kernel tell a pipe of a descriptor.
pub(crate) fn register(poller: &Poller, attachment: &Locked) -> Result<()> {
    let fd = attachment.fd();
    if attachment.class.get() == Class::Disk || attachment.class.get().is_polled_apart() {
        // The kernel would refuse a disk file; or ask whose file it is, for which the program does not wait.
        return Ok(());
    }
    let watched = watched(attachment);
    match sys::add(poller.epfd(), fd, watched, Attachment::to_word(attachment)) {
        // A registration of an earlier attachment, whose open file has come back to its old number.
        Err(Errno::EEXIST) => sys::modify(poller.epfd(), fd, watched, Attachment::to_word(attachment)),
        // What cannot be watched is always ready.
        Err(Errno::EPERM) => {
            class::make_disk(attachment, nature::identity(fd));
            Ok(())
        }
        r => r,
    }
}
