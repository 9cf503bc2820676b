//! udp [ADDRESS]: sends each datagram back to where it came from. 16 operations are under way on one socket, which they
//! share: while some are answered, others receive.
#![forbid(unsafe_code)]

use ioevent::net::Address;
use ioevent::{EventPipe, Events, Io, Op};
use std::io;
use std::net::UdpSocket;
use std::process::ExitCode;

const AT_ONCE: usize = 16;
/// No datagram is larger.
const BYTES: usize = 65_536;

/// Room for a datagram and for the address of its sender. The kernel writes into both.
struct Datagram {
    peer: Address,
    bytes: Vec<u8>,
    /// How much was received and is to be sent back; it may be nothing, too.
    received: Option<usize>,
}

impl Datagram {
    fn next(&mut self) -> Io<'_> {
        match self.received {
            Some(n) => Io::send_to(self.bytes.get(..n).unwrap_or_default(), &mut self.peer),
            None => Io::recv_from(&mut self.bytes, &mut self.peer),
        }
    }
}

fn serve(address: &str) -> io::Result<()> {
    let pipe = EventPipe::new(AT_ONCE)?;
    let socket = UdpSocket::bind(address)?;
    println!("listening on {}", socket.local_addr()?);
    let socket = pipe.attach(socket)?;
    for _ in 0..AT_ONCE {
        let datagram = Datagram { peer: Address::new(), bytes: vec![0; BYTES], received: None };
        pipe.submit_on(&socket, Op::new(datagram), Datagram::next)?;
    }
    let mut events = Events::with_capacity(AT_ONCE);
    loop {
        for event in pipe.wait(&mut events, None)? {
            let (mut datagram, outcome) = event.into_parts();
            datagram.received = match (datagram.received, outcome.bytes()) {
                (None, Ok(bytes)) => Some(bytes),
                (None, Err(error)) => return Err(error),
                // Sent; or it could not be sent, which is nothing but a datagram lost: go on.
                (Some(_), _) => None,
            };
            pipe.submit_on(&socket, datagram, Datagram::next)?;
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let address = match &*arguments {
        [] => "127.0.0.1:7777",
        [address] => address,
        _ => {
            eprintln!("usage: udp [ADDRESS], as 127.0.0.1:7777; port 0: any that is free");
            return ExitCode::from(2);
        }
    };
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("udp: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
