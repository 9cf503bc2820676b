//! Links: what Rust attaches. A link is an attachment that belongs to its handle until that gives it up, also when its
//! pipe is closed before; C does not see it (`word`).
//!
//! The node of a link has its serial number where those of C have their user pointer, since each operation of Rust's
//! has one of its own. Numbers are not used again, and go on in a forked child, which sees the nodes zeroed: so a
//! handle that was copied by a fork does nothing to what the child attaches under the same number.

use super::attach::{self, attach_new, known};
use super::submit::{self, Which};
use super::{fork, watchdog};
use crate::engine::{arming, release};
use crate::state::attachment::{Attachment, Locked};
use crate::state::pipe::Pipe;
use crate::state::private;
use crate::state::table;
use crate::state::word::Linked;
use crate::sys::{Errno, Result, nature};
use core::ffi::c_int;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The serial number of the newest link. Relaxed: only that no two are the same matters.
static NEWEST: AtomicUsize = AtomicUsize::new(0);

/// See the module's head. It does not own the descriptor. A handle has it, and copies of it are made for the calls on
/// that: a state that has the handle may be another thread's before such a call has returned.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    node: &'static Attachment,
    serial: usize,
}

impl Link {
    /// Attaches a descriptor, which is to stay open until `detach`. EEXIST if it is attached already, in C or in Rust;
    /// EINVAL if it is a pipe; ENOMEM, ENOSPC.
    pub(super) fn new(pipe: &'static Pipe, fd: c_int) -> Result<Link> {
        let look = nature::look(fd)?;
        let world = fork::world()?;
        let _stripe = world.attaching(fd);
        let node = table::make(fd)?;
        if node.is_in_use() {
            if let Some(of_c) = known(node, fd)? {
                of_c.arm();
                return Err(Errno::EEXIST);
            }
        }
        let serial = NEWEST.fetch_add(1, Relaxed) + 1;
        attach_new(world, node, fd, (pipe, Linked::to(pipe).word()), (serial, look))?;
        watchdog::begin(pipe);
        Ok(Link { node, serial })
    }

    #[inline(always)]
    pub(super) fn node(&self) -> &'static Attachment {
        self.node
    }

    /// The node, locked, if it still is this link's.
    pub(super) fn lock(&self) -> Option<Locked> {
        arming::lock_if(self.node, |locked| locked.user.get() == self.serial && locked.word().is_of_handle())
    }

    /// Ends what is outstanding, with events; the number is free from now on.
    pub(crate) fn detach(&self) {
        let Some(locked) = self.lock() else { return };
        if locked.is_attached() {
            release::release(locked);
        } else {
            drop(locked);
        }
        if let Some(locked) = self.lock() {
            locked.give_up();
        }
    }

    /// The descriptor was closed after `detach`: the process may have lost a lock that something lingers for.
    #[inline]
    pub(crate) fn closed() {
        private::close_lingering();
    }

    /// Ends operations that are not finished; how many.
    pub(crate) fn cancel(&self, which: Which) -> usize {
        let Some(locked) = self.lock() else { return 0 };
        submit::cancel_of(&locked, which).unwrap_or(0)
    }

    /// How long operations that are queued from now on may take, in nanoseconds; 0: for ever. EBADF if the pipe is
    /// gone.
    pub(crate) fn set_timeout(&self, nanoseconds: u64) -> Result<()> {
        match self.lock() {
            Some(locked) if locked.is_attached() => attach::set_timeout_of(&locked, nanoseconds),
            _ => Err(Errno::EBADF),
        }
    }
}
