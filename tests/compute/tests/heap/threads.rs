//! Threads that allocate, check, hand over and free.

use std::alloc::Layout;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use gort_host_tests::ensure;
use libtest_mimic::Failed;

use crate::mem::{self, MCache, class_of};

const THREADS: usize = 4;
const OPERATIONS: usize = 100_000;

/// An object that some thread has: its address, and what it was asked for.
struct Object {
    address: *mut u8,
    layout: Layout,
    mark: u8,
}

// SAFETY: whoever has the Object has the memory.
unsafe impl Send for Object {}

/// Random numbers without a state beside this.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Allocates as mallocgc does.
fn alloc(cache: &MCache, layout: Layout, zero: bool) -> *mut u8 {
    let Some(class) = class_of(layout.size(), layout.align()) else {
        return mem::large_alloc(layout.size(), layout.align(), zero);
    };
    let Some((object, is_zero)) = cache.alloc(class) else {
        return std::ptr::null_mut();
    };
    #[cfg(debug_assertions)]
    mem::checks::allocated(object);
    if zero && !is_zero {
        // SAFETY: ours, and of that size.
        unsafe { object.write_bytes(0, layout.size()) };
    }
    object
}

/// Frees as mfree does.
fn free(cache: &MCache, object: &Object) {
    match class_of(object.layout.size(), object.layout.align()) {
        // SAFETY: allocated with that layout, and given up here.
        None => unsafe { mem::large_free(object.address, object.layout.size()) },
        Some(class) => {
            #[cfg(debug_assertions)]
            mem::checks::freed(object.address, class, 0);
            // SAFETY: as above.
            unsafe { cache.free(class, object.address) };
        }
    }
}

/// Gives a large object another size where it is, if that can be done.
fn resize(object: &mut Object, size: usize) {
    let align = object.layout.align();
    let old = object.layout.size();
    let is_large = class_of(old, align).is_none() && class_of(size, align).is_none();
    // SAFETY: a large object that is ours.
    if is_large && unsafe { mem::large_resize(object.address, old, size) } {
        object.layout = Layout::from_size_align(size.min(old), align).expect("both are small");
        check(object, object.mark);
        object.layout = Layout::from_size_align(size, align).expect("both are small");
        fill(object);
    }
}

/// Fills an object with its mark.
fn fill(object: &Object) {
    // SAFETY: ours, of that size.
    unsafe {
        object
            .address
            .write_bytes(object.mark, object.layout.size())
    };
}

/// Checks that all of an object is as it should be.
fn check(object: &Object, expected: u8) {
    // SAFETY: as above.
    let bytes = unsafe { std::slice::from_raw_parts(object.address, object.layout.size()) };
    // By memcmp: a loop over the bytes was most of what this test did.
    let right = [expected; 4096];
    assert!(
        bytes
            .chunks(right.len())
            .all(|chunk| *chunk == right[..chunk.len()]),
        "{:?} at {:p} is damaged",
        object.layout,
        object.address
    );
}

/// A size and alignment: mostly small.
fn layout(random: &mut Random) -> Layout {
    let size = match random.below(100) {
        0 => random.below(1 << 20) + 1,
        1..10 => random.below(40_000) + 1,
        10..30 => random.below(4096) + 1,
        _ => random.below(256) + 1,
    };
    let most = if random.below(50) == 0 { 18 } else { 7 };
    let align = 1 << random.below(most);
    Layout::from_size_align(size, align).expect("both are small")
}

/// One thread: allocates, keeps, checks, frees, and passes objects on.
fn work(seed: u64, inbox: &Receiver<Object>, outboxes: &[Sender<Object>]) {
    let cache = mem::new_mcache();
    let mut random = Random(seed);
    let mut kept: Vec<Object> = Vec::new();
    for step in 0..OPERATIONS {
        match random.below(10) {
            0..5 => {
                let layout = layout(&mut random);
                let zero = random.below(4) == 0;
                let address = alloc(cache, layout, zero);
                assert!(!address.is_null() && address.addr().is_multiple_of(layout.align()));
                let mark = random.below(255) as u8 + 1;
                let object = Object {
                    address,
                    layout,
                    mark,
                };
                if zero {
                    check(&object, 0);
                }
                fill(&object);
                if random.below(3) == 0 {
                    // A thread that has finished takes nothing more.
                    if let Err(back) = outboxes[random.below(THREADS)].send(object) {
                        free(cache, &back.0);
                    }
                } else {
                    kept.push(object);
                }
            }
            5..9 if !kept.is_empty() => {
                let object = kept.swap_remove(random.below(kept.len()));
                check(&object, object.mark);
                free(cache, &object);
            }
            9 if !kept.is_empty() => {
                let at = random.below(kept.len());
                resize(&mut kept[at], random.below(1 << 18) + 1);
            }
            _ => {}
        }
        for object in inbox.try_iter() {
            check(&object, object.mark);
            free(cache, &object);
        }
        if kept.len() > 3000 {
            for object in kept.drain(..) {
                check(&object, object.mark);
                free(cache, &object);
            }
        }
        if step.is_multiple_of(20_000) {
            cache.flush();
        }
    }
    for object in kept.into_iter().chain(inbox.try_iter()) {
        check(&object, object.mark);
        free(cache, &object);
    }
    cache.flush();
}

