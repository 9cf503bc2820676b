//! The watchdog: progress while no thread harvests (rule 2.7).
//!
//! # Protocol
//!
//! One thread of the library watches all pipes of the process. It is there from the first attachment until the last
//! pipe is closed. A pipe is *attended* while some thread is in a harvest (`Pipe::is_attended`, which looks at the
//! count of its users), and *lively* while harvests come and go; neither needs the watchdog. A pipe that was neither
//! for a whole tick is *deserted*: the watchdog waits with poll(2) for its epoll instance, and when that is readable,
//! polls it as a harvest would and puts what completes into the common lane.
//!
//! While a pipe is lively, the watchdog wakes once a tick to see whether it still is: that is all that it costs a busy
//! server. While every pipe is deserted, or attended and was not harvested for a tick, it sleeps without end (or until
//! threads may be on standby again). It says so first in `dormant`, *then* looks at the users once more; the last
//! thread to leave a pipe leaves, *then* looks at `dormant` and wakes the watchdog. Both are SeqCst, so one of them
//! sees the other; a thread that leaves alone (`bias`) relies on the barrier that the watchdog makes in between.
//!
//! Threads on standby (`waiters`) do not attend a pipe. When they have been all that is left for a shorter while, the
//! thread that polled the kernel is busy for long. If it was seen to queue operations meanwhile, it has much to do, and
//! the watchdog calls one on standby to poll in its place. Else it seems to wait for something; then the watchdog calls
//! all of them, and lets all of the pipe's threads wait in the kernel for a time. How long that is grows while it
//! happens again, so that a program whose threads often wait for something else is soon disturbed no more.
//!
//! Some descriptors tell of a thing only once, and would tell it to an epoll instance that is polled, rather than to
//! the thread that polls it. They are in none: while operations on them wait, the watchdog polls them itself
//! (`polled_apart`).
//!
//! The watchdog must not take an edge away from a harvest that polls (rule 3.2). It takes the lock of
//! `Watchdog::begin_polling`, sets the pipe's `watched` flag, *then* makes sure that the pipe has no users but itself,
//! and only then polls; a harvest counts itself among the users, *then* looks at the flag, and if it is set waits for
//! that lock before it goes on. So either the watchdog sees the harvest and leaves the pipe alone, or the harvest waits
//! until what the watchdog found is in the lane. (A harvest that goes alone cannot begin meanwhile: the watchdog
//! revokes the bias while it polls.)

use super::{fork, lookout, publish, standby};
use crate::engine::completions::Completions;
use crate::engine::{Engine, Found};
use crate::queue::lanes::COMMON;
use crate::state::known_pipes::{Known, Need, Notes, TICK};
use crate::state::pipe::Pipe;
use crate::state::polled_apart::Apart;
use crate::state::poller::Poller;
use crate::state::private;
use crate::state::watchdog::Watchdog;
use crate::state::world::World;
use crate::sync::access::{self, Revoked};
use crate::sys::thread::Task;
use crate::sys::{epoll as sys, fd, observers, process};
use core::ffi::c_int;
use core::mem::MaybeUninit;

/// How long the watchdog pauses, in milliseconds, after it has polled pipes, so that it does many things at once.
const PAUSE: c_int = 1;
/// How often it sees whether a descriptor that lingers (`private`) can be closed, in milliseconds.
const LINGER: c_int = 50;
/// How often it polls one pipe before the others have their turn.
const MOST_POLLS: usize = 64;

/// Something was attached to a pipe: the watchdog is to know it. Without a thread or a descriptor to be had, the next
/// attachment tries again.
pub(crate) fn begin(pipe: &Pipe) {
    if pipe.attendance.is_known() {
        return;
    }
    if let Ok(world) = fork::world() {
        world.watchdog.begin(world, |numbers| world.lose_to_watchdog(numbers));
    }
}

/// The application has closed a pipe. With the last one the library's threads end.
pub(crate) fn pipe_closed(world: &'static World) {
    world.watchdog.pipe_closed(|| {
        let is_last = world.pipes.in_use().next().is_none();
        if is_last {
            world.workers.end();
        }
        is_last
    });
    publish::publish(world, process::now(), true);
}

