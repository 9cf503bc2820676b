//! What has no length of its own cannot grow by what was read.

use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpStream;

#[cfg(feature = "misuse")]
type Buffer = [u8; 16];
#[cfg(not(feature = "misuse"))]
type Buffer = Vec<u8>;

fn read(pipe: &EventPipe<Buffer>, stream: &Attached<TcpStream>, op: Op<Buffer>) {
    let _ = pipe.submit_on(stream, op, |buffer| Io::read_spare(buffer)); //~ E0277
}

fn main() {}
