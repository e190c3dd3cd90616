//! The end of the program, which is the machine's.
//!
//! QEMU's device isa-debug-exit, at port 0xf4, ends QEMU with twice the number written to
//! it and one: `(status << 1) | 1`, of which a process's status has the lower eight bits.
//! So it has room for seven of ours:
//!
//! | our status | is written as | QEMU's |
//! | --- | --- | --- |
//! | 0 to 126 | itself | 1 to 253, odd |
//! | any other, as 134 for SIGABRT | 127, behind a line that says it | 255 |
//!
//! Where there is no such device the same line says any status, and the machine is reset.

use x86_64::instructions::{hlt, interrupts, port::Port};

/// Where the device is.
const DEBUG_EXIT: u16 = 0xf4;

/// What stands for a status that it has no room for.
const LARGE: i32 = 127;

/// Ends the program, all of it.
pub(crate) fn exit(status: i32) -> ! {
    crate::debug::trace::finish(status);
    let status = status & 0xff; // as Linux has it
    if status >= LARGE {
        say(status);
    }
    // SAFETY: ends the machine, or does nothing.
    unsafe { Port::new(DEBUG_EXIT).write(status.min(LARGE) as u32) };
    if status < LARGE {
        say(status);
    }
    reset()
}

/// Says a status on a line of its own.
fn say(status: i32) {
    crate::debug::print::say("exit status %d", &[status as u64], &[]);
}

/// Resets the machine: by the chipset, by the keyboard controller, by a fault that the CPU
/// can tell nobody of.
fn reset() -> ! {
    const CHIPSET: u16 = 0xcf9;
    const KEYBOARD: u16 = 0x64;
    interrupts::disable();
    // SAFETY: resets the machine, or does nothing.
    unsafe { Port::new(CHIPSET).write(6u8) };
    // SAFETY: as above.
    unsafe { Port::new(KEYBOARD).write(0xfeu8) };
    // SAFETY: no table of interrupts: the next one is a triple fault, which is a reset.
    unsafe { core::arch::asm!("push 0", "push 0", "lidt [rsp]", "ud2",) };
    loop {
        hlt();
    }
}
