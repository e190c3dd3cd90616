//! The i8254, a timer that counts down 1,193,182 times a second: to measure the
//! time-stamp counter by.
//!
//! Its first channel is asked for what it has come to, by latch and read, since QEMU's
//! microvm has no port 0x61 by which the third could be started and watched.

use core::hint::spin_loop;

use x86_64::instructions::port::Port;

use crate::arch;

const HERTZ: u64 = 1_193_182;

const COUNTER: u16 = 0x40;
const CONTROL: u16 = 0x43;

/// Channel 0, low byte and high byte, mode 2: down from 65,536, over and over.
const COUNT_DOWN: u8 = 0x34;
const LATCH: u8 = 0x00;

/// How long to measure: 1 ms in its ticks, of which a look is off by a thousandth at worst.
const TICKS: u16 = 1193;

/// How often what is read may be the same until there is none: what nothing is behind reads
/// as 0xff.
const PATIENCE: u32 = 1000;

/// How many looks to choose from: the shortest is the most exact.
const LOOKS: u32 = 4;

/// A look at both clocks.
#[derive(Clone, Copy)]
struct Look {
    ticks: u64,
    count: u16,
    /// How many ticks the look has taken.
    took: u64,
}

/// Measures the time-stamp counter's rate, in ticks a second. None if there is no i8254.
pub(super) fn measure() -> Option<u64> {
    write(CONTROL, COUNT_DOWN);
    write(COUNTER, 0);
    write(COUNTER, 0);
    let first = look();
    let mut same = 0;
    while look().count == first.count {
        same += 1;
        if same == PATIENCE {
            return None;
        }
    }
    let begin = best();
    let mut end = look();
    // It wraps, as the difference does.
    while begin.count.wrapping_sub(end.count) < TICKS {
        spin_loop();
        end = look();
    }
    let end = best();
    let counted = u64::from(begin.count.wrapping_sub(end.count));
    let ticks = u128::from(end.ticks - begin.ticks);
    u64::try_from(ticks * u128::from(HERTZ) / u128::from(counted)).ok()
}

/// Looks several times, and returns the shortest.
fn best() -> Look {
    let mut best = look();
    for _ in 1..LOOKS {
        let next = look();
        if next.took <= best.took {
            best = next;
        }
    }
    best
}

/// Looks once.
fn look() -> Look {
    let before = arch::cputicks();
    write(CONTROL, LATCH); // at this moment the count is taken
    let behind = arch::cputicks();
    let (low, high) = (read(), read());
    Look {
        ticks: before + (behind - before) / 2,
        count: u16::from_le_bytes([low, high]),
        took: behind - before,
    }
}

/// Reads the counter's next byte.
fn read() -> u8 {
    // SAFETY: the timer, or nothing at all; no memory is at stake.
    unsafe { Port::new(COUNTER).read() }
}

/// Writes to it.
fn write(port: u16, value: u8) {
    // SAFETY: as above. Its interrupt is masked.
    unsafe { Port::new(port).write(value) };
}
