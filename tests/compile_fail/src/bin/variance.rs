//! A pipe of one kind of state is none of another, subtype or not.

use ioevent::EventPipe;

type Any = for<'a> fn(&'a u8);
type Long = fn(&'static u8);

#[cfg(feature = "misuse")]
fn longer(pipe: &EventPipe<Any>) -> &EventPipe<Long> {
    pipe //~ E0308
}
#[cfg(not(feature = "misuse"))]
fn longer(function: &Any) -> &Long {
    function
}

fn main() {}
