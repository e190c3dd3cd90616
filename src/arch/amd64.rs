//! amd64: the current g, the time-stamp counter, and what the CPU can do.
//!
//! Go's counterparts: `getg`, `runtime.cputicks` in asm_amd64.s, and
//! `internal/cpu/cpu_x86.go`.

use core::arch::asm;
use core::arch::x86_64::{
    __cpuid_count, _MM_HINT_T0, _mm_lfence, _mm_mfence, _mm_prefetch, _rdtsc,
};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use bitflags::bitflags;
use x86_64::registers::xcontrol::{XCr0, XCr0Flags};

/// Where the stack canary is: FS:0x28, by the ABI.
pub(crate) const TCB_CANARY: usize = 0x28;

// SAFETY: the routine's signature stands in asm/switch_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.abort"]
    fn runtime_abort() -> !;
    #[link_name = "runtime.lfenceBeforeRdtsc"]
    safe static LFENCE_BEFORE_RDTSC: AtomicBool;
    #[link_name = "runtime.cpuidMax"]
    safe static CPUID_MAX: AtomicU32;
    #[link_name = "runtime.cpuid_ecx"]
    safe static CPUID_ECX: AtomicU32;
    #[link_name = "runtime.cpuid_edx"]
    safe static CPUID_EDX: AtomicU32;
}

/// Returns the current g out of the thread's TLS slot.
///
/// The read is volatile to the compiler (no `pure`), so that it is never moved
/// over a switch. It could be cached all the same: code that keeps its stack
/// keeps its g, whatever thread it runs on.
#[inline(always)]
pub(crate) fn getg() -> *mut () {
    let g;
    // SAFETY: reads the eight bytes of `runtime.tlsg` in this thread's TLS,
    // which `needtls` or `clone` set up before any Rust code asks.
    unsafe {
        asm!(
            "mov {}, qword ptr fs:[runtime.tlsg@tpoff]",
            out(reg) g,
            options(nostack, preserves_flags, readonly),
        );
    }
    g
}

/// Returns this thread's stack canary.
pub(crate) fn canary() -> u64 {
    let canary;
    // SAFETY: whoever laid out this thread's TLS, the runtime or a libc, put a
    // control block of more bytes than that at FS.
    unsafe {
        asm!(
            "mov {}, qword ptr fs:[{}]",
            out(reg) canary,
            const TCB_CANARY,
            options(nostack, preserves_flags, readonly),
        );
    }
    canary
}

/// Sets this thread's stack canary. C functions that are running and have seen the
/// old one would take their stack for smashed: there must be none.
pub(crate) fn set_canary(canary: u64) {
    // SAFETY: as above; Rust's functions here have no canaries.
    unsafe {
        asm!(
            "mov qword ptr fs:[{}], {}",
            const TCB_CANARY,
            in(reg) canary,
            options(nostack, preserves_flags),
        );
    }
}

/// Returns the stack pointer of the function that this is inlined into.
#[inline(always)]
pub(crate) fn getsp() -> usize {
    let sp;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}

/// Returns the instruction pointer, the stack pointer and the frame pointer of the
/// function that this is inlined into.
#[inline(always)]
pub(crate) fn registers() -> [usize; 3] {
    let (pc, sp, fp);
    // SAFETY: copies registers.
    unsafe {
        asm!(
            "lea {}, [rip]",
            "mov {}, rsp",
            "mov {}, rbp",
            out(reg) pc,
            out(reg) sp,
            out(reg) fp,
            options(nomem, nostack, preserves_flags),
        );
    };
    [pc, sp, fp]
}

/// Calls `f` with `arg` on another stack, and comes back. Nobody is told: it is for who
/// neither gives way on it nor looks for its end.
///
/// # Safety
///
/// `top` must be the end of memory that nobody else uses, enough for `f`, and divisible
/// by 16. `f` must take `arg`.
pub(crate) unsafe fn call_on(top: usize, f: extern "C" fn(*mut u8), arg: *mut u8) {
    // SAFETY: the caller's promise. The stack pointer is back before anybody sees it.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {f}",
            "mov rsp, r12",
            top = in(reg) top,
            f = in(reg) f,
            in("rdi") arg,
            out("r12") _,
            clobber_abi("C"),
        );
    };
}

/// Ends the program with a trap, where nothing else can be relied on.
pub(crate) fn abort() -> ! {
    // SAFETY: takes nothing and needs nothing.
    unsafe { runtime_abort() }
}

/// Returns the time-stamp counter, read after all earlier instructions.
#[inline(never)]
pub(crate) fn cputicks() -> u64 {
    // Relaxed: written once by the entry, before any other code ran.
    if LFENCE_BEFORE_RDTSC.load(Ordering::Relaxed) {
        // SAFETY: SSE2, which every amd64 CPU has.
        unsafe { _mm_lfence() };
    } else {
        // SAFETY: as above.
        unsafe { _mm_mfence() };
    }
    // SAFETY: an unprivileged instruction unless the system forbids it, which
    // Linux does only on request (prctl PR_SET_TSC).
    unsafe { _rdtsc() }
}

/// Asks for a line of memory, which is to be used soon. Any address will do.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    // SAFETY: SSE, which every amd64 CPU has; it changes nothing, and never faults.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

/// Reads the time-stamp counter as fast as it goes: some instructions around it may have
/// been done before or after.
#[cfg(feature = "sched-trace")]
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    // SAFETY: as above.
    unsafe { _rdtsc() }
}

