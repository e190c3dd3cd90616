//! How stacks are handed out, and how they come back.
//!
//! Go's counterparts: `stackpool` and `stackLarge` in `runtime/stack.go`, as far as
//! they hold stacks without a G on them. A dead goroutine keeps its stack, hot for
//! the next one, on the lists of the module `sched::gfree`.
//!
//! Slabs double: 7 stacks, then 16, 32, up to 1024, so that a million goroutines are
//! a thousand of them, and the kernel merges those that lie side by side. Where the
//! system has no room for so many, a smaller one will do.

use core::sync::atomic::Ordering;

use super::guard::{self, Budget, GROUP};
use super::slab::{LINE, MAX_SLOTS, Slab};
use super::{
    DEFAULT_STACK, FIRST, GUARD, GoStack, IN_USE, MAX_STACK, SLOT, SYS, pointer, stack_of,
};
use crate::debug::lock::{Mutex, rank};
use crate::{mem, os};

/// The smallest slab but the first.
const MIN_SLOTS: usize = 16;

/// What is left of the slabs.
struct Pool {
    /// The slab whose slots are not all opened; none is the first one.
    fresh: Option<&'static Slab>,
    /// A slab that may have slots that were given back.
    hint: Option<&'static Slab>,
    /// How many slots have been given back, in all slabs.
    returned: usize,
    budget: Budget,
}

static POOL: Mutex<Pool, { rank::STACK }> = Mutex::new(Pool {
    fresh: None,
    hint: None,
    returned: 0,
    budget: Budget::new(),
});

/// Takes a stack of at least `size` bytes for a goroutine, the G included. None if
/// the system has no room for it, or if that is more than 1 GiB. From any stack.
pub(crate) fn gostack(size: usize) -> Option<GoStack> {
    let stack = if size > DEFAULT_STACK {
        large(size)
    } else {
        small()
    }?;
    IN_USE.fetch_add(stack.hi - stack.lo, Ordering::Relaxed); // a counter
    Some(stack)
}

/// Takes a stack of the default size: one that was given back, or else a new one.
fn small() -> Option<GoStack> {
    loop {
        let mut pool = POOL.lock();
        if let Some((slab, index)) = pool.take_returned() {
            return Some(stack_of(slab, index, slab.is_guarded(index, GROUP)));
        }
        let (slab, index) = pool.take_fresh()?;
        let guarded = if pool.budget.take() {
            true
        } else {
            slab.end_guards(index);
            slab.is_guarded(index, GROUP)
        };
        if !guarded {
            if slab.is_retiring(index - 1) {
                continue; // its line is becoming zeros: nobody gets this one
            }
            guard::set_canary(slab, index);
            return Some(stack_of(slab, index, false));
        }
        drop(pool); // not for the time of a system call
        let stack = stack_of(slab, index, true);
        if guard::make(stack.lo - GUARD, GUARD) {
            return Some(stack);
        }
        // The slot is lost. There may be room for one that needs no guard.
        if guard::installs() || index.is_multiple_of(GROUP) {
            return None;
        }
        POOL.lock().budget.end();
    }
}

/// How many [`some_stacks`] takes at most.
pub(crate) const MOST_STACKS: usize = os::MAX_RANGES;

/// Takes some stacks of the default size at once, where so many have been made that some
/// more are nothing: opened together, they cost fewer system calls, and no page faults.
/// None if it is not so far yet, if those that were given back shall go first, or where
/// guards are mappings. From any stack.
pub(crate) fn some_stacks() -> Option<impl Iterator<Item = GoStack>> {
    /// A slab's slots, by how many are opened at a time.
    const SHARE: usize = 16;
    let pool = POOL.lock();
    let slab = pool.fresh?;
    if !guard::installs() || pool.returned > 0 {
        return None;
    }
    let most = (slab.slots() / SHARE).min(MOST_STACKS);
    let (first, count) = slab.open_some(most)?;
    drop(pool); // not for the time of a system call
    let lo = stack_of(slab, first, true).lo;
    let count = guard::make_some(lo - GUARD, count); // what has none is lost
    let last_page = pointer(lo + DEFAULT_STACK - mem::PAGE_SIZE);
    // SAFETY: the ends of stacks that nobody has yet.
    unsafe { os::populate_each(last_page, mem::PAGE_SIZE, SLOT, count) };
    IN_USE.fetch_add(count * DEFAULT_STACK, Ordering::Relaxed); // a counter
    Some((first..first + count).map(|index| stack_of(slab, index, true)))
}

impl Pool {
    /// Takes a slot that has been given back.
    fn take_returned(&mut self) -> Option<(&'static Slab, usize)> {
        if self.returned == 0 {
            return None;
        }
        if !self.hint.is_some_and(Slab::has_returned) {
            let mut slab = &FIRST;
            while !slab.has_returned() {
                slab = slab.following()?;
            }
            self.hint = Some(slab);
        }
        let slab = self.hint?;
        self.returned -= 1;
        Some((slab, slab.take_returned()?))
    }

