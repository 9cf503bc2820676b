//! Values that different threads write, kept apart.

/// On cache lines of its own.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);
