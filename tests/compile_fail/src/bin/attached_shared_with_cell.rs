//! What is attached is shared by threads only if it may be.

use ioevent::Attached;
use std::cell::Cell;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Mutex;

struct Counted {
    stream: TcpStream,
    #[cfg(feature = "misuse")]
    uses: Cell<u32>,
    #[cfg(not(feature = "misuse"))]
    uses: Mutex<u32>,
}

impl AsFd for Counted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn share(attached: &Attached<Counted>) {
    std::thread::scope(|scope| {
        scope.spawn(|| attached.get_ref()); //~ E0277
    });
}

fn main() {}
