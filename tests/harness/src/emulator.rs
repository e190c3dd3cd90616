//! QEMU user mode: whether we run under it, and how our children come to.
//!
//! QEMU hands a child's exec on to the kernel, which would run the program on
//! the real CPU. So it is the emulator that must be started, with the program as
//! its argument, as cargo does it.

use alloc::ffi::CString;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::arch::x86_64::__cpuid;
use core::ffi::CStr;

use gort::env;
use rustix::fs::Access;
use rustix::io::Errno;

/// Where cargo's users say how to run programs for this target.
const RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";
/// What runs them otherwise.
const EMULATOR: &str = "qemu-x86_64";

/// Says whether the program runs under QEMU user mode.
#[must_use]
pub fn under_qemu() -> bool {
    const HYPERVISOR: u32 = 0x4000_0000;
    const BRAND: u32 = 0x8000_0002;
    let signature = __cpuid(HYPERVISOR);
    let brand = __cpuid(BRAND);
    let bytes = |words: [u32; 3]| words.map(u32::to_le_bytes).concat();
    bytes([signature.ebx, signature.ecx, signature.edx]) == b"TCGTCGTCGTCG"
        || bytes([brand.eax, brand.ebx, brand.ecx]) == b"QEMU TCG CPU"
}

/// Returns what runs this program once more: a file, and the arguments that come
/// before the program's own, the name of the program among them.
pub(crate) fn this_program() -> Result<(CString, Vec<CString>), Errno> {
    const EXECUTABLE: &CStr = c"/proc/self/exe";
    if !under_qemu() {
        let name = env::args_c().next().unwrap_or(EXECUTABLE);
        return Ok((EXECUTABLE.into(), [name.into()].into()));
    }
    let runner = env::var(RUNNER).unwrap_or_default();
    let mut words: Vec<&str> = runner.split_whitespace().collect();
    if words.is_empty() {
        words.push(EMULATOR);
    }
    let mut arguments: Vec<_> = words
        .iter()
        .copied()
        .map(c_string)
        .collect::<Result<_, _>>()?;
    arguments.push(link_target(EXECUTABLE)?);
    let file = find(words.first().copied().unwrap_or(EMULATOR)).ok_or(Errno::NOENT)?;
    Ok((c_string(&file)?, arguments))
}

/// Finds a program as a shell does: a path as it stands, a name in `PATH`.
pub(crate) fn find(name: &str) -> Option<String> {
    let is_executable = |path: &String| rustix::fs::access(path.as_str(), Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return Some(name.to_string());
    }
    let path = env::var("PATH").unwrap_or_default();
    path.split(':')
        .map(|directory| format!("{directory}/{name}"))
        .find(is_executable)
}

/// Turns text into a C string.
pub(crate) fn c_string(text: &str) -> Result<CString, Errno> {
    CString::new(text).map_err(|_| Errno::INVAL)
}

/// Reads where a symbolic link leads.
fn link_target(link: &CStr) -> Result<CString, Errno> {
    let mut buffer = [0; 4096];
    let length = rustix::fs::readlinkat_raw(rustix::fs::CWD, link, &mut buffer[..])?;
    let target = buffer.get(..length).unwrap_or_default();
    CString::new(target).map_err(|_| Errno::INVAL)
}
