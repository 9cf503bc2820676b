//! Nor is it shared: what one thread submits another could harvest.

use ioevent::EventPipe;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type State = Rc<u8>;
#[cfg(not(feature = "misuse"))]
type State = Arc<u8>;

fn share(pipe: &EventPipe<State>) {
    std::thread::scope(|scope| {
        scope.spawn(|| pipe.places_taken()); //~ E0277
    });
}

fn main() {}
