//! Channels for C.
//!
//! A null channel is Go's nil channel: nothing is ever sent or received by it.

use crate::alloc::boxed::Box;
use crate::alloc::vec::Vec;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use core::slice;

use super::errno;
use crate::channel::bytes::{self, ByteCase, ByteChan, Handle, Refused};

/// What `op` says in a case that sends.
const SEND: c_int = 1;
/// What it says in one that receives.
const RECV: c_int = 2;

/// How many cases a select may have and allocate nothing.
const FEW: usize = 8;

/// Makes a channel; null if it were larger than the address space.
#[unsafe(no_mangle)]
extern "C" fn gort_chan_make(size: usize, capacity: usize) -> *mut ByteChan {
    match ByteChan::new(size, capacity) {
        Some(chan) => Box::into_raw(Box::new(chan)),
        None => ptr::null_mut(),
    }
}

/// Frees a channel.
///
/// # Safety
///
/// Nobody may use it any more. Here and below `chan` is null, or what `gort_chan_make`
/// has returned, and was not freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_free(chan: *mut ByteChan) {
    if !chan.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(chan) });
    }
}

/// Sends a message.
///
/// # Safety
///
/// `message` must be of the channel's size. So it must below.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_send(chan: *mut ByteChan, message: *const c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { send(chan, message, -1) }
}

/// Sends a message, if that is possible at once.
///
/// # Safety
///
/// As of `gort_chan_send`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_try_send(chan: *mut ByteChan, message: *const c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { send(chan, message, 0) }
}

/// Sends a message, if that is possible within that time.
///
/// # Safety
///
/// As of `gort_chan_send`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_send_timeout(
    chan: *mut ByteChan,
    message: *const c_void,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { send(chan, message, timeout_ns) }
}

/// Receives a message.
///
/// # Safety
///
/// At `message` must be room for one of the channel's size. So it must below.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_recv(chan: *mut ByteChan, message: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { recv(chan, message, -1) }
}

/// Receives a message, if there is one.
///
/// # Safety
///
/// As of `gort_chan_recv`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_try_recv(chan: *mut ByteChan, message: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { recv(chan, message, 0) }
}

/// Receives a message, if there is one within that time.
///
/// # Safety
///
/// As of `gort_chan_recv`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_recv_timeout(
    chan: *mut ByteChan,
    message: *mut c_void,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { recv(chan, message, timeout_ns) }
}

/// Closes a channel.
///
/// # Safety
///
/// See `gort_chan_free`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_close(chan: *mut ByteChan) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { chan.as_ref() } {
        None => -errno::EINVAL,
        Some(chan) if chan.close() => 0,
        Some(_) => -errno::EALREADY,
    }
}

/// Counts the messages in a channel.
///
/// # Safety
///
/// See `gort_chan_free`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_len(chan: *const ByteChan) -> usize {
    // SAFETY: the caller's promise.
    unsafe { chan.as_ref() }.map_or(0, ByteChan::len)
}

/// Returns how many messages a channel has room for.
///
/// # Safety
///
/// See `gort_chan_free`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_chan_cap(chan: *const ByteChan) -> usize {
    // SAFETY: the caller's promise.
    unsafe { chan.as_ref() }.map_or(0, ByteChan::capacity)
}

/// An operation that `gort_select` may choose.
#[repr(C)]
struct Case {
    chan: *mut ByteChan,
    message: *mut c_void,
    op: c_int,
    result: c_int,
}

/// Does one of several operations, the first that is possible; returns its index.
///
/// # Safety
///
/// There must be `count` cases, and what they name must be as of `gort_chan_send` and
/// `gort_chan_recv`.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_select(cases: *mut Case, count: usize, timeout_ns: i64) -> c_int {
    let cases = match count {
        0 => &mut [],
        // SAFETY: the caller's promise.
        _ => unsafe { slice::from_raw_parts_mut(cases, count) },
    };
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let mut many = Vec::new();
    let operations = match few.get_mut(..count) {
        Some(few) => few,
        None => {
            many.resize_with(count, MaybeUninit::uninit);
            &mut many[..]
        }
    };
    match operations_of(cases, operations) {
        Ok(operations) => select(cases, operations, timeout_ns),
        Err(error) => -error,
    }
}

