//! A pipe has one owner, which ends it; several share it by reference or in an `Arc`.

use ioevent::EventPipe;
use std::sync::Arc;

fn clone<T: Clone>(of: &T) -> T {
    of.clone()
}

fn share(pipe: EventPipe<u8>) {
    #[cfg(feature = "misuse")]
    let _ = clone(&pipe); //~ E0277
    #[cfg(not(feature = "misuse"))]
    let _ = clone(&Arc::new(pipe));
}

fn main() {}
