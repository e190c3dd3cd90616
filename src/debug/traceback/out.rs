//! Where a trace's text goes: by pieces, to standard error or into a buffer.

use super::hide::Text;
use crate::debug::print::Line;

/// How much of it is put together.
const ROOM: usize = 512;

/// The most that a template of ours comes to.
const LONGEST: usize = 200;

/// The text.
pub(crate) struct Out<'a> {
    line: Line<ROOM>,
    sink: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Out<'a> {
    /// Makes one that gives all to `sink`, when it is flushed at last.
    pub(crate) fn new(sink: &'a mut dyn FnMut(&[u8])) -> Self {
        Self {
            line: Line::new(),
            sink,
        }
    }

    /// Appends what `say` would print, without the newline. It is short, but for the text
    /// that stands for `%s`.
    pub(crate) fn say(&mut self, template: &str, numbers: &[u64], text: &str) {
        if self.line.room() < LONGEST + text.len() {
            self.flush();
        }
        self.line.add(template, numbers, &[text.as_bytes()]);
    }

    /// Appends a text of any length.
    pub(crate) fn text(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.line.room() == 0 {
                self.flush();
            }
            self.line.byte(byte);
        }
    }

    /// Gives away what there is.
    pub(crate) fn flush(&mut self) {
        (self.sink)(self.line.text());
        self.line.clear();
    }
}

impl Text for Out<'_> {
    fn push(&mut self, bytes: &[u8]) -> bool {
        self.text(bytes);
        true
    }
}
