//! Signals as events.
//!
//! A signal that is blocked, and that a descriptor was made for, interrupts no code: it waits until it is read from the
//! descriptor. So what a signal asks for is done where everything else is, between two events, and may use locks and
//! memory as any code does.
//!
//! ```
//! use ioevent::signal::{Received, Signal, Signals};
//! use ioevent::{Attached, EventPipe, Events, Op};
//! use std::io;
//! use std::process::Command;
//!
//! struct Control {
//!     signals: Attached<Signals>,
//!     received: Received,
//! }
//!
//! # fn main() -> io::Result<()> {
//! // First of all: before the program has other threads.
//! let signals = Signals::block(&[Signal::TERM, Signal::INT])?;
//!
//! let pipe = EventPipe::new(1)?;
//! let control = Control { signals: pipe.attach(signals)?, received: Received::new() };
//! pipe.submit(Op::new(control), |c| c.signals.read(c.received.as_bytes_mut()))?;
//!
//! let kill = format!("kill -s TERM {}", std::process::id());
//! Command::new("sh").args(["-c", &kill]).spawn()?.wait()?;
//!
//! for event in pipe.wait(&mut Events::with_capacity(1), None)? {
//!     let (control, outcome) = event.into_parts();
//!     outcome.done()?;
//!     assert_eq!(control.received.signal(), Signal::TERM);
//! }
//! # Ok(()) }
//! ```

