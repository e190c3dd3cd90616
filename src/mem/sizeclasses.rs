//! The size classes of small objects: which sizes there are, how many pages a
//! span of each takes, and how to find the class of a request.
//!
//! Go's counterparts: `runtime/sizeclasses.go`, and `mksizeclasses.go`, which
//! writes it. Here the compiler makes the tables.
//!
//! The sizes are 8, 16, 24, 32, then every multiple of 16 up to 128, then eight
//! to a doubling: 144, 160, … 256, 288, … 32768. Go merges classes of which a
//! span holds equally many, and stretches the size to fill the span; that wins
//! a little memory and loses what is used here:
//!
//! - rounding a size up to a power of two `align` is enough to get a class whose
//!   size is a multiple of `align`. Where classes are `align` or less apart,
//!   each multiple of `align` is a class; where they are further apart, all of
//!   them are multiples of `align`. So aligned requests need no search, and no
//!   table of their own.
//!
//! What is lost: by rounding a size up, at most 7 bytes up to 32, 15 bytes up to
//! 128, and less than a ninth of the object beyond that (so less than 12.5 %
//! from 113 bytes on); at the end of a span at most an eighth of it.
//!
//! A span holds four objects at least, unlike Go's, so that an mcentral that has
//! run dry does not ask mheap for every single object of 8 KiB or more, and 1024
//! at most, which bounds the bitmaps of a span.
//!
//! Objects lie at `base + i * size`, where `base` is a multiple of
//! [`PAGE_SIZE`]: so an object is aligned to whatever power of two, up to that,
//! divides its size.

/// The largest size that has a class; what is larger gets a span of its own.
pub(crate) const MAX_SMALL_SIZE: usize = 32768;

/// The binary logarithm of [`PAGE_SIZE`].
pub(crate) const PAGE_SHIFT: usize = 13;

/// The size of the heap's pages, in bytes: two of the system's.
pub(crate) const PAGE_SIZE: usize = 1 << PAGE_SHIFT;

/// The number of classes, with class 0, which stands for 'large' and has no
/// size.
pub(crate) const NUM_CLASSES: usize = 75;

/// The most objects that a span holds.
pub(crate) const MAX_OBJECTS: usize = 1024;

/// The fewest objects that a span holds.
const MIN_OBJECTS: usize = 4;

/// Up to here classes are found in steps of 8 bytes, beyond in steps of 128.
const SMALL_SIZE_MAX: usize = 1024;
const SMALL_SIZE_DIV: usize = 8;
const LARGE_SIZE_DIV: usize = 128;

/// The size of each class's objects, in bytes.
pub(crate) static CLASS_TO_SIZE: [u16; NUM_CLASSES] = SIZES;

/// The pages in a span of each class.
pub(crate) static CLASS_TO_PAGES: [u8; NUM_CLASSES] = pages();

/// How many objects of a class move between an mcache and its mcentral at once:
/// 32 KiB of them, but 2 at least and 128 at most: each may keep a span of its
/// own from becoming free.
pub(crate) static CLASS_TO_BATCH: [u16; NUM_CLASSES] = batches();

/// 2^32 divided by the size, rounded up: see [`object_index`].
#[cfg_attr(
    not(debug_assertions),
    allow(dead_code, reason = "the checks of debug builds ask")
)]
static CLASS_TO_DIV_MAGIC: [u32; NUM_CLASSES] = magics();

/// The class of each size up to [`SMALL_SIZE_MAX`], by size / 8 rounded up.
static SIZE_TO_CLASS_8: [u8; SMALL_SIZE_MAX / SMALL_SIZE_DIV + 1] = classes(0, SMALL_SIZE_DIV);

/// The class of each size beyond it, by (size - 1024) / 128 rounded up.
static SIZE_TO_CLASS_128: [u8; (MAX_SMALL_SIZE - SMALL_SIZE_MAX) / LARGE_SIZE_DIV + 1] =
    classes(SMALL_SIZE_MAX, LARGE_SIZE_DIV);

