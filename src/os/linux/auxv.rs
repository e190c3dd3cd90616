//! What the kernel tells a new program about the machine and itself: the
//! auxiliary vector, the CPUs, the size of huge pages.
//!
//! Go's counterparts: `sysauxv`, `getproccount`, `getHugePageSize` in
//! `runtime/os_linux.go`.

use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::syscall::{nr, syscall4};

const AT_NULL: usize = 0;
const AT_PHDR: usize = 3;
const AT_PHENT: usize = 4;
const AT_PHNUM: usize = 5;
const AT_PAGESZ: usize = 6;
const AT_SECURE: usize = 23;
const AT_RANDOM: usize = 25;
const AT_HWCAP2: usize = 26;
const AT_EXECFN: usize = 31;
const AT_SYSINFO_EHDR: usize = 33;

/// One more than the largest tag that the runtime uses.
const TAGS: usize = 34;

/// The auxiliary vector: a word for each tag. What a wrapper or an emulator
/// left out, or gave as 0, is None.
pub(crate) struct Auxv([AtomicUsize; TAGS]);

impl Auxv {
    /// Makes one that says nothing.
    pub(crate) const fn new() -> Self {
        Self([const { AtomicUsize::new(0) }; TAGS])
    }

    /// Reads the kernel's vector. While there is one thread.
    ///
    /// # Safety
    ///
    /// `vector` must point at pairs of words that end with an AT_NULL pair.
    pub(crate) unsafe fn read(&self, mut vector: *const [usize; 2]) {
        loop {
            // SAFETY: not behind the AT_NULL pair, at which the loop ends.
            let [tag, value] = unsafe { vector.read() };
            if tag == AT_NULL {
                return;
            }
            if let Some(slot) = self.0.get(tag) {
                slot.store(value, Ordering::Relaxed); // as above: before any other thread is made
            }
            // SAFETY: this pair was not the last.
            vector = unsafe { vector.add(1) };
        }
    }

    /// Returns the address of the program headers.
    pub(crate) fn phdr(&self) -> Option<usize> {
        self.word(AT_PHDR)
    }

    /// Returns the size of a program header.
    pub(crate) fn phent(&self) -> Option<usize> {
        self.word(AT_PHENT)
    }

    /// Returns how many program headers there are.
    pub(crate) fn phnum(&self) -> Option<usize> {
        self.word(AT_PHNUM)
    }

    /// Returns the page size in bytes.
    pub(crate) fn page_size(&self) -> Option<usize> {
        self.word(AT_PAGESZ)
    }

    /// Set-user-ID or the like: the environment is not to be trusted.
    pub(crate) fn secure(&self) -> bool {
        self.word(AT_SECURE).is_some()
    }

    /// Returns the address of 16 random bytes.
    pub(crate) fn random(&self) -> Option<usize> {
        self.word(AT_RANDOM)
    }

    /// The kernel lets programs use RDFSBASE and WRFSBASE.
    pub(crate) fn fsgsbase(&self) -> bool {
        const HWCAP2_FSGSBASE: usize = 1 << 1;
        self.word(AT_HWCAP2)
            .is_some_and(|bits| bits & HWCAP2_FSGSBASE != 0)
    }

    /// Returns the address of the name that the program was started by.
    pub(crate) fn execfn(&self) -> Option<usize> {
        self.word(AT_EXECFN)
    }

    /// Returns the address of the vDSO.
    pub(crate) fn vdso(&self) -> Option<usize> {
        self.word(AT_SYSINFO_EHDR)
    }

    /// Returns a tag's value unless that is 0.
    fn word(&self, tag: usize) -> Option<usize> {
        let value = self.0.get(tag)?.load(Ordering::Relaxed); // written once, at boot
        (value != 0).then_some(value)
    }
}

/// Counts the CPUs that this process may run on; 1 if the kernel won't say.
#[unsafe(export_name = "runtime.getproccount")]
#[inline(never)]
pub(crate) fn cpu_count() -> i32 {
    // A page of stack less for all but the largest machines.
    let mut small = [0u64; 16];
    let mut count = affinity(&mut small);
    if count == 0 {
        count = cpu_count_large();
    }
    count.max(1)
}

/// The same with room for 65,536 CPUs.
#[cold]
#[inline(never)]
fn cpu_count_large() -> i32 {
    affinity(&mut [0u64; 1024])
}

/// Counts the bits of the affinity mask; 0 if it is larger than `mask`.
fn affinity(mask: &mut [u64]) -> i32 {
    let size = size_of_val(mask);
    // SAFETY: the kernel writes at most the size that it is told, into our own.
    unsafe {
        syscall4(
            nr::SCHED_GETAFFINITY,
            [0, size, mask.as_mut_ptr().addr(), 0],
        )
    };
    let mut count = 0;
    for word in mask {
        let mut rest = *word;
        while rest != 0 {
            rest &= rest - 1;
            count += 1;
        }
    }
    count
}

/// Reads the size of a transparent huge page; 0 if there are none.
#[unsafe(export_name = "runtime.getHugePageSize")]
#[inline(never)]
pub(crate) fn huge_page_size() -> usize {
    const SIZE: &CStr =
        super::file::path(b"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size\0\0");
    let Some(file) = super::open_read(SIZE) else {
        return 0;
    };
    let mut digits = [0u8; 20];
    let length = super::read(&file, &mut digits).unwrap_or(0);
    // The last character is a newline.
    let text = digits.get(..length.wrapping_sub(1)).unwrap_or_default();
    crate::debug::print::parse_decimal(text).unwrap_or(0) as usize // mallocinit checks it
}

/// Fills `words` with random bits from the kernel; false if it has none to give.
pub(crate) fn random(words: &mut [u64; 4]) -> bool {
    const GRND_NONBLOCK: usize = 1;
    let size = size_of_val(words);
    // SAFETY: the kernel writes at most `size` bytes into our own.
    let written = unsafe {
        syscall4(
            nr::GETRANDOM,
            [words.as_mut_ptr().addr(), size, GRND_NONBLOCK, 0],
        )
    };
    written == size as isize
}

/// Fills `bytes` with random ones from the kernel, which may wait for some at the
/// system's own start. Or returns the errno.
#[cfg(feature = "getrandom")]
pub(crate) fn fill_random(mut bytes: &mut [u8]) -> Result<(), i32> {
    const EINTR: isize = 4;
    while !bytes.is_empty() {
        // SAFETY: the kernel writes at most that many bytes into our own.
        let count = unsafe {
            syscall4(
                nr::GETRANDOM,
                [bytes.as_mut_ptr().addr(), bytes.len(), 0, 0],
            )
        };
        match usize::try_from(count) {
            Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
            Err(_) if count == -EINTR => {}
            Err(_) => return Err(-count as i32),
        }
    }
    Ok(())
}
