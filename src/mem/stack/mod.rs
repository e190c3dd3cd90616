//! Goroutines' stacks.
//!
//! Go's counterpart: `runtime/stack.go`. Go copies a stack to a larger one when
//! it is used up; Rust has no maps of what on a stack is a pointer, so here a
//! goroutine gets a range of addresses in which pages appear as it touches them:
//!
//! ```text
//!   lo - GUARD        lo                                            hi
//!   +-----------------+---------------------------------------------+
//!   | guard: a fault  | never touched: no memory  |   used    | G | |
//!   +-----------------+---------------------------------------------+
//! ```
//!
//! | file | what it holds |
//! | --- | --- |
//! | `slab` | runs of stacks of one size, and which of them are whose |
//! | `pool` | how stacks are handed out and come back |
//! | `guard` | the guards, of which there are two kinds, and the canary |
//!
//! **Sizes.** A goroutine has 256 KiB unless it asks for more; then the next power
//! of two, up to 1 GiB, in a mapping of its own. Such a stack stays what it is: its G
//! waits for another goroutine that wants that size.
//!
//! **Cost.** One page for what is touched, and the share of a page table in which
//! seven slots of 288 KiB find room: 4096 + 576 bytes for a goroutine that is parked.
//! Huge pages would undo that: slabs are kept free of them. The boot's slab is too
//! small for one, and is joined to none of the others, so that it need not say so.
//!
//! **Memory is given back, addresses are not.** Whoever kept a reference to a G may
//! look at it at any time, and sysmon even writes to one: so its memory stays mapped
//! and open. What is there is a G, or zeros, or a mark of sysmon's on zeros.

mod guard;
mod pool;
pub(super) mod slab;

use core::num::NonZeroUsize;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use guard::{canary_is_whole, hint};
pub(crate) use pool::{MOST_STACKS, gostack, guard_page, retire, some_stacks, stackfree};
pub(crate) use slab::{LINE, Slab};

use crate::debug::fatal::throw;
use crate::os;

/// The addresses below a stack that fault when touched. One page would be enough
/// for Rust, whose functions touch each page of a large frame on their way down.
/// C's do so with -fstack-clash-protection alone: without it, a function with a
/// frame larger than this can step over the guard and into the next stack, which
/// nobody notices. 32 KiB, since what it takes of a page table is the goroutine's.
pub(crate) const GUARD: usize = 32 << 10;

/// The size of a goroutine's stack, the G on it included.
pub(crate) const DEFAULT_STACK: usize = 256 << 10;

/// The largest stack that a goroutine can ask for.
pub(crate) const MAX_STACK: usize = 1 << 30;

/// A guard and the stack above it.
const SLOT: usize = GUARD + DEFAULT_STACK;

/// How many stacks the boot reserves: fewer than fill a huge page.
const FIRST_SLOTS: usize = 7;

const _: () = assert!(FIRST_SLOTS * SLOT < 2 << 20);
const _: () = assert!(
    GUARD.is_multiple_of(super::PAGE_SIZE) && DEFAULT_STACK.is_multiple_of(super::PAGE_SIZE)
);

/// All slabs, beginning with the boot's. Go's name for where all goroutines are
/// found.
#[unsafe(export_name = "runtime.allgs")]
static FIRST: Slab = Slab::new();

/// The addresses that are mapped for stacks, in bytes.
static SYS: AtomicUsize = AtomicUsize::new(0);

/// Those of them that are some goroutine's or thread's, a dead one's too.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// A stack for a goroutine.
pub(crate) struct GoStack {
    /// The lowest address, above the guard.
    pub(crate) lo: usize,
    /// The address behind the highest.
    pub(crate) hi: usize,
    /// Below `hi`: what is above this is not the goroutine's.
    pub(crate) top: usize,
    /// Where it is from.
    pub(crate) slab: &'static Slab,
    /// Which of the slab's slots it is.
    pub(crate) index: usize,
    /// There is a guard below it.
    pub(crate) guarded: bool,
}

/// Maps the first stacks, and finds out how guards are made. On g0, during boot.
#[unsafe(export_name = "runtime.stackinit")]
#[inline(never)]
pub(crate) extern "C" fn stackinit() {
    if !map_first() {
        throw("out of memory (stack allocation)");
    }
}

/// Maps the first slab, and makes the guard of its first stack.
fn map_first() -> bool {
    let Some(start) = os::map(0, FIRST_SLOTS * SLOT) else {
        return false;
    };
    FIRST.init(start.addr() + SLOT - LINE, SLOT, FIRST_SLOTS);
    os::will_touch(start.addr() + SLOT - LINE); // by newproc, which makes the first G there
    guard::init(start)
}

/// Returns the first stack of all: that of the main goroutine. Once, during boot.
pub(crate) fn first_stack() -> GoStack {
    stack_of(&FIRST, 0, true)
}

/// Describes a slot's stack.
fn stack_of(slab: &'static Slab, index: usize, guarded: bool) -> GoStack {
    let line = slab.line(index);
    let hi = line + LINE;
    GoStack {
        lo: hi - DEFAULT_STACK,
        hi,
        top: line - slab::below_line(index),
        slab,
        index,
        guarded,
    }
}

/// Goes through the stacks that hold a G: calls `f` with the address below which
/// that lies. From any stack, without a lock.
pub(crate) fn for_each_top(mut f: impl FnMut(usize)) {
    let mut slab = Some(&FIRST);
    while let Some(current) = slab {
        for index in 0..current.slots() {
            if current.is_live(index) {
                f(current.top(index));
            }
        }
        slab = current.following();
    }
}

/// Takes a stack of at least `size` bytes above a guard, zeroed, for something else
/// than a goroutine; returns lo. It never comes back. None if the system has no room
/// for it. From any stack.
#[inline(never)]
pub(crate) fn stackalloc(size: usize) -> Option<NonZeroUsize> {
    let size = size.checked_next_multiple_of(super::PAGE_SIZE)?;
    NonZeroUsize::new(pool::map_one(size)?)
}

/// Tells how many bytes of addresses stacks have: those that are some goroutine's
/// or thread's (a dead one's too, which keeps its stack for the next), and all that
/// are mapped for stacks, guards included. They cost what has been touched of them.
pub(crate) fn stack_stats() -> (usize, usize) {
    let first = FIRST_SLOTS * SLOT; // nobody counted them at boot
    // Relaxed: counters.
    (
        DEFAULT_STACK + IN_USE.load(Ordering::Relaxed),
        first + SYS.load(Ordering::Relaxed),
    )
}

/// Returns the pointer to an address within a slab.
fn pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}
