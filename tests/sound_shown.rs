//! The first call of a thread asks for the descriptor of a pipe that another thread uses alone. (One test: in a program
//! in which several threads have made calls, none goes alone.)

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod support;

use ioevent::{EventPipe, Io, Op};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;
use std::thread;
use support::{Watchdog, one, pair};

#[test]
fn a_thread_that_goes_alone_makes_it_readable_for_another() {
    let _watchdog = Watchdog::new();
    let pipe = EventPipe::new(8).unwrap();
    let (ours, _peer) = pair();
    let ours = pipe.attach(ours).unwrap();
    // From the second one on such a write goes the shortest way.
    for _ in 0..3 {
        pipe.submit_on(&ours, Op::new([7; 8]), |bytes| Io::write(bytes)).unwrap();
        one(&pipe).1.done().unwrap();
    }
    thread::scope(|scope| {
        // If it panics, so does this one.
        let other = scope.spawn(|| {
            let mut polled = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut polled, PollTimeout::NONE), Ok(1));
        });
        pipe.submit_on(&ours, Op::new([7; 8]), |bytes| Io::write(bytes)).unwrap();
        other.join().unwrap();
    });
    one(&pipe).1.done().unwrap();
}
