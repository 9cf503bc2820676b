//! A request lives as long as the descriptor that it is for, at most.

use ioevent::{Attached, Request};
use std::net::TcpListener;

fn accept(listener: Attached<TcpListener>) {
    #[cfg(feature = "misuse")]
    let request: Request<'static> = listener.accept(); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let request: Request<'_> = listener.accept();
    drop(request);
}

fn main() {}
