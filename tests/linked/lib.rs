//! C code that is linked into a Rust program finds the C functions in the crate, and its build script the header.

#![cfg(test)]

use ioevent as _;
use std::ffi::c_int;

unsafe extern "C" {
    /// part.c: 0, or the line where something was not as it should be.
    safe fn part() -> c_int;
}

#[test]
fn rule_2_2_an_operation_that_c_code_in_a_rust_program_queues_has_its_event() {
    assert_eq!(part(), 0, "the line of part.c that failed");
}
