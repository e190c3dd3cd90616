//! Ms: the main thread's, and how another is made.
//!
//! Go's counterparts: `mstart1`, `mcommoninit`, `newm`, `newosproc`, `minit`.
//! A new M is one mapping; nothing of it is ever given back:
//!
//! ```text
//!   | guard | g0's stack, 64 KiB | signal stack, 32 KiB | TLS | M, g0, gsignal |
//! ```

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::runtime2::{G, G0_STACK, M, STACK_GUARD};
use super::{M0, SCHED, acquirem, releasem};
use crate::debug::fatal::{self, throw};
use crate::debug::print::Line;
use crate::{boot, mem, os};

/// The size of a signal stack: the kernel puts the whole vector state there,
/// 12 KiB of it on a CPU with AMX.
const SIGNAL_STACK: usize = 32 << 10;

/// Room for the TLS block, the M and its two Gs, on top of the stacks.
const TOP: usize = 8 << 10;

/// The thread control block above the TLS image: the pointer to itself at FS:0,
/// the stack canary at FS:0x28.
const TCB: usize = 64;
const TCB_CANARY: usize = 0x28;

/// m0's signal stack.
#[repr(C, align(64))]
struct SignalStack(UnsafeCell<[u8; SIGNAL_STACK]>);

// SAFETY: only the kernel puts anything there, for one thread.
unsafe impl Sync for SignalStack {}

static M0_SIGNAL_STACK: SignalStack = SignalStack(UnsafeCell::new([0; SIGNAL_STACK]));
static M0_GSIGNAL: G = G::new();

/// runtime.main has begun.
static MAIN_STARTED: AtomicBool = AtomicBool::new(false);

// SAFETY: the routine's contract stands in asm/asm_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.mstart"]
    safe fn runtime_mstart() -> !;
}

/// What a thread does first in Rust, on its g0; asm/asm_amd64.S's mstart calls
/// it. Never returns, but for an M that has a function of its own to run.
#[unsafe(export_name = "runtime.mstart1")]
extern "C" fn mstart1() -> ! {
    let mp = acquirem();
    releasem(mp);
    if ptr::eq(mp, &M0) {
        mstartm0();
    } else {
        minit(mp);
    }
    if let Some(start) = mp.mstartfn.get() {
        start();
    }
    if mp.p.load(Ordering::Relaxed).is_null() {
        throw("mstart: an M without a P would schedule");
    }
    super::proc::schedule()
}

/// The main thread alone: its signal stack, and the process's signal handlers.
#[unsafe(export_name = "runtime.mstartm0")]
#[inline(never)]
fn mstartm0() {
    M0.procid.set(os::thread_id());
    let stack: *mut u8 = M0_SIGNAL_STACK.0.get().cast();
    set_stack(&M0_GSIGNAL, stack.addr(), stack.addr() + SIGNAL_STACK);
    M0_GSIGNAL.m.store(ptr::from_ref(&M0).cast_mut(), Ordering::Relaxed); // this thread's
    M0.gsignal.set(&M0_GSIGNAL);
    os::initsig(stack, SIGNAL_STACK, fatal::fault);
}

/// Any other thread: its signal stack, and the mask that it was born without.
fn minit(mp: &'static M) {
    // SAFETY: newm set it, and a G is never freed.
    let gsignal = unsafe { &*mp.gsignal.get() };
    os::set_signal_stack(ptr::with_exposed_provenance_mut(gsignal.stack.lo.get()), SIGNAL_STACK);
    os::set_mask(mp.sigmask.get());
}

/// Gives an M its number, its random state, and its place in the list of all.
#[unsafe(export_name = "runtime.mcommoninit")]
#[inline(never)]
pub(crate) fn mcommoninit(mp: &'static M) {
    mp.cheaprand.set(boot::rand());
    let mut sched = SCHED.lock.lock();
    if sched.mnext >= sched.maxmcount {
        let limit = sched.maxmcount;
        Line::new().str("runtime: program exceeds ").dec(limit as u64).str("-thread limit").print();
        throw("thread exhaustion");
    }
    mp.id.set(sched.mnext);
    sched.mnext += 1;
    mp.alllink.set(sched.allm);
    sched.allm = mp;
}

