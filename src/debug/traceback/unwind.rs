//! From a frame to its caller's, over a stack that nobody vouches for.
//!
//! Go's counterpart: `unwinder` in `runtime/traceback.go`. Go has a table for every
//! function; here it is DWARF's, where the program has it, and else the chain of
//! frame pointers:
//!
//! ```text
//!        by the frame pointer              by a rule of DWARF's
//!            | return address |                | return address |
//!      fp -> | caller's fp    |                |  ...           |  CFA = sp or fp, and
//!            |  ...           |                | caller's fp    |  where they lie from there
//!      sp -> |                |          sp -> |                |
//! ```
//!
//! Invariants:
//! 1. Nothing is read but through [`Memory`], which knows where the stack ends.
//! 2. The stack pointer goes outwards with each step, by a word at least: so there
//!    are no more steps than words, whatever the words say.
//! 3. A caller is an address in the program's text, or the trace ends there and says so.
//!
//! The file stands alone, so that a test on the host can feed it garbage.

/// What there is to know of the CPU, to find the callers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Registers {
    /// The instruction pointer.
    pub(crate) pc: usize,
    /// The stack pointer.
    pub(crate) sp: usize,
    /// The frame pointer, or whatever is in that register.
    pub(crate) fp: usize,
}

/// A stack, to be read.
pub(crate) trait Memory {
    /// Reads a word; None if it is not all in the stack, or not aligned.
    fn word(&self, address: usize) -> Option<usize>;

    /// Tells how far out an address is in the stack: more for a caller's than for its
    /// callee's, wherever the pieces of the stack lie. None outside; the address behind
    /// the last word is inside.
    fn depth(&self, address: usize) -> Option<usize>;
}

/// The program's text.
pub(crate) trait Code {
    /// Tells whether there is code at that address.
    fn contains(&self, pc: usize) -> bool;

    /// Tells whether nobody has called the function there: a stack ends with it.
    fn is_root(&self, pc: usize) -> bool;

    /// Tells whether this stack ends where the frame pointer is null.
    fn is_base(&self) -> bool;

    /// What is to be done at that instruction, by DWARF.
    fn rule(&self, pc: usize) -> Option<Rule>;

    /// How far the function has come with its frame, by the instructions around, where
    /// it is about to make it or to leave it.
    fn stage(&self, pc: usize) -> Stage;
}

/// What a function has of its frame, where DWARF does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// The return address is where the stack pointer points at.
    Bare,
    /// And the caller's frame pointer has been pushed onto it.
    Pushed,
    /// The frame pointer is the function's own.
    Whole,
    /// It is asyncPreempt's: the frame is one of its own kind.
    Preempted,
}

/// Where a caller's registers are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// There is no caller.
    Root,
    /// The return address and the rest lie around the canonical frame address.
    Frame {
        /// The frame address is this one's value, the frame pointer's or else the
        /// stack pointer's …
        by_fp: bool,
        /// … and that many bytes more.
        offset: isize,
        /// Where the return address is, from there.
        pc: isize,
        /// Where the caller's frame pointer is, if it was saved.
        fp: Option<isize>,
        /// The return address is the next instruction of one that was interrupted.
        interrupted: bool,
    },
}

/// The red zone that asyncPreempt leaves.
const RED_ZONE: usize = 128;

/// A word's size.
const WORD: usize = size_of::<usize>();

/// What ends a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// The stack's root.
    Root,
    /// What should be the return address is this.
    UnexpectedReturn(usize),
}

/// Goes from frame to frame, the innermost first.
pub(crate) struct Unwinder<'a, M, C> {
    memory: &'a M,
    code: &'a C,
    /// The frame's.
    registers: Registers,
    /// `pc` is the next instruction, and not the one behind a call.
    exact: bool,
    /// This is the innermost frame.
    first: bool,
    /// What there is behind this frame.
    end: Option<End>,
}

impl<M, C> Clone for Unwinder<'_, M, C> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, M: Memory, C: Code> Unwinder<'a, M, C> {
    /// Begins where somebody was interrupted, or waits; or, if it is not `exact`, behind a
    /// call.
    pub(crate) fn new(memory: &'a M, code: &'a C, registers: Registers, exact: bool) -> Self {
        Self {
            memory,
            code,
            registers,
            exact,
            first: true,
            end: None,
        }
    }

    /// Returns the frame's registers.
    pub(crate) fn registers(&self) -> Registers {
        self.registers
    }

    /// Returns the address by which to look the frame up: in the call, and not behind it.
    pub(crate) fn symbol_pc(&self) -> usize {
        self.registers.pc - usize::from(!self.exact)
    }

