//! Nor is the state replaced, buffer and descriptor with it.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
    buffer: [u8; 8],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>, other: Connection) {
    let _ = pipe.submit(connection, |c| {
        #[cfg(not(feature = "misuse"))]
        let _ = std::mem::replace(c, other);
        let request = c.stream.read(&mut c.buffer);
        #[cfg(feature = "misuse")]
        let _ = std::mem::replace(c, other); //~ E0499
        request
    });
}

fn main() {}
