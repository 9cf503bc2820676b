//! A state has one owner, even if it could be cloned: then that is what is cloned.

use ioevent::Op;

fn clone<T: Clone>(of: &T) -> T {
    of.clone()
}

fn copy(op: &Op<String>) {
    #[cfg(feature = "misuse")]
    let _ = clone(op); //~ E0277
    #[cfg(not(feature = "misuse"))]
    let _ = Op::new(clone::<String>(op));
}

fn main() {}
