//! Futures: no wake-up is lost, whichever thread harvests, and no place is.

#[path = "../../src/future/locks.rs"]
mod locks;
#[path = "../../src/future/places.rs"]
mod places;
#[path = "../../src/future/seat.rs"]
mod seat;

use crate::model;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use places::{Place, Places};
use seat::{Pipe, Purpose, Seat, Signal, Step};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// An event of the modelled pipe.
enum Event {
    WakeUp,
    /// An operation's, of a future that runs in the thread of this signal.
    Operation(Arc<Signal<Kernel>>),
}

#[derive(Default)]
struct Kernel {
    events: Mutex<Vec<Event>>,
    there: Condvar,
}

impl Kernel {
    fn happen(&self, event: Event) {
        self.events.lock().unwrap().push(event);
        self.there.notify_one();
    }

    fn wait(&self) -> Vec<Event> {
        let mut events = self.events.lock().unwrap();
        while events.is_empty() {
            events = self.there.wait(events).unwrap();
        }
        std::mem::take(&mut *events)
    }

    fn look(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

impl Pipe for Kernel {
    type WakeUp = ();

    fn post(&self, (): ()) -> Result<(), ()> {
        self.happen(Event::WakeUp);
        Ok(())
    }
}

type Reactor = Arc<Seat<Kernel>>;

fn reactor() -> Reactor {
    Arc::new(Seat::new(Kernel::default(), ()))
}

/// How many operations there were.
fn deliver(reactor: &Reactor, events: Vec<Event>) -> usize {
    let mut signals = Vec::new();
    for event in events {
        match event {
            Event::WakeUp => reactor.bring_home(()),
            Event::Operation(signal) => signals.push(signal),
        }
    }
    signals.iter().for_each(|signal| signal.wake_by_ref());
    signals.len()
}

/// As `block_on` waits; a turn ends with the first event.
fn wait(reactor: &Reactor, signal: &Arc<Signal<Kernel>>, purpose: Purpose) {
    loop {
        let mut events = Vec::new();
        let harvest = |kernel: &Kernel, _| -> io::Result<()> {
            events = kernel.wait();
            Ok(())
        };
        let step = reactor.step(signal, None, harvest).unwrap();
        if step == Step::Over || deliver(reactor, events) > 0 && purpose == Purpose::Turn {
            break;
        }
    }
    reactor.leave(signal);
}

#[test]
fn a_wake_from_another_thread_ends_the_wait_of_the_driver() {
    model(None, || {
        let reactor = reactor();
        let signal = Signal::new(&reactor, Purpose::Future);
        let waker = signal.clone();
        let waker = thread::spawn(move || waker.wake_by_ref());
        wait(&reactor, &signal, Purpose::Future);
        waker.join().unwrap();
    });
}

#[test]
fn a_wake_is_not_lost_with_the_wake_up_that_another_thread_harvests() {
    model(Some(3), || {
        let reactor = reactor();
        let signal = Signal::new(&reactor, Purpose::Future);
        // One was posted and is still in the pipe.
        let step = reactor.step(&signal, None, |_, _| {
            signal.wake_by_ref();
            Ok(())
        });
        assert_eq!(step.unwrap(), Step::Harvested);
        signal.clear();
        let turn = reactor.clone();
        let turn = thread::spawn(move || {
            deliver(&turn, turn.pipe().look());
        });
        let waker = signal.clone();
        let waker = thread::spawn(move || waker.wake_by_ref());
        wait(&reactor, &signal, Purpose::Future);
        turn.join().unwrap();
        waker.join().unwrap();
    });
}

#[test]
fn two_threads_that_wait_are_both_woken() {
    model(Some(3), || {
        let reactor = reactor();
        let signals = [(); 2].map(|()| Signal::new(&reactor, Purpose::Future));
        let (other, both) = ((reactor.clone(), signals[1].clone()), signals.clone());
        let other = thread::spawn(move || wait(&other.0, &other.1, Purpose::Future));
        let waker = thread::spawn(move || both.iter().for_each(|signal| signal.wake_by_ref()));
        wait(&reactor, &signals[0], Purpose::Future);
        other.join().unwrap();
        waker.join().unwrap();
    });
}

#[test]
fn events_come_to_two_threads_whoever_harvests_them() {
    model(Some(3), || {
        let reactor = reactor();
        let signals = [(); 2].map(|()| Signal::new(&reactor, Purpose::Future));
        let (other, both, events) = ((reactor.clone(), signals[1].clone()), signals.clone(), reactor.clone());
        let other = thread::spawn(move || wait(&other.0, &other.1, Purpose::Future));
        let world = thread::spawn(move || {
            both.into_iter().for_each(|signal| events.pipe().happen(Event::Operation(signal)));
        });
        wait(&reactor, &signals[0], Purpose::Future);
        other.join().unwrap();
        world.join().unwrap();
    });
}

#[test]
fn stop_ends_run_before_and_after_it_waits() {
    model(None, || {
        let reactor = reactor();
        let harvester = reactor.clone();
        let harvester = thread::spawn(move || {
            wait(&harvester, &Signal::new(&harvester, Purpose::Run), Purpose::Run);
        });
        reactor.stop();
        harvester.join().unwrap();
    });
}

#[test]
fn notify_ends_a_turn_before_and_after_it_waits() {
    model(Some(3), || {
        let reactor = reactor();
        let signal = Signal::new(&reactor, Purpose::Future);
        let other = (reactor.clone(), signal.clone());
        let other = thread::spawn(move || wait(&other.0, &other.1, Purpose::Future));
        let turn = reactor.clone();
        let turn = thread::spawn(move || {
            wait(&turn, &Signal::new(&turn, Purpose::Turn), Purpose::Turn);
        });
        reactor.notify();
        // The other goes on, in the seat if the turn has left it.
        turn.join().unwrap();
        signal.wake_by_ref();
        other.join().unwrap();
    });
}

/// A task that waits for a place.
#[derive(Default)]
struct Task {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        *self.is_woken.lock().unwrap() = true;
        self.woken.notify_one();
    }
}

fn place(places: &Places) -> Place<'_> {
    let task = Arc::<Task>::default();
    let waker = Waker::from(task.clone());
    let mut turn = places.turn();
    loop {
        if let Poll::Ready(place) = turn.poll(&Context::from_waker(&waker)) {
            return place;
        }
        let mut is_woken = task.is_woken.lock().unwrap();
        while !std::mem::take(&mut *is_woken) {
            is_woken = task.woken.wait(is_woken).unwrap();
        }
    }
}

#[test]
fn one_place_comes_to_all_that_wait_for_it() {
    model(Some(3), || {
        let places = Arc::new(Places::new(1));
        let others = [(); 2].map(|()| {
            let places = places.clone();
            thread::spawn(move || drop(place(&places)))
        });
        drop(place(&places));
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn a_turn_that_is_given_up_passes_the_place_on() {
    model(Some(3), || {
        let places = Arc::new(Places::new(1));
        let taken = place(&places);
        let (quitter, waiting) = (places.clone(), places.clone());
        let quitter = thread::spawn(move || {
            let mut turn = quitter.turn();
            drop(turn.poll(&Context::from_waker(Waker::noop())));
        });
        let waiting = thread::spawn(move || drop(place(&waiting)));
        drop(taken);
        quitter.join().unwrap();
        waiting.join().unwrap();
        drop(place(&places));
    });
}
