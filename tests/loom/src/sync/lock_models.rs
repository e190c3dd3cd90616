//! Models of the mutex and of the lock for readers and writers.
//!
//! What they protect is a plain cell, so that loom sees who touches it at the same time as
//! another, or without what that one did. A wake-up that is lost is a deadlock.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

use super::modes::{lock_slow, try_lock, try_lock_fast, unlock_fast, unlock_slow};
use super::phases::{
    downgrade, read_slow, read_unlock_fast, read_unlock_slow, try_read, write_unlock_slow,
};
use super::sema::Sema;
use super::spin;
use super::waitreason::WaitReason;
use crate::patient;

/// How long a wait takes: nobody starves, or everybody does who waits.
const SHORT: i64 = 1;
const LONG: i64 = 2_000_000;

/// A lock and what it protects.
struct Shared<const N: usize> {
    sema: Sema<N>,
    value: UnsafeCell<u32>,
}

// SAFETY: loom watches over the cell.
unsafe impl<const N: usize> Sync for Shared<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Send for Shared<N> {}

impl<const N: usize> Shared<N> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            sema: Sema::new(),
            value: UnsafeCell::new(0),
        })
    }

    fn lock(&self) {
        if !try_lock_fast(&self.sema) {
            lock_slow(&self.sema, WaitReason);
        }
    }

    fn add(&self) {
        // SAFETY: loom sees to it that nobody else is here.
        self.value.with_mut(|value| unsafe { *value += 1 });
    }

    fn look(&self) -> u32 {
        // SAFETY: loom sees to it that nobody writes.
        self.value.with(|value| unsafe { *value })
    }

    /// When all is over, nothing is left.
    fn check(&self, sum: u32) {
        assert_eq!(self.look(), sum);
        assert_eq!(self.sema.word.load(Ordering::Relaxed), 0);
    }
}

impl Shared<1> {
    fn add_one(&self) {
        self.lock();
        self.add();
        self.unlock();
    }

    fn unlock(&self) {
        if unlock_fast(&self.sema) {
            unlock_slow(&self.sema);
        }
    }
}

impl Shared<2> {
    fn write(&self) {
        self.lock();
        self.add();
        if unlock_fast(&self.sema) {
            write_unlock_slow(&self.sema);
        }
    }

    fn read(&self) {
        if !try_read(&self.sema) {
            read_slow(&self.sema, WaitReason);
        }
        self.look();
        self.leave();
    }

    fn write_and_read(&self) {
        self.lock();
        self.add();
        let written = self.look();
        downgrade(&self.sema);
        assert_eq!(self.look(), written);
        self.leave();
    }

    fn leave(&self) {
        if read_unlock_fast(&self.sema) {
            read_unlock_slow(&self.sema);
        }
    }
}

/// Runs what three goroutines do to a lock, the model's own first, in all orders with at
/// most so many interruptions.
fn model<const N: usize>(
    (wait, spins): (i64, u32),
    interruptions: usize,
    parties: &'static [fn(&Shared<N>)],
    sum: u32,
) {
    let mut model = Builder::new();
    model.preemption_bound = Some(interruptions);
    model.check(move || {
        spin::set(wait, spins);
        let shared = Shared::<N>::new();
        let others: Vec<_> = parties[1..]
            .iter()
            .map(|party| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || party(&shared))
            })
            .collect();
        parties[0](&shared);
        for other in others {
            other.join().unwrap();
        }
        shared.check(sum);
    });
}

/// Twice.
fn add_two(shared: &Shared<1>) {
    shared.add_one();
    shared.add_one();
}

/// If it can.
fn try_to_add(shared: &Shared<1>) {
    if try_lock(&shared.sema) {
        shared.unlock();
    }
}

#[test]
fn two_and_the_normal_mode() {
    model((SHORT, 0), 5, &[add_two, add_two], 4);
}

#[test]
fn two_and_the_starving_mode() {
    model((LONG, 0), 5, &[add_two, add_two], 4);
}

#[test]
fn three_and_the_normal_mode() {
    model(
        (SHORT, 0),
        patient(3),
        &[Shared::add_one, Shared::add_one, Shared::add_one],
        3,
    );
}

#[test]
fn three_and_the_starving_mode() {
    model(
        (LONG, 0),
        patient(3),
        &[add_two, Shared::add_one, Shared::add_one],
        4,
    );
}

#[test]
fn three_that_spin() {
    model(
        (SHORT, 1),
        patient(2),
        &[add_two, Shared::add_one, Shared::add_one],
        4,
    );
    model(
        (LONG, 1),
        patient(2),
        &[add_two, Shared::add_one, Shared::add_one],
        4,
    );
}

#[test]
fn one_that_only_tries() {
    model(
        (LONG, 0),
        patient(3),
        &[add_two, Shared::add_one, try_to_add],
        3,
    );
}

#[test]
fn a_writer_and_two_readers() {
    model(
        (SHORT, 0),
        patient(3),
        &[Shared::write, Shared::read, Shared::read],
        1,
    );
}

#[test]
fn two_writers_and_a_reader() {
    model(
        (SHORT, 0),
        patient(3),
        &[Shared::write, Shared::write, Shared::read],
        2,
    );
    model(
        (LONG, 0),
        patient(3),
        &[Shared::write, Shared::write, Shared::read],
        2,
    );
}

#[test]
fn writers_and_a_reader_that_come_again() {
    fn again(shared: &Shared<2>) {
        shared.write();
        shared.read();
        shared.write();
    }
    model(
        (LONG, 0),
        patient(2),
        &[again, Shared::write, Shared::read],
        3,
    );
    model(
        (SHORT, 1),
        patient(2),
        &[again, Shared::write, Shared::read],
        3,
    );
}

#[test]
fn a_writer_that_becomes_a_reader() {
    model(
        (SHORT, 0),
        patient(3),
        &[Shared::write_and_read, Shared::write, Shared::read],
        2,
    );
    model(
        (LONG, 0),
        patient(3),
        &[Shared::write_and_read, Shared::write, Shared::read],
        2,
    );
}
