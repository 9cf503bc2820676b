//! The descriptor that `submit` is shown is part of the state, or lives for ever; for another there is `submit_on`.

use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpListener;

fn accept(pipe: &EventPipe<u8>, listener: &Attached<TcpListener>, op: Op<u8>) {
    #[cfg(feature = "misuse")]
    let _ = pipe.submit(op, |_| listener.accept()); //~ lifetime may not live long enough
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_on(listener, op, |_| Io::accept());
}

fn main() {}
