//! There is no pipe whose states have a lifetime, even if none is ever made.

use ioevent::EventPipe;

#[cfg(feature = "misuse")]
struct Server<'a> {
    pipe: EventPipe<&'a [u8]>, //~ E0477
}
#[cfg(not(feature = "misuse"))]
struct Server<'a> {
    pipe: &'a EventPipe<Box<[u8]>>,
}

fn main() {}
