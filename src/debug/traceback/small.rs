//! The trace of one goroutine, in release builds without the feature `backtrace`: by frame
//! pointers, and with names alone, as the linker has them: `c++filt` and `rustfilt` make
//! them readable, and `addr2line` finds lines by the addresses. It is in every program, and
//! so it is small; all that stands beside it would be as large as half of `hello`.

use core::ptr;

use super::unwind::Registers;
use crate::debug::print::say;
use crate::debug::symbols::{self, Bytes};
use crate::sched::{self, G};

/// How many frames are shown.
const FRAMES: usize = 100;

// SAFETY: labels of the linker script and the assembly; only their addresses are used.
unsafe extern "C" {
    #[link_name = "runtime.text"]
    safe static TEXT: u8;
    #[link_name = "runtime.etext"]
    safe static ETEXT: u8;
    #[link_name = "runtime.goexit"]
    fn goexit();
}

/// Prints where a goroutine is: from the frame that has these registers; the runtime's
/// frames too, if that is wanted, or if it has no others.
#[inline(never)]
pub(crate) fn trace(gp: &G, registers: Registers, runtime: bool) {
    let (symtab, strtab) = symbols::in_file(symbols::symbols).unwrap_or_default();
    let mut runtime = runtime;
    while !walk(gp, registers, runtime, symtab, strtab) && !runtime {
        runtime = true;
    }
}

/// Goes from frame to frame. False if it has shown none.
#[inline(never)]
fn walk(gp: &G, from: Registers, runtime: bool, symtab: Bytes, strtab: Bytes) -> bool {
    let Registers {
        mut pc,
        mut sp,
        mut fp,
    } = from;
    let (mut hi, mut top) = (gp.stack.hi.get(), gp.stktop.get());
    let mut shown = 0;
    let mut exact = true;
    sp = sp.max(gp.stack.lo.get()); // wherever it was
    while shown < FRAMES {
        let function = symbols::function(symtab, strtab, pc - usize::from(!exact));
        let name = function.and_then(|function| function.name.first_chunk());
        if runtime || !name.is_some_and(is_runtime) {
            shown += 1;
            let entry = function.map_or(pc, |function| function.entry);
            let numbers = [pc as u64, (pc - entry) as u64];
            match function {
                None => say("0x%x", &numbers, &[]),
                Some(function) => say("%s()\n\t0x%x +0x%x", &numbers, &[function.name]),
            }
        }
        if pc == goexit as *const () as usize + 1 {
            break;
        }
        // One that has not begun, or was called and is no function, has no frame.
        let bare = exact && (pc == gp.startpc.get() || !is_code(pc));
        let frame = if bare { sp } else { fp };
        let at = frame.wrapping_add(if bare { 0 } else { 8 });
        // One piece may lie above or below the next.
        // SAFETY: while there are pieces of stack, the top of each has the next one's bounds.
        while (frame < sp || at >= hi)
            && let Some(segment) = unsafe { top.as_ref() }
        {
            (sp, hi, top) = (
                segment.stack.lo.get(),
                segment.stack.hi.get(),
                segment.link.get(),
            );
        }
        let found = if at % 8 == 0 && frame >= sp && at < hi {
            let word = ptr::with_exposed_provenance::<usize>(at);
            if !bare {
                // SAFETY: `frame`, in the stack.
                fp = unsafe { word.sub(1).read_volatile() };
            }
            // SAFETY: in the stack, which is never unmapped.
            unsafe { word.read_volatile() }
        } else {
            0
        };
        if !is_code(found) {
            if gp.goid.get() != 0 {
                let numbers = [gp.goid.get(), pc as u64, found as u64];
                say(
                    "runtime: g %d: unexpected return pc for 0x%x called from 0x%x",
                    &numbers,
                    &[],
                );
            }
            break;
        }
        exact = sched::is_async_preempt(pc);
        (pc, sp) = (found, at + 8);
    }
    shown != 0
}

/// Tells by the beginning of a function's name, as the linker has it, whether it is the
/// runtime's, or of the crates that rustc brings along.
fn is_runtime(name: &[u8; 8]) -> bool {
    matches!(name, b"runtime." | b"_ZN4gort" | b"_ZN4core") || name.starts_with(b"_R")
}

/// Tells whether an address is one of an instruction.
fn is_code(pc: usize) -> bool {
    ((&raw const TEXT).addr()..(&raw const ETEXT).addr()).contains(&pc)
}
