//! A descriptor that was accepted has one owner.

use ioevent::Outcome;

fn take(outcome: Outcome) {
    let _stream = outcome.descriptor();
    #[cfg(feature = "misuse")]
    let _again = outcome.descriptor(); //~ E0382
}

fn main() {}
