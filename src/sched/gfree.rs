//! Goroutines without a life: made with their stacks, kept when they are dead, taken
//! again, and given back.
//!
//! Go's counterparts: `malg`, `gfput`, `gfget`, `allgs` in `runtime/proc.go`; the
//! lists of `stackpool` and `stackLarge` in `runtime/stack.go`.
//!
//! ```text
//!   malg --> P.g_free <--gfget, gfput--> sched.g_free --scavenge_stacks--> its slab
//!                  hot                           cold
//! ```
//!
//! A dead goroutine keeps its stack, with what it touched of it. That on a large
//! stack waits on a list of its size, and stays a G for good.
//!
//! **A G that is given back** is no longer one: its status is idle and then zero,
//! which is the same, and its memory is zeros. Somebody may still hold a reference to
//! it, since `for_each_g` asks for no lock, and sysmon sets `preempt` in what it took
//! for a running goroutine. The first finds nothing to look at. The second is why
//! `malg` sets every field, when it gets such a stack again.
//!
//! The boot knows of all this only [`malg_first`].

use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::SCHED;
use super::glist::GList;
use super::gpack::{GFree, PACK};
use super::runtime2::{G, GCache, GStatus, MAX_G_FREE, P, STACK_GUARD};
use super::status::casgstatus;
use crate::arch;
use crate::debug::fatal;
use crate::debug::lock::{Mutex, rank};
use crate::mem::{self, DEFAULT_STACK, GoStack, Slab};
use crate::os;

/// The sizes of large stacks: 512 KiB, doubled and doubled again, up to 1 GiB.
const LARGE_SIZES: usize = 12;

const _: () = assert!(DEFAULT_STACK << LARGE_SIZES == 1 << 30);

/// How many dead goroutines the list has that all Ps share: a hint.
static G_FREE: AtomicUsize = AtomicUsize::new(0);

/// Dead goroutines with large stacks.
static STACK_LARGE: Mutex<Large, { rank::STACK }> = Mutex::new(Large {
    used: [const { GList::new() }; LARGE_SIZES],
    clean: [const { GList::new() }; LARGE_SIZES],
});

/// A list of large ones for each size.
struct Large {
    /// Those whose stacks are as their goroutines left them.
    used: [GList; LARGE_SIZES],
    /// Those whose memory was given back.
    clean: [GList; LARGE_SIZES],
}

// SAFETY: the Gs live for ever, and the lists are behind a lock.
unsafe impl Send for Large {}

impl Large {
    /// Finds the lists for stacks of that size, the used ones and the clean ones.
    fn of(&self, size: usize) -> Option<(&GList, &GList)> {
        let doubled = size.checked_next_power_of_two()?.trailing_zeros();
        let least = DEFAULT_STACK.trailing_zeros() + 1;
        let at = doubled.checked_sub(least)? as usize;
        Some((self.used.get(at)?, self.clean.get(at)?))
    }
}

