//! Outcomes come out of pipes only.

use ioevent::{Event, Outcome};

#[cfg(feature = "misuse")]
fn outcome(event: Event<u8>) -> Outcome {
    Outcome { ..event.into_parts().1 } //~ E0451
}
#[cfg(not(feature = "misuse"))]
fn outcome(event: Event<u8>) -> Outcome {
    event.into_parts().1
}

fn main() {}
