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
    ("interrupt-storm", |_| {
        interrupt_storm();
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

/// Has the timer that PCs have had since 1981 send ten thousand interrupts a second (at many
/// more QEMU has no time for anything else), and the serial port all of its, with the old
/// interrupt controllers open, while goroutines wake each other ten thousand times.
fn interrupt_storm() {
    const ROUNDS: u32 = 10_000;
    /// Ports and what is written to them: the controllers' masks; the timer's mode and count;
    /// the serial port's interrupts.
    const WRITES: [(u16, u8); 6] = [
        (0x21, 0),
        (0xa1, 0),
        (0x43, 0x34),
        (0x40, 119),
        (0x40, 0),
        (0x3f9, 0xf),
    ];
    for (port, value) in WRITES {
        // SAFETY: no memory is at stake. On Linux the program ends here.
        unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack)) };
    }
    let (there, here) = gort::channel::bounded(0);
    let (back, again) = gort::channel::bounded(0);
    go(move || here.iter().for_each(|round: u32| back.send(round).unwrap()));
    for round in 0..ROUNDS {
        there.send(round).unwrap();
        assert_eq!(again.recv(), Ok(round));
    }
    println!("nothing happened");
}