/// Makes the main goroutine, dead as yet, on the stack that stackinit made. It keeps
/// that for good.
pub(crate) fn malg_first(_: &'static P, _: usize) -> Option<&'static G> {
    Some(set_up(&mem::first_stack()))
}

/// Takes a dead goroutine with a stack of at least that size, from the P's list or
/// else a batch from the global one; or makes one. None if there is no room.
pub(super) fn gfget(pp: &'static P, stack: usize) -> Option<&'static G> {
    if stack > DEFAULT_STACK {
        let large = STACK_LARGE.lock();
        let (used, clean) = large.of(stack)?;
        if let Some(gp) = used.pop().or_else(|| clean.pop()) {
            return Some(gp);
        }
    } else {
        if pp.g_free.size.get() == 0 && G_FREE.load(Ordering::Relaxed) > 0 {
            change_g_free(|g_free| g_free.take(&pp.g_free));
        }
        if let Some(gp) = pp.g_free.pop() {
            // It is the next one's turn soon, and it may be far away. Not again where one
            // goroutine comes and goes.
            if let Some(next) = pp.g_free.peek()
                && !ptr::eq(pp.warmed.replace(next), next)
            {
                warm(next);
            }
            return Some(gp);
        }
    }
    malg(pp, stack)
}

/// Asks for the memory of a goroutine that is to run soon, or to be made: the G, and what
/// is below it, its first frames. Where there are many goroutines their memory is far away,
/// and this is done while another one runs.
#[inline(always)]
pub(super) fn warm(gp: *const G) {
    const LINES: usize = 6;
    let mut line = gp.cast::<u8>().wrapping_sub(LINES * mem::LINE);
    while line < gp.wrapping_add(1).cast() {
        arch::prefetch(line);
        line = line.wrapping_add(mem::LINE);
    }
}

/// Makes a goroutine with a stack, dead as yet; and where there are many of them some more,
/// for the next ones on this P, whose list is empty.
#[cold]
#[inline(never)]
fn malg(pp: &'static P, stack: usize) -> Option<&'static G> {
    if stack <= DEFAULT_STACK
        && let Some(some) = mem::some_stacks()
    {
        for stack in some {
            let _ = pp.g_free.push(set_up_new(&stack)); // there is room: see below
        }
        if let Some(gp) = pp.g_free.pop() {
            return Some(gp);
        }
    }
    Some(set_up_new(&mem::gostack(stack)?))
}

// A P's list, which is empty then, has room for all that come at once.
const _: () = assert!(mem::MOST_STACKS <= MAX_G_FREE);

/// Makes a goroutine on that stack, dead as yet.
fn set_up_new(stack: &GoStack) -> &'static G {
    let gp = place(stack.top);
    gp.reset();
    if !stack.guarded {
        gp.check_stack.set(Some(check_stack));
        gp.special.set(2);
    }
    gp.gfput.set(Some(gfput));
    set_up(stack)
}

/// Finds the G of a stack.
fn place(top: usize) -> &'static G {
    const SIZE: usize = size_of::<G>().next_multiple_of(mem::LINE);
    let gp: *const G = ptr::with_exposed_provenance(top - SIZE);
    // SAFETY: the end of a stack, at a line, which is never unmapped. What is
    // there is one, or zeros, which are an idle one.
    unsafe { &*gp }
}

/// Gives an idle G its stack, and lets everybody see it.
#[inline(always)] // once for the boot, whose stack is a constant, and once for the rest
fn set_up(stack: &GoStack) -> &'static G {
    let gp = place(stack.top);
    gp.stack.lo.set(stack.lo);
    gp.stack.hi.set(stack.hi);
    gp.stackguard0
        .store(stack.lo + STACK_GUARD, Ordering::Relaxed); // nobody knows it yet
    gp.stackguard1.store(!0, Ordering::Relaxed); // as above
    gp.slab.set(ptr::from_ref(stack.slab).cast());
    casgstatus(gp, GStatus::Idle, GStatus::Dead);
    stack.slab.set_live(stack.index);
    gp
}

