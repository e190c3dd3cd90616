//! What goes wrong with memory: frees that are none, memory that is used after
//! its free, and memory that cannot be had.

use alloc::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::arch::asm;
use core::hint::black_box;
use core::ptr;

use gort::process::ExitCode;
use gort::{debug, println, runtime};

use crate::{Command, Failure, OK, number};

#[path = "alloc/src/alloc.rs"]
mod foreign;

pub(crate) const COMMANDS: &[Command] = &[
    ("double-free", double_free),
    ("wild-free", wild_free),
    ("use-after-free", use_after_free),
    ("clobbered", clobbered),
    ("try-reserve", try_reserve),
    ("fill-memory", fill_memory),
    ("panic-alloc", |_| foreign::of_its_own()),
    ("memory-limit", memory_limit),
    ("set-memory-limit", set_memory_limit),
    ("holes", holes),
    ("give-back", give_back),
    ("zeroed-again", zeroed_again),
];

/// What a test needs: objects of so many bytes.
fn layout(size: usize) -> Layout {
    Layout::from_size_align(size.max(1), 8).expect("the size is a small one")
}

/// Allocates so many bytes.
fn allocate(size: usize) -> *mut u8 {
    // SAFETY: the size is not 0.
    black_box(unsafe { alloc(layout(size)) })
}

/// Frees what [`allocate`] gave, or what it did not.
fn free(object: *mut u8, size: usize) {
    // SAFETY: that it may not be right to do so is what this is for.
    unsafe { dealloc(black_box(object), layout(size)) };
}

/// Prints an address, as the death behind it should show it.
fn announce(object: *const u8) {
    println!("{:#x}", object.addr());
}

/// Frees an object of so many bytes twice.
fn double_free(size: &str) -> Result<ExitCode, Failure> {
    let size = number(size);
    let (object, _neighbour) = (allocate(size), allocate(size));
    announce(object);
    free(object, size);
    free(object, size);
    OK
}

/// Frees what is no object, or not such a one.
fn wild_free(what: &str) -> Result<ExitCode, Failure> {
    static WORD: u64 = 0;
    let local = black_box(0u64);
    let (small, large) = (allocate(100), allocate(100_000));
    // 227 objects of 144 bytes fill a span of four pages but for 80 bytes, say.
    let first = small.map_addr(|address| address & !8191);
    let (object, size) = match what {
        "stack" => (ptr::from_ref(&local).cast_mut().cast(), 8),
        "static" => (ptr::from_ref(&WORD).cast_mut().cast(), 8),
        "null" => (ptr::null_mut(), 8),
        "inside" => (small.wrapping_add(8), 100),
        "class" => (small, 200),
        "never" => (small.wrapping_add(112 * 20), 100),
        "small-as-large" => (first, 100_000),
        "large-as-small" => (large, 100),
        "large-size" => (large, 200_000),
        "inside-large" => (large.wrapping_add(4096), 100_000),
        "page-of-large" => (large.wrapping_add(8192), 100_000),
        "no-arena" => (ptr::without_provenance_mut(0x00d0_0000_0000), 100_000),
        "no-address" => (ptr::without_provenance_mut(usize::MAX - 7), 100_000),
        _ => return Err(Failure { why: "which?" }),
    };
    announce(object);
    free(object, size);
    OK
}

/// Writes into an object of so many bytes after its free, where the link to the
/// next one is, and allocates on.
fn use_after_free(how: &str) -> Result<ExitCode, Failure> {
    const SIZE: usize = 64;
    let (object, in_use) = (allocate(SIZE), allocate(SIZE));
    let link = match how {
        "text" => usize::from_le_bytes(*b"no link!"),
        "object" => in_use.addr(),
        "inside" => in_use.addr() + 1,
        _ => 0,
    };
    announce(object);
    free(object, SIZE);
    // SAFETY: mapped memory; that it is nobody's any more is what this is for.
    unsafe { object.cast::<usize>().write(link) };
    for _ in 0..3 {
        let object = allocate(SIZE);
        // SAFETY: ours, if the heap is right.
        unsafe { object.write_bytes(1, SIZE) };
    }
    OK
}

/// Fills an object of so many bytes, frees it, and says what is in it then:
/// behind the first word, and in all.
fn clobbered(size: &str) -> Result<ExitCode, Failure> {
    const MARK: u32 = 0x5555_5555;
    let size = number(size);
    let object = allocate(size);
    // SAFETY: ours, of that size.
    unsafe { object.write_bytes(MARK as u8, size) };
    black_box(object);
    free(object, size);
    let words = object.cast::<u32>();
    let (mut filled, mut kept) = (0, 0);
    for index in 2..size / 4 {
        // SAFETY: mapped memory, which nobody writes to.
        match unsafe { words.wrapping_add(index).read_volatile() } {
            0xdead_beef => filled += 1,
            MARK => kept += 1,
            _ => {}
        }
    }
    println!("{filled} words filled, {kept} as they were");
    OK
}

/// Asks for so many bytes in a way that takes no for an answer.
fn try_reserve(size: &str) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::<u8>::new();
    let answer = black_box(&mut bytes).try_reserve_exact(number(size));
    println!("{}", if answer.is_ok() { "ok" } else { "err" });
    OK
}