    /// Goes to the caller. False if there is none: [`end`](Self::end) says why.
    pub(crate) fn next(&mut self) -> bool {
        match self.caller() {
            Ok((registers, exact)) => {
                self.registers = registers;
                self.exact = exact;
                self.first = false;
                true
            }
            Err(end) => {
                self.end = Some(end);
                false
            }
        }
    }

    /// Tells whether there is nothing behind this frame, as [`next`](Self::next) has found.
    pub(crate) fn is_done(&self) -> bool {
        self.end.is_some()
    }

    /// Tells what was behind the last frame.
    pub(crate) fn end(&self) -> End {
        self.end.unwrap_or(End::Root)
    }

    /// Finds the caller.
    fn caller(&self) -> Result<(Registers, bool), End> {
        let Registers { pc, sp, fp } = self.registers;
        let at = self.symbol_pc();
        if self.code.is_root(at) {
            return Err(End::Root);
        }
        // Where there is no code somebody has called what is no function, or the vDSO's.
        if !self.code.contains(pc) {
            let bare = self.frame(sp, fp);
            return match bare {
                Some(found) if self.is_caller(found) => Ok((found, false)),
                _ => self.by_frame_pointer().map(|found| (found, false)),
            };
        }
        match self.code.rule(at) {
            Some(Rule::Root) => return Err(End::Root),
            Some(Rule::Frame {
                by_fp,
                offset,
                pc,
                fp: saved,
                interrupted,
            }) => {
                let cfa = if by_fp { fp } else { sp }.wrapping_add_signed(offset);
                let found = self.memory.word(cfa.wrapping_add_signed(pc));
                let callers = match saved {
                    Some(offset) => self.memory.word(cfa.wrapping_add_signed(offset)),
                    None => Some(fp),
                };
                if let (Some(pc), Some(fp)) = (found, callers) {
                    let found = Registers { pc, sp: cfa, fp };
                    if self.is_caller(found) {
                        return Ok((found, interrupted));
                    }
                    return Err(End::UnexpectedReturn(pc));
                }
                return Err(End::UnexpectedReturn(0));
            }
            None => {}
        }
        let stage = match self.code.stage(pc) {
            Stage::Preempted => {
                let mut found = self.by_frame_pointer_unchecked()?;
                found.sp = fp.wrapping_add(2 * WORD + RED_ZONE);
                return self.checked(found).map(|found| (found, true));
            }
            stage if self.exact => stage,
            _ => Stage::Whole,
        };
        let found = match stage {
            Stage::Bare => self.frame(sp, fp),
            Stage::Pushed => match self.memory.word(sp) {
                Some(callers) => self.frame(sp.wrapping_add(WORD), callers),
                None => None,
            },
            _ => return self.by_frame_pointer().map(|found| (found, false)),
        };
        let found = found.ok_or(End::UnexpectedReturn(0))?;
        self.checked(found).map(|found| (found, false))
    }

    /// Takes the return address at `at`.
    fn frame(&self, at: usize, fp: usize) -> Option<Registers> {
        Some(Registers {
            pc: self.memory.word(at)?,
            sp: at.wrapping_add(WORD),
            fp,
        })
    }

    /// Follows the frame pointer.
    fn by_frame_pointer(&self) -> Result<Registers, End> {
        self.checked(self.by_frame_pointer_unchecked()?)
    }

    /// The same, whatever it leads to.
    fn by_frame_pointer_unchecked(&self) -> Result<Registers, End> {
        let fp = self.registers.fp;
        if fp == 0 && self.code.is_base() {
            return Err(End::Root);
        }
        let callers = self.memory.word(fp);
        let found = callers.and_then(|callers| self.frame(fp.wrapping_add(WORD), callers));
        found.ok_or(End::UnexpectedReturn(0))
    }

    /// Makes what is no caller's an end.
    fn checked(&self, found: Registers) -> Result<Registers, End> {
        if self.is_caller(found) {
            Ok(found)
        } else {
            Err(End::UnexpectedReturn(found.pc))
        }
    }

    /// Tells whether that can be the caller's frame: farther out, and in the text.
    fn is_caller(&self, found: Registers) -> bool {
        // The return address is the last word of the frame that is left.
        let last = self.memory.depth(found.sp.wrapping_sub(WORD));
        let outwards = match (self.memory.depth(self.registers.sp), last) {
            (Some(now), Some(last)) => last >= now,
            (None, Some(_)) => self.first, // it had left its stack, and comes back
            _ => false,
        };
        outwards && self.code.contains(found.pc.wrapping_sub(1))
    }
}
