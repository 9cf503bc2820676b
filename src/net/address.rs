//! The address of a socket.

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
/// The longest path of a socket.
const PATH: usize = size_of::<libc::sockaddr_un>() - size_of::<libc::sa_family_t>();

/// Room for the address of a socket of any family, or for none.
///
/// It is a part of the state of an operation: of a connect, or of one that sends, for the kernel to read; of an accept, or
/// of one that receives, for the kernel to fill in. The latter empties it first: if the operation fails, or the peer has
/// no address (one that is connected, over TCP), it is empty afterwards.
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
pub struct Address {
    storage: Storage,
    len: u32,
}

/// A `sockaddr` of whatever family: in the family's own layout.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Storage([u8; ROOM]);

const _: () = assert!(align_of::<Storage>() >= align_of::<libc::sockaddr_storage>());

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
mod tests {
    use super::*;
    use std::hash::DefaultHasher;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
    use std::path::PathBuf;

    const _: () = {
        const fn goes_anywhere<T: Send + Sync>() {}
        goes_anywhere::<Address>();
    };

    fn ip(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// The address that a socket is bound to, as the kernel fills it in.
    fn bound(socket: impl AsFd) -> Address {
        let mut address = Address::from(ip("[1:2:3:4:5:6:7:8]:9"));
        let (start, len) = address.for_kernel();
        // SAFETY: the room is as long as the length says.
        let r = unsafe { libc::getsockname(socket.as_fd().as_raw_fd(), start.cast(), len) };
        assert_eq!(r, 0, "{}", io::Error::last_os_error());
        address
    }

    type Call = unsafe extern "C" fn(libc::c_int, *const libc::sockaddr, libc::socklen_t) -> libc::c_int;

    /// bind(2) or connect(2).
    fn give(call: Call, socket: impl AsFd, mut address: Address) {
        let (start, len) = address.as_it_is();
        // SAFETY: the address is as long as the length says.
        let r = unsafe { call(socket.as_fd().as_raw_fd(), start.cast(), *len) };
        assert_eq!(r, 0, "{}", io::Error::last_os_error());
    }

    fn unbound(kind: libc::c_int) -> OwnedFd {
        // SAFETY: no pointers; the descriptor is new.
        unsafe { OwnedFd::from_raw_fd(libc::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0)) }
    }

    /// A path that no file has, of so many bytes if they are enough.
    fn path(name: &str, len: usize) -> PathBuf {
        let mut path = std::env::temp_dir().join(format!("ioevent-{}-{name}-", std::process::id()));
        let fill = len.saturating_sub(path.as_os_str().len());
        path.as_mut_os_string().push("x".repeat(fill));
        path
    }

