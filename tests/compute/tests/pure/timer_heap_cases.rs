//! Tests of `sched::timer_heap`: the heap against a sorted model.

use std::collections::BTreeMap;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::timer_heap::{Entry, TimerHeap};
use crate::timer_memory::allocated;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("timer_heap::is_as_the_model", is_as_the_model),
        Trial::test("timer_heap::is_put_in_order_again", is_put_in_order_again),
        Trial::test(
            "timer_heap::a_million_come_out_in_order",
            a_million_come_out_in_order,
        ),
        Trial::test("timer_heap::memory_is_given_back", memory_is_given_back),
    ]
}

/// A timer of that number. Nobody looks at it.
fn timer(number: usize) -> *const () {
    std::ptr::without_provenance(number)
}

/// Checks the first entry, and that each has the number that belongs to its time.
fn check(heap: &TimerHeap<()>, model: &BTreeMap<(i64, usize), ()>) -> Result<(), Failed> {
    ensure!(heap.len() == model.len(), "{} entries", heap.len());
    let first = heap.first().map(|entry| entry.when);
    let expected = model.first_key_value().map(|((when, _), ())| *when);
    ensure!(first == expected, "{first:?}, not {expected:?}");
    Ok(())
}

/// Entries come, go from the front and the end, and change their time there.
fn is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(1);
    let mut heap: TimerHeap<()> = TimerHeap::new();
    let mut model = BTreeMap::new();
    for number in 0..200_000usize {
        // It grows, then shrinks, and again.
        let grows = (number / 25_000).is_multiple_of(2);
        let when = random.below(5000) as i64;
        match random.below(8) {
            0 => {
                if let Some(first) = heap.first() {
                    heap.move_first(when);
                    model.remove(&(first.when, first.timer.addr()));
                    model.insert((when, first.timer.addr()), ());
                }
            }
            1 => {
                if let Some(last) = heap.remove_last() {
                    let known = model.remove(&(last.when, last.timer.addr()));
                    ensure!(known.is_some(), "an entry that nobody made");
                }
            }
            2..6 if grows => {
                heap.push(Entry {
                    when,
                    timer: timer(number),
                });
                model.insert((when, number), ());
            }
            _ => {
                if let Some(first) = heap.first() {
                    heap.remove_first();
                    let known = model.remove(&(first.when, first.timer.addr()));
                    ensure!(known.is_some(), "an entry that nobody made");
                }
            }
        }
        check(&heap, &model)?;
    }
    while let Some(first) = heap.first() {
        heap.remove_first();
        model.remove(&(first.when, first.timer.addr()));
        check(&heap, &model)?;
    }
    heap.clear();
    Ok(())
}

/// Entries are changed and removed all over the heap, which is rebuilt then.
fn is_put_in_order_again() -> Result<(), Failed> {
    let mut random = Random::new(2);
    for size in [0, 1, 2, 4, 5, 6, 17, 1000, 1021, 1022, 5000] {
        let mut heap: TimerHeap<()> = TimerHeap::new();
        for number in 0..size {
            heap.push(Entry {
                when: random.below(1000) as i64,
                timer: timer(number),
            });
        }
        let mut index = 0;
        while index < heap.len() {
            match random.below(3) {
                0 => heap.swap_remove(index),
                1 => {
                    heap.set_when(index, random.below(1000) as i64);
                    index += 1;
                }
                _ => index += 1,
            }
        }
        let mut model: BTreeMap<_, _> = (0..heap.len())
            .filter_map(|index| heap.get(index))
            .map(|entry| ((entry.when, entry.timer.addr()), ()))
            .collect();
        ensure!(model.len() == heap.len(), "an entry is there twice");
        heap.rebuild();
        while let Some(first) = heap.first() {
            check(&heap, &model)?;
            heap.remove_first();
            model.remove(&(first.when, first.timer.addr()));
        }
        ensure!(model.is_empty(), "{} are lost", model.len());
        heap.clear();
    }
    Ok(())
}

fn a_million_come_out_in_order() -> Result<(), Failed> {
    const COUNT: usize = 1_000_000;
    let mut random = Random::new(3);
    let mut heap: TimerHeap<()> = TimerHeap::new();
    let mut sum = 0;
    for number in 0..COUNT {
        let when = random.below(1 << 31) as i64;
        sum += when;
        heap.push(Entry {
            when,
            timer: timer(number),
        });
    }
    let mut last = 0;
    while let Some(first) = heap.first() {
        ensure!(first.when >= last, "out of order");
        last = first.when;
        sum -= first.when;
        heap.remove_first();
    }
    ensure!(sum == 0, "not those that were put in");
    heap.clear();
    Ok(())
}

/// No more than a block beyond those for what there is and for the next is kept, and no block comes and goes with
/// an entry at its edge.
fn memory_is_given_back() -> Result<(), Failed> {
    let mut heap: TimerHeap<()> = TimerHeap::new();
    ensure!(allocated().0 == 0, "it begins with memory");
    let entry = Entry {
        when: 1,
        timer: timer(0),
    };
    for _ in 0..100_000 {
        heap.push(entry);
    }
    let (bytes, _) = allocated();
    let at_least = 100_000 * size_of::<Entry<()>>();
    ensure!(
        (at_least..at_least + (40 << 10)).contains(&bytes),
        "{bytes} bytes"
    );
    while heap.len() > 1021 {
        heap.remove_first();
    }
    let (bytes, calls) = allocated();
    ensure!(bytes <= (48 << 10) + (8 << 10), "{bytes} bytes are left");
    for _ in 0..1000 {
        heap.push(entry);
        heap.remove_last();
    }
    ensure!(allocated() == (bytes, calls), "memory comes and goes");
    while heap.remove_last().is_some() {}
    heap.clear();
    ensure!(allocated().0 == 0, "memory is lost");
    Ok(())
}
