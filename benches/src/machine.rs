//! What the figures were taken on, and of which versions.

use serde::{Deserialize, Serialize};
use std::fs;
use std::process::{Command, Stdio};

/// Names and what they are: processor, kernel, versions.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine(pub(crate) Vec<(String, String)>);

/// The first line that a command prints, if it is there and succeeds.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// What stands after a name and a separator in a file of such lines.
fn field(path: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// libev has no package description; its header tells.
fn libev() -> Option<String> {
    let text = fs::read_to_string("/usr/include/ev.h").ok()?;
    let number = |name: &str| {
        text.lines().find_map(|line| line.split_once(name)?.1.split_whitespace().next().map(str::to_owned))
    };
    Some(format!("{}.{}", number("define EV_VERSION_MAJOR")?, number("define EV_VERSION_MINOR")?))
}

/// The version of the GNU C library.
fn libc_version() -> Option<String> {
    // SAFETY: it returns a string that lives for ever.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    text.to_str().ok().map(str::to_owned)
}

impl Machine {
    /// This one, now.
    pub(crate) fn this(cores: usize) -> Machine {
        let package = |name: &str| says("pkg-config", &["--modversion", name]);
        let commit = says("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]);
        let version =
            field(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"), "version", '=').unwrap_or_default();
        let ours = version + &commit.map_or(String::new(), |commit| format!(", commit {commit}"));
        let load = fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| text.split_whitespace().next().map(str::to_owned));
        let virtual_machine = field("/proc/cpuinfo", "flags", ':')
            .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
        let all = [
            ("date", says("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("processor", field("/proc/cpuinfo", "model name", ':')),
            (
                "cores",
                Some(format!("{cores}{}", if virtual_machine { ", of a virtual machine" } else { "" })),
            ),
            ("memory", field("/proc/meminfo", "MemTotal", ':')),
            ("kernel", says("uname", &["-srm"])),
            ("system", field("/etc/os-release", "PRETTY_NAME", '=')),
            ("load average before", load),
            ("libioevent", Some(ours)),
            ("libev", libev()),
            ("libevent", package("libevent_core")),
            ("libuv", package("libuv")),
            ("liburing", package("liburing")),
            ("GNU C library", libc_version()),
            ("C compiler", says("cc", &["--version"])),
            ("Rust", says("rustc", &["--version"])),
        ];
        Machine(all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}