    /// Takes a slot that nobody has had.
    fn take_fresh(&mut self) -> Option<(&'static Slab, usize)> {
        let slab = self.fresh.unwrap_or(&FIRST);
        if let Some(index) = slab.open() {
            return Some((slab, index));
        }
        let slab = new_slab(slab.slots())?;
        FIRST.link(slab);
        self.fresh = Some(slab);
        Some((slab, 0))
    }
}

/// Maps a slab, twice as large as the last, or as large as the system has room for.
fn new_slab(last: usize) -> Option<&'static Slab> {
    let mut slots = (2 * last).clamp(MIN_SLOTS, MAX_SLOTS);
    let start = loop {
        if let Some(start) = map(slots * SLOT) {
            break start;
        }
        if slots == 1 {
            return None;
        }
        slots /= 2;
    };
    let place: *mut Slab = mem::persistentalloc(size_of::<Slab>()).cast();
    // SAFETY: fresh memory, never freed; and the zeros in it are a slab.
    let slab = unsafe { &*place };
    slab.init(start + SLOT - LINE, SLOT, slots);
    Some(slab)
}

/// Maps addresses for stacks.
fn map(size: usize) -> Option<usize> {
    let memory = os::map(0, size)?;
    // Even where it is too small for one: the system joins mappings of one kind.
    // SAFETY: mapped above.
    unsafe { os::no_huge_pages(memory, size) };
    SYS.fetch_add(size, Ordering::Relaxed); // a counter
    Some(memory.expose_provenance())
}

/// Takes a larger stack, in a mapping of its own, at the end of which its slab is:
/// one of a single slot. That page is touched anyway, and never given back.
fn large(size: usize) -> Option<GoStack> {
    if size > MAX_STACK {
        return None;
    }
    let size = size.next_power_of_two();
    if !POOL.lock().budget.take() {
        return None;
    }
    let start = map(GUARD + size)?;
    let hi = start + GUARD + size;
    if !guard::make(start, GUARD) {
        give_up(start, GUARD + size);
        return None;
    }
    let top = (hi - size_of::<Slab>()) & !(LINE - 1);
    // SAFETY: mapped above, for this; aligned; and the zeros in it are a slab.
    let slab = unsafe { &*pointer(top).cast::<Slab>() };
    slab.init(top, top + LINE - start, 1);
    let _pool = POOL.lock(); // the list is the pool's
    FIRST.link(slab);
    Some(GoStack {
        lo: start + GUARD,
        hi,
        top,
        slab,
        index: 0,
        guarded: true,
    })
}

/// Maps a stack for something else than a goroutine: returns lo.
pub(super) fn map_one(size: usize) -> Option<usize> {
    let all = size.checked_add(GUARD)?;
    if !POOL.lock().budget.take() {
        return None;
    }
    let start = map(all)?;
    if !guard::make(start, GUARD) {
        give_up(start, all);
        return None;
    }
    IN_USE.fetch_add(size, Ordering::Relaxed); // a counter
    Some(start + GUARD)
}

/// Makes the page at `start` a guard, if the system has room for one; else it stays as it
/// is. From any stack.
///
/// # Safety
///
/// The page must be of private memory, and nobody may use what is in it.
pub(crate) unsafe fn guard_page(start: usize) {
    if POOL.lock().budget.take() {
        guard::make(start, mem::PAGE_SIZE);
    }
}

/// Unmaps what was mapped for a stack and cannot be one.
fn give_up(start: usize, size: usize) {
    // SAFETY: mapped by the caller, and nobody knows of it.
    unsafe { os::unmap(pointer(start), size) };
    SYS.fetch_sub(size, Ordering::Relaxed); // a counter
}

/// Begins to give a stack of the default size back, the one that the dead G at
/// `address` is on. Tells whether the G's page may become zeros too: not where the
/// line at its end is a canary.
pub(crate) fn retire(slab: &'static Slab, address: usize) -> bool {
    let index = slab.index_of(address);
    let _pool = POOL.lock();
    slab.retire(index);
    slab.is_guarded(index + 1, GROUP)
}

/// Gives that stack back, for [`gostack`] to hand out again, or not after all. What is
/// in it is anything, but for the canary; a stale reference may still lead there.
pub(crate) fn stackfree(slab: &'static Slab, address: usize, really: bool) {
    let index = slab.index_of(address);
    let mut pool = POOL.lock();
    if !really {
        return slab.keep(index);
    }
    slab.give_back(index);
    pool.returned += 1;
    pool.hint = Some(slab);
    IN_USE.fetch_sub(DEFAULT_STACK, Ordering::Relaxed); // a counter
}
