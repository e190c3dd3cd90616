//! Signals that are blocked: for one thread, or since the program was started.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use gort::channel::bounded;
use gort::runtime::{lock_os_thread, unlock_os_thread};
use gort::signal::{self, Signal};
use gort::thread;
use gort_test::Status;

use super::{again, is_again, until};

const SIG_BLOCK: usize = 0;
const SIG_SETMASK: usize = 2;

/// Makes a system call.
///
/// # Safety
///
/// What it does must be no harm to Rust.
unsafe fn system_call(number: usize, arguments: [usize; 4]) -> isize {
    let result;
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// Changes this thread's signal mask, and returns the one before.
fn mask(how: usize, mask: u64) -> u64 {
    const RT_SIGPROCMASK: usize = 14;
    let mut before = 0u64;
    // SAFETY: the kernel reads eight bytes and writes eight others.
    let result = unsafe {
        system_call(
            RT_SIGPROCMASK,
            [how, (&raw const mask).addr(), (&raw mut before).addr(), 8],
        )
    };
    assert_eq!(result, 0);
    before
}

/// Returns this thread's signal mask.
fn current() -> u64 {
    mask(SIG_BLOCK, 0)
}

/// Has SIGALRM sent to the process every so many microseconds.
pub(crate) fn alarm_every(microseconds: i64) {
    const SETITIMER: usize = 38;
    let timer = [0, microseconds, 0, microseconds];
    // SAFETY: the kernel reads four words.
    let result = unsafe { system_call(SETITIMER, [0, (&raw const timer).addr(), 0, 0]) };
    assert_eq!(result, 0);
}

/// The bit of a signal.
fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

/// Returns what a signal's handler has blocked while it runs.
fn mask_of_handler(signal: Signal) -> u64 {
    const RT_SIGACTION: usize = 13;
    const SIG_IGN: u64 = 1;
    // The kernel's `struct sigaction`: the handler, flags, what it returns by, the mask.
    let mut action = [0u64; 4];
    // SAFETY: the kernel writes four words.
    let result = unsafe {
        system_call(
            RT_SIGACTION,
            [signal.as_raw() as usize, 0, (&raw mut action).addr(), 8],
        )
    };
    assert_eq!(result, 0);
    let [handler, .., mask] = action;
    assert!(handler > SIG_IGN, "{signal}: no handler");
    mask
}

gort_test::test_module! {
    /// No handler interrupts another: all that is on the signal stack is one's. But a fault in
    /// the one that preempts has words.
    fn handlers_block_all() {
        // As far as they have names; and two cannot be blocked.
        let all = !0 >> (64 - 31) & !(bit(Signal::KILL) | bit(Signal::STOP));
        let faults = [Signal::SEGV, Signal::BUS, Signal::FPE, Signal::ILL];
        let (sender, _signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        for signal in [Signal::QUIT, Signal::TRAP, Signal::PIPE, Signal::USR1].iter().chain(&faults) {
            assert_eq!(mask_of_handler(*signal) & all, all, "{signal}");
        }
        let faults = faults.map(bit).iter().fold(0, |bits, bit| bits | bit);
        assert_eq!(mask_of_handler(Signal::URG) & all, all & !faults);
    }

    /// One thread has it blocked: others take it.
    fn a_locked_thread_that_blocks_all() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        let blocked = thread::spawn(|| {
            lock_os_thread();
            let before = mask(SIG_SETMASK, !0);
            // Threads that are made from here on have it from the start, not from us.
            let others: alloc::vec::Vec<_> = (0..4)
                .map(|_| {
                    thread::spawn(|| {
                        lock_os_thread();
                        current()
                    })
                })
                .collect();
            for other in others {
                assert_eq!(other.join().unwrap(), before);
            }
            until(|| DONE.load(Ordering::SeqCst));
            let blocked = current();
            assert!(blocked & bit(Signal::USR1) != 0, "{blocked:#x}");
            mask(SIG_SETMASK, before);
            unlock_os_thread();
        });
        for _ in 0..20 {
            signal::raise(Signal::USR1);
            assert_eq!(signals.recv(), Ok(Signal::USR1));
        }
        DONE.store(true, Ordering::SeqCst);
        blocked.join().unwrap();
    }

    /// A thread that ends with its goroutine takes its mask with it.
    fn masks_end_with_their_threads() {
        let before = current();
        for _ in 0..20 {
            let ended = thread::spawn(|| {
                lock_os_thread();
                mask(SIG_SETMASK, !0);
            });
            ended.join().unwrap();
            let masks = thread::spawn(current).join().unwrap();
            assert_eq!(masks, before);
        }
    }

    /// The program is started with all blocked: faults and preemption are not, and what
    /// is wanted comes.
    fn all_are_blocked_at_the_start() {
        if !is_again() {
            mask(SIG_SETMASK, !0); // the program below inherits it
        }
        let output = again("masks::all_are_blocked_at_the_start", || {
            let ours = current();
            assert!(ours & bit(Signal::USR1) != 0, "{ours:#x}");
            assert!(ours & (bit(Signal::SEGV) | bit(Signal::URG)) == 0, "{ours:#x}");
            let before = gort::__private::preemptions();
            let other = thread::spawn(move || {
                while gort::__private::preemptions() == before {}
                current()
            });
            assert_eq!(other.join().unwrap(), ours);

            // Nobody wants it yet: it waits.
            signal::raise(Signal::USR1);
            let (sender, signals) = bounded(1);
            signal::notify(&sender, &[Signal::USR1]);
            assert_eq!(signals.recv(), Ok(Signal::USR1));
            for _ in 0..20 {
                signal::raise(Signal::USR1);
                assert_eq!(signals.recv(), Ok(Signal::USR1));
            }
            // It is blocked again, and ends nobody.
            signal::stop(&sender);
            signal::raise(Signal::USR1);
            signal::notify(&sender, &[Signal::USR1]);
            assert_eq!(signals.recv(), Ok(Signal::USR1));
            signal::ignore(&[Signal::USR1]);
            signal::raise(Signal::USR1);
        });
        assert_eq!(output.status, Status::Exited(0), "{output:?}");
    }
}
