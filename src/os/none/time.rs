//! The clocks: monotonic time by the CPU's time-stamp counter, the time of day by the
//! battery-backed clock, read once.
//!
//! The counter's rate is what somebody says it is: a hypervisor (CPUID 0x40000010, as KVM
//! and VMware have it), the CPU (CPUID 0x15 and 0x16); or else it is measured, against the
//! timer that PCs have had since 1981, the i8254, for 1 ms of the boot, or where there is none (QEMU's
//! `pit=off`) against the battery-backed clock, which takes up to 2 s.
//!
//! It is taken to run at one rate, and alike on all CPUs: CPUs have done so since 2008, and
//! a machine that lacks it (CPUID 0x80000007) cannot be told from an emulator here.

use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::{pit, rtc};
use crate::arch;

const NANOSECONDS: i64 = 1_000_000_000;

/// The bits behind the point in [`RATE`].
const SHIFT: u32 = 32;

/// Nanoseconds for a tick, and the ticks at which time began.
static RATE: AtomicU64 = AtomicU64::new(0);
static BEGAN: AtomicU64 = AtomicU64::new(0);

/// The time of day when it did, in nanoseconds since 1970; 0 if nobody has asked.
static WALL: AtomicI64 = AtomicI64::new(0);

/// Finds out how fast the counter runs. False if there is nothing to tell it by.
/// `begun` is what `pit::begin` has returned.
pub(super) fn init(begun: Option<pit::Look>) -> bool {
    let measured = || pit::measure(begun).or_else(rtc::measure);
    let Some(hertz) = told().or_else(measured) else {
        return false;
    };
    let rate = ((NANOSECONDS as u64) << SHIFT) / hertz;
    BEGAN.store(arch::cputicks(), Ordering::Relaxed); // still one CPU
    RATE.store(rate, Ordering::Relaxed); // as above
    true
}

/// Asks the hypervisor and the CPU for the counter's rate.
fn told() -> Option<u64> {
    const HYPERVISOR: u32 = 0x4000_0000;
    const HYPERVISOR_TSC: u32 = 0x4000_0010;
    const TSC: u32 = 0x15;
    const FREQUENCY: u32 = 0x16;
    let positive = |hertz: u64| (hertz > 0).then_some(hertz);
    if __cpuid(1).ecx & 1 << 31 != 0 && __cpuid(HYPERVISOR).eax >= HYPERVISOR_TSC {
        let kilohertz = __cpuid(HYPERVISOR_TSC).eax;
        if let Some(hertz) = positive(u64::from(kilohertz) * 1000) {
            return Some(hertz);
        }
    }
    let most = __cpuid(0).eax;
    if most < TSC {
        return None;
    }
    let ratio = __cpuid_count(TSC, 0);
    if ratio.eax > 0 && ratio.ecx > 0 {
        let product = u64::from(ratio.ecx) * u64::from(ratio.ebx);
        if let Some(hertz) = positive(product / u64::from(ratio.eax)) {
            return Some(hertz);
        }
    }
    if most < FREQUENCY || ratio.ebx == 0 {
        return None; // without a ratio the counter need not run at the CPU's frequency
    }
    let megahertz = __cpuid_count(FREQUENCY, 0).eax & 0xffff;
    positive(u64::from(megahertz) * 1_000_000)
}

/// Returns the monotonic time in nanoseconds; it begins with the machine. From any thread,
/// on any stack.
pub(crate) fn nanotime() -> i64 {
    // Relaxed: written while there was one CPU.
    let ticks = arch::cputicks().saturating_sub(BEGAN.load(Ordering::Relaxed));
    let rate = RATE.load(Ordering::Relaxed);
    // Never zero, which means no time to some.
    1 + ((u128::from(ticks) * u128::from(rate)) >> SHIFT) as i64
}

/// Returns the monotonic time: seconds, and the nanoseconds beside them.
pub(crate) fn monotonic() -> (i64, i64) {
    split(nanotime())
}

/// Returns the seconds since 1970 and the nanoseconds beside them. What is behind the
/// seconds is right to one of them: the battery-backed clock has no more.
pub(crate) fn walltime() -> (i64, i64) {
    let mut began = WALL.load(Ordering::Relaxed); // a number by itself
    if began == 0 {
        let found = rtc::seconds() * NANOSECONDS - nanotime();
        // Who comes second takes the first one's: time does not jump. Relaxed: as above.
        let stored = WALL.compare_exchange(0, found, Ordering::Relaxed, Ordering::Relaxed);
        began = stored.err().unwrap_or(found);
    }
    split(began + nanotime())
}

/// Splits nanoseconds.
fn split(nanoseconds: i64) -> (i64, i64) {
    (nanoseconds / NANOSECONDS, nanoseconds % NANOSECONDS)
}

/// There is no vDSO.
///
/// # Safety
///
/// None is needed.
pub(crate) unsafe fn use_vdso_clock(_: usize) {}

/// There is no vDSO.
///
/// # Safety
///
/// None is needed.
pub(crate) unsafe fn use_vdso_getcpu(_: usize) {}
