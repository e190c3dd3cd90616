//! What goes through a [`HashMap`](super::HashMap).

use core::fmt;
use core::iter::FusedIterator;

use hashbrown::hash_table;

/// All pairs: of `iter`.
pub struct Iter<'a, K, V>(pub(super) hash_table::Iter<'a, (K, V)>);

/// All pairs, the values to be changed: of `iter_mut`.
pub struct IterMut<'a, K, V>(pub(super) hash_table::IterMut<'a, (K, V)>);

/// All pairs, taken out: of `into_iter`.
pub struct IntoIter<K, V>(pub(super) hash_table::IntoIter<(K, V)>);

/// All pairs, removed: of `drain`.
pub struct Drain<'a, K, V>(pub(super) hash_table::Drain<'a, (K, V)>);

/// The keys: of `keys`.
pub struct Keys<'a, K, V>(pub(super) Iter<'a, K, V>);

/// The values: of `values`.
pub struct Values<'a, K, V>(pub(super) Iter<'a, K, V>);

/// The values, to be changed: of `values_mut`.
pub struct ValuesMut<'a, K, V>(pub(super) IterMut<'a, K, V>);

/// The keys, taken out: of `into_keys`.
pub struct IntoKeys<K, V>(pub(super) IntoIter<K, V>);

/// The values, taken out: of `into_values`.
pub struct IntoValues<K, V>(pub(super) IntoIter<K, V>);

/// Makes a wrapper an iterator over what it wraps, changed by a function.
macro_rules! iterate {
    ($([$($generic:tt)*] $name:ty => $item:ty, |$inner:pat_param| $change:expr;)*) => {$(
        impl<$($generic)*> Iterator for $name {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<$item> {
                self.0.next().map(|$inner| $change)
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<$($generic)*> ExactSizeIterator for $name {}

        impl<$($generic)*> FusedIterator for $name {}
    )*};
}

iterate! {
    ['a, K, V] Iter<'a, K, V> => (&'a K, &'a V), |(key, value)| (key, value);
    ['a, K, V] IterMut<'a, K, V> => (&'a K, &'a mut V), |(key, value)| (&*key, value);
    [K, V] IntoIter<K, V> => (K, V), |pair| pair;
    ['a, K, V] Drain<'a, K, V> => (K, V), |pair| pair;
    ['a, K, V] Keys<'a, K, V> => &'a K, |(key, _)| key;
    ['a, K, V] Values<'a, K, V> => &'a V, |(_, value)| value;
    ['a, K, V] ValuesMut<'a, K, V> => &'a mut V, |(_, value)| value;
    [K, V] IntoKeys<K, V> => K, |(key, _)| key;
    [K, V] IntoValues<K, V> => V, |(_, value)| value;
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Clone for Keys<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Clone for Values<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Keys<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<K, V: fmt::Debug> fmt::Debug for Values<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
