//! Ways to hand events from one thread to another: an ioevent pipe, and what else a program would take.

use crossbeam_channel::{Receiver, Sender, bounded};
use ioevent_benches::c::Event;
use ioevent_benches::interface::Pipe;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::os::fd::FromRawFd;
use std::sync::{Condvar, Mutex, PoisonError};

/// Places in each of them.
pub(crate) const PLACES: usize = 1024;

/// One of them.
pub(crate) trait Carrier: Send + Sync + Sized {
    /// As it is called in the report.
    const LABEL: &'static str;
    /// Whether the events themselves arrive, and not only their number.
    const CARRIES: bool = true;
    /// A new one.
    fn new() -> Result<Self>;
    /// Hands them over; waits while there is no place.
    fn post(&self, events: &[Event]) -> Result<()>;
    /// Waits for at least one; returns how many.
    fn harvest(&self, room: &mut [Event]) -> Result<usize>;
}

impl Carrier for Pipe {
    const LABEL: &'static str = crate::peers::OURS;

    fn new() -> Result<Self> {
        Pipe::new(PLACES as i32)
    }

    #[inline]
    fn post(&self, mut events: &[Event]) -> Result<()> {
        loop {
            let n = Pipe::post(self, events)?;
            events = events.get(n..).unwrap_or_default();
            if events.is_empty() {
                return Ok(());
            }
            std::thread::yield_now();
        }
    }

    #[inline]
    fn harvest(&self, room: &mut [Event]) -> Result<usize> {
        Pipe::harvest(self, room)
    }
}

/// crossbeam-channel, bounded.
pub(crate) struct Channel(Sender<Event>, Receiver<Event>);

impl Carrier for Channel {
    const LABEL: &'static str = "crossbeam-channel";

    fn new() -> Result<Self> {
        let (sender, receiver) = bounded(PLACES);
        Ok(Channel(sender, receiver))
    }

    #[inline]
    fn post(&self, events: &[Event]) -> Result<()> {
        events.iter().try_for_each(|&event| self.0.send(event)).map_err(Error::other)
    }

    #[inline]
    fn harvest(&self, room: &mut [Event]) -> Result<usize> {
        let mut places = room.iter_mut();
        let Some(first) = places.next() else { return Ok(0) };
        *first = self.1.recv().map_err(Error::other)?;
        let mut n = 1;
        for place in places {
            let Ok(event) = self.1.try_recv() else { break };
            *place = event;
            n += 1;
        }
        Ok(n)
    }
}

/// A queue under a lock, with a condition for each side. A batch is one turn of the lock.
pub(crate) struct Queue {
    events: Mutex<VecDeque<Event>>,
    some: Condvar,
    place: Condvar,
}

impl Carrier for Queue {
    const LABEL: &'static str = "Mutex, Condvar, VecDeque";

    fn new() -> Result<Self> {
        let events = Mutex::new(VecDeque::with_capacity(PLACES));
        Ok(Queue { events, some: Condvar::new(), place: Condvar::new() })
    }

    #[inline]
    fn post(&self, mut events: &[Event]) -> Result<()> {
        let mut queue = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let n = events.len().min(PLACES - queue.len());
            let (now, later) = events.split_at(n);
            let was_empty = queue.is_empty();
            queue.extend(now);
            if was_empty && n > 0 {
                self.some.notify_one();
            }
            if later.is_empty() {
                return Ok(());
            }
            events = later;
            queue = self.place.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    #[inline]
    fn harvest(&self, room: &mut [Event]) -> Result<usize> {
        let mut queue = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        while queue.is_empty() {
            queue = self.some.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let was_full = queue.len() == PLACES;
        let n = queue.len().min(room.len());
        for (place, event) in room.iter_mut().zip(queue.drain(..n)) {
            *place = event;
        }
        if was_full {
            self.place.notify_one();
        }
        Ok(n)
    }
}

/// An eventfd: one write for each event; a read takes them all. It carries a number only.
pub(crate) struct Counter(File);

impl Carrier for Counter {
    const LABEL: &'static str = "eventfd (a count only)";
    const CARRIES: bool = false;

    fn new() -> Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        if fd == -1 {
            return Err(Error::last_os_error());
        }
        // SAFETY: it was just made, and has no other owner.
        Ok(Counter(unsafe { File::from_raw_fd(fd) }))
    }

    #[inline]
    fn post(&self, events: &[Event]) -> Result<()> {
        events.iter().try_for_each(|_| (&self.0).write_all(&1_u64.to_ne_bytes()))
    }

    #[inline]
    fn harvest(&self, _room: &mut [Event]) -> Result<usize> {
        let mut number = [0; 8];
        (&self.0).read_exact(&mut number)?;
        Ok(u64::from_ne_bytes(number) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carries<C: Carrier>() {
        let carrier = C::new().unwrap();
        let sent: Vec<Event> = (1..=8).map(|user| Event { user, result: 2, errno: 3 }).collect();
        carrier.post(&sent).unwrap();
        let mut room = [Event::default(); 64];
        assert_eq!(carrier.harvest(&mut room).unwrap(), 8);
        if C::CARRIES {
            assert!(room.iter().zip(1..=8).all(|(p, user)| (p.user, p.result, p.errno) == (user, 2, 3)));
        }
    }

    #[test]
    fn all_carry() {
        carries::<Pipe>();
        carries::<Channel>();
        carries::<Queue>();
        carries::<Counter>();
    }
}
