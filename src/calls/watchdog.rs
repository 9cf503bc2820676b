//! The watchdog: progress while no thread harvests (rule 2.7).
//!
//! # Protocol
//!
//! One thread of the library watches all pipes of the process. It is there from the first attachment until the last
//! pipe is closed. A pipe is *attended* while some thread is in a harvest (`Pipe::is_attended`, which looks at the
//! count of its users), and *lively* while harvests come and go; neither needs the watchdog. A pipe that was neither for a
//! whole tick is *deserted*: the watchdog waits with poll(2) for its engine's descriptor, and when that is readable, looks
//! into it as a harvest would and puts what completes into the common lane.
//!
//! While a pipe is lively, the watchdog wakes once a tick to see whether it still is: that is all that it costs a busy
//! server. While every pipe is deserted, or attended and was not harvested for a tick, it sleeps without end (or until
//! threads may stand by again). It says so first in `dormant`, *then* looks at the users once more; who is the last to
//! leave a pipe leaves, *then* looks at `dormant` and wakes the watchdog. Both are SeqCst, so one of them sees the other;
//! a thread that leaves alone (`bias`) relies on the barrier that the watchdog makes in between.
//!
//! Threads that stand by (`waiters`) do not attend a pipe. When they have been all that is left for a shorter while,
//! the thread that looked into the kernel is busy for long. If it was seen to queue operations meanwhile, it has much
//! to do, and the watchdog calls one that stands by to look in its place. Else it seems to wait for something; then the
//! watch calls all of them, and lets all of the pipe's threads wait in the kernel for a time. How long that is grows
//! while it happens again, so that a program whose threads often wait for something else is soon disturbed no more.
//!
//! Some descriptors tell of a thing only once, and would tell it to an engine's descriptor that is polled, rather than
//! to the engine. They are with no engine: while operations on them wait, the watchdog polls them directly.
//!
//! The watchdog must not take an edge away from a harvest that polls (rule 3.2). It takes `Watchdog::looking`, sets the
//! pipe's `watched` flag, *then* makes sure that the pipe has no users but itself, and only then looks; a harvest
//! counts itself among the users, *then* looks at the flag, and if it is set waits for `looking` before it goes on. So
//! either the watchdog sees the harvest and leaves the pipe alone, or the harvest waits until what the watchdog found is in
//! the lane. (A harvest that goes alone cannot begin meanwhile: the watchdog revokes the bias while it looks.)

use crate::engine::completions::Completions;
use crate::engine::epoll::{BATCH, Found};
use crate::state::attachment::{Attachment, Locked};
use crate::state::pipe::{self, Pipe};
use crate::state::private;
use crate::state::table::World;
use crate::sync::access::{self, Revoked};
use crate::sync::lock::Mutex;
use crate::sys::thread::{Task, Thread};
use crate::sys::{Errno, Result, epoll as sys, fd, process};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::SeqCst;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32};

/// How often the watchdog looks whether a lively pipe still is one, in milliseconds. A pipe is found to be deserted after
/// two ticks at most: within the 20 ms of the rule.
const TICK: c_int = 8;
/// The same where threads stand by, who may have to be called: within about 10 ms (rule 3.3).
const SHORT_TICK: c_int = 4;
/// For how long nobody stands by in a pipe whose reserve had to be called, in nanoseconds: at least, and at most.
const RELIEF: core::ops::RangeInclusive<u64> = 100_000_000..=64_000_000_000;
/// How often one that stands by is asked whether that still is right, in nanoseconds.
const REVIEW: u64 = 1_000_000_000;
/// How long the watchdog pauses, in milliseconds, after it has looked into pipes, so that it does many things at once.
const PAUSE: c_int = 1;
/// How often it sees whether a descriptor that lingers (`private`) can be closed, in milliseconds.
const LINGER: c_int = 50;
/// How often it looks into one pipe before the others have their turn.
const MOST_POLLS: usize = 64;
/// Room for the stack of its thread.
const STACK: usize = 256 * 1024;

/// What the watchdog of a world shares with others.
pub(crate) struct Watchdog {
    thread: Mutex<Option<Thread>>,
    /// Counts the threads, one after the other: one whose turn is over ends.
    turn: AtomicU32,
    /// An epoll instance that holds `alarm`, while the thread is there; else -1. It is what the thread polls, to be
    /// woken.
    inbox: AtomicI32,
    /// An eventfd that is always readable. To wake the thread is to register it anew, which does nothing where the
    /// program has closed one of the two and has another file there (see `epoll`). It also is what `look` needs.
    alarm: AtomicI32,
    /// Descriptors that no engine watches (`Class::is_polled_apart`), while operations on them wait: the thread polls
    /// them itself.
    apart: Mutex<Vec<Apart>>,
    /// Odd while the thread has a copy of that list and polls what is in it.
    polling: AtomicU32,
    /// The thread sleeps without end, or is about to.
    dormant: AtomicBool,
    /// Held while it looks into a pipe.
    looking: Mutex<()>,
    /// The thread's own; here, so that nothing is lost in a forked child.
    notes: Mutex<Notes>,
}