/// Goes through all goroutines, dead ones too, and places where there was one.
pub(super) fn allgs(mut f: impl FnMut(&'static G)) {
    mem::for_each_top(|top| f(place(top)));
}

/// Puts a dead goroutine on the P's free list, and the colder half of a long list on
/// the global one.
fn gfput(pp: &'static P, gp: &'static G) {
    if gp.abandoned.get() {
        return;
    }
    let size = gp.stack.hi.get() - gp.stack.lo.get();
    if size != DEFAULT_STACK {
        let large = STACK_LARGE.lock();
        if let Some((used, _)) = large.of(size) {
            used.push(gp);
        }
        return;
    }
    if !pp.g_free.push(gp) {
        change_g_free(|g_free| g_free.put(pp.g_free.all().get(..PACK).unwrap_or_default()));
        pp.g_free.remove_colder_half();
        let _ = pp.g_free.push(gp); // there is room now
    }
}

/// Looks whether a goroutine whose stack has no guard has left it, and ends the
/// program if so. On the goroutine, before it gives way or ends.
#[cold]
#[inline(never)]
fn check_stack(gp: &'static G) {
    let mark = 0u8;
    let sp = (&raw const mark).addr();
    // Found by the G and not by `stack`, which may be a segment's.
    let whole = mem::canary_is_whole(slab_of(gp), ptr::from_ref(gp).addr());
    if sp < gp.stack.lo.get() || !whole {
        fatal::stack_overflow(gp, sp, None);
    }
}

/// Gives the memory of cold stacks back to the system, at least `max_bytes` if there
/// is so much; returns how many bytes that were. From any stack but a signal's; it
/// makes system calls, and holds no lock meanwhile.
///
/// Large stacks come first: they have the most. Then the dead goroutines that nobody
/// has taken for the longest time, each as a whole, with its G. What the Ps keep for
/// themselves stays.
pub(crate) fn scavenge_stacks(max_bytes: usize) -> usize {
    let mut given = scavenge_large(max_bytes);
    while given < max_bytes {
        // A pack at a time: the lock is not held for the rest.
        let pack = GCache::new();
        change_g_free(|g_free| g_free.take_coldest(&pack));
        if pack.size.get() == 0 {
            break;
        }
        let mut refused = false;
        // The least cold of them first: the difference is small.
        while given < max_bytes
            && !refused
            && let Some(gp) = pack.pop()
        {
            match give_back(gp) {
                Some(bytes) => given += bytes,
                None => {
                    refused = true; // the system takes none
                    let _ = pack.push(gp); // where it was
                }
            }
        }
        if pack.size.get() > 0 {
            change_g_free(|g_free| g_free.put_coldest(pack.all()));
            break;
        }
    }
    given
}

/// Tells how many dead goroutines there are beyond those that the next ones may soon
/// want: a tenth of those that live, and some.
pub(super) fn cold_stacks() -> usize {
    const RETAINED: usize = 1000;
    let dead = G_FREE.load(Ordering::Relaxed); // a hint
    dead.saturating_sub(super::num_goroutine() / 10 + RETAINED)
}

/// Gives all that a P has to the others.
pub(super) fn give_all(pp: &'static P) {
    change_g_free(|g_free| {
        pp.g_free
            .all()
            .chunks(PACK)
            .for_each(|pack| g_free.put(pack))
    });
    pp.g_free.size.set(0);
}

/// Does something to the list that all Ps share.
fn change_g_free<T>(f: impl FnOnce(&mut GFree) -> T) -> T {
    let mut sched = SCHED.lock.lock();
    let result = f(&mut sched.g_free);
    G_FREE.store(sched.g_free.len(), Ordering::Relaxed); // a hint
    result
}

/// Gives a dead goroutine back, and returns how many bytes of memory that were. None
/// if the system takes none: then it is what it was.
fn give_back(gp: &'static G) -> Option<usize> {
    let address = ptr::from_ref(gp).addr();
    let slab = slab_of(gp);
    casgstatus(gp, GStatus::Dead, GStatus::Idle);
    let (lo, hi) = (gp.stack.lo.get(), gp.stack.hi.get());
    let end = if mem::retire(slab, address) {
        hi
    } else {
        page_of(gp)
    };
    let bytes = discard(lo, end);
    mem::stackfree(slab, address, bytes.is_some());
    if bytes.is_none() {
        casgstatus(gp, GStatus::Idle, GStatus::Dead);
    }
    bytes
}

/// Returns the slab that a goroutine's stack is from.
fn slab_of(gp: &G) -> &'static Slab {
    let slab: *const Slab = gp.slab.get().cast();
    // SAFETY: set_up put a slab there, which is never freed.
    unsafe { &*slab }
}

/// Gives back what the stacks of large dead goroutines have touched, but for the page
/// of the G.
fn scavenge_large(max_bytes: usize) -> usize {
    let mut given = 0;
    for order in 1..=LARGE_SIZES {
        let size = DEFAULT_STACK << order;
        while given < max_bytes {
            let taken = STACK_LARGE.lock().of(size).and_then(|(used, _)| used.pop());
            let Some(gp) = taken else { break };
            let bytes = discard(gp.stack.lo.get(), page_of(gp));
            if let Some((used, clean)) = STACK_LARGE.lock().of(size) {
                let list = if bytes.is_some() { clean } else { used };
                list.push(gp);
            }
            let Some(bytes) = bytes else { return given }; // the system takes none
            given += bytes;
        }
    }
    given
}

/// Returns where the page begins that a G lies in.
fn page_of(gp: &G) -> usize {
    ptr::from_ref(gp).addr() & !(mem::PAGE_SIZE - 1)
}

/// Gives the memory of `lo..hi` back, and returns how much that was; None if the
/// system takes none.
fn discard(lo: usize, hi: usize) -> Option<usize> {
    let memory = ptr::with_exposed_provenance_mut(lo);
    let bytes = os::resident(memory, hi - lo);
    // SAFETY: the stack of a dead goroutine that is on no list: it is ours.
    unsafe { os::discard(memory, hi - lo) }.then_some(bytes)
}
