//! The clocks: monotonic time by the CPU's time-stamp counter, the time of day by the
//! battery-backed clock, read once.
//!
//! The counter's rate is what somebody says it is: a hypervisor (CPUID 0x40000010, as KVM
//! and VMware have it), the CPU (CPUID 0x15 and 0x16); or else it is measured, against the
//! timer that PCs have had since 1981, the i8254, from the entry until somebody asks for the time,
//! for 1 ms at least; or where there is none (QEMU's `pit=off`) against the battery-backed clock,
//! which takes up to 2 s of the boot.
//!
//! It is taken to run at one rate, and alike on all CPUs: CPUs have done so since 2008, and
//! a machine that lacks it (CPUID 0x80000007) cannot be told from an emulator here.

use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::lock::Locked;
use super::{exit, pit, rtc};
use crate::arch;
use crate::debug::print::say;

const NANOSECONDS: i64 = 1_000_000_000;

/// The bits behind the point in [`RATE`].
const SHIFT: u32 = 32;

/// Nanoseconds for a tick, 0 until somebody asks; and the ticks at which time began.
static RATE: AtomicU64 = AtomicU64::new(0);
static BEGAN: AtomicU64 = AtomicU64::new(0);

/// The look at the i8254 from which it is measured.
static BEGUN: Locked<Option<pit::Look>> = Locked::new(None);

/// The time of day when it did, in nanoseconds since 1970; 0 if nobody has asked.
static WALL: AtomicI64 = AtomicI64::new(0);

/// Begins time. How fast the counter runs is found out when somebody asks what time it is, where
/// there is an i8254 to tell it by: a program that does not ask need not wait. Else it is found
/// out here, and false if there is nothing to tell it by.
pub(super) fn init() -> bool {
    let begun = pit::begin();
    let began = begun.map_or_else(arch::cputicks, |look| look.ticks);
    BEGAN.store(began, Ordering::Relaxed); // still one CPU
    // SAFETY: this is the boot, on one CPU.
    *unsafe { BEGUN.value() } = begun;
    begun.is_some() || find_rate(None).is_some()
}

/// Finds out how fast the counter runs. None if there is nothing to tell it by.
fn find_rate(begun: Option<pit::Look>) -> Option<u64> {
    let measured = || pit::measure(begun).or_else(rtc::measure);
    let hertz = told().or_else(measured)?;
    let rate = ((NANOSECONDS as u64) << SHIFT) / hertz;
    RATE.store(rate, Ordering::Relaxed); // a number
    Some(rate)
}

/// The same for the first who asks what time it is; others who ask wait for that.
#[cold]
fn rate() -> u64 {
    let rate = BEGUN.with(|begun| match RATE.load(Ordering::Relaxed) {
        0 => find_rate(*begun),
        rate => Some(rate),
    });
    rate.unwrap_or_else(|| {
        say(NO_CLOCK, &[], &[]);
        exit(1)
    })
}

/// What is said where there is none.
pub(super) const NO_CLOCK: &str =
    "gort: no clock: the CPU does not tell its counter's rate, and there is no i8254 and no RTC";

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
    // Before the counter is read: it may take a while.
    let rate = match RATE.load(Ordering::Relaxed) {
        0 => rate(),
        rate => rate, // a number
    };
    // Relaxed: written while there was one CPU.
    let ticks = arch::cputicks().saturating_sub(BEGAN.load(Ordering::Relaxed));
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
