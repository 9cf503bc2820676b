//! Posting gives the state away as well.

use ioevent::{EventPipe, Op, timer};
use std::time::Duration;

fn start(pipe: &EventPipe<u8>, op: Op<u8>, other: Op<u8>) {
    let _ = pipe.post(op, 1);
    #[cfg(feature = "misuse")]
    let _ = pipe.submit_inline(op, |_| timer(Duration::ZERO)); //~ E0382
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_inline(other, |_| timer(Duration::ZERO));
}

fn main() {}
