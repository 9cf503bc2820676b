//! What a descriptor is ready for.

use std::ops::{BitOr, BitOrAssign};

/// What a descriptor may be ready for: the bits of poll(2).
///
/// ```
/// use ioevent::{EventPipe, Events, Io, Op, Readiness};
/// use std::os::unix::net::UnixStream;
///
/// let pipe = EventPipe::new(1)?;
/// let stream = pipe.attach(UnixStream::pair()?.0)?; // the other end is closed already
/// let wanted = Readiness::READABLE | Readiness::WRITABLE;
/// pipe.submit_on(&stream, Op::new(()), |_| Io::poll(wanted))?;
/// let event = pipe.wait(&mut Events::with_capacity(1), None)?.next().expect("it waits for one");
/// let found = event.into_parts().1.readiness()?;
/// assert!(found.contains(wanted | Readiness::HANGUP));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Readiness(i16);

/// By a macro, so that cbindgen does not see them: they are no part of the C header.
macro_rules! bits {
    ($($(#[$doc:meta])* $name:ident = $bits:ident;)*) => {
        impl Readiness {
            $($(#[$doc])* pub const $name: Readiness = Readiness(libc::$bits);)*
        }
    };
}

bits! {
    /// There is something to read, the end of it included; a listener has a connection.
    READABLE = POLLIN;
    /// Something can be written.
    WRITABLE = POLLOUT;
    /// There is something exceptional: urgent data, for one.
    PRIORITY = POLLPRI;
    /// There is an error. Always looked for, and never asked for.
    ERROR = POLLERR;
    /// The other side has hung up. Always looked for, and never asked for.
    HANGUP = POLLHUP;
    /// The peer of a stream will send no more.
    PEER_CLOSED = POLLRDHUP;
}

impl Readiness {
    /// Whether all of these are in it.
    pub const fn contains(self, other: Readiness) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of these is in it.
    pub const fn intersects(self, other: Readiness) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits, as poll(2) has them.
    pub const fn bits(self) -> i16 {
        self.0
    }

    /// From bits of poll(2).
    pub const fn from_bits(bits: i16) -> Readiness {
        Readiness(bits)
    }
}

impl BitOr for Readiness {
    type Output = Readiness;
    fn bitor(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Readiness) {
        self.0 |= other.0;
    }
}
