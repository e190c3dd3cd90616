//! What there is at an address, in a form that can be shown; remembered, since it takes
//! a while to find: ten thousand goroutines wait in a handful of places.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr;

use super::hide::{is_inlined_runtime, is_runtime};
use super::unwind::Rule;
use crate::debug::symbols::{self, Bytes, Resolver, Sections};
use crate::os;
use crate::sched::runtime2::Location;

/// A frame as it is shown: an address has several, where functions have been inlined.
#[derive(Clone, Copy, Default)]
pub(crate) struct Frame {
    /// The function's name, as the linker has it; empty if it is unknown.
    pub(crate) name: Bytes,
    /// Its first instruction; 0 if it was inlined, or is unknown.
    pub(crate) entry: usize,
    /// It was inlined.
    pub(crate) inlined: bool,
    /// It is the runtime's own.
    pub(crate) hidden: bool,
    /// Its file, unless that is unknown.
    pub(crate) file: symbols::File,
    /// The line in there, or 0.
    pub(crate) line: u64,
}

/// What the program's file says of addresses, for two who ask in turn.
pub(crate) struct Shared<'a>(Cell<Option<&'a mut Frames>>);

impl<'a> Shared<'a> {
    /// Has them share `frames`.
    pub(crate) fn new(frames: &'a mut Frames) -> Self {
        Self(Cell::new(Some(frames)))
    }

    /// Calls `f` with it; not while somebody else does.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Frames) -> T) -> Option<T> {
        let frames = self.0.take()?;
        let result = f(frames);
        self.0.set(Some(frames));
        Some(result)
    }
}

/// Finds the function at `pc`.
fn physical(sections: Option<&Sections>, pc: usize) -> Frame {
    let function =
        sections.and_then(|sections| symbols::function(sections.symtab, sections.strtab, pc));
    match function {
        Some(function) => Frame {
            name: function.name,
            entry: function.entry,
            hidden: is_runtime(function.name),
            ..Frame::default()
        },
        None => Frame::default(),
    }
}

/// How many addresses and frames are remembered.
const SLOTS: usize = 1024;
const FRAMES: usize = 2048;

/// How many `go` statements are.
const SPAWNERS: usize = 16;

/// Where an address's caller is.
#[derive(Clone, Copy)]
#[repr(u8)] // all zeros are the first
enum Known {
    NotYet,
    Nowhere,
    There(Rule),
}

/// What is known of an address. All zeros are nothing.
#[derive(Clone, Copy)]
struct Slot {
    pc: usize,
    rule: Known,
    /// Which frames are its own, if any are.
    first: u32,
    count: u32,
}

/// A `go` statement: its Location, and an instruction of it, or 0. All zeros are none.
#[derive(Clone, Copy)]
struct Spawner {
    at: usize,
    pc: usize,
}

/// The memory. It is large, and lies where pages appear when they are touched; all
/// zeros are an empty one.
pub(crate) struct Frames {
    sections: MaybeUninit<Option<Sections>>,
    slots: [Slot; SLOTS],
    frames: [MaybeUninit<Frame>; FRAMES],
    used: u32,
    spawners: [Spawner; SPAWNERS],
    next_spawner: usize,
    resolver: Resolver,
}

/// The one of a dying program, which may have no memory to give.
struct Dying(UnsafeCell<MaybeUninit<Frames>>);

// SAFETY: one thread reports a death; see fatal.rs.
unsafe impl Sync for Dying {}

static DYING: Dying = Dying(UnsafeCell::new(MaybeUninit::zeroed()));

impl Frames {
    /// Calls `f` with one: with that of the dying, if that is who asks. Not if there is no
    /// memory for another.
    pub(crate) fn with(dying: bool, f: impl FnOnce(&mut Self)) {
        let size = size_of::<Self>().next_multiple_of(4096);
        let mapped = if dying { None } else { os::map(0, size) };
        let memory = match mapped {
            Some(memory) => memory.cast::<Self>(),
            None if dying => DYING.0.get().cast::<Self>(),
            None => return,
        };
        // SAFETY: it is ours: just mapped, or that of the one who reports a death.
        // All zeros are one, and so is what an earlier one has left.
        let frames = unsafe { &mut *memory };
        frames.sections.write(symbols::in_file(symbols::sections));
        // What an earlier death has left may be half of a slot: a signal had it die once more in
        // the midst of writing one.
        frames.forget();
        f(frames);
        if let Some(memory) = mapped {
            // SAFETY: mapped above, and used by nobody any more.
            unsafe { os::unmap(memory, size) };
        }
    }

