//! A number is no descriptor.

use ioevent::EventPipe;
use std::os::fd::OwnedFd;

fn attach(pipe: &EventPipe<u8>, owned: OwnedFd) {
    #[cfg(feature = "misuse")]
    let _ = pipe.attach(3); //~ E0277
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.attach(owned);
}

fn main() {}
