//! What only shows where there is no system below, or several CPUs.

use core::arch::asm;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::runtime::current_cpu;
use gort::{go, println};

use crate::{Command, OK};

pub(crate) const COMMANDS: &[Command] = &[
    ("two-cpus", |_| {
        two_cpus();
        OK
    }),
    ("stray-interrupts", |_| {
        stray_interrupts();
        OK
    }),
];

/// Two goroutines hand a number to and fro, each on a CPU that it spins on, until they have
/// been seen on two.
fn two_cpus() {
    /// Even: main's turn. And the CPU that the other one was on.
    static TURN: AtomicUsize = AtomicUsize::new(0);
    static CPU: AtomicUsize = AtomicUsize::new(0);
    let wait_for = |odd: usize| {
        while TURN.load(Ordering::Acquire) % 2 != odd {
            spin_loop();
        }
    };
    go(move || {
        loop {
            wait_for(1);
            CPU.store(current_cpu(), Ordering::Relaxed); // the next line hands it over
            TURN.fetch_add(1, Ordering::Release);
        }
    });
    loop {
        let before = current_cpu();
        TURN.fetch_add(1, Ordering::Release);
        wait_for(0);
        let other = CPU.load(Ordering::Relaxed); // wait_for orders it
        if current_cpu() == before && other != before {
            break;
        }
    }
    println!("on two CPUs");
}

/// Has each vector from 32 on come a hundred times, without any device that has sent it.
fn stray_interrupts() {
    macro_rules! all {
        ($($high:literal)*) => {
            $(all!(@ $high 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);)*
        };
        (@ $high:literal $($low:literal)*) => {
            // SAFETY: the handlers keep all registers. On Linux the program ends here.
            $(unsafe { asm!("int {}", const $high * 16 + $low) };)*
        };
    }
    for _ in 0..100 {
        all!(2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    }
    println!("nothing happened");
}
