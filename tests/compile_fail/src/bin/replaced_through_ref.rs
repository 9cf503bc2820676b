//! Nor by `mem::replace` of what `get_ref` gives.

use ioevent::Attached;
use std::net::TcpStream;

fn replace(attached: &mut Attached<TcpStream>, other: TcpStream) -> std::io::Result<()> {
    #[cfg(feature = "misuse")]
    drop(std::mem::replace(attached.get_ref(), other)); //~ E0308
    #[cfg(not(feature = "misuse"))]
    drop(std::mem::replace(&mut attached.get_ref().try_clone()?, other));
    Ok(())
}

fn main() {}
