//! The pipe.

use crate::calls::link::Link;
use crate::calls::owned;
use crate::calls::typed::Typed;
use crate::event::RawEvent;
use crate::events::{Event, Events};
use crate::op::{DESCRIPTOR, Given, HOOK, Lent, Op, POSTED};
use crate::queue::op::Kind;
use crate::request::{Io, Request, Waits};
use crate::sys::Errno;
use crate::{Attached, NotAttached, OpId, Refused, Stats};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// An ioevent pipe: operations are submitted to it, and it gives out an event for each when it is complete.
///
/// All its operations have a state of one type `T`. The state of an operation goes in with it, and comes back with its
/// event: exactly once, whatever happens in between.
///
/// # Threads
///
/// Where the states may go from thread to thread (`T: Send`) any number of threads may submit and harvest through
/// `&self`; each event goes to exactly one of them. Where they may not, the pipe stays in its thread, and states may
/// hold an [`Rc`](std::rc::Rc). To share one, borrow it ([`std::thread::scope`]) or put it into an
/// [`Arc`](std::sync::Arc).
///
/// The events that one `wait` has given are that thread's own; what is not harvested yet goes to any thread that is
/// idle. Where the work for an event takes long, give [`Events`] room for one or a few. To stop several threads, post
/// one event: the thread that gets it posts it again, finishes its batch, and returns. (If one were posted for each
/// thread, a single thread might harvest several.)
///
/// # The end
///
/// Dropping the pipe ends all its operations, waits until no buffer is in use any more (disk I/O that the kernel has
/// begun is waited for), and then drops their states. Descriptors that are attached to it stay
/// open as long as their [`Attached`]; operations on them are refused from then on.
///
/// In a forked child the pipe of its parent is not there: everything gives EBADF, and dropping it does nothing. States
/// that were outstanding are leaked there.
///
/// ```
/// use ioevent::{Attached, EventPipe, Events, Op};
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
///
/// struct Connection { stream: Attached<UnixStream>, buffer: [u8; 4096] }
///
/// let pipe = EventPipe::new(16)?;
/// let (ours, mut theirs) = UnixStream::pair()?;
/// let connection = Connection { stream: pipe.attach(ours)?, buffer: [0; 4096] };
/// pipe.submit(Op::new(connection), |c| c.stream.read(&mut c.buffer))?;
/// theirs.write_all(b"hello")?;
/// for event in pipe.wait(&mut Events::with_capacity(64), None)? {
///     let (connection, outcome) = event.into_parts();
///     assert_eq!(&connection.buffer[..outcome.bytes()?], b"hello");
/// }
/// # std::io::Result::Ok(())
/// ```
pub struct EventPipe<T: 'static> {
    typed: Typed,
    /// It takes states and gives them: invariant.
    _states: PhantomData<fn(T) -> T>,
    /// Neither Send nor Sync by itself.
    _thread: PhantomData<*mut T>,
}

// SAFETY: the pipe itself is for any thread; it moves states between them.
unsafe impl<T: Send> Send for EventPipe<T> {}
// SAFETY: as above. No two threads have the same state, so T need not be Sync.
unsafe impl<T: Send> Sync for EventPipe<T> {}

