//! Tests of `sched::glist` and `sched::gpack`: the global queue, and the dead goroutines
//! that all Ps share, against plain models of them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::glist::{BATCH, Batch, GQueue};
use crate::gpack::{GFree, PACK};
use crate::runtime2::{G, GCache, MAX_G_FREE};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("gpack::free_is_as_the_model", free_is_as_the_model),
        Trial::test("gpack::cache_is_as_the_model", cache_is_as_the_model),
        Trial::test("glist::queue_is_as_the_model", queue_is_as_the_model),
        Trial::test("glist::without_memory", without_memory),
    ]
}

/// A goroutine at the top of its stack.
#[repr(C, align(64))]
struct Slot {
    stack: Cell<[u8; 4096]>,
    g: G,
}

/// Makes a goroutine with that number.
fn goroutine(goid: u64) -> &'static G {
    let slot: &'static Slot = Box::leak(Box::new(Slot {
        stack: Cell::new([0; 4096]),
        g: G::new(),
    }));
    ptr::from_ref(slot).expose_provenance(); // what is below the G is found by its address
    let gp = &slot.g;
    gp.goid.set(goid);
    gp
}

/// Takes all of a cache, the hottest first.
fn drain(cache: &GCache) -> Vec<&'static G> {
    std::iter::from_fn(|| cache.pop()).collect()
}

/// Makes a cache of those, the hottest of which comes first.
fn cache_of(all: &[&'static G]) -> GCache {
    let cache = GCache::new();
    assert!(all.iter().rev().all(|gp| cache.push(gp)), "there is room");
    cache
}

fn numbers<'a>(all: impl IntoIterator<Item = &'a &'static G>) -> Vec<u64> {
    all.into_iter().map(|gp| gp.goid.get()).collect()
}

/// In the model the packs, and in these the goroutines, stand with the hottest first.
fn free_is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(0x6f7ee);
    let mut free = GFree::new();
    let mut model: VecDeque<Vec<&'static G>> = VecDeque::new();
    let mut idle: Vec<&'static G> = (1..=200).map(goroutine).collect();
    for step in 0..200_000 {
        let count = (random.next() as usize % (PACK + 1)).min(idle.len());
        match random.next() % 4 {
            0 => {
                let pack = idle.split_off(idle.len() - count);
                free.put(cache_of(&pack).all());
                if !pack.is_empty() {
                    model.push_front(pack);
                }
            }
            1 => {
                let pack = idle.split_off(idle.len() - count);
                free.put_coldest(cache_of(&pack).all());
                if !pack.is_empty() {
                    model.push_back(pack);
                }
            }
            side => {
                let cache = GCache::new();
                let expected = if side == 2 {
                    free.take(&cache);
                    model.pop_front()
                } else {
                    free.take_coldest(&cache);
                    model.pop_back()
                };
                let got = drain(&cache);
                let expected = expected.unwrap_or_default();
                ensure!(numbers(&got) == numbers(&expected), "step {step}");
                idle.extend(got);
            }
        }
        let count: usize = model.iter().map(Vec::len).sum();
        ensure!(free.len() == count, "step {step}: {}", free.len());
    }
    Ok(())
}

fn cache_is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(0xcac4e);
    let cache = GCache::new();
    let mut model: Vec<&'static G> = Vec::new(); // the hottest last
    let mut idle: Vec<&'static G> = (1..=100).map(goroutine).collect();
    for step in 0..50_000 {
        if random.next() % 5 < 3 {
            let Some(gp) = idle.pop() else { continue };
            let room = cache.push(gp);
            ensure!(room == (model.len() < MAX_G_FREE), "step {step}");
            if room {
                model.push(gp);
            } else {
                idle.push(gp);
                cache.remove_colder_half();
                idle.extend(model.drain(..PACK));
            }
        } else {
            let next = cache.peek().map(<*const G>::addr);
            let (got, expected) = (cache.pop(), model.pop());
            ensure!(numbers(&got) == numbers(&expected), "step {step}");
            let address = got.map(|gp| ptr::from_ref(gp).addr());
            ensure!(next == address, "step {step}");
            idle.extend(got);
        }
        let all: Vec<_> = cache.all().iter().map(|gp| gp.get().addr()).collect();
        let expected: Vec<_> = model.iter().map(|&gp| ptr::from_ref(gp).addr()).collect();
        ensure!(all == expected, "step {step}");
    }
    Ok(())
}

/// Gets memory for three batches, for good.
fn alloc() -> (*mut Batch, usize) {
    let memory = vec![[0usize; size_of::<Batch>() / 8]; 3];
    (Box::leak(memory.into_boxed_slice()).as_mut_ptr().cast(), 3)
}

fn queue_is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(0x9e0e);
    let mut queue = GQueue::new();
    // Each with how many are to be taken before it is its turn.
    let mut singles: VecDeque<(&'static G, usize)> = VecDeque::new();
    let mut batches: VecDeque<VecDeque<&'static G>> = VecDeque::new();
    let mut taken = 0;
    let mut idle: Vec<&'static G> = (1..=1000).map(goroutine).collect();
    for step in 0..200_000 {
        let size = singles.len() + batches.iter().map(VecDeque::len).sum::<usize>();
        ensure!(queue.len() == size, "step {step}");
        let oldest = batches.front().map_or(0, VecDeque::len);
        ensure!(queue.oldest_len() == oldest, "step {step}");
        // Now and then nearly all are taken, and now and then nearly none.
        let pushes = if step / 1000 % 2 == 0 { 60 } else { 2 };
        match random.next() % 100 {
            0 => {
                let count = (1 + random.next() as usize % BATCH).min(idle.len());
                let batch = idle.split_off(idle.len() - count);
                queue.push_batch(&batch, alloc);
                if !batch.is_empty() {
                    batches.push_back(batch.into());
                }
            }
            dice if dice < pushes => {
                if let Some(gp) = idle.pop() {
                    queue.push_back(gp);
                    singles.push_back((gp, taken + size));
                }
            }
            dice => {
                let oldest = dice % 8 == 0;
                let got = queue.pop(oldest);
                let its_turn = singles.front().is_some_and(|single| single.1 <= taken);
                let expected = if its_turn || batches.is_empty() {
                    singles.pop_front().map(|single| single.0)
                } else {
                    let at = if oldest { 0 } else { batches.len() - 1 };
                    let gp = batches[at].pop_front();
                    if batches[at].is_empty() {
                        batches.remove(at);
                    }
                    gp
                };
                ensure!(numbers(&got) == numbers(&expected), "step {step}");
                taken += got.iter().len();
                idle.extend(got);
            }
        }
    }
    Ok(())
}

/// Where there is no memory for a batch all are there still, in their order.
fn without_memory() -> Result<(), Failed> {
    let mut queue = GQueue::new();
    let all: Vec<&'static G> = (1..=100).map(goroutine).collect();
    queue.push_batch(&all, || (ptr::null_mut(), 0));
    ensure!(queue.len() == 100, "{}", queue.len());
    let got: Vec<_> = std::iter::from_fn(|| queue.pop(false)).collect();
    ensure!(numbers(&got) == numbers(&all), "{:?}", numbers(&got));
    Ok(())
}
