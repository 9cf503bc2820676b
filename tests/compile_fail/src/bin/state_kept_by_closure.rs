//! The closure does not keep the state.

use ioevent::{EventPipe, Op, timer};
use std::time::Duration;

fn start(pipe: &EventPipe<[u8; 8]>, op: Op<[u8; 8]>) {
    #[cfg(feature = "misuse")]
    let mut kept: Option<&mut [u8; 8]> = None;
    #[cfg(not(feature = "misuse"))]
    let mut kept: Option<[u8; 8]> = None;
    let _ = pipe.submit(op, |state| {
        #[cfg(feature = "misuse")]
        kept.replace(state); //~ E0521
        #[cfg(not(feature = "misuse"))]
        kept.replace(*state);
        timer(Duration::ZERO)
    });
    println!("{kept:?}");
}

fn main() {}
