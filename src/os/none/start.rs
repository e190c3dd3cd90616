//! From the entry to `_rt0_amd64`: memory, the clock, the interrupts; and a stack that looks
//! as Linux's would, so that everything behind it is one boot.
//!
//! ```text
//!   high  | strings, 16 random bytes                    |
//!         | auxv .. , AT_NULL                           |
//!         | envp .. , 0                                 |
//!         | argv .. , 0                                 |
//!         | argc                                        | <- rsp for _rt0_amd64
//!         | g0's stack                                  |
//!   low   | a guard                                     |
//! ```
//!
//! What cannot be booted is said in a line on the serial port, and ends with status 1.

use core::arch::x86_64::__cpuid;
use core::slice;

use x86_64::PhysAddr;
use x86_64::instructions::random::RdRand;
use x86_64::registers::control::{Cr3, Cr3Flags, Cr4, Cr4Flags};
use x86_64::structures::paging::PhysFrame;

use super::super::auxv::{
    AT_HWCAP2, AT_NULL, AT_PAGESZ, AT_PHDR, AT_PHENT, AT_PHNUM, AT_RANDOM, HWCAP2_FSGSBASE,
};
use super::boot_info::{BootInfo, Physical, Region, Wrong};
use super::command_line::{Word, Words};
use super::paging::{ENTRYS, PAGE};
use super::{cpus, exit, file, memory, pit, serial, time, trap};
use crate::boot::G0_STACK;
use crate::debug::print::say;

/// What the entry says of who has loaded the program; see asm/rt0_none_amd64.S.
const BY_PVH: u64 = 0;

/// The program's name: nobody tells.
const NAME: &[u8] = b"program\0";

/// What is below g0's 64 KiB, for a Rust frame that steps over the last page.
const GUARD: usize = 4 * PAGE;

// SAFETY: a label of the linker script; only its address is used.
unsafe extern "C" {
    #[link_name = "runtime.ehdr"]
    safe static EHDR: u8;
}

/// Physical memory as the entry has mapped it.
struct FirstGigabyte;

impl Physical<'static> for FirstGigabyte {
    fn at(&self, address: u64, length: usize) -> &'static [u8] {
        if address == 0 || address >= ENTRYS {
            return &[];
        }
        let length = length.min((ENTRYS - address) as usize);
        let start = core::ptr::with_exposed_provenance(address as usize);
        // SAFETY: mapped by the entry, and nobody writes there before the tables that stay
        // are made, behind which none of this is used.
        unsafe { slice::from_raw_parts(start, length) }
    }
}

/// The entry's way into Rust, on a stack of 16 KiB, with one CPU that is interrupted by
/// nothing. Returns what `_rt0_amd64` takes for the kernel's stack.
#[unsafe(export_name = "runtime.machineStart")]
extern "C" fn machine_start(by: u64, address: u64) -> usize {
    let timer = pit::begin(); // which runs beside the rest
    serial::init();
    let info = match by {
        BY_PVH => BootInfo::from_pvh(&FirstGigabyte, address),
        _ => BootInfo::from_linux(&FirstGigabyte, address),
    };
    let info = info.unwrap_or_else(|wrong| match wrong {
        Wrong::NoMagic => refuse("gort: no boot information at 0x%x", &[address]),
        Wrong::NoMemoryMap => refuse("gort: no memory map in what is at 0x%x", &[address]),
    });
    if info.left_out > 0 {
        let numbers = [info.left_out as u64];
        say(
            "gort: %d regions of memory are too many, and not used",
            &numbers,
            &[],
        );
    }
    let line = Region {
        start: info.command_line_at,
        end: info.command_line_at + info.command_line.len() as u64,
    };
    take_memory(&info, address, line);
    file::init(info.file);
    if !trap::init() {
        refuse(
            "gort: this CPU has no local APIC, or one in x2APIC mode, which is not tried here",
            &[],
        );
    }
    cpus::find(info.rsdp);
    if !time::init(timer) {
        refuse(
            "gort: no clock: the CPU does not tell its counter's rate, and there is no i8254 and no RTC",
            &[],
        );
    }
    let line = match line.start {
        0 => &[],
        // SAFETY: the command line, in the direct map; nobody writes there.
        start => unsafe {
            slice::from_raw_parts(
                memory::direct::<u8>(start).cast_const(),
                info.command_line.len(),
            )
        },
    };
    build_stack(line)
}

/// Says why there is no program, and ends.
fn refuse(template: &str, numbers: &[u64]) -> ! {
    say(template, numbers, &[]);
    exit(1)
}

/// Goes over to the tables that stay.
fn take_memory(info: &BootInfo<'_>, address: u64, line: Region) {
    const EXTENDED: u32 = 0x8000_0001;
    const NX: u32 = 1 << 20;
    const GIANT_PAGES: u32 = 1 << 26;
    let cpu = __cpuid(EXTENDED).edx;
    if cpu & NX == 0 {
        refuse("gort: this CPU has no NX, by which data is no code", &[]);
    }
    let told = Region {
        start: address,
        end: address + PAGE as u64,
    };
    let total = info
        .regions()
        .iter()
        .map(|region| region.end - region.start);
    let Ok(root) = memory::init(info, info.file, [told, line], cpu & GIANT_PAGES != 0) else {
        refuse(
            "gort: not enough memory: %d KiB",
            &[total.sum::<u64>() / 1024],
        );
    };
    let root = PhysFrame::containing_address(PhysAddr::new(root));
    // SAFETY: the tables have this code, this stack and all statics where they are.
    unsafe { Cr3::write(root, Cr3Flags::empty()) };
}