impl Task for World {
    fn run(&'static self) {
        // A thread that can be woken no more may have them.
        let (mut kept, mut own) = (self.notes.try_lock(), Notes::new());
        watch(self, kept.as_deref_mut().unwrap_or(&mut own));
    }
}

/// What the thread does in its turn.
fn watch(world: &'static World, notes: &mut Notes) {
    let watchdog = &world.watchdog;
    let turn = watchdog.turn();
    let inbox = watchdog.inbox();
    notes.known.clear();
    if inbox < 0 {
        return;
    }
    while watchdog.turn() == turn {
        let now = process::now();
        let has_missed = !get_to_know(world, &mut notes.known, now);
        world.apart.turn_polling();
        if !list_polled(world, inbox, notes) {
            world.apart.turn_polling();
            process::pause();
            continue;
        }
        private::close_lingering();
        if observers::is_debug() {
            lookout::look(notes, now);
        }
        let next = publish::publish(world, now, false);
        let timeout = timeout(watchdog, &notes.known, has_missed, now, next);
        if fd::poll(&mut notes.polled, timeout).is_err() {
            // Not without end, whatever the reason is.
            process::pause();
        }
        world.apart.turn_polling();
        watchdog.set_dormant(false);

        let is_woken = notes.polled.first().is_some_and(|own| own.revents != 0);
        if is_woken {
            if !watchdog.is_whole() {
                return;
            }
            let _ = sys::wait(inbox, &mut [const { MaybeUninit::uninit() }], Some(0));
        }
        if handle(world, notes) {
            let _ = fd::poll(&mut [fd::readable(inbox)], PAUSE);
        }
    }
}

/// Sees what has become of the pipes that it knows, and which are new. False if there is no memory for one of these: it
/// stays unknown until the next tick.
fn get_to_know(world: &'static World, known: &mut Vec<Known>, now: u64) -> bool {
    known.retain_mut(|known| {
        match known.update(now) {
            Need::Nothing => {}
            Need::Relief { all } => standby::relieve(known.pipe, all),
            Need::Review => standby::review(known.pipe),
            Need::NoRelief => standby::end_relief(known.pipe),
        }
        known.pipe.is_in_use() && known.pipe.attendance.is_known()
    });
    for pipe in world.pipes.in_use().filter(|pipe| !pipe.attendance.is_known()) {
        if known.try_reserve(1).is_err() {
            return false;
        }
        pipe.attendance.set_known(true);
        known.push(Known::new(pipe, now));
        standby::let_one_wait(pipe);
    }
    true
}

/// Whether the pipe's epoll instance is to be polled.
fn is_polled(known: &Known) -> bool {
    known.deserted && !known.is_readable_for_long()
}

/// Lists what is to be polled: the thread's own descriptor, the pipes that are deserted, and what is polled apart.
/// False if there is no memory for the list.
fn list_polled(world: &World, inbox: c_int, notes: &mut Notes) -> bool {
    let Notes { known, polled, apart, .. } = notes;
    polled.clear();
    if !world.apart.list(apart) || polled.try_reserve(known.len() + 1 + apart.len()).is_err() {
        return false;
    }
    polled.push(fd::readable(inbox));
    polled.extend(known.iter().filter(|k| is_polled(k)).map(|k| fd::readable(k.pipe.engine().descriptor())));
    polled.extend(apart.iter().map(|apart| libc::pollfd { fd: apart.fd, events: apart.events, revents: 0 }));
    true
}

