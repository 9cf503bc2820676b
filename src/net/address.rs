//! The address of a socket.

use crate::state::slot::LENGTH_BEHIND;
use std::ffi::OsStr;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddress;
use std::path::Path;

/// No address is longer.
const ROOM: usize = size_of::<libc::sockaddr_storage>();
/// Nor is one of AF_UNIX longer than this, for the kernel to read.
const UNIX: usize = size_of::<libc::sockaddr_un>();
/// The longest path of a socket.
const PATH: usize = UNIX - size_of::<libc::sa_family_t>();

/// Room for the address of a socket of any family, or for none.
///
/// It is a part of the state of an operation. The kernel reads it to connect, or to send; it fills it in when a
/// connection was accepted, or a message received. For that it is emptied first: it is empty afterwards if the
/// operation failed, or if no address came with the message, as with the bytes of a TCP stream.
///
/// It is made from the addresses of the standard library, and made into them:
///
/// ```
/// use ioevent::net::Address;
/// use std::net::SocketAddr;
/// use std::os::unix::net::SocketAddr as UnixAddress;
///
/// # fn main() -> std::io::Result<()> {
/// let localhost = SocketAddr::from(([127, 0, 0, 1], 7777));
/// assert_eq!(Address::from(localhost).to_ip(), Some(localhost));
///
/// let address = Address::from(UnixAddress::from_pathname("/run/echo")?);
/// assert_eq!(address.to_unix().unwrap().as_pathname(), Some("/run/echo".as_ref()));
/// assert_eq!(address.to_ip(), None);
///
/// assert!(Address::new().is_empty());
/// # Ok(()) }
/// ```
///
/// Two are equal if they mean the same, byte by byte only in families that the library does not know.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Address {
    storage: Storage,
    len: u32,
}

/// A `sockaddr` of whatever family: in the family's own layout.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Storage([u8; ROOM]);

const _: () = assert!(align_of::<Storage>() >= align_of::<libc::sockaddr_storage>());
// As the engine expects it.
const _: () = assert!(std::mem::offset_of!(Address, len) == LENGTH_BEHIND);

/// What an address says.
#[derive(PartialEq, Eq, Hash)]
enum Name<'a> {
    Empty,
    Ip(SocketAddr),
    Path(&'a [u8]),
    Abstract(&'a [u8]),
    /// A socket of AF_UNIX that was not bound.
    Unnamed,
    Other(u16, &'a [u8]),
}

impl Address {
    /// Room for an address, without one.
    pub const fn new() -> Address {
        Address { storage: Storage([0; ROOM]), len: 0 }
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        matches!(self.name(), Name::Empty)
    }

    /// The address, if it is one of IPv4 or IPv6.
    pub fn to_ip(&self) -> Option<SocketAddr> {
        match self.name() {
            Name::Ip(address) => Some(address),
            _ => None,
        }
    }

    /// The address, if it is one of the family AF_UNIX: a path, a name in the abstract namespace, or unnamed.
    ///
    /// `None` too if the path has 108 bytes, the most for the kernel: the standard library has only shorter ones.
    pub fn to_unix(&self) -> Option<UnixAddress> {
        match self.name() {
            Name::Path(path) => UnixAddress::from_pathname(OsStr::from_bytes(path)).ok(),
            Name::Abstract(name) => UnixAddress::from_abstract_name(name).ok(),
            Name::Unnamed => UnixAddress::from_pathname("").ok(),
            _ => None,
        }
    }

    /// Empty room, for the kernel to fill in: its address, and that of its length.
    pub(crate) fn for_kernel(&mut self) -> (*mut u8, *mut u32) {
        // Without a family it stays empty unless the kernel fills it in.
        let [first, second, ..] = &mut self.storage.0;
        (*first, *second) = (0, 0);
        self.len = ROOM as u32;
        self.as_it_is()
    }

    /// For the kernel to read: the address, and that of its length.
    pub(crate) fn as_it_is(&mut self) -> (*mut u8, *mut u32) {
        // Behind the longest path the kernel counts a zero byte that it does not take back.
        if self.len as usize > UNIX && matches!(self.name(), Name::Path(_)) {
            self.len = UNIX as u32;
        }
        ((&raw mut self.storage).cast(), &raw mut self.len)
    }

    /// The length.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The kernel has filled in so many bytes.
    pub(super) fn set_len(&mut self, len: u32) {
        self.len = len;
    }

    /// The parts one after the other.
    fn from_parts(family: libc::c_int, parts: &[&[u8]]) -> Address {
        let mut address = Address::new();
        let family = (family as libc::sa_family_t).to_ne_bytes();
        for (to, from) in
            address.storage.0.iter_mut().zip(family.iter().chain(parts.iter().copied().flatten()))
        {
            *to = *from;
            address.len += 1;
        }
        address
    }

    fn name(&self) -> Name<'_> {
        let bytes = self.storage.0.get(..self.len as usize).unwrap_or(&self.storage.0);
        let Some((family, rest)) = bytes.split_first_chunk() else { return Name::Empty };
        let family = u16::from_ne_bytes(*family);
        match libc::c_int::from(family) {
            libc::AF_UNSPEC => Name::Empty,
            libc::AF_INET => v4(rest).map_or(Name::Other(family, rest), |address| Name::Ip(address.into())),
            libc::AF_INET6 => v6(rest).map_or(Name::Other(family, rest), |address| Name::Ip(address.into())),
            libc::AF_UNIX => match rest {
                [] => Name::Unnamed,
                [0, name @ ..] => Name::Abstract(name),
                // The zero byte at its end counts, or does not, or there is none.
                path => Name::Path(path.split(|byte| *byte == 0).next().unwrap_or(path)),
            },
            _ => Name::Other(family, rest),
        }
    }
}

/// A `sockaddr_in` behind its family.
fn v4(bytes: &[u8]) -> Option<SocketAddrV4> {
    let (port, bytes) = bytes.split_first_chunk()?;
    let ip: &[u8; 4] = bytes.first_chunk()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(*ip), u16::from_be_bytes(*port)))
}

