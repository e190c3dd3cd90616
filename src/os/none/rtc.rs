//! The battery-backed clock, an MC146818 or what has taken its place: the time of day, to
//! the second.

use core::hint::spin_loop;

use x86_64::instructions::port::Port;

use super::lock::Locked;
use crate::arch;

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;

/// Registers: what it tells, and how.
const SECONDS: u8 = 0;
const MINUTES: u8 = 2;
const HOURS: u8 = 4;
const DAY: u8 = 7;
const MONTH: u8 = 8;
const YEAR: u8 = 9;
const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;

/// It is about to tick: what is read may be half of it.
const UPDATING: u8 = 1 << 7;

/// Numbers are binary, and not two decimal digits; hours go to 23.
const BINARY: u8 = 1 << 2;
const FULL_DAY: u8 = 1 << 1;
const AFTERNOON: u8 = 1 << 7;

/// What reads as that is not there.
const NOTHING: u8 = 0xff;

/// How often to look for a tick until there is none: seconds, by the slowest of ports.
const PATIENCE: u32 = 20_000_000;

/// The index is one for all.
static LOCK: Locked<()> = Locked::new(());

/// Reads a register.
fn read(register: u8) -> u8 {
    LOCK.with(|()| {
        // SAFETY: the clock's, or nothing at all; no memory is at stake.
        unsafe { Port::new(INDEX).write(register) };
        // SAFETY: as above.
        unsafe { Port::new(DATA).read() }
    })
}

/// Returns the seconds since 1970; 0 if there is no clock. It is taken to run by UTC.
pub(super) fn seconds() -> i64 {
    if read(STATUS_A) == NOTHING {
        return 0;
    }
    let mut before = read_all();
    loop {
        let now = read_all();
        if now == before {
            break;
        }
        before = now; // it has ticked between
    }
    let [second, minute, hour, day, month, year] = before;
    let mode = read(STATUS_B);
    let number = |value: u8| match mode & BINARY {
        0 => i64::from(value >> 4) * 10 + i64::from(value & 15),
        _ => i64::from(value),
    };
    let mut hours = number(hour & !AFTERNOON);
    if mode & FULL_DAY == 0 {
        hours = hours % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 };
    } else {
        hours = number(hour);
    }
    // In this century.
    let days = days(2000 + number(year), number(month), number(day));
    ((days * 24 + hours) * 60 + number(minute)) * 60 + number(second)
}

/// Reads all there is, while it is not about to tick.
fn read_all() -> [u8; 6] {
    let mut looks = 0;
    while read(STATUS_A) & UPDATING != 0 && looks < PATIENCE {
        looks += 1;
        spin_loop();
    }
    [SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR].map(read)
}

/// Counts the days from 1970 on, by the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // A year that begins in March has its odd day at its end.
    let (year, month) = match month {
        ..=2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leap = year / 4 - year / 100 + year / 400;
    year * 365 + leap + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Measures the time-stamp counter's rate in ticks a second, by two ticks of this clock.
/// None if there is no such clock.
pub(super) fn measure() -> Option<u64> {
    let begin = tick()?;
    let end = tick()?;
    Some(end - begin)
}

/// Waits for a tick, and returns when that was.
fn tick() -> Option<u64> {
    let second = read(SECONDS);
    if second == NOTHING {
        return None;
    }
    for _ in 0..PATIENCE {
        if read(SECONDS) != second {
            return Some(arch::cputicks());
        }
    }
    None
}
