//! What must hold in every order: a value that was sent is received, once; who could not
//! send has it still; nobody waits for ever.

use std::alloc::Layout;
use std::any::type_name;
use std::ptr;

use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;

use super::case::{Case, Kind, SelectHandle};
use super::hchan::{Hchan, Side, Timeout};
use super::scheduler::strike;
use super::selecting::{Handle, Mode, run};
use super::token::Token;
use super::waitq::Ended;

/// A small value, and one that a select has no place for.
type Word = usize;
type Large = [usize; 8];

/// What a channel of the models carries.
trait Value: Copy + PartialEq + std::fmt::Debug + Send + 'static {
    fn new(word: usize) -> Self;
}

impl Value for Word {
    fn new(word: usize) -> Self {
        word
    }
}

impl Value for Large {
    fn new(word: usize) -> Self {
        [word; 8]
    }
}

const UNTIL: Timeout = Timeout::At(1);

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 10_000;
    builder.check(model);
}

fn chan<T: Value>(capacity: usize) -> Arc<Hchan> {
    Arc::new(Hchan::new(capacity, Layout::new::<T>(), type_name::<T>()))
}

/// Two next to each other: which has the lower address, and is locked first, is the same in
/// every run of a model.
fn two_chans<T: Value>(capacity: usize) -> Arc<[Hchan; 2]> {
    Arc::new([(); 2].map(|()| Hchan::new(capacity, Layout::new::<T>(), type_name::<T>())))
}

/// Sends, plainly; tells whether it did.
fn send<T: Value>(chan: &Hchan, word: usize, timeout: Timeout) -> bool {
    let value = T::new(word);
    let outcome = chan.send(ptr::from_ref(&value).cast(), size_of::<T>(), timeout);
    matches!(outcome, Ended::Done)
}

/// Receives, plainly.
fn recv<T: Value>(chan: &Hchan, timeout: Timeout) -> Option<T> {
    let mut value = T::new(0);
    let outcome = chan.recv(ptr::from_mut(&mut value).cast(), size_of::<T>(), timeout);
    matches!(outcome, Ended::Done).then_some(value)
}

/// One half of a channel.
struct Half<'a>(&'a Hchan, Side);

impl SelectHandle for Half<'_> {
    fn case(&self) -> Case<'_> {
        Case(Kind::Chan(self.0, self.1))
    }
}

