//! Signals, sent to channels: Go's package `os/signal`.
//!
//! A program that has not asked for a signal has what the kernel does: most end it. The
//! runtime does something of its own for these (not where a libc hosts it, and with the
//! feature `signals`, which is on unless left out):
//!
//! | signal | what happens |
//! | --- | --- |
//! | `SIGQUIT` (Ctrl-\\), `SIGABRT`, `SIGTRAP`, `SIGSTKFLT`, `SIGSYS` | all goroutines and the registers are shown, and the program ends with status 2; with `GOTRACEBACK=crash` by SIGABRT, for a core file |
//! | `SIGPIPE` | who writes to a pipe that nobody reads gets an error, `BrokenPipe`; but standard output and standard error end the program by SIGPIPE, as for any command in a pipeline. Where it was ignored at the start, or is by [`ignore`], those get the error as well, and `println!` panics as std's does |
//! | `SIGSEGV`, `SIGBUS`, `SIGFPE`, `SIGILL` | an instruction's: the program ends with a message and status 2. Sent by somebody, the same |
//! | `SIGURG` | preempts |
//! | `SIGHUP`, `SIGINT`, `SIGTERM` | end the program, by the kernel; process 1, which the kernel protects from that, ends with status 128 and the signal's number |
//!
//! What was ignored when the program was started, as SIGHUP is by `nohup`, stays ignored
//! until [`notify`] asks for it, and is again after [`stop`] or [`reset`]. What was
//! blocked then comes through while somebody wants it.
//!
//! ```
//! # #![no_std]
//! # #![no_main]
//! # #[macro_use] extern crate gort;
//! # gort::main!(main);
//! # fn main() {
//! use gort::channel::bounded;
//! use gort::signal::{self, Signal};
//!
//! let (sender, signals) = bounded(1);
//! signal::notify(&sender, &[Signal::INT, Signal::TERM]);
//! # signal::raise(Signal::TERM);
//! // Here the program does its work, on other goroutines.
//! let why = signals.recv().unwrap();
//! println!("{why}: cleaning up");
//! signal::stop(&sender); // a second Ctrl-C ends it at once
//! # }
//! ```
//!
//! **What is promised.** A signal that comes while somebody wants it is sent to every such
//! channel; several of a kind that come before the first was sent are one. Nobody waits:
//! a channel that is full does not get it, so that one with room for one message is
//! enough for one signal, and one of capacity 0 gets it only if somebody is receiving.
//! A signal is never both sent and taken for the kernel's action, and never neither:
//! what comes while [`stop`] takes a wish back is sent, or ends the program.
//!
//! A channel that nobody receives from any more is forgotten with the next signal for it,
//! which then does what it would have done without that channel.
//!
//! All functions may be called from any goroutine. A goroutine of the runtime's own hands
//! signals on, from the first [`notify`] on: a program that waits for signals alone is no
//! deadlock from there on.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `number` | [`Signal`] |
//! | `handlers` | who wants what |
//!
//! How a signal comes from its handler to a goroutine: `sched::sigqueue`.

mod handlers;
mod number;

use crate::channel::Sender;
use crate::prelude::v1::*;
use crate::sched;
use crate::sync::{Mutex, PoisonError};

use handlers::{Handlers, all_bits, bits};
pub use number::Signal;

/// Who wants what; nothing before the first call.
static HANDLERS: Mutex<Option<Box<Handlers>>> = Mutex::new(None);

/// Calls `f` with the handlers, which are there from now on.
fn with<T>(f: impl FnOnce(&mut Handlers) -> T) -> T {
    let mut handlers = HANDLERS.lock().unwrap_or_else(PoisonError::into_inner); // never
    f(handlers.get_or_insert_with(|| Box::new(Handlers::new())))
}

/// The goroutine that hands signals on; never returns.
extern "C" fn receive(_: *mut u8) {
    loop {
        let signals = sched::signal_recv();
        with(|handlers| handlers.hand_on(signals));
    }
}

/// Does the work of [`notify`] and [`notify_all`].
fn notify_bits(sender: &Sender<Signal>, signals: u64) {
    with(|handlers| {
        if signals != 0 {
            sched::start_signal_receiver(receive); // before there is a handler
            handlers.notify(sender, signals);
        }
    });
}

