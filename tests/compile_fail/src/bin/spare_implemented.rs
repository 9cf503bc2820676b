//! `Spare` is not for programs to implement: its word is taken for how much was written.

use ioevent::buffers::Spare;

struct Mine(Vec<u8>);

#[cfg(feature = "misuse")]
impl Spare for Mine {} //~ E0277
#[cfg(not(feature = "misuse"))]
fn is_spare(mine: &Mine) -> &impl Spare {
    &mine.0
}

fn main() {}
