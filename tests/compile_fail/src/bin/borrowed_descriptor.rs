//! A `BorrowedFd` is attached only if what it is borrowed from lives for ever.

use ioevent::EventPipe;
use std::os::fd::{AsFd, BorrowedFd};

fn attach(pipe: &EventPipe<u8>, descriptor: BorrowedFd<'_>) -> std::io::Result<()> {
    #[cfg(feature = "misuse")]
    let _attached = pipe.attach(descriptor)?; //~ E0521
    #[cfg(not(feature = "misuse"))]
    let _attached = pipe.attach(descriptor.try_clone_to_owned()?)?;
    Ok(())
}

fn main() {}
