//! A description is for one operation: two would work on the same memory.

use ioevent::Io;

fn clone<T: Clone>(of: &T) -> T {
    of.clone()
}

fn describe(buffer: &'static mut Vec<u8>) {
    let io = Io::read_spare(buffer);
    #[cfg(feature = "misuse")]
    let _ = clone(&io); //~ E0277
    drop(io);
}

fn main() {}
