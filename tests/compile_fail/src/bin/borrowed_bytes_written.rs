//! What a write sends is part of the state, or lives for ever.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

fn write(pipe: &EventPipe<Attached<TcpStream>>, stream: Op<Attached<TcpStream>>, text: String) {
    #[cfg(feature = "misuse")]
    let _ = pipe.submit(stream, |s| s.write(text.as_bytes())); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit(stream, |s| s.write(b"a constant"));
}

fn main() {}
