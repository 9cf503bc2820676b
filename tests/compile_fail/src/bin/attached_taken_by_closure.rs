//! Nor does the closure take the descriptor out while it describes the operation.

use ioevent::{Attached, EventPipe, Op, timer};
use std::net::TcpStream;
use std::time::Duration;

struct Connection {
    stream: Option<Attached<TcpStream>>,
    buffer: [u8; 8],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>) {
    let _ = pipe.submit(connection, |c| {
        #[cfg(feature = "misuse")]
        let stream = c.stream.take();
        #[cfg(not(feature = "misuse"))]
        let stream = &c.stream;
        match stream {
            #[cfg(feature = "misuse")]
            Some(stream) => stream.read(&mut c.buffer), //~ E0515
            #[cfg(not(feature = "misuse"))]
            Some(stream) => stream.read(&mut c.buffer),
            None => timer(Duration::ZERO),
        }
    });
}

fn main() {}