/// Starts a new M that runs `f` on its g0. From g0.
#[unsafe(export_name = "runtime.newm")]
#[inline(never)]
pub(super) fn newm(f: extern "C" fn()) {
    let tls = boot::tls_image();
    let tls_size = tls.size.next_multiple_of(tls.align.max(64));
    let size = G0_STACK + SIGNAL_STACK + (tls_size + TCB + TOP).next_multiple_of(4096);
    let Some((lo, hi)) = mem::stackalloc(size) else {
        throw("runtime: cannot map a stack for a new thread");
    };
    let signal_lo = lo + G0_STACK;
    let base: *mut u8 = ptr::with_exposed_provenance_mut(lo);
    // FS points behind the TLS image; the mapping is zeroed, .tbss with it.
    let fs = base.with_addr((signal_lo + SIGNAL_STACK + tls_size).next_multiple_of(tls.align.max(64)));
    // SAFETY: the image fits below FS: it has tls.size bytes of at least as many.
    unsafe { fs.sub(tls_size_aligned(&tls)).copy_from_nonoverlapping(tls.start, tls.file_size) };
    // SAFETY: TCB bytes above FS are ours and aligned.
    unsafe { fs.cast::<usize>().write(fs.addr()) };
    // SAFETY: as above.
    unsafe { fs.add(TCB_CANARY).cast::<usize>().write(canary()) };

    let at_m = base.with_addr((fs.addr() + TCB).next_multiple_of(64)).cast::<M>();
    // SAFETY: TOP leaves room for an M and two Gs.
    let at_g0 = unsafe { at_m.add(1) }.cast::<G>();
    // SAFETY: as above.
    let at_gsignal = unsafe { at_g0.add(1) };
    debug_assert!(at_gsignal.addr() + size_of::<G>() <= hi, "TOP is too small");
    // SAFETY: fresh memory that nobody else knows; never freed, so static.
    let mp = unsafe { publish(at_m, M::new()) };
    // SAFETY: as above.
    let g0 = unsafe { publish(at_g0, G::new()) };
    // SAFETY: as above.
    let gsignal = unsafe { publish(at_gsignal, G::new()) };
    set_stack(g0, lo, signal_lo);
    set_stack(gsignal, signal_lo, signal_lo + SIGNAL_STACK);
    g0.m.store(at_m, Ordering::Relaxed); // clone hands all of this over
    gsignal.m.store(at_m, Ordering::Relaxed); // as above
    mp.g0.set(g0);
    mp.gsignal.set(gsignal);
    mp.mstartfn.set(Some(f));
    mp.sigmask.set(M0.sigmask.get());
    mcommoninit(mp);

    let thread = os::Thread {
        stack_hi: signal_lo,
        mp: at_m.cast(),
        g0: at_g0.cast(),
        start: mstart,
        tls: fs.addr(),
    };
    // SAFETY: all of it was made above for this thread alone.
    if let Err(errno) = unsafe { os::new_thread(&thread) } {
        Line::new()
            .str("runtime: failed to create new OS thread (have ")
            .dec(mp.id.get() as u64)
            .str(" already; errno=")
            .dec(errno as u64)
            .str(")")
            .print();
        throw("newosproc");
    }
}

/// The size of the TLS image as the ABI rounds it: FS minus this is its start.
fn tls_size_aligned(tls: &boot::TlsImage) -> usize {
    tls.size.next_multiple_of(tls.align.max(1))
}

/// Writes a value and returns it as what it is from now on: never freed.
///
/// # Safety
///
/// `place` must be aligned, writable, used by nobody else, and stay for ever.
unsafe fn publish<T>(place: *mut T, value: T) -> &'static T {
    // SAFETY: the caller's promise.
    unsafe { place.write(value) };
    // SAFETY: as above.
    unsafe { &*place }
}

/// What a new thread starts with; see mstart in asm/asm_amd64.S.
extern "C" fn mstart() {
    runtime_mstart()
}

/// Sets a stack's bounds and guards.
fn set_stack(gp: &G, lo: usize, hi: usize) {
    gp.stack.lo.set(lo);
    gp.stack.hi.set(hi);
    gp.stackguard0.store(lo + STACK_GUARD, Ordering::Relaxed); // nobody else knows it yet
    gp.stackguard1.store(lo + STACK_GUARD, Ordering::Relaxed); // as above
}

/// Returns the process's stack canary, from m0's thread control block.
fn canary() -> usize {
    M0.tls.get(1 + TCB_CANARY / 8).map_or(0, core::cell::Cell::get)
}

/// Starts sysmon on an M of its own, and says that runtime.main has begun. On
/// the main goroutine.
pub(crate) fn sysmon_started() {
    MAIN_STARTED.store(true, Ordering::Relaxed); // read by this thread
    super::proc::systemstack(|| newm(super::sysmon::sysmon));
}

/// Tells whether runtime.main has begun.
pub(super) fn main_started() -> bool {
    MAIN_STARTED.load(Ordering::Relaxed) // written by this thread
}