/// Counts what is in a command line.
#[derive(Default)]
struct Counted {
    variables: usize,
    arguments: usize,
    bytes: usize,
}

/// Puts the command line's words where Linux would, and returns where argc is.
fn build_stack(line: &'static [u8]) -> usize {
    let mut counted = Counted::default();
    let mut words = Words::new(line);
    while let Some(word) = words.next(&mut |_| counted.bytes += 1) {
        counted.bytes += 1;
        match word {
            Word::Variable => counted.variables += 1,
            Word::Argument => counted.arguments += 1,
            Word::Unknown => {}
        }
    }
    let auxv = auxv();
    let pointers = 1 + (1 + counted.arguments + 1) + (counted.variables + 1) + 2 * auxv.len();
    let strings = RANDOM + NAME.len() + counted.bytes;
    let above = (pointers * size_of::<usize>() + strings).next_multiple_of(PAGE);
    let size = GUARD + G0_STACK + PAGE + above;
    let Some(low) = memory::map_backed(0, size) else {
        refuse(
            "gort: not enough memory for a command line of %d bytes",
            &[line.len() as u64],
        );
    };
    // SAFETY: mapped for this.
    unsafe { memory::install_guard(low, GUARD) };
    let start = low.addr() + size - above;
    // SAFETY: `above` bytes of ours, zeros, which is aligned to a page.
    let memory = unsafe { slice::from_raw_parts_mut(low.wrapping_add(size - above), above) };
    let (words, texts) = memory.split_at_mut(pointers * size_of::<usize>());
    let mut stack = Stack {
        at: start + words.len(),
        words: words.chunks_exact_mut(size_of::<usize>()),
        texts,
        used: 0,
    };
    stack.fill(line, counted, auxv);
    start
}

/// How many random bytes there are.
const RANDOM: usize = 16;

/// The stack in the making.
struct Stack<'a> {
    /// Where the texts begin, and how much of them is used.
    at: usize,
    words: slice::ChunksExactMut<'a, u8>,
    texts: &'a mut [u8],
    used: usize,
}

impl Stack<'_> {
    /// Writes the next word.
    fn word(&mut self, word: usize) {
        if let Some(slot) = self.words.next() {
            slot.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Writes the next byte of the texts.
    fn byte(&mut self, byte: u8) {
        if let Some(slot) = self.texts.get_mut(self.used) {
            *slot = byte;
            self.used += 1;
        }
    }

    /// Writes everything.
    fn fill(&mut self, line: &[u8], counted: Counted, auxv: [[usize; 2]; AUXV]) {
        let random = self.at;
        for word in random_words() {
            word.to_le_bytes()
                .into_iter()
                .for_each(|byte| self.byte(byte));
        }
        self.word(1 + counted.arguments);
        self.word(self.at + self.used);
        NAME.iter().for_each(|&byte| self.byte(byte));
        for kind in [Word::Argument, Word::Variable] {
            let mut words = Words::new(line);
            loop {
                let begin = self.used;
                let Some(word) = words.next(&mut |byte| self.byte(byte)) else {
                    break;
                };
                if word != kind {
                    self.used = begin;
                    continue;
                }
                self.byte(0);
                self.word(self.at + begin);
            }
            self.word(0);
        }
        for [tag, value] in auxv {
            self.word(tag);
            self.word(if tag == AT_RANDOM && value != 0 {
                random
            } else {
                value
            });
        }
    }
}

/// How many pairs the auxiliary vector has.
const AUXV: usize = 7;

/// Makes the auxiliary vector; the random bytes' place is filled in later.
fn auxv() -> [[usize; 2]; AUXV] {
    const PROGRAM_HEADERS: usize = 64;
    const PROGRAM_HEADER: usize = 56;
    const COUNT: usize = 56;
    let header = &raw const EHDR;
    // SAFETY: the program's own ELF header, which has two bytes there.
    let count = unsafe { header.wrapping_add(COUNT).cast::<u16>().read() };
    let fsgsbase = Cr4::read().contains(Cr4Flags::FSGSBASE);
    [
        [AT_PHDR, header.addr() + PROGRAM_HEADERS],
        [AT_PHENT, PROGRAM_HEADER],
        [AT_PHNUM, count.into()],
        [AT_PAGESZ, PAGE],
        [AT_HWCAP2, if fsgsbase { HWCAP2_FSGSBASE } else { 0 }],
        [AT_RANDOM, usize::from(RdRand::new().is_some())],
        [AT_NULL, 0],
    ]
}

/// Draws what AT_RANDOM leads to, where the CPU has it.
fn random_words() -> [u64; 2] {
    let source = RdRand::new();
    [(); 2].map(|()| source.and_then(RdRand::get_u64).unwrap_or_default())
}