use crate::sys;
use std::ffi::c_int;
use std::fmt;
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A signal.
///
/// Those of POSIX, and of Linux, are constants; those for applications, with which a value can be sent, come from
/// [`real_time`](Signal::real_time).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(c_int);

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident = $number:ident;)*) => {
        impl Signal {
            $($(#[$doc])* pub const $name: Signal = Signal(libc::$number);)*
        }
        const NAMES: &[(Signal, &str)] = &[$((Signal::$name, stringify!($number))),*];
    };
}

signals! {
    /// The process gives up: abort(3).
    ABRT = SIGABRT;
    /// The time of alarm(2) or setitimer(2) is over.
    ALRM = SIGALRM;
    /// A bad access to memory, such as one behind the end of a mapped file.
    BUS = SIGBUS;
    /// A child has ended, was stopped, or goes on.
    CHLD = SIGCHLD;
    /// A process that was stopped goes on.
    CONT = SIGCONT;
    /// A bad calculation.
    FPE = SIGFPE;
    /// The terminal is gone; to daemons: read the configuration again.
    HUP = SIGHUP;
    /// A bad instruction.
    ILL = SIGILL;
    /// Interrupt: control-C at the terminal.
    INT = SIGINT;
    /// Ends the process. It cannot be blocked.
    KILL = SIGKILL;
    /// A write to a pipe or socket that has no reader. Operations on a pipe of this library do not raise it.
    PIPE = SIGPIPE;
    /// I/O is possible (also SIGIO).
    POLL = SIGPOLL;
    /// The time of a profiling timer is over.
    PROF = SIGPROF;
    /// Power fails.
    PWR = SIGPWR;
    /// Control-backslash at the terminal.
    QUIT = SIGQUIT;
    /// A bad access to memory.
    SEGV = SIGSEGV;
    /// No signal of this machine's.
    STKFLT = SIGSTKFLT;
    /// Stops the process. It cannot be blocked.
    STOP = SIGSTOP;
    /// A bad system call.
    SYS = SIGSYS;
    /// The process is to end.
    TERM = SIGTERM;
    /// A breakpoint.
    TRAP = SIGTRAP;
    /// Stop: control-Z at the terminal.
    TSTP = SIGTSTP;
    /// A background process reads from its terminal.
    TTIN = SIGTTIN;
    /// A background process writes to its terminal.
    TTOU = SIGTTOU;
    /// Urgent data have come to a socket.
    URG = SIGURG;
    /// Of the program's own meaning.
    USR1 = SIGUSR1;
    /// Of the program's own meaning.
    USR2 = SIGUSR2;
    /// The time of a virtual timer is over.
    VTALRM = SIGVTALRM;
    /// The size of the terminal has changed.
    WINCH = SIGWINCH;
    /// The limit of processor time is reached.
    XCPU = SIGXCPU;
    /// The limit of file size is reached.
    XFSZ = SIGXFSZ;
}

impl Signal {
    /// The signal with this number; `None` if no signal has it, or one that is the C library's own.
    ///
    /// ```
    /// use ioevent::signal::Signal;
    ///
    /// assert_eq!(Signal::from_number(15), Some(Signal::TERM));
    /// assert_eq!(Signal::from_number(0), None);
    /// assert_eq!(Signal::from_number(65), None);
    /// ```
    pub fn from_number(number: c_int) -> Option<Signal> {
        /// The last before those of POSIX's real-time extension.
        const LAST: c_int = libc::SIGSYS;
        match number {
            1..=LAST => Some(Signal(number)),
            _ => Signal::real_time(number.checked_sub(libc::SIGRTMIN())?),
        }
    }

    /// SIGRTMIN + `n`; `None` beyond SIGRTMAX.
    ///
    /// Such a signal is received as often as it was sent, each time with its value. Any other that is sent twice before
    /// it is received may be received once.
    ///
    /// ```
    /// use ioevent::signal::Signal;
    ///
    /// let first = Signal::real_time(0).unwrap();
    /// assert_eq!(Signal::from_number(first.number() + 2), Signal::real_time(2));
    /// assert_eq!(Signal::real_time(1000), None);
    /// ```
    pub fn real_time(n: c_int) -> Option<Signal> {
        let number = libc::SIGRTMIN().checked_add(n)?;
        (n >= 0 && number <= libc::SIGRTMAX()).then_some(Signal(number))
    }

    /// Its number, as kill(2) takes it.
    pub const fn number(self) -> c_int {
        self.0
    }
}

/// The name: `SIGTERM`, or `SIGRTMIN+2`.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = NAMES.iter().find(|(signal, _)| signal == self) {
            return f.pad(name);
        }
        match Signal::from_number(self.0) {
            Some(_) => write!(f, "SIGRTMIN+{}", self.0 - libc::SIGRTMIN()),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A descriptor that signals are read from (signalfd(2)), to be attached; close-on-exec. Each read gives one, into a
/// [`Received`].
///
/// When it is dropped the signals stay blocked.
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Blocks these signals in the calling thread, and makes a descriptor to read them from.
    ///
    /// **Threads.** A signal that is sent to the process goes to any thread of it that has not blocked the signal, and
    /// does there what it does by default: most signals end the process. So *all* threads must have blocked it. A new
    /// thread has blocked what the thread has that starts it: call this first thing in `main`, before another thread is
    /// started. (The library's own threads block all signals, and may have been started before.)
    ///
    /// **What is read** are the signals of the process: those that kill(2) sent to it, or the terminal. A
    /// signal that was sent to one of its threads (by pthread_kill(3) or raise(3)) can be read by that thread only, and
    /// the library may read in any: it may stay unread. If there are several descriptors for a signal, it is read from
    /// one of them.
    ///
    /// A program that is started by [`Command`](std::process::Command) begins with no signal blocked.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, and nothing is blocked, if [`KILL`](Signal::KILL) or [`STOP`](Signal::STOP) is among them, which
    /// cannot be blocked, or the [`signal`](Received::signal) of a `Received` without one. Out of descriptors: EMFILE,
    /// ENFILE.
    pub fn block(signals: &[Signal]) -> io::Result<Signals> {
        let set = signals.iter().try_fold(0, |set, signal| Some(set | bit(*signal)?));
        let set = set.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        // The descriptor first: if there is none to be had nothing was blocked.
        sys::process::signal_descriptor(set)
            .and_then(|fd| sys::process::block_signals(set).map(|()| Signals(fd.into())))
            .map_err(|errno| io::Error::from_raw_os_error(errno.0))
    }
}

