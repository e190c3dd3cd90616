//! The runtime's own messages: one line each, put together on the stack and
//! written to stderr by one system call, so that lines never mix.
//!
//! Go's counterpart: `runtime/print.go`. `core::fmt` is left to the program:
//! without it an empty one is half as large. For the same reason a message is a
//! template and its values, one call, and not a chain of calls.

use core::mem::MaybeUninit;
use core::slice;

use crate::os;

/// The longest line that [`say`] prints; what goes beyond is cut.
const LONGEST: usize = 512;

/// The most that is shown of a text from outside.
const FOREIGN: usize = 100;

/// Prints a line on stderr. In the template stand for the next of `numbers`
///
/// - `%d`: in decimal,
/// - `%x`: in hexadecimal,
/// - with the feature `trace`, `%c`: in decimal, right-aligned in nine columns,
///   and `%m`: nanoseconds as milliseconds with three decimals,
///
/// and for the next of `texts`
///
/// - `%s`: the text,
/// - `%q`: the same from outside: cut, with control characters as `?`.
///
/// From any stack with a kilobyte left; allocates nothing. If the write fails
/// there is nobody left to tell.
#[inline(never)]
#[cold]
pub(crate) fn say(template: &str, numbers: &[u64], texts: &[&[u8]]) {
    let mut line = Line::<LONGEST>::new();
    line.add(template, numbers, texts);
    line.print();
}

/// A line in the making, or more of them, of at most `ROOM` bytes.
pub(crate) struct Line<const ROOM: usize> {
    text: [MaybeUninit<u8>; ROOM],
    /// How much of it is written; the last byte is kept for the newline.
    length: usize,
}

impl<const ROOM: usize> Line<ROOM> {
    /// Begins one.
    #[inline(always)] // what is returned would be copied
    pub(crate) fn new() -> Self {
        Self {
            text: [MaybeUninit::uninit(); ROOM],
            length: 0,
        }
    }

    /// Appends what [`say`] would print.
    pub(crate) fn add(&mut self, template: &str, numbers: &[u64], texts: &[&[u8]]) {
        let (mut numbers, mut texts) = (numbers.iter(), texts.iter());
        let mut rest = template.as_bytes();
        while let [byte, tail @ ..] = rest {
            rest = tail;
            if *byte != b'%' {
                self.byte(*byte);
                continue;
            }
            let [kind, tail @ ..] = rest else { break };
            rest = tail;
            if matches!(kind, b's' | b'q') {
                let Some(text) = texts.next() else { break };
                for (at, &byte) in text.iter().enumerate() {
                    if *kind == b's' {
                        self.byte(byte);
                    } else if at < FOREIGN {
                        self.byte(if byte < b' ' || byte == 0x7f {
                            b'?'
                        } else {
                            byte
                        });
                    }
                }
                continue;
            }
            let Some(&number) = numbers.next() else { break };
            match kind {
                b'm' if cfg!(feature = "trace") => {
                    self.number(number / 1_000_000, 10);
                    self.byte(b'.');
                    self.padded(number / 1000 % 1000, 3, b'0');
                }
                b'c' if cfg!(feature = "trace") => self.padded(number, 9, b' '),
                b'x' => self.number(number, 16),
                _ => self.number(number, 10),
            }
        }
    }

    /// Returns how many bytes there is room for.
    pub(crate) fn room(&self) -> usize {
        ROOM - 1 - self.length
    }

    /// Appends a byte.
    #[inline(never)]
    pub(crate) fn byte(&mut self, byte: u8) {
        if self.length < ROOM - 1 {
            self.end(byte);
            self.length += 1;
        }
    }

    /// Writes a byte behind the text.
    fn end(&mut self, byte: u8) {
        if let Some(slot) = self.text.get_mut(self.length) {
            slot.write(byte);
        }
    }

    /// Appends a number.
    #[inline(never)]
    fn number(&mut self, number: u64, radix: u64) {
        if number >= radix {
            self.number(number / radix, radix);
        }
        let digit = (number % radix) as u8;
        self.byte(digit + if digit < 10 { b'0' } else { b'a' - 10 });
    }

    /// Appends a number in decimal, with `fill` in front up to `width` digits.
    fn padded(&mut self, number: u64, width: u32, fill: u8) {
        for _ in number.max(1).ilog10() + 1..width {
            self.byte(fill);
        }
        self.number(number, 10);
    }

    /// Writes the line to stderr, ended by a newline, and begins the next.
    pub(crate) fn print(&mut self) {
        self.end(b'\n');
        self.length += 1;
        let _ = os::write_all(2, self.text());
        self.clear();
    }

    /// Begins the next.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    /// Returns what there is of it.
    pub(crate) fn text(&self) -> &[u8] {
        // SAFETY: all bytes up to `length` have been written.
        unsafe { slice::from_raw_parts(self.text.as_ptr().cast::<u8>(), self.length) }
    }
}

/// Reads a number of decimal digits only; None for anything else.
#[inline(never)]
pub(crate) fn parse_decimal(text: &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if text.is_empty() { None } else { Some(number) }
}
