//! Descriptors: the three that there are, all of them the serial port. And the one file
//! that there may be, the program's own.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use core::{ptr, slice};

use super::boot_info::Region;
use super::{memory, nap, serial};

const EBADF: i32 = 9;

/// How often to look whether somebody has typed something, in nanoseconds.
const GLANCE: u64 = 1_000_000;

/// The file that the virtual machine monitor has put into memory beside the program.
static FILE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static FILE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Notes where that is.
pub(super) fn init(file: Region) {
    FILE_SIZE.store((file.end - file.start) as usize, Ordering::Relaxed); // still one CPU
    FILE.store(memory::direct(file.start), Ordering::Relaxed); // as above
}

/// Returns that file: the machine is given the program once more, as its `-initrd`, where
/// its symbols are to be found. What is in there need not be this program.
pub(crate) fn map_exe(_: Option<Option<usize>>) -> Option<&'static [u8]> {
    let (start, size) = (
        FILE.load(Ordering::Relaxed),
        FILE_SIZE.load(Ordering::Relaxed),
    ); // written at boot
    // SAFETY: so much memory is there for nobody else, for good.
    (size > 0).then(|| unsafe { slice::from_raw_parts(start, size) })
}

/// Tells whether there is such a descriptor.
fn check(fd: i32) -> Result<(), i32> {
    if (0..3).contains(&fd) {
        Ok(())
    } else {
        Err(EBADF)
    }
}

/// Reads at most `buffer.len()` bytes, and waits for the first; 0 at the end. Or returns the
/// errno.
pub(crate) fn read_fd(fd: i32, buffer: &mut [u8]) -> Result<usize, i32> {
    check(fd)?;
    if buffer.is_empty() {
        return Ok(0);
    }
    loop {
        if let Some(count) = serial::read(buffer) {
            return Ok(count);
        }
        nap(GLANCE);
    }
}

/// Writes `bytes`, and says how many that were, or returns the errno.
pub(crate) fn write_fd(fd: i32, bytes: &[u8]) -> Result<usize, i32> {
    write_all(fd, bytes).map(|()| bytes.len())
}

/// Writes all of `bytes`, or returns the errno.
pub(crate) fn write_all(fd: i32, bytes: &[u8]) -> Result<(), i32> {
    check(fd)?;
    serial::write(bytes);
    Ok(())
}

/// A serial line is a terminal's.
pub(crate) fn is_terminal(fd: i32) -> bool {
    check(fd).is_ok()
}

/// All three are open.
pub(crate) fn check_fds() -> Result<(), i32> {
    Ok(())
}

/// Makes a file: there is nowhere to put one (EROFS).
#[cfg(feature = "sched-trace")]
pub(crate) fn create(_: &core::ffi::CStr) -> Result<i32, i32> {
    const EROFS: i32 = 30;
    Err(EROFS)
}
