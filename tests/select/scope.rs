//! When each part is evaluated and dropped, and where its jumps go.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use gort::channel::{
    Receiver, RecvError, SendError, Sender, bounded, never, select, select_biased, unbounded,
};

/// Notes its name when it is dropped.
struct Noted<'a>(&'static str, &'a RefCell<Vec<&'static str>>);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// Returns from the middle of a select.
fn first_even(numbers: &Receiver<i32>) -> Result<i32, RecvError> {
    loop {
        select! {
            recv(numbers) -> number => {
                let number = number?;
                if number % 2 == 0 {
                    return Ok(number);
                }
            }
            recv(never::<()>()) -> _ => {}
        }
    }
}

/// Fails in the middle of a select, in each of its parts.
fn fails(
    receiver: Option<&Receiver<i32>>,
    message: Option<i32>,
    sender: &Sender<i32>,
) -> Option<i32> {
    select! {
        recv(receiver?) -> _ => unreachable!(),
        send(sender, message?) -> result => result.ok()?,
    }
    Some(1)
}

gort_test::test_module! {
    fn return_and_question_mark() {
        let (sender, receiver) = unbounded();
        for number in [1, 3, 4, 5, 7] {
            sender.send(number).unwrap();
        }
        assert_eq!(first_even(&receiver), Ok(4));
        drop(sender);
        assert_eq!(first_even(&receiver), Err(RecvError));

        let (sender, receiver) = unbounded();
        let (_kept, empty) = unbounded();
        assert_eq!(fails(None, Some(1), &sender), None);
        assert_eq!(fails(Some(&empty), Some(1), &sender), Some(1));
        assert_eq!(receiver.try_recv(), Ok(1));
        drop(receiver);
        assert_eq!(fails(Some(&empty), Some(1), &sender), None);
    }

    fn break_and_continue() {
        let (sender, receiver) = unbounded();
        (0..10).for_each(|number| sender.send(number).unwrap());
        let mut odd = Vec::new();
        let sum = 'outer: loop {
            let mut rounds = 0;
            loop {
                rounds += 1;
                select! {
                    recv(receiver) -> number => match number {
                        Ok(number) if number % 2 == 0 => continue,
                        Ok(9) => break 'outer rounds,
                        Ok(5) => continue 'outer,
                        Ok(number) => odd.push(number),
                        Err(_) => break,
                    },
                    default => break 'outer 0,
                }
            }
        };
        assert_eq!((sum, &*odd), (4, &[1, 3, 7][..]));
        let value = 'block: {
            select! {
                default(Duration::ZERO) => break 'block 3,
            }
        };
        assert_eq!(value, 3);
        let count = loop {
            select_biased! {
                send(sender, 1) -> _ => if receiver.len() == 3 { break receiver.len() },
                recv(receiver) -> _ => unreachable!(),
            }
        };
        assert_eq!(count, 3);
    }

    fn channels_are_evaluated_once_and_in_order() {
        let order = RefCell::new(Vec::new());
        let (sender, receiver) = bounded::<i32>(0);
        let note = |name| order.borrow_mut().push(name);
        select! {
            recv({ note("first"); &receiver }) -> _ => unreachable!(),
            default({ note("time"); Duration::from_millis(1) }) => note("default"),
            send({ note("second"); &sender }, { note("message"); 1 }) -> _ => unreachable!(),
            recv({ note("third"); &receiver }) -> _ => unreachable!(),
        }
        assert_eq!(*order.borrow(), ["first", "second", "third", "time", "default"]);
        order.borrow_mut().clear();
        let (sender, receiver) = bounded::<i32>(1);
        select! {
            send({ note("channel"); &sender }, { note("message"); 1 }) -> _ => note("body"),
        }
        select! { recv({ note("single"); &receiver }) -> _ => note("body") }
        assert_eq!(*order.borrow(), ["channel", "message", "body", "single", "body"]);
    }

    fn a_message_is_made_when_it_is_sent() {
        let (sender, _receiver) = bounded(1);
        let mut made = 0;
        let mut make = || {
            made += 1;
            made
        };
        for _ in 0..3 {
            select! { send(sender, make()) -> _ => {} default => {} }
        }
        assert_eq!(made, 1);
        // To be moved into one of two, the other one keeps it.
        let (to_left, left) = bounded(1);
        let (_right, right) = bounded::<Box<i32>>(1);
        let message = Box::new(5);
        select! {
            send(to_left, message) -> result => result.unwrap(),
            recv(right) -> other => drop((other, message)),
        }
        assert_eq!(left.recv().as_deref(), Ok(&5));
    }

    fn a_message_that_nobody_can_get_comes_back() {
        let (sender, receiver) = bounded(1);
        drop(receiver);
        let message = Box::new(5);
        select! {
            send(sender, message) -> result => {
                let Err(SendError(message)) = result else { unreachable!() };
                assert_eq!(*message, 5);
            }
        }
    }

    fn bodies_have_their_channels_back() {
        // They may be dropped, moved, and borrowed anew.
        let (sender, mut receiver) = bounded::<i32>(1);
        select! {
            send(sender, 1) -> _ => drop(sender),
            default => drop(sender),
        }
        let (mut to_other, other) = bounded::<i32>(0);
        select! {
            recv(receiver) -> message => {
                assert_eq!(message, Ok(1));
                receiver = other;
            }
            send(to_other, 1) -> _ => unreachable!(),
            default => to_other = bounded(1).0,
        }
        assert!(receiver.is_empty());
        // Each of the three ways of one receive alone, too.
        select! { recv(receiver) -> _ => drop(receiver), default => to_other = { drop(receiver); bounded(1).0 } }
        let (_, receiver) = bounded::<i32>(1);
        select! { recv(receiver) -> _ => drop(receiver) }
        let (_kept, receiver) = bounded::<i32>(1);
        select! { recv(receiver) -> _ => {} default(Duration::ZERO) => drop(receiver) }
        select! { send(to_other, 1) -> _ => {} default(Duration::ZERO) => drop(to_other) }
    }

    fn fields_of_self() {
        struct Relay {
            from: Receiver<i32>,
            to: Sender<i32>,
            last: i32,
            rounds: usize,
        }
        impl Relay {
            fn next(&self) -> i32 {
                self.last + 1
            }
            fn note(&mut self, number: i32) {
                self.last = number;
                self.rounds += 1;
            }
            fn step(&mut self) {
                select! {
                    recv(self.from) -> number => self.note(number.unwrap_or(0)),
                    send(self.to, self.next()) -> _ => self.note(self.last + 1),
                }
            }
        }
        let (to, from) = bounded(2);
        let mut relay = Relay { from, to, last: 0, rounds: 0 };
        for _ in 0..100 {
            relay.step();
        }
        assert_eq!(relay.rounds, 100);
    }

    fn a_value_is_dropped_behind_the_body() {
        let order = RefCell::new(Vec::new());
        let (sender, receiver) = bounded(2);
        let send = |name| assert!(sender.send(Noted(name, &order)).is_ok());
        send("message");
        select! {
            recv(receiver) -> _ => order.borrow_mut().push("body"),
            recv({ let _noted = Noted("channel", &order); never::<()>() }) -> _ => {}
        }
        assert_eq!(order.take(), ["channel", "body", "message"]);
        send("alone");
        select! { recv(receiver) -> _ => order.borrow_mut().push("body") }
        assert_eq!(order.take(), ["body", "alone"]);
        send("tried");
        select! { recv(receiver) -> _ => order.borrow_mut().push("body"), default => {} }
        assert_eq!(order.take(), ["body", "tried"]);
        send("named");
        select! { recv(receiver) -> message => {
            let _moved = message;
            order.borrow_mut().push("body");
        } }
        assert_eq!(order.take(), ["body", "named"]);
    }

    fn only_one_body_takes_what_all_name() {
        let (sender, receiver) = unbounded::<i32>();
        for _ in 0..10 {
            let once = Box::new(());
            select! {
                send(sender, 0) -> _ => drop(once),
                recv(receiver) -> _ => drop(once),
            }
            let once = Box::new(());
            select! { recv(receiver) -> _ => drop(once), default => drop(once) }
            let once = Box::new(());
            select! { send(sender, 0) -> _ => drop(once), default(Duration::ZERO) => drop(once) }
        }
    }

    fn what_a_channel_expression_makes_lives_as_long_as_the_body() {
        let (_sender, receiver) = bounded::<i32>(1);
        let shared = RefCell::new(receiver);
        select! {
            recv(*shared.borrow()) -> _ => unreachable!(),
            send({ bounded(1).0 }, 1) -> result => {
                assert!(result.is_err());
                assert!(shared.try_borrow_mut().is_err());
            }
        }
        assert!(shared.try_borrow_mut().is_ok());
    }
}
