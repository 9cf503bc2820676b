//! What is attached cannot be replaced by dereferencing.

use ioevent::{Attached, EventPipe, NotAttached};
use std::net::TcpStream;

fn replace(
    pipe: &EventPipe<u8>,
    attached: &mut Attached<TcpStream>,
    other: TcpStream,
) -> Result<(), NotAttached<TcpStream>> {
    #[cfg(feature = "misuse")]
    {
        **attached = other; //~ E0614
    }
    #[cfg(not(feature = "misuse"))]
    {
        *attached = pipe.attach(other)?;
    }
    Ok(())
}

fn main() {}
