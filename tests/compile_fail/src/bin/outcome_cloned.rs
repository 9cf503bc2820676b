//! An outcome may own a descriptor, so there is one of it.

use ioevent::Outcome;

fn clone<T: Clone>(of: &T) -> T {
    of.clone()
}

fn copy(outcome: &Outcome) {
    #[cfg(feature = "misuse")]
    let _ = clone(outcome); //~ E0277
    #[cfg(not(feature = "misuse"))]
    let _ = clone(&outcome.count());
}

fn main() {}
