//! A [`Future`] for each operation, for any executor. Needs the feature `futures`.
//!
//! A [`Reactor`] is an [`EventPipe`](crate::EventPipe) whose events wake tasks. It has no thread of its own: a thread
//! of the program's harvests, in one of these ways, and several of them go together.
//!
//! - [`Reactor::block_on`] runs a future and harvests while it waits. Any number of threads may do so at once, each
//!   with a future of its own; and one call may be made inside of another.
//! - [`Reactor::run`] is for a thread that only harvests, beside an executor whose tasks use the reactor.
//! - An event loop waits for the descriptor of the reactor ([`AsFd`]) to become readable, and calls
//!   [`Reactor::turn`] with no time until it returns 0.
//! - An executor of one's own calls [`Reactor::turn`] when it has nothing to do, and [`Reactor::notify`] from its
//!   wakers.
//!
//! ```
//! use ioevent::Io;
//! use ioevent::future::Reactor;
//! use std::os::unix::net::UnixStream;
//!
//! # fn main() -> std::io::Result<()> {
//! let reactor = Reactor::new(16)?;
//! let (here, there) = UnixStream::pair()?;
//! let (here, there) = (reactor.attach(here)?, reactor.attach(there)?);
//! let text = reactor.block_on(async {
//!     let (_, written) = reactor.submit(&here, *b"hello", |bytes| Io::write(bytes)).await;
//!     written?.done()?;
//!     let (buffer, read) = reactor.submit(&there, [0; 64], |buffer| Io::read(buffer)).await;
//!     let count = read?.bytes()?;
//!     std::io::Result::Ok(buffer[..count].to_vec())
//! })??;
//! assert_eq!(text, b"hello");
//! # Ok(()) }
//! ```
//!
//! Several tasks, on an executor that knows nothing of the reactor, and a thread that harvests for them:
//!
//! ```
//! use ioevent::future::Reactor;
//! use ioevent::{Attached, Io};
//! use std::os::unix::net::UnixStream;
//! use std::sync::Arc;
//! use std::{io, thread};
//!
//! async fn echo(reactor: Arc<Reactor>, stream: Attached<UnixStream>) -> io::Result<()> {
//!     let mut buffer = Vec::with_capacity(4096);
//!     loop {
//!         let (bytes, read) = reactor.submit(&stream, buffer, |buffer| Io::read_spare(buffer)).await;
//!         if read?.bytes()? == 0 {
//!             return Ok(());
//!         }
//!         let (mut bytes, written) = reactor.submit(&stream, bytes, |bytes| Io::write(bytes)).await;
//!         written?.done()?;
//!         bytes.clear();
//!         buffer = bytes;
//!     }
//! }
//!
//! async fn ask(reactor: Arc<Reactor>, stream: Attached<UnixStream>) -> io::Result<Vec<u8>> {
//!     let (_, written) = reactor.submit(&stream, *b"hello", |bytes| Io::write(bytes)).await;
//!     written?.done()?;
//!     let (answer, read) = reactor.submit(&stream, [0; 64], |buffer| Io::read(buffer)).await;
//!     Ok(answer[..read?.bytes()?].to_vec())
//! }
//!
//! # fn main() -> io::Result<()> {
//! let reactor = Arc::new(Reactor::new(100)?);
//! let harvester = thread::spawn({
//!     let reactor = reactor.clone();
//!     move || reactor.run()
//! });
//! let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
//! let mut clients = Vec::new();
//! for _ in 0..10 {
//!     let (here, there) = UnixStream::pair()?;
//!     runtime.spawn(echo(reactor.clone(), reactor.attach(there)?));
//!     clients.push(runtime.spawn(ask(reactor.clone(), reactor.attach(here)?)));
//! }
//! for client in clients {
//!     assert_eq!(runtime.block_on(client)??, b"hello");
//! }
//! reactor.stop();
//! harvester.join().unwrap()
//! # }
//! ```
//!
//! # From the first poll to the end
//!
//! The first poll submits the operation, if there is a place for it ([`Reactor::new`]). So even what could be had at
//! once is ready only when a thread has harvested, and an operation that is polled once and dropped is cancelled. It
//! keeps its place until its event was harvested.
//!
//! A time limit ([`Io::timeout`](crate::Io::timeout)) counts from when the operation has its place, and not from its
//! first poll; a [`Sleep`] counts from the call of [`Reactor::sleep`].
//!
//! A write that has a time limit, or is cancelled, may succeed with a part, and [`done`](crate::Outcome::done) is `Ok`
//! then. Compare, or ask [`ended_early`](crate::Outcome::ended_early) before:
//!
//! ```
//! # use ioevent::{Attached, Io, future::Reactor};
//! # use std::{io, net::TcpStream, time::Duration};
//! # async fn send(reactor: &Reactor, stream: &Attached<TcpStream>, bytes: Vec<u8>) -> io::Result<()> {
//! let time = Duration::from_secs(10);
//! let (bytes, written) = reactor.submit(stream, bytes, |bytes| Io::write(bytes).timeout(time)).await;
//! if written?.bytes()? < bytes.len() {
//!     return Err(io::ErrorKind::TimedOut.into());
//! }
//! # Ok(()) }
//! ```
//!
//! # States and borrows
//!
//! An operation owns what it works on, as everywhere in this crate, so a future may be dropped or leaked at any time,
//! and a buffer is lost with it. Where a future borrows what an operation works on, that does not compile. A task that
//! is to have its buffer back from a `select` keeps the [`Operation`] and polls it again by reference, or bounds the
//! operation itself with [`Io::timeout`](crate::Io::timeout).
//!
//! # Threads
//!
//! A [`Reactor`] is `Send` and `Sync`. An [`Operation`] is `Send` if its state and its closure are, and if the
//! descriptor is `Sync`; so tasks may go from thread to thread. Wakers are called, cloned and dropped while no lock is
//! held: one that calls back into the reactor, or panics, harms no other task. Its panic comes out of the call that
//! harvested, after all others were woken.