/// For how long the thread may wait, in milliseconds; `next`: when there is something else to do. It is dormant if that
/// is longer than a tick.
fn timeout(watchdog: &Watchdog, known: &[Known], has_missed: bool, now: u64, next: Option<c_int>) -> c_int {
    let ticks = |known: &Known| known.is_lively() || known.is_readable_for_long();
    let tick = known.iter().map(Known::tick).min().unwrap_or(TICK);
    if has_missed || known.iter().any(ticks) {
        return tick;
    }
    watchdog.set_dormant(true);
    access::barrier();
    if known.iter().any(ticks) {
        watchdog.set_dormant(false);
        return tick;
    }
    let rest = known.iter().filter_map(|known| known.relief.rest(now)).min();
    let linger = private::is_lingering().then_some(LINGER);
    let look = observers::is_debug().then_some(lookout::LOOK);
    rest.into_iter().chain(linger).chain(next).chain(look).min().unwrap_or(-1)
}

/// Handles what poll(2) has told. Whether a pipe was polled.
fn handle(world: &World, notes: &mut Notes) -> bool {
    let Notes { known, polled, apart, .. } = notes;
    let mut others = polled.iter().skip(1);
    let mut has_polled = false;
    known.retain(|known| {
        let is_readable = is_polled(known) && others.next().is_some_and(|entry| entry.revents != 0);
        if !is_readable && !known.is_readable_for_long() {
            return true;
        }
        has_polled = true;
        // A pipe that was lost is not known again.
        poll_pipe(&world.watchdog, known.pipe, known.harvests)
    });
    let ready = polled.iter().rev().zip(apart.iter().rev()).filter(|(entry, _)| entry.revents != 0);
    for (entry, apart) in ready {
        world.apart.begin_telling(apart);
        let told = tell(apart, entry.revents);
        world.apart.end_telling(apart, told);
    }
    has_polled
}

/// Polls a pipe, unless a thread harvests it, or has since there were `harvests` of them: then what has become ready is
/// that one's to find, and to hand out in its order (rule 3.5). A pipe that others wait on (rule 3.6) is kept readable
/// meanwhile by a descriptor that always is: its edges are gone from the kernel before their events use the waker.
/// False if the pipe was lost.
fn poll_pipe(watchdog: &Watchdog, pipe: &'static Pipe, harvests: u32) -> bool {
    if !pipe.is_whole() {
        return false;
    }
    let _revoked = Revoked::begin();
    let _polling = watchdog.begin_polling();
    pipe.attendance.set_watched(true);
    access::admit();
    // Not by looking its number up: that finds no typed pipe.
    let entered = pipe.enter_as(pipe.number());
    if let Some(pipe) =
        entered.filter(|pipe| !pipe.has_other_users() && pipe.attendance.harvests() == harvests)
    {
        let readable = watchdog.readable();
        let is_held = pipe.is_nonblock() && pipe.engine().hold(readable);
        let out = Completions::common(&pipe);
        let filled = pipe.queue.wake.0.filled();
        for lane in pipe.queue.lanes.iter().filter(|lane| lane.index() != COMMON && filled & lane.bit() != 0)
        {
            lane.go_first();
        }
        for _ in 0..MOST_POLLS {
            let mut found = Found::default();
            if pipe.engine().wait(&mut found, Poller::MOST, Some(0)).is_err() {
                break;
            }
            let heard = pipe.engine().handle(&found, 0, &out);
            if heard.tick {
                pipe.queue.wake.0.ticked();
            }
            if heard.count < Poller::MOST {
                break;
            }
        }
        pipe.queue.wake.0.leave(pipe.is_nonblock(), pipe.engine());
        if is_held {
            pipe.engine().let_go(readable);
        }
    }
    pipe.attendance.set_watched(false);
    true
}

/// A descriptor that is polled apart is ready for these: what waits for them goes on. Returns those that no operation
/// waits for, and that poll(2) does not tell again.
fn tell(apart: &Apart, events: i16) -> i16 {
    let _revoked = Revoked::begin();
    let attachment = apart.node.lock();
    if !attachment.is_attached() || apart.generation != attachment.generation.get() {
        return 0;
    }
    let Some(pipe) = attachment.pipe() else { return 0 };
    let was_told = Poller::told(&attachment, events, &Completions::common(pipe));
    attachment.arm();
    if was_told { 0 } else { events & !fd::poll_now(apart.fd, events).unwrap_or(events) }
}
