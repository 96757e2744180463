//! Memory for Argon2, kept: fresh pages cost as much as an eighth of the hash.

use std::{
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use argon2::Block;

use crate::argon::OUR_BLOCKS;

/// What one hash at a time works in.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    /// Nothing yet; the first hash makes room.
    pub fn new() -> Self {
        Self::default()
    }

    /// Room for so many blocks of a kibibyte.
    pub(crate) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0.resize(count, Block::new());
        }
        &mut self.0[..count]
    }

    /// Gives back what only a foreign digest needed.
    pub(crate) fn shrink(&mut self) {
        if self.0.len() > OUR_BLOCKS {
            self.0.truncate(OUR_BLOCKS);
            self.0.shrink_to_fit();
        }
    }
}

/// As many memories as hashes may run at a time.
pub struct MemoryPool {
    free: Mutex<Vec<Memory>>,
    returned: Condvar,
}

impl MemoryPool {
    /// A pool of so many memories, at least one.
    pub fn new(size: usize) -> Self {
        let free = (0..size.max(1)).map(|_| Memory::new()).collect();
        Self { free: Mutex::new(free), returned: Condvar::new() }
    }

    /// A memory, after waiting for one. It blocks the thread: not for async code.
    pub fn take(&self) -> Lease<'_> {
        let mut free = self.free();
        loop {
            if let Some(memory) = free.pop() {
                return Lease { pool: self, memory };
            }
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A memory, if one is free.
    #[cfg(test)]
    fn try_take(&self) -> Option<Lease<'_>> {
        self.free().pop().map(|memory| Lease { pool: self, memory })
    }

    // A list of memories is whole even if a thread panicked while holding it.
    fn free(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A memory on loan; it goes back when dropped.
pub struct Lease<'a> {
    pool: &'a MemoryPool,
    memory: Memory,
}

impl Deref for Lease<'_> {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.memory
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.pool.free().push(std::mem::take(&mut self.memory));
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pool_lends_no_more_than_it_has() {
        let pool = MemoryPool::new(2);
        let mut first = pool.take();
        first.blocks(3);
        let second = pool.take();
        assert!(pool.try_take().is_none());
        drop(first);
        let third = pool.try_take().expect("one came back");
        assert_eq!(third.0.len(), 3, "with its pages");
        drop((second, third));
    }

    #[test]
    fn waiting_thread_gets_what_comes_back() {
        let pool = MemoryPool::new(1);
        let lease = pool.take();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(pool.take()));
            drop(lease);
            waiting.join().expect("the thread ends");
        });
        assert!(pool.try_take().is_some());
    }

    #[test]
    fn memory_shrinks_to_our_own_needs() {
        let mut memory = Memory::new();
        memory.blocks(OUR_BLOCKS + 100);
        memory.shrink();
        assert_eq!(memory.0.len(), OUR_BLOCKS);
    }
}
