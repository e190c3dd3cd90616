//! Tests of `os::none::paging` against a model with a state for each page, in memory of our
//! own that stands for the machine's; what is mapped is looked up by a walk of our own.

use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeSet;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::boot_info::Region;
use crate::frames::Batch;
use crate::frames_cases::frames;
use crate::paging::{NoFrame, PAGE, Tables, Touch};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("paging::does_what_the_model_does", does_what_the_model_does),
        Trial::test(
            "paging::leaves_all_as_it_was_where_memory_ends",
            leaves_all_as_it_was_where_memory_ends,
        ),
        Trial::test("paging::maps_what_is_there", maps_what_is_there),
    ]
}

/// The physical address that our memory begins at.
const PHYSICAL: u64 = 1 << 20;

/// The pages that the model has: on both sides of a border of 512 GiB, and so of all below.
const PAGES: usize = 2200;
const BASE: usize = (0x40 << 39) - 1100 * PAGE;

/// What takes frames off a range, and says where to go on.
type Step = fn(&mut Tables, usize, usize, &mut Batch) -> Result<Option<usize>, NoFrame>;

/// Memory, and tables in it.
struct Machine {
    memory: *mut u8,
    layout: Layout,
    tables: Tables,
}

impl Machine {
    fn new(pages: usize) -> Result<Self, Failed> {
        let layout = Layout::from_size_align(pages * PAGE, PAGE)?;
        // SAFETY: the layout has a size.
        let memory = unsafe { alloc(layout) };
        // SAFETY: just allocated. What is in there is anything.
        unsafe { memory.write_bytes(0xa5, pages * PAGE) };
        let mut tables = Tables::new();
        tables.offset = memory.expose_provenance().wrapping_sub(PHYSICAL as usize);
        tables.frames = frames(
            &[Region {
                start: PHYSICAL,
                end: PHYSICAL + (pages * PAGE) as u64,
            }],
            &[],
        )?;
        tables.init().map_err(|_| "no root")?;
        Ok(Self {
            memory,
            layout,
            tables,
        })
    }

    /// Returns the entry that the CPU would find for an address, and the size of what it
    /// stands for; 0 if it would find none.
    fn entry(&self, address: usize) -> (u64, usize) {
        let mut table = self.tables.root;
        for level in (1..=4).rev() {
            let index = address >> (12 + 9 * (level - 1)) & 511;
            let at = self.pointer(table).cast::<u64>().wrapping_add(index);
            // SAFETY: in our memory, as `pointer` has checked.
            let entry = unsafe { at.read() };
            if entry & 1 == 0 {
                return (0, 0);
            }
            if level == 1 || entry & 0x80 != 0 {
                return (entry, PAGE << (9 * (level - 1)));
            }
            table = frame(entry);
        }
        (0, 0)
    }

    /// Returns where a frame is.
    fn pointer(&self, frame: u64) -> *mut u8 {
        let at = (frame - PHYSICAL) as usize;
        assert!(at < self.layout.size(), "{frame:#x} is no frame");
        self.memory.wrapping_add(at)
    }

