//! The program's own ELF headers, verified, and what they say of its TLS.
//!
//! Go's counterpart: `moduledataverify` in `runtime/symtab.go`. A file that was
//! damaged on disk or cut short, or linked with another script, is refused
//! here with one line, before anything of it is relied on.

use super::args::auxv;
use crate::debug::elf::{self, Expected};
use crate::debug::fatal;
use crate::debug::lock::{Mutex, rank};

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
    safe static CGO_INIT: core::sync::atomic::AtomicUsize;
}

/// The bytes of the first segment: headers, and nothing else up to the text.
const HEADERS: usize = 0x1000;

/// The bytes of TLS that m0 has room for: the slot of g.
const M0_TLS: usize = 8;

static TLS_IMAGE: Mutex<elf::TlsImage, { rank::BOOT }> = Mutex::new(elf::TlsImage {
    vaddr: 0,
    filesz: 0,
    memsz: 0,
    align: 0,
});

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
    let hosted = CGO_INIT.load(core::sync::atomic::Ordering::Relaxed) != 0; // a constant
    let base = &raw const EHDR;
    // SAFETY: the kernel has mapped the first page of the file there: we run.
    let image = unsafe { core::slice::from_raw_parts(base, HEADERS) };
    let auxv = auxv();
    let expected = Expected {
        // A libc enters its own program where it wants to.
        entry: if hosted {
            own_entry(image)
        } else {
            entry as *const () as usize
        },
        text: (&raw const TEXT).addr(),
        etext: (&raw const ETEXT).addr(),
        load_base: base.addr(),
        phdr: auxv.phdr(),
        phnum: auxv.phnum(),
        phent: auxv.phent(),
    };
    drop(auxv);
    match elf::verify(image, &expected) {
        Ok(module) => {
            let size = module.tls.map_or(0, |tls| tls.memsz);
            // The block of a libc's main thread is the libc's.
            if size != M0_TLS && !hosted {
                refuse(
                    "p_memsz of PT_TLS is not the 8 bytes of runtime.tlsg",
                    size as u64,
                );
            }
            if let Some(tls) = module.tls {
                *TLS_IMAGE.lock() = tls;
            }
        }
        Err(error) => refuse(error.what, error.value),
    }
}

/// Returns where the file says that the program starts; 0 if it says nothing.
fn own_entry(image: &[u8]) -> usize {
    plain::from_bytes(image).map_or(0, |header: &goblin::elf64::header::Header| {
        header.e_entry as usize
    })
}

/// Says what is wrong and ends the program.
fn refuse(what: &str, value: u64) -> ! {
    fatal::refuse(
        "fatal error: moduledataverify: %s: got %x",
        &[value],
        &[what.as_bytes()],
    )
}

/// Returns what a new thread's TLS starts as.
pub(crate) fn tls_image() -> TlsImage {
    let tls = *TLS_IMAGE.lock();
    TlsImage {
        start: core::ptr::with_exposed_provenance(tls.vaddr),
        file_size: tls.filesz,
        size: tls.memsz.max(M0_TLS),
        align: tls.align.max(8),
    }
}