    /// Equal, with the same hash.
    fn assert_same(a: Address, b: Address) {
        let hash = |address: Address| {
            let mut hasher = DefaultHasher::new();
            address.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(a, b);
        assert_eq!(hash(a), hash(b));
    }

    #[test]
    fn ip_addresses_come_back() {
        let mut scoped = ip("[fe80::1:2]:443");
        if let SocketAddr::V6(v6) = &mut scoped {
            v6.set_scope_id(0x0102_0304);
            v6.set_flowinfo(0x0506_0708);
        }
        for address in [ip("0.0.0.0:0"), ip("127.0.0.1:7777"), ip("255.1.2.3:65535"), ip("[::1]:80"), scoped]
        {
            assert_eq!(Address::from(address).to_ip(), Some(address));
            assert!(Address::from(address).to_unix().is_none());
            assert_eq!(format!("{:?}", Address::from(address)), format!("Address({address})"));
        }
        assert_ne!(Address::from(ip("[::1]:80")), Address::from(ip("[::1]:81")));
        assert_ne!(Address::from(ip("[fe80::1:2]:443")), Address::from(scoped));
    }

    #[test]
    fn ip_addresses_are_laid_out_as_libc_says() {
        let mut v4 = Address::from(ip("1.2.3.4:258"));
        let (start, len) = v4.as_it_is();
        // SAFETY: it is long enough, aligned, and numbers.
        let sin = unsafe { &*start.cast::<libc::sockaddr_in>() };
        assert_eq!(libc::c_int::from(sin.sin_family), libc::AF_INET);
        assert_eq!((sin.sin_port, sin.sin_addr.s_addr), (258u16.to_be(), 0x0102_0304u32.to_be()));
        // SAFETY: the address of the length.
        assert_eq!(unsafe { *len } as usize, size_of::<libc::sockaddr_in>());

        let scoped = SocketAddrV6::new(Ipv6Addr::from([7; 16]), 258, 5, 6);
        let mut v6 = Address::from(SocketAddr::from(scoped));
        let (start, len) = v6.as_it_is();
        // SAFETY: as above.
        let sin6 = unsafe { &*start.cast::<libc::sockaddr_in6>() };
        assert_eq!(libc::c_int::from(sin6.sin6_family), libc::AF_INET6);
        assert_eq!((sin6.sin6_port, sin6.sin6_flowinfo, sin6.sin6_scope_id), (258u16.to_be(), 5, 6));
        assert_eq!(sin6.sin6_addr.s6_addr, [7; 16]);
        // SAFETY: as above.
        assert_eq!(unsafe { *len } as usize, size_of::<libc::sockaddr_in6>());
    }

    #[test]
    fn ip_addresses_come_from_the_kernel() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            match std::net::UdpSocket::bind(any) {
                Ok(socket) => {
                    let expected = socket.local_addr().unwrap();
                    assert_eq!(bound(&socket).to_ip(), Some(expected));
                    assert_same(bound(&socket), expected.into());
                }
                // Where there is no IPv6.
                Err(_) => assert_eq!(any, "[::1]:0"),
            }
        }
    }

    #[test]
    fn a_path_leads_to_a_socket_and_back() {
        let path = path("path", 0);
        let listener = UnixListener::bind(&path).unwrap();
        let address = Address::from(UnixAddress::from_pathname(&path).unwrap());
        give(libc::connect, unbound(libc::SOCK_STREAM), address);
        assert_same(bound(&listener), address);
        assert_eq!(bound(&listener).to_unix().unwrap().as_pathname(), Some(&*path));
        assert_eq!(bound(&listener).to_ip(), None);
        assert_eq!(format!("{address:?}"), format!("Address({path:?})"));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_longest_path_has_no_zero_byte() {
        let path = path("longest", PATH);
        assert_eq!(path.as_os_str().len(), PATH);
        let socket = unbound(libc::SOCK_DGRAM);
        give(libc::bind, &socket, Address::from_parts(libc::AF_UNIX, &[path.as_os_str().as_bytes()]));
        let address = bound(&socket);
        assert_eq!(format!("{address:?}"), format!("Address({path:?})"));
        assert!(address.to_unix().is_none() && !address.is_empty());
        // The standard library reads such a path, though it makes none.
        let socket = UnixDatagram::from(socket);
        assert_same(Address::from(socket.local_addr().unwrap()), address);
        give(libc::connect, unbound(libc::SOCK_DGRAM), address);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn abstract_names_lead_to_a_socket_and_back() {
        let name = format!("ioevent-{}\0\u{1}", std::process::id());
        let expected = UnixAddress::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&expected).unwrap();
        let address = Address::from(expected);
        assert_same(bound(&socket), address);
        assert_eq!(bound(&socket).to_unix().unwrap().as_abstract_name(), Some(name.as_bytes()));
        let peer = unbound(libc::SOCK_DGRAM);
        give(libc::connect, &peer, address);
        assert_eq!(UnixDatagram::from(peer).send(b"!").unwrap(), 1);
        let text = format!("Address(@\"ioevent-{}\\x00\\x01\")", std::process::id());
        assert_eq!(format!("{address:?}"), text);
        // A path, and the same bytes as a name, are different addresses.
        let path = Address::from(UnixAddress::from_pathname("/x").unwrap());
        assert_ne!(path, Address::from(UnixAddress::from_abstract_name("/x").unwrap()));
    }

    #[test]
    fn a_socket_that_was_not_bound_is_unnamed() {
        let socket = UnixStream::from(unbound(libc::SOCK_STREAM));
        let address = bound(&socket);
        assert!(address.to_unix().unwrap().is_unnamed());
        assert!(!address.is_empty());
        assert_same(address, Address::from(socket.local_addr().unwrap()));
        assert_eq!(format!("{address:?}"), "Address(unnamed)");
    }

    #[test]
    fn what_the_kernel_does_not_fill_in_stays_empty() {
        let mut address = Address::from(ip("127.0.0.1:7777"));
        address.for_kernel();
        assert!(address.is_empty());
        assert_eq!((address.to_ip(), format!("{address:?}")), (None, "Address(empty)".into()));
        assert_same(address, Address::new());

        // A pair has no addresses: the kernel says that the length is 0.
        let (a, b) = UnixStream::pair().unwrap();
        assert_eq!(io::Write::write(&mut &a, b"!").unwrap(), 1);
        let mut address = Address::from(ip("127.0.0.1:7777"));
        let (start, len) = address.for_kernel();
        let mut byte = [0u8];
        // SAFETY: one byte is read, and an address into room that is as long as the length says.
        let n = unsafe { libc::recvfrom(b.as_raw_fd(), byte.as_mut_ptr().cast(), 1, 0, start.cast(), len) };
        assert_eq!(n, 1);
        assert!(address.is_empty());
    }

    #[test]
    fn any_length_and_any_family_can_be_looked_at() {
        let whole = Address::from_parts(libc::AF_INET6, &[&[1; 26]]);
        let path = Address::from_parts(libc::AF_UNIX, &[&[b'x'; ROOM]]);
        for mut address in [whole, path] {
            for len in [0, 1, 2, 3, 7, 15, 23, 27, ROOM as u32, 1000, u32::MAX] {
                address.set_len(len);
                assert_eq!(address.is_empty(), len < 2);
                assert!(len >= 2 || address.to_ip().is_none());
                assert!(!format!("{address:?}").is_empty());
                address.to_unix();
            }
        }
        let netlink = Address::from_parts(libc::AF_NETLINK, &[&[0; 10]]);
        assert_eq!(format!("{netlink:?}"), "Address(family 16, 10 bytes)");
        assert_ne!(netlink, Address::from_parts(libc::AF_NETLINK, &[&[1; 10]]));
    }
}
