//! A slot: room for one input operation that waits without a node, in the three words of the attachment's queues, which
//! are empty then.
//!
//! | word | holds |
//! | --- | --- |
//! | first | the address of the buffer, iovec array or msghdr; for a poll 0; of an accept the address for the address |
//! | second | from the lowest bit: 32 of the length or the events, 4 of the kind, CLOEXEC, TIMED, NONBLOCK; see below |
//! | third | the user pointer of the event |
//!
//! The second word then has 16 bits of the fraction of its deadline; its highest bit is set unless it is a plain read.
//!
//! A recvfrom with an address has no room for its user pointer, which is that of the descriptor, nor for a deadline.
//! Its three addresses have 48 bits each: those of the buffer and of the address are in the lower bits of the first and
//! the third word, that of the length in what is left of these two, and in the 16 upper bits of the second. An accept
//! with an address has no room for a deadline either: the address of its length is where the length and the fraction
//! are else.
//!
//! In Rust the length of an address comes right behind the room for it (`LENGTH_BEHIND`), so that a recvfrom of Rust's
//! has two addresses, and its user pointer where the third one would be.

use crate::queue::op::{self, Kind, LENGTH_BY_POINTER, MOST_BYTES, OpRef, Request};
use crate::sys::UserPtr;

/// In the second word.
const KIND: u32 = 32;
const CLOEXEC: u64 = 1 << 36;
const TIMED: u64 = 1 << 37;
/// An accept with SOCK_NONBLOCK.
const NONBLOCK: u64 = 1 << 38;
const FRACTION: u32 = 47;
const NO_PLAIN_READ: u64 = 1 << 63;
const TOP: u32 = 48;
/// What is below that.
const LOW: u64 = (1 << TOP) - 1;
/// What of the second word says which operation it is.
const LIKE: u64 = (1 << 37) - 1;

/// What kind of operation it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Waiting {
    /// read(2), recv(2), and recvfrom(2) without an address.
    Bytes,
    /// readv(2).
    Vector,
    /// recvmsg(2).
    Message,
    /// recvfrom(2) with an address.
    Addressed,
    /// The same from Rust.
    Datagram,
    /// `ioevent_poll`.
    Poll,
    /// accept(2), accept4(2).
    Accept,
}

/// See the module's head.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    first: u64,
    second: u64,
    third: u64,
}

impl Slot {
    #[inline(always)]
    pub(crate) fn from_words([first, second, third]: [usize; 3]) -> Slot {
        Slot { first: first as u64, second: second as u64, third: third as u64 }
    }

    #[inline(always)]
    pub(crate) fn words(self) -> [usize; 3] {
        [self.first as usize, self.second as usize, self.third as usize]
    }

    #[inline(always)]
    pub(crate) fn new(kind: Waiting, at: UserPtr, len: u32) -> Slot {
        let other = if kind as u8 == Waiting::Bytes as u8 { 0 } else { NO_PLAIN_READ };
        Slot { first: at.addr() as u64, second: u64::from(len) | (kind as u64) << KIND | other, third: 0 }
    }

    /// recvmsg with MSG_CMSG_CLOEXEC, or without.
    #[inline(always)]
    pub(crate) fn message(at: UserPtr, closes_on_exec: bool) -> Slot {
        let slot = Slot::new(Waiting::Message, at, 0);
        Slot { second: slot.second | if closes_on_exec { CLOEXEC } else { 0 }, ..slot }
    }

    /// recvfrom with an address; `None` if the addresses are too high for it.
    #[inline(always)]
    pub(crate) fn addressed(buf: UserPtr, len: u32, addr: UserPtr, addrlen: UserPtr) -> Option<Slot> {
        let (buf, addr, addrlen) = (buf.addr() as u64, addr.addr() as u64, addrlen.addr() as u64);
        if (buf | addr | addrlen) >> TOP != 0 {
            return None;
        }
        Some(Slot {
            first: buf | addrlen << TOP,
            second: u64::from(len)
                | (Waiting::Addressed as u64) << KIND
                | NO_PLAIN_READ
                | addrlen >> 32 << FRACTION,
            third: addr | addrlen >> 16 << TOP,
        })
    }

