//! [`thread_local!`](crate::thread_local!): a value of its own for each goroutine.
//!
//! Go has no counterpart: it has no goroutine-local storage.
//!
//! ```text
//!   G.thread --> Inner.locals --> Table: slots  [ - | * | - | x | ... ]   by Key::index
//!                                                   |       DESTROYED
//!                                                   v
//!                                                 Value: head, value
//! ```
//!
//! A key gets its index at its first use, for good. A goroutine's table comes with its
//! first value, as does its Inner if it has none, and is as long as the largest index that
//! it has used needs. To find a value is a few loads, and takes no lock: table and values
//! are the goroutine's own.
//!
//! Invariants:
//! 1. A slot is null, DESTROYED, or leads to a `Value<T>` with its key's T. A Value does
//!    not move; who was lent the value, for the time of a `with`, may have another value
//!    made meanwhile, which replaces the table.
//! 2. Nobody was lent a value that is dropped: the goroutine has returned from, or left for
//!    ever, all that called `with`, and the scopes that it has left so have ended.
//! 3. A value that has a destructor is dropped when its slot says DESTROYED, the last made
//!    first: values that destructors make are dropped next. A slot that is DESTROYED stays
//!    so. One without a destructor goes with the table, which is at the very end: until
//!    then destructors may use it.

use crate::alloc::boxed::Box;
use crate::alloc::{alloc, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use super::handle;

/// The last index that was given to a key. Index 0 is nobody's: its slot is always null.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// Which slot is a key's. What `thread_local!` makes a static of; not for anybody else.
#[doc(hidden)]
#[derive(Debug)]
pub struct Key<T> {
    /// 0 until the first use.
    index: AtomicUsize,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// Makes one that nobody has used.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "for a static")]
    pub const fn new() -> Self {
        Self {
            index: AtomicUsize::new(0),
            value: PhantomData,
        }
    }

    /// Returns its index, which it may get now.
    fn index(&self) -> usize {
        let index = self.index.load(Ordering::Relaxed); // a number alone
        if index != 0 {
            return index;
        }
        let next = LAST.fetch_add(1, Ordering::Relaxed) + 1; // as above
        // Of two who come first at the same time, one has taken an index for nothing.
        match self
            .index
            .compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => next,
            Err(others) => others,
        }
    }

    /// Returns the current goroutine's value, if it has one now.
    #[inline]
    pub(super) fn find<'a>(&self) -> Option<&'a T> {
        let index = self.index.load(Ordering::Relaxed); // as above
        let value = handle::mine()?.locals.slot(index)?.get();
        if value.addr() <= DESTROYED {
            return None;
        }
        // SAFETY: invariants 1 and 2.
        Some(&unsafe { &*value.cast::<Value<T>>() }.value)
    }

    /// Makes the current goroutine's value, by `make`; None if it has been destroyed.
    #[cold]
    #[inline(never)]
    pub(super) fn make<'a>(&self, make: impl FnOnce() -> T) -> Option<&'a T> {
        let index = self.index();
        let locals = &handle::own().locals;
        if locals.reserve(index).get().addr() == DESTROYED {
            return None;
        }
        let value = make(); // others may be made by it, and even this one
        let slot = locals.reserve(index);
        let value = if slot.get().addr() > DESTROYED {
            let made = slot.get().cast::<Value<T>>();
            // SAFETY: invariant 1. `make` has ended, and all to whom it has lent it.
            drop(mem::replace(unsafe { &mut (*made).value }, value));
            made
        } else {
            let value = Box::into_raw(Box::new(Value {
                head: Head {
                    before: Cell::new(ptr::null_mut()),
                    index,
                    drop: Value::<T>::drop,
                },
                value,
            }));
            slot.set(value.cast());
            locals.note(value.cast(), mem::needs_drop::<T>());
            value
        };
        // SAFETY: invariants 1 and 2.
        Some(&unsafe { &*value }.value)
    }
}

/// What a slot has when its value is being dropped, or was.
const DESTROYED: usize = 1;

/// A slot.
type Slot = Cell<*mut Head>;

/// The beginning of a value.
struct Head {
    /// The one that was made before it, in its list.
    before: Cell<*mut Head>,
    /// Whose slot it is in.
    index: usize,
    /// Drops and frees all of it.
    drop: unsafe fn(*mut Head),
}

/// A goroutine's value of one key.
#[repr(C)]
struct Value<T> {
    /// First, so that its address is this one's.
    head: Head,
    value: T,
}

impl<T> Value<T> {
    /// Drops and frees it.
    ///
    /// # Safety
    ///
    /// It must be a `Value<T>`, and nobody else's.
    unsafe fn drop(value: *mut Head) {
        // SAFETY: `make` made it; and the caller's promise.
        drop(unsafe { Box::from_raw(value.cast::<Self>()) });
    }
}

/// A goroutine's values; behind it are `len` slots.
#[repr(C)]
struct Table {
    len: usize,
    /// The last made of those that have a destructor.
    dropping: Cell<*mut Head>,
    /// The last made of the others.
    plain: Cell<*mut Head>,
    /// [`Locals::end`]. By the table, so that a program without such values need not have
    /// it.
    end: fn(&Locals),
}

