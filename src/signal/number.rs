//! [`Signal`]: a signal's number, and its names.

use core::fmt::{self, Debug, Display};

use crate::os;

/// A signal: Go's `os.Signal`.
///
/// It is displayed in Go's words, and shown as a constant's name.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::signal::Signal;
///
/// assert_eq!(format!("{}", Signal::INT), "interrupt");
/// assert_eq!(format!("{:?}", Signal::INT), "SIGINT");
/// assert_eq!(Signal::from_raw(15), Some(Signal::TERM));
/// assert_eq!(Signal::from_raw(65), None);
/// # }
/// # use gort::format;
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

/// Makes the constants, and the names to them.
macro_rules! signals {
    ($($number:literal $name:ident $text:literal $meaning:literal,)*) => {
        impl Signal {
            $(
                #[doc = $meaning]
                pub const $name: Self = Self($number);
            )*

            /// Returns its name and Go's text for it; none of a real-time signal.
            fn names(self) -> Option<(&'static str, &'static str)> {
                match self.0 {
                    $($number => Some((concat!("SIG", stringify!($name)), $text)),)*
                    _ => None,
                }
            }
        }
    };
}

signals! {
    1 HUP "hangup" "The terminal has gone; for a daemon, to read its configuration again.",
    2 INT "interrupt" "Somebody has typed Ctrl-C.",
    3 QUIT "quit" "Somebody has typed Ctrl-\\: the program ends and shows all goroutines.",
    4 ILL "illegal instruction" "An instruction that is none.",
    5 TRAP "trace/breakpoint trap" "A breakpoint.",
    6 ABRT "aborted" "The program gives itself up.",
    7 BUS "bus error" "An address without memory behind it.",
    8 FPE "floating point exception" "A division by zero.",
    9 KILL "killed" "The end: cannot be caught or ignored.",
    10 USR1 "user defined signal 1" "Whatever the program says.",
    11 SEGV "segmentation fault" "An address that the program does not have.",
    12 USR2 "user defined signal 2" "Whatever the program says.",
    13 PIPE "broken pipe" "Written to a pipe or a socket that nobody reads.",
    14 ALRM "alarm clock" "A timer of the system's.",
    15 TERM "terminated" "The polite request to end.",
    16 STKFLT "stack fault" "Not used.",
    17 CHLD "child exited" "A child has ended, or stopped, or goes on.",
    18 CONT "continued" "The program goes on.",
    19 STOP "stopped (signal)" "The program stops: cannot be caught or ignored.",
    20 TSTP "stopped" "Somebody has typed Ctrl-Z.",
    21 TTIN "stopped (tty input)" "Read from the terminal, in the background.",
    22 TTOU "stopped (tty output)" "Written to the terminal, in the background.",
    23 URG "urgent I/O condition" "Urgent data on a socket. The scheduler sends it, too.",
    24 XCPU "CPU time limit exceeded" "More CPU time than allowed.",
    25 XFSZ "file size limit exceeded" "A file larger than allowed.",
    26 VTALRM "virtual timer expired" "A timer of the system's that goes by CPU time.",
    27 PROF "profiling timer expired" "The same, with the system's own time.",
    28 WINCH "window changed" "The terminal has another size.",
    29 IO "I/O possible" "A descriptor is ready.",
    30 PWR "power failure" "The power fails.",
    31 SYS "bad system call" "A system call that is not allowed.",
}

impl Signal {
    /// Makes one of its number: 1 to 64.
    pub const fn from_raw(number: i32) -> Option<Self> {
        if number >= 1 && number <= os::LAST_SIGNAL {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Returns its number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            Some((_, text)) => f.pad(text),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            Some((name, _)) => f.write_str(name),
            None => f.debug_tuple("Signal").field(&self.0).finish(),
        }
    }
}