    /// recvfrom from Rust, with an address: LENGTH_BEHIND that is its length. `None` if the addresses are too high for
    /// it; that of its state must not be.
    #[inline(always)]
    pub(crate) fn datagram(buf: UserPtr, len: u32, addr: UserPtr) -> Option<Slot> {
        let slot = Slot::addressed(buf, len, UserPtr::NULL, addr)?;
        let kinds = (Waiting::Addressed as u64 ^ Waiting::Datagram as u64) << KIND;
        Some(Slot { second: slot.second ^ kinds, ..slot })
    }

    /// accept4 with some of ACCEPT_FLAGS; `None` if the addresses are too high for it.
    #[inline(always)]
    pub(crate) fn accept(addr: UserPtr, addrlen: UserPtr, flags: i32) -> Option<Slot> {
        // Where no address is asked for, its length means nothing.
        let addrlen = if addr.is_null() { 0 } else { addrlen.addr() as u64 };
        if addrlen >> TOP != 0 {
            return None;
        }
        let slot = Slot::new(Waiting::Accept, addr, addrlen as u32);
        let cloexec = if flags & libc::SOCK_CLOEXEC != 0 { CLOEXEC } else { 0 };
        let nonblock = if flags & libc::SOCK_NONBLOCK != 0 { NONBLOCK } else { 0 };
        Some(Slot { second: slot.second | cloexec | nonblock | addrlen >> 32 << FRACTION, ..slot })
    }

    /// Address, address of its length, and flags of an `Accept`.
    #[inline(always)]
    pub(crate) fn accept_arguments(self) -> (UserPtr, UserPtr, i32) {
        let high = if self.first == 0 { 0 } else { u64::from(self.fraction()) << 32 };
        let cloexec = if self.closes_on_exec() { libc::SOCK_CLOEXEC } else { 0 };
        let nonblock = if self.second & NONBLOCK != 0 { libc::SOCK_NONBLOCK } else { 0 };
        (self.at(), UserPtr::number(high as usize | self.len()), cloexec | nonblock)
    }

    /// The same with a user pointer of its own.
    #[inline(always)]
    pub(crate) fn with_user(self, user: usize) -> Slot {
        match self.kind() {
            Waiting::Addressed => self,
            Waiting::Datagram => Slot { third: self.third & !LOW | user as u64, ..self },
            _ => Slot { third: user as u64, ..self },
        }
    }

    /// The same with a deadline, of which the slot keeps the fraction.
    #[inline(always)]
    pub(crate) fn with_fraction(self, fraction: u16) -> Slot {
        Slot { second: self.second | Self::bits_of_fraction(fraction), ..self }
    }

    /// What a fraction adds to the second word.
    #[inline(always)]
    pub(super) fn bits_of_fraction(fraction: u16) -> u64 {
        TIMED | u64::from(fraction) << FRACTION
    }

    /// Whether it is a plain read.
    #[inline(always)]
    pub(crate) fn is_plain_read(self) -> bool {
        self.second & NO_PLAIN_READ == 0
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Waiting {
        match self.second >> KIND & 0xf {
            0 => Waiting::Bytes,
            1 => Waiting::Vector,
            2 => Waiting::Message,
            3 => Waiting::Addressed,
            4 => Waiting::Datagram,
            5 => Waiting::Poll,
            _ => Waiting::Accept,
        }
    }

    /// Whether it is of this kind.
    #[inline(always)]
    pub(crate) fn is(self, kind: Waiting) -> bool {
        self.second >> KIND & 0xf == kind as u64
    }

    /// Whether there is no room in it for more than its three addresses.
    #[inline(always)]
    pub(crate) fn holds_addresses(self) -> bool {
        self.kind() == Waiting::Addressed
    }

    /// Whether there is no room in it for a deadline.
    #[inline(always)]
    pub(crate) fn is_full(self) -> bool {
        match self.kind() {
            Waiting::Addressed | Waiting::Datagram => true,
            Waiting::Accept => self.first != 0,
            _ => false,
        }
    }

    /// Whether it has a deadline.
    #[inline(always)]
    pub(crate) fn is_timed(self) -> bool {
        self.second & TIMED != 0
    }

    /// The fraction of its deadline.
    pub(crate) fn fraction(self) -> u16 {
        (self.second >> FRACTION) as u16
    }

    /// Whether it is the same call, with the same structs, as another was.
    #[inline(always)]
    pub(crate) fn is_like(self, other: Slot) -> bool {
        self.first == other.first && self.second & LIKE == other.second & LIKE
    }

    /// The buffer, iovec array or msghdr.
    #[inline(always)]
    pub(crate) fn at(self) -> UserPtr {
        UserPtr::number(self.first as usize)
    }

    /// How long it is; the events of a poll.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.second as u32 as usize
    }

