// A cache that forgets what was not asked for the longest.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::Hash;

struct Cache<K, V> {
    entries: HashMap<K, (V, u64)>,
    uses: BTreeMap<u64, K>,
    clock: u64,
    capacity: usize,
}

impl<K: Clone + Eq + Hash + Debug, V> Cache<K, V> {
    fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            uses: BTreeMap::new(),
            clock: 0,
            capacity,
        }
    }

    fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (value, used) = self.entries.get_mut(key)?;
        let key = self.uses.remove(used).expect("every entry has been used");
        self.clock += 1;
        *used = self.clock;
        self.uses.insert(self.clock, key);
        Some(value)
    }

    fn put(&mut self, key: K, value: V) -> Option<K> {
        self.clock += 1;
        let old = self.entries.insert(key.clone(), (value, self.clock));
        if let Some((_, used)) = old {
            self.uses.remove(&used);
        }
        self.uses.insert(self.clock, key);
        if self.entries.len() <= self.capacity {
            return None;
        }
        let (_, key) = self.uses.pop_first()?;
        self.entries.remove(&key);
        Some(key)
    }
}

fn main() {
    let mut cache: Cache<String, usize> = Cache::new(3);
    let words = "the cat saw the dog and the dog saw a cat and a bird";
    let (mut hits, mut forgotten) = (0, Vec::new());
    for word in words.split(' ') {
        match cache.get(word) {
            Some(length) => {
                assert_eq!(*length, word.len());
                hits += 1;
            }
            None => forgotten.extend(cache.put(word.to_owned(), word.len())),
        }
    }
    println!("{hits} hits");
    println!("{forgotten:?}");
    println!("{:?}", cache.uses.values().collect::<Vec<_>>());
    println!("{:?}", cache.put("a".into(), 100));
    println!("{:?}", cache.get("a"));
    println!("{:?}", cache.get("none"));
}
