//! Panics: Go's text for what Rust's `panic!` says, and status 2. Poisoning and unwinding do
//! not exist here, and so neither does Go's `[recovered]`.
//!
//! Go's counterparts: `gopanic`, `preprintpanics`, `printpanics` in `runtime/panic.go`.
//!
//! **What the program panics with is formatted before it begins to die**: a `Display` is
//! the program's code. It may wait for a lock that another goroutine has, give way, start
//! goroutines or end the process, and all of that works as it does anywhere else. Go calls
//! the value's `Error` or `String` at that point, and keeps what they return; here there is
//! no memory to keep it in, since memory may be what is short:
//!
//! ```text
//!   prepare       formats into a buffer on the stack, up to its end
//!   start_dying   from here on this goroutine cannot wait
//!   print         prints the buffer; of what did not fit all is formatted again, and
//!                 printed without the beginning
//! ```
//!
//! So of a long message whose Display cannot do its work a second time at least the
//! beginning comes. A Display that panics itself, or ends its goroutine, dies of that. Where
//! nothing could wait in any case, on the scheduler's stack or with a lock of the runtime's
//! held, there is only the last step.

use core::panic::PanicInfo;

use super::{Kind, report, start_dying, throw};
use crate::debug::print::say;

#[cfg(not(feature = "archive"))]
pub(crate) use formatted::{end_line, let_panics_finish, no_goexit};

/// A panic.
pub(super) fn gopanic(info: &PanicInfo<'_>) -> ! {
    if is_lack_of_memory(info) {
        throw("runtime: out of memory");
    }
    #[cfg(not(feature = "archive"))]
    let depth = formatted::die_of(&info.message());
    #[cfg(feature = "archive")]
    let depth = {
        let depth = start_dying();
        // The archive has no formatting: its own panics are all plain texts.
        let text = info.message().as_str().unwrap_or("(a message with values)");
        say("panic: %s", &[], &[text.as_bytes()]);
        depth
    };
    report(depth, Kind::Panic, info.location(), None)
}

#[cfg(feature = "panic-handler")]
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    gopanic(info)
}

/// Tells whether this is what alloc::handle_alloc_error does where there is no std: a
/// panic, from a file that has no other. A program's own alloc.rs has no such path.
fn is_lack_of_memory(info: &PanicInfo<'_>) -> bool {
    info.location().is_some_and(|at| {
        at.file().starts_with("/rustc/") && at.file().ends_with("/library/alloc/src/alloc.rs")
    })
}

/// What the archive, which has no `core::fmt`, does without.
#[cfg(not(feature = "archive"))]
mod formatted {
    use core::fmt::{self, Write};
    use core::panic::PanicMessage;
    use core::sync::atomic::{AtomicBool, Ordering};

    use super::super::{PANICKING, freeze};
    use super::{say, start_dying, throw};
    use crate::os;
    use crate::sched::{self, G};

    /// How many bytes of a message are kept while nobody is dying yet.
    const AHEAD: usize = 1 << 10;

    /// How often main gives way to those who are about to die, as often as Go's does; and for
    /// how long it rests in between, in nanoseconds, since the other may be on a CPU that
    /// is busy.
    const ROUNDS: u32 = 1000;
    const REST: u64 = 10_000;

    /// A goroutine has panicked, and formats what it has panicked with or is dying. Go's
    /// `runningPanicDefers`.
    static PREPARING: AtomicBool = AtomicBool::new(false);

    /// There is half a line on stderr, and the program's code is about the rest of it.
    static OPEN_LINE: AtomicBool = AtomicBool::new(false);

    /// Begins to die, and prints the message. Returns how deep this thread is.
    pub(super) fn die_of(message: &PanicMessage<'_>) -> i32 {
        let mut ahead = Ahead {
            text: [0; AHEAD],
            length: 0,
            whole: false,
        };
        let (mut head, mut end) = ("panic: ", "");
        match sched::try_getg() {
            None => {}
            Some(gp) if gp.goid.get() == 0 => end = "fatal error: panic on system stack",
            // Its own count: also of one that is dying.
            Some(gp) if gp.locks.load(Ordering::Relaxed) != 0 => {
                end = "fatal error: panic holding locks";
            }
            Some(gp) => {
                // What the Display panics with, of what it has panicked with.
                if gp.printing.get() > 0 {
                    head = "fatal error: panic while printing panic value: ";
                }
                if gp.printing.get() > 1 {
                    let depth = start_dying();
                    say("fatal error: panic while printing panic value", &[], &[]);
                    return depth;
                }
                prepare(gp, &mut ahead, message);
            }
        }
        let depth = start_dying();
        if depth == 1 {
            print(head, &ahead, message);
            if !end.is_empty() {
                say(end, &[], &[]);
            }
        }
        depth
    }

