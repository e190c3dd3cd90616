//! What the heap says of itself, and requests at the edge of what can be had.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "raw memory is what is tested")]

extern crate alloc;

use alloc::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

use gort::debug::{free_os_memory, set_memory_limit};
use gort::runtime::{MemStats, gosched, read_mem_stats};
use gort_test::under_qemu;

/// Reads the numbers, and checks that they agree with each other.
fn stats() -> MemStats {
    let stats = read_mem_stats();
    assert_eq!(stats.alloc, stats.heap_alloc);
    assert_eq!(stats.mallocs - stats.frees, stats.heap_objects);
    assert_eq!(stats.heap_idle + stats.heap_inuse, stats.heap_sys);
    assert!(stats.heap_released <= stats.heap_idle, "{stats:?}");
    assert!(stats.heap_alloc <= stats.heap_inuse, "{stats:?}");
    assert!(stats.total_alloc >= stats.alloc);
    assert!(stats.mspan_inuse <= stats.mspan_sys);
    assert!(stats.mcache_inuse <= stats.mcache_sys);
    assert!(stats.stack_inuse <= stats.stack_sys);
    assert!(stats.sys >= stats.heap_sys + stats.stack_sys + stats.mspan_sys + stats.other_sys);
    // What no class has are large objects, of whole pages.
    let (mut bytes, mut mallocs, mut frees) = (0, 0, 0);
    for class in &stats.by_size {
        assert!(class.frees <= class.mallocs, "{class:?}");
        bytes += (class.mallocs - class.frees) * u64::from(class.size);
        mallocs += class.mallocs;
        frees += class.frees;
    }
    assert!((stats.alloc - bytes).is_multiple_of(8192), "{stats:?}");
    assert!(mallocs <= stats.mallocs && frees <= stats.frees);
    stats
}

/// Allocates so many bytes at a multiple of `align`.
fn get(size: usize, align: usize) -> (*mut u8, Layout) {
    let layout = Layout::from_size_align(size, align).expect("a small one");
    // SAFETY: the size is not 0.
    let object = unsafe { alloc(layout) };
    assert!(!black_box(object).is_null(), "{layout:?}");
    (object, layout)
}

/// Frees what [`get`] gave.
fn put((object, layout): (*mut u8, Layout)) {
    // SAFETY: allocated with that layout.
    unsafe { dealloc(object, layout) };
}

/// The index in `by_size` of the class that objects of a size come from.
fn class_of(stats: &MemStats, size: usize) -> Option<usize> {
    stats
        .by_size
        .iter()
        .position(|class| class.size as usize >= size)
}

