//! A description works for every lifetime: one that asks for a state that lives for ever could keep it.

use ioevent::{Attached, EventPipe, Io, Op};
use std::net::TcpStream;

#[cfg(feature = "misuse")]
fn describe(state: &'static mut [u8; 8]) -> Io<'static> {
    Io::read(state)
}
#[cfg(not(feature = "misuse"))]
fn describe(state: &mut [u8; 8]) -> Io<'_> {
    Io::read(state)
}

fn read(pipe: &EventPipe<[u8; 8]>, stream: &Attached<TcpStream>, op: Op<[u8; 8]>) {
    let _ = pipe.submit_on(stream, op, describe); //~ not general enough
}

fn main() {}