impl<T: 'static> EventPipe<T> {
    /// Makes a pipe that can have `capacity` operations outstanding and events posted, together. Memory grows
    /// with what is outstanding, not with the capacity.
    ///
    /// Errors: `InvalidInput` for 0 or more than `i32::MAX`; EMFILE, ENFILE, ENOMEM.
    pub fn new(capacity: usize) -> io::Result<EventPipe<T>> {
        Ok(EventPipe { typed: Typed::new(capacity)?, _states: PhantomData, _thread: PhantomData })
    }

    /// Attaches a descriptor, which is the handle's from now on. Its number is asked for once.
    ///
    /// What can be attached: sockets, pipes, terminals, eventfds and the like, files. Its flags stay as they are; it
    /// need not be non-blocking. Several operations can be outstanding on one descriptor.
    ///
    /// Errors, each with the descriptor: see [`NotAttached`].
    pub fn attach<F: AsFd + 'static>(&self, source: F) -> Result<Attached<F>, NotAttached<F>> {
        match self.typed.attach(source.as_fd().as_raw_fd()) {
            Ok(link) => Ok(Attached::new(link, source)),
            Err(errno) => Err(NotAttached::new(source, errno)),
        }
    }

    /// Queues the operation that `describe` makes of the state.
    ///
    /// The state is the pipe's until the event has been harvested. What the operation works on is part of the state, or
    /// lives for ever; the descriptor, too. (Where the compiler says that something does not live long enough, it is
    /// not part of the state: see [`submit_on`](Self::submit_on).) `describe` is called once, at once. If it panics the
    /// state is dropped, and nothing is queued.
    ///
    /// Errors, each with the state, untouched: see [`Refused`]. Any thread.
    ///
    /// ```
    /// use ioevent::{Attached, EventPipe, Op};
    /// use std::os::unix::net::UnixStream;
    ///
    /// struct Connection { stream: Attached<UnixStream>, buffer: Vec<u8> }
    ///
    /// let pipe = EventPipe::new(16)?;
    /// let stream = pipe.attach(UnixStream::pair()?.0)?;
    /// let connection = Op::new(Connection { stream, buffer: Vec::with_capacity(4096) });
    /// pipe.submit(connection, |c| c.stream.read_spare(&mut c.buffer))?;
    /// assert_eq!(pipe.places_taken(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    #[inline(always)]
    pub fn submit<F>(&self, op: Op<T>, describe: F) -> Result<(), Refused<T>>
    where
        F: for<'a> FnOnce(&'a mut T) -> Request<'a>,
    {
        let lent = Lent::new(op);
        // SAFETY: nothing else has the state. What the operation keeps of the borrow lasts until its event has been
        // harvested, and until then nothing uses the state otherwise. `describe` works for any lifetime, so for that
        // one.
        let Request { waits, io } = describe(unsafe { &mut *lent.value() });
        match waits {
            Waits::On(link) => self.start(lent.give(), link, io),
            Waits::For(time) => self.start_timer(lent.give(), time),
        }
    }

    /// The same on a descriptor that is not part of the state: a listener, a socket that several operations share.
    ///
    /// The handle may be dropped meanwhile: then the operation ends (ECANCELED).
    ///
    /// ```
    /// use ioevent::{EventPipe, Events, Io, Op};
    /// use std::net::UdpSocket;
    ///
    /// let pipe = EventPipe::new(16)?;
    /// let socket = pipe.attach(UdpSocket::bind("127.0.0.1:0")?)?;
    /// for _ in 0..4 {
    ///     pipe.submit_on(&socket, Op::new([0; 1500]), |datagram| Io::read(datagram))?;
    /// }
    /// drop(socket);
    /// let mut events = Events::with_capacity(4);
    /// assert!(pipe.wait(&mut events, None)?.all(|event| event.outcome().error().is_some()));
    /// # std::io::Result::Ok(())
    /// ```
    #[inline(always)]
    pub fn submit_on<A, F>(&self, attached: &Attached<A>, op: Op<T>, describe: F) -> Result<(), Refused<T>>
    where
        A: AsFd,
        F: for<'a> FnOnce(&'a mut T) -> Io<'a>,
    {
        let lent = Lent::new(op);
        // SAFETY: as in `submit`.
        let io = describe(unsafe { &mut *lent.value() });
        self.start(lent.give(), attached.link(), io)
    }

    /// Like [`submit`](Self::submit), but if the operation can be finished at once its event is given directly, without
    /// a place in the pipe; so this can succeed on a full pipe. `None`: it is queued.
    ///
    /// ```
    /// use ioevent::{Attached, EventPipe, Op};
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    ///
    /// let pipe = EventPipe::new(1)?;
    /// let (ours, mut theirs) = UnixStream::pair()?;
    /// let state: (Attached<UnixStream>, [u8; 64]) = (pipe.attach(ours)?, [0; 64]);
    /// theirs.write_all(b"here already")?;
    /// let event = pipe.submit_inline(Op::new(state), |(stream, buffer)| stream.read(buffer))?;
    /// let (state, outcome) = event.expect("there is something to read").into_parts();
    /// assert_eq!(&state.1[..outcome.bytes()?], b"here already");
    /// # std::io::Result::Ok(())
    /// ```
    #[inline]
    pub fn submit_inline<F>(&self, op: Op<T>, describe: F) -> Result<Option<Event<T>>, Refused<T>>
    where
        F: for<'a> FnOnce(&'a mut T) -> Request<'a>,
    {
        let lent = Lent::new(op);
        // SAFETY: as in `submit`.
        let Request { waits, io } = describe(unsafe { &mut *lent.value() });
        match waits {
            Waits::On(link) => self.start_inline(lent.give(), link, io),
            Waits::For(time) => self.start_timer(lent.give(), time).map(|()| None),
        }
    }

    #[inline(always)]
    fn start(&self, state: Given<T>, link: Link, io: Io<'_>) -> Result<(), Refused<T>> {
        if let Some(errno) = io.refusal() {
            return Err(refused(state, errno));
        }
        let word = prepare(&state, &io);
        // SAFETY: what the operation works on is part of the state, or lives for ever; and the state is the pipe's
        // until the event with this word.
        match unsafe { owned::start(&self.typed, link, word, io.call) } {
            0 => Ok(()),
            errno => Err(refused(state, Errno(errno))),
        }
    }

    #[inline]
    fn start_inline(&self, state: Given<T>, link: Link, io: Io<'_>) -> Result<Option<Event<T>>, Refused<T>> {
        if let Some(errno) = io.refusal() {
            return Err(refused(state, errno));
        }
        let word = prepare(&state, &io);
        // SAFETY: as in `start`.
        match unsafe { owned::start_inline(&self.typed, link, word, &io.call) } {
            // SAFETY: the event of the state that was given away, which nothing else has.
            Ok(event) => Ok(event.map(|event| unsafe { Event::from_raw(&event) })),
            Err(errno) => Err(refused(state, errno)),
        }
    }

    fn start_timer(&self, state: Given<T>, nanoseconds: u64) -> Result<(), Refused<T>> {
        self.typed.add_timer(state.word(0), nanoseconds).map_err(|errno| refused(state, errno))
    }

    /// Posts an event: the thread that harvests it gets this state and this value ([`Outcome::count`]).
    ///
    /// What one thread posts, one harvesting thread gets in that order. Errors as of [`submit`](Self::submit). Any
    /// thread.
    ///
    /// [`Outcome::count`]: crate::Outcome::count
    ///
    /// ```
    /// use ioevent::{EventPipe, Events, Op};
    /// use std::thread;
    ///
    /// let pipe = EventPipe::new(8)?;
    /// thread::scope(|scope| {
    ///     scope.spawn(|| pipe.post(Op::new("from another thread"), 7));
    ///     for event in pipe.wait(&mut Events::with_capacity(8), None)? {
    ///         let (text, outcome) = event.into_parts();
    ///         assert_eq!((*text, outcome.count()), ("from another thread", Some(7)));
    ///     }
    ///     std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn post(&self, op: Op<T>, value: u32) -> Result<(), Refused<T>> {
        let state = Given::new(op);
        let event = RawEvent { user: state.word(POSTED) as *mut _, result: value as i32, errno: 0 };
        self.typed.post(event).map_err(|errno| refused(state, errno))
    }

    /// Harvests: waits until there is an event, for `timeout` at most (`None`, and [`Duration::MAX`]: for ever), and
    /// takes as many as there are and fit. None only when the time is over.
    ///
    /// What is left in `events` from the last time is given first, and alone. A signal does not end the wait: attach
    /// [`Signals`](crate::signal::Signals) to be told of one.
    ///
    /// Errors: EBADF if the program has closed descriptors of the library, or in a forked child. Any number of threads;
    /// each with `Events` of its own.
    #[inline]
    pub fn wait<'e>(
        &self,
        events: &'e mut Events<T>,
        timeout: Option<Duration>,
    ) -> io::Result<&'e mut Events<T>> {
        if events.is_used_up() {
            // Longer than can be said is for ever.
            let timeout = timeout.and_then(|time| u64::try_from(time.as_nanos()).ok());
            match self.typed.harvest(events.room(), timeout) {
                // SAFETY: so many were written, and the pipe is of this T.
                Ok(count) => unsafe { events.set_filled(count) },
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(events)
    }

    /// Harvests what there is, without waiting.
    ///
    /// ```
    /// use ioevent::{EventPipe, Events, Op};
    ///
    /// let pipe = EventPipe::new(8)?;
    /// let mut events = Events::with_capacity(8);
    /// assert_eq!(pipe.try_wait(&mut events)?.count(), 0);
    /// pipe.post(Op::new(()), 0)?;
    /// assert_eq!(pipe.try_wait(&mut events)?.count(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    #[inline]
    pub fn try_wait<'e>(&self, events: &'e mut Events<T>) -> io::Result<&'e mut Events<T>> {
        self.wait(events, Some(Duration::ZERO))
    }

    /// Ends a timer of this pipe, which gives its event at once (ECANCELED). Returns whether there was one that was not
    /// over.
    ///
    /// ```
    /// use ioevent::{EventPipe, Events, Op, is_cancelled, timer};
    /// use std::time::Duration;
    ///
    /// let pipe = EventPipe::new(8)?;
    /// let op = Op::new("in an hour");
    /// let id = Op::id(&op);
    /// pipe.submit(op, |_| timer(Duration::from_secs(3600)))?;
    /// assert!(pipe.cancel_timer(id) && !pipe.cancel_timer(id));
    /// let mut events = Events::with_capacity(1);
    /// let error = pipe.wait(&mut events, None)?.next().and_then(|event| event.outcome().error());
    /// assert!(is_cancelled(&error.expect("it was cancelled")));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn cancel_timer(&self, op: OpId) -> bool {
        self.typed.cancel_timers(op.0) > 0
    }

    /// How many operations can be outstanding and events posted, together.
    pub fn capacity(&self) -> usize {
        self.typed.capacity()
    }

    /// Changes that. `ResourceBusy` if more places are taken; `InvalidInput` as for [`new`](Self::new).
    pub fn set_capacity(&self, capacity: usize) -> io::Result<()> {
        Ok(self.typed.set_capacity(capacity)?)
    }

    /// How many operations are outstanding and events posted now.
    pub fn places_taken(&self) -> usize {
        self.typed.places_taken()
    }

    /// What has happened in the pipe since it was made, and what there is in it now. EBADF as of [`wait`](Self::wait).
    /// It changes nothing, and takes some microseconds.
    ///
    /// ```
    /// use ioevent::{EventPipe, Events, Op};
    ///
    /// let pipe = EventPipe::new(8)?;
    /// pipe.post(Op::new("hello"), 0)?;
    /// pipe.post(Op::new("world"), 0)?;
    /// pipe.try_wait(&mut Events::with_capacity(1))?.for_each(drop);
    /// let stats = pipe.stats()?;
    /// assert_eq!((stats.posts, stats.events, stats.places, stats.places_max), (2, 1, 1, 2));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn stats(&self) -> io::Result<Stats> {
        Ok(self.typed.stats()?)
    }
}

