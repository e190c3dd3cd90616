// Hash maps and sets, with their own hashers too.

use std::collections::hash_map::{DefaultHasher, Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Colour {
    Red,
    Green,
    Mixed(u8, u8),
}

/// FNV-1a.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

fn main() {
    let mut counts: HashMap<char, usize> = HashMap::new();
    for letter in "abracadabra".chars() {
        *counts.entry(letter).or_insert(0) += 1;
    }
    println!("{:?}", sorted(&counts));
    println!("{:?} {:?}", counts.get(&'a'), counts.get(&'z'));
    println!("{:?} {}", counts.remove(&'b'), counts.contains_key(&'b'));
    counts
        .entry('c')
        .and_modify(|count| *count *= 10)
        .or_default();
    counts.retain(|_, count| *count > 1);
    println!(
        "{:?}",
        sorted(counts.iter().map(|(letter, count)| (*count, *letter)))
    );
    match counts.entry('x') {
        Entry::Occupied(entry) => println!("{}", entry.get()),
        Entry::Vacant(entry) => println!("new: {}", entry.insert(7)),
    }
    println!(
        "{} {}",
        counts.len(),
        counts["x".chars().next().as_ref().unwrap()]
    );

    let mut colours = HashMap::with_capacity(10);
    colours.insert(Colour::Mixed(1, 2), "mixed".to_string());
    colours.extend([
        (Colour::Red, "red".to_string()),
        (Colour::Green, "green".into()),
    ]);
    println!("{:?}", sorted(colours.clone()));
    println!(
        "{:?} {}",
        colours.insert(Colour::Red, "rot".into()),
        colours[&Colour::Red]
    );
    println!("{:?}", sorted(colours.drain()));

    let (a, b) = (HashSet::from([1, 2, 3, 4]), (3..7).collect::<HashSet<_>>());
    println!("{:?} {:?}", sorted(&a & &b), sorted(a.union(&b)));
    println!(
        "{:?} {:?}",
        sorted(a.difference(&b)),
        sorted(a.symmetric_difference(&b))
    );
    println!("{} {}", a.is_disjoint(&HashSet::from([9])), a.is_subset(&b));

    let mut own: HashMap<&str, i32, BuildHasherDefault<Fnv>> = HashMap::default();
    own.insert("one", 1);
    own.insert("two", 2);
    println!("{:?} {:016x}", sorted(&own), own.hasher().hash_one(b'x'));
    let state = RandomState::new();
    println!("{}", state.hash_one("same") == state.hash_one("same"));
    let hash = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        hasher.finish()
    };
    println!(
        "{}",
        hash(&|h| Colour::Red.hash(h)) == hash(&|h| Colour::Red.hash(h))
    );
    println!(
        "{}",
        hash(&|h| (1, "a").hash(h)) == hash(&|h| (1, "b").hash(h))
    );

    // Large, and equal whatever the order.
    let large: HashMap<u64, u64> = (0..10_000).map(|n| (n * 7919 % 10_007, n)).collect();
    let again: HashMap<u64, u64> = (0..10_000).rev().map(|n| (n * 7919 % 10_007, n)).collect();
    println!(
        "{} {} {}",
        large.len(),
        large == again,
        large.values().sum::<u64>()
    );
}
