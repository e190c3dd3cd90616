//! The runtime's own messages: one line each, put together on the stack and
//! written to stderr by one system call, so that lines never mix.
//!
//! Go's counterpart: `runtime/print.go`. `core::fmt` is left to the program:
//! without it an empty one is half as large.

use crate::os;

/// The longest line; what goes beyond is cut.
const CAPACITY: usize = 512;

/// A line in the making.
pub(crate) struct Line {
    text: [u8; CAPACITY],
    length: usize,
}

impl Line {
    /// Makes an empty line.
    pub(crate) fn new() -> Self {
        Self { text: [0; CAPACITY], length: 0 }
    }

    /// Appends bytes.
    #[inline(never)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let room = self.text.get_mut(self.length..).unwrap_or_default();
        let (to, from) = (room.iter_mut(), bytes.iter());
        self.length += bytes.len().min(to.len());
        to.zip(from).for_each(|(to, from)| *to = *from);
        self
    }

    /// Appends text.
    pub(crate) fn str(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Appends text, with control characters as `?`: for what came from outside.
    #[inline(never)]
    pub(crate) fn foreign(&mut self, text: &[u8]) -> &mut Self {
        for &byte in text.iter().take(100) {
            self.bytes(&[if byte < b' ' || byte == 0x7f { b'?' } else { byte }]);
        }
        self
    }

    /// Appends a number in decimal.
    #[inline(never)]
    pub(crate) fn dec(&mut self, number: u64) -> &mut Self {
        self.radix(number, 10, 1)
    }

    /// Appends a number in decimal, right-aligned in `width` columns.
    #[inline(never)]
    pub(crate) fn column(&mut self, number: u64, width: usize) -> &mut Self {
        let mut digits = 1;
        let mut rest = number / 10;
        while rest > 0 {
            digits += 1;
            rest /= 10;
        }
        for _ in digits..width {
            self.bytes(b" ");
        }
        self.dec(number)
    }

    /// Appends a number in hexadecimal, with 0x.
    #[inline(never)]
    pub(crate) fn hex(&mut self, number: u64) -> &mut Self {
        self.str("0x").radix(number, 16, 1)
    }

    /// Appends a number.
    #[inline(never)]
    fn radix(&mut self, mut number: u64, radix: u64, least: usize) -> &mut Self {
        let mut digits = [0u8; 20];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b"0123456789abcdef".get((number % radix) as usize).copied().unwrap_or(b'?');
            number /= radix;
            used += 1;
            if number == 0 && used >= least {
                break;
            }
        }
        let unused = digits.len() - used;
        self.bytes(digits.get(unused..).unwrap_or_default())
    }

    /// Writes the line, ended by a newline, to stderr. If that fails there is
    /// nobody left to tell.
    #[inline(never)]
    pub(crate) fn print(&mut self) {
        let last = self.length.min(CAPACITY - 1);
        if let Some(end) = self.text.get_mut(last) {
            *end = b'\n';
        }
        let _ = os::write_all(2, self.text.get(..=last).unwrap_or_default());
    }
}

/// Reads a number of decimal digits only; None for anything else.
pub(crate) fn parse_decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