    /// Formats the beginning of the message, while the goroutine may still wait.
    fn prepare(gp: &G, ahead: &mut Ahead, message: &PanicMessage<'_>) {
        // For good: behind it there is PANICKING to look at. SeqCst, as that.
        PREPARING.store(true, Ordering::SeqCst);
        gp.printing.set(gp.printing.get() + 1);
        let _ = write!(ahead, "{message}"); // it refuses what it has no room for
        ahead.whole = ahead.length < AHEAD;
        gp.printing.set(gp.printing.get() - 1);
    }

    /// Prints the message, and what goes before it. Where the program's code need not run
    /// for it once more, others stand still already.
    fn print(head: &str, ahead: &Ahead, message: &PanicMessage<'_>) {
        let mut stderr = Stderr {
            buffer: [0; 256],
            length: 0,
            skip: ahead.length,
        };
        stderr.add(head.as_bytes());
        stderr.add(ahead.text.get(..ahead.length).unwrap_or_default());
        if !ahead.whole {
            stderr.flush(); // it is not lost if the rest is
            OPEN_LINE.store(true, Ordering::Relaxed); // for this thread
            let _ = write!(stderr, "{message}"); // what it gave is printed
            OPEN_LINE.store(false, Ordering::Relaxed); // as above
        } else {
            freeze();
        }
        stderr.byte(b'\n');
        stderr.flush();
    }

    /// Begins a new line for whoever dies while it prints what it dies of.
    pub(crate) fn end_line() {
        // Relaxed: only the thread that dies sets it, and it is the one that asks.
        if OPEN_LINE.swap(false, Ordering::Relaxed) {
            say("", &[], &[]);
        }
    }

    /// The beginning of a message.
    struct Ahead {
        text: [u8; AHEAD],
        length: usize,
        /// It is all of it.
        whole: bool,
    }

    impl Write for Ahead {
        /// Takes what there is room for; if that is not all of it, that is an error.
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                *self.text.get_mut(self.length).ok_or(fmt::Error)? = byte;
                self.length += 1;
            }
            Ok(())
        }

        fn write_char(&mut self, c: char) -> fmt::Result {
            crate::io::write_char(self, c)
        }
    }

    /// stderr for `core::fmt`, by the buffer.
    struct Stderr {
        buffer: [u8; 256],
        length: usize,
        /// How much of what `core::fmt` gives has been printed already.
        skip: usize,
    }

    impl Stderr {
        /// Writes what is in the buffer. If that fails there is nobody to tell.
        fn flush(&mut self) {
            let _ = os::write_all(2, self.buffer.get(..self.length).unwrap_or_default());
            self.length = 0;
        }

        /// Adds a byte.
        #[inline(never)] // for its size
        fn byte(&mut self, byte: u8) {
            if self.length == self.buffer.len() {
                self.flush();
            }
            if let Some(slot) = self.buffer.get_mut(self.length) {
                *slot = byte;
                self.length += 1;
            }
        }

        /// Adds a text. As in Go a tab follows each newline in it, so that no message can
        /// look like a goroutine's header.
        #[inline(never)] // for its size
        fn add(&mut self, text: &[u8]) {
            for &byte in text {
                self.byte(byte);
                if byte == b'\n' {
                    self.byte(b'\t');
                }
            }
        }
    }

    impl Write for Stderr {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let seen = self.skip.min(text.len());
            self.skip -= seen;
            self.add(text.as_bytes().get(seen..).unwrap_or_default());
            Ok(())
        }

        fn write_char(&mut self, c: char) -> fmt::Result {
            crate::io::write_char(self, c)
        }
    }

    /// Lets those who have panicked, but are not dying yet, say why. By main, when it has
    /// returned.
    pub(crate) fn let_panics_finish() {
        let mut rounds = 0;
        while PREPARING.load(Ordering::SeqCst)
            && PANICKING.load(Ordering::SeqCst) == 0
            && rounds < ROUNDS
        {
            sched::gosched_to_many();
            os::nap(REST);
            rounds += 1;
        }
    }

    /// Ends the program if it is a Display that wants to end its goroutine, since
    /// nobody would ever hear of what that has panicked with.
    pub(crate) fn no_goexit() {
        if sched::getg().printing.get() > 0 {
            throw("goexit while printing panic value");
        }
    }
}
