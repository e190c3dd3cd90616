//! [`HashMap`].

use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};
use core::iter::FusedIterator;
use core::mem;

use crate::alloc::collections::TryReserveError;
use hashbrown::HashTable;
use hashbrown::hash_table;

pub use super::entry::{Entry, OccupiedEntry, VacantEntry};
pub use super::map_iter::{
    Drain, IntoIter, IntoKeys, IntoValues, Iter, IterMut, Keys, Values, ValuesMut,
};
pub use crate::hash::{DefaultHasher, RandomState};

/// A map by hashes, std's. Its order is another in each process.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::collections::HashMap;
///
/// let mut counts = HashMap::new();
/// for word in "the cat and the dog".split(' ') {
///     *counts.entry(word).or_insert(0) += 1;
/// }
/// assert_eq!(counts["the"], 2);
/// assert_eq!(counts.len(), 4);
/// # }
/// ```
pub struct HashMap<K, V, S = RandomState> {
    pub(super) state: S,
    pub(super) table: HashTable<(K, V)>,
}

impl<K, V> HashMap<K, V, RandomState> {
    /// Makes an empty one, which allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty one with room for so many.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }
}

impl<K, V, S> HashMap<K, V, S> {
    /// Makes an empty one with a hasher of the program's.
    pub const fn with_hasher(state: S) -> Self {
        Self {
            state,
            table: HashTable::new(),
        }
    }

    /// The same with room for so many.
    pub fn with_capacity_and_hasher(capacity: usize, state: S) -> Self {
        Self {
            state,
            table: HashTable::with_capacity(capacity),
        }
    }

    /// Borrows what makes its hashers.
    pub fn hasher(&self) -> &S {
        &self.state
    }

    /// Returns how many it has room for.
    pub fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.table.clear();
    }

    /// Goes through all.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter(self.table.iter())
    }

    /// Goes through all, to change the values.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        IterMut(self.table.iter_mut())
    }

    /// Goes through the keys.
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys(self.iter())
    }

    /// Goes through the values.
    pub fn values(&self) -> Values<'_, K, V> {
        Values(self.iter())
    }

    /// Goes through the values, to change them.
    pub fn values_mut(&mut self) -> ValuesMut<'_, K, V> {
        ValuesMut(self.iter_mut())
    }

    /// Returns the keys.
    pub fn into_keys(self) -> IntoKeys<K, V> {
        IntoKeys(IntoIter(self.table.into_iter()))
    }

    /// Returns the values.
    pub fn into_values(self) -> IntoValues<K, V> {
        IntoValues(IntoIter(self.table.into_iter()))
    }

    /// Removes all, and returns them.
    pub fn drain(&mut self) -> Drain<'_, K, V> {
        Drain(self.table.drain())
    }

    /// Removes those for which `keep` says false.
    pub fn retain<F: FnMut(&K, &mut V) -> bool>(&mut self, mut keep: F) {
        self.table.retain(|(key, value)| keep(key, value));
    }

    /// Removes those for which `take` says true, and returns them.
    pub fn extract_if<F: FnMut(&K, &mut V) -> bool>(
        &mut self,
        mut take: F,
    ) -> impl FusedIterator<Item = (K, V)> + use<'_, K, V, S, F> {
        self.table.extract_if(move |(key, value)| take(key, value))
    }
}

/// The hash of a stored pair.
pub(super) fn hash_of<K: Hash, V, S: BuildHasher>(state: &S) -> impl Fn(&(K, V)) -> u64 + '_ {
    |(key, _)| state.hash_one(key)
}

impl<K: Eq + Hash, V, S: BuildHasher> HashMap<K, V, S> {
    /// Makes room for so many more.
    ///
    /// # Panics
    ///
    /// If there is no memory for it.
    pub fn reserve(&mut self, additional: usize) {
        self.table.reserve(additional, hash_of(&self.state));
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError> {
        let reserved = self.table.try_reserve(additional, hash_of(&self.state));
        reserved.map_err(|_| no_room())
    }

    /// Gives room back that it does not need.
    pub fn shrink_to_fit(&mut self) {
        self.table.shrink_to_fit(hash_of(&self.state));
    }

    /// Gives room back, as far as `capacity` remain.
    pub fn shrink_to(&mut self, capacity: usize) {
        self.table.shrink_to(capacity, hash_of(&self.state));
    }

    /// Looks a key's place up, to fill it, empty it or change what is there.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let hash = self.state.hash_one(&key);
        let found = self
            .table
            .entry(hash, |(known, _)| *known == key, hash_of(&self.state));
        match found {
            hash_table::Entry::Occupied(entry) => Entry::Occupied(OccupiedEntry { entry }),
            hash_table::Entry::Vacant(entry) => Entry::Vacant(VacantEntry { key, entry }),
        }
    }

    /// Looks a key up.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// Looks a key up, and returns the one that is stored as well.
    pub fn get_key_value<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        if self.is_empty() {
            return None; // saves the hash
        }
        let hash = self.state.hash_one(key);
        let found = self.table.find(hash, |(known, _)| known.borrow() == key);
        found.map(|(key, value)| (key, value))
    }

    /// Looks several keys up, to change their values.
    ///
    /// # Panics
    ///
    /// If two of them are the same.
    pub fn get_disjoint_mut<Q: Hash + Eq + ?Sized, const N: usize>(
        &mut self,
        keys: [&Q; N],
    ) -> [Option<&'_ mut V>; N]
    where
        K: Borrow<Q>,
    {
        let hashes = keys.map(|key| self.state.hash_one(key));
        let found = self.table.get_disjoint_mut(hashes, |at, (known, _)| {
            keys.get(at).is_some_and(|key| known.borrow() == *key)
        });
        found.map(|pair| pair.map(|(_, value)| value))
    }

    /// Tells whether a key is there.
    pub fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).is_some()
    }

    /// Looks a key up, to change its value.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let hash = self.state.hash_one(key);
        let found = self
            .table
            .find_mut(hash, |(known, _)| known.borrow() == key);
        found.map(|(_, value)| value)
    }

    /// Stores a value, and returns the one that the key had before. A key that is there
    /// stays.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.entry(key) {
            Entry::Occupied(mut entry) => Some(entry.insert(value)),
            Entry::Vacant(entry) => {
                entry.insert(value);
                None
            }
        }
    }

    /// Removes a key, and returns its value.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Removes a key, and returns what was stored.
    pub fn remove_entry<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        let hash = self.state.hash_one(key);
        let found = self
            .table
            .find_entry(hash, |(known, _)| known.borrow() == key);
        found.ok().map(|entry| entry.remove().0)
    }

    /// Puts a key in the place of an equal one, or stores the pair.
    pub(super) fn replace_key(&mut self, key: K, value: V) -> Option<K> {
        let hash = self.state.hash_one(&key);
        let known = self.table.find_mut(hash, |(known, _)| *known == key);
        match known {
            Some((known, _)) => Some(mem::replace(known, key)),
            None => {
                self.table
                    .insert_unique(hash, (key, value), hash_of(&self.state));
                None
            }
        }
    }
}

/// Makes the error that says that there is no room, which only `alloc` can.
pub(super) fn no_room() -> TryReserveError {
    match crate::alloc::vec::Vec::<u8>::new().try_reserve(usize::MAX) {
        Err(error) => error,
        Ok(()) => unreachable!("there is no room for that much"),
    }
}
