//! Compiles part.c to a static library. The header is where the build script of ioevent says.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    if command.status()?.success() { Ok(()) } else { Err(format!("failed: {command:?}").into()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=part.c");
    println!("cargo::rerun-if-env-changed=CC");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let include = env::var("DEP_IOEVENT_INCLUDE").map_err(|_| "ioevent does not say where its header is")?;
    println!("cargo::rerun-if-changed={include}/ioevent.h");
    let out = env::var("OUT_DIR")?;
    let (object, library) = (Path::new(&out).join("part.o"), Path::new(&out).join("libpart.a"));
    let flags = ["-std=gnu11", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror", "-c", "part.c"];
    run(Command::new(compiler).args(flags).arg("-I").arg(include).arg("-o").arg(&object))?;
    run(Command::new("ar").arg("crs").arg(library).arg(object))?;
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=part");
    Ok(())
}
