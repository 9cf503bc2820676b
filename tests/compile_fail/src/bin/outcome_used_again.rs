//! What an outcome was asked for used it up.

use ioevent::Outcome;

fn look(outcome: Outcome) {
    #[cfg(not(feature = "misuse"))]
    let _ = (outcome.count(), outcome.error());
    let _ = outcome.bytes();
    #[cfg(feature = "misuse")]
    let _ = outcome.readiness(); //~ E0382
}

fn main() {}
