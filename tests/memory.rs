//! The heap, and the routines that move memory.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "raw memory is what is tested")]

extern crate alloc;

use alloc::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use core::ptr;

use gort::runtime::read_mem_stats;

/// A byte that depends on its place and little else.
fn pattern(at: usize) -> u8 {
    (at.wrapping_mul(167) >> 3) as u8
}

// SAFETY: as the C standard says; the runtime has them in assembly.
unsafe extern "C" {
    fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8;
    fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8;
    fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8;
    fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32;
}

/// The lengths at which the routines in assembly change their way, and those
/// around them.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=300).chain([511, 512, 513, 2047, 2048, 2049, 4095, 4096, 4097, 70_001])
}

/// Moves within a buffer as `ptr::copy` says, and compares with a plain loop.
fn move_and_compare(length: usize, from: usize, to: usize) {
    let size = length + 128;
    let original: Vec<u8> = (0..size).map(pattern).collect();
    let mut moved = original.clone();
    let start = moved.as_mut_ptr();
    let (source, target) = (
        start.wrapping_add(black_box(from)),
        start.wrapping_add(black_box(to)),
    );
    // SAFETY: both ranges lie in the buffer, from and to being below 128; they
    // may overlap.
    unsafe { ptr::copy(source, target, black_box(length)) };
    for (at, &byte) in moved.iter().enumerate() {
        let origin = if (to..to + length).contains(&at) {
            at - to + from
        } else {
            at
        };
        assert!(
            byte == pattern(origin),
            "{length} bytes from {from} to {to}: wrong at {at}"
        );
    }
}

