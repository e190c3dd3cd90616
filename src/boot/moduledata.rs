//! The program's own ELF headers, verified, and what they say of its TLS.
//!
//! Go's counterpart: `moduledataverify` in `runtime/symtab.go`. A file that was
//! damaged on disk or cut short, or linked with another script, is refused
//! here with one line, before anything of it is relied on.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use goblin::elf64::program_header::ProgramHeader;

use super::args::auxv;
use crate::debug::elf::{self, Expected};
use crate::debug::fatal;

// SAFETY: labels of the linker script and the assembly; only their addresses
// are used.
unsafe extern "C" {
    #[link_name = "runtime.ehdr"]
    safe static EHDR: u8;
    #[link_name = "runtime.text"]
    safe static TEXT: u8;
    #[link_name = "runtime.etext"]
    safe static ETEXT: u8;
    #[link_name = "_rt0_amd64_linux"]
    fn entry();
    #[link_name = "_cgo_init"]
    safe static CGO_INIT: AtomicUsize;
}

/// The bytes of the first segment that are looked at: its first page, which has
/// all headers.
const HEADERS: usize = 0x1000;

/// The bytes of TLS that m0 has room for: the slot of g.
const M0_TLS: usize = 8;

/// PT_TLS, in the headers themselves; null if the program has none.
static TLS: AtomicPtr<ProgramHeader> = AtomicPtr::new(ptr::null_mut());

/// The initial contents of a thread's TLS.
pub(crate) struct TlsImage {
    /// Where the initialised bytes are.
    pub(crate) start: *const u8,
    /// How many there are.
    pub(crate) file_size: usize,
    /// The whole size.
    pub(crate) size: usize,
    /// The alignment of the address behind the image, where FS points.
    pub(crate) align: usize,
}

/// Verifies the headers. Refuses to go on if anything is wrong with them.
#[unsafe(export_name = "runtime.moduledataverify")]
#[inline(never)]
pub(super) extern "C" fn moduledataverify() {
    let hosted = CGO_INIT.load(Ordering::Relaxed) != 0; // a constant
    let base = &raw const EHDR;
    // SAFETY: the kernel has mapped the first page of the file there: we run.
    let image = unsafe { core::slice::from_raw_parts(base, HEADERS) };
    let auxv = auxv();
    let expected = Expected {
        // A libc enters its own program where it wants to.
        entry: (!hosted).then_some(entry as *const () as usize),
        text: (&raw const TEXT).addr(),
        etext: (&raw const ETEXT).addr(),
        load_base: base.addr(),
        phdr: auxv.phdr(),
        phnum: auxv.phnum(),
        phent: auxv.phent(),
    };
    match elf::verify(image, &expected) {
        Ok(module) => {
            let size = module.tls.map_or(0, |tls| tls.p_memsz);
            // The block of a libc's main thread is the libc's.
            if size != M0_TLS as u64 && !hosted {
                refuse("p_memsz of PT_TLS is not 8", size);
            }
            let tls = module.tls.map_or(ptr::null(), ptr::from_ref);
            TLS.store(tls.cast_mut(), Ordering::Relaxed); // still one thread
        }
        Err(error) => refuse(error.what, error.value),
    }
}

/// Says what is wrong and ends the program.
fn refuse(what: &str, value: u64) -> ! {
    fatal::refuse(
        "fatal error: moduledataverify: %s: got 0x%x",
        &[value],
        &[what.as_bytes()],
    )
}

/// Returns what a new thread's TLS starts as.
pub(crate) fn tls_image() -> TlsImage {
    let tls = TLS.load(Ordering::Relaxed); // written before a second thread was made
    // SAFETY: null, or in the headers, which nobody changes and which stay.
    let tls = unsafe { tls.as_ref() }.copied().unwrap_or_default();
    TlsImage {
        start: ptr::with_exposed_provenance(tls.p_vaddr as usize),
        file_size: tls.p_filesz as usize,
        size: (tls.p_memsz as usize).max(M0_TLS),
        align: (tls.p_align as usize).max(8),
    }
}
