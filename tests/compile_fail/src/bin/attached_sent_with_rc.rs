//! What is attached goes to another thread only if it may.

use ioevent::Attached;
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type Shared = Rc<TcpStream>;
#[cfg(not(feature = "misuse"))]
type Shared = Arc<TcpStream>;

fn send(stream: Attached<Shared>) {
    std::thread::spawn(move || drop(stream)); //~ E0277
}

fn main() {}
