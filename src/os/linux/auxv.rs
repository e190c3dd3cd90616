//! What the kernel tells a new program about the machine and itself: the
//! auxiliary vector, the CPUs, the size of huge pages.
//!
//! Go's counterparts: `sysauxv`, `getCPUCount`, `getHugePageSize` in
//! `runtime/os_linux.go`.

use super::syscall::{nr, syscall4};

const AT_NULL: usize = 0;
const AT_PHDR: usize = 3;
const AT_PHENT: usize = 4;
const AT_PHNUM: usize = 5;
const AT_PAGESZ: usize = 6;
const AT_SECURE: usize = 23;
const AT_RANDOM: usize = 25;
const AT_HWCAP2: usize = 26;
const AT_SYSINFO_EHDR: usize = 33;

/// The entries that the runtime uses; what a wrapper or an emulator left out,
/// or gave as 0, is None.
#[derive(Clone, Copy)]
pub(crate) struct Auxv {
    /// The address of the program headers.
    pub(crate) phdr: Option<usize>,
    /// The size of one.
    pub(crate) phent: Option<usize>,
    /// How many there are.
    pub(crate) phnum: Option<usize>,
    /// The page size in bytes.
    pub(crate) page_size: Option<usize>,
    /// Set-user-ID or the like: the environment is not to be trusted.
    pub(crate) secure: bool,
    /// The address of 16 random bytes.
    pub(crate) random: Option<usize>,
    /// The second word of capabilities.
    pub(crate) hwcap2: usize,
    /// The address of the vDSO.
    pub(crate) vdso: Option<usize>,
}

impl Auxv {
    /// Makes one that says nothing.
    pub(crate) const fn new() -> Self {
        Self {
            phdr: None,
            phent: None,
            phnum: None,
            page_size: None,
            secure: false,
            random: None,
            hwcap2: 0,
            vdso: None,
        }
    }
}

/// Reads the auxiliary vector.
///
/// # Safety
///
/// `vector` must point at pairs of words that end with an AT_NULL pair.
pub(crate) unsafe fn sysauxv(vector: *const [usize; 2]) -> Auxv {
    let mut found = Auxv::new();
    let mut at = vector;
    loop {
        // SAFETY: not behind the AT_NULL pair, at which the loop ends.
        let [tag, value] = unsafe { at.read() };
        let some = (value != 0).then_some(value);
        match tag {
            AT_NULL => return found,
            AT_PHDR => found.phdr = some,
            AT_PHENT => found.phent = some,
            AT_PHNUM => found.phnum = some,
            AT_PAGESZ => found.page_size = some,
            AT_SECURE => found.secure = value != 0,
            AT_RANDOM => found.random = some,
            AT_HWCAP2 => found.hwcap2 = value,
            AT_SYSINFO_EHDR => found.vdso = some,
            _ => {}
        }
        // SAFETY: this pair was not the last.
        at = unsafe { at.add(1) };
    }
}

/// Counts the CPUs that this process may run on; 1 if the kernel won't say.
pub(crate) fn cpu_count() -> i32 {
    let count = affinity::<16>().or_else(affinity::<1024>).unwrap_or(0);
    count.max(1) as i32
}

/// Counts the CPUs of the affinity mask if that has at most 64 `WORDS`. The
/// kernel refuses a buffer that is too small for the CPUs it could have.
#[inline(never)] // the large buffer shall not be in the caller's frame
fn affinity<const WORDS: usize>() -> Option<u32> {
    let mut mask = [0u64; WORDS];
    let size = size_of_val(&mask);
    // SAFETY: the kernel writes at most the size that it is told, into our own.
    let written = unsafe { syscall4(nr::SCHED_GETAFFINITY, [0, size, mask.as_mut_ptr().addr(), 0]) };
    let words = usize::try_from(written).ok()?.div_ceil(8);
    Some(mask.iter().take(words).map(|word| word.count_ones()).sum())
}

/// Reads the size of a transparent huge page; 0 if there are none.
pub(crate) fn huge_page_size() -> usize {
    let Some(file) = super::open_read(c"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size") else {
        return 0;
    };
    let mut digits = [0u8; 20];
    let length = super::read(&file, &mut digits).unwrap_or(0);
    let text = digits.get(..length).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    match crate::debug::print::parse_decimal(text) {
        Some(size) if size.is_power_of_two() => size as usize,
        _ => 0,
    }
}

/// Fills `bytes` with random ones from the kernel; false if it has none to give.
pub(crate) fn random(bytes: &mut [u8]) -> bool {
    const GRND_NONBLOCK: usize = 1;
    let length = bytes.len();
    // SAFETY: the kernel writes at most `length` bytes into our own.
    let written = unsafe { syscall4(nr::GETRANDOM, [bytes.as_mut_ptr().addr(), length, GRND_NONBLOCK, 0]) };
    written == length as isize
}
