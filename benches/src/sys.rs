//! What is asked of the kernel: epoll, affinity, limits, and what a process has used.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

/// What a C function returned, as a Result.
fn checked(answer: libc::c_int) -> Result<libc::c_int> {
    if answer == -1 { Err(Error::last_os_error()) } else { Ok(answer) }
}

/// An epoll descriptor.
pub struct Epoll(OwnedFd);

impl Epoll {
    /// A new one.
    pub fn new() -> Result<Epoll> {
        // SAFETY: no pointers.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: it was just made, and has no other owner.
        Ok(Epoll(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    fn control(&self, what: libc::c_int, fd: &impl AsRawFd, events: libc::c_int, data: u64) -> Result<()> {
        let mut event = libc::epoll_event { events: events as u32, u64: data };
        // SAFETY: `event` is good for the call.
        checked(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), what, fd.as_raw_fd(), &mut event) })?;
        Ok(())
    }

    /// Begins to watch a descriptor, level-triggered.
    pub fn add(&self, fd: &impl AsRawFd, events: libc::c_int, data: u64) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, events, data)
    }

    /// Changes what is watched of it.
    pub fn modify(&self, fd: &impl AsRawFd, events: libc::c_int, data: u64) -> Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, events, data)
    }

    /// Watches it no more.
    pub fn remove(&self, fd: &impl AsRawFd) -> Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// Waits; returns how many of `events` were filled.
    pub fn wait(&self, events: &mut [libc::epoll_event], timeout: Duration) -> Result<usize> {
        let timeout = timeout.as_millis().min(i32::MAX as u128) as libc::c_int;
        let room = events.len().min(i32::MAX as usize) as libc::c_int;
        // SAFETY: there is room for so many.
        match checked(unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), room, timeout) }) {
            Ok(n) => Ok(n as usize),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl AsRawFd for Epoll {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The cores that this thread may use.
pub fn allowed_cores() -> Result<Vec<usize>> {
    // SAFETY: a cpu_set_t is plain bits.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is of the size given.
    checked(unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) })?;
    // SAFETY: below CPU_SETSIZE.
    Ok((0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect())
}

/// Keeps this thread, and what it starts, on these cores. Async-signal-safe.
pub fn pin(cores: &[usize]) -> Result<()> {
    // SAFETY: a cpu_set_t is plain bits.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &core in cores.iter().filter(|&&core| core < libc::CPU_SETSIZE as usize) {
        // SAFETY: below CPU_SETSIZE.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: `set` is of the size given.
    checked(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) })?;
    Ok(())
}

/// Raises the limit of descriptors as far as it goes; returns it.
pub fn raise_descriptor_limit() -> Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is good for the call.
    checked(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: likewise.
    checked(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })?;
    Ok(limit.rlim_cur)
}

/// A connection that is closed is gone at once: no port stays in TIME_WAIT.
pub fn no_linger(socket: &impl AsRawFd) -> Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_LINGER, &libc::linger { l_onoff: 1, l_linger: 0 })
}

/// Sets an option of a socket.
fn set<T>(socket: &impl AsRawFd, level: libc::c_int, name: libc::c_int, value: &T) -> Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is of the size given.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(value).cast(), len) })?;
    Ok(())
}

/// A connection from an address of this machine to 127.0.0.1, which does not block after it was made.
pub fn connect(from: Ipv4Addr, port: u16, patience: Duration) -> Result<TcpStream> {
    // SAFETY: no pointers.
    let fd = checked(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: it was just made, and has no other owner.
    let stream = unsafe { TcpStream::from_raw_fd(fd) };
    // The time limit counts for connect, too.
    stream.set_write_timeout(Some(patience))?;
    // The port is chosen when it connects: it need not differ from that of connections to elsewhere.
    let yes: libc::c_int = 1;
    set(&stream, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, &yes)?;
    let address = |address: Ipv4Addr, port: u16| libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(address).to_be() },
        sin_zero: [0; 8],
    };
    let (here, there) = (address(from, 0), address(Ipv4Addr::LOCALHOST, port));
    let len = size_of_val(&here) as libc::socklen_t;
    // SAFETY: `here` is of the size given.
    checked(unsafe { libc::bind(fd, (&raw const here).cast(), len) })?;
    // SAFETY: `there` is of the size given.
    checked(unsafe { libc::connect(fd, (&raw const there).cast(), len) })?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Takes bytes out of a TCP connection that does not block, without copying them; returns how many there were.
pub fn discard(stream: &TcpStream, most: usize) -> Result<usize> {
    // SAFETY: with MSG_TRUNC, TCP writes nothing to the buffer.
    match unsafe { libc::recv(stream.as_raw_fd(), ptr::null_mut(), most, libc::MSG_TRUNC) } {
        -1 => Err(Error::last_os_error()),
        n => Ok(n as usize),
    }
}

/// The CPU time of this process, in nanoseconds.
///
/// It is what /proc/self/schedstat shows, the scheduler's own accounting, but brought up to the instant; the file lags
/// by up to a tick for a thread that is running.
pub fn own_cpu() -> Result<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is good for the call.
    checked(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) })?;
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The CPU time of all threads of another process, in nanoseconds: the first number of each schedstat.
pub fn cpu_of(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = task?.path().join("schedstat");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue, // the thread has just ended
            Err(error) => return Err(error),
        };
        let number = text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        sum += number.ok_or_else(|| Error::other(format!("{}: no number: {text:?}", path.display())))?;
    }
    Ok(sum)
}

/// The resident anonymous memory of a process, in bytes.
pub fn rss_anon(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes =
        line.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse::<u64>().ok());
    Ok(kilobytes.ok_or_else(|| Error::other(format!("/proc/{pid}/status has no RssAnon")))? * 1024)
}
