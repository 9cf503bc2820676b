//! And what is learnt of a child.

use ioevent::process::{Exit, PidFd};
use ioevent::{Attached, EventPipe, Io, Op};

fn wait(pipe: &EventPipe<Exit>, child: &Attached<PidFd>, op: Op<Exit>) {
    let mut exit = Exit::new();
    #[cfg(feature = "misuse")]
    let _ = pipe.submit_on(child, op, |_| Io::wait(&mut exit)); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_on(child, op, |exit| Io::wait(exit));
}

fn main() {}
