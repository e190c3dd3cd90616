//! The trace of one goroutine.
//!
//! Go's counterparts: `traceback1`, `traceback2`, `printcreatedby` in
//! `runtime/traceback.go`.

use super::code::Program;
use super::frames::{Frame, Frames, Shared};
use super::hide::{Text, write_name};
use super::out::Out;
use super::stack::GoStack;
use super::unwind::{End, Registers, Unwinder};
use crate::debug::symbols::File;
use crate::sched::G;

/// How many frames are shown from each end of a long trace.
const INNER: usize = 50;
const OUTER: usize = 50;

/// What shows traces.
pub(crate) struct Tracer<'a, 'f> {
    pub(crate) out: Out<'a>,
    frames: &'a Shared<'f>,
    /// With the runtime's frames, and each one's registers.
    pub(crate) system: bool,
}

/// Goes from frame to frame of a goroutine.
type Walk<'a, 'f> = Unwinder<'a, GoStack<'a>, Program<'a, 'f>>;

impl Tracer<'_, '_> {
    /// Calls `f` with one that writes to `sink`; on a stack with room for that, if this is
    /// the last that the program does.
    pub(crate) fn with(
        dying: bool,
        system: bool,
        sink: &mut dyn FnMut(&[u8]),
        f: &mut dyn FnMut(&mut Tracer<'_, '_>),
    ) {
        Frames::with(dying, |frames| {
            let mut tracer = Tracer {
                out: Out::new(sink),
                frames: &Shared::new(frames),
                system,
            };
            f(&mut tracer);
            tracer.out.flush();
        });
    }

    /// Tells whether any names are known, and any lines.
    pub(crate) fn knows(&self) -> (bool, bool) {
        let knows = self
            .frames
            .with(|frames| (frames.has_names(), frames.has_lines()));
        knows.unwrap_or_default()
    }

    /// Shows where a goroutine is: from the frame that has these registers, or from its
    /// caller.
    pub(crate) fn trace(&mut self, gp: &G, registers: Registers, skip: bool, exact: bool) {
        let program = Program {
            gp,
            frames: self.frames,
        };
        let stack = GoStack(gp);
        let mut walk = Unwinder::new(&stack, &program, registers, exact);
        if skip {
            walk.next();
        }
        // If nothing of it is the program's own, all of it is shown.
        if self.trace_from(gp, walk.clone(), self.system) == 0 && !self.system {
            self.trace_from(gp, walk, true);
        }
    }

    /// Shows the frames from one on, with the runtime's or without. Returns how many there
    /// are.
    fn trace_from(&mut self, gp: &G, mut walk: Walk<'_, '_>, runtime: bool) -> usize {
        let (shown, begun) = self.part(&mut walk, runtime, 0, INNER);
        if !walk.is_done() {
            // Maybe in the midst of what was inlined in one place. The rest is counted.
            let mut rest = walk.clone();
            let (remaining, _) = self.part(&mut walk, runtime, usize::MAX, 0);
            let elided = remaining.saturating_sub(begun + OUTER);
            if elided > 0 {
                self.out
                    .say("...%d frames elided...\n", &[elided as u64], "");
            }
            self.part(&mut rest, runtime, begun + elided, OUTER);
        }
        self.end(gp, &walk);
        shown
    }

    /// Shows frames until there are none, or `max` have been shown, without the first
    /// `skip`. Returns how many there were, and how many of them are of the address that
    /// it stopped at.
    fn part(
        &mut self,
        walk: &mut Walk<'_, '_>,
        runtime: bool,
        mut skip: usize,
        mut max: usize,
    ) -> (usize, usize) {
        let mut count = 0;
        while !walk.is_done() {
            let (mut begun, mut stop) = (0, false);
            let registers = walk.registers();
            // Where the caller's frame ends: Go's fp.
            let mut outer = walk.clone();
            let more = outer.next();
            let fp = if more { outer.registers().sp } else { 0 };
            let (out, system) = (&mut self.out, self.system);
            let mut each = |frame: &Frame| {
                if stop || frame.hidden && !runtime {
                    return;
                }
                if skip == 0 && max == 0 {
                    stop = true;
                    return;
                }
                count += 1;
                begun += 1;
                if skip > 0 {
                    skip -= 1;
                    return;
                }
                max -= 1;
                show(out, frame, registers, system.then_some(fp));
            };
            self.frames
                .with(|frames| frames.each(walk.symbol_pc(), &mut each));
            if stop {
                return (count, begun);
            }
            *walk = outer;
        }
        (count, 0)
    }

