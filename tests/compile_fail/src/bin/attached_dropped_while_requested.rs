//! It keeps the descriptor where it is.

use ioevent::Attached;
use std::net::TcpListener;

fn accept(listener: Attached<TcpListener>) {
    let request = listener.accept();
    #[cfg(not(feature = "misuse"))]
    drop(request);
    #[cfg(feature = "misuse")]
    drop(listener.into_inner()); //~ E0505
    #[cfg(not(feature = "misuse"))]
    drop(listener.into_inner());
    #[cfg(feature = "misuse")]
    drop(request);
}

fn main() {}
