//! What there is to know of the machine beside its memory: huge pages, random bits, limits.

use x86_64::instructions::random::RdRand;

/// There are none that anybody should care for.
pub(crate) fn huge_page_size() -> usize {
    0
}

/// Nobody limits what the CPUs may do for us.
pub(crate) fn cpu_limit() -> u64 {
    cgroup::UNLIMITED
}

/// The control groups' place: there are none.
pub(crate) mod cgroup {
    /// No limit: more CPUs than there are.
    pub(crate) const UNLIMITED: u64 = u64::MAX;

    /// How many Ps to start with: as many as CPUs.
    pub(crate) fn default_gomaxprocs(ncpu: i32, _limit: u64) -> i32 {
        ncpu
    }
}

/// Fills two of `words` with random bits from the CPU, which are as many as Linux gives a program;
/// false if it has none to give.
pub(crate) fn random(words: &mut [u64; 4]) -> bool {
    let Some(source) = RdRand::new() else {
        return false;
    };
    words.iter_mut().take(2).all(|word| {
        let drawn = source.get_u64();
        drawn.is_some_and(|bits| {
            *word = bits;
            true
        })
    })
}

/// Fills `bytes` with random ones from the CPU, or returns the errno (ENOSYS).
#[cfg(feature = "getrandom")]
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), i32> {
    const ENOSYS: i32 = 38;
    for piece in bytes.chunks_mut(size_of::<u64>()) {
        let drawn = RdRand::new().and_then(RdRand::get_u64).ok_or(ENOSYS)?;
        let drawn = drawn.to_le_bytes();
        piece.copy_from_slice(drawn.get(..piece.len()).unwrap_or_default());
    }
    Ok(())
}

/// There is one process.
pub(crate) fn process_id() -> u32 {
    1
}