    /// Says why a trace has ended, unless it was at the goroutine's root.
    fn end(&mut self, gp: &G, walk: &Walk<'_, '_>) {
        let End::UnexpectedReturn(pc) = walk.end() else {
            return;
        };
        self.out.say(
            "runtime: g %d: unexpected return pc for ",
            &[gp.goid.get()],
            "",
        );
        let mut name: &[u8] = b"?";
        let mut each = |frame: &Frame| {
            if !frame.name.is_empty() {
                name = frame.name;
            }
        };
        self.frames
            .with(|frames| frames.each(walk.symbol_pc(), &mut each));
        write_name(name, &mut self.out);
        self.out.say(" called from 0x%x\n", &[pc as u64], "");
    }

    /// Says which `go` has made a goroutine: there is only its Location, but the lines'
    /// table knows the function.
    pub(crate) fn created_by(&mut self, gp: &G) {
        let Some(at) = gp.gopc.get() else { return };
        let pc = self
            .frames
            .with(|frames| frames.instruction_of(at))
            .flatten();
        let (mut function, mut entry) = (None, 0);
        let mut each = |frame: &Frame| {
            if function.is_none() && frame.line == u64::from(at.line()) {
                function = Some(*frame);
            }
            entry = frame.entry;
        };
        if let Some(pc) = pc {
            self.frames.with(|frames| frames.each(pc, &mut each));
        }
        let parent = [gp.parent_goid.get()];
        let (Some(pc), Some(function)) = (pc, function) else {
            self.out
                .say("created by go in goroutine %d\n\t", &parent, "");
            return self.out.say("%s:%d\n", &[at.line().into()], at.file());
        };
        self.out.text(b"created by ");
        write_name(function.name, &mut self.out);
        self.out.say(" in goroutine %d\n\t", &parent, "");
        write_path(&function.file, &mut self.out);
        let numbers = [function.line, pc.wrapping_sub(entry) as u64];
        let text = if entry == 0 { ":%d\n" } else { ":%d +0x%x\n" };
        self.out.say(text, &numbers, "");
    }
}

/// Shows a frame.
fn show(out: &mut Out<'_>, frame: &Frame, registers: Registers, fp: Option<usize>) {
    let pc = registers.pc as u64;
    if frame.name.is_empty() {
        out.say("0x%x\n", &[pc], "");
        return;
    }
    write_name(frame.name, out);
    out.text(if frame.inlined {
        b"(...)\n\t"
    } else {
        b"()\n\t"
    });
    place(out, frame, pc);
    if !frame.inlined {
        if frame.entry != 0 && registers.pc > frame.entry {
            out.say(" +0x%x", &[(registers.pc - frame.entry) as u64], "");
        }
        if let Some(fp) = fp {
            let numbers = [fp as u64, registers.sp as u64, pc];
            out.say(" fp=0x%x sp=0x%x pc=0x%x", &numbers, "");
        }
    }
    out.text(b"\n");
}

/// Shows the file and the line of a frame, or else its address.
fn place(out: &mut Out<'_>, frame: &Frame, pc: u64) {
    if frame.line == 0 && frame.file.name.is_empty() {
        out.say("0x%x", &[pc], "");
        return;
    }
    write_path(&frame.file, out);
    out.say(":%d", &[frame.line], "");
}

/// Writes the name of a file, whole.
pub(super) fn write_path(file: &File, to: &mut impl Text) {
    let parts = [file.comp_dir, file.dir, file.name];
    // What begins with a slash needs nothing in front.
    let first = parts.iter().rposition(|part| part.first() == Some(&b'/'));
    let mut between = false;
    for part in parts
        .iter()
        .skip(first.unwrap_or(0))
        .filter(|part| !part.is_empty())
    {
        if between {
            to.push(b"/");
        }
        to.push(part);
        between = !part.ends_with(b"/");
    }
}
