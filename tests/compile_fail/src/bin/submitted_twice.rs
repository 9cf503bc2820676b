//! A state has one operation at a time.

use ioevent::{EventPipe, Op, timer};
use std::time::Duration;

fn start(pipe: &EventPipe<u8>, op: Op<u8>, other: Op<u8>) {
    let _ = pipe.submit(op, |_| timer(Duration::ZERO));
    #[cfg(feature = "misuse")]
    let _ = pipe.submit(op, |_| timer(Duration::ZERO)); //~ E0382
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit(other, |_| timer(Duration::ZERO));
}

fn main() {}
