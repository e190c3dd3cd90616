//! Stacks: of any size, used again, given back, a million of them.
//!
//! Which stack is used again, and which are left for the scavenger, is known where there
//! is one P: each has its own list of dead goroutines, and what counts as ended may be
//! on its way there.

#![no_std]
#![no_main]
#![allow(
    unsafe_code,
    reason = "asks the kernel how much memory there is in use"
)]

extern crate alloc;

use alloc::vec::Vec;
#[cfg(not(feature = "none"))]
use core::arch::asm;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::{nanotime, scavenge_stacks, scavenged_for, stack_stats, try_go};
use gort::channel::bounded;
use gort::go;
use gort::runtime::{gosched, num_goroutine};
use gort_test::{one_p, under_qemu};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Returns an address on the current stack.
fn here() -> usize {
    let local = 0u8;
    (&raw const *black_box(&local)).addr()
}

/// Uses the stack down to the address `end`, and says whether all of it kept what was
/// put there.
#[inline(never)]
fn use_down_to(end: usize) -> bool {
    let frame = black_box([end as u8; 1000]);
    let kept = here() < end || use_down_to(end);
    kept && black_box(&frame).iter().all(|&byte| byte == end as u8)
}

/// Uses so many bytes of the current stack.
fn deep(size: usize) -> bool {
    use_down_to(here() - size)
}

/// Makes `count` goroutines that are all there at once and each use `size` bytes of
/// their stacks; returns how many found them whole.
fn crowd(count: usize, size: usize) -> usize {
    static ARRIVED: AtomicUsize = AtomicUsize::new(0);
    static RIGHT: AtomicUsize = AtomicUsize::new(0);
    static LEAVE: AtomicBool = AtomicBool::new(false);
    ARRIVED.store(0, Ordering::Relaxed);
    RIGHT.store(0, Ordering::Relaxed);
    LEAVE.store(false, Ordering::Relaxed);
    for _ in 0..count {
        go(move || {
            ARRIVED.fetch_add(1, Ordering::Relaxed);
            RIGHT.fetch_add(usize::from(deep(size)), Ordering::Relaxed);
            while !LEAVE.load(Ordering::Relaxed) {
                gosched();
            }
        });
    }
    while ARRIVED.load(Ordering::Relaxed) < count {
        gosched();
    }
    assert_eq!(num_goroutine(), count + 1);
    LEAVE.store(true, Ordering::Relaxed);
    until_alone();
    RIGHT.load(Ordering::Relaxed)
}

