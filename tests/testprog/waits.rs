//! Deadlocks on what goroutines wait for each other with.

use gort::process::ExitCode;
use gort::sync::{Barrier, Condvar, Mutex, Once, RwLock, Semaphore, go};

use crate::{Command, Failure, OK};

pub(crate) const COMMANDS: &[Command] = &[("deadlock-on", deadlock_on)];

static MUTEX: Mutex<()> = Mutex::new(());
static LOCK: RwLock<()> = RwLock::new(());
static CONDVAR: Condvar = Condvar::new();
static ONCE: Once = Once::new();
static BARRIER: Barrier = Barrier::new(2);
static GROUP: go::WaitGroup = go::WaitGroup::new();
static SEMAPHORE: Semaphore = Semaphore::new(2);

/// Waits for itself.
fn deadlock_on(what: &str) -> Result<ExitCode, Failure> {
    let _reader = LOCK.read();
    match what {
        "mutex" => {
            let _guard = MUTEX.lock();
            drop(MUTEX.lock());
        }
        "write" => drop(LOCK.write()),
        "read" => {
            let lock = RwLock::new(());
            let _writer = lock.write();
            drop(lock.read());
        }
        "condvar" => drop(MUTEX.lock().and_then(|guard| CONDVAR.wait(guard))),
        "once" => ONCE.wait(),
        "barrier" => drop(BARRIER.wait()),
        "group" => {
            GROUP.add(1);
            GROUP.wait();
        }
        "semaphore" => drop(SEMAPHORE.acquire_many(3)),
        _ => {}
    }
    OK
}
