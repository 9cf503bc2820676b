//! A pipe takes only its own kind of state.

use ioevent::{EventPipe, Op};

#[cfg(feature = "misuse")]
type State = u16;
#[cfg(not(feature = "misuse"))]
type State = u8;

fn post(pipe: &EventPipe<u8>, op: Op<State>) {
    let _ = pipe.post(op, 0); //~ E0308
}

fn main() {}