/// Reads the cases: for each an operation, or none where the channel is null.
fn operations_of<'a>(
    cases: &[Case],
    room: &'a mut [MaybeUninit<Option<ByteCase<'static>>>],
) -> Result<&'a [Option<ByteCase<'static>>], c_int> {
    if c_int::try_from(cases.len()).is_err() {
        return Err(errno::EINVAL);
    }
    for (case, operation) in cases.iter().zip(&mut *room) {
        let sends = match case.op {
            SEND => true,
            RECV => false,
            _ => return Err(errno::EINVAL),
        };
        // SAFETY: the caller of `gort_select` has promised it, until that returns.
        let read = match unsafe { case.chan.as_ref() } {
            None => None,
            Some(chan) => Some(ByteCase {
                chan,
                sends,
                message: place(chan, case.message)?,
            }),
        };
        operation.write(read);
    }
    // SAFETY: there are as many as cases, and all have been written.
    Ok(unsafe { room.assume_init_ref() })
}

/// Selects one of the operations, and completes it.
fn select(cases: &mut [Case], operations: &[Option<ByteCase<'_>>], ns: i64) -> c_int {
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let mut many = Vec::new();
    let handles = match few.get_mut(..operations.len()) {
        Some(few) => few,
        None => {
            many.resize_with(operations.len(), MaybeUninit::uninit);
            &mut many[..]
        }
    };
    let mut count = 0;
    for (index, operation) in operations.iter().enumerate() {
        if let Some(operation) = operation {
            handles[count].write(bytes::handle(operation, index));
            count += 1;
        }
    }
    // SAFETY: so many have been written.
    let handles: &mut [Handle<'_>] = unsafe { handles[..count].assume_init_mut() };
    let Some(selected) = bytes::select(handles, ns) else {
        return over(ns);
    };
    let index = selected.index;
    let Some(operation) = &operations[index] else {
        return -errno::EINVAL; // not reached: only operations have handles
    };
    // SAFETY: the caller of `gort_select` has promised it.
    cases[index].result = match unsafe { selected.complete(operation) } {
        Ok(()) => 0,
        Err(_) => -errno::EPIPE,
    };
    index as c_int // operations_of has looked
}

/// Sends a message within that time.
///
/// # Safety
///
/// As of `gort_chan_send`.
unsafe fn send(chan: *const ByteChan, message: *const c_void, ns: i64) -> c_int {
    // SAFETY: the caller's promise.
    let Some(chan) = (unsafe { chan.as_ref() }) else {
        bytes::wait(ns, true);
        return over(ns);
    };
    match place(chan, message.cast_mut()) {
        // SAFETY: the caller's promise.
        Ok(message) => result(unsafe { chan.send(message, ns) }, ns),
        Err(error) => -error,
    }
}

/// Receives a message within that time.
///
/// # Safety
///
/// As of `gort_chan_recv`.
unsafe fn recv(chan: *const ByteChan, message: *mut c_void, ns: i64) -> c_int {
    // SAFETY: the caller's promise.
    let Some(chan) = (unsafe { chan.as_ref() }) else {
        bytes::wait(ns, false);
        return over(ns);
    };
    match place(chan, message) {
        // SAFETY: the caller's promise.
        Ok(message) => result(unsafe { chan.recv(message, ns) }, ns),
        Err(error) => -error,
    }
}

/// Returns where a message is: null only if it has no bytes, and then elsewhere.
fn place(chan: &ByteChan, message: *mut c_void) -> Result<*mut u8, c_int> {
    match message.is_null() {
        false => Ok(message.cast()),
        true if chan.size() == 0 => Ok(ptr::dangling_mut()),
        true => Err(errno::EINVAL),
    }
}

/// Says what came of an operation.
fn result(outcome: Result<(), Refused>, ns: i64) -> c_int {
    match outcome {
        Ok(()) => 0,
        Err(Refused::Closed) => -errno::EPIPE,
        Err(Refused::TimedOut) => over(ns),
    }
}

/// Says that so many nanoseconds are over.
fn over(ns: i64) -> c_int {
    if ns == 0 {
        -errno::EAGAIN
    } else {
        -errno::ETIMEDOUT
    }
}
