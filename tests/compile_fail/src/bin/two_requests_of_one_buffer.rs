//! A closure that describes two operations on one buffer.

use ioevent::{EventPipe, Io, Op, Request};

struct State {
    first: [u8; 8],
    second: [u8; 8],
}

fn describe(state: &mut State) -> (Io<'_>, Io<'_>) {
    #[cfg(feature = "misuse")]
    return (Io::read(&mut state.first), Io::read(&mut state.first)); //~ E0499
    #[cfg(not(feature = "misuse"))]
    return (Io::read(&mut state.first), Io::read(&mut state.second));
}

fn main() {}
