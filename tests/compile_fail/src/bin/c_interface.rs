//! The C functions are not part of the interface: with them any descriptor could be closed.

fn main() {
    #[cfg(feature = "misuse")]
    ioevent::ffi::io::ioevent_close(3); //~ E0603
    #[cfg(not(feature = "misuse"))]
    drop(ioevent::EventPipe::<u8>::new(3));
}
