//! How much is measured: in full, or quickly.

use crate::samples::Load;
use std::time::Duration;

/// A chain: so many pairs, of which so many are active, and so many writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    /// Socket pairs.
    pub(crate) pairs: usize,
    /// Bytes under way at once.
    pub(crate) active: usize,
    /// Events beyond the first ones.
    pub(crate) writes: usize,
}

/// All sizes and numbers.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How often each figure is taken.
    pub(crate) rounds: usize,
    /// How long a run of load measures.
    pub(crate) time: Duration,
    /// Loads with server and generator on one core: the headline.
    pub(crate) one_core: Vec<Load>,
    /// Loads with server and generator on different cores.
    pub(crate) two_cores: Vec<Load>,
    /// Loads for counting calls and instructions, and the two numbers of requests between which the difference is taken.
    pub(crate) counted: Vec<Load>,
    /// For strace.
    pub(crate) calls: (u64, u64),
    /// For callgrind.
    pub(crate) instructions: (u64, u64),
    /// How often calls and instructions are counted: they vary little.
    pub(crate) counts: usize,
    /// Idle connections for the memory of each.
    pub(crate) memory: usize,
    /// Descriptors for the memory of the library alone.
    pub(crate) memory_library: usize,
    /// Chains.
    pub(crate) chains: Vec<Chain>,
    /// Rounds in one run of a chain, beside the first.
    pub(crate) chain_rounds: usize,
    /// Events in one sample of posting and harvesting.
    pub(crate) posted: usize,
    /// Reads in one sample of reading files.
    pub(crate) reads: usize,
}

const LARGE: usize = 16 * 1024;

impl Settings {
    /// What `make bench` measures: more than half an hour.
    pub(crate) fn full() -> Settings {
        let mut loads = Vec::new();
        for bytes in [64, LARGE] {
            for idle in [0, 9000] {
                loads.extend([1, 64, 1000].map(|active| Load { active, idle, bytes }));
            }
        }
        let chain =
            |active, writes| [100, 300, 1000, 3000, 9000].map(|pairs| Chain { pairs, active, writes });
        Settings {
            rounds: 9,
            time: Duration::from_millis(500),
            one_core: loads.clone(),
            two_cores: loads,
            counted: [32, 1].map(|active| Load { active, idle: 0, bytes: 64 }).into(),
            calls: (5_000, 20_000),
            instructions: (20_000, 80_000),
            counts: 3,
            memory: 9000,
            memory_library: 18_000,
            chains: chain(1, 1000).into_iter().chain(chain(100, 1000)).collect(),
            chain_rounds: 20,
            posted: 1_000_000,
            reads: 10_000,
        }
    }

    /// What `make bench QUICK=1` measures, in about two minutes: to see that all works, and roughly where things stand.
    pub(crate) fn quick() -> Settings {
        let load = |active, idle| Load { active, idle, bytes: 64 };
        let chain = |pairs| Chain { pairs, active: 100, writes: 1000 };
        Settings {
            rounds: 3,
            time: Duration::from_millis(120),
            one_core: vec![load(1, 0), load(64, 0), load(1000, 0), load(64, 9000)],
            two_cores: vec![load(64, 0)],
            counted: vec![load(32, 0), load(1, 0)],
            calls: (2_000, 8_000),
            instructions: (2_000, 8_000),
            counts: 1,
            memory: 9000,
            memory_library: 18_000,
            chains: [100, 9000].map(chain).into(),
            chain_rounds: 5,
            posted: 100_000,
            reads: 1_000,
        }
    }
}
