//! It is used up by the descriptor that it is for.

use ioevent::{Attached, Io};
use std::net::TcpStream;

fn describe(first: &Attached<TcpStream>, second: &Attached<TcpStream>, buffer: &mut [u8]) {
    let io = Io::read(buffer);
    let _ = io.on(first);
    #[cfg(feature = "misuse")]
    let _ = io.on(second); //~ E0382
}

fn main() {}
