//! And before its descriptor.

use ioevent::future::Reactor;
use ioevent::{Attached, Io};
use std::net::TcpListener;

async fn accept(reactor: Reactor, listener: Attached<TcpListener>) {
    let accept = reactor.submit(&listener, (), |()| Io::accept());
    #[cfg(feature = "misuse")]
    drop(listener.into_inner()); //~ E0505
    let _ = accept.await;
}

fn main() {}
