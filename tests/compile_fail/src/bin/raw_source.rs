//! Nor is it one to send a file from.

use ioevent::{Attached, EventPipe, Io, Op};
use std::fs::File;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};

struct Transfer {
    file: File,
}

fn send(pipe: &EventPipe<Transfer>, stream: &Attached<TcpStream>, op: Op<Transfer>) {
    #[cfg(feature = "misuse")]
    let _ = pipe.submit_on(stream, op, |t| Io::send_file(t.file.as_raw_fd(), 0, 10)); //~ E0308
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_on(stream, op, |t| Io::send_file(t.file.as_fd(), 0, 10));
}

fn main() {}
