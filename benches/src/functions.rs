//! The cost of each function: what criterion has left of the bench target `functions`.

use crate::run::Bench;
use crate::samples::{Measure, Sample};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The functions that a header declares.
fn declared(header: &str) -> Vec<&str> {
    // The name stands before the first parenthesis of a line that begins at its margin with a type.
    let names = header.lines().filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let name = before.rsplit([' ', '*']).next()?;
        (line.starts_with(|c: char| c.is_ascii_lowercase()) && name.starts_with("ioevent")).then_some(name)
    });
    names.collect()
}

/// The samples of one benchmark: the time of each call, in nanoseconds.
struct Taken {
    case: String,
    who: String,
    times: Vec<f64>,
}

/// What is in the directory of one benchmark, if it is one.
fn taken(directory: &Path) -> Result<Option<Taken>> {
    let read = |name: &str| -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(directory.join("new").join(name)).ok()?).ok()
    };
    let (Some(benchmark), Some(sample)) = (read("benchmark.json"), read("sample.json")) else {
        return Ok(None);
    };
    let text = |name: &str| benchmark.get(name).and_then(Value::as_str).map(str::to_owned);
    let numbers =
        |name: &str| sample.get(name)?.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    let names = text("group_id").zip(text("function_id"));
    let counts = numbers("iters").zip(numbers("times"));
    let ((case, who), (calls, times)) =
        names.zip(counts).with_context(|| format!("{}: not what criterion writes", directory.display()))?;
    Ok(Some(Taken { case, who, times: times.iter().zip(&calls).map(|(time, calls)| time / calls).collect() }))
}

/// All below criterion's directory: groups, and in them the functions.
fn all(directory: &Path) -> Result<Vec<Taken>> {
    let mut found = Vec::new();
    let entries = |directory: &Path| fs::read_dir(directory).with_context(|| directory.display().to_string());
    for group in entries(directory)? {
        let group = group?.path();
        if group.is_dir() {
            for function in entries(&group)? {
                found.extend(taken(&function?.path())?);
            }
        }
    }
    found.sort_by(|a, b| (&a.case, &a.who).cmp(&(&b.case, &b.who)));
    Ok(found)
}

/// Takes them over.
pub(crate) fn functions(bench: &mut Bench, directory: &Path, header: &Path) {
    let found = match all(directory) {
        Ok(found) if !found.is_empty() => found,
        Ok(_) => return bench.note(format!("no cost of each function: {} is empty", directory.display())),
        Err(error) => return bench.note(format!("no cost of each function: {error:#}")),
    };
    let words =
        |case: &str| case.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect();
    let covered: Vec<String> = found.iter().flat_map(|taken| -> Vec<String> { words(&taken.case) }).collect();
    let text = fs::read_to_string(header).unwrap_or_default();
    let missing = declared(&text).into_iter().filter(|name| !covered.iter().any(|word| word == name));
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        bench.note(format!("no cost of {}", missing.join(", ")));
    }
    for Taken { case, who, times } in found {
        bench.samples.extend(times.into_iter().map(|time| Sample::new(Measure::Function, &case, &who, time)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_understood() {
        let header = "extern int ioevent_fcntl(int fd,\n    ...);\nconst char *ioevent_strerror(int errnum);\n\
                      #define X(a) ioevent_x(a)\n * ioevent_fcntl(fd, 1)\nint ioeventpipe(int nevents);\n";
        assert_eq!(declared(header), ["ioevent_fcntl", "ioevent_strerror", "ioeventpipe"]);
    }

    #[test]
    fn this_repository_has_its_functions() {
        let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../include/ioevent.h");
        let text = fs::read_to_string(header).unwrap();
        let names = declared(&text);
        assert!(names.contains(&"ioevent_wait") && names.contains(&"ioevent_submit"), "{names:?}");
    }
}
