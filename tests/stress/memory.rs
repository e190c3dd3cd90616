//! Memory: the heap's, across Ps, and the stacks'.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use gort::runtime::{self, gosched, read_mem_stats};
use gort::thread::{self, Builder};

use crate::{Count, Random, crowd, storm};

/// A block that knows what is in it.
struct Block(Vec<u8>);

impl Block {
    /// Makes one of some size.
    fn new(random: &Random) -> Self {
        let size = match random.below(10) {
            0 => random.below(200_000),
            1..4 => random.below(5000),
            _ => random.below(200),
        };
        Self(vec![size as u8; size])
    }

    /// Checks that nobody else has written to it.
    fn check(&self) {
        let byte = self.0.len() as u8;
        assert!(
            self.0.iter().all(|&it| it == byte),
            "{} bytes, spoilt",
            self.0.len()
        );
    }
}

/// Uses so many bytes of the stack, and says whether they kept what was put there.
#[inline(never)]
fn deep(size: usize) -> bool {
    let frame = black_box([size as u8; 512]);
    let deeper = size < 1024 || deep(size - 1024);
    deeper && frame[size % 512] == size as u8
}

gort_test::test_module! {
    fn what_one_allocates_others_free() {
        const SLOTS: usize = 64;
        static PLACES: [AtomicPtr<Block>; SLOTS] = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];
        static COUNT: Count = Count::new();
        /// Puts a block, or none, in a place, and checks and frees what was there.
        fn put(place: &AtomicPtr<Block>, block: *mut Block) {
            let old = place.swap(block, Ordering::AcqRel);
            if !old.is_null() {
                // SAFETY: a box that somebody made, and that nobody finds any more.
                let old = unsafe { Box::from_raw(old) };
                old.check();
                COUNT.end();
            }
        }
        let before = read_mem_stats();
        storm(|| {
            crowd(16, |random| {
                COUNT.begin();
                let block = Box::into_raw(Box::new(Block::new(random)));
                put(&PLACES[random.below(SLOTS)], block);
                match random.below(20) {
                    0 => gosched(),
                    1 => runtime::blocking(|| {
                        // Without a P, if sysmon is quick.
                        Block::new(random).check();
                    }),
                    _ => {}
                }
            });
        });
        for place in &PLACES {
            put(place, ptr::null_mut());
        }
        COUNT.adds_up();
        let after = read_mem_stats();
        let more = after.heap_alloc.saturating_sub(before.heap_alloc);
        assert!(more < 1 << 20, "{more} bytes more in use than before");
    }

    fn stacks_of_any_size_and_any_end() {
        static COUNT: Count = Count::new();
        static LOST: AtomicUsize = AtomicUsize::new(0);
        storm(|| {
            crowd(12, |random| {
                COUNT.begin();
                let size = match random.below(8) {
                    0 => random.below(8 << 20),
                    1 => random.below(1 << 20),
                    _ => 0,
                };
                let (seed, depth) = (random.below(usize::MAX), random.below(100 << 10));
                let builder = Builder::new().stack_size(size);
                let handle = builder
                    .spawn(move || {
                        assert!(deep(depth));
                        if seed % 3 == 0 {
                            gosched();
                        }
                        // Those leave their stacks for ever: not too many.
                        if seed % 101 == 0 {
                            runtime::goexit();
                        }
                        seed
                    })
                    .unwrap();
                match handle.join() {
                    Ok(value) => assert_eq!(value, seed),
                    Err(_) => {
                        assert_eq!(seed % 101, 0);
                        LOST.fetch_add(1, Ordering::Relaxed);
                    }
                }
                if LOST.load(Ordering::Relaxed) > 10_000 {
                    thread::sleep(core::time::Duration::from_millis(1));
                }
                COUNT.end();
            });
        });
        COUNT.adds_up();
    }
}