/// The word of the operation; sets its hook.
#[inline(always)]
fn prepare<T>(state: &Given<T>, io: &Io<'_>) -> usize {
    let mut marks = if io.call.kind == Kind::Accept { DESCRIPTOR } else { 0 };
    if let Some(hook) = io.hook {
        marks |= HOOK;
        state.set_hook(hook);
    }
    state.word(marks)
}

#[cold]
fn refused<T>(state: Given<T>, errno: Errno) -> Refused<T> {
    // SAFETY: the operation was not begun.
    Refused::new(unsafe { state.take_back() }, errno)
}

impl<T: 'static> Drop for EventPipe<T> {
    fn drop(&mut self) {
        let mut left = Vec::with_capacity(self.places_taken());
        self.typed.close(&mut |event| left.push(event));
        // After all is closed: the drops of the states are the program's. They may use other pipes, may panic, and may
        // take long.
        // SAFETY: each is the event of a state that nothing else has.
        drop(left.into_iter().map(|event| unsafe { Event::<T>::from_raw(&event) }).collect::<Vec<_>>());
    }
}

/// The descriptor can be waited on, with poll(2) or by another event loop, from the first time that it is asked for:
/// it is readable when a harvest would find an event or can make progress. A loop that reports edges (mio,
/// tokio) harvests until there is nothing left.
///
/// It has no other use: reading or writing it, or changing what it watches, does nothing to the pipe, except that
/// wake-ups may be missed.
impl<T> AsFd for EventPipe<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.typed.show();
        // SAFETY: it is open as long as the pipe.
        unsafe { BorrowedFd::borrow_raw(self.typed.number()) }
    }
}

impl<T> AsRawFd for EventPipe<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T> fmt::Debug for EventPipe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPipe")
            .field("capacity", &self.capacity())
            .field("places_taken", &self.places_taken())
            .finish_non_exhaustive()
    }
}
