//! A description is made by its constructors only.

use ioevent::Io;

fn describe(buffer: &mut [u8]) {
    let io = Io::read(buffer);
    #[cfg(feature = "misuse")]
    let _ = Io { ..io }; //~ E0451
    #[cfg(not(feature = "misuse"))]
    let _ = Io::timeout(io, std::time::Duration::ZERO);
}

fn main() {}
