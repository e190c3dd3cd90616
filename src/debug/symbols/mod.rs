//! What an address stands for: the function's name, the file and the line, and which
//! functions have been inlined around it; by the program's own file, which is mapped when
//! somebody asks.
//!
//! Go's counterpart: `runtime/symtab.go`. Go's linker puts all of that into the program;
//! here it is what the linker leaves for debuggers, and `strip` takes away.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `names` | `.symtab`: a function's name |
//! | `symtab` | where that is, in release builds that show nothing else |
//! | `image` | the file and its sections |
//! | `dwarf` | DWARF's units and entries |
//! | `info` | which functions have been inlined |
//! | `lines` | files and lines |
//! | `cfi` | where a caller's registers are |
//!
//! Nothing here allocates, or takes a lock: a dying program asks.

mod cfi;
mod dwarf;
mod image;
mod info;
mod lines;
mod names;
#[cfg(not(any(feature = "backtrace", debug_assertions)))]
mod symtab;

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use core::{ptr, slice};

pub(crate) use cfi::rule;
pub(crate) use image::{Sections, sections};
pub(crate) use names::{Bytes, function};
#[cfg(not(any(feature = "backtrace", debug_assertions)))]
pub(crate) use symtab::symbols;

use goblin::elf64::header::{Header, SIZEOF_EHDR};
use goblin::elf64::program_header::SIZEOF_PHDR;

use crate::boot;
use crate::os;

// SAFETY: labels of the linker script; only their addresses are used.
unsafe extern "C" {
    #[link_name = "runtime.ehdr"]
    safe static EHDR: u8;
}

/// The file, once it is mapped.
static FILE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// How long it is.
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// Returns the program's headers, as they are in memory.
fn headers() -> &'static [u8] {
    let base = &raw const EHDR;
    // SAFETY: the linker has put the header there.
    let header = unsafe { &*base.cast::<Header>() };
    let length = SIZEOF_EHDR + usize::from(header.e_phnum) * SIZEOF_PHDR;
    // SAFETY: and behind it those of the segments: moduledataverify has looked.
    unsafe { slice::from_raw_parts(base, length) }
}

/// Tells whether that can be the address of one of the program's constants.
pub(crate) fn is_constant(address: usize) -> bool {
    // What is zero at first comes behind all else.
    ((&raw const EHDR).addr()..(&raw const FILE).addr()).contains(&address)
}

/// Looks by `find` for what the program's file has. None if there is no such file, or it
/// is not this program's: `find` compares the first bytes with those in memory.
pub(crate) fn in_file<T>(find: fn(Bytes, &[u8]) -> Option<T>) -> Option<T> {
    let headers = headers();
    let known = FILE.load(Ordering::Acquire); // pairs with the store below
    if !known.is_null() {
        let length = LENGTH.load(Ordering::Relaxed); // ordered by that
        // SAFETY: what was mapped below, for good.
        return find(unsafe { slice::from_raw_parts(known, length) }, headers);
    }
    let execfn = boot::args::auxv().execfn();
    let look = |by_name| {
        let file = os::map_exe(by_name)?;
        Some((file, find(file, headers)?))
    };
    let (file, found) = match look(None) {
        None if cfg!(any(feature = "backtrace", debug_assertions)) => look(Some(execfn))?,
        found => found?,
    };
    // Whoever does this at the same time maps the same file.
    LENGTH.store(file.len(), Ordering::Relaxed); // published by the next
    FILE.store(file.as_ptr().cast_mut(), Ordering::Release);
    Some(found)
}

mod resolve {
    use core::panic::Location;

    use super::dwarf::{Abbrevs, Unit};
    use super::info::{self, DEEPEST, Inlined};
    use super::lines::{File, Lines};
    use super::{Bytes, Sections};

    /// What a debugger would call a frame.
    #[derive(Clone, Copy, Default)]
    pub(crate) struct Logical {
        /// The function, if it was inlined; else it is the symbol's.
        pub(crate) inlined: Option<Bytes>,
        /// Its file, unless nobody knows.
        pub(crate) file: File,
        /// Its line, or 0.
        pub(crate) line: u64,
    }

    /// What is kept from one address to the next. All zeros are nothing.
    pub(crate) struct Resolver {
        abbrevs: Abbrevs,
    }

    impl Resolver {
        /// Gives `each` all functions that there are at `pc`, the innermost first.
        pub(crate) fn resolve(
            &mut self,
            sections: &Sections,
            pc: usize,
            each: &mut dyn FnMut(Logical),
        ) {
            if self.try_resolve(sections, pc as u64, each).is_none() {
                each(Logical::default());
            }
        }

        /// Finds an instruction of a line.
        pub(crate) fn instruction_of(
            &mut self,
            sections: &Sections,
            at: &Location<'_>,
        ) -> Option<usize> {
            let place = (at.line().into(), at.column().into());
            let file = at.file().as_bytes();
            let found = info::instruction_of(sections, &mut self.abbrevs, file, place)?;
            usize::try_from(found).ok()
        }

        /// The same. None, and nothing given, if nothing is known.
        fn try_resolve(
            &mut self,
            sections: &Sections,
            pc: u64,
            each: &mut dyn FnMut(Logical),
        ) -> Option<()> {
            let unit: Unit = info::unit_of(sections, &mut self.abbrevs, pc)?;
            let lines = Lines::of(sections, &unit);
            let (file, line) = lines
                .as_ref()
                .and_then(|lines| lines.find(pc))
                .unwrap_or((0, 0));
            let name = |file: u64| -> File {
                let lines = lines.as_ref();
                lines
                    .and_then(|lines| lines.file(sections, file))
                    .unwrap_or_default()
            };
            let mut inlined = [Inlined::default(); DEEPEST];
            let found = info::inlined(sections, &mut self.abbrevs, &unit, pc, &mut inlined);
            if line == 0 && found.is_none() {
                return None;
            }
            let mut logical = Logical {
                inlined: None,
                file: name(file),
                line,
            };
            let inlined = inlined.get(..found.unwrap_or(0)).unwrap_or_default();
            for inlined in inlined.iter().rev() {
                logical.inlined = Some(inlined.name);
                each(logical);
                logical = Logical {
                    inlined: None,
                    file: name(inlined.call_file),
                    line: inlined.call_line,
                };
            }
            each(logical);
            Some(())
        }
    }
}

pub(crate) use info::DEEPEST;
pub(crate) use lines::File;
pub(crate) use resolve::Resolver;
