//! What is in the ELF file of `hello`: where it is entered, which symbols a
//! student finds there, and which memory it asks the kernel for.
//!
//! `GORT_PROFILE` says which build is looked at; see `gort_host_tests::programs`.
//! The names that the runtime exports are in `elf/symbols.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use goblin::elf::program_header::{PF_W, PF_X, PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, PT_LOAD};
use goblin::elf::sym::{STT_FUNC, STT_OBJECT};
use goblin::elf::{Elf, Sym};
use gort_host_tests::programs::release;
use gort_host_tests::{ensure, programs};
use libtest_mimic::{Arguments, Failed, Trial};

/// Where a program's text may begin, as Go's does.
const TEXT: u64 = 0x0040_1000;

/// What a stripped `hello` may weigh, in a release build.
const STRIPPED: u64 = 40 << 10;

/// The names that the runtime exports. Behind a name stands the build or the
/// example that alone has it, if only one has.
const SYMBOLS: &str = include_str!("elf/symbols.txt");

fn main() {
    let test = |name, check: fn(&Program) -> Result<(), Failed>| {
        Trial::test(name, move || {
            let bytes = fs::read(programs::path("hello")?)?;
            let elf = Elf::parse(&bytes)?;
            check(&Program { bytes: &bytes, elf })
        })
    };
    let mut trials = vec![
        test(
            "the_entry_is_a_jump_to_rt0_amd64",
            the_entry_is_a_jump_to_rt0_amd64,
        ),
        test(
            "text_is_bounded_by_its_symbols",
            text_is_bounded_by_its_symbols,
        ),
        test(
            "g0_and_m0_are_objects_with_a_size",
            g0_and_m0_are_objects_with_a_size,
        ),
        test(
            "nothing_is_both_written_and_executed",
            nothing_is_both_written_and_executed,
        ),
        test("the_program_is_static", the_program_is_static),
        Trial::test(
            "the_runtime_exports_what_is_listed",
            the_runtime_exports_what_is_listed,
        ),
        test(
            "every_step_of_the_boot_is_a_function",
            every_step_of_the_boot_is_a_function,
        ),
    ];
    if release() {
        trials.push(Trial::test(
            "stripped_hello_is_at_most_40_kib",
            stripped_hello_is_at_most_40_kib,
        ));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// An ELF file, its bytes and what they mean.
struct Program<'a> {
    bytes: &'a [u8],
    elf: Elf<'a>,
}

impl Program<'_> {
    /// Returns a symbol.
    fn symbol(&self, name: &str) -> Result<Sym, String> {
        let named = |symbol: &Sym| self.elf.strtab.get_at(symbol.st_name) == Some(name);
        self.elf
            .syms
            .iter()
            .find(named)
            .ok_or(format!("there is no symbol {name}"))
    }

    /// Returns the addresses of a section: its first and the one behind its last.
    fn section(&self, name: &str) -> Result<(u64, u64), String> {
        let mut sections = self.elf.section_headers.iter();
        let section =
            sections.find(|section| self.elf.shdr_strtab.get_at(section.sh_name) == Some(name));
        let section = section.ok_or(format!("there is no section {name}"))?;
        Ok((section.sh_addr, section.sh_addr + section.sh_size))
    }

    /// Returns the bytes of the file that are loaded at an address.
    fn at(&self, address: u64) -> Result<&[u8], String> {
        let mut segments = self
            .elf
            .program_headers
            .iter()
            .filter(|segment| segment.p_type == PT_LOAD);
        let segment = segments.find(|segment| {
            (segment.p_vaddr..segment.p_vaddr + segment.p_filesz).contains(&address) //
        });
        let segment = segment.ok_or(format!("nothing is loaded at {address:#x}"))?;
        let start = segment.p_offset + (address - segment.p_vaddr);
        self.bytes
            .get(start as usize..)
            .ok_or("a segment behind the end of the file".into())
    }
}

/// `objdump -f` gives the address, `objdump -d` shows the jump there.
fn the_entry_is_a_jump_to_rt0_amd64(program: &Program<'_>) -> Result<(), Failed> {
    let entry = program.elf.entry;
    let symbol = program.symbol("_rt0_amd64_linux")?.st_value;
    ensure!(
        entry == symbol,
        "the entry is {entry:#x}, _rt0_amd64_linux is at {symbol:#x}"
    );

    let (start, end) = program.section(".text")?;
    ensure!(
        (start..end).contains(&entry),
        "the entry, {entry:#x}, is not in .text, {start:#x}..{end:#x}"
    );
    ensure!(entry >= TEXT, "the entry, {entry:#x}, is below {TEXT:#x}");

    let target = match *program.at(entry)? {
        [0xeb, offset, ..] => entry
            .wrapping_add(2)
            .wrapping_add_signed(i64::from(offset as i8)),
        [0xe9, a, b, c, d, ..] => entry
            .wrapping_add(5)
            .wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d]))),
        ref other => {
            return Err(
                format!("the first instruction is no jump: {:02x?}", other.get(..5)).into(),
            );
        }
    };
    let rt0 = program.symbol("_rt0_amd64")?.st_value;
    ensure!(
        target == rt0,
        "the first instruction jumps to {target:#x}, _rt0_amd64 is at {rt0:#x}"
    );
    Ok(())
}

