//! How libioevent_posix.so is linked: to the libioevent.so in the directory IOEVENT_LIB_DIR, which `make` sets.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=IOEVENT_LIB_DIR");
    println!("cargo::rerun-if-env-changed=IOEVENT_RUNPATH");
    let mut arguments = vec![
        "-Wl,-soname,libioevent_posix.so.0".to_string(),
        // Other libraries keep pointers to its functions, and libioevent.so to those that it has found.
        "-Wl,-z,nodelete".to_string(),
        // A function that is bound at its first call takes the loader's lock at that time.
        "-Wl,-z,now".to_string(),
    ];
    // libioevent.so lies beside it. In a package for a distribution it is where the loader looks anyhow:
    // IOEVENT_RUNPATH is empty then.
    let runpath = env::var("IOEVENT_RUNPATH").unwrap_or_else(|_| "$ORIGIN".to_string());
    if !runpath.is_empty() {
        arguments.push(format!("-Wl,--enable-new-dtags,-rpath,{runpath}"));
    }
    match env::var("IOEVENT_LIB_DIR") {
        Ok(directory) => {
            arguments.push(format!("-L{directory}"));
            arguments.push("-lioevent".to_string());
        }
        // Clippy links nothing and does not mind. The linker's message is: cannot find -l:libioevent.so (...).
        Err(_) => arguments.push(
            "-l:libioevent.so (the variable IOEVENT_LIB_DIR must name its directory; make sets it)"
                .to_string(),
        ),
    }
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
