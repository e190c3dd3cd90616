//! The program's text, as the unwinder asks for it.

use core::{ptr, slice};

use super::frames::Shared;
use super::unwind::{Code, Rule, Stage};
use crate::sched::{self, G};

// SAFETY: labels of the linker script and the assembly; only their addresses are used.
unsafe extern "C" {
    #[link_name = "runtime.text"]
    safe static TEXT: u8;
    #[link_name = "runtime.etext"]
    safe static ETEXT: u8;
    #[link_name = "runtime.goexit"]
    fn goexit();
    #[link_name = "runtime.systemstack"]
    fn systemstack(f: extern "C" fn(*mut u8), arg: *mut u8);
    #[link_name = "runtime.esystemstack"]
    safe static ESYSTEMSTACK: u8;
}

/// The text, for the stack of one goroutine.
pub(crate) struct Program<'a, 'f> {
    pub(crate) gp: &'a G,
    pub(crate) frames: &'a Shared<'f>,
}

impl Program<'_, '_> {
    /// Returns the instructions from `pc` on, at most `length` bytes.
    fn bytes(&self, pc: usize, length: usize) -> &'static [u8] {
        let end = (&raw const ETEXT).addr();
        let length = length.min(end.saturating_sub(pc));
        if !self.contains(pc) {
            return &[];
        }
        // SAFETY: between the two labels there is the program's text.
        unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(pc), length) }
    }
}

impl Code for Program<'_, '_> {
    fn contains(&self, pc: usize) -> bool {
        ((&raw const TEXT).addr()..(&raw const ETEXT).addr()).contains(&pc)
    }

    fn is_root(&self, pc: usize) -> bool {
        let system = systemstack as *const () as usize..(&raw const ESYSTEMSTACK).addr();
        // What is behind that on g0 is the goroutine's.
        pc == goexit as *const () as usize || self.gp.goid.get() == 0 && system.contains(&pc)
    }

    fn is_base(&self) -> bool {
        self.gp.goid.get() == 0
    }

    fn rule(&self, pc: usize) -> Option<Rule> {
        self.frames.with(|frames| frames.rule(pc)).flatten()
    }

    fn stage(&self, pc: usize) -> Stage {
        const PUSH: u8 = 0x55;
        const SET: [u8; 3] = [0x48, 0x89, 0xe5];
        const ENDBR: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
        const RET: u8 = 0xc3;
        if sched::is_async_preempt(pc) {
            return Stage::Preempted;
        }
        // A goroutine that has not begun is where somebody has called it from.
        if self.gp.startpc.get() == pc && self.gp.sched.pc.get() == pc {
            return Stage::Bare;
        }
        match self.bytes(pc, 4) {
            [PUSH, rest @ ..] if rest == SET => Stage::Bare,
            bytes if bytes == ENDBR => Stage::Bare,
            [RET, ..] => Stage::Bare,
            [set @ .., _] if set == SET && self.bytes(pc.wrapping_sub(1), 1) == [PUSH] => {
                Stage::Pushed
            }
            _ => Stage::Whole,
        }
    }
}
