//! Pools of nodes that are never given back to the system.
//!
//! That is what lets other parts look at a node without a lock: it may have become another's, which they find out
//! by locking it and checking what it is now, but it is always a node of its type. Memory therefore follows the most
//! that was ever in use at once.

use crate::sys::{Result, memory};
use core::cell::Cell;
use core::ptr::NonNull;
use parking_lot::Mutex;

/// A type whose values can live in a pool.
///
/// # Safety
///
/// Zeroed memory is a valid value.
pub(crate) unsafe trait Pooled: Sized + 'static {
    /// Where a free node keeps the next free node.
    fn link(&self) -> &Cell<Option<&'static Self>>;
}

/// How much memory is asked for at a time.
const CHUNK_BYTES: usize = 64 * 1024;

struct Chunk {
    start: NonNull<u8>,
    /// How many of its nodes have been given out at least once.
    begun: usize,
}

struct Inner<T: 'static> {
    free: Option<&'static T>,
    chunks: Vec<Chunk>,
}

// SAFETY: chunks are plain memory of the process, free nodes belong to the pool; both go from thread to thread under
// the pool's lock.
unsafe impl<T> Send for Inner<T> {}

/// A pool of `T`s.
pub(crate) struct Pool<T: 'static>(Mutex<Inner<T>>);

impl<T: Pooled> Pool<T> {
    const NODES: usize = CHUNK_BYTES / size_of::<T>();

    pub(crate) const fn new() -> Pool<T> {
        Pool(Mutex::new(Inner { free: None, chunks: Vec::new() }))
    }

    /// A node that nobody else uses; it holds what its last user left in it, or zeros.
    pub(crate) fn take(&self) -> Result<&'static T> {
        Self::take_locked(&mut self.0.lock())
    }

    /// Up to `n` nodes, linked; at least one. Returns the first and how many there are.
    pub(crate) fn take_some(&self, n: usize) -> Result<(&'static T, usize)> {
        let inner = &mut self.0.lock();
        let first = Self::take_locked(inner)?;
        first.link().set(None);
        let mut count = 1;
        let mut top = first;
        while count < n {
            let Ok(node) = Self::take_locked(inner) else { break };
            node.link().set(Some(top));
            top = node;
            count += 1;
        }
        Ok((top, count))
    }

    fn take_locked(inner: &mut Inner<T>) -> Result<&'static T> {
        if let Some(node) = inner.free {
            inner.free = node.link().get();
            return Ok(node);
        }
        if inner.chunks.last().is_none_or(|chunk| chunk.begun == Self::NODES) {
            inner.chunks.try_reserve(1).map_err(|_| crate::sys::Errno::ENOMEM)?;
            inner.chunks.push(Chunk { start: memory::map_zeroed(CHUNK_BYTES)?, begun: 0 });
        }
        let Some(chunk) = inner.chunks.last_mut() else { return Err(crate::sys::Errno::ENOMEM) };
        // SAFETY: `begun` is below NODES, so the node lies in the chunk, which is page-aligned, zeroed (a valid `T`,
        // by `Pooled`) and never unmapped; nobody else has this node yet.
        let node = unsafe { chunk.start.cast::<T>().add(chunk.begun).as_ref() };
        chunk.begun += 1;
        Ok(node)
    }

    /// Takes a node back. Nobody uses it any more.
    pub(crate) fn give(&self, node: &'static T) {
        let inner = &mut *self.0.lock();
        node.link().set(inner.free);
        inner.free = Some(node);
    }

    /// The node that was the `index`th to be given out for the first time; `None` behind the last.
    pub(crate) fn nth(&self, index: usize) -> Option<&'static T> {
        let inner = self.0.lock();
        let chunk = inner.chunks.get(index / Self::NODES)?;
        let within = index % Self::NODES;
        // SAFETY: as in `take_locked`.
        (within < chunk.begun).then(|| unsafe { chunk.start.cast::<T>().add(within).as_ref() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Node {
        link: Cell<Option<&'static Node>>,
        value: Cell<usize>,
    }

    // SAFETY: `None` and 0 are zero.
    unsafe impl Pooled for Node {
        fn link(&self) -> &Cell<Option<&'static Node>> {
            &self.link
        }
    }

    #[test]
    fn nodes_are_distinct_and_used_again() {
        let pool = Pool::<Node>::new();
        let count = Pool::<Node>::NODES + 3;
        let nodes: Vec<_> = (0..count).map(|_| pool.take().unwrap()).collect();
        for (i, node) in nodes.iter().enumerate() {
            assert_eq!(node.value.get(), 0);
            node.value.set(i + 1);
        }
        assert!(nodes.iter().enumerate().all(|(i, node)| node.value.get() == i + 1));
        for node in &nodes {
            pool.give(node);
        }
        assert!(pool.nth(count - 1).is_some() && pool.nth(count).is_none());
        for _ in 0..count {
            assert_ne!(pool.take().unwrap().value.get(), 0);
        }
        assert!(pool.nth(count - 1).is_some() && pool.nth(count).is_none());
    }

    #[test]
    fn several_come_linked() {
        let pool = Pool::<Node>::new();
        let (first, n) = pool.take_some(5).unwrap();
        assert_eq!(n, 5);
        let mut length = 0;
        let mut at = Some(first);
        while let Some(node) = at {
            length += 1;
            at = node.link.get();
        }
        assert_eq!(length, 5);
    }
}
