//! Gives the shared library its SONAME, and sets the cfgs that are conditions in the header only (see cbindgen.toml).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libioevent.so.0");
    // It has threads of its own, which run its code: once loaded it stays.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rustc-cfg=have_timespec");
    println!("cargo::rustc-cfg=have_waitid");
    // Set by -Zsanitizer=thread, whose name the compiler tells no other crate (`sys::race`).
    if std::env::var("CARGO_CFG_SANITIZE").is_ok_and(|names| names.split(',').any(|name| name == "thread")) {
        println!("cargo::rustc-cfg=instrumented");
    }
}
