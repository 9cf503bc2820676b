//! How a pipe is made: for C, or for Rust, which has typed pipes.

use super::{close, fork, publish, watchdog};
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::state::word::Word;
use crate::state::world::{self, World};
use crate::sys::{Errno, Result, fd, observers};
use core::ffi::c_int;

/// `ioeventpipe2`.
pub(crate) fn create(nevents: c_int, flags: c_int) -> Result<c_int> {
    if flags & !(libc::O_NONBLOCK | libc::O_CLOEXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    make(nevents, flags, false).map(|(_, pipe)| pipe.number())
}

/// A typed pipe, and the world that it is in.
pub(super) fn create_typed(capacity: c_int) -> Result<(&'static World, &'static Pipe)> {
    make(capacity, libc::O_CLOEXEC, true)
}

fn make(nevents: c_int, flags: c_int, is_typed: bool) -> Result<(&'static World, &'static Pipe)> {
    if nevents < 1 {
        return Err(Errno::EINVAL);
    }
    let world = fork::world()?;
    if world::is_borrowed() {
        return Err(Errno::EPERM);
    }
    let pipe = world.pipes.take(&world.ops, &world.watchdog, is_typed)?;
    open(world, pipe, nevents as u32, flags).inspect_err(|_| pipe.end())?;
    let is_published = publish::begin(world);
    if is_published || observers::is_debug() {
        // It looks for more than attachments (`lookout`), and publishes.
        watchdog::begin(pipe);
    }
    Ok((world, pipe))
}

/// Opens a pipe that is not in use.
fn open(world: &World, pipe: &'static Pipe, capacity: u32, flags: c_int) -> Result<()> {
    let public = pipe.engine().open(pipe.is_typed())?;
    let number = public.raw();
    world.lose(pipe, number);
    let nonblock = flags & libc::O_NONBLOCK;
    let prepared = table::make(number).and_then(|node| {
        if flags & libc::O_CLOEXEC == 0 {
            fd::control(number, libc::F_SETFD, 0)?;
        }
        fd::control(number, libc::F_SETFL, nonblock as usize).map(|_| node)
    });
    let node = prepared.inspect_err(|_| pipe.engine().close())?;
    close::forget_stale(number);
    pipe.begin(number, capacity, nonblock != 0);
    node.set_pipe(if pipe.is_typed() { Word::typed(pipe) } else { Word::own(pipe) });
    public.into_raw();
    Ok(())
}
