//! Counts for each piece how often it was dropped.

use std::sync::{Arc, Mutex, PoisonError};

/// Where it is counted.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Vec<u32>>>);

/// Part of a state; dropped with it.
pub(crate) struct Piece {
    tally: Tally,
    index: usize,
}

impl Tally {
    pub(crate) fn piece(&self) -> Piece {
        let mut drops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drops.push(0);
        Piece { tally: self.clone(), index: drops.len() - 1 }
    }

    /// How many pieces there were; each of them was dropped, and none twice.
    #[track_caller]
    pub(crate) fn assert_each_was_dropped_once(&self) -> usize {
        let drops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(drops.iter().all(|&times| times == 1), "dropped so often: {drops:?}");
        drops.len()
    }

    /// How many have not been dropped; none was dropped twice.
    #[track_caller]
    pub(crate) fn alive(&self) -> usize {
        self.those_alive().len()
    }

    /// Which have not been dropped, in the order in which they were made, from 0.
    #[track_caller]
    pub(crate) fn those_alive(&self) -> Vec<usize> {
        let drops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(drops.iter().all(|&times| times <= 1), "dropped so often: {drops:?}");
        (0..drops.len()).filter(|&index| drops[index] == 0).collect()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut drops = self.tally.0.lock().unwrap_or_else(PoisonError::into_inner);
        drops[self.index] += 1;
    }
}
