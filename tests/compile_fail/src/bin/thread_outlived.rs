//! A pipe that a thread has by reference lives as long as the thread.

use ioevent::EventPipe;
use std::sync::Arc;

fn start(pipe: EventPipe<u8>) {
    #[cfg(feature = "misuse")]
    let shared = &pipe; //~ E0597
    #[cfg(not(feature = "misuse"))]
    let shared = Arc::new(pipe);
    std::thread::spawn(move || shared.places_taken());
}

fn main() {}
