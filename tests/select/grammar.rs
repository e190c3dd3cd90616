//! What can be written between the braces.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;
use core::time::Duration;

use gort::channel::{
    self, Receiver, RecvError, SendError, Sender, bounded, never, select, select_biased, unbounded,
};

/// Something that can stand for a channel.
struct Wrapped<T>(T);

impl<T> Deref for Wrapped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Makes a channel with one message in it.
fn filled<T>(message: T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bounded(1);
    assert!(sender.try_send(message).is_ok());
    (sender, receiver)
}

gort_test::test_module! {
    fn bodies_of_every_kind() {
        let (_sender, empty) = bounded::<i32>(0);
        for turn in 0..8 {
            let (_filled, receiver) = filled(turn);
            let text = match turn {
                0 => select! { recv(receiver) -> _ => "expression" },
                1 => select! { recv(receiver) -> _ => "expression", },
                2 => select! { recv(receiver) -> _ => { "block" } },
                3 => select! { recv(receiver) -> _ => { "block" }, },
                4 => select! { recv(receiver) -> _ => if turn == 4 { "if" } else { "else" } },
                5 => select! {
                    recv(receiver) -> _ => loop { if turn == 5 { break "loop" } },
                    recv(empty) -> _ => match turn { 5 => unreachable!(), _ => panic!() },
                },
                6 => select! {
                    recv(empty) -> _ => { unreachable!() }
                    recv(receiver) -> _ => { "no comma" }
                    recv(empty) -> _ => unreachable!(),
                    recv(empty) -> _ => { unreachable!() },
                    recv(empty) -> _ => unreachable!("{turn}"),
                },
                _ => select! {
                    recv(empty) -> _ => { "a block" }.trim(),
                    recv(receiver) -> _ => { "and a call" }.trim(),
                    default => { "a block" }.trim(),
                },
            };
            let texts = [
                "expression", "expression", "block", "block", "if", "loop", "no comma", "and a call",
            ];
            assert_eq!(text, texts[turn as usize]);
        }
    }

    fn statements_without_a_semicolon() {
        let (sender, receiver) = unbounded();
        select! {
            send(sender, 1) -> result => result.unwrap(),
        }
        select_biased! {
            recv(receiver) -> message => assert_eq!(message, Ok(1)),
            default => unreachable!(),
        }
        select! { default => {} }
        select! { default => () }
    }

    fn commas_behind_arguments() {
        let (sender, receiver) = bounded(1);
        for _ in 0..10 {
            select! {
                send(sender, 1,) -> _ => {},
                recv(receiver,) -> _ => {},
                default(Duration::from_secs(100),) => unreachable!(),
            }
        }
    }

    fn default_of_every_kind() {
        let (sender, receiver) = bounded::<i32>(0);
        let mut count = 0;
        select! { recv(receiver) -> _ => {} default => count += 1 }
        select! { default => count += 1, recv(receiver) -> _ => {} }
        select! { default => { count += 1 } recv(receiver) -> _ => {} }
        select! { send(sender, 1) -> _ => {} default() => count += 1 }
        select! { default() => count += 1 }
        select! { default => count += 1, }
        select! { default(Duration::ZERO) => count += 1 }
        select! { recv(receiver) -> _ => {} default(Duration::ZERO) => count += 1 }
        select! { send(sender, 1) -> _ => {} default(Duration::from_micros(1)) => count += 1 }
        select! {
            send(sender, 1) -> _ => {}
            default => count += 1,
            recv(receiver) -> _ => {}
        }
        assert_eq!(count, 10);
    }

    fn patterns() {
        struct Point {
            x: i32,
            y: i32,
        }
        let (_point, points) = filled(Point { x: 1, y: 2 });
        select! { recv(points) -> point => {
            let Point { x, y } = point.unwrap();
            assert_eq!((x, y), (1, 2));
        } }
        let (_text, texts) = filled(String::from("text"));
        select! {
            recv(texts) -> mut text => {
                if let Ok(text) = &mut text {
                    text.push('s');
                }
                assert_eq!(text.as_deref(), Ok("texts"));
            }
        }
        let (_number, numbers) = filled(4);
        select! { recv(numbers) -> (Ok(4) | Ok(_) | Err(RecvError)) => {} }
        let (_number, numbers) = filled(5);
        select! { recv(numbers) -> (Ok(_) | Err(_)) => {}, recv(never::<()>()) -> _ => {} }
        let (_number, numbers) = filled(6);
        select! { recv(numbers) -> ref number @ (Ok(_) | Err(_)) => assert_eq!(number, &Ok(6)), default => panic!() }
    }

    fn types_of_results() {
        let (sender, receiver) = bounded::<i32>(0);
        let (other_sender, other_receiver) = bounded::<i32>(0);
        drop((receiver, other_sender));
        select! {
            send(sender, 3) -> result => {
                let result: Result<(), SendError<i32>> = result;
                assert_eq!(result, Err(SendError(3)));
            }
        }
        select! {
            recv(other_receiver) -> result => {
                let result: Result<i32, RecvError> = result;
                assert_eq!(result, Err(RecvError));
            }
        }
        select! {
            recv(other_receiver) -> result => assert_eq!(result, Err(RecvError)),
            default => unreachable!(),
        }
        select! {
            recv(other_receiver) -> result => assert_eq!(result, Err(RecvError)),
            default(Duration::MAX) => unreachable!(),
        }
        select! {
            recv(other_receiver) -> result => assert_eq!(result, Err::<i32, RecvError>(RecvError)),
            send(sender, 3) -> result => assert_eq!(result, Err::<(), SendError<i32>>(SendError(3))),
            default(Duration::MAX) => unreachable!(),
        }
    }

    fn types_are_inferred() {
        let (sender, receiver) = unbounded();
        select! { recv(receiver) -> _ => {} default => {} }
        sender.send(1u8).unwrap();

        let (sender, receiver) = unbounded();
        select! { send(sender, ()) -> _ => {} }
        receiver.recv().unwrap();

        let (sender, receiver) = unbounded();
        select! {
            recv(receiver) -> _ => {}
            send(sender, Default::default()) -> _ => {}
        }
        let _: Option<u16> = receiver.recv().ok();
    }

    fn the_value_is_that_of_the_body() {
        let (sender, receiver) = unbounded::<i32>();
        let value = select! {
            recv(receiver) -> _ => "foo".into(),
            send(sender, 0) -> _ => "bar".to_owned(),
            default => "baz".to_string(),
        };
        assert_eq!(value, "bar");
        let value: Box<dyn Fn() -> i32> = select! {
            recv(receiver) -> message => Box::new(move || message.unwrap()),
            default => Box::new(|| 7),
        };
        assert_eq!(value(), 0);
        let length = select! {
            recv(receiver) -> _ => unreachable!(),
            default => "four",
        }
        .len();
        assert_eq!(length + select! { default => 1 }, 5);
    }

    fn whatever_derefs_to_a_channel() {
        let (sender, receiver) = bounded::<i32>(0);
        select! { send(&&&&sender, 0) -> _ => {} recv(&&&&receiver) -> _ => {} default => {} }
        let (sender, receiver) = (Box::new(sender), Arc::new(receiver));
        select! { send(*sender, 0) -> _ => {} recv(*receiver) -> _ => {} default => {} }
        select! { send(sender, 0) -> _ => {} recv(receiver) -> _ => {} default => {} }
        let (sender, receiver) = (Wrapped(sender), Rc::new(Wrapped(receiver)));
        select! { send(sender, 0) -> _ => {} recv(receiver) -> _ => {} default => {} }
        select! { recv(receiver) -> _ => {} default => {} }
        select! { recv(receiver) -> _ => {} default(Duration::ZERO) => {} }
        let pair = (&sender, [receiver]);
        select! { send(pair.0, 0) -> _ => {} recv(pair.1[0]) -> _ => {} default => {} }
    }

    fn channels_that_are_made_on_the_spot() {
        let (sender, receiver) = unbounded::<i32>();
        let once = Box::new(());
        let get = move || {
            drop(once);
            receiver
        };
        let give = move || sender;
        select! {
            recv(get()) -> _ => unreachable!(),
            send(give(), 0) -> result => assert_eq!(result, Ok(())),
        }
        select! { recv({ unbounded::<i32>().1 }) -> result => assert_eq!(result, Err(RecvError)) }
        select! { send({ unbounded().0 }, 3) -> result => assert_eq!(result, Err(SendError(3))) }
        let timer = || channel::after(Duration::from_micros(10));
        select! { recv(timer()) -> time => assert!(time.is_ok()), recv(timer()) -> _ => {} }
    }

    fn conditions() {
        let (_sender, receiver) = filled(1);
        let mut received = Vec::new();
        let nothing = never();
        for wanted in [false, true, true] {
            select! {
                recv(if wanted { &receiver } else { &nothing }) -> message => {
                    received.push(message);
                }
                default => {}
            }
        }
        assert_eq!(received, [Ok(1)]);
        for receiver in [None, Some(&receiver)] {
            select! {
                recv(receiver.unwrap_or(&never())) -> _ => unreachable!(),
                recv(receiver.cloned().unwrap_or_else(never)) -> _ => unreachable!(),
                default => {}
            }
        }
    }

    fn thirty_two_operations() {
        let channels: Vec<_> = (0..16).map(|_| bounded::<usize>(1)).collect();
        let c: &[(Sender<usize>, Receiver<usize>)] = &channels;
        for wanted in 0..16 {
            for (number, (sender, receiver)) in c.iter().enumerate() {
                // All are full but one, and then all are empty but one.
                let _ = receiver.try_recv();
                if number != wanted {
                    sender.send(number).unwrap();
                }
            }
            for turn in 0..2 {
                let never = never();
                let r = |number: usize| if turn == 0 { &never } else { &c[number].1 };
                let chosen = select! {
                    recv(r(0)) -> m => m.unwrap(), send(c[0].0, 0) -> _ => 0,
                    recv(r(1)) -> m => m.unwrap(), send(c[1].0, 1) -> _ => 1,
                    recv(r(2)) -> m => m.unwrap(), send(c[2].0, 2) -> _ => 2,
                    recv(r(3)) -> m => m.unwrap(), send(c[3].0, 3) -> _ => 3,
                    recv(r(4)) -> m => m.unwrap(), send(c[4].0, 4) -> _ => 4,
                    recv(r(5)) -> m => m.unwrap(), send(c[5].0, 5) -> _ => 5,
                    recv(r(6)) -> m => m.unwrap(), send(c[6].0, 6) -> _ => 6,
                    recv(r(7)) -> m => m.unwrap(), send(c[7].0, 7) -> _ => 7,
                    recv(r(8)) -> m => m.unwrap(), send(c[8].0, 8) -> _ => 8,
                    recv(r(9)) -> m => m.unwrap(), send(c[9].0, 9) -> _ => 9,
                    recv(r(10)) -> m => m.unwrap(), send(c[10].0, 10) -> _ => 10,
                    recv(r(11)) -> m => m.unwrap(), send(c[11].0, 11) -> _ => 11,
                    recv(r(12)) -> m => m.unwrap(), send(c[12].0, 12) -> _ => 12,
                    recv(r(13)) -> m => m.unwrap(), send(c[13].0, 13) -> _ => 13,
                    recv(r(14)) -> m => m.unwrap(), send(c[14].0, 14) -> _ => 14,
                    recv(r(15)) -> m => m.unwrap(), send(c[15].0, 15) -> _ => 15,
                    default => unreachable!(),
                };
                if turn == 0 {
                    assert_eq!(chosen, wanted, "the only one with room");
                } else {
                    let (sender, receiver) = &c[chosen];
                    assert!(receiver.is_empty());
                    sender.send(chosen).unwrap();
                }
            }
        }
    }

    fn one_inside_another() {
        let (_sender, receiver) = filled(1);
        let depth = select! {
            recv(receiver) -> _ => select! {
                recv(receiver) -> _ => 1,
                default => {
                    select_biased! {
                        recv(never::<()>()) -> _ => 2,
                        default => select! { default => 3 }
                    }
                }
            },
            default(select! { default => Duration::MAX }) => 4,
        };
        assert_eq!(depth, 3);
    }

    fn the_same_channel_twice() {
        let (sender, receiver) = unbounded();
        for number in 0..100 {
            select! {
                send(sender, number) -> _ => {}
                send(sender, number) -> _ => {}
            }
            select! {
                recv(receiver) -> message => assert_eq!(message, Ok(number)),
                recv(receiver) -> message => assert_eq!(message, Ok(number)),
            }
        }
    }
}
