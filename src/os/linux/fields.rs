//! Text files of the kernel, read in pieces and taken apart field by field, with
//! lines and files of any length and buffers of a fixed one.
//!
//! Go's counterpart: `internal/runtime/cgroup/line_reader.go`, which needs a
//! buffer for a whole line.
//!
//! Invariants:
//! 1. [`Fields`] reads each byte of the file once, front to back.
//! 2. A line that ends early has empty fields from there on: a parser asks for
//!    all the fields that it knows and never runs into the next line.

/// How the runtime's parsers read files.
pub(crate) trait Files {
    /// A file open for reading, closed when it is dropped.
    type File;

    /// Opens the file at `path`, which holds one NUL, at its end; `None` if that
    /// fails, for whatever reason.
    fn open(&mut self, path: &[u8]) -> Option<Self::File>;

    /// Reads the next bytes, at most as many as `buffer` has room for; says how
    /// many, 0 at the end, `None` on an error. EINTR is the callee's to hide.
    fn read(&mut self, file: &mut Self::File, buffer: &mut [u8]) -> Option<usize>;
}

/// Packs a word of up to seven bytes, to compare with [`Fields::word`].
pub(super) const fn word(text: &[u8]) -> u64 {
    let mut packed = 0;
    let mut index = 0;
    while index < text.len() {
        packed = packed << 8 | text[index] as u64;
        index += 1;
    }
    packed
}

/// A file that is being read, one after the other: [`Fields::open`] leaves the
/// one before.
pub(super) struct Fields<'a, F: Files> {
    /// The last eight bytes of the last field, packed: all of a short word, and
    /// unlike any short word if the field is longer.
    pub(super) word: u64,
    /// Whether the last field, as a list with commas, has the element "cpu".
    pub(super) has_cpu: bool,
    /// What ended the last field: a newline also before the first line, 0 at
    /// the end of the file.
    stop: u8,
    /// `chunk[position..length]` is read and not yet taken.
    position: usize,
    length: usize,
    file: Option<F::File>,
    files: &'a mut F,
    chunk: &'a mut Chunk,
}

/// A piece of a file.
pub(super) type Chunk = [u8; 2048];

impl<'a, F: Files> Fields<'a, F> {
    /// Prepares to read files.
    pub(super) fn new(files: &'a mut F, chunk: &'a mut Chunk) -> Self {
        let (position, length) = (0, 0);
        Self {
            word: 0,
            has_cpu: false,
            stop: 0,
            position,
            length,
            file: None,
            files,
            chunk,
        }
    }

    /// Opens a file, before its first line.
    #[inline(never)] // for its size: many callers
    pub(super) fn open(&mut self, path: &[u8]) -> Option<()> {
        self.stop = b'\n';
        self.position = 0;
        self.length = 0;
        self.file = Some(self.files.open(path)?);
        Some(())
    }

    /// Goes to the start of the next line, over what is left of this one; false
    /// at the end of the file.
    pub(super) fn next_line(&mut self) -> bool {
        let more = self.field(b'\n', None) == b'\n';
        self.stop = b' ';
        more
    }

    /// Reads the next field, into `text` if given, without what ends it; returns
    /// that: `end`, a newline, or 0 at the end of the file.
    ///
    /// Text that a space ends has the kernel's escapes, which are undone: `\040`
    /// is a space. A wrong one, which the kernel does not write, ends the file.
    #[inline(never)] // for its size: many callers
    pub(super) fn field(&mut self, end: u8, mut text: Option<&mut Text>) -> u8 {
        if let Some(text) = &mut text {
            text.length = 0;
        }
        self.word = 0;
        self.has_cpu = false;
        let mut element = 0;
        loop {
            // Past the end of the line there are only empty fields.
            let mut byte = if matches!(self.stop, b'\n' | 0) {
                self.stop
            } else {
                self.byte()
            };
            let mut ends = byte == end || matches!(byte, b'\n' | 0);
            if let (b'\\', b' ', Some(_)) = (byte, end, &text) {
                byte = self.octal();
                ends = byte == 0;
            }
            if ends || byte == b',' {
                self.has_cpu |= element == word(b"cpu");
                element = 0;
            } else {
                element = element << 8 | u64::from(byte);
            }
            if ends {
                self.stop = byte;
                return byte;
            }
            self.word = self.word << 8 | u64::from(byte);
            if let Some(text) = &mut text {
                text.append(&[byte]);
            }
        }
    }

    /// Reads the three octal digits of an escape; 0 if they are not.
    fn octal(&mut self) -> u8 {
        let mut value = 0;
        for _ in 0..3 {
            let digit = self.byte().wrapping_sub(b'0');
            if digit > 7 || value > 0o37 {
                return 0;
            }
            value = value << 3 | digit;
        }
        value
    }

    /// Reads a decimal number that `end` ends; anything else is none.
    #[inline(never)] // for its size: two callers
    pub(super) fn number(&mut self, end: u8) -> Option<u64> {
        let mut value: Option<u64> = None;
        loop {
            let byte = self.byte();
            if byte == end {
                return value;
            }
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = Some(
                value
                    .unwrap_or(0)
                    .checked_mul(10)?
                    .checked_add(digit.into())?,
            );
        }
    }

    /// Takes the next byte; 0 at the end of the file, or if reading fails.
    #[inline(never)] // for its size: three callers
    fn byte(&mut self) -> u8 {
        if self.position == self.length {
            self.position = 0;
            let file = self.file.as_mut();
            let read = file.and_then(|file| self.files.read(file, self.chunk));
            self.length = read.unwrap_or(0);
        }
        if self.position == self.length {
            return 0;
        }
        let byte = self.chunk.get(self.position).copied().unwrap_or(0);
        self.position += 1;
        byte
    }
}

/// Text in a buffer that it may outgrow: then it is counted, not kept.
pub(super) struct Text {
    /// How long the text is, also if that is more than the buffer has.
    pub(super) length: usize,
    /// The buffer.
    pub(super) bytes: [u8; 3072],
}

impl Text {
    /// Makes an empty text.
    pub(super) const fn new() -> Self {
        Self {
            length: 0,
            bytes: [0; _],
        }
    }

    /// The text, if all of it is there.
    pub(super) fn get(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length)
    }

    /// Whether the text is an absolute path, all of it there.
    pub(super) fn is_absolute(&self) -> bool {
        matches!(self.get(), Some([b'/', ..]))
    }

    /// Adds bytes.
    #[inline(never)] // for its size: many callers
    pub(super) fn append(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
            }
            self.length += 1;
        }
    }
}
