//! What the runtime assumes of the compiler and the CPU, tested at each start, and where
//! that is possible when it is compiled.
//!
//! Go's counterpart: `check` in `runtime/runtime1.go`.

use core::hint::black_box;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::arch;
use crate::debug::fatal::throw;
use crate::sched::runtime2::{G, Gobuf, M, Stack};

/// What build.rs told the assembly of the types: it compiled them on its own, and here
/// is the compiler that counts.
const GO_ASM_H: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/go_asm.h"));

/// Reads the number that [`GO_ASM_H`] defines under a name. Without one there is nothing
/// to compile.
const fn defined(name: &[u8]) -> usize {
    const DEFINE: &[u8] = b"#define ";
    let (mut line, mut at) = (0, 0);
    while at < GO_ASM_H.len() {
        if GO_ASM_H[at] == b'\n' {
            line = at + 1;
        } else if GO_ASM_H[at] == b' ' && at == line + DEFINE.len() + name.len() {
            let (mut same, mut number) = (0, 0);
            while same < name.len() && GO_ASM_H[line + DEFINE.len() + same] == name[same] {
                same += 1;
            }
            while same == name.len() && GO_ASM_H[at + 1] != b'\n' {
                at += 1;
                number = number * 10 + (GO_ASM_H[at] - b'0') as usize;
            }
            if same == name.len() {
                return number;
            }
        }
        at += 1;
    }
    panic!("no such name in go_asm.h")
}

/// The offsets that the assembly uses.
const _: () = {
    assert!(defined(b"g_stack_lo") == offset_of!(G, stack) + offset_of!(Stack, lo));
    assert!(defined(b"g_stack_hi") == offset_of!(G, stack) + offset_of!(Stack, hi));
    assert!(defined(b"g_stackguard0") == offset_of!(G, stackguard0));
    assert!(defined(b"g_stackguard1") == offset_of!(G, stackguard1));
    assert!(defined(b"g_m") == offset_of!(G, m));
    assert!(defined(b"g_sched_sp") == offset_of!(G, sched) + offset_of!(Gobuf, sp));
    assert!(defined(b"g_sched_pc") == offset_of!(G, sched) + offset_of!(Gobuf, pc));
    assert!(defined(b"g_sched_bp") == offset_of!(G, sched) + offset_of!(Gobuf, bp));
    assert!(defined(b"gobuf_sp") == offset_of!(Gobuf, sp));
    assert!(defined(b"gobuf_pc") == offset_of!(Gobuf, pc));
    assert!(defined(b"gobuf_g") == offset_of!(Gobuf, g));
    assert!(defined(b"gobuf_ctxt") == offset_of!(Gobuf, ctxt));
    assert!(defined(b"gobuf_bp") == offset_of!(Gobuf, bp));
    assert!(defined(b"m_g0") == offset_of!(M, g0));
    assert!(defined(b"m_gsignal") == offset_of!(M, gsignal));
    assert!(defined(b"m_procid") == offset_of!(M, procid));
    assert!(defined(b"m_tls") == offset_of!(M, tls));
};

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
    let words = [AtomicU32::new(1), AtomicU32::new(1)];
    let [word, neighbour] = black_box(&words);
    let swapped = word.compare_exchange(1, u32::MAX, Ordering::SeqCst, Ordering::SeqCst);
    let refused = word.compare_exchange(1, 6, Ordering::SeqCst, Ordering::SeqCst);
    let wrapped = word.fetch_add(2, Ordering::SeqCst);
    let bytes = neighbour.as_ptr().cast::<AtomicU8>();
    // SAFETY: the second byte of a word that is only changed atomically.
    unsafe { &*bytes.wrapping_add(1) }.fetch_or(0xf0, Ordering::SeqCst);
    let wide = AtomicU64::new(1 << 40);
    let was = black_box(&wide).swap(u64::MAX, Ordering::SeqCst);
    // All differences at once: an emulator takes time for each branch.
    let differs = u32::from(swapped.is_err() | refused.is_ok())
        | (wrapped ^ u32::MAX)
        | (word.load(Ordering::SeqCst) ^ 1)
        | (neighbour.load(Ordering::SeqCst) ^ 0xf001);
    let wide_differs = (was ^ 1 << 40) | (wide.fetch_add(2, Ordering::SeqCst) ^ u64::MAX);
    if u64::from(differs) | wide_differs != 0 {
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
