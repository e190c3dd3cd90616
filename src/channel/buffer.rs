//! Where values are between a send and a receive: a ring of slots, or a list of blocks of
//! them that grows and shrinks.
//!
//! Go's counterpart: `buf`, `sendx` and `recvx` of `hchan` in `runtime/chan.go`; Go has
//! rings alone. Values are bytes here: who sends them and who receives them know their
//! type.
//!
//! ```text
//!   ring            [ . . 3 4 5 . ]        both sides go round
//!                       ^     ^
//!                     recv  send
//!
//!   list    [ x 1 2 ] -> [ 3 4 5 ] -> [ 6 . . ]     a block is added where send has come
//!               ^                        ^          to the end of the last one, and freed
//!             recv                     send         where recv has come to the end of one
//! ```
//!
//! All of it is behind the channel's lock. Blocks are made and freed outside of it, since
//! the allocator may be the user's: [`Buffer::push`] says that it needs one, and
//! [`Buffer::used_up`] gives one back that has been read. One is kept for the next need.

use crate::alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;

/// How many bytes a block of the list is to have, more or less.
const BLOCK: usize = 1 << 10;

/// How many slots it has at most.
const MAX_SLOTS: usize = 62;

/// A place in the buffer.
struct Place {
    /// The slots that it is among.
    slots: Cell<*mut u8>,
    /// Which of those it is; behind the last one, if the next is in the next block.
    index: Cell<usize>,
}

/// Memory for values. What a push or a pop writes comes first: see `Hchan`.
#[repr(C)]
pub(super) struct Buffer {
    send: Place,
    recv: Place,
    /// A block to use next.
    spare: Cell<*mut u8>,
    /// How many slots there are in the ring, or in a block.
    len: usize,
    /// The ring's memory or a block's; a block begins with the address of the next one.
    layout: Layout,
    /// Where a block's slots begin; 0 for a ring.
    offset: usize,
}

impl Buffer {
    /// Makes the ring of a channel for so many values.
    ///
    /// # Panics
    ///
    /// If that is more than the address space.
    pub(super) fn ring(capacity: usize, value: Layout) -> Self {
        let size = value.size().checked_mul(capacity);
        let layout = size
            .and_then(|size| Layout::from_size_align(size, value.align()).ok())
            .expect("bounded channel capacity is too large");
        let slots = if layout.size() == 0 {
            ptr::without_provenance_mut(value.align()) // nothing is ever read or written
        } else {
            allocate(layout)
        };
        Self::new(slots, capacity, layout, 0)
    }

    /// Makes the list of a channel without a limit.
    pub(super) fn list(value: Layout) -> Self {
        let len = (BLOCK / value.size().max(1)).clamp(1, MAX_SLOTS);
        let slots = Layout::from_size_align(value.size() * len, value.align());
        let (layout, offset) = slots
            .and_then(|slots| Layout::new::<*mut u8>().extend(slots))
            .expect("a type fits into the address space so often");
        let list = Self::new(ptr::null_mut(), len, layout, offset);
        // Behind the last slot: there is none.
        list.send.index.set(len);
        list.recv.index.set(len);
        list
    }

    fn new(slots: *mut u8, len: usize, layout: Layout, offset: usize) -> Self {
        let place = || Place {
            slots: Cell::new(slots),
            index: Cell::new(0),
        };
        Self {
            send: place(),
            recv: place(),
            len,
            layout,
            offset,
            spare: Cell::new(ptr::null_mut()),
        }
    }

    /// Tells whether it is a ring.
    fn is_ring(&self) -> bool {
        self.offset == 0
    }

    /// Puts a value of `size` bytes behind the others, for which there must be room. False
    /// if there is no block for it: [`add_block`](Self::add_block) is next.
    #[inline(always)]
    #[must_use = "without a block the value is not there"]
    pub(super) fn push(&self, value: *const u8, size: usize) -> bool {
        let mut index = self.send.index.get();
        if index == self.len {
            if !self.is_ring() && !self.next_block() {
                return false;
            }
            index = 0;
        }
        let slot = self.send.slots.get().wrapping_add(index * size);
        // SAFETY: a slot that no value is in, of this size; `value` is outside.
        unsafe { copy_value(value, slot, size) };
        self.send.index.set(index + 1);
        true
    }

    /// Tells whether a push would say that there is no block.
    pub(super) fn needs_block(&self) -> bool {
        !self.is_ring() && self.send.index.get() == self.len && self.spare.get().is_null()
    }

    /// Moves the first value out; there must be one, and it must not be in a block after one
    /// that is [`used_up`](Self::used_up).
    #[inline(always)]
    pub(super) fn pop(&self, value: *mut u8, size: usize) {
        let slot = self.pop_in_place(size);
        // SAFETY: the first value's slot; `value` is outside.
        unsafe { copy_value(slot, value, size) };
    }

    /// Returns the slot of the first value, which is the caller's until the next push.
    #[inline(always)]
    fn pop_in_place(&self, size: usize) -> *mut u8 {
        let mut index = self.recv.index.get();
        if index == self.len {
            index = 0; // a ring
        }
        self.recv.index.set(index + 1);
        self.recv.slots.get().wrapping_add(index * size)
    }

