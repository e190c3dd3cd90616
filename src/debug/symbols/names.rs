//! The name of the function at an address, by `.symtab`.
//!
//! Go's counterpart: `findfunc` and `funcname` in `runtime/symtab.go`.

use goblin::elf::sym::{STT_FUNC, STT_NOTYPE};
use goblin::elf64::sym::{SIZEOF_SYM, Sym};

use super::image::{Bytes, Sections};

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
pub(crate) fn function(sections: &Sections, pc: usize) -> Option<Function> {
    let mut best: Option<Sym> = None;
    let (symbols, _) = sections.symtab.as_chunks::<SIZEOF_SYM>();
    for bytes in symbols {
        let mut symbol = Sym::default();
        plain::copy_from_bytes(&mut symbol, bytes).ok()?;
        let kind = symbol.st_info & 0xf;
        let distance = (pc as u64).wrapping_sub(symbol.st_value);
        // What the assembly only marks by a label has no size, and no kind.
        let covers = kind == STT_FUNC && distance < symbol.st_size
            || kind == STT_NOTYPE && symbol.st_shndx != 0 && symbol.st_size > distance;
        if covers && best.is_none_or(|best| symbol.st_value > best.st_value) {
            best = Some(symbol);
        }
    }
    let symbol = best?;
    let name = sections.strtab.get(symbol.st_name as usize..)?;
    Some(Function {
        name: name.split(|&byte| byte == 0).next()?,
        entry: symbol.st_value as usize,
    })
}
