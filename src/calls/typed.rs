//! Typed pipes: those of Rust, whose events go back to the type of state that their operations had. C does not see
//! them. The handle owns the pipe, so that it is open as long as a call on it can be made; only in a forked child it is
//! not there any more.

use super::close::{self, Rest};
use super::harvest::harvest;
use super::link::Link;
use super::{create, lookup, post, stats, submit};
use crate::engine::completions::Completions;
use crate::engine::times;
use crate::event::RawEvent;
use crate::state::pipe::Pipe;
use crate::state::word::Linked;
use crate::state::world::{self, World};
use crate::stats::Stats;
use crate::sync::access;
use crate::sys::{Errno, Result, fd, process};
use core::ffi::c_int;
use core::mem::MaybeUninit;

/// See the module's head.
#[derive(Clone, Copy)]
pub(crate) struct Typed {
    /// The pipe, as the word that its links have.
    to: Linked,
    world: &'static World,
}

impl Typed {
    /// A pipe with so many places. EINVAL for 0 or more than `c_int::MAX`; EMFILE, ENFILE, ENOMEM.
    pub(crate) fn new(capacity: usize) -> Result<Typed> {
        let capacity = c_int::try_from(capacity).map_err(|_| Errno::EINVAL)?;
        let (world, pipe) = create::create_typed(capacity)?;
        Ok(Typed { to: Linked::to(pipe), world })
    }

    #[inline(always)]
    fn pipe(&self) -> &'static Pipe {
        self.to.pipe()
    }

    #[inline(always)]
    pub(super) fn to(&self) -> Linked {
        self.to
    }

    /// Whether it is a pipe of this process: else it is one of the parent of a forked child.
    #[inline(always)]
    fn is_here(&self) -> bool {
        world::is(self.world)
    }

    /// EBADF if it is not, or is known to be lost.
    fn check(&self) -> Result<()> {
        if !self.is_here() {
            lookup::inspect();
            return Err(Errno::EBADF);
        }
        if self.pipe().is_lost() { Err(Errno::EBADF) } else { Ok(()) }
    }

    /// Ends all operations, waits until no buffer is in use, and shows the events that no thread has harvested. Nothing
    /// in a forked child.
    pub(crate) fn close(self, rest: Rest) {
        if world::is_borrowed() || !self.is_here() {
            return;
        }
        let number = self.pipe().number();
        let is_ours = self.pipe().engine().is_behind(number);
        close::close_then(self.pipe(), Some(rest), || {
            if is_ours {
                let _ = fd::close(number);
            }
        });
        close::end_watch();
    }

    /// Attaches a descriptor; see `Link::new`.
    pub(crate) fn attach(&self, fd: c_int) -> Result<Link> {
        self.check()?;
        Link::new(self.pipe(), fd)
    }

    /// Takes out as many events as there are and fit; waits for the first for `timeout` nanoseconds (`None`: for
    /// ever). 0 when the time is over. A signal does not end the wait.
    #[inline]
    pub(crate) fn harvest(&self, room: &mut [MaybeUninit<RawEvent>], timeout: Option<u64>) -> Result<usize> {
        if !self.is_here() {
            return Err(self.check().err().unwrap_or(Errno::EBADF));
        }
        if timeout.is_none() {
            let n = harvest(self.pipe().number(), room, self.pipe(), None);
            if n >= 0 {
                return Ok(n as usize);
            }
        }
        self.harvest_otherwise(room, timeout)
    }

    #[inline(never)]
    fn harvest_otherwise(&self, room: &mut [MaybeUninit<RawEvent>], timeout: Option<u64>) -> Result<usize> {
        let end = timeout.filter(|ns| *ns > 0).map(|ns| process::now().saturating_add(ns));
        let mut left = timeout;
        loop {
            match harvest(self.pipe().number(), room, self.pipe(), left) {
                n @ 0.. => return Ok(n as usize),
                n if n != -(libc::EINTR as isize) => return Err(Errno(-n as c_int)),
                _ => {}
            }
            if let Some(end) = end {
                left = Some(end.saturating_sub(process::now()));
            }
        }
    }

    /// EIOEVENTFULL, ENOMEM, EBADF.
    pub(crate) fn post(&self, event: RawEvent) -> Result<()> {
        self.check()?;
        access::admit();
        post::post(self.pipe(), self.pipe().number(), &[event]).map(drop)
    }

    /// A timer. EIOEVENTFULL, ENOMEM, EBADF.
    pub(crate) fn add_timer(&self, word: usize, nanoseconds: u64) -> Result<()> {
        self.check()?;
        access::admit();
        submit::add_timer(self.pipe(), word, nanoseconds)
    }

    /// Ends timers with this word; how many.
    pub(crate) fn cancel_timers(&self, word: usize) -> usize {
        if self.check().is_err() || !self.pipe().is_whole() {
            return 0;
        }
        access::admit();
        times::cancel_timers(Some(word), &Completions::of_thread(self.pipe()))
    }

    pub(crate) fn capacity(&self) -> usize {
        self.pipe().queue.capacity() as usize
    }

    /// EBUSY if more places are taken; EINVAL as for `new`; EBADF.
    pub(crate) fn set_capacity(&self, capacity: usize) -> Result<()> {
        self.check()?;
        let capacity = c_int::try_from(capacity).map_err(|_| Errno::EINVAL)?;
        access::admit();
        self.pipe().queue.set_capacity(capacity).map(drop)
    }

    pub(crate) fn places_taken(&self) -> usize {
        self.pipe().queue.places_taken() as usize
    }

    /// EBADF if it is not one of this process, or is known to be lost.
    pub(crate) fn stats(&self) -> Result<Stats> {
        self.check()?;
        Ok(stats::stats_of(self.pipe()))
    }

    pub(crate) fn number(&self) -> c_int {
        self.pipe().number()
    }

    /// From now on its number can be waited on (rule 3.6).
    pub(crate) fn show(&self) {
        if self.is_here() && !self.pipe().is_nonblock() {
            access::admit();
            self.pipe().engine().show(self.pipe().number());
            self.pipe().set_nonblock(true);
        }
    }
}
