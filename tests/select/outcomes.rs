//! Which operation it is.

use alloc::vec::Vec;
use core::time::Duration;

use gort::channel::{
    Receiver, RecvError, SendError, Sender, after, bounded, never, select, select_biased, tick,
    unbounded,
};

/// How often those that should be random are tried: a fair choice between four fails to
/// take one of them a quarter of COUNT / 4 times with a probability below 10^-200.
const COUNT: usize = 10_000;

/// Makes a channel that is full of messages.
fn full(count: usize) -> (Sender<()>, Receiver<()>) {
    let (sender, receiver) = bounded(count);
    (0..count).for_each(|_| sender.send(()).unwrap());
    (sender, receiver)
}

gort_test::test_module! {
    fn the_one_that_can_go_on() {
        let channels: Vec<_> = (0..3).map(|_| bounded(1)).collect();
        for wanted in 0..3 {
            channels[wanted].0.send(wanted).unwrap();
            let taken = select! {
                recv(channels[0].1) -> message => (0, message),
                recv(channels[1].1) -> message => (1, message),
                recv(channels[2].1) -> message => (2, message),
            };
            assert_eq!(taken, (wanted, Ok(wanted)));
        }
        channels[1].0.send(5).unwrap();
        select! {
            send(channels[1].0, 6) -> _ => unreachable!("it is full"),
            recv(channels[0].1) -> _ => unreachable!("it is empty"),
            recv(channels[1].1) -> message => assert_eq!(message, Ok(5)),
        }
        select! {
            recv(channels[1].1) -> _ => unreachable!("it is empty"),
            send(channels[1].0, 6) -> result => assert_eq!(result, Ok(())),
        }
        assert_eq!(channels[1].1.try_recv(), Ok(6));
    }

    fn an_operation_that_fails_can_go_on() {
        let ((to_left, left), (to_right, right)) = (bounded::<i32>(0), bounded::<i32>(0));
        drop((to_left, right));
        for _ in 0..10 {
            select! {
                recv(left) -> result => assert_eq!(result, Err(RecvError)),
                send(to_right, 3) -> result => assert_eq!(result, Err(SendError(3))),
                default => unreachable!(),
            }
        }
        let (sender, receiver) = bounded(2);
        sender.send(1).unwrap();
        drop(sender);
        for wanted in [Ok(1), Err(RecvError)] {
            select! {
                recv(receiver) -> message => assert_eq!(message, wanted),
                recv(never::<()>()) -> _ => unreachable!(),
            }
        }
    }

    fn it_does_not_meet_itself() {
        let (sender, receiver) = bounded::<i32>(0);
        for _ in 0..100 {
            select! {
                send(sender, 1) -> _ => unreachable!(),
                recv(receiver) -> _ => unreachable!(),
                default => {}
            }
        }
        select! {
            send(sender, 1) -> _ => unreachable!(),
            recv(receiver) -> _ => unreachable!(),
            default(Duration::from_millis(1)) => {}
        }
    }

    fn receives_are_chosen_fairly() {
        let ((_a, a), (_b, b)) = (full(COUNT), full(COUNT));
        let mut hits = [0; 4];
        for _ in 0..COUNT {
            select! {
                recv(a) -> _ => hits[0] += 1,
                recv(b) -> _ => hits[1] += 1,
                recv(after(Duration::ZERO)) -> _ => hits[2] += 1,
                recv(tick(Duration::ZERO)) -> _ => hits[3] += 1,
            }
        }
        assert!(hits.iter().all(|&hits| hits > COUNT / 16), "{hits:?}");
    }

    fn sends_are_chosen_fairly() {
        let ((a, _a), (b, _b), (_c, c)) = (bounded(COUNT), unbounded(), full(COUNT));
        let mut hits = [0; 3];
        for _ in 0..COUNT {
            select! {
                send(a, ()) -> result => { result.unwrap(); hits[0] += 1 }
                send(b, ()) -> result => { result.unwrap(); hits[1] += 1 }
                recv(c) -> result => { result.unwrap(); hits[2] += 1 }
                default => unreachable!(),
            }
        }
        assert!(hits.iter().all(|&hits| hits > COUNT / 16), "{hits:?}");
        assert_eq!((_a.len(), _b.len(), c.len()), (hits[0], hits[1], COUNT - hits[2]));
    }

    fn a_channel_that_stands_there_twice_counts_twice() {
        let ((_a, a), (_b, b)) = (full(2 * COUNT), full(2 * COUNT));
        let mut hits = [0; 2];
        for _ in 0..COUNT {
            select! {
                recv(a) -> _ => hits[0] += 1,
                recv(b) -> _ => hits[1] += 1,
                recv(a) -> _ => hits[0] += 1,
                recv(a) -> _ => hits[0] += 1,
            }
        }
        assert!(hits[0] > 2 * hits[1] && hits[1] > COUNT / 16, "{hits:?}");
    }

    fn biased_takes_the_first() {
        let ((_a, a), (_b, b), (_c, c)) = (full(COUNT), full(COUNT), full(1));
        let mut hits = [0; 4];
        for turn in 0..2 * COUNT + 2 {
            match turn % 3 {
                0 => select_biased! {
                    recv(a) -> _ => hits[0] += 1,
                    recv(b) -> _ => hits[1] += 1,
                    recv(c) -> _ => hits[2] += 1,
                    recv(after(Duration::ZERO)) -> _ => hits[3] += 1,
                },
                1 => select_biased! {
                    recv(a) -> _ => hits[0] += 1,
                    recv(b) -> _ => hits[1] += 1,
                    recv(c) -> _ => hits[2] += 1,
                    default(Duration::from_secs(1000)) => unreachable!(),
                    recv(after(Duration::ZERO)) -> _ => hits[3] += 1,
                },
                _ => select_biased! {
                    recv(a) -> _ => hits[0] += 1,
                    recv(b) -> _ => hits[1] += 1,
                    recv(c) -> _ => hits[2] += 1,
                    recv(after(Duration::ZERO)) -> _ => hits[3] += 1,
                    default => hits[3] += 1,
                },
            }
            let wanted = [(turn + 1).min(COUNT), (turn + 1).saturating_sub(COUNT).min(COUNT)];
            assert_eq!(hits[..2], wanted);
        }
        assert_eq!(hits, [COUNT, COUNT, 1, 1]);
    }
}
