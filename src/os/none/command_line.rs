//! The command line, taken apart: `NAME=value … -- args`.
//!
//! Words are separated by blanks. In front of `--` they are the environment, behind it the
//! program's arguments. A double quote begins and ends a part in which blanks count for
//! themselves, and a backslash takes what follows it as it is:
//!
//! ```text
//!   GOMAXPROCS=2 GREETING="good morning" -- -v "" a\"b
//! ```
//!
//! A word without `=` in front of `--` is none that we know: virtual machine monitors add
//! what they believe all kernels want (`reboot=k panic=1 pci=off ro`), which does no harm as
//! an environment, or, as the last of these, is left out.
//!
//! The file stands alone, so that a test on the host can feed it any text.

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `NAME=value`.
    Variable,
    /// Behind `--`.
    Argument,
    /// Neither.
    Unknown,
}

/// A variable's value is no number, or too small or too large a one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadNumber;

/// Returns the number from 1 that a line's first variable of this name has: None if there is no
/// such variable.
pub(super) fn number(line: &[u8], name: &[u8], most: u32) -> Result<Option<u32>, BadNumber> {
    // Longer words are no such variable, or no such number.
    let mut text = [0; 64];
    let mut words = Words::new(line);
    while let Some((word, length)) = words.next(&mut text) {
        let text = text.get(..length).unwrap_or(&text);
        if word != Word::Variable {
            continue;
        }
        let value = text
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(b"="));
        if let Some(value) = value {
            let number = value.iter().try_fold(0u32, |number, byte| {
                let digit = char::from(*byte).to_digit(10)?;
                number.checked_mul(10)?.checked_add(digit)
            });
            let right = |number: &u32| (1..=most).contains(number) && length <= text.len();
            return number.filter(right).map(Some).ok_or(BadNumber);
        }
    }
    Ok(None)
}

/// Takes the words of a command line, one after another.
pub(super) struct Words<'a> {
    line: &'a [u8],
    at: usize,
    behind: bool,
}

impl<'a> Words<'a> {
    /// Begins at the front.
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            at: 0,
            behind: false,
        }
    }

    /// Puts the next word's bytes into `text`, as many as there is room for, and says what it
    /// is, and how long; None at the end.
    #[inline(never)] // here and below: an emulator translates each copy, and each branch by itself
    pub(super) fn next(&mut self, text: &mut [u8]) -> Option<(Word, usize)> {
        loop {
            while self.peek()? <= BLANK {
                self.at += 1;
            }
            let start = self.at;
            let (length, equals) = self.take(text);
            return Some(match (self.behind, equals) {
                (true, _) => (Word::Argument, length),
                (false, true) => (Word::Variable, length),
                (false, false) => {
                    if self.line.get(start..self.at) == Some(b"--") {
                        self.behind = true;
                        continue;
                    }
                    (Word::Unknown, length)
                }
            });
        }
    }

    /// Takes a word: tells how long it is, and whether there is a `=` behind its first byte.
    fn take(&mut self, text: &mut [u8]) -> (usize, bool) {
        let (mut quoted, mut equals) = (false, false);
        let mut length = 0;
        while let Some(mut byte) = self.peek() {
            if (byte <= BLANK) & !quoted {
                break;
            }
            self.at += 1;
            if byte == b'"' {
                quoted = !quoted;
                continue;
            }
            if byte == b'\\'
                && let Some(next) = self.peek()
            {
                self.at += 1;
                byte = next;
            }
            equals |= (byte == b'=') & (length > 0);
            if let Some(slot) = text.get_mut(length) {
                *slot = byte;
            }
            length += 1;
        }
        (length, equals)
    }

    /// Looks at the next byte.
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }
}

/// This and what is below it, tabs and newlines among them, is between words.
const BLANK: u8 = b' ';
