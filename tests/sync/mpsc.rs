//! std's channels.

use alloc::format;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::sync::mpsc::{
    self, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender, TryRecvError,
    TrySendError,
};
use gort::thread;

use crate::{LONG, SHORT, spawn, spawn_waiting, storms};

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Has senders send, and says whether each one's messages came in order, and all of them.
fn in_order(senders: usize, messages: usize, receiver: &Receiver<(usize, usize)>) -> bool {
    let mut next: Vec<usize> = (0..senders).map(|_| 0).collect();
    for (sender, number) in receiver {
        if next[sender] != number {
            return false;
        }
        next[sender] += 1;
    }
    next.iter().all(|&next| next == messages)
}

gort_test::test_module! {
    fn many_senders() {
        storms(|_| {
            const MESSAGES: usize = 500;
            let (sender, receiver) = mpsc::channel();
            for number in 0..5 {
                let sender = sender.clone();
                gort::go(move || {
                    for message in 0..MESSAGES {
                        sender.send((number, message)).unwrap();
                    }
                });
            }
            drop(sender);
            assert!(in_order(5, MESSAGES, &receiver));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        });
    }

    fn many_senders_that_wait() {
        for bound in [0, 1, 7] {
            storms(|_| {
                const MESSAGES: usize = 200;
                let (sender, receiver) = mpsc::sync_channel(bound);
                for number in 0..4 {
                    let sender = sender.clone();
                    gort::go(move || {
                        for message in 0..MESSAGES {
                            let mut failed = sender.try_send((number, message));
                            if let Err(TrySendError::Full(message)) = failed {
                                failed = sender.send(message).map_err(TrySendError::from);
                            }
                            failed.unwrap();
                        }
                    });
                }
                drop(sender);
                assert!(in_order(4, MESSAGES, &receiver));
            });
        }
    }

    fn senders_go() {
        let (sender, receiver) = mpsc::channel();
        let other = sender.clone();
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let waiter = spawn_waiting(move || (receiver.recv(), receiver));
        drop(other);
        let (received, receiver) = waiter.join().unwrap();
        assert_eq!(received, Err(RecvError));
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        assert_eq!(receiver.try_iter().next(), None);
    }

    fn the_receiver_goes() {
        let drops = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = mpsc::channel();
        assert!(sender.send(Counted(Arc::clone(&drops))).is_ok());
        drop(receiver);
        assert_eq!(drops.load(Ordering::Relaxed), 1, "nobody receives it");
        let SendError(message) = sender.send(Counted(Arc::clone(&drops))).unwrap_err();
        assert_eq!(drops.load(Ordering::Relaxed), 1, "it comes back");
        drop(message);

        let (sender, receiver) = mpsc::sync_channel(0);
        let other = sender.clone();
        let waiter = spawn_waiting(move || other.send(5));
        assert_eq!(sender.try_send(6), Err(TrySendError::Full(6)));
        drop(receiver);
        assert_eq!(waiter.join().unwrap(), Err(SendError(5)));
        assert_eq!(sender.try_send(6), Err(TrySendError::Disconnected(6)));
    }

    fn a_time_that_is_over() {
        let (sender, receiver) = mpsc::sync_channel(1);
        assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        sender.send(3).unwrap();
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Ok(3));
        let waiter = spawn_waiting(move || receiver.recv_timeout(LONG));
        sender.send(4).unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(4));
    }

    fn iterators() {
        let (sender, receiver) = mpsc::channel();
        for number in 0..4 {
            sender.send(number).unwrap();
        }
        assert_eq!(receiver.iter().take(2).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [2, 3]);
        let late = spawn(move || {
            thread::yield_now();
            sender.send(9).unwrap();
        });
        assert_eq!(receiver.into_iter().collect::<Vec<_>>(), [9]);
        late.join().unwrap();
    }

    fn texts_and_traits() {
        fn shared<T: Send + Sync>() {}
        fn sent<T: Send>() {}
        shared::<Sender<u8>>();
        shared::<SyncSender<u8>>();
        sent::<Receiver<u8>>();
        let (sender, receiver) = mpsc::channel::<u8>();
        let (sync_sender, _) = mpsc::sync_channel::<u8>(0);
        assert_eq!(format!("{sender:?} {sync_sender:?}"), "Sender { .. } SyncSender { .. }");
        assert_eq!(format!("{:?}", receiver.iter()), "Iter { rx: Receiver { .. } }");
        assert_eq!(format!("{:?}", SendError(1)), "SendError { .. }");
        assert_eq!(SendError(1).to_string(), "sending on a closed channel");
        let full = TrySendError::Full(1);
        assert_eq!(format!("{full:?} {full}"), "TrySendError::Full(..) sending on a full channel");
        let gone = TrySendError::from(SendError(1));
        assert_eq!(format!("{gone:?} {gone}"), "TrySendError::Disconnected(..) sending on a closed channel");
        assert_eq!(RecvError.to_string(), "receiving on a closed channel");
        assert_eq!(TryRecvError::Empty.to_string(), "receiving on an empty channel");
        assert_eq!(TryRecvError::from(RecvError).to_string(), "receiving on a closed channel");
        assert_eq!(RecvTimeoutError::Timeout.to_string(), "timed out waiting on channel");
        let error: &dyn Error = &RecvTimeoutError::from(RecvError);
        assert_eq!(error.to_string(), "channel is empty and sending half is closed");
    }
}
