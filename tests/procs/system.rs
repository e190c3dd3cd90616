//! What the kernel says of this process's threads, and pipes to wait on.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::time::Duration;

use gort::runtime;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

/// Returns the number of the thread that the caller runs on at this moment.
pub(crate) fn thread() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}

/// Returns the number of the main thread.
pub(crate) fn main_thread() -> i32 {
    rustix::process::getpid().as_raw_pid()
}

/// Returns the numbers of the threads there are.
pub(crate) fn threads() -> Vec<i32> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = rustix::fs::open(c"/proc/self/task", flags, Mode::empty()).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(tasks, &mut buffer);
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.unwrap();
        numbers.extend(
            entry
                .file_name()
                .to_str()
                .ok()
                .and_then(|name| name.parse::<i32>().ok()),
        );
    }
    numbers
}

/// Returns a thread's name, if the thread is still there.
pub(crate) fn name_of(thread: i32) -> Option<String> {
    let path = format!("/proc/self/task/{thread}/comm");
    let file = rustix::fs::open(
        path.as_str(),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()?;
    let mut text = [0; 64];
    let length = rustix::io::read(&file, &mut text[..]).ok()?;
    let text = core::str::from_utf8(text.get(..length)?).ok()?;
    Some(text.trim_end().into())
}

/// Names the current thread; whoever it makes inherits that.
pub(crate) fn set_name(name: &core::ffi::CStr) {
    rustix::thread::set_name(name).unwrap();
}

/// A pipe of bytes to wait for.
pub(crate) struct Pipe {
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Pipe {
    /// Makes one.
    pub(crate) fn new() -> Self {
        let (ours, theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
        Self { ours, theirs }
    }

    /// Waits for a byte with the whole thread, and without the P.
    pub(crate) fn wait(&self) -> u8 {
        runtime::blocking(|| self.wait_with_the_p())
    }

    /// Waits for a byte with the whole thread.
    pub(crate) fn wait_with_the_p(&self) -> u8 {
        let mut byte = [0];
        loop {
            match rustix::io::read(self.ours.as_fd(), &mut byte[..]) {
                Ok(1) => return byte[0],
                Err(Errno::INTR) => {}
                other => panic!("read: {other:?}"),
            }
        }
    }

    /// Puts so many bytes in.
    pub(crate) fn put(&self, count: usize) {
        for at in 0..count {
            assert_eq!(rustix::io::write(self.theirs.as_fd(), &[at as u8]), Ok(1));
        }
    }
}

/// Sleeps with the whole thread for so many microseconds, or less.
pub(crate) fn nap(microseconds: u64) {
    let time = Duration::from_micros(microseconds);
    let time = rustix::thread::Timespec {
        tv_sec: 0,
        tv_nsec: time.as_nanos() as i64,
    };
    let _ = rustix::thread::nanosleep(&time); // a signal may end it
}
