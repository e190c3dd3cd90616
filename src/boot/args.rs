//! What the kernel put on the stack: arguments, environment, auxiliary vector;
//! and the vDSO, which the last of them names.
//!
//! Go's counterparts: `args` in `runtime/runtime1.go`, `sysargs` in
//! `runtime/os_linux.go`, `vdsoauxv` in `runtime/vdso_linux.go`. Nothing is
//! copied: the kernel's strings stay where they are for the process's life.

use core::ffi::{CStr, c_char};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::debug::boottrace;
use crate::debug::vdso::{self, Vdso};
use crate::mem;
use crate::os::{self, Auxv};

static ARGC: AtomicUsize = AtomicUsize::new(0);
static ARGV: AtomicPtr<*const c_char> = AtomicPtr::new(ptr::null_mut());
static ENVC: AtomicUsize = AtomicUsize::new(0);
static ENVP: AtomicPtr<*const c_char> = AtomicPtr::new(ptr::null_mut());
static AUXV: Auxv = Auxv::new();

/// The page size where the auxiliary vector has none: every amd64 has it.
const DEFAULT_PAGE_SIZE: usize = 4096;

/// The functions that the runtime takes from the vDSO.
const CLOCK_GETTIME: &[u8] = vdso::text(b"__vdso_clock_gettime\0\0");
const GETCPU: &[u8] = vdso::text(b"__vdso_getcpu\0\0");

/// Remembers argc and argv and reads on behind them. On g0, once.
#[unsafe(export_name = "runtime.args")]
#[inline(never)]
pub(super) extern "C" fn args(argc: i32, argv: *const *const u8) {
    crate::stops_here!();
    ARGC.store(argc.max(0) as usize, Ordering::Relaxed); // still one thread
    ARGV.store(argv.cast_mut().cast(), Ordering::Relaxed); // as above
    sysargs(argc.max(0) as usize, argv.cast());
    boottrace::step("runtime.sysargs");
}

/// Finds the environment and the auxiliary vector, which follow argv.
#[unsafe(export_name = "runtime.sysargs")]
#[inline(never)]
extern "C" fn sysargs(argc: usize, argv: *const *const c_char) {
    // SAFETY: the kernel ends argv with a null, and the environment follows.
    let envp = unsafe { argv.add(argc + 1) };
    let mut envc = 0;
    // SAFETY: the kernel ends the environment with a null, at which this stops.
    while !unsafe { envp.wrapping_add(envc).read() }.is_null() {
        envc += 1;
    }
    ENVP.store(envp.cast_mut(), Ordering::Relaxed); // still one thread
    ENVC.store(envc, Ordering::Relaxed); // as above
    // SAFETY: the auxiliary vector follows that null.
    let vector = unsafe { envp.add(envc + 1) };
    // SAFETY: as above; the kernel ends it with AT_NULL.
    unsafe { AUXV.read(vector.cast()) };
    let page_size = AUXV.page_size().unwrap_or(DEFAULT_PAGE_SIZE);
    mem::PHYS_PAGE_SIZE.store(page_size, Ordering::Relaxed); // still one thread
    if let Some(address) = AUXV.vdso() {
        vdsoinit(address);
    }
}

/// Takes the clock from the vDSO, if it has one that we understand.
#[unsafe(export_name = "runtime.vdsoauxv")]
#[inline(never)]
fn vdsoinit(address: usize) {
    const HEADER_PAGE: usize = 4096;
    let base: *const u8 = ptr::with_exposed_provenance(address);
    // SAFETY: the kernel maps at least one page there, for the process's life.
    let header = unsafe { core::slice::from_raw_parts(base, HEADER_PAGE) };
    let Some(mut vdso) = Vdso::new(header) else {
        return;
    };
    // SAFETY: the kernel maps all that the image's own headers say.
    vdso.image = unsafe { core::slice::from_raw_parts(base, vdso.size) };
    if let Some(offset) = vdso.find(CLOCK_GETTIME) {
        // SAFETY: the address of that very function.
        unsafe { os::use_vdso_clock(address + offset.get()) };
    }
    if let Some(offset) = vdso.find(GETCPU) {
        // SAFETY: as above.
        unsafe { os::use_vdso_getcpu(address + offset.get()) };
    }
}

/// Returns the auxiliary vector. Behind `args` only.
pub(crate) fn auxv() -> &'static Auxv {
    &AUXV
}

/// Returns the program's arguments, its name first.
pub(crate) fn arguments() -> &'static [*const c_char] {
    strings(&ARGV, &ARGC)
}

/// Returns the environment, `NAME=value` each.
pub(crate) fn environment() -> &'static [*const c_char] {
    strings(&ENVP, &ENVC)
}

/// Returns one of the two vectors.
fn strings(start: &AtomicPtr<*const c_char>, count: &AtomicUsize) -> &'static [*const c_char] {
    let start = start.load(Ordering::Relaxed); // written before a second thread was made
    if start.is_null() {
        return &[];
    }
    // SAFETY: the kernel's vector, of that length, there for the process's life.
    unsafe { core::slice::from_raw_parts(start, count.load(Ordering::Relaxed)) }
}

/// Looks a variable up; the last byte of the result stands before the NUL.
#[cfg_attr(not(feature = "archive"), inline(never))] // a loop, and not what it may become for each name
pub(crate) fn gogetenv(name: &[u8]) -> Option<&'static [u8]> {
    'entries: for &entry in environment() {
        let mut text = entry;
        // SAFETY: in the kernel's string: this stops at its NUL, which nothing equals.
        let next = |text: *const c_char| unsafe { text.read() } as u8;
        for &byte in name {
            if byte == 0 || next(text) != byte {
                continue 'entries;
            }
            text = text.wrapping_add(1);
        }
        if next(text) == b'=' {
            return Some(kernel_string(text.wrapping_add(1)).to_bytes());
        }
    }
    None
}

/// Wraps one of the strings of [`arguments`] or [`environment`].
pub(crate) fn kernel_string(text: *const c_char) -> &'static CStr {
    // SAFETY: this module alone hands such pointers out, to the kernel's strings,
    // which end with a NUL and stay.
    unsafe { CStr::from_ptr(text) }
}
