//! What happens at the end of a stack: guards, and the canary where there is none.
//!
//! **Guards without mappings.** Linux 6.13 and later marks pages of a mapping as
//! guards (MADV_GUARD_INSTALL). A slab is then one mapping however many stacks it
//! has. `stackinit` finds out, once, whether that is so, by having the system read
//! from the first one: some emulators say yes to any advice and do nothing. To ask
//! for an advice that nobody knows would tell less: it is not what we rely on.
//!
//! **Guards by PROT_NONE** where it is not, or where GODEBUG=guardinstall=0 says so.
//! Each guard is a mapping then, and splits one: two more for each stack, of which
//! the kernel allows `vm.max_map_count`, 65,530 by default, to all of the program.
//! Three quarters of that are for guards: 24,573 stacks.
//!
//! **The canary** is for the stacks that come then. Of them only every 128th has a
//! guard, and the 32 KiB below each other one are nobody's. An overflow of more than
//! that runs into the slot below: first of all into the line at its end, which holds
//! what nobody else writes. When a goroutine without a guard gives way or ends, that
//! line is looked at, and its stack pointer: the program dies of the overflow, with
//! Go's words. A million goroutines fit this way.
//!
//! What is weak about it: the overflow is seen late, when the neighbour's G and the
//! top of its stack are spoilt already; and one that jumps over the line, by a frame
//! that it leaves untouched, or that never gives way before the neighbour runs on
//! another thread, is not seen at all, or as a fault. A recursion without an end
//! meets the guard of its group, after 36 MiB at most, and dies as it should.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::slab::{LINE, Slab};
use super::{GUARD, SLOT, pointer};
use crate::boot;
use crate::debug::print::say;
use crate::os::{self, Scarcity};

/// How many stacks without a guard follow one with a guard, at most, itself counted.
pub(super) const GROUP: usize = 128;

/// Guards cost no mapping.
static INSTALLS: AtomicBool = AtomicBool::new(false);

/// The number of guards that cost a mapping has been reached.
static USED_UP: AtomicBool = AtomicBool::new(false);

/// The words of the canary: no address, no small number, no text.
const CANARY: u64 = 0xdead_5ca1_ab1e_9157;
const WORDS: usize = LINE / size_of::<u64>();

/// How many guards there may be before the kernel's limit is looked up.
const LOOK_UP: usize = 256;

/// Makes the first guard, at `memory`, and finds out what kind of guards there are.
/// During boot.
pub(super) fn init(memory: *mut u8) -> bool {
    // SAFETY: the first slot of the first slab, which nobody has yet.
    if boot::guardinstall() && unsafe { os::try_install_guard(memory, GUARD) } {
        INSTALLS.store(true, Ordering::Relaxed); // still one thread
        return true;
    }
    // SAFETY: as above.
    unsafe { os::protect(memory, GUARD) }
}

/// Makes the guard of that size that begins at `start`; false if the system has no room for it.
pub(super) fn make(start: usize, size: usize) -> bool {
    let memory = pointer(start);
    // SAFETY: the guard of a stack that nobody has yet.
    if installs() && unsafe { os::install_guard(memory, size) } {
        return true;
    }
    // Also where the first kind is declined for once, as for memory that is locked.
    // SAFETY: as above.
    unsafe { os::protect(memory, size) }
}

/// Makes the guards of `count` stacks that nobody has yet, a slot apart, the lowest of which
/// begins at `start`. Returns how many of them, from the lowest on, have one. Only where
/// guards cost no mapping.
pub(super) fn make_some(start: usize, count: usize) -> usize {
    // SAFETY: the guards of stacks that nobody has yet.
    if unsafe { os::install_guards(pointer(start), GUARD, SLOT, count) } {
        return count;
    }
    let is_made = |&at: &usize| make(start + at * SLOT, GUARD);
    (0..count).take_while(is_made).count()
}

/// Tells whether guards cost no mapping.
pub(super) fn installs() -> bool {
    INSTALLS.load(Ordering::Relaxed) // written at boot
}

/// How many guards have cost a mapping, and how many may.
pub(super) struct Budget {
    used: usize,
    limit: usize,
}

impl Budget {
    /// Nothing used, and the limit not yet known.
    pub(super) const fn new() -> Self {
        Self { used: 0, limit: 0 }
    }

    /// Tells whether there may be another guard, and counts it.
    pub(super) fn take(&mut self) -> bool {
        if installs() {
            return true;
        }
        if self.used >= LOOK_UP {
            if self.limit == 0 {
                self.limit = os::max_map_count() / 8 * 3; // three quarters, two each
            }
            if self.used >= self.limit {
                USED_UP.store(true, Ordering::Relaxed); // for a hint
                return false;
            }
        }
        self.used += 1;
        true
    }

    /// Says that the system has no room for more.
    pub(super) fn end(&mut self) {
        self.used = self.used.max(LOOK_UP);
        self.limit = 1;
        USED_UP.store(true, Ordering::Relaxed); // for a hint
    }
}

/// Finds the words of the canary of the slot above the one with this line.
fn words(line: usize) -> impl Iterator<Item = &'static AtomicU64> {
    (0..WORDS).map(move |at| {
        let word: *mut AtomicU64 = pointer(line).cast::<AtomicU64>().wrapping_add(at);
        // SAFETY: the line of a slot, which is never unmapped, aligned to its size.
        unsafe { &*word }
    })
}

/// Prepares the slot below for what it shall tell of this one's goroutine.
pub(super) fn set_canary(slab: &Slab, index: usize) {
    words(slab.line(index - 1)).for_each(|word| word.store(CANARY, Ordering::Relaxed)); // whoever sets it sets the same
}

/// Tells whether a stack without a guard has not been left downwards: the one that the G
/// at `address` is on. From any stack.
#[cold]
pub(crate) fn canary_is_whole(slab: &Slab, address: usize) -> bool {
    words(slab.line(slab.index_of(address)) - SLOT)
        .all(|word| word.load(Ordering::Relaxed) == CANARY) // set before the goroutine was
}

/// Says what could help where there is no room for a stack.
#[cold]
pub(crate) fn hint() {
    // Relaxed: only a hint.
    let text = match os::scarcity() {
        Scarcity::AddressLimit => {
            "runtime: may need to increase the limit of the address space (ulimit -v)"
        }
        Scarcity::StrictOvercommit => {
            "runtime: may need to increase what the system commits to (vm.overcommit_memory)"
        }
        Scarcity::Unknown if USED_UP.load(Ordering::Relaxed) => {
            "runtime: may need to increase vm.max_map_count"
        }
        Scarcity::Unknown => return,
    };
    say(text, &[], &[]);
}