/// A descriptor that is polled by itself. Once it was ready, it is so no more until an operation waits again.
#[derive(Clone, Copy)]
struct Apart {
    node: &'static Attachment,
    generation: u32,
    fd: c_int,
    /// What is waited for.
    events: i16,
    /// What the watchdog was told when nobody waited for it any more, and nobody will be told again.
    told: i16,
}

impl Apart {
    fn is_of(&self, attachment: &Locked) -> bool {
        core::ptr::eq(self.node, attachment.node()) && self.generation == attachment.generation.get()
    }

    fn is_needed(&self) -> bool {
        self.events != 0 || self.told != 0
    }

    /// It is ready for these: what waits for them goes on. What nobody waits for, and poll(2) does not tell again.
    fn tell(self, events: i16) -> i16 {
        let _revoked = Revoked::begin();
        let attachment = self.node.lock();
        if !attachment.is_attached() || self.generation != attachment.generation.get() {
            return 0;
        }
        let Some(pipe) = attachment.pipe() else { return 0 };
        let was_told = pipe.engine().told_apart(&attachment, events, &Completions::common(pipe));
        attachment.arm();
        if was_told { 0 } else { events & !fd::poll_now(self.fd, events).unwrap_or(events) }
    }
}

/// What the thread keeps in mind.
struct Notes {
    known: Vec<Known>,
    polled: Vec<libc::pollfd>,
    apart: Vec<Apart>,
}

impl Notes {
    const fn new() -> Notes {
        Notes { known: Vec::new(), polled: Vec::new(), apart: Vec::new() }
    }
}

impl Watchdog {
    pub(crate) const fn new() -> Watchdog {
        Watchdog {
            thread: Mutex::new(None),
            turn: AtomicU32::new(0),
            inbox: AtomicI32::new(-1),
            alarm: AtomicI32::new(-1),
            apart: Mutex::new(Vec::new()),
            polling: AtomicU32::new(0),
            dormant: AtomicBool::new(false),
            looking: Mutex::new(()),
            notes: Mutex::new(Notes::new()),
        }
    }

    /// Something was attached to a pipe that the watchdog does not know yet. Without a thread or a descriptor to be had,
    /// the library does without, and the next attachment tries again.
    #[cold]
    pub(crate) fn begin(&self, world: &'static World) {
        let mut thread = self.thread.lock();
        if thread.is_some() && !self.is_whole() {
            self.forget(&mut thread);
        }
        if thread.is_none() {
            let inbox = sys::create().and_then(fd::OwnedFd::move_out_of_the_way);
            let alarm = sys::readable_eventfd().and_then(fd::OwnedFd::move_out_of_the_way);
            let (Ok(inbox), Ok(alarm)) = (inbox, alarm) else { return };
            if sys::add(inbox.raw(), alarm.raw(), sys::EPOLLET as u32, sys::NOTHING).is_err() {
                return;
            }
            world.lose_to_watchdog(&[inbox.raw(), alarm.raw()]);
            self.inbox.store(inbox.raw(), SeqCst);
            self.alarm.store(alarm.raw(), SeqCst);
            self.turn.fetch_add(1, SeqCst);
            match Thread::start(world, STACK) {
                Ok(started) => {
                    inbox.into_raw();
                    alarm.into_raw();
                    *thread = Some(started);
                }
                Err(_) => {
                    self.inbox.store(-1, SeqCst);
                    self.alarm.store(-1, SeqCst);
                }
            }
        }
        self.wake();
    }

    /// An operation on a descriptor that is polled apart waits for these. ENOMEM if that cannot be.
    pub(crate) fn poll_apart(&self, attachment: &Locked, events: i16) -> Result<()> {
        if self.inbox.load(SeqCst) < 0 {
            return Err(Errno::ENOMEM);
        }
        let mut apart = self.apart.lock();
        if let Some(known) = apart.iter_mut().find(|known| known.is_of(attachment)) {
            if known.events & events == events {
                return Ok(());
            }
            known.events |= events;
        } else {
            apart.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            let (node, generation) = (attachment.node(), attachment.generation.get());
            apart.push(Apart { node, generation, fd: attachment.fd(), events, told: 0 });
        }
        drop(apart);
        self.wake();
        Ok(())
    }

