// The collections that have an order: trees, deques, heaps, lists.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use std::ops::Bound;

/// The shortest way to each place.
fn dijkstra(edges: &BTreeMap<u32, Vec<(u32, u32)>>, from: u32) -> BTreeMap<u32, u32> {
    let mut distances = BTreeMap::new();
    let mut heap = BinaryHeap::from([(Reverse(0), from)]);
    while let Some((Reverse(distance), place)) = heap.pop() {
        if distances.contains_key(&place) {
            continue;
        }
        distances.insert(place, distance);
        for &(to, length) in edges.get(&place).into_iter().flatten() {
            heap.push((Reverse(distance + length), to));
        }
    }
    distances
}

fn main() {
    let mut edges: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for (from, to, length) in [
        (1, 2, 7),
        (1, 3, 9),
        (1, 6, 14),
        (2, 3, 10),
        (2, 4, 15),
        (3, 4, 11),
        (3, 6, 2),
        (4, 5, 6),
        (6, 5, 9),
    ] {
        edges.entry(from).or_default().push((to, length));
        edges.entry(to).or_default().push((from, length));
    }
    println!("{:?}", dijkstra(&edges, 1));

    let mut map: BTreeMap<&str, i32> = [("pear", 3), ("apple", 1), ("fig", 2)].into();
    println!(
        "{map:?} {:?} {:?}",
        map.first_key_value(),
        map.last_key_value()
    );
    println!(
        "{:?}",
        map.range("b"..).map(|(name, _)| *name).collect::<Vec<_>>()
    );
    let upper = map.split_off("fig");
    map.append(&mut upper.into_iter().map(|(name, n)| (name, n * 10)).collect());
    println!("{map:#?} {:?}", map.pop_first());

    let set: BTreeSet<i32> = (-5..=5).map(|n| n * n).collect();
    println!(
        "{set:?} {:?}",
        set.range((Bound::Excluded(4), Bound::Unbounded)).next()
    );
    println!(
        "{:?}",
        set.intersection(&BTreeSet::from([1, 2, 16]))
            .collect::<Vec<_>>()
    );

    let mut deque: VecDeque<i32> = (1..=5).collect();
    deque.rotate_left(2);
    deque.push_front(0);
    println!(
        "{deque:?} {:?} {:?}",
        deque.back(),
        deque.iter().rev().take(2).collect::<Vec<_>>()
    );
    deque.make_contiguous().sort();
    println!("{:?} {:?}", deque.as_slices().0, deque.binary_search(&3));
    println!(
        "{:?} {}",
        deque.drain(1..3).collect::<Vec<_>>(),
        deque.len()
    );

    let mut heap = BinaryHeap::from(vec![3, 1, 4, 1, 5, 9, 2, 6]);
    println!("{:?} {:?}", heap.peek().copied(), heap.pop());
    if let Some(mut top) = heap.peek_mut() {
        *top = 0;
    }
    println!("{:?}", heap.into_sorted_vec());

    let mut list = LinkedList::from(["a", "b", "c", "d"]);
    let mut tail = list.split_off(2);
    tail.push_front("between");
    list.append(&mut tail);
    println!("{list:?} {:?} {}", list.pop_back(), tail.is_empty());
}
