//! include/ioevent.h is what cbindgen makes of the sources, with the version of Cargo.toml, and src/ffi/inline.h at its
//! end. `make header` (which sets UPDATE_HEADER) repairs it.

#![cfg(test)]

use std::path::Path;

/// The numbers of commands as the sources write them; cbindgen makes decimal ones of all.
fn hexadecimal(line: &str) -> String {
    match line.strip_prefix("#define F_").and_then(|rest| rest.split_once(' ')) {
        Some((name, number)) => format!("#define F_{name} {:#x}", number.parse::<i32>().unwrap()),
        None => line.to_owned(),
    }
}

/// The version, as Cargo.toml has it, for the header.
fn version(root: &Path) -> String {
    let cargo = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let text = cargo.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).unwrap();
    let number = text.split_once(['-', '+']).map_or(text, |(number, _)| number);
    let parts: Vec<u8> = number.split('.').map(|part| part.parse().unwrap()).collect();
    let &[major, minor, patch] = parts.as_slice() else { panic!("{text} has no three parts") };
    format!(
        "\n\n/**\n * The version of this header: major * 0x10000 + minor * 0x100 + patch, to be compared with. What the \
         program\n * runs with is ioevent_version(). ioevent_version(3).\n */\n\
         #define IOEVENT_VERSION 0x{major:02x}{minor:02x}{patch:02x}\n\
         #define IOEVENT_VERSION_MAJOR {major}\n\
         #define IOEVENT_VERSION_MINOR {minor}\n\
         #define IOEVENT_VERSION_PATCH {patch}\n\
         #define IOEVENT_VERSION_STRING \"{text}\""
    )
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    config.trailer = Some(std::fs::read_to_string(root.join("src/ffi/inline.h")).unwrap());
    config.after_includes.get_or_insert_default().push_str(&version(root));
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