gort_test::tests! {
    fn each_allocation_is_counted_exactly() {
        for size in [1, 8, 9, 24, 100, 129, 1000, 1025, 5000, 32_768, 32_769, 100_000, 3 << 20] {
            for count in [1, 7, 300] {
                let mut objects = Vec::with_capacity(count);
                let before = stats();
                objects.extend((0..count).map(|_| get(size, 1)));
                let during = stats();
                let class = class_of(&before, size);
                let each = class.map_or(size.next_multiple_of(8192), |class| before.by_size[class].size as usize);
                let (bytes, number) = ((each * count) as u64, count as u64);
                assert_eq!(during.heap_alloc - before.heap_alloc, bytes, "{count} of {size}");
                assert_eq!(during.total_alloc - before.total_alloc, bytes);
                assert_eq!(during.mallocs - before.mallocs, number);
                assert_eq!(during.frees, before.frees);
                assert_eq!(during.heap_objects - before.heap_objects, number);
                if let Some(class) = class {
                    let (now, then) = (during.by_size[class], before.by_size[class]);
                    assert_eq!((now.mallocs - then.mallocs, now.frees), (number, then.frees));
                }
                objects.drain(..).for_each(put);
                let after = stats();
                assert_eq!(after.heap_alloc, before.heap_alloc, "{count} of {size}");
                assert_eq!(after.total_alloc, during.total_alloc);
                assert_eq!((after.mallocs, after.frees), (during.mallocs, before.frees + number));
            }
        }
    }

    fn a_large_object_that_grows_in_place_is_counted_with_all_its_pages() {
        let before = stats();
        let (mut object, mut layout) = get(1 << 20, 8);
        for size in [2 << 20, 5 << 20, 100_000, 40_000, 7 << 20] {
            // SAFETY: allocated with that layout; the size is not 0.
            object = black_box(unsafe { realloc(object, layout, size) });
            layout = Layout::from_size_align(size, 8).expect("a small one");
            let now = stats();
            assert_eq!(now.heap_alloc - before.heap_alloc, size.next_multiple_of(8192) as u64);
            assert_eq!(now.heap_objects - before.heap_objects, 1);
        }
        put((object, layout));
        assert_eq!(stats().heap_alloc, before.heap_alloc);
    }

    fn the_numbers_agree_in_every_phase() {
        let before = stats();
        let mut objects: Vec<(*mut u8, Layout)> = Vec::new();
        for round in 0..6 {
            objects.extend((0..3000).map(|at| get(1 + at * (round + 7) % 9000, 1 << (at % 10))));
            objects.extend((0..20).map(|at| get(40_000 + at * 10_007, 1 << (at % 17))));
            stats();
            let mut at = 0;
            objects.retain(|&object| {
                at += 1;
                let keep = at % 3 != 0;
                if !keep {
                    put(object);
                }
                keep
            });
            stats();
            if round % 2 == 1 {
                free_os_memory();
                let now = stats();
                if !under_qemu() {
                    assert!(now.heap_idle - now.heap_released < 1 << 20, "{now:?}");
                }
            }
            gosched();
        }
        objects.into_iter().for_each(put);
        let after = stats();
        assert_eq!(after.heap_alloc, before.heap_alloc);
        assert_eq!(after.heap_objects, before.heap_objects);
    }

    fn a_limit_has_free_pages_given_back() {
        if under_qemu() {
            return; // which takes nothing back
        }
        let kept = Box::new([1u8; 1000]);
        drop(black_box(vec![1u8; 30 << 20]));
        let before = stats();
        assert_eq!(set_memory_limit(1 << 20), i64::MAX);
        let after = stats();
        assert!(after.heap_sys - after.heap_released <= 1 << 20, "{after:?}");
        assert!(before.heap_released <= after.heap_released);
        // What is taken from now on goes back when other pages are taken.
        drop(black_box(vec![1u8; 20 << 20]));
        let more = black_box(vec![1u8; 30 << 20]);
        let now = stats();
        assert!(now.heap_idle - now.heap_released < 8192, "{now:?}");
        assert_eq!(set_memory_limit(i64::MAX), 1 << 20);
        assert!(kept.iter().chain(&more).step_by(999).all(|&byte| byte == 1));
    }

    fn what_was_given_back_reads_as_zeros() {
        for size in [100, 5000, 100_000, 10 << 20] {
            let layout = Layout::from_size_align(size, 8).expect("a small one");
            for _ in 0..3 {
                let objects: Vec<*mut u8> = (0..(10 << 20) / size).map(|_| {
                    // SAFETY: the size is not 0.
                    let object = unsafe { alloc_zeroed(layout) };
                    // SAFETY: ours, of that size, and initialised.
                    let bytes = unsafe { core::slice::from_raw_parts_mut(object, size) };
                    assert!(bytes.iter().step_by(4).all(|&byte| byte == 0), "{size} bytes are dirty");
                    bytes.fill(0xff);
                    object
                }).collect();
                objects.into_iter().for_each(|object| put((black_box(object), layout)));
                free_os_memory();
            }
        }
    }

    /// Each is null, or memory with that alignment whose ends can be written to.
    fn layouts_up_to_the_largest() {
        let most = if under_qemu() { 30 } else { 34 };
        let mut had = 0;
        for power in (0..=most).chain(40..=62) {
            let align = 1usize << power;
            let largest = isize::MAX as usize - (align - 1);
            let sizes = [1, 100, 8192, 40_000, 1 << 20, 1 << 28, 1 << 44, 1 << 46, 1 << 47, 1 << 60, largest];
            for size in sizes.into_iter().filter(|&size| size <= largest) {
                let layout = Layout::from_size_align(size, align).expect("within isize");
                // SAFETY: the size is not 0.
                let object = black_box(unsafe { alloc(layout) });
                if object.is_null() {
                    assert!(size >= 1 << 28 || align > 1 << 28, "{layout:?} is not to be had");
                    continue;
                }
                assert!(object.addr().is_multiple_of(align), "{layout:?} at {object:p}");
                for end in [0, size - 1] {
                    // SAFETY: inside of it.
                    unsafe { object.wrapping_add(end).write_volatile(1) };
                }
                put((object, layout));
                had += 1;
            }
        }
        assert!(had > 100, "{had} only");
        assert!(black_box(vec![3u8; 1 << 20]).iter().all(|&byte| byte == 3), "the heap is whole");
    }

    fn what_cannot_grow_stays_as_it_was() {
        for size in [64, 100_000] {
            let (object, layout) = get(size, 8);
            // SAFETY: ours, of that size.
            unsafe { object.write_bytes(7, size) };
            for new in [1 << 45, 1 << 50, isize::MAX as usize - 7] {
                // SAFETY: allocated with that layout; the size is within isize.
                assert!(black_box(unsafe { realloc(object, layout, new) }).is_null());
            }
            // SAFETY: still ours, and initialised.
            let bytes = unsafe { core::slice::from_raw_parts(object, size) };
            assert!(bytes.iter().all(|&byte| byte == 7));
            put((object, layout));
        }
    }
}
