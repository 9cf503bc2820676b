//! Sockets that are to be connected.

use crate::sys::socket;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// A TCP socket for addresses of the family of `for_address`, neither bound nor connected. Close-on-exec.
///
/// It is to be attached, and connected by [`Io::connect`](crate::Io::connect): see the example of the
/// [module](crate::net). It becomes a [`TcpStream`](std::net::TcpStream) by `TcpStream::from`.
///
/// # Errors
///
/// Those of socket(2): out of descriptors (EMFILE, ENFILE) or memory; EAFNOSUPPORT if the family is not to be had here.
pub fn stream_socket(for_address: &SocketAddr) -> io::Result<OwnedFd> {
    create(family(for_address), libc::SOCK_STREAM)
}

/// A UDP socket for addresses of the family of `for_address`, neither bound nor connected. Close-on-exec.
///
/// It is bound to a free port when it first sends a message, or by [`Io::connect`](crate::Io::connect). It becomes a
/// [`UdpSocket`](std::net::UdpSocket) by `UdpSocket::from`. (`UdpSocket::bind` makes one that is bound to begin with.)
///
/// # Errors
///
/// As for [`stream_socket`].
///
/// ```
/// use ioevent::net::{Address, datagram_socket};
/// use ioevent::{Attached, EventPipe, Events, Op};
/// use std::io;
/// use std::net::UdpSocket;
///
/// struct Question {
///     server: Address,
///     socket: Attached<UdpSocket>,
/// }
///
/// # fn main() -> io::Result<()> {
/// let server = UdpSocket::bind("127.0.0.1:0")?;
/// let address = server.local_addr()?;
///
/// let pipe = EventPipe::new(1)?;
/// let socket = pipe.attach(UdpSocket::from(datagram_socket(&address)?))?;
/// let question = Question { server: address.into(), socket };
/// pipe.submit(Op::new(question), |q| q.socket.send_to(b"who?", &mut q.server))?;
/// for event in pipe.wait(&mut Events::with_capacity(1), None)? {
///     let (_question, outcome) = event.into_parts();
///     assert_eq!(outcome.bytes()?, 4);
/// }
/// let mut bytes = [0; 16];
/// assert_eq!(server.recv(&mut bytes)?, 4);
/// # Ok(()) }
/// ```
pub fn datagram_socket(for_address: &SocketAddr) -> io::Result<OwnedFd> {
    create(family(for_address), libc::SOCK_DGRAM)
}

/// A stream socket of the family AF_UNIX, neither bound nor connected. Close-on-exec.
///
/// It is to be attached, and connected by [`Io::connect`](crate::Io::connect). It becomes a
/// [`UnixStream`](std::os::unix::net::UnixStream) by `UnixStream::from`. (One for datagrams is made by
/// [`UnixDatagram::unbound`](std::os::unix::net::UnixDatagram::unbound).)
///
/// # Errors
///
/// As for [`stream_socket`].
pub fn unix_stream_socket() -> io::Result<OwnedFd> {
    create(libc::AF_UNIX, libc::SOCK_STREAM)
}

fn family(address: &SocketAddr) -> libc::c_int {
    match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    }
}

fn create(family: libc::c_int, kind: libc::c_int) -> io::Result<OwnedFd> {
    let fd = socket::create(family, kind).map_err(|errno| io::Error::from_raw_os_error(errno.0))?;
    Ok(fd.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn option(socket: &OwnedFd, name: libc::c_int) -> libc::c_int {
        let (mut value, mut len) = (-1, 4);
        // SAFETY: four bytes are written, and the length.
        let r = unsafe {
            let value: *mut libc::c_int = &mut value;
            libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value.cast(), &mut len)
        };
        assert_eq!(r, 0);
        value
    }

    #[test]
    fn sockets_are_of_the_family_and_kind_and_close_on_exec() {
        let (v4, v6) = ("127.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap());
        for (socket, domain, kind) in [
            (stream_socket(&v4), libc::AF_INET, libc::SOCK_STREAM),
            (stream_socket(&v6), libc::AF_INET6, libc::SOCK_STREAM),
            (datagram_socket(&v4), libc::AF_INET, libc::SOCK_DGRAM),
            (datagram_socket(&v6), libc::AF_INET6, libc::SOCK_DGRAM),
            (unix_stream_socket(), libc::AF_UNIX, libc::SOCK_STREAM),
        ] {
            match socket {
                Ok(socket) => {
                    assert_eq!(option(&socket, libc::SO_DOMAIN), domain);
                    assert_eq!(option(&socket, libc::SO_TYPE), kind);
                    // SAFETY: no pointers.
                    let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFD) };
                    assert_eq!(flags, libc::FD_CLOEXEC);
                }
                // Where there is no IPv6.
                Err(error) if domain == libc::AF_INET6 => {
                    assert_eq!(error.raw_os_error(), Some(libc::EAFNOSUPPORT));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
