//! The descriptor of a state that was submitted stays in it.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
    buffer: [u8; 8],
}

fn read(pipe: &EventPipe<Connection>, connection: Op<Connection>) {
    #[cfg(feature = "misuse")]
    {
        let _ = pipe.submit(connection, |c| c.stream.read(&mut c.buffer));
        drop(Op::into_inner(connection).stream); //~ E0382
    }
    #[cfg(not(feature = "misuse"))]
    if let Err(refused) = pipe.submit(connection, |c| c.stream.read(&mut c.buffer)) {
        drop(Op::into_inner(refused.op).stream);
    }
}

fn main() {}
