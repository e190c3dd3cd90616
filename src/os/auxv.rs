//! The auxiliary vector: what whoever starts a program tells it about the machine. The
//! kernel's on Linux, our own way into the machine where there is no kernel.
//!
//! Go's counterpart: `sysauxv` in `runtime/os_linux.go`.

use core::sync::atomic::{AtomicUsize, Ordering};

pub(super) const AT_NULL: usize = 0;
pub(super) const AT_PHDR: usize = 3;
pub(super) const AT_PHENT: usize = 4;
pub(super) const AT_PHNUM: usize = 5;
pub(super) const AT_PAGESZ: usize = 6;
pub(super) const AT_SECURE: usize = 23;
pub(super) const AT_RANDOM: usize = 25;
pub(super) const AT_HWCAP2: usize = 26;
/// Of AT_HWCAP2: the kernel lets programs use RDFSBASE and WRFSBASE.
pub(super) const HWCAP2_FSGSBASE: usize = 1 << 1;
pub(super) const AT_EXECFN: usize = 31;
pub(super) const AT_SYSINFO_EHDR: usize = 33;

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