/// The bit of a signal in the kernel's set of them; `None` if it cannot be blocked.
fn bit(signal: Signal) -> Option<u64> {
    match Signal::from_number(signal.0)? {
        Signal::KILL | Signal::STOP => None,
        Signal(number) => Some(1 << (number - 1)),
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Signals> for OwnedFd {
    fn from(signals: Signals) -> OwnedFd {
        signals.0
    }
}

/// Room for one signal and what is told of it. Part of the state of a read from [`Signals`], which is given its bytes:
/// `signals.read(received.as_bytes_mut())`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Received([u8; size_of::<libc::signalfd_siginfo>()]);

const _: () = assert!(align_of::<Received>() >= align_of::<libc::signalfd_siginfo>());

impl Received {
    /// Room for one, without a signal.
    pub const fn new() -> Received {
        Received([0; size_of::<libc::signalfd_siginfo>()])
    }

    /// What a signal is to be read into: 128 bytes.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// The signal. Before one was read it has the number 0, which no signal has.
    pub fn signal(&self) -> Signal {
        let number = self.number(offset_of!(libc::signalfd_siginfo, ssi_signo));
        Signal::from_number(number).unwrap_or(Signal(0))
    }

    /// The process that sent it; 0 if the kernel did, or a process that cannot be seen from here (pid_namespaces(7)).
    pub fn sender(&self) -> u32 {
        self.number(offset_of!(libc::signalfd_siginfo, ssi_pid)) as u32
    }

    /// The real user of the process that sent it.
    pub fn user(&self) -> u32 {
        self.number(offset_of!(libc::signalfd_siginfo, ssi_uid)) as u32
    }

    /// How it was sent, or why: si_code of sigaction(2). 0 is kill(2), -1 is sigqueue(3).
    pub fn code(&self) -> i32 {
        self.number(offset_of!(libc::signalfd_siginfo, ssi_code))
    }

    /// The value that sigqueue(3) sent with it.
    pub fn value(&self) -> i32 {
        self.number(offset_of!(libc::signalfd_siginfo, ssi_int))
    }

    fn number(&self, at: usize) -> i32 {
        self.0.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| i32::from_ne_bytes(*bytes))
    }
}

impl Default for Received {
    fn default() -> Received {
        Received::new()
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("signal", &self.signal())
            .field("sender", &self.sender())
            .field("user", &self.user())
            .field("code", &self.code())
            .field("value", &self.value())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    const _: () = {
        const fn goes_anywhere<T: Send + Sync>() {}
        goes_anywhere::<Signal>();
        goes_anywhere::<Signals>();
        goes_anywhere::<Received>();
    };

    /// Signals of the calling thread that are blocked.
    fn blocked() -> Vec<Signal> {
        let mut set = std::mem::MaybeUninit::uninit();
        // SAFETY: the set is written, then read.
        let is_blocked = |number| unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set.as_mut_ptr());
            libc::sigismember(set.as_ptr(), number) == 1
        };
        (1..=64)
            .filter_map(Signal::from_number)
            .filter({
                let mut is_blocked = is_blocked;
                move |signal| is_blocked(signal.number())
            })
            .collect()
    }

    /// read(2) of one signal.
    fn read(signals: &Signals, received: &mut Received) {
        let bytes = received.as_bytes_mut();
        // SAFETY: the bytes are as many.
        let n = unsafe { libc::read(signals.as_fd().as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
        assert_eq!(n, 128);
    }

    /// Runs it in a thread of its own, to which it can send signals that no other gets.
    fn apart(f: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(f).join().unwrap());
    }

    /// SAFETY: no pointers but one to 128 bytes that are read.
    fn send_to_this_thread(signal: Signal, value: i32) {
        let mut info = [0i32; 32];
        (info[0], info[2]) = (signal.number(), libc::SI_QUEUE);
        (info[4], info[5], info[6]) = (std::process::id() as i32, 1234, value);
        // SAFETY: a siginfo_t is read.
        let r = unsafe {
            let (process, thread) = (libc::getpid(), libc::gettid());
            libc::syscall(libc::SYS_rt_tgsigqueueinfo, process, thread, signal.number(), &raw const info)
        };
        assert_eq!(r, 0, "{}", io::Error::last_os_error());
    }

    #[test]
    fn what_is_blocked_is_read() {
        apart(|| {
            let real_time = Signal::real_time(3).unwrap();
            let before = blocked();
            let signals = Signals::block(&[Signal::USR1, real_time]).unwrap();
            let added: Vec<_> = blocked().into_iter().filter(|signal| !before.contains(signal)).collect();
            assert_eq!(added, [Signal::USR1, real_time]);
            // SAFETY: no pointers.
            let flags = unsafe { libc::fcntl(signals.as_fd().as_raw_fd(), libc::F_GETFD) };
            assert_eq!(flags, libc::FD_CLOEXEC);

            let mut received = Received::new();
            // SAFETY: no pointers.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGUSR1) };
            read(&signals, &mut received);
            assert_eq!((received.signal(), received.sender()), (Signal::USR1, std::process::id()));
            // SAFETY: no pointers.
            assert_eq!(received.user(), unsafe { libc::getuid() });
            assert_eq!((received.code(), received.value()), (libc::SI_TKILL, 0));

            send_to_this_thread(real_time, -5);
            send_to_this_thread(real_time, 6);
            for value in [-5, 6] {
                read(&signals, &mut received);
                assert_eq!((received.signal(), received.value()), (real_time, value));
                assert_eq!((received.code(), received.user()), (libc::SI_QUEUE, 1234));
            }
            let text = format!("{received:?}");
            assert!(text.starts_with("Received { signal: SIGRTMIN+3, sender: "), "{text}");
        });
    }

    #[test]
    fn what_cannot_be_blocked_is_refused_and_then_nothing_is() {
        apart(|| {
            let before = blocked();
            let nothing = Received::new().signal();
            assert_eq!((nothing.number(), format!("{nothing}")), (0, "signal 0".into()));
            for refused in [Signal::KILL, Signal::STOP, nothing] {
                let error = Signals::block(&[Signal::USR2, refused]).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
                assert_eq!(blocked(), before);
            }
            Signals::block(&[]).unwrap();
            assert_eq!(blocked(), before);
        });
    }

    #[test]
    fn signals_stay_blocked_without_their_descriptor() {
        apart(|| {
            drop(Signals::block(&[Signal::WINCH]).unwrap());
            assert!(blocked().contains(&Signal::WINCH));
        });
    }

    #[test]
    fn numbers_are_checked() {
        let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
        for number in (-3..=70).chain([i32::MIN, i32::MAX]) {
            let is_signal = (1..=31).contains(&number) || (first..=last).contains(&number);
            assert_eq!(Signal::from_number(number).is_some(), is_signal, "{number}");
            assert!(Signal::from_number(number).is_none_or(|signal| signal.number() == number));
        }
        for n in [-1, i32::MIN, last - first + 1, i32::MAX] {
            assert_eq!(Signal::real_time(n), None);
        }
        assert_eq!(Signal::real_time(last - first).unwrap().number(), last);
        let mut garbage = Received::new();
        garbage.as_bytes_mut().fill(0xff);
        assert_eq!(garbage.signal().number(), 0);
    }

    #[test]
    fn each_signal_has_one_name() {
        let mut numbers: Vec<_> = NAMES.iter().map(|(signal, _)| signal.number()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=31).collect::<Vec<_>>());
        assert_eq!(format!("{:>8}|{:?}", Signal::TERM, Signal::HUP), " SIGTERM|SIGHUP");
        assert_eq!(Signal::real_time(0).unwrap().to_string(), "SIGRTMIN+0");
    }
}
