//! What the boot has set up, seen from `main.main`.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "reads registers and thread-local storage")]

use core::arch::asm;
use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::{env, runtime};

/// How many init tasks have run, and what the ones below noted of it.
static TASKS: AtomicUsize = AtomicUsize::new(0);
static FIRST: AtomicUsize = AtomicUsize::new(0);
static SECOND: AtomicUsize = AtomicUsize::new(0);
static THIRD: AtomicUsize = AtomicUsize::new(0);

/// What a C compiler makes of a constructor.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

/// How many init tasks had run before the constructor, and one more.
static CONSTRUCTED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn constructor() {
    CONSTRUCTED.store(TASKS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

gort::init!(first);
gort::init!(second);

fn first() {
    FIRST.store(TASKS.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn second() {
    SECOND.store(TASKS.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
}

gort::init!(third);

fn third() {
    THIRD.store(TASKS.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    // An init task may start goroutines, which run when somebody gives way, and
    // end as they like, while main is locked to its thread.
    gort::go(|| {
        TASKS.fetch_add(10, Ordering::Relaxed);
    });
    gort::go(|| runtime::goexit());
    runtime::gosched();
}

/// Reads a word of thread-local storage.
fn tls_word<const OFFSET: usize>() -> usize {
    let word;
    // SAFETY: the runtime gives each thread a control block of 64 bytes at FS.
    unsafe { asm!("mov {}, fs:[{}]", out(reg) word, const OFFSET, options(nostack, readonly)) };
    word
}

/// Reads the two control registers that a program expects to be as the ABI says.
fn control_words() -> (u32, u16) {
    let mut mxcsr = 0u32;
    let mut x87 = 0u16;
    // SAFETY: both store what they read to the variable that they are given.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack)) };
    // SAFETY: as above.
    unsafe { asm!("fnstcw [{}]", in(reg) &raw mut x87, options(nostack)) };
    (mxcsr, x87)
}

/// A value that must lie on a multiple of 16, as SSE's moves need it.
#[repr(align(16))]
struct Aligned([u8; 16]);

gort_test::tests! {
    fn the_arguments_name_the_program_first() {
        let program = env::args().next();
        // Nobody tells a machine's program its name.
        let name = if gort::__private::HAS_SYSTEM { "boot" } else { "program" };
        assert!(program.is_some_and(|program| program.contains(name)));
        assert_eq!(env::args().count(), env::args_c().len());
    }

    fn the_environment_is_there() {
        for variable in env::vars_c() {
            let text = variable.to_bytes();
            assert!(!text.is_empty());
            // What `var` finds is what the list has.
            if let Ok(text) = variable.to_str()
                && let Some((name, value)) = text.split_once('=')
                && !name.is_empty()
            {
                assert!(env::var(name).is_ok_and(|first| first == value || env::vars_c().len() > 1));
            }
        }
        assert_eq!(env::var("GORT_HAS_NO_SUCH_VARIABLE"), Err(env::VarError::NotPresent));
    }

    fn there_are_cpus_and_processors() {
        assert!(runtime::num_cpu() >= 1);
        assert!(runtime::gomaxprocs(0) >= 1);
        assert!(runtime::current_cpu() < 65_536);
    }

    fn the_main_goroutine_is_alone_at_first() {
        // There may be those that the init task above left, which end by themselves, and
        // none other.
        assert!(runtime::num_goroutine() <= 3);
        while runtime::num_goroutine() > 1 {
            runtime::gosched();
        }
    }

    fn init_tasks_ran_before_main_in_the_order_of_the_source() {
        assert_eq!(FIRST.load(Ordering::Relaxed), 1);
        assert_eq!(SECOND.load(Ordering::Relaxed), 2);
        assert_eq!(THIRD.load(Ordering::Relaxed), 3);
        while TASKS.load(Ordering::Relaxed) < 13 {
            runtime::gosched();
        }
    }

    fn constructors_ran_before_the_init_tasks() {
        assert_eq!(CONSTRUCTED.load(Ordering::Relaxed), 1);
    }

    fn thread_local_storage_has_its_control_block() {
        let this = tls_word::<0>();
        assert_ne!(this, 0, "FS:0 is the block's own address");
        let canary = tls_word::<0x28>();
        assert_ne!(canary, 0, "FS:0x28 is the stack canary");
        assert_eq!(canary & 0xff, 0, "the canary begins with a NUL");
    }

    fn the_canary_is_another_in_each_process() {
        // 56 random bits. A constant would be the same in the next process, too:
        // the host-side tests compare two; here it must at least not be regular.
        let canary = tls_word::<0x28>() >> 8;
        assert!(canary.count_ones() > 8 && canary.count_zeros() > 8, "{canary:#x}");
    }

    fn the_floating_point_unit_is_as_the_abi_says() {
        assert_eq!(control_words(), (0x1f80, 0x037f));
        gort::go(|| assert_eq!(control_words(), (0x1f80, 0x037f)));
        while runtime::num_goroutine() > 1 {
            runtime::gosched();
        }
        let third = black_box(1.0f64) / black_box(3.0);
        assert_eq!(third.to_bits(), 0x3fd5_5555_5555_5555);
    }

    fn stacks_are_aligned() {
        let aligned = || {
            let value = black_box(Aligned([7; 16]));
            let address = (&raw const value).addr();
            assert_eq!(address % 16, 0);
            assert_eq!(value.0, [7; 16]);
        };
        aligned();
        gort::go(aligned);
        // Whatever the size of what a closure holds.
        let (word, bytes) = (black_box(1u64), black_box([2u8; 24]));
        gort::go(move || {
            aligned();
            assert_eq!(word, 1);
        });
        gort::go(move || {
            aligned();
            assert_eq!(bytes, [2; 24]);
        });
        while runtime::num_goroutine() > 1 {
            runtime::gosched();
        }
    }

    fn the_version_is_the_packages() {
        assert_eq!(runtime::version(), concat!("gort ", env!("CARGO_PKG_VERSION")));
    }
}
