//! include/ioevent.h is what cbindgen makes of the sources. `make header` (which sets UPDATE_HEADER) repairs it.

#![cfg(test)]

use std::path::Path;

#[test]
fn the_committed_header_is_the_generated_one() {
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    cbindgen::Builder::new().with_crate(root).with_config(config).generate().unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let path = root.join("include/ioevent.h");
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "include/ioevent.h is out of date: run `make header`");
}