    /// Does something that takes frames off, to its end.
    fn take_off(&mut self, (mut at, size): (usize, usize), step: Step) -> Result<(), Failed> {
        let end = at + size;
        loop {
            let mut batch = Batch::new();
            let next = step(&mut self.tables, at, end - at, &mut batch);
            self.tables.give_back(&batch);
            match next.map_err(|_| "no frame")? {
                Some(next) => at = next.max(at),
                None => return Ok(()),
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: allocated with that layout.
        unsafe { dealloc(self.memory, self.layout) };
    }
}

/// Returns the frame that an entry leads to.
fn frame(entry: u64) -> u64 {
    entry & 0x000f_ffff_ffff_f000
}

/// What a page is in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Reserved(bool),
    Page(bool),
    Guard,
}

/// Returns the address of a page of the model.
fn address(page: usize) -> usize {
    BASE + page * PAGE
}

fn does_what_the_model_does() -> Result<(), Failed> {
    let mut random = Random::new(23);
    let mut machine = Machine::new(4096)?;
    let total = machine.tables.frames.total();
    let mut model = vec![State::Free; PAGES];
    let mut populated = 0;
    for round in 0..4_000 {
        let first = random.below(PAGES);
        let most = random.pick(&[1, 8, 100, PAGES]);
        let count = 1 + random.below(most.min(PAGES - first));
        let range = (address(first), count * PAGE);
        let part = &mut model[first..first + count];
        match random.below(6) {
            0 | 1 => {
                let free = part.iter().all(|state| *state == State::Free);
                ensure!(
                    machine.tables.is_free(range.0, range.1) == free,
                    "{round}: is_free of {first}, {count} is not {free}"
                );
                if free {
                    let backed = random.below(2) == 0;
                    let reserved = machine.tables.reserve(range.0, range.1, backed);
                    ensure!(reserved.is_ok(), "{round}: no frame");
                    part.fill(State::Reserved(backed));
                    // What can be done to what was just reserved.
                    let skipped = random.below(count);
                    let some = 1 + random.below((count - skipped).min(70));
                    let (page, part) = (first + skipped, &mut part[skipped..skipped + some]);
                    match random.below(3) {
                        0 => {
                            let right = populate(&mut machine, page, part, backed)
                                .map_err(|failed| format!("{round}: {failed:?}"))?;
                            populated += usize::from(right);
                        }
                        1 if !backed => {
                            let tables = &mut machine.tables;
                            let right = tables.guard_reserved(address(page), some * PAGE);
                            ensure!(right, "{round}: no guard at {page}, {some}");
                            part.fill(State::Guard);
                        }
                        _ => {}
                    }
                }
            }
            2 => {
                machine.take_off(range, Tables::release)?;
                part.fill(State::Free);
            }
            3 if count < 200 => {
                machine.take_off(range, Tables::guard)?;
                for state in part.iter_mut().filter(|state| **state != State::Free) {
                    *state = State::Guard;
                }
            }
            4 => {
                machine.take_off(range, Tables::discard)?;
                for state in part {
                    if let State::Page(backed) = *state {
                        *state = State::Reserved(backed);
                    }
                }
            }
            _ => {
                for (at, state) in part.iter_mut().enumerate().take(300) {
                    touch(&mut machine, first + at, state)?;
                }
            }
        }
        compare(&mut machine, &model).map_err(|failed| format!("{round}: {failed:?}"))?;
    }
    ensure!(populated > 100, "populated {populated} times");
    // All of the two borders' sides, tables and all: those within which a batch was full go where
    // nothing is left in them.
    for _ in 0..2 {
        machine.take_off(((BASE >> 39) << 39, 2 << 39), Tables::release)?;
    }
    let free = machine.tables.frames.free();
    ensure!(
        free == total - 1,
        "{free} of {total} came back, and a table is left"
    );
    ensure!(machine.tables.unpromised() == free, "something is promised");
    Ok(())
}

/// Gives reserved pages memory at once, and tells whether there was a piece for that.
fn populate(
    machine: &mut Machine,
    page: usize,
    part: &mut [State],
    backed: bool,
) -> Result<bool, Failed> {
    let size = part.len() * PAGE;
    if !machine.tables.populate(address(page), size, backed) {
        return Ok(false); // nothing has changed, as `compare` finds
    }
    part.fill(State::Page(backed));
    let (first, _) = machine.entry(address(page));
    for at in 0..part.len() {
        let (entry, _) = machine.entry(address(page + at));
        let want = frame(first) + (at * PAGE) as u64;
        ensure!(frame(entry) == want, "page {}: {entry:#x}", page + at);
    }
    // SAFETY: frames in our memory, one behind the other.
    let bytes = unsafe { std::slice::from_raw_parts_mut(machine.pointer(frame(first)), size) };
    ensure!(bytes.iter().all(|&byte| byte == 0), "{page}: no zeros");
    bytes.fill(0x5a);
    Ok(true)
}

/// Touches a page.
fn touch(machine: &mut Machine, page: usize, state: &mut State) -> Result<(), Failed> {
    let touched = match machine.tables.touch(address(page) + 123) {
        Touch::Page => true,
        Touch::Fault => false,
        Touch::NoFrame => return Err("no frame".into()),
    };
    let right = matches!(state, State::Reserved(_) | State::Page(_));
    ensure!(touched == right, "page {page}, {state:?}: {touched}");
    if let State::Reserved(backed) = *state {
        *state = State::Page(backed);
        let (entry, _) = machine.entry(address(page));
        let memory = machine.pointer(frame(entry));
        // SAFETY: a frame in our memory.
        let bytes = unsafe { std::slice::from_raw_parts_mut(memory, PAGE) };
        ensure!(
            bytes.iter().all(|&byte| byte == 0),
            "page {page} is no zeros"
        );
        bytes.fill(0x5a);
    }
    Ok(())
}

/// Compares all there is.
fn compare(machine: &mut Machine, model: &[State]) -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    let mut promised = 0;
    for (page, state) in model.iter().enumerate() {
        let (entry, _) = machine.entry(address(page));
        let is = matches!(state, State::Page(_));
        ensure!((entry != 0) == is, "page {page}, {state:?}: {entry:#x}");
        if is {
            // Writable, and not to be executed.
            ensure!(
                entry & 2 != 0 && entry >> 63 == 1,
                "page {page}: {entry:#x}"
            );
            ensure!(seen.insert(frame(entry)), "page {page}: another's frame");
        }
        promised += usize::from(*state == State::Reserved(true));
    }
    let tables = &mut machine.tables;
    ensure!(
        tables.unpromised() == tables.frames.free() - promised,
        "{promised} are promised, {} left of {}",
        tables.unpromised(),
        tables.frames.free()
    );
    let resident = tables.resident(BASE, PAGES * PAGE);
    ensure!(
        resident == seen.len(),
        "{resident} resident of {}",
        seen.len()
    );
    Ok(())
}