    /// Returns a number that each pop counts up, modulo the length: of a ring.
    pub(super) fn popped(&self) -> usize {
        self.recv.index.get()
    }

    /// Returns how many pops there were since [`popped`](Self::popped) was `before`, if fewer
    /// than the ring has slots.
    pub(super) fn popped_since(&self, before: usize) -> usize {
        (self.popped() + self.len - before) % self.len
    }

    /// Tells whether the next value is in another block than the last: before it is popped,
    /// [`used_up`](Self::used_up) has to be called.
    #[inline(always)]
    pub(super) fn at_end_of_block(&self) -> bool {
        self.recv.index.get() == self.len && !self.is_ring()
    }

    /// Goes on to the next block, which must be there, and returns the one before, if it
    /// has to be given to [`free_block`](Self::free_block) without the lock; else null.
    #[cold]
    pub(super) fn used_up(&self) -> *mut u8 {
        let block = self.recv.slots.get().wrapping_sub(self.offset);
        // SAFETY: it begins with the address of the next one, which was written when that was
        // added.
        let next = unsafe { block.cast::<*mut u8>().read() };
        self.recv.slots.set(next.wrapping_add(self.offset));
        self.recv.index.set(0);
        if self.spare.get().is_null() {
            self.spare.set(block);
            return ptr::null_mut();
        }
        block
    }

    /// Makes a block. Without the lock.
    #[cold]
    pub(super) fn new_block(&self) -> *mut u8 {
        allocate(self.layout)
    }

    /// Leaves a block for the next push; false if there is one, and this has to be freed.
    #[must_use = "else it leaks"]
    pub(super) fn add_block(&self, block: *mut u8) -> bool {
        let add = self.spare.get().is_null();
        if add {
            self.spare.set(block);
        }
        add
    }

    /// Frees a block. Without the lock.
    #[cold]
    pub(super) fn free_block(&self, block: *mut u8) {
        // SAFETY: one of new_block's, that nobody uses any more.
        unsafe { dealloc(block, self.layout) };
    }

    /// Puts the spare block behind the last.
    #[cold]
    fn next_block(&self) -> bool {
        let block = self.spare.replace(ptr::null_mut());
        if block.is_null() {
            return false;
        }
        // SAFETY: a block is at least an address long, and aligned for one.
        unsafe { block.cast::<*mut u8>().write(ptr::null_mut()) };
        let slots = block.wrapping_add(self.offset);
        let last = self.send.slots.get();
        if last.is_null() {
            self.recv.slots.set(slots);
            self.recv.index.set(0);
        } else {
            // SAFETY: the block of the last slots, whose first word is this link.
            unsafe {
                last.wrapping_sub(self.offset)
                    .cast::<*mut u8>()
                    .write(block)
            };
        }
        self.send.slots.set(slots);
        true
    }

    /// Drops the first `count` values, by `drop_value`. By who has the buffer for itself.
    pub(super) fn discard(&self, count: usize, size: usize, drop_value: fn(*mut u8)) {
        for _ in 0..count {
            if self.at_end_of_block() {
                let block = self.used_up();
                if !block.is_null() {
                    self.free_block(block);
                }
            }
            drop_value(self.pop_in_place(size));
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The values are gone; of a list there is the block that both sides are in.
        let slots = self.send.slots.get();
        if self.is_ring() {
            if self.layout.size() != 0 {
                // SAFETY: the ring's own memory.
                unsafe { dealloc(slots, self.layout) };
            }
            return;
        }
        let mut block = self.recv.slots.get();
        while !block.is_null() {
            block = block.wrapping_sub(self.offset);
            // SAFETY: a block of the list, whose first word is the link; null in the last.
            let next = unsafe { block.cast::<*mut u8>().read() };
            self.free_block(block);
            block = if next.is_null() {
                next
            } else {
                next.wrapping_add(self.offset)
            };
        }
        if !self.spare.get().is_null() {
            self.free_block(self.spare.get());
        }
    }
}

/// Allocates memory.
fn allocate(layout: Layout) -> *mut u8 {
    // SAFETY: a ring of no bytes is none, and a block has at least the link.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        handle_alloc_error(layout)
    }
    memory
}

/// A word of whatever kind, at any address.
type Word = MaybeUninit<[u8; size_of::<usize>()]>;

/// Moves a value. What is known of `size` when it is compiled makes it one instruction or
/// two; else words are, as most values are such.
///
/// # Safety
///
/// `from` must be a value of that size, and `to` room for it, elsewhere.
#[inline(always)]
pub(super) unsafe fn copy_value(from: *const u8, to: *mut u8, size: usize) {
    if size == size_of::<usize>() {
        // SAFETY: the caller's promise. A value of a word need not be aligned as one.
        let word = unsafe { from.cast::<Word>().read() };
        // SAFETY: as above.
        unsafe { to.cast::<Word>().write(word) };
    } else if size != 0 {
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(from, to, size) };
    }
}
