//! The same where the kind of state is a parameter.

use ioevent::EventPipe;

#[cfg(feature = "misuse")]
struct Server<T> {
    pipe: EventPipe<T>, //~ E0310
}
#[cfg(not(feature = "misuse"))]
struct Server<T: 'static> {
    pipe: EventPipe<T>,
}

fn main() {}
