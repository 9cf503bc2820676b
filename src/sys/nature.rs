//! What is behind a descriptor: the kind of its file, which file it is, and whether it is an open file seen before.

use super::fd::{self, OwnedFd};
use super::raw::{self, Sysno};
use super::{Errno, Result};
use super::{mounts, socket};
use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What statx(2) and fstat(2) say of a file, as far as it matters here.
struct Status {
    mode: u32,
    device: u64,
    inode: u64,
    nameless: bool,
    /// Bytes; what it takes up, in units of 512.
    size: u64,
    blocks: u64,
}

/// What the kernel knows of a file. A server that has the file is not asked (rule 5.5), if there is a statx(2).
fn status(fd: c_int) -> Result<Status> {
    match status_of(fd, c"", libc::AT_EMPTY_PATH) {
        Err(errno) if errno.is_refusal() => status_by_fstat(fd),
        r => r,
    }
}

fn status_of(directory: c_int, path: &CStr, flags: c_int) -> Result<Status> {
    let flags = flags | libc::AT_STATX_DONT_SYNC;
    let mask = libc::STATX_TYPE | libc::STATX_INO | libc::STATX_NLINK | libc::STATX_SIZE | libc::STATX_BLOCKS;
    let mut statx = core::mem::MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the path ends with its zero byte; the kernel fills `statx`.
    unsafe {
        raw::call5(
            Sysno::statx,
            directory as usize,
            path.as_ptr() as usize,
            flags as usize,
            mask as usize,
            statx.as_mut_ptr() as usize,
        )?
    };
    // SAFETY: zeroed, then filled: every field is initialised.
    let statx = unsafe { statx.assume_init() };
    Ok(Status {
        mode: statx.stx_mode.into(),
        device: libc::makedev(statx.stx_dev_major, statx.stx_dev_minor),
        inode: statx.stx_ino,
        nameless: statx.stx_nlink == 0,
        size: statx.stx_size,
        blocks: statx.stx_blocks,
    })
}

#[cold]
fn status_by_fstat(fd: c_int) -> Result<Status> {
    let mut stat = core::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the kernel fills `stat`, whose layout in libc is the kernel's on both targets.
    unsafe { raw::call2(Sysno::fstat, fd as usize, stat.as_mut_ptr() as usize)? };
    // SAFETY: zeroed, then filled: every field is initialised.
    let stat = unsafe { stat.assume_init() };
    Ok(Status {
        mode: stat.st_mode,
        device: stat.st_dev,
        inode: stat.st_ino,
        nameless: stat.st_nlink == 0,
        size: stat.st_size as u64,
        blocks: stat.st_blocks as u64,
    })
}

/// What there is to know of a file, as far as it matters here.
#[derive(Clone, Copy)]
pub(crate) struct Nature {
    /// The type bits (S_IFMT) of its mode.
    pub(crate) kind: u32,
    /// A number that tells it from others: a hash of device and inode, of 30 bits.
    pub(crate) identity: c_int,
    /// Whether no directory has it: a file in memory, or one that was removed.
    pub(crate) nameless: bool,
    /// Where it is.
    device: u64,
    /// Whether it takes up nothing there.
    is_empty: bool,
}

/// What the first look at a descriptor tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    /// It is a socket that moves a stream of bytes.
    StreamSocket,
    /// Or messages.
    MessageSocket,
    /// It is something else, or the look was refused.
    Other,
}

/// A first look, by one call. EBADF unless `fd` is open.
pub(crate) fn look(fd: c_int) -> Result<Look> {
    match socket::is_stream(fd) {
        Ok(true) => Ok(Look::StreamSocket),
        Ok(false) => Ok(Look::MessageSocket),
        // That is said, too, of a descriptor that O_PATH has opened.
        Err(Errno::EBADF) => fd::check_open(fd).map(|()| Look::Other),
        Err(_) => Ok(Look::Other),
    }
}

