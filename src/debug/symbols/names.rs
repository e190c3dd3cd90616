//! The name of the function at an address, by `.symtab`.
//!
//! Go's counterpart: `findfunc` and `funcname` in `runtime/symtab.go`.

use core::mem::offset_of;

use goblin::elf64::sym::{SIZEOF_SYM, Sym};

/// Bytes of the program's file, which stays mapped; empty if it has not these.
pub(crate) type Bytes = &'static [u8];

/// A function.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// Its name, as the linker has it.
    pub(crate) name: Bytes,
    /// Its first instruction.
    pub(crate) entry: usize,
}

/// Finds the function that has that instruction.
///
/// A linear search: who asks for more than a few dozen addresses remembers them.
#[inline(never)]
pub(crate) fn function(symtab: Bytes, strtab: Bytes, pc: usize) -> Option<Function> {
    let mut best: Option<&Symbol> = None;
    let pc = pc as u64;
    for symbol in symtab.as_chunks().0 {
        // What the assembly only marks by a label has no size.
        let start = word(symbol, VALUE);
        let covers = pc.wrapping_sub(start) < word(symbol, SIZE);
        if covers && best.is_none_or(|best| start > word(best, VALUE)) {
            best = Some(symbol);
        }
    }
    let symbol = best?;
    let name = strtab.get(word(symbol, NAME) as u32 as usize..)?;
    Some(Function {
        name: name.split(|&byte| byte == 0).next()?,
        entry: word(symbol, VALUE) as usize,
    })
}

/// A symbol, as it lies in the file: at any address.
type Symbol = [u8; SIZEOF_SYM];

const NAME: usize = offset_of!(Sym, st_name);
const VALUE: usize = offset_of!(Sym, st_value);
const SIZE: usize = offset_of!(Sym, st_size);

/// Reads eight bytes of a symbol.
fn word(symbol: &Symbol, at: usize) -> u64 {
    let bytes = symbol.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
