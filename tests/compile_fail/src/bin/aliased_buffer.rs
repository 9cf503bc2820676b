//! The parts of a message do not share memory.

use ioevent::buffers::IoVecs;
use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpStream;

struct State {
    vectors: IoVecs<2>,
    head: [u8; 8],
    body: [u8; 8],
}

fn read(pipe: &EventPipe<State>, stream: &Attached<TcpStream>, op: Op<State>) {
    let _ = pipe.submit_on(stream, op, |s| {
        #[cfg(feature = "misuse")]
        return Io::read_vectored(&mut s.vectors, [&mut s.head, &mut s.head]); //~ E0499
        #[cfg(not(feature = "misuse"))]
        return Io::read_vectored(&mut s.vectors, [&mut s.head, &mut s.body]);
    });
}

fn main() {}
