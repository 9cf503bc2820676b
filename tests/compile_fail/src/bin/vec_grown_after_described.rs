//! A `Vec` that is read into does not move.

use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpStream;

fn read(pipe: &EventPipe<Vec<u8>>, stream: &Attached<TcpStream>, op: Op<Vec<u8>>) {
    let _ = pipe.submit_on(stream, op, |input| {
        #[cfg(not(feature = "misuse"))]
        input.reserve(4096);
        let io = Io::read_spare(input);
        #[cfg(feature = "misuse")]
        input.reserve(4096); //~ E0499
        io
    });
}

fn main() {}
