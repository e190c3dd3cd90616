//! The hash function: with the CPU's AES rounds where it has them, with wide
//! multiplications where it has not. Keyed at random for each process, so that
//! nobody from outside can make keys collide.
//!
//! Go's counterparts: `alginit` in `runtime/alg.go`, `memhash` in
//! `runtime/asm_amd64.s` and `hash64.go`. Not for cryptography.

use core::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_set_epi64x, _mm_xor_si128,
};
use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::rand;
use crate::arch::{self, Features};

/// The AES rounds are in use.
#[unsafe(export_name = "runtime.useAeshash")]
static USE_AESHASH: AtomicBool = AtomicBool::new(false);

/// The process's keys.
#[unsafe(export_name = "runtime.hashkey")]
static HASH_KEY: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// Chooses the function and draws the keys. On g0, behind `cpuinit`.
#[unsafe(export_name = "runtime.alginit")]
#[inline(never)]
pub(super) extern "C" fn alginit() {
    let needed = Features::AES | Features::SSSE3 | Features::SSE41;
    USE_AESHASH.store(arch::has(needed), Ordering::Relaxed); // still one thread
    let mut keys = HASH_KEY.as_slice();
    if !cfg!(feature = "archive") {
        keys = hint::black_box(keys); // hides how many there are: a loop, and not a copy for each
    }
    for key in keys {
        key.store(rand() | 1, Ordering::Relaxed); // as above; odd, to multiply with
    }
}

/// Hashes bytes. From any goroutine or thread, behind `alginit`.
pub(crate) fn memhash(data: &[u8], seed: u64) -> u64 {
    // Relaxed: both were written before a second thread was made.
    let keys = HASH_KEY.each_ref().map(|key| key.load(Ordering::Relaxed));
    if USE_AESHASH.load(Ordering::Relaxed) {
        // SAFETY: alginit found the instructions.
        unsafe { aeshash(data, seed, keys) }
    } else {
        mulhash(data, seed, keys)
    }
}

/// The length and the seed go first, then each 16 bytes go through a keyed AES
/// round into the state; three more rounds spread every bit over all.
#[target_feature(enable = "aes,ssse3,sse4.1")]
fn aeshash(data: &[u8], seed: u64, keys: [u64; 4]) -> u64 {
    let [key0, key1, key2, key3] = keys.map(|key| key as i64);
    let key = _mm_set_epi64x(key0, key1);
    let start = _mm_xor_si128(
        _mm_set_epi64x(data.len() as i64, seed as i64),
        _mm_set_epi64x(key2, key3),
    );
    // A round of its own, or a byte of the data could undo the length.
    let mut state = _mm_aesenc_si128(start, key);
    let mut blocks = data.chunks_exact(16);
    for block in &mut blocks {
        state = _mm_aesenc_si128(_mm_xor_si128(state, load(block)), key);
    }
    let mut last = [0u8; 16];
    for (to, from) in last.iter_mut().zip(blocks.remainder()) {
        *to = *from;
    }
    state = _mm_aesenc_si128(_mm_xor_si128(state, load(&last)), key);
    for _ in 0..3 {
        state = _mm_aesenc_si128(state, key);
    }
    _mm_cvtsi128_si64(state) as u64
}

/// Loads a block of 16 bytes.
#[target_feature(enable = "sse2")]
fn load(block: &[u8]) -> __m128i {
    debug_assert_eq!(block.len(), 16);
    // SAFETY: the callers pass 16 bytes.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

/// Each 16 bytes are multiplied to 128 bits and folded.
fn mulhash(data: &[u8], seed: u64, keys: [u64; 4]) -> u64 {
    let [key0, key1, key2, key3] = keys;
    let mut state = seed ^ key0;
    for block in data.chunks(16) {
        let mut words = [0u8; 16];
        for (to, from) in words.iter_mut().zip(block) {
            *to = *from;
        }
        let words = u128::from_le_bytes(words);
        state = fold(words as u64 ^ key1, (words >> 64) as u64 ^ state);
    }
    fold(fold(state ^ key2, data.len() as u64 ^ key3), key1)
}

/// Multiplies to 128 bits and adds the halves without carry.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}
