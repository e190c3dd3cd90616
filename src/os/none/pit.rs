//! The i8254, a timer that counts down 1,193,182 times a second: to measure the
//! time-stamp counter by.
//!
//! Its first channel is started when the boot begins, so that what the boot does anyway
//! takes most of the time that is measured, and asked for what it has come to by the
//! read-back command: QEMU's microvm has no port 0x61 by which the third could be started
//! and watched.
//!
//! It counts once, for 55 ms (mode 0), and says with each look whether it is over: who was
//! not let run for longer, as the guest of a busy host may be, measures anew. By the count
//! alone a wait of 55 ms more could not be seen, and time would run at a fraction of its
//! pace.

use core::arch::x86_64::_rdtsc;
use core::hint::spin_loop;

use x86_64::instructions::port::Port;

const HERTZ: u64 = 1_193_182;

const COUNTER: u16 = 0x40;
const CONTROL: u16 = 0x43;

/// Channel 0, low byte and high byte, mode 0: down from 65,535, once.
const COUNT_DOWN: u8 = 0x30;
/// Read back channel 0: its status, and then its count; or its status alone.
const READ_BACK: u8 = 0xc2;
const READ_STATUS: u8 = 0xe2;

/// What it counts down from.
const FIRST: u16 = u16::MAX;

/// The status: it is over; and it has not begun to count yet.
const OVER: u8 = 1 << 7;
const NOT_BEGUN: u8 = 1 << 6;
/// The status's lower bits, which say the mode: ours, or nothing is there.
const MODE: u8 = 0x3f;

/// How long to measure: 1 ms in its ticks, of which it is off by two thousandths at worst.
const TICKS: u16 = 1193;

/// How often to look without seeing it count until there is none.
const PATIENCE: u32 = 1000;

/// How often to begin where it was over each time, or is not there.
const ROUNDS: u32 = 20;

/// A first look that has taken longer than this part of the time between the two is not taken:
/// who looks was interrupted, where it looks for the first time, too.
const EXACT: u64 = 256;

/// How many looks to choose from: the shortest is the most exact.
const LOOKS: u32 = 4;

/// A look at both clocks.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) ticks: u64,
    count: u16,
    /// How many ticks the look has taken.
    took: u64,
}

/// Starts the timer: [`measure`] looks how far it has come. None if there is no i8254. Not
/// [`look`]: an emulator takes longer to translate it than to run it. It begins to count one or two
/// of its ticks later, two thousandths of the shortest time that is measured.
pub(super) fn begin() -> Option<Look> {
    let [low, high] = FIRST.to_le_bytes();
    write(CONTROL, COUNT_DOWN);
    write(COUNTER, low);
    let before = ticks();
    write(COUNTER, high); // from now on it counts
    let behind = ticks();
    write(CONTROL, READ_STATUS);
    (read() & MODE == COUNT_DOWN).then_some(Look {
        ticks: before + (behind - before) / 2,
        count: FIRST,
        took: behind - before,
    })
}

/// Measures the time-stamp counter's rate since `begun`, in ticks a second. None if there is
/// no i8254.
pub(super) fn measure(begun: Option<Look>) -> Option<u64> {
    let mut first = begun;
    for round in 1..=ROUNDS {
        if let Some(first) = first
            && let Some(last) = later(first)
            && (round == ROUNDS || first.took <= (last.ticks - first.ticks) / EXACT)
        {
            let counted = u64::from(first.count - last.count);
            // No CPU counts to 2^43 in the 55 ms that this is.
            let ticks = (last.ticks - first.ticks).checked_mul(HERTZ)?;
            return Some(ticks / counted);
        }
        first = begin().and_then(|_| best());
    }
    None
}

/// Looks until there is enough between the two. None if it is over before, or stands still.
fn later(first: Look) -> Option<Look> {
    let enough = |look: Look| first.count.saturating_sub(look.count) >= TICKS;
    let (mut last, mut same) = (look()?, 0);
    while !enough(last) {
        spin_loop();
        let next = look()?;
        same = if next.count == last.count {
            same + 1
        } else {
            0
        };
        if same == PATIENCE {
            return None;
        }
        last = next;
    }
    best().filter(|&look| enough(look))
}

/// Looks several times, and returns the shortest. None if it is over, or not there.
fn best() -> Option<Look> {
    let mut best = look()?;
    for _ in 1..LOOKS {
        let next = look()?;
        if next.took <= best.took {
            best = next;
        }
    }
    Some(best)
}

/// Looks once. None if it is over, or not there.
fn look() -> Option<Look> {
    for _ in 0..PATIENCE {
        // Without a fence: a port is slow.
        let before = ticks();
        write(CONTROL, READ_BACK); // at this moment the count is taken
        let behind = ticks();
        let (status, low, high) = (read(), read(), read());
        if status & OVER != 0 || status & MODE != COUNT_DOWN {
            return None;
        }
        if status & NOT_BEGUN == 0 {
            return Some(Look {
                ticks: before + (behind - before) / 2,
                count: u16::from_le_bytes([low, high]),
                took: behind - before,
            });
        }
    }
    None
}

/// Reads the time-stamp counter.
fn ticks() -> u64 {
    // SAFETY: each CPU with a 64-bit mode has one.
    unsafe { _rdtsc() }
}

/// Reads the counter's next byte.
fn read() -> u8 {
    // SAFETY: the timer, or nothing at all; no memory is at stake.
    unsafe { Port::new(COUNTER).read() }
}

/// Writes to it.
fn write(port: u16, value: u8) {
    // SAFETY: as above. Its interrupt is masked, or interrupts are off.
    unsafe { Port::new(port).write(value) };
}
