//! Nor is an `Op` made of an address.

use ioevent::Op;

fn address(op: Op<u8>) {
    #[cfg(feature = "misuse")]
    let _ = op.into_raw(); //~ E0624
    #[cfg(not(feature = "misuse"))]
    let _ = Op::into_inner(op);
}

fn main() {}
