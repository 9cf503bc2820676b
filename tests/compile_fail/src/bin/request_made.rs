//! So is a request.

use ioevent::{Attached, Io, Request};
use std::net::TcpStream;

fn describe<'a>(stream: &'a Attached<TcpStream>, io: Io<'a>) -> Request<'a> {
    #[cfg(feature = "misuse")]
    return Request { ..io.on(stream) }; //~ E0451
    #[cfg(not(feature = "misuse"))]
    return io.on(stream);
}

fn main() {}
