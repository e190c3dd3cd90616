//! What the runtime assumes of the compiler and the CPU, tested at each start.
//!
//! Go's counterpart: `check` in `runtime/runtime1.go`.

use core::hint::black_box;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::arch;
use crate::debug::fatal::throw;
use crate::sched::runtime2::{G, Gobuf, M, Stack};

/// How many offsets the assembly uses.
const ASM_OFFSETS: usize = 17;

// SAFETY: a constant table, written by the assembler.
unsafe extern "C" {
    #[link_name = "runtime.asmOffsets"]
    safe static ASM_OFFSET_TABLE: [u16; ASM_OFFSETS];
}

/// The same offsets as Rust has them, in the table's order. The assembly took
/// them when build.rs compiled the types; this is the compiler that counts.
static RUST_OFFSETS: [u16; ASM_OFFSETS] = as_u16([
    offset_of!(G, stack) + offset_of!(Stack, lo),
    offset_of!(G, stack) + offset_of!(Stack, hi),
    offset_of!(G, stackguard0),
    offset_of!(G, stackguard1),
    offset_of!(G, m),
    offset_of!(G, sched) + offset_of!(Gobuf, sp),
    offset_of!(G, sched) + offset_of!(Gobuf, pc),
    offset_of!(G, sched) + offset_of!(Gobuf, bp),
    offset_of!(Gobuf, sp),
    offset_of!(Gobuf, pc),
    offset_of!(Gobuf, g),
    offset_of!(Gobuf, ctxt),
    offset_of!(Gobuf, bp),
    offset_of!(M, g0),
    offset_of!(M, gsignal),
    offset_of!(M, procid),
    offset_of!(M, tls),
]);

/// Narrows the table. An offset that does not fit would not compile.
const fn as_u16(offsets: [usize; ASM_OFFSETS]) -> [u16; ASM_OFFSETS] {
    let mut table = [0; ASM_OFFSETS];
    let mut at = 0;
    while at < ASM_OFFSETS {
        assert!(offsets[at] <= u16::MAX as usize);
        table[at] = offsets[at] as u16;
        at += 1;
    }
    table
}

/// Throws if anything is not as the runtime needs it. On g0.
#[unsafe(export_name = "runtime.check")]
#[inline(never)]
pub(super) extern "C" fn check() {
    crate::stops_here!();
    sizes();
    atomics();
    floats();
    if !arch::has_sse2() {
        throw("check: no SSE2");
    }
    if RUST_OFFSETS != ASM_OFFSET_TABLE {
        throw("check: offsets of the assembly");
    }
}

/// The sizes that layouts and assembly rely on.
fn sizes() {
    const {
        assert!(size_of::<usize>() == 8 && size_of::<*const u8>() == 8);
        assert!(size_of::<AtomicUsize>() == 8 && size_of::<AtomicU32>() == 4);
        assert!(
            size_of::<Option<extern "C" fn()>>() == 8,
            "a function pointer is one word"
        );
        assert!(size_of::<char>() == 4 && size_of::<bool>() == 1);
        assert!(align_of::<G>() <= 64 && align_of::<M>() <= 64);
    }
}

/// Reads, writes and exchanges on memory that the compiler cannot see through.
fn atomics() {
    // SeqCst throughout: this tests the instructions, not an order.
    let words = [const { AtomicU32::new(1) }; 2];
    let [word, neighbour] = black_box(&words);
    let swapped = word.compare_exchange(1, u32::MAX, Ordering::SeqCst, Ordering::SeqCst);
    let refused = word.compare_exchange(1, 6, Ordering::SeqCst, Ordering::SeqCst);
    let wrapped = word.fetch_add(2, Ordering::SeqCst);
    let bytes = neighbour.as_ptr().cast::<AtomicU8>();
    // SAFETY: the second byte of a word that is only changed atomically.
    unsafe { &*bytes.wrapping_add(1) }.fetch_or(0xf0, Ordering::SeqCst);
    let wide = AtomicU64::new(1 << 40);
    let was = black_box(&wide).swap(u64::MAX, Ordering::SeqCst);
    let right = (swapped.is_ok() && refused.is_err() && wrapped == u32::MAX)
        && word.load(Ordering::SeqCst) == 1
        && neighbour.load(Ordering::SeqCst) == 0xf001
        && was == 1 << 40
        && wide.fetch_add(2, Ordering::SeqCst) == u64::MAX;
    if !right {
        throw("check: an atomic operation");
    }
}

/// NaN is unlike itself, in both widths.
fn floats() {
    let double = black_box(f64::NAN);
    let single = double as f32;
    #[allow(
        clippy::eq_op,
        reason = "that a NaN is not equal to itself is the point"
    )]
    if single == single || double == double {
        throw("check: a NaN");
    }
}