/// Finds the class for `size` bytes at a multiple of `align`, a power of two.
/// `None` asks for a span of its own: the size is beyond [`MAX_SMALL_SIZE`] or
/// the alignment beyond [`PAGE_SIZE`].
///
/// Called for every allocation; where the layout is constant, so is the result.
#[inline(always)]
pub(crate) fn class_of(size: usize, align: usize) -> Option<usize> {
    if size > MAX_SMALL_SIZE {
        return None;
    }
    if align <= 8 {
        return Some(class_of_size(size));
    }
    if align > PAGE_SIZE {
        return None;
    }
    // At most MAX_SMALL_SIZE still, which is a multiple of all these alignments.
    Some(class_of_size((size.max(1) + align - 1) & !(align - 1)))
}

/// Finds the class for `size` bytes, at most [`MAX_SMALL_SIZE`], at a multiple
/// of 8. No bytes count as one. (Shifts, since `div_ceil` takes one step more.)
#[inline(always)]
fn class_of_size(size: usize) -> usize {
    if size <= SMALL_SIZE_MAX {
        SIZE_TO_CLASS_8[(size + 7) >> 3] as usize
    } else {
        let beyond = size - SMALL_SIZE_MAX;
        SIZE_TO_CLASS_128[(beyond + 127) >> 7] as usize
    }
}

/// Tells in which object of a span the byte at `offset` lies; in the tail of
/// the span, one past the last. `offset` is less than the span's size.
///
/// Go's counterpart: `mspan.objIndex`: a multiplication in place of a division.
/// The factor is too large by less than 1, so the quotient is by less than
/// offset / 2^32, which for offsets below 2^18 never reaches the next integer.
#[inline(always)]
#[cfg_attr(
    not(debug_assertions),
    allow(dead_code, reason = "the checks of debug builds ask")
)]
pub(crate) fn object_index(class: usize, offset: usize) -> usize {
    ((offset as u64 * u64::from(CLASS_TO_DIV_MAGIC[class])) >> 32) as usize
}

/// What [`CLASS_TO_SIZE`] holds, for the other tables to be made of.
const SIZES: [u16; NUM_CLASSES] = sizes();

/// Makes the sizes.
const fn sizes() -> [u16; NUM_CLASSES] {
    let mut sizes = [0; NUM_CLASSES];
    let mut class = 0;
    let mut size = 0;
    while size < MAX_SMALL_SIZE {
        size += if size < 32 {
            8
        } else if size < 128 {
            16
        } else {
            1 << (size.ilog2() - 3)
        };
        class += 1;
        sizes[class] = size as u16;
    }
    assert!(class == NUM_CLASSES - 1);
    sizes
}

/// Makes the pages of spans: as few as leave no more than an eighth unused.
const fn pages() -> [u8; NUM_CLASSES] {
    let mut pages = [0; NUM_CLASSES];
    let mut class = 1;
    while class < NUM_CLASSES {
        let size = SIZES[class] as usize;
        let mut span = PAGE_SIZE;
        while span / size < MIN_OBJECTS || span % size > span / 8 {
            span += PAGE_SIZE;
        }
        assert!(span / size <= MAX_OBJECTS);
        pages[class] = (span / PAGE_SIZE) as u8;
        class += 1;
    }
    pages
}

/// Makes the batches.
const fn batches() -> [u16; NUM_CLASSES] {
    let mut batches = [0; NUM_CLASSES];
    let mut class = 1;
    while class < NUM_CLASSES {
        let batch = 32768 / SIZES[class] as usize;
        batches[class] = if batch < 2 {
            2
        } else if batch > 128 {
            128
        } else {
            batch as u16
        };
        class += 1;
    }
    batches
}

/// Makes the factors for [`object_index`].
#[cfg_attr(
    not(debug_assertions),
    allow(dead_code, reason = "the checks of debug builds ask")
)]
const fn magics() -> [u32; NUM_CLASSES] {
    let mut magics = [0; NUM_CLASSES];
    let mut class = 1;
    while class < NUM_CLASSES {
        magics[class] = u32::MAX / SIZES[class] as u32 + 1;
        class += 1;
    }
    magics
}

/// Makes a table of the first class of at least `first + i * step` bytes, and of
/// at least one.
const fn classes<const LENGTH: usize>(first: usize, step: usize) -> [u8; LENGTH] {
    let mut classes = [0; LENGTH];
    let mut class = 1;
    let mut i = 0;
    while i < LENGTH {
        while (SIZES[class] as usize) < first + i * step {
            class += 1;
        }
        classes[i] = class as u8;
        i += 1;
    }
    classes
}
