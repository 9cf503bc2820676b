//! Links with the installed libioevent.so, which is what C programs use; so what is measured is what is shipped, and a
//! new build of the library can be measured without building this crate anew.
//!
//! It is looked for in IOEVENT_LIBDIR, else where `make stage` puts it.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=IOEVENT_LIBDIR");
    let staged = || concat!(env!("CARGO_MANIFEST_DIR"), "/../target/stage/lib").to_owned();
    let directory = env::var("IOEVENT_LIBDIR").unwrap_or_else(|_| staged());
    println!("cargo::rustc-link-search=native={directory}");
    // LD_LIBRARY_PATH goes before it.
    println!("cargo::rustc-link-arg=-Wl,-rpath,{directory}");
}