    #[inline(always)]
    pub(crate) fn closes_on_exec(self) -> bool {
        self.second & CLOEXEC != 0
    }

    /// The user pointer of its event; `of_descriptor` is that of the descriptor.
    pub(crate) fn user(self, of_descriptor: usize) -> usize {
        match self.kind() {
            Waiting::Addressed => of_descriptor,
            Waiting::Datagram => (self.third & LOW) as usize,
            _ => self.third as usize,
        }
    }

    /// The buffer, the address and the address of its length of an `Addressed` or a `Datagram`.
    pub(crate) fn addresses(self) -> (UserPtr, UserPtr, UserPtr) {
        let last =
            self.first >> TOP | self.third >> TOP << 16 | u64::from((self.second >> FRACTION) as u16) << 32;
        let [buf, third, last] = [self.first & LOW, self.third & LOW, last].map(|address| address as usize);
        let (addr, addrlen) = match self.kind() {
            Waiting::Datagram => (last, last + LENGTH_BEHIND),
            _ => (third, last),
        };
        (UserPtr::number(buf), UserPtr::number(addr), UserPtr::number(addrlen))
    }

    /// The operation as a request.
    pub(crate) fn request(self, of_descriptor: usize) -> Request {
        let (buf, len, user) = (self.at(), self.len(), Some(self.user(of_descriptor)));
        let request = Request { buf, len, user, ..Request::NOTHING };
        match self.kind() {
            Waiting::Bytes => Request { kind: Kind::Read, ..request },
            Waiting::Vector => Request { kind: Kind::Readv, ..request },
            Waiting::Message => {
                let arg = if self.closes_on_exec() { libc::MSG_CMSG_CLOEXEC } else { 0 };
                Request { kind: Kind::Recvmsg, arg, ..request }
            }
            Waiting::Addressed | Waiting::Datagram => {
                let (buf, addr, addrlen) = self.addresses();
                Request { kind: Kind::Recv, buf, addr, addrlen, ..request }
            }
            Waiting::Accept => {
                let (addr, addrlen, arg) = self.accept_arguments();
                let nothing = UserPtr::NULL;
                Request { kind: Kind::Accept, addr, addrlen, arg, buf: nothing, len: 0, ..request }
            }
            Waiting::Poll => Request { kind: Kind::Poll, arg: len as i32, len: 0, ..request },
        }
    }

    /// A slot for an operation that waits in its queue, and was asked for by the slow path: if it can do without its
    /// node. (One with an address keeps it.)
    pub(crate) fn of(op: OpRef) -> Option<Slot> {
        let len = op.len.get();
        let slot = match op.kind.get() {
            Kind::Read if len > 0 => Slot::new(Waiting::Bytes, op.buf.get(), len),
            Kind::Recv if len > 0 && op.arg.get() & !IDLE_FLAGS == 0 && op.addr.get().is_null() => {
                Slot::new(Waiting::Bytes, op.buf.get(), len)
            }
            Kind::Readv => Slot::new(Waiting::Vector, op.buf.get(), len),
            Kind::Recvmsg if op.arg.get() & !(IDLE_FLAGS | libc::MSG_CMSG_CLOEXEC) == 0 => {
                Slot::message(op.buf.get(), op.arg.get() & libc::MSG_CMSG_CLOEXEC != 0)
            }
            Kind::Accept if op.arg.get() & !ACCEPT_FLAGS == 0 && op.length.get() == LENGTH_BY_POINTER => {
                Slot::accept(op.addr.get(), op.addrlen.get(), op.arg.get())?
            }
            _ => return None,
        };
        // The deadline of what has no room for one is with its node.
        if slot.is_full() && op.has(op::TIMED) {
            return None;
        }
        Some(slot.with_user(op.user.get()))
    }
}

/// How far behind the room for an address Rust has its length.
pub(crate) const LENGTH_BEHIND: usize = size_of::<libc::sockaddr_storage>();

/// Whether a user pointer fits into a `Datagram`.
pub(crate) fn is_low(user: usize) -> bool {
    user as u64 >> TOP == 0
}