gort_test::tests! {
    fn collections_work() {
        let mut map = BTreeMap::new();
        for number in 0..10_000u32 {
            map.insert(number.wrapping_mul(2_654_435_761), number.to_string());
        }
        assert_eq!(map.len(), 10_000);
        assert!(map.iter().all(|(key, text)| text.parse::<u32>().unwrap().wrapping_mul(2_654_435_761) == *key));
        map.retain(|_, text| text.len() < 4);
        assert_eq!(map.len(), 1000);
        let joined: String = map.values().map(String::as_str).collect();
        assert_eq!(joined.len(), 10 + 2 * 90 + 3 * 900);
    }

    fn a_vector_grows_without_losing_anything() {
        let mut numbers = Vec::new();
        for number in 0..1_000_000u64 {
            numbers.push(number);
        }
        assert!(numbers.iter().enumerate().all(|(at, &number)| number == at as u64));
        numbers.truncate(10);
        numbers.shrink_to_fit();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    fn alignments_are_kept() {
        for power in 0..=21 {
            for size in [1, 3, 64, 5000] {
                let layout = Layout::from_size_align(size, 1 << power).unwrap();
                // SAFETY: the size is not 0.
                let memory = unsafe { alloc(layout) };
                assert!(!memory.is_null());
                assert_eq!(memory.addr() % layout.align(), 0);
                // SAFETY: that many bytes are ours.
                unsafe { memory.write_bytes(0xa5, size) };
                // SAFETY: allocated above with this layout.
                unsafe { dealloc(memory, layout) };
            }
        }
    }

    fn zeroed_memory_is_zeroed_also_the_second_time() {
        let layout = Layout::from_size_align(10_000, 8).unwrap();
        for _ in 0..100 {
            // SAFETY: the size is not 0.
            let memory = unsafe { alloc_zeroed(layout) };
            // SAFETY: that many bytes are ours, and initialised.
            let bytes = unsafe { core::slice::from_raw_parts_mut(memory, 10_000) };
            assert!(bytes.iter().all(|&byte| byte == 0));
            bytes.fill(0xff);
            // SAFETY: allocated above with this layout.
            unsafe { dealloc(memory, layout) };
        }
    }

    fn realloc_keeps_the_contents() {
        let mut layout = Layout::from_size_align(16, 16).unwrap();
        // SAFETY: the size is not 0.
        let mut memory = unsafe { alloc(layout) };
        for at in 0..16 {
            // SAFETY: inside of it.
            unsafe { memory.wrapping_add(at).write(pattern(at)) };
        }
        for size in [100, 17, 5000, 1 << 20, 16] {
            // SAFETY: allocated with this layout; the size is not 0.
            memory = unsafe { realloc(memory, layout, size) };
            layout = Layout::from_size_align(size, 16).unwrap();
            for at in 0..16 {
                // SAFETY: inside of it.
                assert_eq!(unsafe { memory.wrapping_add(at).read() }, pattern(at));
            }
        }
        // SAFETY: allocated with this layout.
        unsafe { dealloc(memory, layout) };
    }

    fn freed_memory_is_used_again() {
        let mut highest = 0;
        for round in 0..2000 {
            let block = black_box(vec![round as u8; 1 << 20]);
            highest = highest.max(block.as_ptr().addr());
            assert_eq!(block[round], round as u8);
        }
        // 2 GB have gone through; the heap is one arena, at Go's address.
        assert!((0xc0_0000_0000..0xc0_0400_0000).contains(&highest), "{highest:#x}");
    }

    fn the_heap_grows_beyond_an_arena() {
        let blocks: Vec<Vec<u8>> = (0..40).map(|number| vec![number; 5 << 20]).collect();
        for (number, block) in blocks.iter().enumerate() {
            assert!(block.iter().step_by(4096).all(|&byte| usize::from(byte) == number));
        }
        let large = vec![1u8; 150 << 20];
        assert_eq!(large.iter().step_by(4096).map(|&byte| usize::from(byte)).sum::<usize>(), (150 << 20) / 4096);
    }

    fn an_arena_may_be_used_up_to_its_last_byte() {
        const ARENA: usize = 64 << 20;
        for spare in [0, 8, 16, 24, 32, 48, 64, 72, 128] {
            let layout = Layout::from_size_align(ARENA - spare, 8).unwrap();
            // SAFETY: the size is not 0.
            let memory = unsafe { alloc(layout) };
            assert!(!memory.is_null(), "{} bytes", layout.size());
            let last = memory.wrapping_add(layout.size() - 1);
            // SAFETY: inside of it.
            unsafe { last.write(1) };
            black_box(last);
            // SAFETY: allocated with this layout.
            unsafe { dealloc(memory, layout) };
        }
    }

    fn what_cannot_be_had_is_null_and_no_death() {
        let layout = Layout::from_size_align(1 << 50, 8).unwrap();
        // SAFETY: the size is not 0.
        let memory = unsafe { alloc(layout) };
        // The compiler may leave out an allocation that nobody sees.
        assert!(black_box(memory).is_null());
        assert!(Vec::<u8>::new().try_reserve(1 << 50).is_err());
        assert_eq!(vec![1, 2, 3].len(), 3, "the heap is whole");
    }

    fn what_no_arenas_can_hold_costs_nothing() {
        let before = read_mem_stats();
        let eight = Layout::from_size_align(8, 8).unwrap();
        for (size, power) in [(1 << 45, 3), (isize::MAX as usize - 7, 3), (1, 46), (100_000, 62)] {
            let layout = Layout::from_size_align(size, 1 << power).unwrap();
            // SAFETY: the size is not 0.
            assert!(black_box(unsafe { alloc(layout) }).is_null(), "{layout:?}");
            // SAFETY: as above.
            let memory = black_box(unsafe { alloc(eight) });
            // SAFETY: allocated above with this layout; the size is small enough.
            let more = unsafe { realloc(memory, eight, size) };
            assert!(power > 3 && size < 1 << 20 || black_box(more).is_null(), "{layout:?}");
            let (now, layout) = if more.is_null() {
                (memory, eight)
            } else {
                (more, Layout::from_size_align(size, 8).unwrap())
            };
            // SAFETY: allocated with this layout.
            unsafe { dealloc(now, layout) };
        }
        let layout = Layout::from_size_align(100_000, 8).unwrap();
        // SAFETY: the size is not 0.
        let memory = black_box(unsafe { alloc(layout) });
        for size in [1 << 45, isize::MAX as usize - 7] {
            // SAFETY: allocated above with this layout; the size is small enough.
            assert!(black_box(unsafe { realloc(memory, layout, size) }).is_null());
        }
        // SAFETY: allocated above with this layout.
        unsafe { dealloc(memory, layout) };
        let after = read_mem_stats();
        assert!(after.heap_sys - before.heap_sys <= 64 << 20, "{after:?}");
    }

    fn memory_that_was_longer_and_shorter_is_zeroed() {
        // Shortened and lengthened in place, so that what is free is partly dirty.
        for large in [100_000, 300_000] {
            for small in [1, 40_000, 90_000] {
                let layout = Layout::from_size_align(large, 8).unwrap();
                // SAFETY: the size is not 0.
                let memory = black_box(unsafe { alloc_zeroed(layout) });
                // SAFETY: that many bytes are ours.
                assert!(unsafe { core::slice::from_raw_parts(memory, large) }.iter().all(|&byte| byte == 0));
                // SAFETY: as above.
                unsafe { memory.write_bytes(0xee, large) };
                // SAFETY: allocated above with this layout; the size is not 0.
                let memory = unsafe { realloc(memory, layout, small) };
                let shorter = Layout::from_size_align(small, 8).unwrap();
                // SAFETY: as above.
                let memory = unsafe { realloc(memory, shorter, large) };
                // SAFETY: inside of it.
                assert_eq!(unsafe { memory.wrapping_add(small - 1).read() }, 0xee);
                // SAFETY: that many bytes are ours.
                unsafe { memory.write_bytes(0xdd, large) };
                // SAFETY: allocated with this layout.
                unsafe { dealloc(memory, layout) };
            }
        }
    }

    fn what_grows_minds_the_limit() {
        if gort_test::under_qemu() {
            return; // there nothing can be given back
        }
        let retained = |stats: &gort::runtime::MemStats| stats.heap_idle - stats.heap_released;
        let _one = gort_test::one_p(); // the scavenger does not run beside this
        gort::debug::free_os_memory();
        // The compiler may leave out what nobody sees.
        let small = Layout::from_size_align(16 << 20, 8).unwrap();
        // SAFETY: the size is not 0.
        let low = black_box(unsafe { alloc(small) });
        // SAFETY: as above.
        let high = black_box(unsafe { alloc(small) });
        let before = gort::debug::set_memory_limit(1 << 20);
        // SAFETY: allocated above with this layout.
        unsafe { dealloc(low, small) };
        let kept = retained(&read_mem_stats());
        assert!(kept >= 8 << 20, "{kept} bytes"); // should it have had a turn all the same
        // There is nothing behind the second.
        // SAFETY: allocated above with this layout; the size is not 0.
        let longer = unsafe { realloc(high, small, 24 << 20) };
        assert!(black_box(longer) == black_box(high));
        let kept = retained(&read_mem_stats());
        assert!(kept < 1 << 20, "{kept} bytes");
        // SAFETY: the size is not 0.
        let low = black_box(unsafe { alloc(small) });
        // SAFETY: allocated above with this layout.
        unsafe { dealloc(low, small) };
        // As with a new object, which has no room where the old one was.
        let large = Layout::from_size_align(24 << 20, 8).unwrap();
        // SAFETY: the size is not 0.
        let another = black_box(unsafe { alloc(large) });
        let kept = retained(&read_mem_stats());
        assert!(kept < 1 << 20, "{kept} bytes");
        // SAFETY: allocated above with this layout.
        unsafe { dealloc(another, large) };
        gort::debug::set_memory_limit(before);
        // SAFETY: allocated with this layout.
        unsafe { dealloc(longer, large) };
    }

    fn memmove_moves_up_and_down() {
        for length in lengths() {
            for (from, to) in [(0, 0), (0, 1), (1, 0), (3, 19), (19, 3), (0, 64), (64, 0), (5, 127), (127, 5)] {
                move_and_compare(length, from, to);
            }
        }
    }

    fn they_return_where_they_wrote() {
        let from: Vec<u8> = (0..80_000).map(pattern).collect();
        let mut target = vec![0u8; 80_000];
        let to = target.as_mut_ptr();
        for length in lengths() {
            // SAFETY: both are that long, and lie apart.
            assert_eq!(unsafe { memcpy(to, from.as_ptr(), black_box(length)) }, to);
            // SAFETY: as above.
            assert_eq!(unsafe { memmove(to, from.as_ptr(), black_box(length)) }, to);
            let above = to.wrapping_add(9);
            // SAFETY: the target is longer than that.
            assert_eq!(unsafe { memmove(above, to, black_box(length)) }, above);
            // SAFETY: as above. Of the byte the low eight bits count.
            assert_eq!(unsafe { memset(to, black_box(0x1ff), length) }, to);
            assert!(target[..length].iter().all(|&byte| byte == 0xff));
        }
    }

    fn memcmp_compares_bytes_without_a_sign() {
        for length in 1..=40 {
            for at in 0..length {
                let (mut one, mut other) = (vec![0x55u8; length], vec![0x55u8; length]);
                // What comes behind the first difference does not count.
                one[at..].fill(0x01);
                other[at..].fill(0xff);
                one[at] = 0x7f;
                other[at] = 0x80;
                let compare = |one: &[u8], other: &[u8]| {
                    // SAFETY: both are that long.
                    unsafe { memcmp(one.as_ptr(), other.as_ptr(), black_box(length)) }
                };
                assert!(compare(&one, &other) < 0, "{at} of {length}");
                assert!(compare(&other, &one) > 0, "{at} of {length}");
            }
        }
    }

    fn memset_sets_what_it_shall_and_no_more() {
        for length in lengths() {
            let mut buffer: Vec<u8> = (0..length + 64).map(pattern).collect();
            let start = black_box(17);
            buffer[start..start + length].fill(black_box(0x5a));
            for (at, &byte) in buffer.iter().enumerate() {
                let inside = (start..start + length).contains(&at);
                assert!(byte == if inside { 0x5a } else { pattern(at) }, "{length} bytes: wrong at {at}");
            }
        }
    }

    fn memcmp_finds_the_first_difference() {
        for length in lengths() {
            let one: Vec<u8> = (0..length).map(pattern).collect();
            let mut other = one.clone();
            assert!(black_box(&one) == black_box(&other));
            assert!(one.as_slice().cmp(&other) == core::cmp::Ordering::Equal);
            for at in [0, length / 2, length.saturating_sub(1)] {
                if let Some(byte) = other.get_mut(at) {
                    let kept = *byte;
                    *byte = kept.wrapping_add(1);
                    assert!(black_box(&one) != black_box(&other), "{length} bytes: no difference at {at}");
                    assert_eq!(one.as_slice().cmp(&other), pattern(at).cmp(&kept.wrapping_add(1)));
                    other[at] = kept;
                }
            }
        }
    }
}