/// Makes a system call.
///
/// # Safety
///
/// The arguments must be what the kernel expects.
#[cfg(not(feature = "none"))]
unsafe fn system_call(number: usize, arguments: [usize; 3]) -> isize {
    let result;
    // SAFETY: changes rax, rcx and r11; the rest is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// Returns how many bytes of the machine's memory are in use.
#[cfg(feature = "none")]
fn resident() -> usize {
    let (free, total) = gort::__private::free_memory();
    total - free
}

/// Returns how many bytes of memory the process has, from /proc/self/statm.
#[cfg(not(feature = "none"))]
fn resident() -> usize {
    const READ: usize = 0;
    const OPEN: usize = 2;
    const CLOSE: usize = 3;
    let mut text = [0u8; 128];
    // SAFETY: the kernel reads the path up to its NUL.
    let fd = unsafe { system_call(OPEN, [c"/proc/self/statm".as_ptr().addr(), 0, 0]) };
    assert!(fd >= 0, "open: {fd}");
    // SAFETY: the kernel writes at most that many bytes of ours.
    let length = unsafe { system_call(READ, [fd as usize, text.as_mut_ptr().addr(), text.len()]) };
    // SAFETY: the descriptor is ours.
    unsafe { system_call(CLOSE, [fd as usize, 0, 0]) };
    let text = core::str::from_utf8(&text[..length as usize]).unwrap();
    let pages = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    pages.map(|pages: usize| pages * 4096).unwrap()
}

/// Counts how often it is dropped.
struct Dropped(&'static AtomicUsize);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

gort_test::tests! {
    fn large_ones_are_as_large_as_asked() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        // What a debug build's frames take beside what is asked for, and the G.
        let room = 32 * KIB;
        for size in [257 * KIB, 512 * KIB, MIB, 5 * MIB, 64 * MIB] {
            assert!(try_go(move || {
                RIGHT.fetch_add(usize::from(deep(size - room)), Ordering::Relaxed);
            }, size));
        }
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 5);
    }

    fn a_gigabyte_is_reserved_and_not_paid_for() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        let before = resident();
        assert!(try_go(|| {
            RIGHT.fetch_add(usize::from(deep(20 * MIB)), Ordering::Relaxed);
        }, 1 << 30));
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 1);
        let (in_use, sys) = stack_stats();
        assert!(in_use > 1 << 30 && sys > in_use, "{in_use} of {sys}");
        // An emulator's memory is its own.
        assert!(under_qemu() || resident() - before < 24 * MIB);
    }

    fn more_than_a_gigabyte_is_declined() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        for size in [(1 << 30) + 1, 1 << 40, usize::MAX / 2 + 2, usize::MAX - 4096, usize::MAX] {
            let value = Dropped(&DROPS);
            assert!(!try_go(move || drop(value), size));
        }
        assert_eq!(DROPS.load(Ordering::Relaxed), 5, "what was not started is dropped");
        assert_eq!(num_goroutine(), 1);
    }

    fn small_ones_are_of_the_default_size() {
        let _one = one_p();
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        static LAST: AtomicUsize = AtomicUsize::new(0);
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        for size in [0, 1, 4096, 255 * KIB, 256 * KIB] {
            assert!(try_go(|| {
                let here = here();
                PLACES.fetch_add(usize::from(LAST.swap(here, Ordering::Relaxed) != here), Ordering::Relaxed);
                RIGHT.fetch_add(usize::from(deep(220 * KIB)), Ordering::Relaxed);
            }, size));
            until_alone();
        }
        assert_eq!(PLACES.load(Ordering::Relaxed), 1, "one stack serves them all");
        assert_eq!(RIGHT.load(Ordering::Relaxed), 5);
    }

    fn large_ones_are_used_again_by_their_size() {
        let _one = one_p();
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let place = |size| {
            assert!(try_go(|| LAST.store(here(), Ordering::Relaxed), size));
            until_alone();
            LAST.load(Ordering::Relaxed)
        };
        let (one, other) = (place(MIB), place(2 * MIB));
        assert!(one.abs_diff(other) > MIB);
        let sys = stack_stats().1;
        for _ in 0..100 {
            assert_eq!(place(MIB - 5000), one);
            assert_eq!(place(2 * MIB), other);
        }
        assert_eq!(stack_stats().1, sys);
        // Two at a time need two.
        static PLACES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
        for at in &PLACES {
            assert!(try_go(|| {
                at.store(here(), Ordering::Relaxed);
                while PLACES.iter().any(|at| at.load(Ordering::Relaxed) == 0) {
                    gosched();
                }
            }, MIB));
        }
        until_alone();
        let places = PLACES.each_ref().map(|at| at.load(Ordering::Relaxed));
        let again = places.iter().filter(|place| place.abs_diff(one) < 4096).count();
        assert!(again == 1 && places[0].abs_diff(places[1]) > MIB, "{places:x?}, {one:x}");
    }

    fn cold_ones_are_given_back() {
        let _one = one_p();
        const COUNT: usize = 1000;
        const DEPTH: usize = 100 * KIB;
        assert_eq!(crowd(COUNT, DEPTH), COUNT);
        let full = resident();
        let (in_use, sys) = stack_stats();
        let given = scavenge_stacks(usize::MAX);
        if given == 0 && under_qemu() {
            return; // it takes nothing back
        }
        let (less, same) = stack_stats();
        // A P keeps some for itself, and main runs on one.
        assert!(given >= (COUNT - 100) * DEPTH, "{given} bytes given back");
        assert!(in_use - less >= (COUNT - 100) * 256 * KIB, "{less} of {in_use} still in use");
        assert_eq!(sys, same);
        assert_eq!(num_goroutine(), 1);
        if !under_qemu() {
            let now = resident();
            assert!(full - now >= (COUNT - 100) * DEPTH, "{now} of {full} bytes still there");
        }
        assert_eq!(scavenge_stacks(usize::MAX), 0, "there is nothing left");
        // All of it can be used again, and needs no more addresses.
        for _ in 0..3 {
            assert_eq!(crowd(COUNT, DEPTH), COUNT);
            let (again, same) = stack_stats();
            // The first time some were made at once for others, who did not come.
            let spare = in_use - again;
            assert!(spare < 16 * 256 * KIB && same == sys, "{again} and {same} of {in_use}, {sys}");
            assert!(scavenge_stacks(usize::MAX) >= (COUNT - 100) * DEPTH);
        }
    }

    fn giving_back_takes_a_hundredth_of_a_cpu() {
        if under_qemu() || cfg!(feature = "none") {
            return; // there is nothing to be given back, or it takes no time
        }
        assert_eq!(crowd(5000, 0), 5000);
        let (start, before) = (nanotime(), scavenged_for());
        // Goroutines that are left to their Ps: sysmon looks every 320 us at least.
        let (ping, pinged) = bounded::<()>(0);
        let (pong, ponged) = bounded::<()>(0);
        go(move || pinged.iter().for_each(|()| pong.send(()).unwrap()));
        let mut worked = 0;
        while worked < 4_000_000 {
            ping.send(()).unwrap();
            ponged.recv().unwrap();
            worked = scavenged_for() - before;
        }
        drop(ping);
        until_alone();
        // Each time counts for a millisecond at most, and sysmon and the scavenger may work
        // one right behind the other.
        let took = nanotime() - start;
        assert!(took >= 50 * (worked - 2_000_000), "{worked} ns in {took}");
    }

    fn not_more_is_given_back_than_asked_for() {
        let _one = one_p();
        const DEPTH: usize = 100 * KIB;
        assert_eq!(crowd(500, DEPTH), 500);
        for _ in 0..3 {
            let given = scavenge_stacks(10 * DEPTH);
            if given == 0 && under_qemu() {
                return;
            }
            // The last one as a whole.
            assert!((10 * DEPTH..12 * DEPTH).contains(&given), "{given} bytes given back");
        }
        assert_eq!(scavenge_stacks(0), 0);
    }

    fn large_ones_are_given_back_but_for_a_page() {
        let _one = one_p();
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let run = || {
            assert!(try_go(|| {
                LAST.store(here(), Ordering::Relaxed);
                assert!(deep(40 * MIB));
            }, 64 * MIB));
            until_alone();
            LAST.load(Ordering::Relaxed)
        };
        let place = run();
        for _ in 0..3 {
            let full = resident();
            let given = scavenge_stacks(1);
            if given == 0 && under_qemu() {
                return;
            }
            assert!((40 * MIB..41 * MIB).contains(&given), "{given} bytes given back");
            // Less some pages of the program's own, which come when they are needed.
            assert!(under_qemu() || full - resident() >= 39 * MIB);
            assert_eq!(scavenge_stacks(usize::MAX), 0, "not looked at twice");
            assert_eq!(run(), place);
        }
    }

    fn the_hottest_is_taken_first() {
        let _one = one_p();
        const COUNT: usize = 300;
        static PLACES: [AtomicUsize; COUNT] = [const { AtomicUsize::new(0) }; COUNT];
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        static NOW: AtomicUsize = AtomicUsize::new(0);
        let next = || {
            go(|| NOW.store(here(), Ordering::Relaxed));
            until_alone();
            NOW.load(Ordering::Relaxed)
        };
        // Should one be preempted between its last words and its end, another try will do.
        let last = (0..10).find_map(|_| {
            ENDED.store(0, Ordering::Relaxed);
            for _ in 0..COUNT {
                go(|| {
                    // Ends when all are there, so that none gets another one's stack.
                    while num_goroutine() <= COUNT && ENDED.load(Ordering::Relaxed) == 0 {
                        gosched();
                    }
                    PLACES[ENDED.fetch_add(1, Ordering::Relaxed)].store(here(), Ordering::Relaxed);
                });
            }
            until_alone();
            let last = PLACES[COUNT - 1].load(Ordering::Relaxed);
            (next().abs_diff(last) < 4096).then_some(last)
        });
        let last = last.expect("the stack of the one that ended last");
        // One after the other they all get it.
        for _ in 0..10 {
            assert!(next().abs_diff(last) < 4096);
        }
        // At the same time, those that ended last get theirs.
        static TAKEN: [AtomicUsize; 200] = [const { AtomicUsize::new(0) }; 200];
        for at in &TAKEN {
            go(|| at.store(here(), Ordering::Relaxed));
        }
        until_alone();
        let slot = |at: &AtomicUsize| at.load(Ordering::Relaxed) / 4096;
        let hottest: Vec<usize> = PLACES[COUNT - 230..].iter().map(slot).collect();
        let cold = TAKEN.iter().map(slot).filter(|place| !hottest.contains(place)).count();
        assert_eq!(cold, 0, "taken before hotter ones");
    }

    fn a_million_in_waves() {
        static SUM: AtomicUsize = AtomicUsize::new(0);
        let all: usize = if cfg!(debug_assertions) || under_qemu() { 100_000 } else { 1_000_000 };
        let wave = all / 50;
        for round in 0..50 {
            for number in 0..wave {
                go(move || {
                    let number = black_box(number);
                    gosched();
                    SUM.fetch_add(number, Ordering::Relaxed);
                });
            }
            until_alone();
            if round % 3 == 0 {
                scavenge_stacks(if round % 2 == 0 { usize::MAX } else { wave * 2000 });
            }
        }
        assert_eq!(SUM.load(Ordering::Relaxed), 50 * (wave * (wave - 1) / 2));
        let (_, sys) = stack_stats();
        assert!(sys < 4 * wave * 288 * KIB, "{sys} bytes of addresses for {wave} at a time");
    }
}
