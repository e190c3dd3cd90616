//! Traces for programs that ask: `runtime::stack` and `Backtrace`. They have memory
//! mapped for it, and a piece of stack, since a goroutine may have little left of its own.

use core::fmt::{self, Write};

use super::code::Program;
use super::frames::{Frames, Shared};
use super::hide::{Text, write_name};
use super::own_stack::on_segment;
use super::report::{Here, What, report};
use super::show::write_path;
use super::stack::GoStack;
use super::unwind::{Registers, Unwinder};
use crate::sched;

/// Writes the trace of the current goroutine, which has these registers, and of all others
/// if that is wanted, to `buffer`, as much as there is room for; returns how much that is.
pub(crate) fn stack(buffer: &mut [u8], all: bool, registers: Registers) -> usize {
    let gp = sched::getg();
    let room = buffer.len();
    let mut length = 0;
    let mut write = || {
        let what = What {
            all,
            system: false,
            dying: false,
        };
        let here = Here {
            registers,
            skip: false,
            location: None,
        };
        report(what, Some(gp), Some(here), &mut |text| {
            let rest = buffer.get_mut(length..).unwrap_or_default();
            let some = text.len().min(rest.len());
            if let (Some(to), Some(from)) = (rest.get_mut(..some), text.get(..some)) {
                to.copy_from_slice(from);
                length += some;
            }
        });
    };
    if room > 0 {
        if all {
            sched::stop_everybody(&mut || on_segment(&mut write));
        } else {
            sched::acquirem();
            on_segment(&mut write);
            sched::releasem();
        }
    }
    length
}

/// Gives `each` the instructions of the current goroutine's frames, from the one that has
/// these registers on. `each` must not give way.
pub(crate) fn frames(registers: Registers, each: &mut dyn FnMut(usize)) {
    let gp = sched::getg();
    sched::acquirem();
    on_segment(&mut || {
        Frames::with(false, |frames| {
            let stack = GoStack(gp);
            let program = Program {
                gp,
                frames: &Shared::new(frames),
            };
            let mut walk = Unwinder::new(&stack, &program, registers, true);
            while !walk.is_done() {
                each(walk.symbol_pc());
                walk.next();
            }
        });
    });
    sched::releasem();
}

/// Counts them.
pub(crate) fn count(registers: Registers) -> usize {
    let mut count = 0;
    frames(registers, &mut |_| count += 1);
    count
}

/// A name or a path, for `core::fmt`.
struct Formatted<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Text for Formatted<'_, '_> {
    fn push(&mut self, bytes: &[u8]) -> bool {
        // What a compiler writes is UTF-8, and what is not is left out.
        let text = core::str::from_utf8(bytes).unwrap_or("?");
        self.0.write_str(text).is_ok()
    }
}

/// Shows what is at these addresses, as std does.
pub(crate) fn display(pcs: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut number = 0;
    each_frame(pcs, &mut |pc, frame| {
        write!(f, "{number:>4}: ")?;
        number += 1;
        if frame.name.is_empty() {
            return writeln!(f, "{pc:#x} - <unknown>");
        }
        write_name(frame.name, &mut Formatted(f));
        f.write_char('\n')?;
        if frame.line != 0 {
            f.write_str("             at ")?;
            write_path(&frame.file, &mut Formatted(f));
            writeln!(f, ":{}", frame.line)?;
        }
        Ok(())
    })
}

/// The same for who looks for bugs.
pub(crate) fn debug(pcs: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("Backtrace [")?;
    let mut first = true;
    each_frame(pcs, &mut |_, frame| {
        f.write_str(if first { "{ fn: \"" } else { ", { fn: \"" })?;
        first = false;
        write_name(frame.name, &mut Formatted(f));
        f.write_str("\"")?;
        if frame.line != 0 {
            f.write_str(", file: \"")?;
            write_path(&frame.file, &mut Formatted(f));
            write!(f, "\", line: {}", frame.line)?;
        }
        f.write_str(" }")
    })?;
    f.write_str("]")
}

/// What is done with a frame.
type Each<'a> = dyn FnMut(usize, &super::frames::Frame) -> fmt::Result + 'a;

/// Gives `each` all frames at these addresses.
fn each_frame(pcs: &[usize], each: &mut Each<'_>) -> fmt::Result {
    /// What the names of who captures begin with, behind `_ZN` or the newer way's.
    const CAPTURES: &[u8] = b"4gort";
    let mut captures = true;
    let mut result = Ok(());
    for &pc in pcs {
        // Copied, since `each` is the user's: it may give way.
        let mut found = [super::frames::Frame::default(); 16];
        let mut count = 0;
        sched::acquirem();
        on_segment(&mut || {
            Frames::with(false, |frames| {
                frames.each(pc, &mut |frame| {
                    if let Some(slot) = found.get_mut(count) {
                        *slot = *frame;
                        count += 1;
                    }
                });
            });
        });
        sched::releasem();
        for frame in found.iter().take(count) {
            let name = frame.name;
            captures &= name.windows(CAPTURES.len()).any(|text| text == CAPTURES);
            if !captures {
                result = result.and_then(|()| each(pc, frame));
            }
        }
    }
    result
}
