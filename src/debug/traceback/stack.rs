//! A goroutine's stack, and where on it the goroutine is.

use core::ptr;
use core::sync::atomic::Ordering;

use super::unwind::{Memory, Registers};
use crate::debug::symbols;
use crate::sched::runtime2::Stktop;
use crate::sched::{self, G, GStatus};

/// The most pieces of stack that are looked at: more than that are no accident, but
/// what makes them.
const PIECES: usize = 1 << 16;

/// What may lie between two pieces, as a depth.
const SEAM: usize = 16;

/// The stack of a goroutine, or of g0: in pieces, where `gort::stack::grow` was called.
pub(crate) struct GoStack<'a>(pub(crate) &'a G);

/// The largest stack that a goroutine can have.
const LARGEST: usize = 1 << 30;

/// The longest name of a file that is believed in.
const LONGEST: usize = 4096;

/// Tells whether a goroutine's own record is what it should be: it lies at the top of its
/// stack, and one that has overflowed without meeting a guard has written over another's.
pub(crate) fn is_whole(gp: &G) -> bool {
    let (lo, hi) = (gp.stack.lo.get(), gp.stack.hi.get());
    let sized = lo < hi && hi - lo <= LARGEST;
    let own = gp.stktop.get().is_null();
    let address = ptr::from_ref(gp).addr();
    // References to texts, and so on: each step only if the one before leads somewhere.
    let constant = |address: usize| address.is_multiple_of(8) && symbols::is_constant(address);
    let text = |text: &str| text.len() < LONGEST && symbols::is_constant(text.as_ptr().addr());
    let created = gp
        .gopc
        .get()
        .is_none_or(|at| constant(ptr::from_ref(at).addr()) && text(at.file()));
    let reason = gp
        .waitreason
        .get()
        .is_none_or(|reason| constant(reason.address()) && text(reason.text()));
    let itself = ptr::eq(gp.sched.g.get(), gp); // newproc1 wrote it
    let consistent = itself && sized && (!own || (lo..hi).contains(&address));
    gp.goid.get() == 0 || consistent && created && reason
}

impl GoStack<'_> {
    /// Finds how far out an address is, from the innermost piece on.
    ///
    /// Only that a piece's bounds are at its top is relied on, which the runtime put
    /// there: whatever else the goroutine has written over, it is not looked at.
    fn find(&self, address: usize) -> Option<usize> {
        let Self(gp) = *self;
        let (mut lo, mut hi) = (gp.stack.lo.get(), gp.stack.hi.get());
        let mut link = gp.stktop.get();
        let mut depth = 0;
        for _ in 0..PIECES {
            if (lo..=hi).contains(&address) {
                return Some(depth + (address - lo));
            }
            if link.addr() != hi.wrapping_sub(size_of::<Stktop>()) {
                break;
            }
            depth += hi - lo + SEAM;
            // SAFETY: g.stktop, or what it leads to, at the top of a piece of stack.
            let top = unsafe { &*link };
            (lo, hi) = (top.stack.lo.get(), top.stack.hi.get());
            link = top.link.get();
        }
        None
    }
}

impl Memory for GoStack<'_> {
    fn word(&self, address: usize) -> Option<usize> {
        if !address.is_multiple_of(size_of::<usize>()) {
            return None;
        }
        let whole = self.find(address)? < self.find(address.checked_add(size_of::<usize>())?)?;
        let word = ptr::with_exposed_provenance::<usize>(address);
        // SAFETY: in a stack, which is never unmapped. Volatile: somebody else may be
        // writing there, if the goroutine is about to go on.
        whole.then(|| unsafe { word.read_volatile() })
    }

    fn depth(&self, address: usize) -> Option<usize> {
        self.find(address)
    }
}

/// Finds where a goroutine is that does not run, or runs in a system call: there it is
/// where that was called, and its frames further in are no business of ours, as they
/// change. None of one that runs on another thread.
pub(crate) fn saved(gp: &G) -> Option<Registers> {
    let mine = sched::getm().is_some_and(|mp| ptr::eq(gp.m.load(Ordering::Relaxed), mp));
    if sched::readgstatus(gp) == GStatus::Running as u32 && !mine {
        return None;
    }
    Some(Registers {
        pc: gp.sched.pc.get(),
        sp: gp.sched.sp.get(),
        fp: gp.sched.bp.get(),
    })
}

/// Tells whether what [`saved`] has found is a return address.
pub(crate) fn is_behind_call(gp: &G) -> bool {
    sched::readgstatus(gp) == GStatus::Syscall as u32
}
