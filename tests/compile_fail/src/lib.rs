//! Misuses of the API do not compile, and each for the reason that is meant.
//!
//! A program in `bin/` beside this has the misuse and what is right beside each other, told apart by the feature
//! "misuse". A line that must not compile says why: `//~ E0499`, or words of the error where it has no number. With the
//! feature a program has errors on the marked lines and nowhere else; without it none has any, so that none fails for
//! an import that is wrong. (Not by trybuild: that compares all that the compiler says, which is different in each
//! version.)

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is said of lines of programs: name of the program, number of the line.
type Lines = BTreeMap<(String, usize), Vec<String>>;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// What `cargo check` says, line by line, and whether all compiled. (Without the flags of this build, which may be
/// those of a sanitizer.)
fn check(features: &str) -> (String, bool) {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["check", "--keep-going", "--message-format", "short", "--features", features])
        .arg("--manifest-path")
        .arg(directory().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(std::env::current_exe().unwrap().with_file_name("misuse"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env("CARGO_TERM_COLOR", "never")
        .output()
        .unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.success())
}

/// All lines of the programs that say why they must not compile.
fn marked() -> (Lines, usize) {
    let mut marked = Lines::new();
    let mut programs = 0;
    for entry in directory().join("src/bin").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        programs += 1;
        let before = marked.len();
        for (index, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            if let Some((_, why)) = line.split_once("//~ ") {
                marked.entry((name.clone(), index + 1)).or_default().push(why.trim().to_owned());
            }
        }
        assert!(marked.len() > before, "{name}: no line is marked");
    }
    (marked, programs)
}

/// The errors in what cargo said: `.../src/bin/name.rs:12:34: error[E0499]: words`.
fn errors(said: &str) -> Lines {
    let mut errors = Lines::new();
    for line in said.lines() {
        let Some((place, error)) = line.split_once(": error") else { continue };
        let mut place = place.rsplit(['/', ':']);
        let (_column, number, name) = (place.next(), place.next(), place.next());
        let (Some(Ok(number)), Some(name)) = (number.map(str::parse), name) else { panic!("{line}") };
        errors.entry((name.to_owned(), number)).or_default().push(error.to_owned());
    }
    errors
}

#[test]
fn misuses_do_not_compile() {
    let (said, compiled) = check("misuse");
    assert!(!compiled);
    let (marked, programs) = marked();
    assert!(programs >= 70, "{programs} programs");
    let errors = errors(&said);
    let mut wrong = Vec::new();
    for ((name, line), why) in &marked {
        match errors.get(&(name.clone(), *line)) {
            None => wrong.push(format!("{name}:{line}: compiles, should fail: {}", why[0])),
            Some(errors) if errors.iter().any(|error| error.contains(&why[0])) => {}
            Some(errors) => wrong.push(format!("{name}:{line}: should fail: {}, does: {errors:?}", why[0])),
        }
    }
    for ((name, line), errors) in errors.iter().filter(|(place, _)| !marked.contains_key(*place)) {
        wrong.push(format!("{name}:{line}: fails, and is not marked: {errors:?}"));
    }
    assert!(wrong.is_empty(), "\n{}\n\n{said}", wrong.join("\n"));
}

#[test]
fn what_is_right_beside_them_compiles() {
    let (said, compiled) = check("");
    assert!(compiled, "\n{said}");
}
