//! The local APIC: each CPU's own timer, and what CPUs interrupt each other by.
//!
//! By its registers in memory (xAPIC), and its timer in one-shot mode, whose pace is
//! measured by the clock when it is first used. There are newer ways for both (x2APIC, the
//! TSC deadline), which nobody has tried here: they are left alone.
//!
//! Linux's counterpart: `arch/x86/kernel/apic/apic.c`; Intel's manual, volume 3, chapter 11.

use core::arch::x86_64::__cpuid;
use core::ptr;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use x86_64::instructions::port::Port;
use x86_64::registers::model_specific::Msr;

use super::{memory, nanotime};

/// The vectors of our own, in the highest class: see [`OURS_ALONE`].
pub(super) const TIMER: u8 = 0xf0;
/// Somebody is ready, or a signal has come.
pub(super) const WAKE: u8 = 0xf1;
/// What is mapped has changed.
pub(super) const FLUSH: u8 = 0xf2;
/// What the CPU does by itself, for a signal of its own; no interrupt.
pub(super) const SIGNAL: u8 = 0xf3;
/// What the APIC sends when it has nothing to send; by its manual the low bits are ones.
pub(super) const SPURIOUS: u8 = 0xff;

/// The registers, by their places.
const ID: usize = 0x20;
const TASK_PRIORITY: usize = 0x80;
const END_OF_INTERRUPT: usize = 0xb0;
const SPURIOUS_VECTOR: usize = 0xf0;
const IN_SERVICE: usize = 0x100;
const COMMAND_LOW: usize = 0x300;
const COMMAND_HIGH: usize = 0x310;
const LOCAL_TIMER: usize = 0x320;
const LOCAL_LINE0: usize = 0x350;
const LOCAL_LINE1: usize = 0x360;
const LOCAL_ERROR: usize = 0x370;
const INITIAL_COUNT: usize = 0x380;
const CURRENT_COUNT: usize = 0x390;
const DIVIDE: usize = 0x3e0;

const SIZE: usize = 0x1000;

/// What is written to them.
const ENABLED: u32 = 1 << 8;
const MASKED: u32 = 1 << 16;
/// The CPU's priority: vectors of all lower classes stay out, whoever sends them. A device that
/// nobody has asked for, and which nobody could make stop, can send what it likes: the handler
/// of such a storm would take longer than it is to the next one.
const OURS_ALONE: u32 = 0xe0;
const NMI_DELIVERY: u32 = 0b100 << 8;
const BY_ONE: u32 = 0b1011;
const BUSY: u32 = 1 << 12;
const INIT: u32 = 0b101 << 8 | 1 << 14;
const STARTUP: u32 = 0b110 << 8 | 1 << 14;

/// Where the registers are, and whether this CPU is in the newer mode already.
const APIC_BASE: Msr = Msr::new(0x1b);
const BASE: u64 = 0x000f_ffff_ffff_f000;
const X2APIC: u64 = 1 << 10;

/// How long the timer's pace is measured, in nanoseconds.
const MEASURED: i64 = 500_000;

/// Where the registers are mapped; 0 before.
static REGISTERS: AtomicUsize = AtomicUsize::new(0);

/// How many ticks of the timer there are in 2^20 nanoseconds; 0 before it was measured.
static PACE: AtomicU64 = AtomicU64::new(0);

/// Finds the registers, and turns the old interrupt controller off. On the CPU that boots.
/// False if there is none that we know.
pub(super) fn init() -> bool {
    /// The two old controllers' mask registers.
    const PICS: [u16; 2] = [0x21, 0xa1];
    for port in PICS {
        // SAFETY: masks all its lines; nobody waits for one.
        unsafe { Port::<u8>::new(port).write(0xff) };
    }
    let has_apic = __cpuid(1).edx & 1 << 9 != 0;
    if !has_apic {
        return false;
    }
    // SAFETY: there is that register where there is an APIC.
    let base = unsafe { APIC_BASE.read() };
    if base & X2APIC != 0 {
        return false;
    }
    let Some(registers) = memory::map_device(base & BASE, SIZE) else {
        return false;
    };
    REGISTERS.store(registers.addr(), Ordering::Relaxed); // other CPUs start later
    enable();
    true
}

