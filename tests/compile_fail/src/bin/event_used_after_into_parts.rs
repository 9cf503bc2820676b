//! An event was taken apart, and is no more.

use ioevent::Event;

fn take(event: Event<u8>) {
    #[cfg(not(feature = "misuse"))]
    let _state = **event.op();
    let (op, outcome) = event.into_parts();
    #[cfg(feature = "misuse")]
    let _state = **event.op(); //~ E0382
    drop((op, outcome));
}

fn main() {}
