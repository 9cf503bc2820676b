//! The state comes back with the outcome, not before.

use ioevent::future::Reactor;
use ioevent::{Attached, Io};
use std::net::TcpStream;

async fn read(reactor: &Reactor, stream: &Attached<TcpStream>) {
    let buffer = Vec::with_capacity(8);
    let (read, _) = reactor.submit(stream, buffer, |b| Io::read_spare(b)).await;
    #[cfg(feature = "misuse")]
    println!("{buffer:?}"); //~ E0382
    #[cfg(not(feature = "misuse"))]
    println!("{read:?}");
}

fn main() {}