/// Sends these signals to a channel from now on, besides those that are already, and
/// whoever else has them: each channel gets its own. From any goroutine. Go's
/// `signal.Notify`.
///
/// The sender is cloned: the channel stays open until [`stop`]. SIGKILL and SIGSTOP never
/// come, nor do the signals 32 to 34, which libcs use; to ask for them does nothing.
/// Those that instructions raise, as SIGSEGV, come if somebody sends them; what an
/// instruction does ends the program. SIGURG comes whenever the scheduler sends it, too.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::bounded;
/// use gort::signal::{self, Signal};
///
/// let (sender, reload) = bounded(1);
/// signal::notify(&sender, &[Signal::HUP]);
/// signal::raise(Signal::HUP);
/// assert_eq!(reload.recv(), Ok(Signal::HUP));
/// # }
/// ```
pub fn notify(sender: &Sender<Signal>, signals: &[Signal]) {
    notify_bits(sender, bits(signals));
}

/// Sends all signals that a program can have to a channel from now on, but for SIGURG,
/// which the scheduler sends. From any goroutine. Go's `signal.Notify` without signals.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::unbounded;
/// use gort::signal::{self, Signal};
///
/// let (sender, signals) = unbounded();
/// signal::notify_all(&sender);
/// signal::raise(Signal::WINCH);
/// assert_eq!(signals.recv(), Ok(Signal::WINCH));
/// # }
/// ```
pub fn notify_all(sender: &Sender<Signal>) {
    notify_bits(sender, all_bits());
}

/// Sends no signals to a channel any more. When it returns, what came before has been
/// sent, and nothing will be. What nobody else wants does again what it did at the start:
/// the next SIGINT ends the program. From any goroutine. Go's `signal.Stop`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::bounded;
/// use gort::signal::{self, Signal};
///
/// let (sender, signals) = bounded(1);
/// signal::notify(&sender, &[Signal::USR1]);
/// signal::raise(Signal::USR1);
/// signal::stop(&sender);
/// assert_eq!(signals.try_recv(), Ok(Signal::USR1));
/// drop(sender);
/// assert!(signals.recv().is_err()); // nobody has a sender any more
/// # }
/// ```
pub fn stop(sender: &Sender<Signal>) {
    if with(|handlers| handlers.stop(sender)) {
        sched::signals_are_handed_on();
        with(|handlers| handlers.stopped(sender));
    }
}

/// Has nothing happen for these signals from now on; no channel gets them any more. From
/// any goroutine. Go's `signal.Ignore`.
///
/// SIGKILL and SIGSTOP cannot be ignored, and neither can what an instruction does. That
/// SIGPIPE is ignored has a write to standard output fail where nobody reads it, which
/// would end the program otherwise.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::signal::{self, Signal};
///
/// signal::ignore(&[Signal::HUP]); // as nohup does
/// signal::raise(Signal::HUP);
/// assert!(signal::ignored(Signal::HUP));
/// # }
/// ```
pub fn ignore(signals: &[Signal]) {
    with(|handlers| handlers.ignore(bits(signals)));
}

/// Tells whether nothing happens for a signal: by [`ignore`], or since the program was
/// started like that. From any goroutine. Go's `signal.Ignored`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::signal::{self, Signal};
///
/// if signal::ignored(Signal::HUP) {
///     gort::println!("started by nohup");
/// }
/// # }
/// ```
pub fn ignored(signal: Signal) -> bool {
    sched::signal_is_ignored(signal.as_raw())
}

/// Undoes each [`notify`] and [`ignore`] of these signals: what was done about them when
/// the program was started is done again. What has come and was not sent yet does that as
/// well. From any goroutine. Go's `signal.Reset`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::signal::{self, Signal};
///
/// signal::ignore(&[Signal::TERM]);
/// // Here nobody shall disturb us.
/// signal::reset(&[Signal::TERM]);
/// assert!(!signal::ignored(Signal::TERM));
/// # }
/// ```
pub fn reset(signals: &[Signal]) {
    with(|handlers| handlers.reset(bits(signals)));
}

/// Sends a signal to this process, as if somebody else had: who wants it gets it, or the
/// program ends. It has come when this returns, unless the thread has it blocked. From any
/// goroutine. C's `raise`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::signal::{self, Signal};
///
/// if gort::runtime::num_cpu() == 0 {
///     signal::raise(Signal::QUIT); // shows all goroutines
/// }
/// # }
/// ```
pub fn raise(signal: Signal) {
    sched::raise_signal(signal.as_raw());
}
