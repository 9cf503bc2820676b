//! And the state itself.

use ioevent::Op;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "misuse")]
type State = Rc<u8>;
#[cfg(not(feature = "misuse"))]
type State = Arc<u8>;

fn send(op: Op<State>) {
    std::thread::spawn(move || drop(op)); //~ E0277
}

fn main() {}
