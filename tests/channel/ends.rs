//! What happens when one side, or both, are gone: who waits is told, and every message is
//! dropped, once.

use alloc::sync::Arc;
use alloc::vec::Vec;

use gort::channel::{
    Receiver, RecvError, RecvTimeoutError, Select, SendError, SendTimeoutError, Sender,
    TryRecvError, bounded, unbounded,
};
use gort::thread;
use gort::time::Duration;

use crate::pairs::channel;
use crate::{Counted, alive, until_waiting};

const LONG: Duration = Duration::from_secs(3600);
const ALL: [Option<usize>; 4] = [Some(0), Some(1), Some(5), None];

gort_test::test_module! {
    fn receivers_that_wait_learn_of_the_end() {
        for capacity in ALL {
            let (s, r) = channel::<u8>(capacity);
            let (r1, r2, r3, r4) = (r.clone(), r.clone(), r.clone(), r);
            let plain = thread::spawn(move || r1.recv());
            let timed = thread::spawn(move || r2.recv_timeout(LONG));
            let select = thread::spawn(move || {
                let mut select = Select::new();
                select.recv(&r3);
                select.select().recv(&r3)
            });
            let ready = thread::spawn(move || {
                let mut select = Select::new();
                let index = select.recv(&r4);
                (select.ready() == index, r4.try_recv())
            });
            until_waiting(4);
            drop(s);
            assert_eq!(plain.join().unwrap(), Err(RecvError));
            assert_eq!(timed.join().unwrap(), Err(RecvTimeoutError::Disconnected));
            assert_eq!(select.join().unwrap(), Err(RecvError));
            assert_eq!(ready.join().unwrap(), (true, Err(TryRecvError::Disconnected)));
        }
    }

    fn senders_that_wait_learn_of_the_end_and_have_their_messages_back() {
        for capacity in [0, 2] {
            let (s, r) = bounded(capacity);
            (0..capacity).for_each(|_| s.send(Counted::<1>::new(9)).unwrap());
            let (s1, s2, s3, s4) = (s.clone(), s.clone(), s.clone(), s);
            let plain = thread::spawn(move || s1.send(Counted::new(1)).unwrap_err().0.value());
            let timed = thread::spawn(move || match s2.send_timeout(Counted::new(2), LONG) {
                Err(SendTimeoutError::Disconnected(message)) => message.value(),
                _ => 0,
            });
            let select = thread::spawn(move || {
                let mut select = Select::new();
                select.send(&s3);
                select.select().send(&s3, Counted::new(3)).unwrap_err().0.value()
            });
            let ready = thread::spawn(move || {
                let mut select = Select::new();
                let index = select.send(&s4);
                select.ready() == index && s4.try_send(Counted::new(4)).is_err()
            });
            until_waiting(4);
            drop(r);
            assert_eq!(plain.join().unwrap(), 1);
            assert_eq!(timed.join().unwrap(), 2);
            assert_eq!(select.join().unwrap(), 3);
            assert!(ready.join().unwrap());
            assert_eq!(alive(), 0);
        }
    }

    fn what_was_sent_is_received_after_the_end() {
        for capacity in [Some(70), None] {
            let (s, r) = channel(capacity);
            (0..70).for_each(|i| s.send(Counted::<1>::new(i)).unwrap());
            drop(s);
            assert!(r.iter().map(|message| message.value()).eq(0..70));
            assert_eq!(r.recv().map(|_| ()), Err(RecvError));
            assert_eq!(alive(), 0);
        }
    }

    fn what_nobody_received_is_dropped_with_the_last_receiver() {
        for capacity in [Some(200), None] {
            for (sent, received) in [(0, 0), (1, 0), (62, 0), (63, 0), (130, 0), (130, 70), (200, 199)] {
                let (s, r) = channel(capacity);
                (0..sent).for_each(|i| s.send(Counted::<1>::new(i)).unwrap());
                (0..received).for_each(|_| drop(r.recv().unwrap()));
                let other = r.clone();
                drop(r);
                assert_eq!((alive(), other.len()), (sent - received, sent - received));
                drop(other);
                assert_eq!((alive(), s.len()), (0, 0));
                assert_eq!(s.send(Counted::new(0)).map_err(|SendError(message)| message.value()), Err(0));
                assert_eq!(alive(), 0);
            }
        }
    }

    fn what_wrapped_round_is_dropped_too() {
        let (s, r) = bounded(5);
        for i in 0..8 {
            s.send(Counted::<1>::new(i)).unwrap();
            if i < 3 {
                r.recv().unwrap();
            }
        }
        drop(s);
        assert_eq!(alive(), 5);
        drop(r);
        assert_eq!(alive(), 0);
    }

    fn a_channel_in_itself_is_no_cycle_when_the_receiver_is_gone() {
        #[allow(dead_code, reason = "held, to be dropped")]
        struct Nested(Option<Sender<Nested>>, Arc<()>);
        let seen = Arc::new(());
        for capacity in [Some(3), None] {
            let (s, r) = channel(capacity);
            s.send(Nested(Some(s.clone()), seen.clone())).unwrap();
            s.send(Nested(None, seen.clone())).unwrap();
            s.send(Nested(Some(s.clone()), seen.clone())).unwrap();
            drop(s);
            drop(r);
            assert_eq!(Arc::strong_count(&seen), 1);
        }
    }

    fn a_receiver_may_be_in_its_own_channel() {
        struct Nested(#[allow(dead_code, reason = "held, to be dropped")] Receiver<Nested>);
        let (s, r) = unbounded();
        s.send(Nested(r.clone())).unwrap();
        drop(r.recv().unwrap());
        drop(s);
        assert!(r.recv().is_err());
    }

    fn both_ends_go_at_the_same_time() {
        for round in 0..500 {
            let (s, r) = channel(ALL[round % 4]);
            let sender = thread::spawn(move || {
                for i in 0..round % 8 {
                    if s.send(Counted::<1>::new(i)).is_err() {
                        break;
                    }
                }
            });
            let receiver = thread::spawn(move || r.iter().take(round % 5).count());
            sender.join().unwrap();
            receiver.join().unwrap();
            assert_eq!(alive(), 0);
        }
    }

    fn clones_come_and_go() {
        let (s, r) = bounded(1);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (s, r) = (s.clone(), r.clone());
                thread::spawn(move || {
                    for i in 0..200 {
                        let (s, r) = (s.clone(), r.clone());
                        s.send(Counted::<1>::new(i)).unwrap();
                        r.recv().unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(r.is_empty());
        drop(r);
        assert!(s.send(Counted::new(0)).is_err());
        assert_eq!(alive(), 0);
    }
}
