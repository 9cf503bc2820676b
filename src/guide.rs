//! Pages beside the reference: coming from C, coming from mio or tokio, and why it is sound.
//!
//! There is no code in this module. What the pages show is compiled and run by the tests.

#[doc = include_str!("../doc/from_c.md")]
pub mod coming_from_c {}

#[doc = include_str!("../doc/from_mio_or_tokio.md")]
pub mod coming_from_mio_or_tokio {}

#[doc = include_str!("../doc/soundness.md")]
pub mod soundness {}
