//! What is in an `Op` does not leave it but by `into_inner`.

use ioevent::{Attached, Op};
use std::net::TcpStream;

struct Connection {
    stream: Attached<TcpStream>,
}

fn take(connection: Op<Connection>) -> TcpStream {
    #[cfg(feature = "misuse")]
    return connection.stream.into_inner(); //~ E0507
    #[cfg(not(feature = "misuse"))]
    return Op::into_inner(connection).stream.into_inner();
}

fn main() {}
