//! A block of memory from the global allocator, of any size, with a mark in its
//! first and in its last word.

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::ptr::NonNull;

/// A block; it goes back to the allocator by [`Block::free`] alone.
pub(crate) struct Block {
    memory: NonNull<u8>,
    size: usize,
}

// SAFETY: the memory belongs to the block, and to no thread.
unsafe impl Send for Block {}

impl Block {
    /// The least size: two words.
    pub(crate) const MIN: usize = 16;

    /// Allocates a block, and marks it.
    pub(crate) fn new(size: usize, mark: u64) -> Self {
        assert!(size >= Self::MIN);
        let layout = Self::layout(size);
        // SAFETY: the size is not 0.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else {
            handle_alloc_error(layout)
        };
        let block = Self { memory, size };
        let (first, last) = block.words();
        // SAFETY: within the block, which is aligned for it.
        unsafe { first.write(mark) };
        // SAFETY: within the block, and any address will do.
        unsafe { last.write_unaligned(!mark) };
        block
    }

    /// Writes a byte to every page that the block has a part in.
    pub(crate) fn touch(&mut self) {
        for offset in (size_of::<u64>()..self.size - size_of::<u64>()).step_by(4096) {
            let byte = self.memory.as_ptr().wrapping_add(offset);
            // SAFETY: between the block's first and its last word.
            unsafe { byte.write(1) };
        }
    }

    /// Returns how many bytes were asked for.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Frees the block and returns its mark.
    pub(crate) fn free(self) -> u64 {
        let (first, last) = self.words();
        // SAFETY: `new` wrote it.
        let mark = unsafe { first.read() };
        // SAFETY: as above.
        let end = unsafe { last.read_unaligned() };
        assert!(mark == !end, "a block of {} bytes was damaged", self.size);
        // SAFETY: allocated so in `new`; the block is gone after this.
        unsafe { dealloc(self.memory.as_ptr(), Self::layout(self.size)) };
        mark
    }

    /// Returns where the marks are.
    fn words(&self) -> (*mut u64, *mut u64) {
        let first = self.memory.as_ptr();
        let last = first.wrapping_add(self.size - size_of::<u64>());
        (first.cast(), last.cast())
    }

    /// Returns what the allocator gets to know.
    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, align_of::<u64>()).expect("a size that exists")
    }
}