/// `runtime.text` and `runtime.etext` are the ends of .text, and all functions
/// lie between them.
fn text_is_bounded_by_its_symbols(program: &Program<'_>) -> Result<(), Failed> {
    let bounds =
        program.symbol("runtime.text")?.st_value..program.symbol("runtime.etext")?.st_value;
    let (start, end) = program.section(".text")?;
    ensure!(
        bounds == (start..end),
        "runtime.text..etext is {bounds:#x?}, .text {start:#x}..{end:#x}"
    );
    ensure!(start >= TEXT, ".text begins at {start:#x}, below {TEXT:#x}");

    for symbol in program
        .elf
        .syms
        .iter()
        .filter(|symbol| symbol.st_type() == STT_FUNC)
    {
        let name = program
            .elf
            .strtab
            .get_at(symbol.st_name)
            .unwrap_or_default();
        let last = symbol.st_value + symbol.st_size;
        ensure!(
            bounds.contains(&symbol.st_value) && last <= end,
            "{name} is outside of .text"
        );
    }
    Ok(())
}

/// As `readelf -s` shows them.
fn g0_and_m0_are_objects_with_a_size(program: &Program<'_>) -> Result<(), Failed> {
    for name in ["runtime.g0", "runtime.m0"] {
        let symbol = program.symbol(name)?;
        ensure!(
            symbol.st_type() == STT_OBJECT,
            "{name} has type {}, not OBJECT",
            symbol.st_type()
        );
        ensure!(symbol.st_size > 0, "{name} has no size");
    }
    Ok(())
}

/// W^X, the stack included.
fn nothing_is_both_written_and_executed(program: &Program<'_>) -> Result<(), Failed> {
    for segment in program
        .elf
        .program_headers
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD)
    {
        let both = segment.p_flags & (PF_W | PF_X) == PF_W | PF_X;
        ensure!(
            !both,
            "the segment at {:#x} is writable and executable",
            segment.p_vaddr
        );
    }
    let stack = program
        .elf
        .program_headers
        .iter()
        .find(|segment| segment.p_type == PT_GNU_STACK);
    let stack = stack.ok_or("no PT_GNU_STACK: the kernel would make the stack executable")?;
    ensure!(stack.p_flags & PF_X == 0, "the stack is executable");
    Ok(())
}

/// Neither an interpreter nor anything for one to do.
fn the_program_is_static(program: &Program<'_>) -> Result<(), Failed> {
    for (kind, name) in [(PT_INTERP, "PT_INTERP"), (PT_DYNAMIC, "PT_DYNAMIC")] {
        let found = program
            .elf
            .program_headers
            .iter()
            .any(|segment| segment.p_type == kind);
        ensure!(!found, "there is a {name}");
    }
    Ok(())
}

/// The names are what Go's readers set breakpoints on: a compiler that inlines
/// one or folds it into a twin takes it away. `hello` starts no goroutine, and so
/// does without some; `goroutines` has all.
fn the_runtime_exports_what_is_listed() -> Result<(), Failed> {
    let build = if release() { "release" } else { "debug" };
    for example in ["hello", "goroutines"] {
        let bytes = fs::read(programs::path(example)?)?;
        let elf = Elf::parse(&bytes)?;
        let names = elf
            .syms
            .iter()
            .filter_map(|symbol| elf.strtab.get_at(symbol.st_name));
        let found: BTreeSet<&str> = names.filter(|name| is_exported(name)).collect();
        let listed: BTreeSet<&str> = SYMBOLS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(' ').or(Some((line, ""))))
            .filter(|(_, only)| {
                let holds = |word| [build, example].contains(&word);
                only.split_whitespace().all(holds)
            })
            .map(|(name, _)| name)
            .collect();

        let lost: Vec<_> = listed.difference(&found).collect();
        let new: Vec<_> = found.difference(&listed).collect();
        ensure!(
            lost.is_empty() && new.is_empty(),
            "elf/symbols.txt is not what {example} has in a {build} build\n  lost: {lost:?}\n  not listed: {new:?}"
        );
    }
    Ok(())
}

/// Tells whether a name is one of Go's.
fn is_exported(name: &str) -> bool {
    name.starts_with("runtime.") || name.starts_with("_rt0") || name == "main.main"
}

/// With a type and a size, so that a debugger can find its frame.
fn every_step_of_the_boot_is_a_function(program: &Program<'_>) -> Result<(), Failed> {
    let steps = "_rt0_amd64_linux _rt0_amd64 runtime.settls runtime.rt0_go runtime.check runtime.args \
                 runtime.sysargs runtime.osinit runtime.schedinit runtime.newproc runtime.newproc1 \
                 runtime.mstart runtime.mstart1 runtime.schedule runtime.execute runtime.gogo \
                 runtime.main runtime.goexit main.main";
    for name in steps.split_whitespace() {
        let symbol = program.symbol(name)?;
        ensure!(
            symbol.st_type() == STT_FUNC,
            "{name} has type {}, not FUNC",
            symbol.st_type()
        );
        ensure!(symbol.st_size > 0, "{name} has no size");
    }
    Ok(())
}

/// Without symbols and debug information, as it would be shipped.
fn stripped_hello_is_at_most_40_kib() -> Result<(), Failed> {
    let path = programs::path("hello")?;
    let stripped = path.with_extension(format!("stripped-{}", std::process::id()));
    let status = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(path)
        .status();
    let status = status.map_err(|error| {
        format!("missing: strip ({error}); install with apt-get install binutils")
    })?;
    ensure!(status.success(), "strip: {status}");
    let size = fs::metadata(&stripped)?.len();
    fs::remove_file(&stripped)?;
    ensure!(
        size <= STRIPPED,
        "stripped hello has {size} bytes, {STRIPPED} are allowed"
    );
    Ok(())
}
