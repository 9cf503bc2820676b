//! Events of states that stay in their thread stay there too.

use ioevent::Events;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type State = Rc<u8>;
#[cfg(not(feature = "misuse"))]
type State = Arc<u8>;

fn send(events: Events<State>) {
    std::thread::spawn(move || drop(events)); //~ E0277
}

fn main() {}