fn leaves_all_as_it_was_where_memory_ends() -> Result<(), Failed> {
    for pages in 2..12 {
        let mut machine = Machine::new(pages)?;
        let before = machine.tables.frames.free();
        let reserved = machine.tables.reserve(BASE, PAGES * PAGE, true);
        if reserved.is_err() {
            let tables = &mut machine.tables;
            ensure!(tables.is_free(BASE, PAGES * PAGE), "{pages}: not free");
            ensure!(
                tables.unpromised() == tables.frames.free(),
                "{pages}: something is promised"
            );
            machine.take_off(((BASE >> 39) << 39, 2 << 39), Tables::release)?;
            let free = machine.tables.frames.free();
            ensure!(free == before, "{pages}: {free} of {before} are left");
            continue;
        }
        ensure!(
            !machine.tables.populate(BASE, PAGES * PAGE, true),
            "{pages}: populated"
        );
        let mut touched = 0;
        while let Touch::Page = machine.tables.touch(address(touched)) {
            touched += 1;
        }
        ensure!(machine.tables.frames.free() == 0, "{pages}: some are left");
        machine.take_off((BASE, PAGES * PAGE), Tables::discard)?;
        let free = machine.tables.frames.free();
        ensure!(free == touched, "{pages}: {free} instead of {touched}");
    }
    Ok(())
}

fn maps_what_is_there() -> Result<(), Failed> {
    use x86_64::structures::paging::PageTableFlags as Flags;
    const DIRECT: usize = 0xffff_8000_0000_0000;
    for giant in [false, true] {
        let mut machine = Machine::new(64)?;
        let (start, end) = (0x10_3000u64, 0xc123_4000u64);
        let flags = Flags::PRESENT | Flags::WRITABLE | Flags::NO_EXECUTE;
        let at = DIRECT + start as usize;
        let mapped = machine.tables.map(
            at,
            start,
            (end - start) as usize,
            flags,
            2 + u32::from(giant),
        );
        ensure!(mapped.is_ok(), "no frame");
        let mut physical = start;
        let mut sizes = BTreeSet::new();
        while physical < end {
            let (entry, size) = machine.entry(DIRECT + physical as usize);
            let found = frame(entry) + physical % size.max(1) as u64;
            ensure!(found == physical, "{physical:#x}: {entry:#x}, {size:#x}");
            sizes.insert(size);
            physical += size as u64;
        }
        ensure!(physical == end, "{physical:#x} is behind the end");
        let (before, behind) = (
            machine.entry(at - PAGE).0,
            machine.entry(DIRECT + end as usize).0,
        );
        ensure!(before == 0 && behind == 0, "more than was asked for");
        ensure!(sizes.contains(&(1 << 30)) == giant, "{sizes:x?}");
        ensure!(sizes.contains(&(1 << 21)), "{sizes:x?}");
    }
    Ok(())
}