bitflags! {
    /// What the CPU can do and the system has enabled. Go's `internal/cpu.X86`.
    ///
    /// The bits are CPUID's own: those of leaf 1, ecx, and above them those of
    /// leaf 7, ebx.
    #[derive(Clone, Copy)]
    pub(crate) struct Features: u64 {
        /// SSE3.
        const SSE3 = 1 << 0;
        /// Carry-less multiplication.
        const PCLMULQDQ = 1 << 1;
        /// Supplemental SSE3.
        const SSSE3 = 1 << 9;
        /// Fused multiply-add.
        const FMA = 1 << 12;
        /// SSE4.1.
        const SSE41 = 1 << 19;
        /// SSE4.2.
        const SSE42 = 1 << 20;
        /// POPCNT.
        const POPCNT = 1 << 23;
        /// The AES instructions.
        const AES = 1 << 25;
        /// The system saves more than xmm (XGETBV can be asked).
        const OSXSAVE = 1 << 27;
        /// AVX, CPU and system.
        const AVX = 1 << 28;
        /// RDRAND.
        const RDRAND = 1 << 30;
        /// RDFSBASE and WRFSBASE, if the system allows them.
        const FSGSBASE = 1 << 32;
        /// BMI1.
        const BMI1 = 1 << 35;
        /// AVX2, CPU and system.
        const AVX2 = 1 << 37;
        /// BMI2.
        const BMI2 = 1 << 40;
        /// Fast `rep movsb`.
        const ERMS = 1 << 41;
        /// AVX-512 foundation, CPU and system.
        const AVX512F = 1 << 48;
        /// RDSEED.
        const RDSEED = 1 << 50;
    }
}

static FEATURES: AtomicU64 = AtomicU64::new(0);

/// What CPUID's leaf 1 tells.
const LEAF1: u64 = Features::all().bits() & 0xffff_ffff;

/// What CPUID's leaf 7 tells. Of FSGSBASE the system tells.
const LEAF7: Features =
    Features::all().difference(Features::FSGSBASE.union(Features::from_bits_truncate(LEAF1)));

/// Set in [`FEATURES`] when leaf 7 is in there; no feature of leaf 1 has this bit.
const LEAF7_ASKED: u64 = 1 << 31;

/// Tells whether the CPU has all of these and the system lets them be used. From
/// any thread, behind `cpuinit`.
pub(crate) fn has(needed: Features) -> bool {
    let mut found = FEATURES.load(Ordering::Relaxed); // each bit is right whenever it is seen
    if needed.intersects(LEAF7) && found & LEAF7_ASKED == 0 {
        found |= leaf7() | LEAF7_ASKED;
        FEATURES.fetch_or(found, Ordering::Relaxed); // as above: all askers find the same
    }
    Features::from_bits_truncate(found).contains(needed)
}

/// Finds out what the CPU can do, as far as leaf 1 tells, which the entry has
/// asked. Leaf 7 waits until somebody wants to know: where there is a
/// hypervisor a CPUID costs 7 µs, a fiftieth of a short program's whole life.
pub(crate) fn cpuinit(fsgsbase: bool) {
    let leaf1 = u64::from(CPUID_ECX.load(Ordering::Relaxed)) & LEAF1; // the entry's, same thread
    let mut found = Features::from_bits_truncate(leaf1);
    found.set(Features::FSGSBASE, fsgsbase);
    if !found.contains(Features::OSXSAVE) || !XCr0::read().contains(XCr0Flags::SSE | XCr0Flags::AVX)
    {
        found.remove(Features::AVX | Features::FMA);
    }
    FEATURES.store(found.bits(), Ordering::Relaxed); // still one thread
}

/// Asks leaf 7; what needs more registers than the system saves is left out.
#[cold]
fn leaf7() -> u64 {
    if CPUID_MAX.load(Ordering::Relaxed) < 7 {
        return 0; // the entry's number, long before this thread
    }
    let ebx = u64::from(__cpuid_count(7, 0).ebx) << 32;
    let mut found = Features::from_bits_truncate(ebx) & LEAF7;
    let osxsave = has(Features::OSXSAVE);
    let saved = if osxsave {
        XCr0::read()
    } else {
        XCr0Flags::empty()
    };
    if !saved.contains(XCr0Flags::SSE | XCr0Flags::AVX) {
        found.remove(Features::AVX2);
    }
    if !saved.contains(XCr0Flags::OPMASK | XCr0Flags::ZMM_HI256 | XCr0Flags::HI16_ZMM) {
        found.remove(Features::AVX512F);
    }
    found.bits()
}

/// The entry found no SSE2, which is part of amd64: CPUID lies, or is missing.
pub(crate) fn has_sse2() -> bool {
    // Relaxed: the entry's, same thread.
    CPUID_MAX.load(Ordering::Relaxed) == 0 || CPUID_EDX.load(Ordering::Relaxed) & 1 << 26 != 0
}

/// Does nothing, under a name: a function with this body is unlike all others,
/// and the compiler keeps its symbol instead of folding it into a twin's.
macro_rules! named_nothing {
    ($name:literal) => {
        // SAFETY: a comment in the assembly.
        unsafe {
            ::core::arch::asm!(
                concat!("# ", $name),
                options(nomem, nostack, preserves_flags)
            )
        }
    };
}
pub(crate) use named_nothing;
