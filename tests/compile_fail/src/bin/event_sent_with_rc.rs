//! So does one event.

use ioevent::Event;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type State = Rc<u8>;
#[cfg(not(feature = "misuse"))]
type State = Arc<u8>;

fn send(event: Event<State>) {
    std::thread::spawn(move || drop(event)); //~ E0277
}

fn main() {}