/// The flags of accept4(2).
pub(crate) const ACCEPT_FLAGS: i32 = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;

/// Flags of recv(2) and its like that change nothing here: that the call is not to wait, which is so anyway (rule 2.4),
/// and one for calls that send.
pub(crate) const IDLE_FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// Some bytes, and not more than the kernel moves at once.
#[inline(always)]
pub(crate) fn is_plain_length(len: usize) -> bool {
    len.wrapping_sub(1) < MOST_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: usize) -> UserPtr {
        UserPtr::number(address)
    }

    #[test]
    fn a_slot_keeps_all_of_its_operation() {
        let slot =
            Slot::new(Waiting::Bytes, at(0x7fff_1234_5678), 77).with_user(usize::MAX).with_fraction(0xfedc);
        assert!(slot.is_timed() && slot.fraction() == 0xfedc && slot.kind() == Waiting::Bytes);
        let request = Slot::from_words(slot.words()).request(5);
        assert_eq!((request.kind, request.buf.addr(), request.len), (Kind::Read, 0x7fff_1234_5678, 77));
        assert_eq!(request.user, Some(usize::MAX));
    }

    #[test]
    fn three_addresses_fit() {
        let (buf, addr, addrlen) = (0xffff_0000_1111, 0x8000_dead_beef, 0xabcd_ef01_2345);
        let slot = Slot::addressed(at(buf), 0x7fff_f000, at(addr), at(addrlen)).unwrap().with_user(3);
        let request = slot.request(9);
        assert_eq!((request.kind, request.len, request.user), (Kind::Recv, 0x7fff_f000, Some(9)));
        assert_eq!((request.buf.addr(), request.addr.addr(), request.addrlen.addr()), (buf, addr, addrlen));
        assert!(!slot.is_timed());
        assert!(Slot::addressed(at(1 << 48), 1, at(0), at(0)).is_none());
    }

    #[test]
    fn a_datagram_keeps_its_user_pointer_beside_its_addresses() {
        let (buf, addr, user) = (0xffff_0000_1111, 0x8000_dead_beef, 0xabcd_ef01_2345);
        let slot = Slot::datagram(at(buf), 1500, at(addr)).unwrap().with_user(user);
        let request = Slot::from_words(slot.words()).request(9);
        assert_eq!((request.kind, request.len, request.user), (Kind::Recv, 1500, Some(user)));
        assert_eq!((request.buf.addr(), request.addr.addr()), (buf, addr));
        assert_eq!(request.addrlen.addr(), addr + 128);
        assert!(slot.is_full() && !slot.is_timed() && !slot.holds_addresses() && is_low(user));
        assert!(Slot::datagram(at(0), 1, at(1 << 48)).is_none() && !is_low(1 << 48));
    }

    #[test]
    fn an_accept_keeps_its_addresses_flags_and_user_pointer() {
        let slot = Slot::accept(at(0xffff_0000_1111), at(0xabcd_ef01_2345), libc::SOCK_NONBLOCK);
        let request = slot.unwrap().with_user(usize::MAX).request(9);
        assert_eq!(
            (request.kind, request.arg, request.user),
            (Kind::Accept, libc::SOCK_NONBLOCK, Some(usize::MAX))
        );
        assert_eq!((request.addr.addr(), request.addrlen.addr()), (0xffff_0000_1111, 0xabcd_ef01_2345));
        assert!(slot.unwrap().is_full() && Slot::accept(at(1), at(1 << 48), 0).is_none());
        let timed = Slot::accept(at(0), at(7), libc::SOCK_CLOEXEC).unwrap().with_fraction(u16::MAX);
        assert!(!timed.is_full() && timed.is_timed() && timed.fraction() == u16::MAX);
        let request = timed.request(9);
        assert_eq!((request.arg, request.addr.addr(), request.addrlen.addr()), (libc::SOCK_CLOEXEC, 0, 0));
    }

    #[test]
    fn structs_are_told_apart() {
        let one = Slot::message(at(64), false).with_user(1);
        assert!(one.is_like(Slot::message(at(64), false).with_user(2).with_fraction(9)));
        assert!(!one.is_like(Slot::message(at(64), true)));
        assert!(!one.is_like(Slot::message(at(128), false)));
        assert!(!one.is_like(Slot::new(Waiting::Vector, at(64), 0)));
    }
}
