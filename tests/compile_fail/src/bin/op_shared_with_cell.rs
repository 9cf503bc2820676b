//! A state that threads must not share is not shared in its `Op` either.

use ioevent::Op;
use std::cell::Cell;
use std::sync::Mutex;

#[cfg(feature = "misuse")]
type State = Cell<u8>;
#[cfg(not(feature = "misuse"))]
type State = Mutex<u8>;

fn look(state: &State) {}

fn share(op: &Op<State>) {
    std::thread::scope(|scope| {
        scope.spawn(|| look(op)); //~ E0277
    });
}

fn main() {}