/// What kind of file is behind `fd`, and which.
pub(crate) fn nature(fd: c_int) -> Result<Nature> {
    let status = status(fd)?;
    let mixed = (status.inode ^ status.device.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Ok(Nature {
        kind: status.mode & libc::S_IFMT,
        identity: (mixed >> 34) as c_int,
        nameless: status.nameless,
        device: status.device,
        is_empty: status.blocks == 0,
    })
}

/// The size of a regular file, in bytes; nothing for other kinds of files.
pub(crate) fn size(fd: c_int) -> Option<u64> {
    status(fd).ok().filter(|status| status.mode & libc::S_IFMT == libc::S_IFREG).map(|status| status.size)
}

impl Nature {
    /// Whether the file is in a file system that the kernel makes up, with files that poll(2) can wait on. (The file
    /// system itself cannot be asked: where it is that of a server or of a process, that would be asked, and the
    /// program would wait for it. So the table of mounts is.)
    pub(crate) fn is_of_the_kernel(&self) -> bool {
        /// What was found out last: a device number, and in the lowest bit the answer; 0: nothing yet.
        static LAST: AtomicU64 = AtomicU64::new(0);
        if !self.is_empty || libc::major(self.device) != 0 {
            return false;
        }
        // Relaxed: a hint, in one word.
        let last = LAST.load(Relaxed);
        if last != 0 && last >> 1 == self.device {
            return last & 1 != 0;
        }
        let answer = mounts::is_of_the_kernel(self.device);
        LAST.store(self.device << 1 | u64::from(answer), Relaxed);
        answer
    }

    /// Whether it is an end of a pipe without a name. Those have a file system of their own in the kernel; where a FIFO
    /// may be on a server, which must not be asked (so no fstatfs(2)). False too if it cannot be told: a pipe can be
    /// treated as a FIFO.
    pub(crate) fn is_unnamed_pipe(&self) -> bool {
        self.kind == libc::S_IFIFO && pipes_device().is_ok_and(|device| device == self.device)
    }
}

/// The device number of that file system.
fn pipes_device() -> Result<u64> {
    /// 0: not known yet.
    static DEVICE: AtomicU64 = AtomicU64::new(0);
    // Relaxed: it is the same whichever thread finds it out.
    let known = DEVICE.load(Relaxed);
    if known != 0 {
        return Ok(known);
    }
    let mut ends = [-1 as c_int; 2];
    // SAFETY: the kernel writes two ints.
    unsafe { raw::call2(Sysno::pipe2, ends.as_mut_ptr() as usize, libc::O_CLOEXEC as usize)? };
    let [input, _output] = ends.map(OwnedFd::adopt);
    let device = status(input.raw())?.device;
    DEVICE.store(device, Relaxed);
    Ok(device)
}

/// Whether I/O on a file of this type may wait for a disk, and for nothing else.
pub(crate) fn is_disk_type(file_type: u32) -> bool {
    matches!(file_type, libc::S_IFREG | libc::S_IFBLK | libc::S_IFDIR)
}

/// Which file is behind `fd` (`Nature::identity`); -1 if it is not open.
pub(crate) fn identity(fd: c_int) -> c_int {
    nature(fd).map_or(-1, |nature| nature.identity)
}

/// Whether `fd` is the slave side of a pseudo-terminal or another terminal that can be opened anew. The master side
/// cannot: opening it gives another terminal. False too if it cannot be told.
pub(crate) fn is_reopenable_terminal(fd: c_int) -> bool {
    let mut number: c_int = 0;
    // SAFETY: the kernel writes an int. Only a master has a pty number.
    let master =
        unsafe { raw::call3(Sysno::ioctl, fd as usize, libc::TIOCGPTN as usize, &raw mut number as usize) };
    master.is_err_and(|errno| !errno.is_refusal()) && window_size(fd).is_ok()
}

/// Asks for the window size, which only terminals have.
fn window_size(fd: c_int) -> Result<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel writes a winsize.
    unsafe { raw::call3(Sysno::ioctl, fd as usize, libc::TIOCGWINSZ as usize, &raw mut size as usize) }
}

/// Whether `fd` is of perf_event_open(2).
pub(crate) fn is_perf_event(fd: c_int) -> bool {
    /// Its number, eight bytes.
    const PERF_EVENT_IOC_ID: usize = 0x8008_2407;
    let mut id = 0u64;
    // SAFETY: the kernel writes eight bytes.
    unsafe { raw::call3(Sysno::ioctl, fd as usize, PERF_EVENT_IOC_ID, &raw mut id as usize).is_ok() }
}

/// Whether `fd` is a terminal that was hung up: it reads as ended and takes nothing.
pub(crate) fn is_hung_up(fd: c_int) -> bool {
    window_size(fd) == Err(Errno(libc::EIO))
}

/// F_SETOWN_EX and F_GETOWN_EX: what gets the signals of an open file.
#[repr(C)]
struct Owner {
    kind: c_int,
    id: c_int,
}

const F_SETOWN_EX: c_int = 15;
const F_GETOWN_EX: c_int = 16;
const OWNER_THREAD: c_int = 0;
const OWNER_GROUP: c_int = 2;

fn owner(fd: c_int) -> Option<Owner> {
    let mut owner = Owner { kind: -1, id: -1 };
    // SAFETY: the kernel writes the struct.
    let r = unsafe { raw::call3(Sysno::fcntl, fd as usize, F_GETOWN_EX as usize, &raw mut owner as usize) };
    r.is_ok().then_some(owner)
}

/// Marks an open file that belongs to none as belonging to no process group, which means the same. Whether it is
/// marked now. For the files that epoll cannot tell apart: there is nothing else that stays with an open file.
pub(crate) fn mark(fd: c_int) -> bool {
    let Some(Owner { kind: OWNER_THREAD, id: 0 }) = owner(fd) else { return is_marked(fd) };
    let nobody = Owner { kind: OWNER_GROUP, id: 0 };
    // SAFETY: the kernel reads the struct.
    let r =
        unsafe { raw::call3(Sysno::fcntl, fd as usize, F_SETOWN_EX as usize, &raw const nobody as usize) };
    r.is_ok() && is_marked(fd)
}

fn is_marked(fd: c_int) -> bool {
    matches!(owner(fd), Some(Owner { kind: OWNER_GROUP, id: 0 }))
}

/// Whether an open file is as it was when it was opened, and so not one that `mark` has marked. (If the program has
/// made another its owner since, nothing can be said.)
pub(crate) fn was_never_marked(fd: c_int) -> bool {
    matches!(owner(fd), Some(Owner { kind: OWNER_THREAD, id: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fd;

    #[test]
    fn the_file_system_of_proc_is_found() {
        let proc = fd::open(c"/proc/version", libc::O_RDONLY | libc::O_CLOEXEC).unwrap();
        assert!(nature(proc.raw()).unwrap().is_of_the_kernel());
    }
}
