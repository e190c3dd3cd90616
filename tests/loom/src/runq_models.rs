//! Models of `sched::runq`, its capacity shrunk: an owner, thieves, and those who
//! only look.
//!
//! What is queued has a plain cell, written by who queues it and again by who takes
//! it, so that loom sees an item that two have taken, and one that is handed over
//! without its content.
//!
//! What loom does not see: a load that returns what is stored later. The owner's acquire
//! load of `head`, which keeps it from filling a slot before a thief has read it, is
//! therefore argued in `runq` (invariant 3), and not tried here.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

use crate::runq::RunQueue;

/// What is queued.
struct Item {
    number: usize,
    /// How often it was queued, and taken.
    touched: UnsafeCell<u32>,
}

/// Queues of `N` places, and what goes through them.
struct World<const N: usize> {
    queues: [RunQueue<Item, N>; 3],
    items: Vec<Item>,
}

// SAFETY: loom watches over the cells.
unsafe impl<const N: usize> Sync for World<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Send for World<N> {}

impl<const N: usize> World<N> {
    /// Makes one with empty queues.
    fn new(items: usize) -> Arc<Self> {
        Arc::new(Self {
            queues: [RunQueue::new(), RunQueue::new(), RunQueue::new()],
            items: (0..items)
                .map(|number| Item {
                    number,
                    touched: UnsafeCell::new(0),
                })
                .collect(),
        })
    }

    /// Writes to an item that is to be queued.
    fn make(&self, number: usize) -> *mut Item {
        let item = &self.items[number];
        // SAFETY: loom sees to it that nobody else is here.
        item.touched.with_mut(|touched| unsafe { *touched += 1 });
        std::ptr::from_ref(item).cast_mut()
    }

    /// Queues an item; returns what flowed over.
    fn put(&self, queue: usize, number: usize, next: bool) -> Vec<usize> {
        let mut over = Vec::new();
        let item = self.make(number);
        self.queues[queue].put(item, next, |item| over.push(taken(item)));
        over
    }

    /// Takes an item.
    fn get(&self, queue: usize) -> Option<usize> {
        self.queues[queue].get().map(|(item, _)| taken(item))
    }

    /// Does what the assembly does behind an exchange: a last write to what was put in,
    /// and then others may find it.
    fn save(&self, queue: usize, item: *mut Item) {
        // SAFETY: the models keep their items to the end.
        let item = unsafe { &*item };
        item.touched.with_mut(|touched| {
            // SAFETY: loom sees to it that nobody else is here.
            unsafe { *touched += 1 }
        });
        let tail = self.queues[queue].tail();
        let next = tail.load(Ordering::Relaxed) + 1; // nobody else writes it
        tail.store(next, Ordering::Release); // pairs with others' loads
    }

    /// Takes all that is left.
    fn drain(&self, queue: usize) -> Vec<usize> {
        std::iter::from_fn(|| self.get(queue)).collect()
    }

    /// Steals, and takes all of it, the newest last.
    fn steal(&self, thief: usize, victim: usize, take_next: bool) -> Vec<usize> {
        let newest = self.queues[thief].steal_from(&self.queues[victim], take_next, || ());
        let mut stolen = Vec::new();
        if let Some((newest, _)) = newest {
            stolen = self.drain(thief);
            stolen.push(taken(newest));
        }
        stolen
    }
}

/// Has another thread do something.
fn start<R: 'static, const N: usize>(
    world: &Arc<World<N>>,
    f: impl FnOnce(&World<N>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let world = Arc::clone(world);
    thread::spawn(move || f(&world))
}

/// Writes to an item that was taken; returns its number.
fn taken(item: *mut Item) -> usize {
    // SAFETY: the models keep their items to the end.
    let item = unsafe { &*item };
    // SAFETY: loom sees to it that nobody else is here.
    item.touched.with_mut(|touched| unsafe { *touched += 1 });
    item.number
}

/// Each number up to `count` is in one of the lists, once.
#[track_caller]
fn each_once<const LISTS: usize>(count: usize, lists: [Vec<usize>; LISTS]) {
    let mut all = lists.concat();
    all.sort_unstable();
    assert_eq!(all, Vec::from_iter(0..count), "of {lists:?}");
}