/// The way to a goroutine's table; null while it has none. The goroutine's own.
pub(super) struct Locals(Cell<*mut Table>);

impl Locals {
    /// Makes an empty one.
    pub(super) const fn new() -> Self {
        Self(Cell::new(ptr::null_mut()))
    }

    /// Tells whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.get().is_null()
    }

    /// Drops all values. On the goroutine, at its end.
    pub(super) fn destroy(&self) {
        if let Some(table) = self.table() {
            (table.end)(self);
        }
    }

    /// Returns the table.
    #[inline]
    fn table(&self) -> Option<&Table> {
        // SAFETY: null, or what `grow` put there; it goes when all this ends.
        unsafe { self.0.get().as_ref() }
    }

    /// Returns a slot, if there is such a one.
    #[inline]
    fn slot(&self, index: usize) -> Option<&Slot> {
        self.table().filter(|table| index < table.len)?;
        let slots = self.0.get().wrapping_add(1).cast::<Slot>();
        // SAFETY: there are `len` of them.
        Some(unsafe { &*slots.wrapping_add(index) })
    }

    /// Returns a slot, of a longer table if need be.
    fn reserve(&self, index: usize) -> &Slot {
        loop {
            if let Some(slot) = self.slot(index) {
                return slot;
            }
            self.grow((index + 1).next_power_of_two());
        }
    }

    /// Makes a table of so many slots, with what is in the present one.
    fn grow(&self, len: usize) {
        let layout = layout(len);
        // SAFETY: it has a size.
        let memory: *mut Table = unsafe { alloc(layout) }.cast();
        let Some(new) = NonNull::new(memory) else {
            handle_alloc_error(layout)
        };
        let old = self.table();
        let table = Table {
            len,
            dropping: Cell::new(old.map_or(ptr::null_mut(), |old| old.dropping.get())),
            plain: Cell::new(old.map_or(ptr::null_mut(), |old| old.plain.get())),
            end: Self::end,
        };
        // SAFETY: fresh memory, with room for it.
        unsafe { new.write(table) };
        let slots = memory.wrapping_add(1).cast::<Slot>();
        for index in 0..len {
            let value = self.slot(index).map_or(ptr::null_mut(), Cell::get);
            // SAFETY: as above, and for so many slots.
            unsafe { slots.wrapping_add(index).write(Cell::new(value)) };
        }
        let old = self.0.replace(memory);
        // SAFETY: nobody looks there any more.
        unsafe { free(old) };
    }

    /// Notes that there is a new value.
    fn note(&self, head: *mut Head, needs_drop: bool) {
        let Some(table) = self.table() else { return };
        let list = if needs_drop {
            &table.dropping
        } else {
            &table.plain
        };
        // SAFETY: nobody drops it before its goroutine's end.
        let before = unsafe { &(*head).before };
        before.set(list.replace(head));
    }

    /// Drops all values, and frees the table. Who calls `goexit` in a destructor comes
    /// back here, and does the rest.
    fn end(&self) {
        while let Some(value) = self.pop(|table| &table.dropping) {
            // SAFETY: it is one of those that were noted, and still there.
            let head = unsafe { &*value };
            if let Some(slot) = self.slot(head.index) {
                slot.set(ptr::without_provenance_mut(DESTROYED));
            }
            let drop = head.drop;
            // SAFETY: out of its slot and out of the list it is ours.
            unsafe { drop(value) };
        }
        while let Some(value) = self.pop(|table| &table.plain) {
            // SAFETY: as above.
            let drop = unsafe { &*value }.drop;
            // SAFETY: as above; there is no destructor that could look for it.
            unsafe { drop(value) };
        }
        let table = self.0.replace(ptr::null_mut());
        // SAFETY: nobody looks there any more.
        unsafe { free(table) };
    }

    /// Takes the last made value off a list.
    fn pop(&self, list: fn(&Table) -> &Cell<*mut Head>) -> Option<*mut Head> {
        let list = list(self.table()?);
        // SAFETY: null, or one that was noted, which is there while it is in the list.
        let head = unsafe { list.get().as_ref() }?;
        Some(list.replace(head.before.get()))
    }
}

/// Returns what a table of so many slots takes.
fn layout(len: usize) -> Layout {
    let size = size_of::<Table>() + len * size_of::<Slot>();
    match Layout::from_size_align(size, align_of::<Table>()) {
        Ok(layout) => layout,
        Err(_) => unreachable!("as many keys as bytes"),
    }
}

/// Frees a table, if it is one.
///
/// # Safety
///
/// It must be null, or one of `grow`'s and nobody else's.
unsafe fn free(table: *mut Table) {
    // SAFETY: the caller's promise.
    if let Some(len) = unsafe { table.as_ref() }.map(|table| table.len) {
        // SAFETY: as above; `grow` allocated it with this layout.
        unsafe { dealloc(table.cast(), layout(len)) };
    }
}

/// The main goroutine's function has returned: its values are dropped, as std does on
/// Linux.
pub(crate) fn main_returned() {
    if let Some(inner) = handle::mine() {
        inner.locals.destroy();
    }
}
