//! An operation is named by its `Op` only.

use ioevent::{Op, OpId};

fn name(op: &Op<u8>) -> OpId {
    #[cfg(feature = "misuse")]
    return OpId(0x1000); //~ E0423
    #[cfg(not(feature = "misuse"))]
    return Op::id(op);
}

fn main() {}
