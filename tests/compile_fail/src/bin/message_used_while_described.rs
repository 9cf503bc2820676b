//! A message stays with its operation.

use ioevent::net::Message;
use ioevent::{Attached, EventPipe, Io, Op};
use std::os::unix::net::UnixStream;

struct State {
    message: Message<1>,
    bytes: [u8; 8],
}

fn receive(pipe: &EventPipe<State>, stream: &Attached<UnixStream>, op: Op<State>) {
    let _ = pipe.submit_on(stream, op, |s| {
        #[cfg(not(feature = "misuse"))]
        drop(s.message.take_descriptors());
        let io = Io::receive(&mut s.message, [&mut s.bytes]);
        #[cfg(feature = "misuse")]
        drop(s.message.take_descriptors()); //~ E0499
        io
    });
}

fn main() {}
