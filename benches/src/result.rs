//! The result in short: ours beside the best of the others.

use crate::measure_post;
use crate::peers::{LIMIT, OURS, THREADS, has_limits, has_threads, is_ours};
use crate::samples::{Load, Measure, Samples, Summary};

/// A row of the result.
pub(crate) struct Row {
    /// The measure, and under which conditions.
    pub(crate) what: String,
    /// Digits after the point.
    pub(crate) decimals: usize,
    /// What we have.
    pub(crate) ours: Option<Summary>,
    /// What the best of those has that do the same.
    pub(crate) best: Option<(String, Summary)>,
}

/// The case of a measure with so many active connections among as many idle ones as were measured.
pub(crate) fn among_idle(samples: &Samples, measure: Measure, active: usize) -> Option<String> {
    let start = format!("{} + ", Load::ping_pong(active, 0, 64));
    let fits = |case: &&&str| case.starts_with(&start) && !case.contains(',');
    samples.cases(measure).iter().find(fits).map(|case| (*case).to_owned())
}

/// All rows of which there is something.
pub(crate) fn rows(samples: &Samples) -> Vec<Row> {
    let mut rows = Vec::new();
    // One of ours beside those that have as many threads, and time limits or none, as it has.
    let mut add = |what: String, measure: Measure, case: &str, who: &str| {
        let alike = |peer: &str| {
            !is_ours(peer) && has_threads(peer) == has_threads(who) && has_limits(peer) == has_limits(who)
        };
        let ours = samples.summary(measure, case, who);
        let best = samples.best(measure, case, alike).map(|(who, summary)| (who.to_owned(), summary));
        if ours.is_some() || best.is_some() {
            rows.push(Row { what, decimals: measure.decimals(), ours, best });
        }
    };
    let few = |active: usize| Load::ping_pong(active, 0, 64).to_string();
    for active in [1, 64, 1000] {
        add(format!("server CPU over generator CPU, {}", few(active)), Measure::Ratio, &few(active), OURS);
    }
    if let Some(case) = among_idle(samples, Measure::Ratio, 64) {
        add(format!("the same, {case}"), Measure::Ratio, &case, OURS);
    }
    add(format!("the same, {}, time limits", few(64)), Measure::Ratio, &few(64), LIMIT);
    add(format!("the same, {}, two worker threads", few(64)), Measure::Ratio, &few(64), THREADS);
    let short = Load::short(64).to_string();
    add(format!("the same, {short} connections"), Measure::Ratio, &short, OURS);
    add(format!("99th percentile, us, {}", few(64)), Measure::P99, &few(64), OURS);
    add(format!("the same, {}, two worker threads", few(64)), Measure::P99, &few(64), THREADS);
    let flood = Load::flood(10).to_string();
    add(format!("median latency, us, {flood}"), Measure::FloodP50, &flood, OURS);
    for active in [32, 1] {
        add(format!("system calls per request, {}", few(active)), Measure::Calls, &few(active), OURS);
    }
    for active in [32, 1] {
        let what = format!("user-space instructions per request, {}", few(active));
        add(what, Measure::Instructions, &few(active), OURS);
    }
    for case in samples.cases(Measure::Memory) {
        add(format!("server memory per idle connection, bytes, {case}"), Measure::Memory, case, OURS);
    }
    let case = measure_post::case(1);
    add("event posted from one thread to another, ns".to_owned(), Measure::PostTwo, &case, OURS);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Sample;

    #[test]
    fn nothing_measured_is_no_result() {
        assert!(rows(&Samples::default()).is_empty());
    }

    #[test]
    fn like_is_compared_with_like() {
        let mut samples = Samples::default();
        let load = Load::ping_pong(64, 0, 64);
        for (who, value) in
            [(OURS, 2.0), (LIMIT, 3.0), ("libev", 1.0), ("libev, time limit", 1.5), ("epoll, 2 threads", 0.5)]
        {
            samples.0.push(Sample::new(Measure::Ratio, load, who, value));
        }
        let best = |row: &Row| row.best.as_ref().map(|best| best.1.median);
        let rows = rows(&samples);
        let found: Vec<_> = rows.iter().map(|row| (row.ours.map(|ours| ours.median), best(row))).collect();
        assert_eq!(found, [(Some(2.0), Some(1.0)), (Some(3.0), Some(1.5)), (None, Some(0.5))]);
    }

    #[test]
    fn idle_connections_are_found() {
        let mut samples = Samples::default();
        for load in [Load::ping_pong(64, 9000, 16384), Load::ping_pong(64, 9000, 64)] {
            samples.0.push(Sample::new(Measure::Ratio, load, OURS, 1.0));
        }
        assert_eq!(among_idle(&samples, Measure::Ratio, 64).as_deref(), Some("64 active + 9000 idle"));
        assert_eq!(among_idle(&samples, Measure::Ratio, 1), None);
    }
}
