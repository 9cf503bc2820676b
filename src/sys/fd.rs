//! Descriptors: making, moving, closing, their flags and kinds.

use super::raw::{self, Refusable, Sysno};
use super::{Errno, Result};
use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A descriptor of the library's own; closed when dropped.
#[derive(Debug)]
pub(crate) struct OwnedFd(c_int);

impl OwnedFd {
    /// Takes over a descriptor that a system call has just made.
    pub(super) fn adopt(fd: c_int) -> OwnedFd {
        OwnedFd(fd)
    }

    pub(crate) fn raw(&self) -> c_int {
        self.0
    }

    /// Gives the number away: nothing closes it any more.
    pub(crate) fn into_raw(self) -> c_int {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }

    /// Another descriptor of the same open file, close-on-exec, where programs rarely look: the low numbers stay free
    /// for the application, which may count on getting the lowest.
    pub(crate) fn duplicate_out_of_the_way(&self) -> Result<OwnedFd> {
        const BASE: u64 = 512;
        let base = BASE.min(descriptor_limit() / 2);
        match control(self.0, libc::F_DUPFD_CLOEXEC, base as usize) {
            Err(Errno::EINVAL | Errno::EMFILE) => control(self.0, libc::F_DUPFD_CLOEXEC, 0),
            r => r,
        }
        .map(|fd| OwnedFd(fd as c_int))
    }

    /// The same, and the low number is given back.
    pub(crate) fn move_out_of_the_way(self) -> Result<OwnedFd> {
        self.duplicate_out_of_the_way()
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        let _ = close(self.0);
    }
}

/// The soft limit on descriptor numbers.
fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is written.
    let r =
        unsafe { raw::call4(Sysno::prlimit64, 0, libc::RLIMIT_NOFILE as usize, 0, &raw mut limit as usize) };
    if r.is_ok() { limit.rlim_cur } else { 1024 }
}

/// close(2). The number is free afterwards whatever the answer is.
pub(crate) fn close(fd: c_int) -> Result<()> {
    static CLOSE: Refusable = Refusable::new(Sysno::close);
    // SAFETY: no pointers. Whoever calls this owns the descriptor.
    let r = unsafe { raw::call1(Sysno::close, fd as usize) };
    // A file may have its own reasons to answer like that; then its number is free.
    if CLOSE.explains(&r, 0) {
        // SAFETY: as above.
        unsafe { raw::call3(Sysno::close_range, fd as usize, fd as usize, 0)? };
        return Ok(());
    }
    r.map(drop)
}

/// fcntl(2) with an integer argument.
pub(crate) fn control(fd: c_int, cmd: c_int, arg: usize) -> Result<usize> {
    // SAFETY: the commands used in this crate take an integer or nothing.
    unsafe { raw::call3(Sysno::fcntl, fd as usize, cmd as usize, arg) }
}

/// EBADF unless `fd` is open.
pub(crate) fn check_open(fd: c_int) -> Result<()> {
    control(fd, libc::F_GETFD, 0).map(drop)
}

/// What is wrong with a descriptor that is not of the kind that is needed: EBADF if it is not open, else EINVAL.
pub(crate) fn unfit(fd: c_int) -> Errno {
    check_open(fd).err().unwrap_or(Errno::EINVAL)
}

/// The status flags of the open file behind `fd`.
pub(crate) fn status_flags(fd: c_int) -> Result<c_int> {
    control(fd, libc::F_GETFL, 0).map(|flags| flags as c_int)
}

/// Runs `call` with O_NONBLOCK set on the open file, which is put back afterwards unless it was set before (rule
/// 4.5). Others who share the open file can see it for that long.
pub(crate) fn with_nonblock<T>(fd: c_int, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let flags = status_flags(fd)?;
    if flags & libc::O_NONBLOCK != 0 {
        return call();
    }
    with_flags(fd, flags, flags | libc::O_NONBLOCK, call)
}

/// Runs `call` with status flags set on the open file, which are put back to what they were afterwards.
pub(crate) fn with_flags<T>(
    fd: c_int,
    before: c_int,
    set: c_int,
    call: impl FnOnce() -> Result<T>,
) -> Result<T> {
    set_status_flags(fd, set)?;
    let r = call();
    let _ = set_status_flags(fd, before);
    r
}

/// Sets the status flags of the open file behind `fd`.
pub(crate) fn set_status_flags(fd: c_int, flags: c_int) -> Result<()> {
    control(fd, libc::F_SETFL, flags as usize).map(drop)
}

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
        let answer = super::mounts::is_of_the_kernel(self.device);
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

/// Whether I/O on a file of this type may wait for a disk, and for nothing else.
pub(crate) fn is_disk_type(file_type: u32) -> bool {
    matches!(file_type, libc::S_IFREG | libc::S_IFBLK | libc::S_IFDIR)
}

/// Which file is behind `fd` (`Nature::identity`); -1 if it is not open.
pub(crate) fn identity(fd: c_int) -> c_int {
    nature(fd).map_or(-1, |nature| nature.identity)
}

/// F_SETOWN_EX and F_GETOWN_EX: who gets the signals of an open file.
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

