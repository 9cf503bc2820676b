//! No reference into a state lives on when it is submitted.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
    buffer: [u8; 8],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>) {
    #[cfg(feature = "misuse")]
    let first = &connection.buffer[0];
    #[cfg(not(feature = "misuse"))]
    let first = connection.buffer[0];
    let _ = pipe.submit(connection, |c| c.stream.read(&mut c.buffer)); //~ E0505
    println!("{first}");
}

fn main() {}