pub(crate) fn early_limit() -> Result<(), Failed> {
    let unlimited = i64::MAX as u64;
    ensure!(
        mem::set_limit(Some(1 << 40)) == unlimited,
        "a limit of its own"
    );
    let object = mem::large_alloc(100_000, 8, false);
    let limit = mem::set_limit(None);
    ensure!(limit == 1 << 40, "it is {limit}");
    // SAFETY: allocated above with that size.
    unsafe { mem::large_free(object, 100_000) };
    mem::set_limit(Some(unlimited));
    let limit = mem::set_limit(None);
    ensure!(limit == unlimited, "it is {limit}");
    Ok(())
}

pub(crate) fn handoffs() -> Result<(), Failed> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel()).unzip();
    let stop = AtomicBool::new(false);
    let mut left = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                mem::scavenge(1 << 20);
                mem::flush();
                mem::read_mem_stats();
            }
        });
        let threads: Vec<_> = receivers
            .into_iter()
            .enumerate()
            .map(|(number, inbox)| {
                let senders = senders.clone();
                scope.spawn(move || {
                    work(number as u64 * 77_777 + 1, &inbox, &senders);
                    inbox
                })
            })
            .collect();
        for thread in threads {
            left.push(thread.join().expect("the thread has found nothing wrong"));
        }
        stop.store(true, Ordering::Relaxed);
    });
    // What was sent to a thread that had finished.
    let cache = mem::new_mcache();
    for object in left.iter().flat_map(|inbox| inbox.try_iter()) {
        check(&object, object.mark);
        free(cache, &object);
    }
    cache.flush();
    Ok(())
}

pub(crate) fn numbers() -> Result<(), Failed> {
    mem::flush();
    let stats = mem::read_mem_stats();
    ensure!(stats.heap_alloc == 0, "{} bytes are lost", stats.heap_alloc);
    ensure!(
        stats.mallocs == stats.frees,
        "{} of {} freed",
        stats.frees,
        stats.mallocs
    );
    ensure!(
        stats.heap_inuse == 0,
        "{} bytes of pages are lost",
        stats.heap_inuse
    );
    ensure!(
        stats.mspan_inuse == 0,
        "{} bytes of spans are lost",
        stats.mspan_inuse
    );
    mem::scavenge(usize::MAX);
    let stats = mem::read_mem_stats();
    ensure!(
        stats.heap_released == stats.heap_sys,
        "{} of {} bytes are back",
        stats.heap_released,
        stats.heap_sys
    );
    // Without a cache, as an M without a P does.
    let object = mem::alloc_one(5).expect("memory");
    let (now, size) = (mem::read_mem_stats(), stats.by_size[4].size);
    ensure!(
        now.heap_alloc == u64::from(size),
        "{} bytes",
        now.heap_alloc
    );
    ensure!(now.mallocs == stats.mallocs + 1, "{} mallocs", now.mallocs);
    // SAFETY: allocated above, of that class.
    unsafe { mem::free_one(5, object.0) };
    ensure!(
        mem::read_mem_stats().heap_inuse == 0,
        "the span is still there"
    );
    Ok(())
}

pub(crate) fn records() -> Result<(), Failed> {
    let before = mem::read_mem_stats();
    for _ in 0..1000 {
        let object = mem::large_alloc(100_000, 8, false);
        // SAFETY: allocated above with that size.
        unsafe { mem::large_free(object, 100_000) };
        ensure!(mem::large_alloc(1 << 50, 8, false).is_null(), "a petabyte");
    }
    let after = mem::read_mem_stats();
    ensure!(
        after.mspan_sys <= before.mspan_sys + (64 << 10),
        "{} bytes of records, after {}",
        after.mspan_sys,
        before.mspan_sys
    );
    Ok(())
}

pub(crate) fn idle() -> Result<(), Failed> {
    const LOOK: usize = 1024;
    let cache = mem::new_mcache();
    let class = class_of(1000, 8).expect("it is small");
    // As many as the cache keeps by itself, and more.
    for count in [10, 1000] {
        let objects: Vec<_> = (0..count).map(|_| cache.alloc(class)).collect();
        for (object, _) in objects.into_iter().flatten() {
            // SAFETY: allocated above, of that class.
            unsafe { cache.free(class, object) };
        }
        (0..LOOK).for_each(|_| cache.age());
        let kept = mem::read_mem_stats().heap_inuse;
        ensure!(kept > 0, "what was used since the last look is gone");
        (0..LOOK).for_each(|_| cache.age());
        let kept = mem::read_mem_stats().heap_inuse;
        ensure!(kept == 0, "{kept} bytes are kept for no use");
    }
    Ok(())
}

pub(crate) fn occupied() -> Result<(), Failed> {
    const HINTS: [usize; 2] = [0x00c0_0000_0000, 0x01c0_0000_0000];
    const SIZE: usize = 1 << 30;
    // Somebody else takes what lies behind the heap.
    let end = HINTS[0] + mem::read_mem_stats().heap_sys as usize;
    let other = crate::os::map(end, 4096).expect("memory");
    ensure!(other.addr() == end, "the heap does not end at {end:#x}");
    let object = mem::large_alloc(SIZE, 8, true);
    ensure!(object.addr() == HINTS[1], "it is at {object:p}");
    // SAFETY: mapped above.
    ensure!(unsafe { other.read() } == 0, "it is not ours any more");
    // SAFETY: allocated above with that size.
    unsafe { mem::large_free(object, SIZE) };
    Ok(())
}
