//! The buffer of a read is part of the state, not the stack's.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
    buffer: [u8; 16],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>) {
    let mut buffer = [0; 16];
    #[cfg(feature = "misuse")]
    let _ = pipe.submit(connection, |c| c.stream.read(&mut buffer)); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit(connection, |c| c.stream.read(&mut c.buffer));
}

fn main() {}
