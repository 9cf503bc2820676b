//! A refusal has the state in it.

use ioevent::Refused;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type State = Rc<u8>;
#[cfg(not(feature = "misuse"))]
type State = Arc<u8>;

fn send(refused: Refused<State>) {
    std::thread::spawn(move || drop(refused)); //~ E0277
}

fn main() {}