/// A `sockaddr_in6` behind its family.
fn v6(bytes: &[u8]) -> Option<SocketAddrV6> {
    let (port, bytes) = bytes.split_first_chunk()?;
    let (flowinfo, bytes) = bytes.split_first_chunk()?;
    let (ip, bytes): (&[u8; 16], _) = bytes.split_first_chunk()?;
    let scope = bytes.first_chunk()?;
    // Both numbers are taken as the standard library takes them.
    let (flowinfo, scope) = (u32::from_ne_bytes(*flowinfo), u32::from_ne_bytes(*scope));
    Some(SocketAddrV6::new(Ipv6Addr::from(*ip), u16::from_be_bytes(*port), flowinfo, scope))
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        let port = address.port().to_be_bytes();
        match address {
            SocketAddr::V4(v4) => Address::from_parts(libc::AF_INET, &[&port, &v4.ip().octets(), &[0; 8]]),
            SocketAddr::V6(v6) => {
                let (flowinfo, scope) = (v6.flowinfo().to_ne_bytes(), v6.scope_id().to_ne_bytes());
                Address::from_parts(libc::AF_INET6, &[&port, &flowinfo, &v6.ip().octets(), &scope])
            }
        }
    }
}

impl From<UnixAddress> for Address {
    fn from(address: UnixAddress) -> Address {
        if let Some(path) = address.as_pathname() {
            let path = path.as_os_str().as_bytes();
            let end: &[u8] = if path.len() < PATH { &[0] } else { &[] };
            return Address::from_parts(libc::AF_UNIX, &[path, end]);
        }
        match address.as_abstract_name() {
            Some(name) => Address::from_parts(libc::AF_UNIX, &[&[0], name]),
            None => Address::from_parts(libc::AF_UNIX, &[]),
        }
    }
}

impl Default for Address {
    fn default() -> Address {
        Address::new()
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Name::Empty => f.write_str("Address(empty)"),
            Name::Ip(address) => write!(f, "Address({address})"),
            Name::Path(path) => write!(f, "Address({:?})", Path::new(OsStr::from_bytes(path))),
            Name::Abstract(name) => write!(f, "Address(@\"{}\")", name.escape_ascii()),
            Name::Unnamed => f.write_str("Address(unnamed)"),
            Name::Other(family, rest) => write!(f, "Address(family {family}, {} bytes)", rest.len()),
        }
    }
}

#[cfg(test)]
mod tests;
