//! [`HashSet`].

use core::borrow::Borrow;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::iter::FusedIterator;
use core::ops::{BitAnd, BitOr, BitXor, Sub};

use crate::alloc::collections::TryReserveError;

use super::hash_map::HashMap;

pub use super::set_iter::{
    Difference, Drain, Intersection, IntoIter, Iter, SymmetricDifference, Union,
};
pub use crate::hash::{DefaultHasher, RandomState};

/// A set by hashes, std's. Its order is another in each process.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::collections::HashSet;
///
/// let small: HashSet<u32> = (0..10).collect();
/// let even = HashSet::from([0, 2, 4, 40]);
/// assert_eq!((&small & &even).len(), 3);
/// assert!(!small.is_superset(&even));
/// # }
/// ```
pub struct HashSet<T, S = RandomState> {
    map: HashMap<T, (), S>,
}

impl<T> HashSet<T, RandomState> {
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

impl<T, S> HashSet<T, S> {
    /// Makes an empty one with a hasher of the program's.
    pub const fn with_hasher(state: S) -> Self {
        Self {
            map: HashMap::with_hasher(state),
        }
    }

    /// The same with room for so many.
    pub fn with_capacity_and_hasher(capacity: usize, state: S) -> Self {
        Self {
            map: HashMap::with_capacity_and_hasher(capacity, state),
        }
    }

    /// Borrows what makes its hashers.
    pub fn hasher(&self) -> &S {
        self.map.hasher()
    }

    /// Returns how many it has room for.
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.map.clear();
    }

    /// Goes through all.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.map.keys())
    }

    /// Removes all, and returns them.
    pub fn drain(&mut self) -> Drain<'_, T> {
        Drain(self.map.drain())
    }

    /// Removes those for which `keep` says false.
    pub fn retain<F: FnMut(&T) -> bool>(&mut self, mut keep: F) {
        self.map.retain(|value, ()| keep(value));
    }

    /// Removes those for which `take` says true, and returns them.
    pub fn extract_if<F: FnMut(&T) -> bool>(
        &mut self,
        mut take: F,
    ) -> impl FusedIterator<Item = T> + use<'_, T, S, F> {
        let pairs = self.map.extract_if(move |value, ()| take(value));
        pairs.map(|(value, ())| value)
    }
}

impl<T: Eq + Hash, S: BuildHasher> HashSet<T, S> {
    /// Makes room for so many more.
    ///
    /// # Panics
    ///
    /// If there is no memory for it.
    pub fn reserve(&mut self, additional: usize) {
        self.map.reserve(additional);
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError> {
        self.map.try_reserve(additional)
    }

    /// Gives room back that it does not need.
    pub fn shrink_to_fit(&mut self) {
        self.map.shrink_to_fit();
    }

    /// Gives room back, as far as `capacity` remain.
    pub fn shrink_to(&mut self, capacity: usize) {
        self.map.shrink_to(capacity);
    }

    /// Tells whether a value is there.
    pub fn contains<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.map.contains_key(value)
    }

    /// Looks a value up.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> Option<&T>
    where
        T: Borrow<Q>,
    {
        self.map.get_key_value(value).map(|(value, ())| value)
    }

    /// Adds a value, unless it is there. Tells whether it was not.
    pub fn insert(&mut self, value: T) -> bool {
        self.map.insert(value, ()).is_none()
    }

    /// Adds a value in the place of an equal one, and returns that.
    pub fn replace(&mut self, value: T) -> Option<T> {
        self.map.replace_key(value, ())
    }

    /// Removes a value. Tells whether it was there.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.map.remove(value).is_some()
    }

    /// Removes a value, and returns it.
    pub fn take<Q: Hash + Eq + ?Sized>(&mut self, value: &Q) -> Option<T>
    where
        T: Borrow<Q>,
    {
        self.map.remove_entry(value).map(|(value, ())| value)
    }

    /// Goes through those that are not in `other`.
    pub fn difference<'a>(&'a self, other: &'a Self) -> Difference<'a, T, S> {
        Difference {
            iter: self.iter(),
            other,
        }
    }

    /// Goes through those that are in one of the two.
    pub fn symmetric_difference<'a>(&'a self, other: &'a Self) -> SymmetricDifference<'a, T, S> {
        SymmetricDifference(self.difference(other).chain(other.difference(self)))
    }

    /// Goes through those that are in both.
    pub fn intersection<'a>(&'a self, other: &'a Self) -> Intersection<'a, T, S> {
        let (small, large) = by_size(self, other);
        Intersection {
            iter: small.iter(),
            other: large,
        }
    }

    /// Goes through all that are in either.
    pub fn union<'a>(&'a self, other: &'a Self) -> Union<'a, T, S> {
        let (small, large) = by_size(self, other);
        Union(large.iter().chain(small.difference(large)))
    }

    /// Tells whether no value is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.intersection(other).next().is_none()
    }

    /// Tells whether all are in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.len() <= other.len() && self.iter().all(|value| other.contains(value))
    }

    /// Tells whether all of `other` are in this.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.is_subset(self)
    }
}

/// Puts the smaller one first.
fn by_size<'a, T, S>(
    one: &'a HashSet<T, S>,
    other: &'a HashSet<T, S>,
) -> (&'a HashSet<T, S>, &'a HashSet<T, S>) {
    if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    }
}

impl<T: Clone, S: Clone> Clone for HashSet<T, S> {
    fn clone(&self) -> Self {
        Self {
            map: self.map.clone(),
        }
    }
}

impl<T, S: Default> Default for HashSet<T, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<T: fmt::Debug, S> fmt::Debug for HashSet<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T: Eq + Hash, S: BuildHasher> PartialEq for HashSet<T, S> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.is_subset(other)
    }
}

impl<T: Eq + Hash, S: BuildHasher> Eq for HashSet<T, S> {}

impl<'a, T, S> IntoIterator for &'a HashSet<T, S> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T, S> IntoIterator for HashSet<T, S> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self.map.into_keys())
    }
}

impl<T: Eq + Hash, S: BuildHasher> Extend<T> for HashSet<T, S> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        self.map.extend(values.into_iter().map(|value| (value, ())));
    }
}

impl<'a, T: Eq + Hash + Copy, S: BuildHasher> Extend<&'a T> for HashSet<T, S> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, values: I) {
        self.extend(values.into_iter().copied());
    }
}

impl<T: Eq + Hash, S: BuildHasher + Default> FromIterator<T> for HashSet<T, S> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut set = Self::default();
        set.extend(values);
        set
    }
}

impl<T: Eq + Hash, const N: usize> From<[T; N]> for HashSet<T, RandomState> {
    fn from(values: [T; N]) -> Self {
        Self::from_iter(values)
    }
}

/// An operator on two sets, which makes a third one.
macro_rules! operator {
    ($($operator:ident, $method:ident, $by:ident;)*) => {$(
        impl<T, S> $operator<&HashSet<T, S>> for &HashSet<T, S>
        where
            T: Eq + Hash + Clone,
            S: BuildHasher + Default,
        {
            type Output = HashSet<T, S>;

            fn $method(self, other: &HashSet<T, S>) -> HashSet<T, S> {
                self.$by(other).cloned().collect()
            }
        }
    )*};
}

operator! {
    BitOr, bitor, union;
    BitAnd, bitand, intersection;
    BitXor, bitxor, symmetric_difference;
    Sub, sub, difference;
}
