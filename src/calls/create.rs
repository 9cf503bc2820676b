//! How a pipe is made.

use super::close;
use super::fork;
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::state::world::{self, World};
use crate::sys::{Errno, Result, fd};
use core::ffi::c_int;

/// `ioeventpipe2`.
pub(crate) fn create(nevents: c_int, flags: c_int) -> Result<c_int> {
    if nevents < 1 || flags & !(libc::O_NONBLOCK | libc::O_CLOEXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    let world = fork::world()?;
    if world::is_borrowed() {
        return Err(Errno::EPERM);
    }
    let pipe = world.pipes.take(&world.ops, &world.watchdog)?;
    open(world, pipe, nevents as u32, flags).inspect_err(|_| pipe.end())
}

/// Opens a pipe that is not in use; returns its public number.
fn open(world: &World, pipe: &'static Pipe, capacity: u32, flags: c_int) -> Result<c_int> {
    let public = pipe.engine().open()?;
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
    node.set_pipe(pipe);
    Ok(public.into_raw())
}
