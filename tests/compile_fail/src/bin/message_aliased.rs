//! The parts of a message with descriptors do not share memory either.

use ioevent::net::Message;
use ioevent::{Attached, EventPipe, Io, Op};
use std::os::unix::net::UnixStream;

struct State {
    message: Message<2>,
    head: [u8; 8],
    body: [u8; 8],
}

fn receive(pipe: &EventPipe<State>, stream: &Attached<UnixStream>, op: Op<State>) {
    let _ = pipe.submit_on(stream, op, |s| {
        #[cfg(feature = "misuse")]
        return Io::receive(&mut s.message, [&mut s.head, &mut s.head]); //~ E0499
        #[cfg(not(feature = "misuse"))]
        return Io::receive(&mut s.message, [&mut s.head, &mut s.body]);
    });
}

fn main() {}
