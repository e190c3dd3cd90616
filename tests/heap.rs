//! The heap under eight goroutines: all sizes and alignments, contents checked,
//! objects that change hands, objects that change their size.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "raw memory is what is tested")]

extern crate alloc;

use alloc::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::runtime::{gosched, num_goroutine, read_mem_stats};
use gort_test::under_qemu;
use spin::mutex::Mutex;

const GOROUTINES: usize = 8;

/// How many operations all goroutines do together.
fn operations() -> usize {
    match (under_qemu(), cfg!(debug_assertions)) {
        (true, _) => 1_000_000,
        (false, true) => 1_000_000,
        (false, false) => 20_000_000,
    }
}

/// Random numbers that do for this.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A size and an alignment: mostly small, at times enormous.
    fn layout(&mut self) -> Layout {
        let (size, align) = match self.below(4096) {
            0 => (self.below(3 << 20), self.below(22)),
            1..16 => (self.below(200 << 10), self.below(14)),
            16..128 => (self.below(20 << 10), self.below(8)),
            128..1024 => (self.below(1024), self.below(6)),
            _ => (self.below(160), self.below(4)),
        };
        Layout::from_size_align(size + 1, 1 << align).expect("both are small")
    }
}

/// An object of the program's. Of its bytes the first and last sixteen and a few
/// between are written and checked, of a small one all.
struct Object {
    memory: *mut u8,
    layout: Layout,
    mark: u8,
}

// SAFETY: whoever has the Object has the memory.
unsafe impl Send for Object {}

impl Object {
    fn new(random: &mut Random) -> Self {
        let layout = random.layout();
        let zeroed = random.below(4) == 0;
        let allocate = if zeroed { alloc_zeroed } else { alloc };
        // SAFETY: the size is not 0.
        let memory = unsafe { allocate(layout) };
        assert!(!memory.is_null(), "{layout:?}");
        assert!(memory.addr().is_multiple_of(layout.align()), "{layout:?}");
        let mut object = Self {
            memory,
            layout,
            mark: 0,
        };
        if zeroed {
            object.check();
        }
        object.fill(random);
        object
    }

    /// The places that are looked at.
    fn places(length: usize) -> impl Iterator<Item = usize> {
        let step = if length <= 64 { 1 } else { length / 8 };
        let ends = (0..length.min(16)).chain(length.saturating_sub(16)..length);
        ends.chain((0..length).step_by(step))
    }

    fn byte(&self, at: usize) -> u8 {
        self.mark.wrapping_mul(at as u8 | 1)
    }

    fn fill(&mut self, random: &mut Random) {
        self.mark = random.next() as u8;
        for at in Self::places(self.layout.size()) {
            // SAFETY: inside of it.
            unsafe { self.memory.wrapping_add(at).write(self.byte(at)) };
        }
    }

    fn check(&self) {
        self.check_first(self.layout.size(), self.layout.size());
    }

    /// Checks what of an object that had `size` bytes lies in its first `common`.
    fn check_first(&self, size: usize, common: usize) {
        for at in Self::places(size).filter(|&at| at < common) {
            // SAFETY: inside of it.
            let found = unsafe { self.memory.wrapping_add(at).read() };
            assert!(
                found == self.byte(at),
                "{:?} at {:p}: byte {at} is {found:#x}, not {:#x}",
                self.layout,
                self.memory,
                self.byte(at)
            );
        }
    }

    /// Gives it another size, and checks that what it held is still there.
    fn resize(&mut self, random: &mut Random) {
        let old = self.layout.size();
        let new = match random.below(4) {
            0 => old * 2,
            1 => old / 2 + 1,
            2 => old + 1,
            _ => random.layout().size(),
        }
        .min(8 << 20);
        // SAFETY: allocated with this layout; the new size is neither 0 nor large.
        self.memory = unsafe { realloc(self.memory, self.layout, new) };
        assert!(!self.memory.is_null(), "{:?} to {new}", self.layout);
        assert!(self.memory.addr().is_multiple_of(self.layout.align()));
        self.layout = Layout::from_size_align(new, self.layout.align()).expect("it is small");
        self.check_first(old, old.min(new));
        self.fill(random);
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.check();
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.memory, self.layout) };
    }
}