    /// Nothing waits on a descriptor any more: it is polled no more.
    pub(crate) fn forget_apart(&self, attachment: &Locked) {
        let mut apart = self.apart.lock();
        let mut was_polled = false;
        for known in apart.iter_mut().filter(|known| known.is_of(attachment)) {
            was_polled |= known.events != 0;
            known.events = 0;
        }
        apart.retain(Apart::is_needed);
        drop(apart);
        if was_polled {
            self.wake();
            // The kernel holds the open file as long as it is polled. (The thread takes no lock before it says that it
            // does not.)
            let polling = self.polling.load(SeqCst);
            let is_at_it = || polling % 2 == 1 && self.polling.load(SeqCst) == polling;
            // It may be lost (`forget`).
            let mut patience = 1000;
            while is_at_it() && patience > 0 {
                process::pause();
                patience -= 1;
            }
        }
    }

    /// What of `events` was told of a descriptor when nobody waited for it. It is not told again.
    pub(crate) fn told_before(&self, attachment: &Locked, events: i16) -> i16 {
        let mut apart = self.apart.lock();
        let mut told = 0;
        for known in apart.iter_mut().filter(|known| known.is_of(attachment)) {
            told |= known.told & events;
            known.told &= !events;
        }
        apart.retain(Apart::is_needed);
        told
    }

    /// A descriptor is detached, and forgotten.
    pub(crate) fn drop_apart(&self, attachment: &Locked) {
        self.forget_apart(attachment);
        self.told_before(attachment, -1);
    }

    /// The descriptors to poll by themselves; false if there is no memory for the list.
    fn list_apart(&self, list: &mut Vec<Apart>) -> bool {
        list.clear();
        let apart = self.apart.lock();
        if list.try_reserve(apart.len()).is_err() {
            return false;
        }
        list.extend(apart.iter().filter(|known| known.events != 0));
        true
    }

    /// One of them is ready for `events`.
    fn tell_apart(&self, which: Apart, events: i16) {
        let is_it =
            |known: &Apart| core::ptr::eq(known.node, which.node) && known.generation == which.generation;
        // It stays in the list, so that there is room for what it may have told.
        if let Some(known) = self.apart.lock().iter_mut().find(|known| is_it(known)) {
            known.events = 0;
        }
        let told = which.tell(events);
        let mut apart = self.apart.lock();
        if told != 0 {
            let index = apart.iter().position(is_it);
            if let Some(known) = index.and_then(|index| apart.get_mut(index)) {
                known.told |= told;
            } else if apart.try_reserve(1).is_ok() {
                apart.push(Apart { events: 0, told, ..which });
            }
        }
        apart.retain(Apart::is_needed);
    }

    /// Whether its descriptors still are what they were.
    fn is_whole(&self) -> bool {
        sys::is_registered(self.inbox.load(SeqCst), self.alarm.load(SeqCst))
    }

    /// The descriptors were closed behind the library's back, and with them the way to wake the thread. It ends when it
    /// wakes.
    fn forget(&self, thread: &mut Option<Thread>) {
        self.close();
        self.turn.fetch_add(1, SeqCst);
        if let Some(lost) = thread.take() {
            lost.detach();
        }
    }

    /// Closes its descriptors, if they still are that.
    fn close(&self) {
        close(self.inbox.swap(-1, SeqCst), self.alarm.swap(-1, SeqCst));
    }

    /// The kernel has just given these numbers out to others.
    pub(crate) fn lose(&self, numbers: &[c_int]) {
        for own in [&self.inbox, &self.alarm] {
            if numbers.contains(&own.load(SeqCst)) {
                own.store(-1, SeqCst);
            }
        }
    }

    /// A pipe was closed: ends the thread if that was the last, and waits for its end.
    pub(crate) fn pipe_closed(&self, world: &'static World) {
        let mut thread = self.thread.lock();
        if world.pipes.iter().any(Pipe::is_in_use) {
            return self.wake();
        }
        world.workers.end();
        if !self.is_whole() {
            return self.forget(&mut thread);
        }
        let Some(handle) = thread.take() else { return };
        // In this order: a thread that begins only now sees one or the other (`watchdog`).
        let (inbox, alarm) = (self.inbox.swap(-1, SeqCst), self.alarm.swap(-1, SeqCst));
        self.turn.fetch_add(1, SeqCst);
        sys::wake(inbox, alarm, sys::NOTHING);
        // The thread takes no lock that is held here.
        handle.join();
        close(inbox, alarm);
    }

