//! The kinds of operations of the model.

use ioevent::{Io, Readiness, Request, timer};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const SHORT: Duration = Duration::from_micros(300);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Read(usize),
    ReadSpare,
    ReadTimed(usize),
    Write(usize),
    Poll,
    Accept,
    LongTimer,
    /// Microseconds.
    ShortTimer(u64),
    Posted(u32),
}

impl Kind {
    pub(crate) fn io<'a>(self, bytes: &'a mut [u8; 24], spare: &'a mut Vec<u8>) -> Io<'a> {
        match self {
            Kind::Read(len) => Io::read(&mut bytes[..len]),
            Kind::ReadSpare => Io::read_spare(spare),
            Kind::ReadTimed(len) => Io::read(&mut bytes[..len]).timeout(SHORT),
            Kind::Write(len) => Io::write(&bytes[..len]),
            Kind::Accept => Io::accept(),
            Kind::Poll | Kind::LongTimer | Kind::ShortTimer(_) | Kind::Posted(_) => {
                Io::poll(Readiness::READABLE)
            }
        }
    }

    pub(crate) fn timer(self) -> Option<Request<'static>> {
        match self {
            Kind::LongTimer => Some(timer(HOUR)),
            Kind::ShortTimer(us) => Some(timer(Duration::from_micros(us))),
            _ => None,
        }
    }

    pub(crate) fn is_on_line(self) -> bool {
        self.is_read() || matches!(self, Kind::Write(_) | Kind::Poll)
    }

    pub(crate) fn is_read(self) -> bool {
        matches!(self, Kind::Read(_) | Kind::ReadSpare | Kind::ReadTimed(_))
    }
}
