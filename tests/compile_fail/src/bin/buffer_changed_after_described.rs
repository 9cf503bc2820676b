//! A buffer that an operation was described with is not touched before the event.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
    buffer: [u8; 8],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>) {
    let _ = pipe.submit(connection, |c| {
        #[cfg(not(feature = "misuse"))]
        c.buffer.fill(0);
        let request = c.stream.read(&mut c.buffer);
        #[cfg(feature = "misuse")]
        c.buffer.fill(0); //~ E0499
        request
    });
}

fn main() {}
