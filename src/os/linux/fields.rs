//! Text files of the kernel, read in pieces and taken apart field by field, with
//! lines and files of any length and buffers of a fixed one.
//!
//! Go's counterpart: `internal/runtime/cgroup/line_reader.go`, which needs a
//! buffer for a whole line.
//!
//! ```text
//!   text   0           start         kept           end
//!          | kept      | path        | last field   |
//! ```
//!
//! Invariants:
//! 1. [`Fields`] reads each byte of the file once, front to back.
//! 2. A line that ends early has empty fields from there on: a parser asks for
//!    all the fields that it knows and does not run into the next line.
//! 3. What does not fit in `text` is counted, not stored, and its last byte is
//!    always NUL: every path ends. One that was cut short is that of a
//!    directory, in which there is nothing to read.
//!
//! A file that cannot be opened or read is one that ends: its fields are empty,
//! and no number is in it. So there is nothing to check after each step.

/// How the runtime's parsers read files.
pub(crate) trait Files {
    /// Opens the file at `path`, which ends at its first NUL, and leaves the one
    /// before.
    fn open(&mut self, path: &[u8]);

    /// Reads the next bytes, at most as many as `buffer` has room for; says how
    /// many: 0 at the end, on an error, and if there is no file. EINTR is the
    /// callee's to hide.
    fn read(&mut self, buffer: &mut [u8]) -> usize;
}

/// Packs a word of up to seven bytes, to compare with [`Fields::word`].
pub(super) const fn word(text: &[u8]) -> u64 {
    let mut packed = b',' as u64;
    let mut index = 0;
    while index < text.len() {
        packed = packed << 8 | text[index] as u64;
        index += 1;
    }
    packed
}

/// How long a text may be, with the NUL at its end: a power of two.
pub(super) const ROOM: u32 = 2048;

/// A file that is being read, and the text found so far.
#[repr(C)] // what is short comes first: it takes shorter instructions to get at
pub(crate) struct Fields<F> {
    /// The last eight bytes of a comma and the last field, packed: all of a short
    /// word, and unlike any short word if the field is longer and has no commas.
    pub(super) word: u64,
    /// The last field as a decimal number; 0 if it is empty, and 2^63 or more if it
    /// is anything else, or as large as that.
    pub(super) number: u64,
    /// `text[start..kept]` is the path of a directory, with a slash at its end.
    pub(super) start: u32,
    pub(super) kept: u32,
    /// `text[kept..end]` is the last field.
    pub(super) end: u32,
    /// How many bytes of the last field stand, in this order, at the text's start:
    /// all of them if the text starts with it.
    pub(super) same: u32,
    /// `chunk[position..length]` is read and not yet taken.
    position: u32,
    length: u32,
    /// Whether the last field, as a list with commas, has the element "cpu".
    pub(super) has_cpu: bool,
    /// Whether our control group is of v1.
    pub(super) v1: bool,
    /// What ends a field, besides a newline. Not an argument, for its size.
    pub(super) stop: u8,
    files: F,
    text: [u8; ROOM as usize + 4], // `goes_up` reads four bytes from anywhere
    chunk: [u8; 4096],             // what the kernel gives of such a file at a time
}

impl<F: Files> Fields<F> {
    /// Prepares to read files.
    pub(crate) const fn new(files: F) -> Self {
        Self {
            word: 0,
            number: 0,
            start: 0,
            kept: 0,
            end: 0,
            same: 0,
            position: 0,
            length: 0,
            has_cpu: false,
            v1: false,
            stop: 0,
            files,
            text: [0; _],
            chunk: [0; _],
        }
    }

    /// Opens the file `name`, which ends with a NUL, of the directory.
    #[inline(never)] // for its size: many callers
    pub(super) fn open(&mut self, name: &[u8]) {
        self.end = self.kept;
        for byte in name {
            self.push(*byte);
        }
        let path = &self.text[(self.start % ROOM) as usize..];
        self.files.open(path);
        self.position = 0;
        self.length = 0;
    }

    /// Reads the next field, up to `stop` or to the end of the line. Returns what
    /// ended it: `stop`, a newline, or 0 at the end of the file.
    ///
    /// Its text gets a slash at its end, unless it has one: so a path that is the
    /// start of another is that of a parent. Text that a space ends has the
    /// kernel's escapes, which are undone: `\040` is a space. A wrong one, which
    /// the kernel does not write, gives another text.
    #[inline(never)] // for its size: many callers
    pub(super) fn field(&mut self) -> u8 {
        self.word = b','.into();
        self.number = 0;
        self.has_cpu = false;
        self.end = self.kept;
        self.same = 0;
        loop {
            let mut byte = self.byte();
            // All that may stand behind a list's element is below '@', and all
            // that a longer name would go on with is above.
            self.has_cpu |= self.word as u32 == const { word(b"cpu") as u32 } && byte < b'@';
            if byte == b'\n' {
                self.position -= 1; // it stays, and ends what other fields there should be
            }
            if byte == b'\n' || byte == self.stop {
                if self.end != self.kept && self.word as u8 != b'/' {
                    self.push(b'/');
                }
                return byte;
            }
            if byte == b'\\' && self.stop == b' ' {
                let mut octal = 1; // in front of the three digits, to count them
                while octal >> 9 == 0 {
                    octal = octal << 3 | u32::from(self.byte() & 7);
                }
                byte = octal as u8;
            }
            let digit = byte.wrapping_sub(b'0');
            self.number = if digit > 9 || self.number >> 60 != 0 {
                u64::MAX
            } else {
                self.number * 10 + u64::from(digit)
            };
            if byte == 0 {
                return byte; // the end of the file; and no path has a NUL
            }
            self.word = self.word << 8 | u64::from(byte);
            self.push(byte);
        }
    }

    /// Adds a byte to the text.
    #[inline(never)] // for its size: many callers
    pub(super) fn push(&mut self, byte: u8) {
        self.same += u32::from(self.at(self.same) == byte);
        if self.end < ROOM - 1 {
            self.text[self.end as usize] = byte;
        }
        self.end += 1;
    }

    /// Returns a byte of the text; any byte if it has none there.
    pub(super) fn at(&self, index: u32) -> u8 {
        self.text[(index % ROOM) as usize]
    }

    /// Whether the text goes on at `index` with a name of two dots.
    pub(super) fn goes_up(&self, index: u32) -> bool {
        let rest = &self.text[(index % ROOM) as usize..];
        rest.first_chunk()
            .is_some_and(|bytes| u32::from_le_bytes(*bytes) << 8 == u32::from_le_bytes(*b"\0../"))
    }

    /// Takes the next byte; 0 at the end of the file.
    #[inline(never)] // for its size: many callers
    pub(super) fn byte(&mut self) -> u8 {
        if self.position == self.length {
            self.position = 0;
            self.length = self.files.read(&mut self.chunk) as u32;
            if self.length == 0 {
                return 0;
            }
        }
        let byte = self.chunk[self.position as usize % self.chunk.len()];
        self.position += 1;
        byte
    }
}
