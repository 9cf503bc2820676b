//! include/ioevent.h is what cbindgen makes of the sources, with src/ffi/inline.h at its end. `make header` (which sets
//! UPDATE_HEADER) repairs it.

#![cfg(test)]

use std::path::Path;

/// The numbers of commands as the sources write them; cbindgen makes decimal ones of all.
fn hexadecimal(line: &str) -> String {
    match line.strip_prefix("#define F_").and_then(|rest| rest.split_once(' ')) {
        Some((name, number)) => format!("#define F_{name} {:#x}", number.parse::<i32>().unwrap()),
        None => line.to_owned(),
    }
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    config.trailer = Some(std::fs::read_to_string(root.join("src/ffi/inline.h")).unwrap());
    let mut made = Vec::new();
    cbindgen::Builder::new().with_crate(root).with_config(config).generate().unwrap().write(&mut made);
    let made: String =
        String::from_utf8(made).unwrap().lines().map(|line| hexadecimal(line) + "\n").collect();
    let path = root.join("include/ioevent.h");
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "include/ioevent.h is out of date: run `make header`");
}