/// A list that came from a ring is in the order in which it was put there.
#[track_caller]
fn in_order(list: &[usize]) {
    assert!(list.is_sorted(), "{list:?}");
}

/// Runs a model with a bound on how often one thread breaks into another.
fn bounded(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(f);
}

/// Slots are filled anew while a thief may still be reading them.
#[test]
fn the_owner_and_a_thief() {
    bounded(3, || {
        let world = World::<2>::new(4);
        world.put(0, 0, false);
        world.put(0, 1, false);
        let thief = start(&world, |world| world.steal(1, 0, false));
        let mut mine = Vec::from_iter(world.get(0));
        let mut over = Vec::new();
        for number in [2, 3] {
            over.extend(world.put(0, number, false));
        }
        mine.extend(world.drain(0));
        let stolen = thief.join().unwrap();
        in_order(&mine);
        in_order(&stolen);
        each_once(4, [mine, over, stolen]);
    });
}

/// What is put in while it is looked for comes with all that was written to it.
#[test]
fn an_item_is_stolen_with_its_content() {
    loom::model(|| {
        let world = World::<4>::new(3);
        let thief = start(&world, |world| {
            let first = world.steal(1, 0, true);
            [first, world.steal(1, 0, true)].concat()
        });
        world.put(0, 0, false);
        world.put(0, 1, false);
        world.put(0, 2, true);
        let stolen = thief.join().unwrap();
        // The next may be taken before the others are seen.
        in_order(&Vec::from_iter(
            stolen.iter().copied().filter(|&number| number != 2),
        ));
        each_once(3, [stolen, world.drain(0)]);
    });
}

/// A thief that comes when all is there takes half, rounded up, the oldest.
#[test]
fn half_is_stolen() {
    loom::model(|| {
        let world = World::<4>::new(4);
        for number in 0..3 {
            world.put(0, number, false);
        }
        world.put(0, 3, true);
        let thief = start(&world, |world| world.steal(1, 0, true));
        assert_eq!(thief.join().unwrap(), [0, 1]);
        assert_eq!(world.drain(0), [3, 2]);
    });
}

/// The owner, who sends one after the other out of runnext, and a thief who wants it.
#[test]
fn runnext_is_taken_once() {
    bounded(4, || {
        let world = World::<4>::new(3);
        world.put(0, 0, true);
        let thief = start(&world, |world| {
            let first = world.steal(1, 0, true);
            [first, world.steal(1, 0, true)].concat()
        });
        world.put(0, 1, true);
        let mut mine = Vec::from_iter(world.get(0));
        world.put(0, 2, true);
        mine.extend(world.drain(0));
        let stolen = thief.join().unwrap();
        each_once(3, [mine, stolen]);
    });
}

/// Two take what is in front, and the owner.
#[test]
fn runnext_and_two_thieves() {
    bounded(3, || {
        let world = World::<2>::new(2);
        world.put(0, 0, true);
        let thieves = [1, 2].map(|thief| start(&world, move |world| world.steal(thief, 0, true)));
        let mut mine = Vec::from_iter(world.get(0));
        world.put(0, 1, true);
        mine.extend(world.drain(0));
        let [one, other] = thieves.map(|thief| thief.join().unwrap());
        each_once(2, [mine, one, other]);
    });
}

/// A full ring flows over while a thief helps itself.
#[test]
fn overflow_against_a_thief() {
    bounded(4, || {
        let world = World::<2>::new(4);
        world.put(0, 0, false);
        world.put(0, 1, false);
        let thief = start(&world, |world| world.steal(1, 0, false));
        let mut over = world.put(0, 2, false);
        // One of three, with the one that found no room; none where the thief was first.
        assert!(
            over == [0, 2] || over == [1, 2] || over.is_empty(),
            "{over:?}"
        );
        over.extend(world.put(0, 3, false));
        let stolen = thief.join().unwrap();
        let mine = world.drain(0);
        in_order(&mine);
        in_order(&over);
        each_once(4, [over, stolen, mine]);
    });
}

