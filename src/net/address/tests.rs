//! The tests of `address`: there and back, by way of the kernel.

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
    for address in [ip("0.0.0.0:0"), ip("127.0.0.1:7777"), ip("255.1.2.3:65535"), ip("[::1]:80"), scoped] {
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
    assert_eq!(bound(&listener).len(), address.len());
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
    assert_eq!(address.len() as usize, UNIX + 1);
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