    /// In a forked child, which has copies of the descriptors but not the thread.
    pub(crate) fn leave_in_child(&self) {
        self.close();
    }

    /// Has the thread see what there is to do.
    pub(crate) fn wake(&self) {
        sys::wake(self.inbox.load(SeqCst), self.alarm.load(SeqCst), sys::NOTHING);
    }

    /// The last user has left a pipe.
    #[inline]
    pub(crate) fn pipe_left(&self) {
        if self.dormant.load(SeqCst) {
            self.rouse();
        }
    }

    #[cold]
    fn rouse(&self) {
        if self.dormant.swap(false, SeqCst) {
            self.wake();
        }
    }

    /// A harvest found the pipe's `watched` flag: waits until the watchdog has put away what it has found.
    #[cold]
    pub(crate) fn wait(&self) {
        drop(self.looking.lock());
    }

    /// Looks into a pipe, unless somebody harvests it, or has since there were `harvests` of them: then what has become
    /// ready is theirs to find, and to hand out in its order (rule 3.5). A pipe that others wait on (rule 3.6) is kept
    /// readable meanwhile by `alarm`, which always is: its edges are gone from the kernel before their events ring the
    /// waker. False if the pipe was lost.
    fn look(&self, pipe: &'static Pipe, harvests: u32) -> bool {
        if !pipe.is_whole() {
            return false;
        }
        let _revoked = Revoked::begin();
        let _looking = self.looking.lock();
        pipe.set_watched(true);
        if let Ok(Some(pipe)) = pipe::find(pipe.number())
            && !pipe.has_other_users()
            && pipe.harvests() == harvests
        {
            let alarm = self.alarm.load(SeqCst);
            let held = pipe.is_nonblock() && pipe.engine().hold(alarm);
            let out = Completions::common(&pipe);
            for _ in 0..MOST_POLLS {
                let mut found = Found::default();
                let Ok(edges) = pipe.engine().wait(&mut found, BATCH, Some(0)) else { break };
                let heard = pipe.engine().handle(edges, &out);
                if heard.tick {
                    pipe.wake.0.ticked();
                }
                if heard.count < BATCH {
                    break;
                }
            }
            pipe.wake.0.leave(pipe.is_nonblock(), pipe.engine());
            if held {
                pipe.engine().let_go(alarm);
            }
        }
        pipe.set_watched(false);
        true
    }
}

/// Closes the two, if they still are what they were.
fn close(inbox: c_int, alarm: c_int) {
    if sys::is_registered(inbox, alarm) {
        let _ = fd::close(alarm);
        let _ = fd::close(inbox);
    }
}

/// What the watchdog knows of a pipe.
struct Known {
    pipe: &'static Pipe,
    harvests: u32,
    /// Whether it was attended when it was last looked at.
    attended: bool,
    /// When there was last a sign that somebody harvests it.
    since: u64,
    deserted: bool,
    /// It was harvested since the time before.
    harvested: bool,
    relief: Relief,
    /// When one of the reserve was last called.
    reviewed: u64,
    /// How many places were taken when it was last looked at.
    places: c_int,
}

/// When threads may stand by again, and for how long they may not the next time.
struct Relief {
    until: u64,
    length: u64,
}

impl Relief {
    /// The reserve had to be called.
    fn begin(&mut self, now: u64) {
        if now.saturating_sub(self.until) > *RELIEF.end() {
            self.length = *RELIEF.start();
        }
        self.until = now + self.length;
        self.length = (2 * self.length).min(*RELIEF.end());
    }

    /// How long nobody may stand by from now on, in milliseconds, if there was a relief that is not over.
    fn rest(&self, now: u64) -> Option<c_int> {
        (self.until > now).then(|| (self.until - now).div_ceil(1_000_000) as c_int)
    }
}

impl Known {
    /// Sees what has become of the pipe since the last time. False if it is not in use any more.
    fn update(&mut self, now: u64) -> bool {
        let harvests = self.pipe.harvests();
        let attended = self.pipe.is_attended();
        self.harvested = harvests != self.harvests;
        if attended || self.attended || harvests != self.harvests {
            self.attended = attended;
            self.harvests = harvests;
            self.since = now;
        }
        let has_standby = self.pipe.has_standby();
        self.deserted = now - self.since >= self.tick() as u64 * 1_000_000;
        let places = self.pipe.places_taken();
        let is_at_work = places != self.places;
        self.places = places;
        if self.deserted && has_standby {
            if !is_at_work {
                self.relief.begin(now);
            }
            self.pipe.relieve(!is_at_work);
            self.since = now;
            self.deserted = false;
        } else if has_standby && now - self.reviewed >= REVIEW {
            self.pipe.review_standby();
            self.reviewed = now;
        } else if now >= self.relief.until {
            self.pipe.end_relief();
        }
        self.pipe.is_in_use() && self.pipe.is_known()
    }

