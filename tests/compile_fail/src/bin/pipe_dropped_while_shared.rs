//! A pipe outlives the threads that have it by reference.

use ioevent::EventPipe;

fn share(pipe: EventPipe<u8>) {
    let shared = &pipe;
    #[cfg(feature = "misuse")]
    drop(pipe); //~ E0505
    std::thread::scope(|scope| {
        scope.spawn(|| shared.places_taken());
    });
}

fn main() {}
