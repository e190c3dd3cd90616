//! `std::collections`: `alloc`'s, and the two that hash, over hashbrown's table with
//! gort's hasher.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `hash_map`, `map_traits` | [`HashMap`] |
//! | `entry`, `map_iter` | what its methods return |
//! | `hash_set`, `set_iter` | [`HashSet`] |

mod entry;
pub mod hash_map;
pub mod hash_set;
mod map_iter;
mod map_traits;
mod set_iter;

pub use crate::alloc::collections::{
    BTreeMap, BTreeSet, BinaryHeap, LinkedList, TryReserveError, VecDeque, binary_heap, btree_map,
    btree_set, linked_list, vec_deque,
};
pub use core::ops::Bound;

#[doc(inline)]
pub use hash_map::HashMap;
#[doc(inline)]
pub use hash_set::HashSet;
