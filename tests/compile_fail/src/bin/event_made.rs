//! An event joins no state with the outcome of another.

use ioevent::{Event, Outcome};

#[cfg(feature = "misuse")]
fn join(mut event: Event<u8>, outcome: Outcome) -> Event<u8> {
    event.outcome = outcome; //~ E0616
    event
}
#[cfg(not(feature = "misuse"))]
fn join(event: Event<u8>, outcome: Outcome) -> (Event<u8>, Outcome) {
    (event, outcome)
}

fn main() {}
