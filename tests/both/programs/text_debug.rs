// How the types of the library show themselves.

use both::channel;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::io::{self, Cursor, ErrorKind, SeekFrom};
use std::process::ExitCode;
use std::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, PoisonError, RwLock, TryLockError,
    Weak, mpsc,
};
use std::thread;
use std::time::Duration;

fn show(name: &str, value: &dyn Debug) {
    println!("{name}: {value:?}");
    println!("{name}: {value:#?}");
}

fn main() {
    let mutex = Mutex::new(1);
    show("Mutex", &mutex);
    let guard = mutex.lock().unwrap();
    show("MutexGuard", &guard);
    show("Mutex, locked", &mutex);
    show(
        "TryLockError",
        &mutex.try_lock().map(drop).map_err(|error| match error {
            TryLockError::WouldBlock => TryLockError::<()>::WouldBlock,
            TryLockError::Poisoned(_) => unreachable!(),
        }),
    );
    drop(guard);
    show("PoisonError", &PoisonError::new("data"));
    show("Poisoned", &TryLockError::Poisoned(PoisonError::new(1)));
    let rwlock = RwLock::new("text");
    show("RwLock", &rwlock);
    let read = rwlock.read().unwrap();
    show("RwLockReadGuard", &read);
    drop(read);
    let write = rwlock.write().unwrap();
    show("RwLock, locked", &rwlock);
    show("RwLockWriteGuard", &write);
    show("Condvar", &Condvar::new());
    show("Once", &Once::new());
    show("OnceLock", &OnceLock::<u8>::new());
    show("OnceLock, set", &OnceLock::from(1));
    let lazy = LazyLock::new(|| 1);
    show("LazyLock", &lazy);
    let _ = *lazy;
    show("LazyLock, forced", &lazy);
    show("Barrier", &Barrier::new(1));
    show("BarrierWaitResult", &Barrier::new(1).wait());
    show("Arc", &Arc::new(Mutex::new(())));
    show("Weak", &Weak::<u8>::new());
    show("Cell", &(Cell::new(1), RefCell::new(2), OnceCell::from(3)));

    let (sender, receiver) = channel::bounded(1);
    show(
        "channel",
        &(&sender, &receiver, receiver.iter(), receiver.try_iter()),
    );
    show("Full", &[sender.try_send(1), sender.try_send(2)]);
    show("Timeout", &sender.send_timeout(3, Duration::ZERO));
    let _ = receiver.recv();
    show("Empty", &receiver.try_recv());
    show("Timeout", &receiver.recv_timeout(Duration::ZERO));
    drop(receiver);
    show(
        "Disconnected",
        &(
            sender.send(1),
            sender.try_send(2),
            sender.send_timeout(3, Duration::ZERO),
        ),
    );
    let mut select = channel::Select::new();
    show("Select", &select);
    show("TrySelectError", &select.try_select().map(drop));
    show("TryReadyError", &select.try_ready());

    let (sender, receiver) = mpsc::sync_channel(1);
    show("mpsc", &(&sender, &receiver));
    show("mpsc full", &[sender.try_send(1), sender.try_send(2)]);
    let _ = receiver.recv();
    show(
        "mpsc empty",
        &(receiver.try_recv(), receiver.recv_timeout(Duration::ZERO)),
    );
    drop(receiver);
    show("mpsc closed", &(sender.send(1), sender.try_send(2)));
    let (sender, receiver) = mpsc::channel::<u8>();
    show("mpsc", &(&sender, &receiver));
    drop(sender);
    show(
        "mpsc closed",
        &(
            receiver.recv(),
            receiver.try_recv(),
            receiver.recv_timeout(Duration::ZERO),
        ),
    );

    show("JoinHandle", &thread::spawn(|| ()));
    show("Cursor", &Cursor::new([1, 2]));
    show("SeekFrom", &SeekFrom::End(-1));
    show("ErrorKind", &ErrorKind::WouldBlock);
    show("Error", &io::Error::new(ErrorKind::InvalidInput, "why"));
    show("streams", &(io::stdin(), io::stdout(), io::stderr()));
    show("small ones", &(io::empty(), io::sink(), io::repeat(1)));
    show(
        "readers",
        &(
            io::BufReader::with_capacity(4, &b"ab"[..]),
            io::BufWriter::with_capacity(4, vec![1]),
        ),
    );
    show("take", &io::Read::take(&b"abc"[..], 2));
    show("ExitCode", &[ExitCode::SUCCESS, ExitCode::from(3)]);
    show("VarError", &std::env::var("THERE_IS_NONE"));
    show(
        "collections",
        &(
            HashMap::from([(1, 2)]),
            HashSet::from(["a"]),
            HashMap::<u8, u8>::new().keys(),
        ),
    );
}