#![forbid(unsafe_code)]

mod hub;
mod locks;
mod operation;
mod places;
mod seat;
mod slot;

pub use operation::{Operation, Sleep};

use crate::{Attached, Io, NotAttached};
use hub::Hub;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

/// A pipe whose events wake tasks: see the [module](self).
///
/// Dropping it ends what is outstanding; when that returns, no buffer is in use.
pub struct Reactor {
    hub: Hub,
}

impl Reactor {
    /// A reactor for so many operations and sleeps at a time; further ones wait for a place, and are served in turn.
    ///
    /// Make it at least as many as can be outstanding at once (`2 * connections + 10`, say): a place costs nothing
    /// until it is used. With fewer a program can stand still: reads of idle connections and sleeps that have all the
    /// places keep back the write that would end one of them.
    ///
    /// Errors: `InvalidInput` if `capacity` is 0 or not below `i32::MAX`; those of [`EventPipe::new`].
    ///
    /// [`EventPipe::new`]: crate::EventPipe::new
    pub fn new(capacity: usize) -> io::Result<Reactor> {
        Ok(Reactor { hub: Hub::new(capacity)? })
    }

    /// Attaches a descriptor, which the [`Attached`] owns from now on.
    ///
    /// Errors: those of [`EventPipe::attach`](crate::EventPipe::attach), with the descriptor.
    pub fn attach<F: AsFd + 'static>(&self, source: F) -> Result<Attached<F>, NotAttached<F>> {
        self.hub.pipe().attach(source)
    }

    /// The operation that `describe` makes of the state, on a descriptor that this reactor has attached. The output has
    /// the state again, whatever happened.
    ///
    /// `describe` is called once, when the operation is submitted. The outcome is that of the operation; `Err` says
    /// that it was not submitted, and why: `InvalidInput` if another pipe has attached the descriptor.
    ///
    /// ```
    /// # use ioevent::{Io, future::Reactor};
    /// # use std::net::{TcpListener, TcpStream};
    /// # fn main() -> std::io::Result<()> {
    /// let reactor = Reactor::new(4)?;
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let client = TcpStream::connect(listener.local_addr()?)?;
    /// let listener = reactor.attach(listener)?;
    /// let stream = reactor.block_on(async {
    ///     let ((), accepted) = reactor.submit(&listener, (), |()| Io::accept()).await;
    ///     accepted?.descriptor().map(TcpStream::from)
    /// })??;
    /// assert_eq!(stream.peer_addr()?, client.local_addr()?);
    /// # Ok(()) }
    /// ```
    pub fn submit<'r, S, A, D>(
        &'r self,
        attached: &'r Attached<A>,
        state: S,
        describe: D,
    ) -> Operation<'r, S, A, D>
    where
        S: Send + 'static,
        A: AsFd,
        D: for<'a> FnOnce(&'a mut S) -> Io<'a>,
    {
        Operation::new(&self.hub, attached, state, describe)
    }

    /// Ready after this time, counted from this call on the monotonic clock, and never early. A time that the clock
    /// cannot count to, as [`Duration::MAX`], is for ever.
    ///
    /// Errors: out of memory.
    ///
    /// ```
    /// # use ioevent::future::Reactor;
    /// # use std::time::{Duration, Instant};
    /// # fn main() -> std::io::Result<()> {
    /// let (reactor, start) = (Reactor::new(1)?, Instant::now());
    /// reactor.block_on(reactor.sleep(Duration::from_millis(5)))??;
    /// assert!(start.elapsed() >= Duration::from_millis(5));
    /// # Ok(()) }
    /// ```
    pub fn sleep(&self, time: Duration) -> Sleep<'_> {
        Sleep::new(&self.hub, time)
    }

    /// Runs a future in this thread, and harvests while it waits.
    ///
    /// Other futures of this reactor are woken meanwhile, whatever runs them. Anything may wake this one: an operation,
    /// a channel, another thread or another reactor. One that wakes itself at each poll does not keep events from being
    /// harvested.
    ///
    /// Errors: those of [`EventPipe::wait`](crate::EventPipe::wait). The future is dropped then.
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        self.hub.block_on(future)
    }

    /// Harvests events, until [`Reactor::stop`], and wakes the tasks that they concern.
    ///
    /// ```
    /// # use ioevent::future::Reactor;
    /// # use std::{thread, time::Duration};
    /// # fn main() -> std::io::Result<()> {
    /// let reactor = Reactor::new(4)?;
    /// thread::scope(|scope| {
    ///     let harvester = scope.spawn(|| reactor.run());
    ///     let slept = pollster(reactor.sleep(Duration::from_millis(1)));
    ///     reactor.stop();
    ///     slept.and(harvester.join().unwrap())
    /// })
    /// # }
    /// # /// Any executor.
    /// # fn pollster<F: Future>(future: F) -> F::Output {
    /// #     struct Unpark(thread::Thread);
    /// #     impl std::task::Wake for Unpark {
    /// #         fn wake(self: std::sync::Arc<Self>) {
    /// #             self.0.unpark();
    /// #         }
    /// #     }
    /// #     let waker = std::sync::Arc::new(Unpark(thread::current())).into();
    /// #     let mut future = std::pin::pin!(future);
    /// #     loop {
    /// #         match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
    /// #             std::task::Poll::Ready(output) => return output,
    /// #             std::task::Poll::Pending => thread::park(),
    /// #         }
    /// #     }
    /// # }
    /// ```
    ///
    /// Errors: those of [`EventPipe::wait`](crate::EventPipe::wait).
    pub fn run(&self) -> io::Result<()> {
        self.hub.run()
    }

    /// Every [`Reactor::run`] returns, in all threads, and each that is called later returns at once.
    pub fn stop(&self) {
        self.hub.stop();
    }

    /// Waits until there are events, at most for this time (`None`: for ever), and wakes the tasks that they concern.
    /// With no time at all it takes what is there, at most 64 events.
    ///
    /// Returns how many operations have ended by that, 0 if the time is over or [`Reactor::notify`] was called. One
    /// thread harvests at a time: while another one waits for events, this one waits until that is over. So where
    /// several threads harvest, the wakers of an executor that waits here call [`Reactor::notify`].
    ///
    /// Errors: those of [`EventPipe::wait`](crate::EventPipe::wait).
    pub fn turn(&self, time: Option<Duration>) -> io::Result<usize> {
        self.hub.turn(time)
    }

    /// Every [`Reactor::turn`] that waits returns. If none does, the next one that would wait returns at once.
    pub fn notify(&self) {
        self.hub.notify();
    }
}

/// Readable when [`Reactor::turn`] would find events, for poll(2) and its like. Event loops that tell edges call it
/// until it returns 0.
impl AsFd for Reactor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hub.pipe().as_fd()
    }
}

impl AsRawFd for Reactor {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

// No code of the program's runs while anything in it is half done.
impl UnwindSafe for Reactor {}
impl RefUnwindSafe for Reactor {}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("pipe", self.hub.pipe()).finish_non_exhaustive()
    }
}
