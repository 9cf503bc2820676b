//! No `&mut` to what is attached: it could be closed with it.

use ioevent::Attached;
use std::net::TcpStream;

fn look(attached: &mut Attached<TcpStream>) {
    #[cfg(feature = "misuse")]
    attached.get_mut(); //~ E0599
    #[cfg(not(feature = "misuse"))]
    attached.get_ref();
}

fn main() {}
