//! The source of a sendfile lives as long as the operation.

use ioevent::{Attached, EventPipe, Io, Op};
use std::fs::File;
use std::net::TcpStream;
use std::os::fd::AsFd;

struct Transfer {
    file: File,
}

fn send(pipe: &EventPipe<Transfer>, stream: &Attached<TcpStream>, op: Op<Transfer>, file: File) {
    #[cfg(feature = "misuse")]
    let _ = pipe.submit_on(stream, op, |_| Io::send_file(file.as_fd(), 0, 10)); //~ E0597
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit_on(stream, op, |t| Io::send_file(t.file.as_fd(), 0, 10));
}

fn main() {}