/// Where goroutines leave objects for each other.
type Pool = Mutex<VecDeque<Object>, GiveWay>;

/// What is done while the pool's lock is held: its holder may have been preempted.
struct GiveWay;

impl spin::RelaxStrategy for GiveWay {
    fn relax() {
        gosched();
    }
}

/// One goroutine's share.
fn work(seed: u64, operations: usize, pool: &Pool) {
    const KEPT: usize = 200;
    let mut random = Random(seed);
    let mut kept: Vec<Object> = Vec::with_capacity(KEPT);
    for operation in 0..operations {
        match random.below(16) {
            0..8 if kept.len() < KEPT => kept.push(Object::new(&mut random)),
            8..10 if !kept.is_empty() => {
                let at = random.below(kept.len());
                kept[at].resize(&mut random);
            }
            10 if !kept.is_empty() => {
                let object = kept.swap_remove(random.below(kept.len()));
                let mut pool = pool.lock();
                pool.push_back(object);
                if pool.len() > 500 {
                    let oldest = pool.pop_front();
                    drop(pool); // not with the lock held
                    drop(oldest);
                }
            }
            11 => {
                let taken = pool.lock().pop_front();
                drop(taken);
            }
            _ if !kept.is_empty() => drop(kept.swap_remove(random.below(kept.len()))),
            _ => {}
        }
        if operation % 64 == 0 {
            gosched();
        }
    }
}

gort_test::tests! {
    fn eight_goroutines_all_sizes() {
        static DONE: AtomicUsize = AtomicUsize::new(0);
        let before = read_mem_stats();
        let pool = Arc::new(Pool::default());
        for number in 0..GOROUTINES as u64 {
            let pool = Arc::clone(&pool);
            gort::go(move || {
                work(number * 0x9e37_79b9 + 1, operations() / GOROUTINES, &pool);
                DONE.fetch_add(1, Ordering::Relaxed);
            });
        }
        while num_goroutine() > 1 {
            gosched();
        }
        assert_eq!(DONE.load(Ordering::Relaxed), GOROUTINES);
        drop(pool);
        let after = read_mem_stats();
        assert_eq!(after.heap_alloc, before.heap_alloc, "bytes are lost");
        assert_eq!(after.heap_objects, before.heap_objects, "objects are lost");
        assert!(after.mallocs - before.mallocs > operations() as u64 / 4);
    }

    fn what_is_cut_off_goes_back_to_the_system() {
        let mut bytes: Vec<u8> = alloc::vec![1; 64 << 20];
        bytes.truncate(100_000);
        bytes.shrink_to_fit();
        // Nothing else is freed, and there is no other goroutine.
        while !under_qemu() { // there madvise does nothing
            let stats = read_mem_stats();
            if stats.heap_idle - stats.heap_released < 8 << 20 {
                break;
            }
            gosched();
        }
        assert!(black_box(bytes).iter().all(|&byte| byte == 1));
    }

    fn what_is_freed_goes_back_to_the_system() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let block: Vec<Box<[u8; 1000]>> = (0..200_000).map(|_| Box::new([1; 1000])).collect();
        assert!(read_mem_stats().heap_inuse > 200_000_000);
        drop(black_box(block));
        // bgscavenge does it in its own time, while others run.
        gort::go(|| {
            while !STOP.load(Ordering::Relaxed) {
                gosched();
            }
        });
        if !under_qemu() { // there madvise does nothing
            loop {
                let stats = read_mem_stats();
                if stats.heap_idle - stats.heap_released < 30 << 20 {
                    break;
                }
                gosched();
            }
        }
        STOP.store(true, Ordering::Relaxed);
        gort::debug::free_os_memory();
        let stats = read_mem_stats();
        if !under_qemu() {
            assert!(stats.heap_idle - stats.heap_released <= stats.heap_inuse + (1 << 20), "{stats:?}");
        }
    }
}
