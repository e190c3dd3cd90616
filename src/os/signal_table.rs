//! The signals: their numbers, and what they are to the runtime.
//!
//! Go's counterpart: `sigtable` in `runtime/sigtab_linux_generic.go`, and its rules, but
//! for one: a signal that nobody has asked for, and that is no concern of the runtime's
//! ([`SignalClass::Plain`]), does what the kernel does by default. Go has a handler for
//! it, which does nothing.

/// The terminal has gone.
pub(crate) const SIGHUP: i32 = 1;
/// Somebody has typed Ctrl-C.
pub(crate) const SIGINT: i32 = 2;
/// The same, of Ctrl-\: the dump.
pub(crate) const SIGQUIT: i32 = 3;
/// An instruction that is none.
pub(crate) const SIGILL: i32 = 4;
/// A debugger's.
pub(crate) const SIGTRAP: i32 = 5;
/// `abort`.
pub(crate) const SIGABRT: i32 = 6;
/// An address without memory behind it.
pub(crate) const SIGBUS: i32 = 7;
/// A division by zero.
pub(crate) const SIGFPE: i32 = 8;
/// Cannot be caught.
const SIGKILL: i32 = 9;
/// An address that is none of ours.
pub(crate) const SIGSEGV: i32 = 11;
/// Nobody reads any more.
pub(crate) const SIGPIPE: i32 = 13;
/// The polite request to end.
pub(crate) const SIGTERM: i32 = 15;
/// Once a coprocessor's.
pub(crate) const SIGSTKFLT: i32 = 16;
/// Cannot be caught.
const SIGSTOP: i32 = 19;
/// The signal that preempts. Go's choice: nobody sends it but for urgent data on a
/// socket, whoever wants that can live with more, and debuggers pass it on.
pub(crate) const SIGURG: i32 = 23;
/// A system call that is not allowed.
pub(crate) const SIGSYS: i32 = 31;
/// The largest number.
pub(crate) const LAST_SIGNAL: i32 = 64;

/// Returns the bit that stands for a signal in a mask.
pub(crate) const fn signal_bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Returns those of several.
const fn bits(signals: &[i32]) -> u64 {
    let mut bits = 0;
    let mut rest = signals;
    while let [signal, tail @ ..] = rest {
        bits |= signal_bit(*signal);
        rest = tail;
    }
    bits
}

/// What no thread of the runtime's has blocked: a fault would end the process without a
/// word, and nobody could be preempted.
pub(super) const NEVER_BLOCKED: u64 =
    bits(&[SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSTKFLT, SIGURG]);

/// What comes from an instruction that the CPU refuses.
pub(super) const FAULTS: u64 = bits(&[SIGILL, SIGBUS, SIGFPE, SIGSEGV]);

/// What a signal is to the runtime while nobody has asked for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalClass {
    /// The kernel's affair.
    Plain,
    /// It ends the process. The kernel does that, unless this is process 1.
    Kill,
    /// It ends the process with a dump of all goroutines.
    Dump,
    /// The same; and it may come from an instruction, which cannot be ignored then.
    Trap,
    /// It comes from an instruction, and ends the process with a message.
    Fault,
    /// Nothing happens: whoever writes gets an error.
    Pipe,
    /// It preempts.
    Preempt,
    /// Nobody may have it.
    Reserved,
}

/// Returns what a signal is to the runtime.
#[inline(never)] // for its size, as that this goes by bits and not by a table
pub(crate) fn signal_class(signal: i32) -> SignalClass {
    const KILL: u64 = bits(&[SIGHUP, SIGINT, SIGTERM]);
    const DUMP: u64 = bits(&[SIGQUIT, SIGABRT]);
    const TRAP: u64 = bits(&[SIGTRAP, SIGSTKFLT, SIGSYS]);
    const RESERVED: u64 = bits(&[SIGKILL, SIGSTOP, 32, 33, 34]); // libcs use the last three
    let is_one_of = |bits: u64| bits & signal_bit(signal) != 0;
    match signal {
        SIGPIPE => SignalClass::Pipe,
        SIGURG => SignalClass::Preempt,
        _ if is_one_of(KILL) => SignalClass::Kill,
        _ if is_one_of(DUMP) => SignalClass::Dump,
        _ if is_one_of(TRAP) => SignalClass::Trap,
        _ if is_one_of(FAULTS) => SignalClass::Fault,
        _ if is_one_of(RESERVED) => SignalClass::Reserved,
        _ => SignalClass::Plain,
    }
}
