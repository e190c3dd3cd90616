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
    rest: &'a [u8],
    behind: bool,
}

impl<'a> Words<'a> {
    /// Begins at the front.
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self {
            rest: line,
            behind: false,
        }
    }

    /// Puts the next word's bytes into `text`, as many as there is room for, and says what it
    /// is, and how long; None at the end.
    #[inline(never)] // an emulator translates each copy
    pub(super) fn next(&mut self, text: &mut [u8]) -> Option<(Word, usize)> {
        loop {
            while let [b' ' | b'\t' | b'\n', tail @ ..] = self.rest {
                self.rest = tail;
            }
            if self.rest.is_empty() {
                return None;
            }
            if self.behind || !self.at_dashes() {
                break;
            }
            self.behind = true;
        }
        let mut quoted = false;
        let mut length = 0usize;
        let mut equals = false;
        while let [byte, tail @ ..] = self.rest {
            let literal = match (byte, tail) {
                (b'"', _) => {
                    self.rest = tail;
                    quoted = !quoted;
                    continue;
                }
                (b'\\', [next, tail @ ..]) => {
                    self.rest = tail;
                    *next
                }
                (b' ' | b'\t' | b'\n', _) if !quoted => break,
                _ => {
                    self.rest = tail;
                    *byte
                }
            };
            equals |= literal == b'=' && length > 0;
            if let Some(slot) = text.get_mut(length) {
                *slot = literal;
            }
            length += 1;
        }
        let word = match (self.behind, equals) {
            (true, _) => Word::Argument,
            (false, true) => Word::Variable,
            (false, false) => Word::Unknown,
        };
        Some((word, length))
    }

    /// Steps over `--` if that is the next word.
    fn at_dashes(&mut self) -> bool {
        match self.rest {
            [b'-', b'-'] => self.rest = &[],
            [b'-', b'-', b' ' | b'\t' | b'\n', tail @ ..] => self.rest = tail,
            _ => return false,
        }
        true
    }
}
