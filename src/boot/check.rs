//! What the runtime assumes of the compiler and the CPU, tested at each start.
//!
//! Go's counterpart: `check` in `runtime/runtime1.go`.

use core::hint::black_box;
use core::mem::offset_of;
use core::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicUsize, Ordering};

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
        throw("check: the CPU has no SSE2");
    }
    if black_box(&RUST_OFFSETS) != black_box(&ASM_OFFSET_TABLE) {
        throw("check: the assembly has other offsets than the structs");
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
    let word = black_box(AtomicU32::new(1));
    // SeqCst throughout: this tests the instructions, not an order.
    let swapped = word.compare_exchange(1, 2, Ordering::SeqCst, Ordering::SeqCst);
    let refused = word.compare_exchange(5, 6, Ordering::SeqCst, Ordering::SeqCst);
    if swapped != Ok(1) || refused != Err(2) || black_box(&word).load(Ordering::SeqCst) != 2 {
        throw("check: compare-and-swap");
    }
    word.store(u32::MAX, Ordering::SeqCst);
    if word.fetch_add(1, Ordering::SeqCst) != u32::MAX || word.load(Ordering::SeqCst) != 0 {
        throw("check: fetch-and-add does not wrap");
    }
    let bytes = black_box([const { AtomicU8::new(1) }; 4]);
    let [_, second, ..] = &bytes;
    second.fetch_or(0xf0, Ordering::SeqCst);
    if black_box(&bytes)
        .iter()
        .map(|byte| byte.load(Ordering::SeqCst))
        .ne([1, 0xf1, 1, 1])
    {
        throw("check: an atomic or on a byte");
    }
    let wide = black_box(AtomicI64::new(1 << 40));
    if wide.swap(-1, Ordering::SeqCst) != 1 << 40 || wide.fetch_add(2, Ordering::SeqCst) != -1 {
        throw("check: 64-bit atomics");
    }
}

/// NaN is unlike itself, in both widths.
fn floats() {
    let (single, double) = (black_box(f32::from_bits(!0)), black_box(f64::from_bits(!0)));
    #[allow(
        clippy::eq_op,
        reason = "that a NaN is not equal to itself is the point"
    )]
    if single == single || double == double || !(single != single) || !(double != double) {
        throw("check: floating-point NaN");
    }
}
