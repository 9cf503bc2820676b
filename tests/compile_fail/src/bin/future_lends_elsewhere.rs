//! It lends nothing else, not even of the task that awaits it.

use ioevent::future::Reactor;
use ioevent::{Attached, Io};
use std::net::TcpStream;

async fn read(reactor: &Reactor, stream: &Attached<TcpStream>) {
    let mut buffer = [0; 8];
    #[cfg(feature = "misuse")]
    let _ = reactor.submit(stream, (), |()| Io::read(&mut buffer)).await; //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = reactor.submit(stream, buffer, |b| Io::read(b)).await;
}

fn main() {}
