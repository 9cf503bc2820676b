//! A state that was submitted is given away.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
    buffer: [u8; 8],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>) {
    #[cfg(not(feature = "misuse"))]
    println!("{:?}", connection.buffer);
    let _ = pipe.submit(connection, |c| c.stream.read(&mut c.buffer));
    #[cfg(feature = "misuse")]
    println!("{:?}", connection.buffer); //~ E0382
}

fn main() {}
