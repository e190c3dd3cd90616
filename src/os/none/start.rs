//! From the entry to `_rt0_amd64`: memory, the clock, the interrupts; and a stack that looks
//! as Linux's would, so that everything behind it is one boot.
//!
//! ```text
//!   high  | strings                                     |
//!         | auxv .. , AT_NULL                           |
//!         | envp .. , 0                                 |
//!         | argv .. , 0                                 |
//!         | argc                                        | <- rsp for _rt0_amd64
//!         | g0's stack                                  |
//!   low   | nobody's addresses: a guard                 |
//! ```
//!
//! What cannot be booted is said in a line on the serial port, and ends with status 1.

use core::arch::x86_64::__cpuid;
use core::slice;

use x86_64::PhysAddr;
use x86_64::instructions::interrupts;
use x86_64::registers::control::{Cr3, Cr3Flags, Cr4, Cr4Flags};
use x86_64::structures::paging::PhysFrame;

use super::super::auxv::{AT_HWCAP2, HWCAP2_FSGSBASE};
use super::boot_info::{BootInfo, Physical, Region, Wrong};
use super::command_line::{BadNumber, Word, Words};
use super::paging::{ENTRYS, PAGE};
use super::{cpus, exit, file, memory, serial, time, trap};
use crate::boot::G0_STACK;
use crate::debug::print::say;

/// What the entry says of who has loaded the program; see asm/rt0_none_amd64.S.
const BY_PVH: u64 = 0;

/// The program's name: nobody tells.
const NAME: &[u8] = b"program\0";

/// What the boot touches of g0's stack: what is in use, and what `memory::locked` looks at.
const READY: usize = 3 * PAGE;

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
    serial::init();
    if !time::init() {
        refuse(time::NO_CLOCK, &[]);
    }
    let info = match by {
        BY_PVH => BootInfo::from_pvh(&FirstGigabyte, address),
        _ => BootInfo::from_linux(&FirstGigabyte, address),
    };
    let info = info.unwrap_or_else(|wrong| match wrong {
        Wrong::NoMagic => refuse("gort: no boot information at 0x%x", &[address]),
        Wrong::NoMemoryMap => refuse("gort: no memory map in what is at 0x%x", &[address]),
    });
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
    if let Err(BadNumber) = cpus::find(info.rsdp, line) {
        refuse("gort: GORT_CPUS: expected a number from 1 to 255", &[]);
    }
    let stack = build_stack(line);
    interrupts::enable();
    stack
}

/// Says why there is no program, and ends.
fn refuse(template: &str, numbers: &[u64]) -> ! {
    say(template, numbers, &[]);
    exit(1)
}

/// Goes over to the tables that stay.
fn take_memory(info: &BootInfo<'static>, address: u64, line: Region) {
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
    let low = Region {
        start: 0,
        end: 1 << 20, // the firmware's
    };
    let kept = [low, told, line, info.file];
    let largest = if cpu & GIANT_PAGES != 0 { 3 } else { 2 };
    let root = memory::init(info, &FirstGigabyte, kept, largest).unwrap_or_else(
        |memory::NotEnough(bytes)| {
            refuse("gort: not enough memory: %d KiB", &[bytes as u64 / 1024])
        },
    );
    let root = PhysFrame::containing_address(PhysAddr::new(root));
    // SAFETY: the tables have this code, this stack and all statics where they are.
    unsafe { Cr3::write(root, Cr3Flags::empty()) };
}

/// Puts the command line's words where Linux would, and returns where argc is.
fn build_stack(line: &'static [u8]) -> usize {
    // At most: between two words there is a blank, where there will be a zero. What is not
    // needed of that is not touched. So the line need not be read twice.
    let pointers = 1 + (1 + 1) + 1 + line.len().div_ceil(2) + AUXV;
    let above = (pointers * size_of::<usize>() + line.len() + 1).next_multiple_of(PAGE);
    let size = G0_STACK + PAGE + above;
    let Some(low) = memory::map_backed(0, size) else {
        refuse(
            "gort: not enough memory for a command line of %d bytes",
            &[line.len() as u64],
        );
    };
    let start = low.wrapping_add(size - above);
    // What the boot needs of it at once, where a fault would take longer: the first words, and
    // what is below them.
    memory::give_memory(start.addr() - READY, READY + PAGE, true);
    let texts = start.wrapping_add(pointers * size_of::<usize>());
    let mut stack = Stack {
        // SAFETY: the first part of `above` bytes of ours, zeros, aligned to a page.
        words: unsafe { slice::from_raw_parts_mut(start.cast(), pointers) },
        count: 0,
        texts_start: texts.addr(),
        // SAFETY: the other part.
        texts: unsafe { slice::from_raw_parts_mut(texts, line.len() + 1) },
        used: 0,
    };
    stack.fill(line);
    start.addr()
}

/// How many words the auxiliary vector has: a pair, and AT_NULL's. What else the kernel tells on
/// Linux is what `boot` finds out by itself where nobody says it: random numbers, the size of a
/// page, and where the program's headers are.
const AUXV: usize = 4;

/// The stack in the making: zeros.
struct Stack<'a> {
    /// How many of the words are used.
    words: &'a mut [usize],
    count: usize,
    /// Where the texts are, and how much of that is used.
    texts_start: usize,
    texts: &'a mut [u8],
    used: usize,
}

impl Stack<'_> {
    /// Writes the next word.
    #[inline(never)] // an emulator translates each copy
    fn put(&mut self, word: usize) {
        if let Some(slot) = self.words.get_mut(self.count) {
            *slot = word;
            self.count += 1;
        }
    }

    /// Writes everything.
    fn fill(&mut self, line: &[u8]) {
        self.count = 1; // argc, see below
        self.put(NAME.as_ptr().expose_provenance());
        self.put_words(line, Word::Argument);
        if let Some(argc) = self.words.first_mut() {
            *argc = self.count - 1;
        }
        self.count += 1; // argv's end
        self.put_words(line, Word::Variable);
        self.count += 1; // the environment's
        if Cr4::read().contains(Cr4Flags::FSGSBASE) {
            self.put(AT_HWCAP2);
            self.put(HWCAP2_FSGSBASE);
        }
        // Behind it are zeros: AT_NULL.
    }

    /// Writes those words of the line that are of a kind: their texts, and where those are.
    #[inline(never)] // as above
    fn put_words(&mut self, line: &[u8], kind: Word) {
        let mut words = Words::new(line);
        while let Some(room) = self.texts.get_mut(self.used..)
            && let Some((word, length)) = words.next(room)
        {
            if word == kind {
                self.put(self.texts_start + self.used);
                // Behind it is a zero: of a word of another kind there may be something.
                if let Some(end) = self.texts.get_mut(self.used + length) {
                    *end = 0;
                }
                self.used += length + 1;
            }
        }
    }
}
