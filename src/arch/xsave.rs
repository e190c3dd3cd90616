//! The extended state of the CPU, which asyncPreempt saves and puts back: how
//! large it is, and what belongs to it.
//!
//! Go's counterpart: the `hasAVX` in `runtime/preempt_amd64.s`. What is not saved:
//!
//! - *AMX's tiles*, 8 KiB. The system gives them to nobody who has not asked
//!   (arch_prctl ARCH_REQ_XCOMP_PERM); code that has asked keeps off preemption
//!   with `GODEBUG=asyncpreemptoff=1`.
//! - *PKRU*, the rights of a thread to pages. They stay with the thread: a
//!   goroutine that is put back with old rights could undo what has been locked
//!   since.
//! - What only the system can save, such as CET's shadow stacks.

use core::arch::x86_64::__cpuid_count;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use x86_64::registers::xcontrol::XCr0;

/// The bits of XCR0 that a goroutine's code may use: x87, SSE, AVX; AVX-512's masks,
/// upper halves and upper sixteen; and APX's general registers.
const SAVED: u64 = 0b111 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 19;

/// The first component that leaf 0xD describes; those below lie at fixed places.
const FIRST_DESCRIBED: u32 = 2;

/// FXSAVE's area, and with XSAVE's header behind it.
const FXSAVE_SIZE: usize = 512;
const LEGACY_SIZE: usize = FXSAVE_SIZE + 64;

/// CPUID's leaf about XSAVE.
const LEAF_XSAVE: u32 = 0xd;

/// The size of the area; 0 until [`init_xsave`] has been called. asyncPreempt reads it.
#[unsafe(export_name = "runtime.xsaveSize")]
static XSAVE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// What XSAVE is to save; 0 where there is FXSAVE alone. asyncPreempt reads it.
#[unsafe(export_name = "runtime.xsaveMask")]
static XSAVE_MASK: AtomicU32 = AtomicU32::new(0);

/// Returns the size of the area that asyncPreempt saves to, or 0 if that is not known
/// yet.
pub(crate) fn xsave_size() -> usize {
    XSAVE_SIZE.load(Ordering::Acquire) // pairs with init_xsave: the mask is there
}

/// Finds out how large the area is; `osxsave` says that XCR0 can be read, since without a
/// system this comes before `cpuinit`. Up to five times CPUID, 35 µs where there is a
/// hypervisor: only when somebody is to be preempted. Any number of threads may do so.
#[cold]
pub(crate) fn init_xsave(osxsave: bool) {
    let (mask, size) = if osxsave {
        let mask = XCr0::read_raw() & SAVED;
        (mask as u32, area(mask))
    } else {
        (0, FXSAVE_SIZE)
    };
    XSAVE_MASK.store(mask, Ordering::Relaxed); // the next line publishes it
    XSAVE_SIZE.store(size, Ordering::Release); // pairs with xsave_size
}

/// Returns how far an area reaches that has these components, each at its own place.
fn area(mask: u64) -> usize {
    let mut rest = mask >> FIRST_DESCRIBED << FIRST_DESCRIBED;
    let mut end = LEGACY_SIZE;
    while rest != 0 {
        let leaf = __cpuid_count(LEAF_XSAVE, rest.trailing_zeros());
        end = end.max((leaf.eax + leaf.ebx) as usize); // its size and its place
        rest &= rest - 1;
    }
    end
}
