//! A pipe of states that stay in their thread stays there: it may have some.

use ioevent::EventPipe;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type State = Rc<u8>;
#[cfg(not(feature = "misuse"))]
type State = Arc<u8>;

fn send(pipe: EventPipe<State>) {
    std::thread::spawn(move || drop(pipe)); //~ E0277
}

fn main() {}
