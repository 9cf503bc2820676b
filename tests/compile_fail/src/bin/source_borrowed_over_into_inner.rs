//! A reference to what is attached ends before it is given back.

use ioevent::Attached;
use std::net::TcpStream;

fn take(attached: Attached<TcpStream>) -> TcpStream {
    let stream = attached.get_ref();
    #[cfg(not(feature = "misuse"))]
    println!("{stream:?}");
    #[cfg(feature = "misuse")]
    let inner = attached.into_inner(); //~ E0505
    #[cfg(not(feature = "misuse"))]
    let inner = attached.into_inner();
    #[cfg(feature = "misuse")]
    println!("{stream:?}");
    inner
}

fn main() {}
