// Mutexes: guards, try_lock, and the face of poisoning.

use std::ops::DerefMut;
use std::sync::{Arc, LockResult, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

#[derive(Debug, Default)]
struct Account {
    balance: i64,
    log: Vec<i64>,
}

fn transfer(from: &Mutex<Account>, to: &Mutex<Account>, amount: i64) {
    // Always in the order of addresses, lest two wait for each other.
    let (first, second) = if (from as *const Mutex<Account>) < (to as *const _) {
        (from, to)
    } else {
        (to, from)
    };
    let (mut first, mut second) = (first.lock().unwrap(), second.lock().unwrap());
    let (source, target) = if (from as *const Mutex<Account>) < (to as *const _) {
        (first.deref_mut(), second.deref_mut())
    } else {
        (second.deref_mut(), first.deref_mut())
    };
    source.balance -= amount;
    target.balance += amount;
    target.log.push(amount);
}

static GLOBAL: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn main() {
    let accounts: Arc<Vec<Mutex<Account>>> = Arc::new((0..4).map(|_| Mutex::default()).collect());
    let threads: Vec<_> = (0..8usize)
        .map(|thread| {
            let accounts = Arc::clone(&accounts);
            thread::spawn(move || {
                for step in 0..200 {
                    let (from, to) = ((thread + step) % 4, (thread + 3 * step + 1) % 4);
                    if from != to {
                        transfer(&accounts[from], &accounts[to], step as i64);
                    }
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let total: i64 = accounts
        .iter()
        .map(|account| account.lock().unwrap().balance)
        .sum();
    let transfers: usize = accounts
        .iter()
        .map(|account| account.lock().unwrap().log.len())
        .sum();
    println!("total {total}, transfers {transfers}");

    let mut mutex = Mutex::new(String::from("text"));
    println!("{mutex:?}");
    {
        let guard = mutex.lock().unwrap();
        println!("{mutex:?} {guard:?} {guard} {}", guard.len());
        match mutex.try_lock() {
            Err(TryLockError::WouldBlock) => println!("it is locked"),
            other => println!("{other:?}"),
        }
        println!("{}", mutex.try_lock().unwrap_err());
    }
    mutex.get_mut().unwrap().push('s');
    println!("{:?} {}", mutex.try_lock().unwrap(), mutex.is_poisoned());
    mutex.clear_poison();
    let locked: LockResult<MutexGuard<'_, String>> = mutex.lock();
    drop(locked.unwrap_or_else(PoisonError::into_inner));
    println!("{:?}", mutex.into_inner());
    let poison = PoisonError::new(3);
    println!("{poison} {poison:?} {}", poison.get_ref());

    thread::scope(|scope| {
        for number in 0..10 {
            scope.spawn(move || GLOBAL.lock().unwrap().push(number));
        }
    });
    let mut numbers = GLOBAL.lock().unwrap();
    numbers.sort();
    println!("{numbers:?}");
    println!(
        "{:?}",
        Mutex::from(5).lock().map(|guard| *guard + 1).unwrap()
    );
}
