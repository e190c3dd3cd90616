//! What only shows where there is no system below, or several CPUs.

use core::arch::asm;
use core::hint::spin_loop;
use core::ptr::with_exposed_provenance_mut;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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
/// more QEMU, which does nothing else then, has no time for the CPU), and the serial port
/// one without end, to the first CPU, with vectors of lowest and of high priority; while
/// goroutines wake each other ten thousand times.
fn interrupt_storm() {
    const ROUNDS: u32 = 10_000;
    /// Ports and what is written to them: the old controllers' masks; the timer's mode and
    /// count; the serial port's interrupts.
    const WRITES: [(u16, u8); 6] = [
        (0x21, 0),
        (0xa1, 0),
        (0x43, 0x34),
        (0x40, 119),
        (0x40, 0),
        (0x3f9, 0xf),
    ];
    /// The I/O APIC's pins of the two, and what they are to send: a vector; as long as the
    /// line is up.
    const TIMER: (u32, u32) = (2, 0x30);
    const SERIAL: (u32, u32) = (4, 0xe1 | 1 << 15);
    /// The CPU's local APIC has taken it, and the CPU has not seen to it.
    const TAKEN: u32 = 1 << 14;
    let io_apic = IoApic::map();
    for (pin, sends) in [TIMER, SERIAL] {
        io_apic.write(0x11 + 2 * pin, 0); // to the first CPU
        io_apic.write(0x10 + 2 * pin, sends);
    }
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
    // Which shows that it was sent.
    assert_ne!(io_apic.read(0x10 + 2 * SERIAL.0) & TAKEN, 0);
    println!("nothing happened");
}

/// The I/O APIC, which gort knows nothing of.
struct IoApic(*mut u32);

impl IoApic {
    /// Maps the fourth gigabyte, where it is, at the end of the addresses.
    fn map() -> Self {
        const DIRECT: usize = 0xffff_8000_0000_0000;
        const LAST: usize = 0xffff_ff80_0000_0000;
        const GIGABYTE: usize = 1 << 30;
        const IO_APIC: usize = 0xfec0_0000;
        /// Entries of tables: present, writable, not cached, a page, not to be executed.
        const TABLE: u64 = 3;
        const PAGE: u64 = 1 << 63 | 1 << 7 | 1 << 4 | 3;
        #[repr(align(4096))]
        struct Table([AtomicU64; 512]);
        static GIGABYTES: Table = Table([const { AtomicU64::new(0) }; 512]);
        let fourth = 3 * GIGABYTE;
        GIGABYTES.0[3].store(fourth as u64 | PAGE, Ordering::SeqCst);
        let first: usize;
        // SAFETY: we are the machine's only program. On Linux it ends here.
        unsafe { asm!("mov {}, cr3", out(reg) first, options(nomem, nostack)) };
        let first: *mut u64 = with_exposed_provenance_mut(DIRECT + (first & !4095));
        // A static is at its physical address.
        let entry = (&raw const GIGABYTES).expose_provenance() as u64 | TABLE;
        // SAFETY: the first table, the last entry of which nobody uses.
        unsafe { first.wrapping_add(511).write_volatile(entry) };
        Self(with_exposed_provenance_mut(LAST + IO_APIC))
    }

    /// Writes a register.
    fn write(&self, register: u32, value: u32) {
        // SAFETY: mapped by `map`: what selects a register, and, 16 bytes on, the register.
        unsafe { self.0.write_volatile(register) };
        // SAFETY: as above.
        unsafe { self.0.wrapping_byte_add(0x10).write_volatile(value) };
    }

    /// Reads one.
    fn read(&self, register: u32) -> u32 {
        // SAFETY: as in `write`.
        unsafe { self.0.write_volatile(register) };
        // SAFETY: as above.
        unsafe { self.0.wrapping_byte_add(0x10).read_volatile() }
    }
}
