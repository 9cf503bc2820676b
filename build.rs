//! Sets the cfgs that are conditions in the header only (see cbindgen.toml). The Makefile says how the C libraries are
//! linked: this crate is none of them.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=have_timespec");
    println!("cargo::rustc-cfg=have_waitid");
    // Set by -Zsanitizer=thread and =address, whose names the compiler tells no other crate (`sys::race`,
    // `sys::addresses`).
    let is_checked = |names: String| names.split(',').any(|name| matches!(name, "thread" | "address"));
    if env::var("CARGO_CFG_SANITIZE").is_ok_and(is_checked) {
        println!("cargo::rustc-cfg=instrumented");
    }
    // For the build scripts of packages that depend on this one and have C code: DEP_IOEVENT_INCLUDE.
    if let Ok(directory) = env::var("CARGO_MANIFEST_DIR") {
        println!("cargo::metadata=include={directory}/include");
    }
}
