//! When the warm-up is over and the measured part begins and ends, and what was used in it.

use super::{Length, Outcome, Plan};
use crate::sys;
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use std::time::Instant;

/// What had been used at an instant.
struct Mark {
    at: Instant,
    own: u64,
    server: Option<u64>,
}

impl Mark {
    /// The begin of what is measured: what it costs to find out comes before it.
    fn begin(server: Option<u32>) -> Result<Mark> {
        let server = server.map(sys::cpu_of).transpose().context("the server's CPU time")?;
        Ok(Mark { server, own: sys::own_cpu()?, at: Instant::now() })
    }

    /// The end: what it costs to find out comes after it.
    fn end(at: Instant, server: Option<u32>) -> Result<Mark> {
        let own = sys::own_cpu()?;
        Ok(Mark { at, own, server: server.map(sys::cpu_of).transpose().context("the server's CPU time")? })
    }
}

/// The meter of a run.
pub(super) struct Meter {
    warm_up: Length,
    length: Length,
    server: Option<u32>,
    /// Requests that may still be begun.
    left: u64,
    latencies: Histogram<u64>,
    /// Requests that were answered in this phase.
    answered: u64,
    phase_began: Instant,
    begun: Option<Mark>,
    ended: Option<(Mark, u64)>,
}

impl Meter {
    pub(super) fn new(plan: &Plan) -> Result<Meter> {
        // Of requests there are exactly as many as asked for, so that two runs differ by a known number.
        let requests = |length| if let Length::Requests(n) = length { n } else { u64::MAX };
        let warm_up = if let Length::Requests(0) = plan.warm_up { Length::Requests(1) } else { plan.warm_up };
        Ok(Meter {
            warm_up,
            length: plan.length,
            server: plan.server,
            left: requests(warm_up).saturating_add(requests(plan.length)),
            latencies: Histogram::new_with_bounds(1, 3_600_000_000_000, 3)?,
            answered: 0,
            phase_began: Instant::now(),
            begun: None,
            ended: None,
        })
    }

    /// Whether a further request is to be begun; it then counts as begun.
    pub(super) fn goes_on(&mut self) -> bool {
        let goes_on = self.ended.is_none() && self.left > 0;
        self.left -= u64::from(goes_on);
        goes_on
    }

    /// Whether this is the part that is measured.
    pub(super) fn measures(&self) -> bool {
        self.begun.is_some() && self.ended.is_none()
    }

    /// A request that was begun at an instant was answered. Returns the instant at which the next one may begin.
    pub(super) fn answer(&mut self, started: Instant) -> Result<Instant> {
        let now = Instant::now();
        self.answered += 1;
        // Those that were under way while the first mark was made have waited for it.
        if self.measures() && started >= self.phase_began {
            self.latencies.saturating_record((now - started).as_nanos() as u64);
        }
        let over = |length| match length {
            Length::Requests(n) => self.answered >= n,
            Length::Time(time) => now - self.phase_began >= time,
        };
        if self.begun.is_none() && over(self.warm_up) {
            self.begun = Some(Mark::begin(self.server)?);
            (self.phase_began, self.answered) = (Instant::now(), 0);
            return Ok(self.phase_began);
        }
        if self.measures() && over(self.length) {
            self.ended = Some((Mark::end(now, self.server)?, self.answered));
        }
        Ok(now)
    }

    /// What was measured.
    pub(super) fn outcome(self) -> Result<Outcome> {
        let measured = self.begun.zip(self.ended);
        let (begun, (ended, requests)) = measured.context("the run was over before it was measured")?;
        Ok(Outcome {
            requests,
            seconds: (ended.at - begun.at).as_secs_f64(),
            p50: self.latencies.value_at_quantile(0.5),
            p99: self.latencies.value_at_quantile(0.99),
            p999: self.latencies.value_at_quantile(0.999),
            own_cpu: ended.own - begun.own,
            server_cpu: ended.server.zip(begun.server).map(|(end, begin)| end.saturating_sub(begin)),
            ..Outcome::default()
        })
    }
}