/// Two thieves, one victim, who takes some itself.
#[test]
fn two_thieves() {
    bounded(3, || {
        let world = World::<4>::new(4);
        for number in 0..4 {
            world.put(0, number, false);
        }
        let thieves = [1, 2].map(|thief| start(&world, move |world| world.steal(thief, 0, false)));
        let mine = Vec::from_iter(world.get(0));
        let [one, other] = thieves.map(|thief| thief.join().unwrap());
        in_order(&one);
        in_order(&other);
        each_once(4, [mine, one, other, world.drain(0)]);
    });
}

/// What a thief has put into its own ring is stolen from there, while it puts more
/// behind it.
#[test]
fn a_thief_is_robbed() {
    bounded(3, || {
        let world = World::<4>::new(5);
        for number in 0..4 {
            world.put(0, number, false);
        }
        let robber = start(&world, |world| world.steal(2, 1, false));
        let newest = world.queues[1].steal_from(&world.queues[0], false, || ());
        assert_eq!(newest.map(|(newest, _)| taken(newest)), Some(1));
        world.put(1, 4, false);
        let mine = world.drain(1);
        let robbed = robber.join().unwrap();
        in_order(&mine);
        in_order(&robbed);
        each_once(5, [vec![1], mine, robbed, world.drain(0)]);
    });
}

/// Something is there all the time, though never all the time in one place.
#[test]
fn nobody_finds_it_empty_that_is_not() {
    loom::model(|| {
        let world = World::<2>::new(2);
        world.put(0, 0, true);
        let looker = start(&world, |world| world.queues[0].is_empty());
        // Sends 0 to the ring, and is taken from the front.
        world.put(0, 1, true);
        assert_eq!(world.get(0), Some(1));
        assert!(!looker.join().unwrap());
        assert_eq!(world.drain(0), [0]);
    });
}

/// As above, where the owner takes without locked instructions.
#[test]
fn nobody_finds_it_empty_that_is_not_alone() {
    loom::model(|| {
        let world = World::<2>::new(2);
        world.put(0, 0, true);
        let looker = start(&world, |world| world.queues[0].is_empty());
        world.put(0, 1, true);
        let first = world.queues[0].take_next_alone();
        assert_eq!(first.map(taken), Some(1));
        assert!(!looker.join().unwrap());
        let second = world.queues[0].get_ring_alone();
        assert_eq!(second.map(taken), Some(0));
        assert!(world.queues[0].is_empty());
    });
}

/// Who gives way goes behind the ring when it is saved, which is a write to it, and takes
/// what is first there.
#[test]
fn exchanging_against_a_thief() {
    bounded(3, || {
        let world = World::<2>::new(4);
        world.put(0, 0, false);
        world.put(0, 1, true);
        let thief = start(&world, |world| world.steal(1, 0, true));
        let mut mine = Vec::new();
        for number in [2, 3] {
            let item = world.make(number);
            let Some((next, _)) = world.queues[0].exchange(item, false) else {
                mine.push(taken(item)); // the thief had what there was
                continue;
            };
            mine.push(taken(next));
            world.save(0, item);
        }
        let stolen = thief.join().unwrap();
        mine.extend(world.drain(0));
        each_once(4, [mine, stolen]);
    });
}

/// The same where nobody steals, but somebody looks; and a full ring exchanges nothing.
#[test]
fn exchanging_alone() {
    loom::model(|| {
        let world = World::<2>::new(3);
        world.put(0, 0, false);
        world.put(0, 1, false);
        let looker = start(&world, |world| world.queues[0].is_empty());
        let item = world.make(2);
        assert!(world.queues[0].exchange(item, true).is_none());
        assert_eq!(world.get(0), Some(0));
        let next = world.queues[0].exchange(item, true);
        assert_eq!(
            next.map(|(item, inherits)| (taken(item), inherits)),
            Some((1, false))
        );
        world.save(0, item);
        looker.join().unwrap();
        assert_eq!(world.drain(0), [2]);
    });
}
