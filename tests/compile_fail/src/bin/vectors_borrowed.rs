//! The array of vectors is part of the state too.

use ioevent::buffers::IoVecs;
use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpStream;

struct State {
    vectors: IoVecs<1>,
    bytes: [u8; 8],
}

fn write(pipe: &EventPipe<State>, stream: &Attached<TcpStream>, op: Op<State>) {
    let mut vectors = IoVecs::<1>::new();
    #[cfg(feature = "misuse")]
    let _ = pipe.submit_on(stream, op, |s| Io::write_vectored(&mut vectors, [&s.bytes])); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_on(stream, op, |s| Io::write_vectored(&mut s.vectors, [&s.bytes]));
}

fn main() {}
