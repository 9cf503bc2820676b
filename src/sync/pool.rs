//! Pools of nodes that are never given back to the system.
//!
//! That is what lets other parts look at a node without a lock: it may have become another's, which they find out
//! by locking it and checking what it is now, but it is always a node of its type. Memory therefore follows the most
//! that was ever in use at once.
//!
//! A node can be given back and stay reserved: it is free for the moment, but one can be had later without fail. A pool
//! has more free nodes than reserved ones whenever it gives one out; those that it maps for that cost no memory until
//! they are used.

use super::lock::Mutex;
use crate::sys::{Result, memory};
use core::cell::Cell;
use core::ptr::NonNull;

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

struct Inner<T: 'static> {
    free: Option<&'static T>,
    chunks: Vec<NonNull<T>>,
    /// How many nodes have been given out at least once: those at the beginning.
    begun: usize,
    /// How many nodes are free, those that were never given out with them.
    available: usize,
    /// How many of them are reserved.
    reserved: usize,
}

// SAFETY: chunks are plain memory of the process, free nodes belong to the pool; both go from thread to thread under
// the pool's lock.
unsafe impl<T> Send for Inner<T> {}

/// A pool of `T`s.
pub(crate) struct Pool<T: 'static>(Mutex<Inner<T>>);

impl<T: Pooled> Pool<T> {
    const NODES: usize = CHUNK_BYTES / size_of::<T>();

    pub(crate) const fn new() -> Pool<T> {
        Pool(Mutex::new(Inner { free: None, chunks: Vec::new(), begun: 0, available: 0, reserved: 0 }))
    }

    /// A node that is not in use; it holds what its last user left in it, or zeros.
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
        Self::have_one_unreserved(inner)?;
        Self::take_available(inner).ok_or(crate::sys::Errno::ENOMEM)
    }

    fn have_one_unreserved(inner: &mut Inner<T>) -> Result<()> {
        if inner.available == inner.reserved {
            inner.chunks.try_reserve(1).map_err(|_| crate::sys::Errno::ENOMEM)?;
            inner.chunks.push(memory::map_zeroed(CHUNK_BYTES)?.cast());
            inner.available += Self::NODES;
        }
        Ok(())
    }

    /// A free node, of which there is one.
    fn take_available(inner: &mut Inner<T>) -> Option<&'static T> {
        let node = match inner.free {
            Some(node) => {
                inner.free = node.link().get();
                node
            }
            None => {
                let node = Self::in_chunks(inner, inner.begun)?;
                inner.begun += 1;
                node
            }
        };
        inner.available -= 1;
        Some(node)
    }

    fn in_chunks(inner: &Inner<T>, index: usize) -> Option<&'static T> {
        let chunk = inner.chunks.get(index / Self::NODES)?;
        // SAFETY: the node lies in the chunk, which is page-aligned, zeroed (a valid `T`, by `Pooled`) and never
        // unmapped.
        Some(unsafe { chunk.add(index % Self::NODES).as_ref() })
    }

    /// Takes a node back, which is not in use any more.
    pub(crate) fn give(&self, node: &'static T) {
        Self::give_locked(&mut self.0.lock(), node);
    }

    /// Takes back `count` nodes that are linked from `first` to `last`.
    pub(crate) fn give_chain(&self, first: &'static T, last: &'static T, count: usize) {
        let inner = &mut *self.0.lock();
        last.link().set(inner.free);
        inner.free = Some(first);
        inner.available += count;
    }

    fn give_locked(inner: &mut Inner<T>, node: &'static T) {
        node.link().set(inner.free);
        inner.free = Some(node);
        inner.available += 1;
    }

    /// Takes a node back for which `take_reserved` will give one.
    pub(crate) fn give_reserved(&self, node: &'static T) {
        let inner = &mut *self.0.lock();
        Self::give_locked(inner, node);
        inner.reserved += 1;
    }

    /// Makes sure that `take_reserved` will give one more.
    pub(crate) fn reserve(&self) -> Result<()> {
        let inner = &mut *self.0.lock();
        Self::have_one_unreserved(inner)?;
        inner.reserved += 1;
        Ok(())
    }

    /// A node for one that was reserved. `None` never, if there was one.
    pub(crate) fn take_reserved(&self) -> Option<&'static T> {
        let inner = &mut *self.0.lock();
        debug_assert!(inner.reserved > 0);
        inner.reserved -= 1;
        Self::take_available(inner)
    }

    /// Does without the node that `take_reserved` would give.
    pub(crate) fn give_up_reserved(&self) {
        self.0.lock().reserved -= 1;
    }

    /// How many nodes have been given out at least once.
    pub(crate) fn begun(&self) -> usize {
        self.0.lock().begun
    }

    /// The node that was the `index`th to be given out for the first time; `None` behind the last.
    #[cfg(test)]
    pub(crate) fn nth(&self, index: usize) -> Option<&'static T> {
        let inner = self.0.lock();
        if index < inner.begun { Self::in_chunks(&inner, index) } else { None }
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
    fn what_is_reserved_is_there_and_costs_no_node() {
        let pool = Pool::<Node>::new();
        let many = 3 * Pool::<Node>::NODES;
        for _ in 0..many {
            pool.give_reserved(pool.take().unwrap());
        }
        assert!(pool.nth(1).is_none());
        let first = pool.take_reserved().unwrap();
        let rest: Vec<_> = (1..many).map(|_| pool.take_reserved().unwrap()).collect();
        assert!(rest.iter().all(|node| !core::ptr::eq(*node, first)));
        assert!(pool.nth(many - 1).is_some() && pool.nth(many).is_none());
        rest.iter().for_each(|node| pool.give(node));
        pool.give_reserved(first);
        pool.give_up_reserved();
        (0..many).for_each(|_| pool.reserve().unwrap());
        (0..many).for_each(|_| pool.give_up_reserved());
        pool.reserve().unwrap();
        pool.give(pool.take_reserved().unwrap());
        for _ in 0..many {
            pool.take().unwrap();
        }
        assert!(pool.nth(many).is_none());
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
