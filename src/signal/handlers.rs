//! Who wants which signals, and what is done about those that nobody wants.
//!
//! Go's counterpart: `handlers`, `cancel`, `process` in `os/signal/signal.go`.

use crate::channel::{Sender, TrySendError};
use crate::os::{self, Sigaction, SignalClass, signal_bit};
use crate::prelude::v1::*;
use crate::sched;

use super::number::Signal;

/// A channel and the signals that are sent to it, as bits.
struct Wish {
    sender: Sender<Signal>,
    signals: u64,
}

/// All wishes, and the actions.
pub(super) struct Handlers {
    /// A channel each.
    wishes: Vec<Wish>,
    /// Those that are being taken back: what is on its way still goes to them.
    stopping: Vec<Wish>,
    /// What was done about a signal before we changed that.
    before: [Option<Sigaction>; os::LAST_SIGNAL as usize],
}

impl Handlers {
    /// Makes those of a program that has wished nothing.
    pub(super) fn new() -> Self {
        Self {
            wishes: Vec::new(),
            stopping: Vec::new(),
            before: [None; os::LAST_SIGNAL as usize],
        }
    }

    /// Sends some signals to a channel from now on.
    pub(super) fn notify(&mut self, sender: &Sender<Signal>, signals: u64) {
        let new = signals & !self.wanted();
        match self.find(sender) {
            Some(at) => {
                if let Some(wish) = self.wishes.get_mut(at) {
                    wish.signals |= signals;
                }
            }
            None => self.wishes.push(Wish {
                sender: sender.clone(),
                signals,
            }),
        }
        for signal in each(new) {
            let before = sched::enable_signal(signal);
            self.remember(signal, before);
        }
    }

    /// Takes back what was wished for a channel. Tells whether there was anything; then
    /// [`stopped`](Self::stopped) is to be called when nothing is on its way any more.
    pub(super) fn stop(&mut self, sender: &Sender<Signal>) -> bool {
        let Some(at) = self.find(sender) else {
            return false;
        };
        let wish = self.wishes.swap_remove(at);
        self.disable(wish.signals & !self.wanted());
        self.stopping.push(wish);
        true
    }

    /// Ends a [`stop`](Self::stop).
    pub(super) fn stopped(&mut self, sender: &Sender<Signal>) {
        let same = |wish: &Wish| wish.sender.same_channel(sender);
        if let Some(at) = self.stopping.iter().position(same) {
            self.stopping.swap_remove(at);
        }
    }

    /// Takes back what was wished for some signals, and has what was done about them at
    /// the start done again.
    pub(super) fn reset(&mut self, signals: u64) {
        self.forget(signals);
        self.disable(signals);
    }

    /// Takes back what was wished for some signals, and has nothing happen for them.
    pub(super) fn ignore(&mut self, signals: u64) {
        self.forget(signals);
        for signal in each(signals) {
            if os::signal_class(signal) == SignalClass::Preempt {
                self.disable(signal_bit(signal)); // the scheduler needs it
            } else {
                let before = sched::ignore_signal(signal);
                self.remember(signal, before);
            }
        }
    }

    /// Sends signals that have come to all who want them. What nobody takes does what it
    /// would have done without us.
    pub(super) fn hand_on(&mut self, signals: u64) {
        for signal in each(signals) {
            if !self.send(signal) {
                os::signal_process(signal);
            }
        }
    }

    /// Sends a signal to all who want it; tells whether there are any.
    fn send(&mut self, number: i32) -> bool {
        let Some(signal) = Signal::from_raw(number) else {
            return true;
        };
        let mut taken = false;
        let mut lost = 0; // what was wished for channels that nobody receives from
        let mut send = |wish: &Wish| {
            if wish.signals & signal_bit(number) == 0 {
                return true;
            }
            match wish.sender.try_send(signal) {
                Ok(()) | Err(TrySendError::Full(_)) => {
                    taken = true;
                    true
                }
                Err(TrySendError::Disconnected(_)) => {
                    lost |= wish.signals;
                    false
                }
            }
        };
        self.wishes.retain(&mut send);
        self.stopping.retain(&mut send);
        self.disable(lost & !self.wanted());
        taken
    }

    /// Returns the place of a channel's wish.
    fn find(&self, sender: &Sender<Signal>) -> Option<usize> {
        let same = |wish: &Wish| wish.sender.same_channel(sender);
        self.wishes.iter().position(same)
    }

    /// Returns what somebody wants.
    fn wanted(&self) -> u64 {
        self.wishes.iter().fold(0, |all, wish| all | wish.signals)
    }

    /// Takes some signals out of all wishes.
    fn forget(&mut self, signals: u64) {
        self.wishes.retain_mut(|wish| {
            wish.signals &= !signals;
            wish.signals != 0
        });
    }

    /// Notes what was done about a signal before we changed it for the first time.
    fn remember(&mut self, signal: i32, action: Sigaction) {
        if let Some(before) = self.before.get_mut(signal as usize - 1) {
            before.get_or_insert(action);
        }
    }

    /// Has what was done about some signals at first done again.
    fn disable(&mut self, signals: u64) {
        for signal in each(signals) {
            let before = self.before.get(signal as usize - 1).copied().flatten();
            if let Some(before) = before {
                sched::disable_signal(signal, &before);
            }
        }
    }
}

/// Goes through the signals that some bits stand for.
fn each(signals: u64) -> impl Iterator<Item = i32> {
    (1..=os::LAST_SIGNAL).filter(move |&signal| signals & signal_bit(signal) != 0)
}

/// Returns the bits of some signals, without those that nobody may have.
pub(super) fn bits(signals: &[Signal]) -> u64 {
    let numbers = signals.iter().map(|signal| signal.as_raw());
    let ours = numbers.filter(|&signal| os::signal_class(signal) != SignalClass::Reserved);
    ours.fold(0, |bits, signal| bits | signal_bit(signal))
}

/// Returns the bits of all signals but those, and the scheduler's.
pub(super) fn all_bits() -> u64 {
    let ours = each(!0).filter(|&signal| {
        let class = os::signal_class(signal);
        class != SignalClass::Reserved && class != SignalClass::Preempt
    });
    ours.fold(0, |bits, signal| bits | signal_bit(signal))
}
