//! The state of a future may land in another thread.

use ioevent::future::Reactor;
use ioevent::{Attached, Io};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

async fn accept(reactor: &Reactor, listener: &Attached<TcpListener>) {
    #[cfg(feature = "misuse")]
    let state = Rc::new(1);
    #[cfg(not(feature = "misuse"))]
    let state = Arc::new(1);
    let _ = reactor.submit(listener, state, |_| Io::accept()).await; //~ E0277
}

fn main() {}
