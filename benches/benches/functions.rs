//! The cost of each exported function in a typical use, beside the same with libc's function where there is one.
//!
//! Each measurement is a whole turn: what makes the call possible (the other end writes), the call, and the harvest of
//! its event.
//!
//! `cargo bench -p ioevent-benches --bench functions`; `bench` puts the results into its report.

mod control;
mod files;
mod sockets;
mod world;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1000))
        .sample_size(50)
        .without_plots()
}

criterion_group! {
    name = functions;
    config = settings();
    targets = control::all, sockets::all, files::all
}
criterion_main!(functions);
