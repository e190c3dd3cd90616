//! The clocks: through the vDSO where there is one, by the system call where
//! there is none (under an emulator, say).
//!
//! Go's counterparts: `nanotime1` and `walltime` in `sys_linux_amd64.s`.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::syscall::{nr, syscall4};

const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;

/// The kernel's `struct timespec`.
#[repr(C)]
#[derive(Default)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// `int clock_gettime(clockid_t, struct timespec *)` as the vDSO has it.
type ClockGettime = extern "C" fn(i32, *mut Timespec) -> i32;

/// The address of the vDSO's clock_gettime, or 0.
static VDSO_CLOCK_GETTIME: AtomicUsize = AtomicUsize::new(0);

/// The address of the vDSO's getcpu, or 0.
static VDSO_GETCPU: AtomicUsize = AtomicUsize::new(0);

/// Takes the number of the CPU from the vDSO from now on.
///
/// # Safety
///
/// The address must be that of the vDSO's `__vdso_getcpu`.
pub(crate) unsafe fn use_vdso_getcpu(getcpu: usize) {
    VDSO_GETCPU.store(getcpu, Ordering::Relaxed); // still one thread
}

/// Takes the clock from the vDSO from now on.
///
/// # Safety
///
/// The address must be that of the vDSO's `__vdso_clock_gettime`.
pub(crate) unsafe fn use_vdso_clock(clock_gettime: usize) {
    VDSO_CLOCK_GETTIME.store(clock_gettime, Ordering::Relaxed); // still one thread
}

/// Returns the monotonic time in nanoseconds. From any thread, on any stack
/// with a kilobyte left.
pub(crate) fn nanotime() -> i64 {
    let (seconds, nanoseconds) = monotonic();
    seconds * 1_000_000_000 + nanoseconds
}

/// Returns the monotonic time: seconds, and the nanoseconds beside them.
#[inline(always)] // a call of `clock`
pub(crate) fn monotonic() -> (i64, i64) {
    clock(CLOCK_MONOTONIC)
}

/// Returns the seconds since 1970 and the nanoseconds beside them.
pub(crate) fn walltime() -> (i64, i64) {
    clock(CLOCK_REALTIME)
}

/// Reads a clock, which cannot fail for the two above.
fn clock(id: i32) -> (i64, i64) {
    let mut now = Timespec::default();
    let vdso = VDSO_CLOCK_GETTIME.load(Ordering::Relaxed); // written once, at boot
    if vdso != 0 {
        // SAFETY: `use_vdso_clock` was promised that this is such a function.
        let clock_gettime: ClockGettime = unsafe { core::mem::transmute(vdso) };
        if clock_gettime(id, &raw mut now) == 0 {
            return (now.seconds, now.nanoseconds);
        }
    }
    // SAFETY: the kernel writes one timespec, which we own.
    unsafe {
        syscall4(
            nr::CLOCK_GETTIME,
            [id as usize, (&raw mut now).addr(), 0, 0],
        )
    };
    (now.seconds, now.nanoseconds)
}

/// `int getcpu(unsigned *cpu, unsigned *node, void *unused)` as the vDSO has it.
type Getcpu = extern "C" fn(*mut u32, *mut u32, usize) -> i32;

/// Returns the number of the CPU that this thread is on at this moment.
pub(crate) fn getcpu() -> u32 {
    let mut cpu = 0u32;
    let vdso = VDSO_GETCPU.load(Ordering::Relaxed); // written once, at boot
    if vdso != 0 {
        // SAFETY: `use_vdso_getcpu` was promised that this is such a function.
        let getcpu: Getcpu = unsafe { core::mem::transmute(vdso) };
        if getcpu(&raw mut cpu, core::ptr::null_mut(), 0) == 0 {
            return cpu;
        }
    }
    // SAFETY: the kernel writes one number, which we own.
    unsafe { syscall4(nr::GETCPU, [(&raw mut cpu).addr(), 0, 0, 0]) };
    cpu
}
