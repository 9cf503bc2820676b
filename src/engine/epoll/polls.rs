//! Polls that come again and again (rule 2.10): what `poll` asks for is input, the program reads by itself, and polls
//! anew.
//!
//! Edge-triggered, the library would not know whether there is something when a poll comes, and would have to ask the
//! kernel each time. So the descriptor of such a poll is registered level-triggered, for input alone (LEVEL), as long
//! as nothing else is asked for on it: then each poll of the kernel tells of it if there is something by then, and a
//! poll costs no call of its own. If the kernel tells of a descriptor that is not polled any more, it is registered
//! edge-triggered again, or it would be told without end.

use super::interest::watched;
use crate::state::attachment::{Attachment, LEVEL, Locked, READABLE, SEVERAL_PIPES, WRITABLE};
use crate::state::file_class::Class;
use crate::sys::epoll as sys;

/// What a descriptor is registered for.
const REGISTERED: u32 = (sys::EPOLLIN | sys::EPOLLRDNORM | sys::EPOLLPRI | sys::EPOLLRDHUP) as u32;
/// A poll for some of these, and nothing else, can be so.
const MAY_BE_ASKED: i16 = libc::POLLIN | libc::POLLRDNORM | libc::POLLPRI | libc::POLLRDHUP;

/// Whether a poll asks for input alone, and for something that a descriptor is told of together with it.
#[inline(always)]
pub(crate) fn is_of_input(events: i16) -> bool {
    events & !MAY_BE_ASKED == 0 && events & (libc::POLLIN | libc::POLLRDNORM) != 0
}

/// Has the kernel tell level-triggered of a descriptor on which a poll, and nothing else, is about to wait; false if it
/// is not for that.
pub(crate) fn enter(attachment: &Locked, events: i16) -> bool {
    if attachment.has(LEVEL) {
        return is_of_input(events);
    }
    let class = attachment.class.get();
    if !is_of_input(events)
        || !attachment.is_idle()
        || attachment.has(SEVERAL_PIPES)
        || class == Class::Disk
        || class.is_polled_apart()
        || !register(attachment, REGISTERED)
    {
        return false;
    }
    attachment.mark(LEVEL);
    attachment.set_output_watched(false);
    true
}

/// Has it tell of edges again. It tells of what is there now.
pub(crate) fn leave(attachment: &Locked) {
    become_edge_triggered(attachment);
    register(attachment, watched(attachment));
}

/// The descriptor is about to belong to another pipe. The one before is not to tell of it again and again: if nothing
/// waits there, its registration is about to go.
pub(crate) fn go_to_another_pipe(attachment: &Locked) {
    if !attachment.has(LEVEL) {
        return;
    }
    if attachment.is_idle() {
        become_edge_triggered(attachment);
    } else {
        leave(attachment);
    }
}

fn become_edge_triggered(attachment: &Locked) {
    attachment.clear(LEVEL);
    attachment.mark(READABLE | WRITABLE);
}

fn register(attachment: &Locked, events: u32) -> bool {
    let Some(pipe) = attachment.pipe() else { return false };
    sys::modify(pipe.engine().epfd(), attachment.fd(), events, Attachment::to_word(attachment)).is_ok()
}
