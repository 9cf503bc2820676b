//! So is an address that the kernel fills in.

use ioevent::net::Address;
use ioevent::{Attached, EventPipe, Io, Op};
use std::net::UdpSocket;

struct State {
    from: Address,
    bytes: [u8; 8],
}

fn receive(pipe: &EventPipe<State>, socket: &Attached<UdpSocket>, op: Op<State>) {
    let mut from = Address::new();
    #[cfg(feature = "misuse")]
    let _ = pipe.submit_on(socket, op, |s| Io::recv_from(&mut s.bytes, &mut from)); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_on(socket, op, |s| Io::recv_from(&mut s.bytes, &mut s.from));
}

fn main() {}