/// Takes blocks of so many bytes until there are no more; then checks them, frees
/// them, and sees that as many are to be had again. Says how many MiB those were.
fn fill_memory(size: &str) -> Result<ExitCode, Failure> {
    let size = number(size).max(16);
    let mut counts = [0; 2];
    for count in &mut counts {
        // Linked, so that what remembers them takes no memory.
        let mut last: *mut u8 = ptr::null_mut();
        loop {
            let block = allocate(size);
            if block.is_null() {
                break;
            }
            // SAFETY: ours, of that size.
            unsafe { block.write_bytes(0xa5, size) };
            // SAFETY: as above; aligned to eight.
            unsafe { block.cast::<*mut u8>().write(last) };
            last = block;
            *count += 1;
        }
        while !last.is_null() {
            // SAFETY: a block of ours, of that size.
            let bytes = unsafe { core::slice::from_raw_parts(last, size) };
            let mut places = bytes[8..].iter().step_by(31);
            assert!(places.all(|&byte| byte == 0xa5), "it is damaged");
            // SAFETY: as above; written when it was allocated.
            let next = unsafe { last.cast::<*mut u8>().read() };
            free(last, size);
            last = next;
        }
    }
    assert!(counts[0] == counts[1], "{counts:?}: not as many as before");
    println!("{}", (counts[0] * size) >> 20);
    OK
}

/// Allocates something, and prints the memory limit; with `first` the other way
/// round.
fn memory_limit(order: &str) -> Result<ExitCode, Failure> {
    let object = if order == "first" { 0 } else { 64 };
    let block = vec![1u8; object];
    let limit = debug::set_memory_limit(-1);
    drop(black_box(block));
    println!("{limit}");
    OK
}

/// Sets limits, and prints what each call returned.
fn set_memory_limit(order: &str) -> Result<ExitCode, Failure> {
    if order == "later" {
        drop(black_box(vec![1u8; 64]));
    }
    // The answers take memory themselves, if no limit was set before.
    let mut before = [0; 7];
    let limits = [1 << 30, -1, 4096, 0, i64::MIN, i64::MAX, 50];
    for (before, limit) in before.iter_mut().zip(limits) {
        *before = debug::set_memory_limit(limit);
        assert_eq!(*black_box(Box::new(limit)), limit);
    }
    println!("{before:?} {}", debug::set_memory_limit(-1));
    OK
}

/// Leaves holes of 64 KiB between blocks of the same size, 96 MiB of each, and
/// then takes what fits into no hole. Waits to be looked at.
fn holes(_: &str) -> Result<ExitCode, Failure> {
    const PIECE: usize = 64 << 10;
    let mut pieces: Vec<_> = (0..3072).map(|_| Some(vec![1u8; PIECE])).collect();
    for piece in black_box(&mut pieces).iter_mut().step_by(2) {
        *piece = None;
    }
    _ = black_box(vec![1u8; PIECE + (8 << 10)]);
    println!("ready");
    wait();
    OK
}

/// Takes 100 MB in small objects, frees them, and gives the memory back. Waits to
/// be looked at.
fn give_back(_: &str) -> Result<ExitCode, Failure> {
    let objects: Vec<_> = (0..100_000).map(|_| Box::new([1u8; 1000])).collect();
    drop(black_box(objects));
    debug::free_os_memory();
    println!("ready");
    wait();
    OK
}

/// Spoils memory and gives it back, large and small; then checks that what is to be
/// zeros is. Says how much the system has taken back.
fn zeroed_again(_: &str) -> Result<ExitCode, Failure> {
    let mut released = 0;
    for size in [10 << 20, 100_000, 1000] {
        let layout = layout(size);
        let count = (10 << 20) / size;
        for _ in 0..3 {
            let mut objects = Vec::with_capacity(count);
            for _ in 0..count {
                // SAFETY: the size is not 0.
                let object = black_box(unsafe { alloc_zeroed(layout) });
                // SAFETY: ours, of that size.
                let bytes = unsafe { core::slice::from_raw_parts_mut(object, size) };
                assert!(
                    bytes.iter().step_by(8).all(|&byte| byte == 0),
                    "it is dirty"
                );
                bytes.fill(0xff);
                objects.push(object);
            }
            for object in objects {
                free(object, size);
            }
            let before = runtime::read_mem_stats().heap_released;
            debug::free_os_memory();
            released += runtime::read_mem_stats().heap_released - before;
        }
    }
    println!("released: {released}");
    OK
}

/// Stops all threads, the scavenger's too, until the end.
fn wait() {
    const GETPID: usize = 39;
    const KILL: usize = 62;
    const SIGSTOP: usize = 19;
    let call = |number: usize, one: usize, two: usize| {
        let answer: usize;
        // SAFETY: neither call touches memory.
        unsafe {
            asm!("syscall", inlateout("rax") number => answer, in("rdi") one, in("rsi") two,
                 out("rcx") _, out("r11") _, options(nostack))
        };
        answer
    };
    // Another thread may get it first, and this one go on a little.
    loop {
        call(KILL, call(GETPID, 0, 0), SIGSTOP);
    }
}
