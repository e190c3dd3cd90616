//! `HashMap` and `HashSet`, and that the other collections are there.

use std::collections::hash_map::Entry;
use std::collections::{
    BTreeMap, BTreeSet, BinaryHeap, Bound, HashMap, HashSet, LinkedList, VecDeque,
};
use std::hash::{BuildHasherDefault, DefaultHasher, RandomState};
use std::prelude::v1::*;
use std::rc::Rc;

/// A map, sorted, to be compared.
fn sorted<K: Ord + Clone, V: Clone, S>(map: &HashMap<K, V, S>) -> Vec<(K, V)> {
    let mut pairs: Vec<(K, V)> = map
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    pairs
}

cases! {
    fn a_map_is_a_model_of_a_tree() {
        let (mut map, mut tree) = (HashMap::new(), BTreeMap::new());
        let mut state = 1u32;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (key, value, what) = (state >> 8 & 0x1ff, state, state >> 28);
            match what {
                0..8 => assert_eq!(map.insert(key, value), tree.insert(key, value)),
                8..12 => assert_eq!(map.remove(&key), tree.remove(&key)),
                12 | 13 => assert_eq!(map.get(&key), tree.get(&key)),
                14 => *map.entry(key).or_insert(7) = *tree.entry(key).or_insert(7),
                _ => assert_eq!(map.contains_key(&key), tree.contains_key(&key)),
            }
            assert_eq!(map.len(), tree.len());
        }
        assert_eq!(sorted(&map), tree.into_iter().collect::<Vec<_>>());
    }

    fn entries() {
        let mut map: HashMap<String, i32> = HashMap::with_capacity(10);
        assert!(map.capacity() >= 10 && map.is_empty());
        *map.entry("a".into()).or_default() += 2;
        map.entry("a".into()).and_modify(|value| *value *= 5).or_insert(0);
        assert_eq!(*map.entry("bb".into()).or_insert_with_key(|key| key.len() as i32), 2);
        assert_eq!(*map.entry("bb".into()).or_insert_with(|| unreachable!()), 2);
        match map.entry("a".into()) {
            Entry::Occupied(mut entry) => {
                assert_eq!((entry.key().as_str(), *entry.get()), ("a", 10));
                assert_eq!(entry.insert(11), 10);
                *entry.get_mut() += 1;
                *entry.into_mut() += 1;
            }
            Entry::Vacant(_) => unreachable!(),
        }
        match map.entry("c".into()) {
            Entry::Vacant(entry) => {
                assert_eq!(entry.key(), "c");
                *entry.insert(3) += 1;
            }
            Entry::Occupied(_) => unreachable!(),
        }
        if let Entry::Vacant(entry) = map.entry("d".into()) {
            assert_eq!(entry.into_key(), "d");
        }
        assert_eq!(map.entry("e".into()).insert_entry(5).remove(), 5);
        if let Entry::Occupied(entry) = map.entry("c".into()) {
            assert_eq!(entry.remove_entry(), ("c".to_string(), 4));
        }
        assert_eq!(map.entry("a".into()).key(), "a");
        assert_eq!(sorted(&map), [("a".to_string(), 13), ("bb".to_string(), 2)]);
        let only = HashMap::from([("k", 1)]);
        let mut only = only;
        assert_eq!(format!("{:?}", only.entry("k")), "Entry(OccupiedEntry { key: \"k\", value: 1, .. })");
        assert_eq!(format!("{:?}", only.entry("l")), "Entry(VacantEntry(\"l\"))");
    }

    fn the_rest_of_a_map() {
        let mut map = HashMap::from([(1, "one"), (2, "two"), (3, "three")]);
        assert_eq!((map[&1], map.get_key_value(&2)), ("one", Some((&2, &"two"))));
        *map.get_mut(&3).unwrap() = "drei";
        for value in map.values_mut() {
            *value = &value[..2];
        }
        for (key, value) in &mut map {
            if *key == 1 {
                *value = "eins";
            }
        }
        map.iter_mut().for_each(|(_, value)| assert!(value.len() >= 2));
        let mut keys: Vec<_> = map.keys().copied().collect();
        let mut values: Vec<_> = map.values().copied().collect();
        keys.sort_unstable();
        values.sort_unstable();
        assert_eq!((keys, values), (vec![1, 2, 3], vec!["dr", "eins", "tw"]));
        let [one, none] = map.get_disjoint_mut([&1, &9]);
        assert_eq!((one.copied(), none), (Some("eins"), None));
        map.retain(|key, _| *key != 2);
        map.extend([(4, "four"), (5, "five")]);
        map.extend(&HashMap::from([(6, "six")]));
        let mut odd: Vec<_> = map.extract_if(|key, _| key % 2 == 1).collect();
        odd.sort_unstable();
        assert_eq!(odd, [(1, "eins"), (3, "dr"), (5, "five")]);
        let clone = map.clone();
        assert_eq!(clone, map);
        assert_eq!(map.remove_entry(&4), Some((4, "four")));
        assert_ne!(clone, map);
        assert_eq!(format!("{map:?}"), "{6: \"six\"}");
        assert_eq!(map.iter().len(), 1);
        map.reserve(1000);
        assert!(map.capacity() >= 1000 && map.try_reserve(10).is_ok());
        assert!(map.try_reserve(usize::MAX / 2).is_err());
        map.shrink_to(10);
        map.shrink_to_fit();
        assert!(map.capacity() < 100);
        assert_eq!(map.drain().collect::<Vec<_>>(), [(6, "six")]);
        assert!(map.is_empty() && !map.contains_key(&6));
        map.insert(7, "seven");
        map.clear();
        assert!(map.into_iter().next().is_none());
        let mut keys: Vec<_> = clone.clone().into_keys().collect();
        let mut values: Vec<_> = clone.into_values().collect();
        keys.sort_unstable();
        values.sort_unstable();
        assert_eq!((keys, values), (vec![4, 6], vec!["four", "six"]));
    }

    fn maps_of_many_kinds() {
        let by_default: HashMap<u8, u8, BuildHasherDefault<DefaultHasher>> =
            (0..100).map(|number| (number, number)).collect();
        assert_eq!(by_default.len(), 100);
        let state = RandomState::new();
        let mut with: HashMap<(), (), _> = HashMap::with_hasher(state.clone());
        assert_eq!(with.insert((), ()), None);
        assert_eq!(with.insert((), ()), Some(()));
        let _ = with.hasher();
        let empty: HashMap<u8, u8> = HashMap::with_capacity_and_hasher(0, state);
        assert_eq!(empty.capacity(), 0);
        let nested: HashMap<String, HashMap<u8, Vec<u8>>> = HashMap::default();
        assert!(nested.is_empty());
        let owner = Rc::new(());
        let mut held: HashMap<u32, Rc<()>> = (0..50).map(|key| (key, Rc::clone(&owner))).collect();
        held.retain(|key, _| key % 2 == 0);
        assert_eq!(Rc::strong_count(&owner), 26);
        let mut taken = held.into_iter();
        let _ = taken.next();
        drop(taken);
        assert_eq!(Rc::strong_count(&owner), 1);
    }

    fn sets() {
        let small: HashSet<u32> = (0..10).collect();
        let mut even = HashSet::from([0, 2, 4, 40]);
        let list = |set: HashSet<u32>| set.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(list(&small & &even), BTreeSet::from([0, 2, 4]));
        assert_eq!(list(&small - &even), BTreeSet::from([1, 3, 5, 6, 7, 8, 9]));
        assert_eq!(list(&even ^ &small).len(), 8);
        assert_eq!(list(&even | &small).len(), 11);
        assert_eq!(small.union(&even).count(), 11);
        assert_eq!(small.intersection(&even).count(), 3);
        assert_eq!(small.difference(&even).count(), 7);
        assert_eq!(small.symmetric_difference(&even).count(), 8);
        assert!(!small.is_superset(&even) && !small.is_disjoint(&even));
        assert!(even.remove(&40) && even.is_subset(&small));
        assert!(even.insert(1) && !even.insert(1));
        assert_eq!((even.take(&1), even.take(&1)), (Some(1), None));
        assert_eq!((even.get(&2), even.contains(&3)), (Some(&2), false));
        even.extend(&[6, 8]);
        even.retain(|number| *number < 7);
        assert_eq!(even.extract_if(|number| *number == 6).collect::<Vec<_>>(), [6]);
        assert_eq!(even, HashSet::from([0, 2, 4]));
        assert_eq!((even.len(), even.iter().len()), (3, 3));
        let mut words = HashSet::with_capacity(3);
        let (one, same) = ("word".to_string(), "word".to_string());
        let address = one.as_ptr();
        words.insert(one);
        let old = words.replace(same).unwrap();
        assert_eq!(old.as_ptr(), address);
        assert!(words.contains("word") && words.capacity() >= 3);
        assert_eq!(format!("{words:?}"), "{\"word\"}");
        words.reserve(100);
        words.shrink_to_fit();
        assert_eq!(words.drain().count(), 1);
        assert!(words.is_empty() && words.clone().is_empty());
        words.clear();
        let other: HashSet<u8, RandomState> = HashSet::with_hasher(RandomState::new());
        assert!(other.is_disjoint(&HashSet::default()));
    }

    fn the_others_are_there() {
        let mut heap = BinaryHeap::from([1, 3, 2]);
        let list = LinkedList::from([1, 2]);
        let queue = VecDeque::from([1, 2, 3]);
        let tree = BTreeMap::from([(1, 'a'), (2, 'b')]);
        assert_eq!((heap.pop(), list.len(), queue.len()), (Some(3), 2, 3));
        assert_eq!(tree.range((Bound::Excluded(1), Bound::Unbounded)).count(), 1);
        let _: Option<std::collections::TryReserveError> = None;
        let _: std::collections::btree_map::Iter<'_, i32, char> = tree.iter();
    }
}
