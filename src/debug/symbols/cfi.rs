//! Where a caller's registers are, by DWARF's call frame information: `.debug_frame`,
//! and `.eh_frame` for what was compiled to be unwound.

use gimli::{
    BaseAddresses, CfaRule, DebugFrame, DebugFrameOffset, EhFrame, EhFrameOffset, LittleEndian,
    Register, RegisterRule, UnwindContext, UnwindContextStorage, UnwindOffset, UnwindSection,
    UnwindTableRow, X86_64,
};

use super::dwarf::Cursor;
use super::image::Sections;
use super::names::Bytes;
use crate::debug::traceback::unwind::Rule;

/// Room for the rules of a function: asyncPreempt saves all there is.
struct OnStack;

impl UnwindContextStorage<usize> for OnStack {
    type Rules = [(Register, RegisterRule<usize>); 24];
    type Stack = [UnwindTableRow<usize, Self>; 4];
}

/// Finds the rule for an instruction. None if there is none, or none that [`Rule`] has
/// words for.
pub(crate) fn rule(sections: &Sections, pc: usize) -> Option<Rule> {
    let pc = pc as u64;
    if let Some(offset) = find(sections.eh_frame, Some(sections.eh_frame_address), pc) {
        let mut eh_frame = EhFrame::new(sections.eh_frame, LittleEndian);
        eh_frame.set_address_size(8);
        let bases = BaseAddresses::default().set_eh_frame(sections.eh_frame_address);
        return rule_at(&eh_frame, &bases, EhFrameOffset(offset), pc);
    }
    let offset = find(sections.debug_frame, None, pc)?;
    let mut debug_frame = DebugFrame::new(sections.debug_frame, LittleEndian);
    debug_frame.set_address_size(8);
    let bases = BaseAddresses::default();
    rule_at(&debug_frame, &bases, DebugFrameOffset(offset), pc)
}

/// Finds where in a section the description is of the function that has that instruction.
///
/// Only what compilers do on this CPU is known: 32-bit lengths, and of addresses in
/// `.eh_frame`, which has one, 32-bit distances. It is a walk over all there is, in which
/// nothing but the addresses is looked at.
fn find(section: Bytes, eh_frame: Option<u64>, pc: u64) -> Option<usize> {
    const HEAD: usize = 8;
    let word =
        |at: usize| -> Option<u32> { Some(u32::from_le_bytes(*section.get(at..)?.first_chunk()?)) };
    let long =
        |at: usize| -> Option<u64> { Some(u64::from_le_bytes(*section.get(at..)?.first_chunk()?)) };
    let mut at = 0;
    loop {
        let (length, id) = (word(at)? as usize, word(at + 4)?);
        let covers = match eh_frame {
            _ if length == 0 => false,
            Some(_) if id == 0 => false,
            None if id == u32::MAX => false,
            Some(address) => {
                let from = address + (at + HEAD) as u64;
                let distance = i64::from(word(at + HEAD)? as i32);
                pc.wrapping_sub(from.wrapping_add_signed(distance)) < word(at + HEAD + 4)?.into()
            }
            None => pc.wrapping_sub(long(at + HEAD)?) < long(at + HEAD + 8)?,
        };
        if covers {
            return Some(at);
        }
        at = at.checked_add(length)?.checked_add(4)?;
    }
}

/// Reads the rule for an instruction from the description at an offset.
fn rule_at<S>(section: &S, bases: &BaseAddresses, offset: S::Offset, pc: u64) -> Option<Rule>
where
    S: UnwindSection<Cursor>,
    S::Offset: UnwindOffset<usize>,
{
    let fde = section
        .fde_from_offset(bases, offset, S::cie_from_offset)
        .ok()?;
    let mut context = UnwindContext::<usize, OnStack>::new_in();
    let row = fde
        .unwind_info_for_address(section, bases, &mut context, pc)
        .ok()?;
    from_row(row, fde.is_signal_trampoline())
}

/// Takes out of a row what is needed.
fn from_row(row: &UnwindTableRow<usize, OnStack>, interrupted: bool) -> Option<Rule> {
    let (register, offset) = match row.cfa() {
        CfaRule::RegisterAndOffset { register, offset } => (*register, *offset),
        CfaRule::Expression(_) => return None,
    };
    let by_fp = match register {
        X86_64::RBP => true,
        X86_64::RSP => false,
        _ => return None,
    };
    let saved = |register: Register| match row.register(register) {
        Some(RegisterRule::Offset(offset)) => Some(Some(isize::try_from(offset).ok()?)),
        None | Some(RegisterRule::Undefined | RegisterRule::SameValue) => Some(None),
        _ => None,
    };
    if row.register(X86_64::RA) == Some(RegisterRule::Undefined) {
        return Some(Rule::Root);
    }
    Some(Rule::Frame {
        by_fp,
        offset: isize::try_from(offset).ok()?,
        pc: saved(X86_64::RA)??,
        fp: saved(X86_64::RBP)?,
        interrupted,
    })
}