    fn tick(&self) -> c_int {
        if self.pipe.has_standby() { SHORT_TICK } else { TICK }
    }

    /// Whether it may become deserted without anybody's telling; or will probably be left soon, and to be told of that
    /// would cost more than to look again.
    fn is_lively(&self) -> bool {
        !self.deserted && (self.harvested || !self.pipe.is_attended())
    }

    /// Its descriptor is readable as long as nobody harvests what is there already: not to be waited for, but to be
    /// looked into from time to time.
    fn is_readable_for_long(&self) -> bool {
        self.deserted && self.pipe.is_nonblock() && self.pipe.wake.0.filled() != 0
    }
}

impl Task for World {
    fn run(&'static self) {
        watch(self);
    }
}

fn watch(world: &'static World) {
    let watch = &world.watchdog;
    let turn = watch.turn.load(SeqCst);
    let inbox = watch.inbox.load(SeqCst);
    // A thread that can be woken no more may have them.
    let (mut kept, mut own) = (watch.notes.try_lock(), Notes::new());
    let Notes { known, polled, apart } = kept.as_deref_mut().unwrap_or(&mut own);
    known.clear();
    if inbox < 0 {
        return;
    }
    while watch.turn.load(SeqCst) == turn {
        let now = process::now();
        known.retain_mut(|known| known.update(now));
        let mut missed = false;
        for pipe in world.pipes.iter().filter(|pipe| pipe.is_in_use() && !pipe.is_known()) {
            // Without memory it stays unknown until the next tick.
            if known.try_reserve(1).is_err() {
                missed = true;
                break;
            }
            pipe.make_known();
            known.push(Known {
                pipe,
                attended: true,
                harvests: pipe.harvests(),
                since: now,
                deserted: false,
                harvested: false,
                relief: Relief { until: 0, length: *RELIEF.start() },
                reviewed: now,
                places: 0,
            });
            pipe.let_one_wait();
        }
        let wait_for = |known: &Known| known.deserted && !known.is_readable_for_long();
        watch.polling.fetch_add(1, SeqCst);
        polled.clear();
        if !watch.list_apart(apart) || polled.try_reserve(known.len() + 1 + apart.len()).is_err() {
            watch.polling.fetch_add(1, SeqCst);
            process::pause();
            continue;
        }
        polled.push(fd::readable(inbox));
        polled
            .extend(known.iter().filter(|k| wait_for(k)).map(|k| fd::readable(k.pipe.engine().descriptor())));
        polled.extend(apart.iter().map(|apart| libc::pollfd {
            fd: apart.fd,
            events: apart.events,
            revents: 0,
        }));

        let ticks = |known: &Known| known.is_lively() || known.is_readable_for_long();
        private::close_lingering();
        let mut timeout = known.iter().map(Known::tick).min().unwrap_or(TICK);
        if !missed && !known.iter().any(ticks) {
            watch.dormant.store(true, SeqCst);
            access::barrier();
            if known.iter().any(ticks) {
                watch.dormant.store(false, SeqCst);
            } else {
                timeout = known.iter().filter_map(|known| known.relief.rest(now)).min().unwrap_or(-1);
                if private::is_lingering() {
                    timeout = if timeout < 0 { LINGER } else { timeout.min(LINGER) };
                }
            }
        }
        if fd::poll(polled, timeout).is_err() {
            // Not without end, whatever the reason is.
            process::pause();
        }
        watch.polling.fetch_add(1, SeqCst);
        watch.dormant.store(false, SeqCst);

        let Some((own, others)) = polled.split_first() else { break };
        if own.revents != 0 {
            if !watch.is_whole() {
                return;
            }
            let _ = sys::wait(inbox, &mut [const { MaybeUninit::uninit() }], Some(0));
        }
        let mut looked = false;
        let mut others = others.iter();
        known.retain(|known| {
            let readable = wait_for(known) && others.next().is_some_and(|entry| entry.revents != 0);
            if !readable && !known.is_readable_for_long() {
                return true;
            }
            looked = true;
            // A pipe that was lost is not known again.
            watch.look(known.pipe, known.harvests)
        });
        let ready = polled.iter().rev().zip(apart.iter().rev()).filter(|(entry, _)| entry.revents != 0);
        for (entry, apart) in ready {
            watch.tell_apart(*apart, entry.revents);
        }
        if looked {
            let _ = fd::poll(&mut [fd::readable(inbox)], PAUSE);
        }
    }
}
