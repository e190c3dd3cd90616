//! [`IoSlice`] and [`IoSliceMut`]: buffers for the calls that take several.

use core::mem;
use core::ops::{Deref, DerefMut};

/// A buffer to write from.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io::{IoSlice, Write};
///
/// let mut bytes = alloc::vec::Vec::new();
/// let parts = [IoSlice::new(b"one"), IoSlice::new(b"two")];
/// assert_eq!(bytes.write_vectored(&parts).unwrap(), 6);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct IoSlice<'a>(&'a [u8]);

impl<'a> IoSlice<'a> {
    /// Wraps a slice.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes the first `count` bytes away.
    ///
    /// # Panics
    ///
    /// If it has not as many.
    pub fn advance(&mut self, count: usize) {
        let Some(rest) = self.0.get(count..) else {
            panic!("advancing IoSlice beyond its length");
        };
        self.0 = rest;
    }

    /// Takes the first `count` bytes away from a list of them, with those that become
    /// empty.
    ///
    /// # Panics
    ///
    /// If they have not as many.
    pub fn advance_slices(buffers: &mut &mut [Self], count: usize) {
        advance_list(buffers, count, Self::advance);
    }
}

impl Deref for IoSlice<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0
    }
}

/// A buffer to read into.
#[derive(Debug)]
pub struct IoSliceMut<'a>(&'a mut [u8]);

impl<'a> IoSliceMut<'a> {
    /// Wraps a slice.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// Takes the first `count` bytes away.
    ///
    /// # Panics
    ///
    /// If it has not as many.
    pub fn advance(&mut self, count: usize) {
        let Some(rest) = mem::take(&mut self.0).get_mut(count..) else {
            panic!("advancing IoSliceMut beyond its length");
        };
        self.0 = rest;
    }

    /// Takes the first `count` bytes away from a list of them, with those that become
    /// empty.
    ///
    /// # Panics
    ///
    /// If they have not as many.
    pub fn advance_slices(buffers: &mut &mut [Self], count: usize) {
        advance_list(buffers, count, Self::advance);
    }
}

impl Deref for IoSliceMut<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl DerefMut for IoSliceMut<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0
    }
}

/// Takes the first `count` bytes away from a list, of whose pieces `advance` shortens one.
fn advance_list<B: Deref<Target = [u8]>>(
    buffers: &mut &mut [B],
    count: usize,
    advance: fn(&mut B, usize),
) {
    let lengths = buffers.iter().map(|buffer| buffer.len());
    let (used, rest) = whole(lengths, count);
    *buffers = mem::take(buffers).get_mut(used..).unwrap_or_default();
    match buffers.first_mut() {
        Some(first) => advance(first, rest),
        None => assert!(rest == 0, "advancing io slices beyond their length"),
    }
}

/// Says how many buffers of these lengths `count` bytes fill, and what is left of it.
fn whole(lengths: impl Iterator<Item = usize>, mut count: usize) -> (usize, usize) {
    let mut used = 0;
    for length in lengths {
        if length > count {
            break;
        }
        count -= length;
        used += 1;
    }
    (used, count)
}
