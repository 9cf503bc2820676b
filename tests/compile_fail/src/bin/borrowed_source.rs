//! What is attached is owned: a stream that is only lent may be closed meanwhile.

use ioevent::EventPipe;
use std::net::TcpStream;

fn attach(pipe: &EventPipe<u8>, stream: TcpStream) -> std::io::Result<()> {
    #[cfg(feature = "misuse")]
    let attached = pipe.attach(&stream)?; //~ E0597
    #[cfg(not(feature = "misuse"))]
    let attached = pipe.attach(stream.try_clone()?)?;
    drop(stream); //~ E0505
    drop(attached);
    Ok(())
}

fn main() {}
