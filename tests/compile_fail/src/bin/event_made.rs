//! An event joins no state with the outcome of another.

use ioevent::{Event, Op, Outcome};

#[cfg(feature = "misuse")]
fn join(op: Op<u8>, outcome: Outcome) -> Event<u8> {
    Event { op, outcome } //~ E0451
}
#[cfg(not(feature = "misuse"))]
fn join(op: Op<u8>, outcome: Outcome) -> (Op<u8>, Outcome) {
    (op, outcome)
}

fn main() {}
