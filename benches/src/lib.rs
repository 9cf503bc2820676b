//! What the binaries `bench` and `load` and the bench target `functions` share.
//!
//! `sys` is what they ask the kernel, `load` the load generator, `c` the library's header, `interface` a pipe of it.

pub mod c;
pub mod interface;
pub mod load;
pub mod sys;