/// Marks an open file that belongs to nobody as belonging to no process group, which means the same. Whether it is
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
/// made somebody its owner since, nothing can be said.)
pub(crate) fn was_never_marked(fd: c_int) -> bool {
    matches!(owner(fd), Some(Owner { kind: OWNER_THREAD, id: 0 }))
}

/// Another descriptor of the same open file as `fd`, close-on-exec, out of the application's way.
pub(crate) fn duplicate(fd: c_int) -> Result<OwnedFd> {
    // Not owned here, and so not dropped.
    core::mem::ManuallyDrop::new(OwnedFd(fd)).duplicate_out_of_the_way()
}

/// The device number of that file system.
fn pipes_device() -> Result<u64> {
    /// 0: not known yet.
    static DEVICE: AtomicU64 = AtomicU64::new(0);
    // Relaxed: it is the same whoever finds it out.
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

/// A new open file for the FIFO or terminal behind `fd`, with O_NONBLOCK of its own.
pub(crate) fn reopen_nonblocking(fd: c_int) -> Result<OwnedFd> {
    let access = status_flags(fd)? & libc::O_ACCMODE;
    let flags = access | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let mut path = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = [0u8; 10];
    let mut rest = fd as u32;
    let mut n = 0;
    for digit in &mut digits {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        n += 1;
        if rest == 0 {
            break;
        }
    }
    for (to, from) in path.iter_mut().skip(14).zip(digits.iter().take(n).rev()) {
        *to = *from;
    }
    // At most ten digits were written before the last two bytes. (It stays on its number: to move it would be to close
    // a descriptor of the file, and with that to lose the process's locks on it.)
    open(CStr::from_bytes_until_nul(&path).unwrap_or(c""), flags)
}

/// What openat2(2) takes.
#[repr(C)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

pub(super) fn open(path: &CStr, flags: c_int) -> Result<OwnedFd> {
    let directory = libc::AT_FDCWD as usize;
    // SAFETY: the path ends in a zero byte.
    let r = unsafe { raw::call4(Sysno::openat, directory, path.as_ptr() as usize, flags as usize, 0) };
    match r {
        Err(errno) if errno.is_refusal() => {
            let how = How { flags: flags as u64, mode: 0, resolve: 0 };
            let (how, size) = (&raw const how as usize, size_of::<How>());
            // SAFETY: as above; `how` is read.
            let other = unsafe { raw::call4(Sysno::openat2, directory, path.as_ptr() as usize, how, size) };
            // What openat says of it matters more.
            other.or(r)
        }
        r => r,
    }
    .map(|fd| OwnedFd::adopt(fd as c_int))
}

/// A descriptor that can do nothing but be closed: `open("/", O_PATH | O_CLOEXEC)`; or, if nothing can be opened, an
/// epoll instance of its own, which cannot be read or written either.
pub(crate) fn open_dead() -> Result<OwnedFd> {
    open(c"/", libc::O_PATH | libc::O_CLOEXEC).or_else(|_| super::epoll::create())
}

/// Puts a copy of a dead descriptor in the place of `fd`; if there is none to be had, `fd` is closed all the same.
pub(crate) fn kill(fd: c_int, dead: &Result<OwnedFd>) {
    if !dead.as_ref().is_ok_and(|dead| replace(fd, dead.0).is_ok()) {
        let _ = close(fd);
    }
}

/// dup3(2) with O_CLOEXEC. Where there is none, another thread could be given the number in between; in a forked child
/// there is no other.
fn replace(fd: c_int, by: c_int) -> Result<()> {
    // SAFETY: no pointers.
    let r = unsafe { raw::call3(Sysno::dup3, by as usize, fd as usize, libc::O_CLOEXEC as usize) };
    if !r.is_err_and(Errno::is_refusal) {
        return r.map(drop);
    }
    close(fd)?;
    let copy = OwnedFd::adopt(control(by, libc::F_DUPFD_CLOEXEC, fd as usize)? as c_int);
    if copy.raw() == fd {
        copy.into_raw();
    }
    Ok(())
}

/// poll(2) on one descriptor without waiting: what of `events` (and POLLERR, POLLHUP, POLLNVAL) holds now.
pub(crate) fn poll_now(fd: c_int, events: i16) -> Result<i16> {
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    poll(core::slice::from_mut(&mut entry), 0)?;
    Ok(entry.revents)
}

/// An entry for `poll`: waits for `fd` to be readable.
pub(crate) fn readable(fd: c_int) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// poll(2). The timeout is in milliseconds; -1 waits for ever.
pub(crate) fn poll(entries: &mut [libc::pollfd], timeout: c_int) -> Result<usize> {
    let mut time = super::process::timespec(timeout.max(0) as u64 * 1_000_000);
    let time = if timeout < 0 { 0 } else { &raw mut time as usize };
    // SAFETY: the kernel reads and writes the entries, and the time if it gets one. (ppoll: aarch64 has no poll.)
    let r = unsafe { raw::call5(Sysno::ppoll, entries.as_mut_ptr() as usize, entries.len(), time, 0, 8) };
    #[cfg(target_arch = "x86_64")]
    if r.is_err_and(Errno::is_refusal) {
        let timeout = timeout as usize;
        // SAFETY: as above.
        return unsafe { raw::call3(Sysno::poll, entries.as_mut_ptr() as usize, entries.len(), timeout) };
    }
    r
}
