//! The closure does not smuggle a description out.

use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpStream;

fn read(pipe: &EventPipe<[u8; 8]>, stream: &Attached<TcpStream>, op: Op<[u8; 8]>) {
    let mut kept = None;
    let _ = pipe.submit_on(stream, op, |state| {
        #[cfg(feature = "misuse")]
        kept.replace(Io::read(state)); //~ E0521
        #[cfg(not(feature = "misuse"))]
        kept.replace(state.len());
        Io::shutdown(std::net::Shutdown::Both)
    });
    println!("{}", kept.is_some());
}

fn main() {}
