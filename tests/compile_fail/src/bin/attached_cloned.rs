//! One handle of a descriptor; several owners share it in an `Arc`.

use ioevent::Attached;
use std::net::TcpStream;
use std::sync::Arc;

fn clone<T: Clone>(of: &T) -> T {
    of.clone()
}

fn share(stream: Attached<TcpStream>) {
    #[cfg(feature = "misuse")]
    let _ = clone(&stream); //~ E0277
    #[cfg(not(feature = "misuse"))]
    let _ = clone(&Arc::new(stream));
}

fn main() {}