/// Selects one of those, and returns which.
fn select(halves: &[Half<'_>], timeout: Timeout, token: &mut Token) -> Option<usize> {
    let mut handles: Vec<Handle<'_>> = Vec::new();
    for (index, half) in halves.iter().enumerate() {
        handles.push((half.case(), index, ptr::null()));
    }
    run(&mut handles, Mode::Select, timeout, true, token)
}

/// Sends to the first that is ready.
fn select_send<T: Value>(chans: &[&Hchan], word: usize, timeout: Timeout) -> bool {
    let halves: Vec<_> = chans.iter().map(|chan| Half(chan, Side::Send)).collect();
    let mut token = Token::new();
    let value = T::new(word);
    select(&halves, timeout, &mut token)
        .is_some_and(|at| chans[at].complete_send(&token, ptr::from_ref(&value).cast()))
}

/// Receives from the first that is ready.
fn select_recv<T: Value>(chans: &[&Hchan], timeout: Timeout) -> Option<T> {
    let halves: Vec<_> = chans.iter().map(|chan| Half(chan, Side::Recv)).collect();
    let mut token = Token::new();
    let mut value = T::new(0);
    let at = select(&halves, timeout, &mut token)?;
    let received = chans[at].complete_recv(&mut token, ptr::from_mut(&mut value).cast());
    received.then_some(value)
}

/// The parties of a model that end with the clock at the latest: `sender` tells whether it
/// sent, `receiver` what it received. What was sent into a buffer may be there still.
fn either_both_or_none<T: Value>(
    capacity: usize,
    sender: fn(&Hchan) -> bool,
    receiver: fn(&Hchan) -> Option<T>,
) {
    check(move || {
        let chan = chan::<T>(capacity);
        let other = Arc::clone(&chan);
        let sender = thread::spawn(move || sender(&other));
        let clock = thread::spawn(strike);
        let mut got = receiver(&chan);
        let sent = sender.join().unwrap();
        clock.join().unwrap();
        got = got.or_else(|| recv(&chan, Timeout::Now));
        assert_eq!(got, sent.then(|| T::new(7)));
    });
}

#[test]
fn a_hand_off_from_stack_to_stack() {
    check(|| {
        let chan = chan::<Word>(0);
        let other = Arc::clone(&chan);
        let sender = thread::spawn(move || {
            assert!(send::<Word>(&other, 1, Timeout::Never));
            assert!(send::<Word>(&other, 2, Timeout::Never));
        });
        assert_eq!(recv::<Word>(&chan, Timeout::Never), Some(1));
        assert_eq!(recv::<Word>(&chan, Timeout::Never), Some(2));
        sender.join().unwrap();
    });
}

#[test]
fn two_senders_and_room_for_one() {
    check(|| {
        let chan = chan::<Word>(1);
        let senders = [1, 2].map(|word| {
            let chan = Arc::clone(&chan);
            thread::spawn(move || assert!(send::<Word>(&chan, word, Timeout::Never)))
        });
        let got = [(); 2].map(|()| recv::<Word>(&chan, Timeout::Never).unwrap());
        assert!(got == [1, 2] || got == [2, 1]);
        senders.map(|sender| sender.join().unwrap());
    });
}

#[test]
fn deadlines_at_the_moment_of_a_hand_off() {
    for capacity in [0, 1] {
        either_both_or_none::<Word>(
            capacity,
            |chan| send::<Word>(chan, 7, UNTIL),
            |chan| recv::<Word>(chan, UNTIL),
        );
    }
}

#[test]
fn a_sender_and_a_select_with_deadlines() {
    either_both_or_none::<Word>(
        0,
        |chan| send::<Word>(chan, 7, UNTIL),
        |chan| select_recv::<Word>(&[chan], UNTIL),
    );
    either_both_or_none::<Large>(
        0,
        |chan| send::<Large>(chan, 7, UNTIL),
        |chan| select_recv::<Large>(&[chan], UNTIL),
    );
}

#[test]
fn a_sender_and_a_select_of_large_ones_over_a_buffer() {
    either_both_or_none::<Large>(
        1,
        |chan| send::<Large>(chan, 7, UNTIL),
        |chan| select_recv::<Large>(&[chan], UNTIL),
    );
}

#[test]
fn a_select_that_sends_with_a_deadline() {
    for capacity in [0, 1] {
        either_both_or_none::<Word>(
            capacity,
            |chan| select_send::<Word>(&[chan], 7, UNTIL),
            |chan| recv::<Word>(chan, UNTIL),
        );
    }
}

#[test]
fn two_selects_with_deadlines() {
    either_both_or_none::<Word>(
        0,
        |chan| select_send::<Word>(&[chan], 7, UNTIL),
        |chan| select_recv::<Word>(&[chan], UNTIL),
    );
}

#[test]
fn two_selects_with_deadlines_and_a_large_value() {
    either_both_or_none::<Large>(
        0,
        |chan| select_send::<Large>(&[chan], 7, UNTIL),
        |chan| select_recv::<Large>(&[chan], UNTIL),
    );
}

/// Two that each send into a channel of their own, and one select over both.
fn a_select_over_two<T: Value>(capacity: usize) {
    check(move || {
        let chans = two_chans::<T>(capacity);
        let senders = [0, 1].map(|at| {
            let chans = Arc::clone(&chans);
            thread::spawn(move || assert!(send::<T>(&chans[at], at + 1, Timeout::Never)))
        });
        let both = [&chans[0], &chans[1]];
        let got = [(); 2].map(|()| select_recv::<T>(&both, Timeout::Never).unwrap());
        let [one, two] = [1, 2].map(T::new);
        assert!(got == [one, two] || got == [two, one]);
        senders.map(|sender| sender.join().unwrap());
    });
}

#[test]
fn two_senders_claim_one_select() {
    a_select_over_two::<Word>(0);
}

#[test]
fn two_senders_claim_one_select_for_large_values() {
    a_select_over_two::<Large>(0);
}

#[test]
fn two_senders_into_buffers_claim_one_select() {
    a_select_over_two::<Large>(1);
}

#[test]
fn two_selects_over_the_same_two() {
    check(|| {
        let chans = two_chans::<Word>(0);
        let others = Arc::clone(&chans);
        let sender = thread::spawn(move || {
            assert!(select_send::<Word>(
                &[&others[0], &others[1]],
                5,
                Timeout::Never
            ));
        });
        let got = select_recv::<Word>(&[&chans[1], &chans[0]], Timeout::Never);
        assert_eq!(got, Some(5));
        sender.join().unwrap();
    });
}

#[test]
fn who_waits_learns_of_the_end() {
    for capacity in [0, 1] {
        check(move || {
            let chan = chan::<Word>(capacity);
            let waiting = [
                |chan: &Hchan| recv::<Word>(chan, Timeout::Never),
                |chan: &Hchan| select_recv::<Word>(&[chan], Timeout::Never),
            ]
            .map(|wait| {
                let chan = Arc::clone(&chan);
                thread::spawn(move || assert_eq!(wait(&chan), None))
            });
            chan.close();
            waiting.map(|waiting| waiting.join().unwrap());
        });
    }
}