    /// Returns what the file has.
    fn sections(&self) -> Option<&Sections> {
        // SAFETY: `with` has written it.
        unsafe { self.sections.assume_init_ref() }.as_ref()
    }

    /// Tells whether any names are known.
    pub(crate) fn has_names(&self) -> bool {
        self.sections()
            .is_some_and(|sections| !sections.symtab.is_empty())
    }

    /// Tells whether any lines are known.
    pub(crate) fn has_lines(&self) -> bool {
        self.sections()
            .is_some_and(|sections| !sections.debug_line.is_empty())
    }

    /// Finds an instruction of a line, the one that a `go` statement is in.
    pub(crate) fn instruction_of(&mut self, at: &'static Location) -> Option<usize> {
        let known = |spawner: &&Spawner| spawner.at == ptr::from_ref(at).addr();
        if let Some(spawner) = self.spawners.iter().find(known) {
            return Some(spawner.pc).filter(|&pc| pc != 0);
        }
        // SAFETY: `with` has written it.
        let sections = unsafe { self.sections.assume_init_ref() }.as_ref();
        let found = sections.and_then(|sections| self.resolver.instruction_of(sections, at));
        self.next_spawner = (self.next_spawner + 1) % SPAWNERS;
        if let Some(slot) = self.spawners.get_mut(self.next_spawner) {
            *slot = Spawner {
                at: ptr::from_ref(at).addr(),
                pc: found.unwrap_or(0),
            };
        }
        found
    }

    /// Forgets all.
    fn forget(&mut self) {
        if self.used != 0 {
            for slot in &mut self.slots {
                slot.pc = 0;
            }
            self.used = 0;
        }
    }

    /// Finds an address's slot, which may be another's until now: one of a few in a row, so
    /// that two addresses that come again and again do not drive each other out.
    fn slot(&mut self, pc: usize) -> &mut Slot {
        const ROW: usize = 8;

        let first = pc.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        let place_of = |wanted: usize| {
            let mut row = (first..first + ROW).map(|at| at % SLOTS);
            row.find(|&at| self.slots[at].pc == wanted)
        };
        let at = place_of(pc).or_else(|| place_of(0));
        let slot = &mut self.slots[at.unwrap_or(first % SLOTS)];
        if slot.pc != pc {
            *slot = Slot {
                pc,
                rule: Known::NotYet,
                first: 0,
                count: 0,
            };
        }
        slot
    }

    /// Tells where the caller of a frame is.
    pub(crate) fn rule(&mut self, pc: usize) -> Option<Rule> {
        match self.slot(pc).rule {
            Known::There(rule) => Some(rule),
            Known::Nowhere => None,
            Known::NotYet => {
                let rule = self
                    .sections()
                    .and_then(|sections| symbols::rule(sections, pc));
                self.used = self.used.max(1); // there is something to forget
                self.slot(pc).rule = rule.map_or(Known::Nowhere, Known::There);
                rule
            }
        }
    }

    /// Gives `each` the frames at `pc`, the innermost first.
    pub(crate) fn each(&mut self, pc: usize, each: &mut dyn FnMut(&Frame)) {
        if self.slot(pc).count == 0 {
            self.resolve(pc);
        }
        let slot = *self.slot(pc);
        let frames = self.frames.iter().skip(slot.first as usize);
        for frame in frames.take(slot.count as usize) {
            // SAFETY: `resolve` has written it.
            each(unsafe { frame.assume_init_ref() });
        }
    }

    /// Finds the frames at `pc`.
    fn resolve(&mut self, pc: usize) {
        if self.used as usize + symbols::DEEPEST >= FRAMES {
            self.forget();
        }
        let Self {
            sections,
            frames,
            used,
            resolver,
            ..
        } = self;
        // SAFETY: `with` has written it.
        let sections = unsafe { sections.assume_init_ref() }.as_ref();
        let function = physical(sections, pc);
        let first = (*used).max(1);
        let mut next = first;
        let mut put = |frame: Frame| {
            if let Some(slot) = frames.get_mut(next as usize) {
                slot.write(frame);
                next += 1;
            }
        };
        match sections {
            None => put(function),
            Some(sections) => resolver.resolve(sections, pc, &mut |logical| {
                let frame = Frame {
                    file: logical.file,
                    line: logical.line,
                    ..function
                };
                put(match logical.inlined {
                    None => frame,
                    Some(name) => Frame {
                        name,
                        entry: 0,
                        inlined: true,
                        hidden: is_inlined_runtime(name, &frame.file),
                        ..frame
                    },
                });
            }),
        }
        *used = next;
        let slot = self.slot(pc);
        slot.first = first;
        slot.count = next - first;
    }
}