/// Turns this CPU's on.
pub(super) fn enable() {
    let registers = register(0);
    let write = |place: usize, value| {
        let register = registers.wrapping_byte_add(place);
        // SAFETY: as for `write`.
        unsafe { register.write_volatile(value) };
    };
    write(TASK_PRIORITY, OURS_ALONE);
    write(LOCAL_TIMER, MASKED);
    write(LOCAL_LINE0, MASKED); // the old controllers
    write(LOCAL_LINE1, NMI_DELIVERY);
    write(LOCAL_ERROR, MASKED);
    write(DIVIDE, BY_ONE);
    write(SPURIOUS_VECTOR, ENABLED | u32::from(SPURIOUS));
    write(END_OF_INTERRUPT, 0); // whatever firmware has left
}

/// Returns this CPU's number.
pub(super) fn id() -> u32 {
    read(ID) >> 24
}

/// The interrupt that is being handled is.
pub(super) fn end_of_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

/// Tells whether an interrupt of that vector is being handled, and not some instruction's.
pub(super) fn in_service(vector: u8) -> bool {
    let word = read(IN_SERVICE + usize::from(vector) / 32 * 0x10);
    word & 1 << (vector % 32) != 0
}

/// Has this CPU's timer interrupt it after so many nanoseconds, or a little later or
/// sooner. With interrupts off.
pub(super) fn set_timer(ns: i64) {
    let pace = match PACE.load(Ordering::Relaxed) {
        0 => measure(),
        pace => pace,
    };
    let ticks = (u128::from(ns.max(0).unsigned_abs()) * u128::from(pace)) >> 20;
    write(LOCAL_TIMER, TIMER.into());
    // Too early is asked again. Zero would stop it.
    write(INITIAL_COUNT, ticks.clamp(1, u32::MAX.into()) as u32);
}

/// Measures the timer's pace. With interrupts off; each CPU that does finds the same.
#[cold]
fn measure() -> u64 {
    write(LOCAL_TIMER, MASKED);
    write(INITIAL_COUNT, u32::MAX);
    let (start, first) = look();
    while nanotime() - start < MEASURED {
        core::hint::spin_loop();
    }
    let (now, last) = look();
    let ticks = u64::from(first - last);
    let pace = ((ticks << 20) / (now - start).unsigned_abs()).max(1);
    PACE.store(pace, Ordering::Relaxed); // a number
    pace
}

/// Looks at the clock and at the timer's count, several times, and returns the shortest look:
/// between the two a guest may not be let run for long.
fn look() -> (i64, u32) {
    const LOOKS: u32 = 4;
    let once = || {
        let before = nanotime();
        let count = read(CURRENT_COUNT);
        (nanotime() - before, before, count)
    };
    let mut best = once();
    for _ in 1..LOOKS {
        best = best.min(once());
    }
    (best.1, best.2)
}

/// Interrupts another CPU. With interrupts off.
pub(super) fn interrupt(apic_id: u32, vector: u8) {
    command(apic_id, vector.into());
}

/// Interrupts this CPU, as soon as it lets interrupts through. Wherever it is: what somebody
/// else is about to send from here stays as it is.
pub(super) fn interrupt_self(vector: u8) {
    const SELF: u32 = 0b01 << 18;
    let high = read(COMMAND_HIGH);
    while read(COMMAND_LOW) & BUSY != 0 {
        core::hint::spin_loop();
    }
    write(COMMAND_LOW, SELF | u32::from(vector));
    write(COMMAND_HIGH, high);
}

/// Resets another CPU, which waits then for [`start`]. With interrupts off.
pub(super) fn reset(apic_id: u32) {
    command(apic_id, INIT);
}

/// Starts a CPU that was reset, in real mode, at that address. With interrupts off.
pub(super) fn start(apic_id: u32, page: u8) {
    command(apic_id, STARTUP | u32::from(page));
}

/// Sends something to another CPU.
fn command(apic_id: u32, what: u32) {
    while read(COMMAND_LOW) & BUSY != 0 {
        core::hint::spin_loop();
    }
    write(COMMAND_HIGH, apic_id << 24);
    write(COMMAND_LOW, what);
}

/// Reads a register.
fn read(register: usize) -> u32 {
    // SAFETY: `init` has mapped them, and to read these changes nothing.
    unsafe { self::register(register).read_volatile() }
}

/// Writes a register.
fn write(register: usize, value: u32) {
    // SAFETY: as above; what it does is the callers' business.
    unsafe { self::register(register).write_volatile(value) };
}

/// Returns where a register is.
fn register(place: usize) -> *mut u32 {
    let registers = REGISTERS.load(Ordering::Relaxed); // written once, at boot
    ptr::with_exposed_provenance_mut(registers + place)
}
