//! The select: the first of several operations that is ready.
//!
//! Go's counterpart: `selectgo` in `runtime/select.go`; as there, in three passes:
//!
//! 1. Look whether one is ready, in random order, each channel by itself; what does not look
//!    ready without the lock is passed over.
//! 2. Take all locks, in the order of the channels' addresses, which is what rules a deadlock
//!    out. Look again: if one is ready now, begin again. Else there is a sudog for each in its
//!    channel's queue, and the goroutine parks; the unlock function opens all.
//! 3. Take the other sudogs off their queues.
//!
//! Invariants:
//! 1. All sudogs have one `Waiter`: whoever claims it, by whichever of them, or the clock,
//!    is the one that wakes the goroutine.
//! 2. The unlock function opens the locks in order, and the last is the last that it has to do
//!    with the goroutine's stack. The goroutine, which may have been woken by then, takes
//!    that lock first of all: then it is done.
//! 3. Sudogs and the list of locks are on the stack: a select of up to 32 operations
//!    allocates nothing.

use crate::alloc::boxed::Box;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;

use super::case::{Kind, SelectHandle};
use super::clock;
use super::hchan::{Hchan, Side, Timeout, WATCHED};
use super::scheduler::{G, WaitReason, Waiter, acquirem, cheaprand, need_p, releasem};
use super::token::Token;
use super::waitq::{Sudog, Waitq};

/// An operation: the channel's half, its index for the user, and the half's address.
pub(super) type Handle<'a> = (&'a dyn SelectHandle, usize, *const u8);

/// What is wanted of an operation that is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To be held, for its completion.
    Select,
    /// To be named.
    Ready,
}

/// Waits until an operation is ready, and returns its place among the handles, which are
/// shuffled unless the first is to be preferred; none if the time is over. From a goroutine.
pub(super) fn run(
    handles: &mut [Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    is_biased: bool,
    token: &mut Token,
) -> Option<usize> {
    if !is_biased {
        shuffle(handles);
    }
    loop {
        for (place, (handle, ..)) in handles.iter().enumerate() {
            let kind = handle.case().0;
            let ready = match mode {
                Mode::Select => kind.try_select(token),
                Mode::Ready => kind.is_ready(),
            };
            if ready {
                return Some(place);
            }
        }
        if clock::is_over(timeout) {
            return None;
        }
        let place = match handles.len() {
            0..=4 => block_on_stack::<4>(handles, mode, timeout, token),
            5..=32 => block_on_stack::<32>(handles, mode, timeout, token),
            _ => block_on_heap(handles, mode, timeout, token),
        };
        if place.is_some() {
            return place;
        }
    }
}

/// Puts the handles into a random order. Go's `pollorder`.
fn shuffle(handles: &mut [Handle<'_>]) {
    if handles.len() < 2 {
        return;
    }
    let mp = acquirem();
    for count in 2..=handles.len() {
        let random = u64::from(cheaprand(mp));
        handles.swap(count - 1, ((random * count as u64) >> 32) as usize);
    }
    releasem();
}

/// Blocks with what it needs on this frame.
fn block_on_stack<const N: usize>(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
) -> Option<usize> {
    let mut sudogs = [const { MaybeUninit::uninit() }; N];
    let mut locks = [const { MaybeUninit::uninit() }; N];
    let len = handles.len();
    block(
        handles,
        mode,
        timeout,
        token,
        (&mut sudogs[..len], &mut locks[..len]),
    )
}

/// Blocks on more operations than the macros know.
#[cold]
fn block_on_heap(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
) -> Option<usize> {
    let mut sudogs = Box::new_uninit_slice(handles.len());
    let mut locks = Box::new_uninit_slice(handles.len());
    block(handles, mode, timeout, token, (&mut sudogs, &mut locks))
}

/// The locks that the unlock function opens.
pub(super) struct Locks {
    pub(super) first: *const &'static Hchan,
    pub(super) count: usize,
}

/// Opens the locks of a goroutine that has been saved. Go's `selparkcommit`.
///
/// # Safety
///
/// `locks` must be [`Locks`] until the last one has been opened, and all of them the
/// goroutine's.
unsafe fn select_commit(_: &'static G, locks: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    let Locks { first, count } = unsafe { locks.cast::<Locks>().read() };
    for at in 0..count {
        // SAFETY: as above: this one is not open yet.
        let chan = unsafe { first.wrapping_add(at).read() };
        chan.lock.unlock();
    }
    true
}

/// Returns the queue that a select waits in.
fn queue(chan: &Hchan, side: Side, mode: Mode) -> &Waitq {
    match (mode, side) {
        (Mode::Select, Side::Recv) => &chan.recvq,
        (Mode::Select, Side::Send) => &chan.sendq,
        (Mode::Ready, Side::Recv) => &chan.recv_watch,
        (Mode::Ready, Side::Send) => &chan.send_watch,
    }
}

/// Waits for an operation, or for the time. Returns the place of the one that was selected;
/// none if the first pass shall look again.
#[inline(never)]
fn block(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
    (sudogs, locks): (
        &mut [MaybeUninit<Sudog>],
        &mut [MaybeUninit<&'static Hchan>],
    ),
) -> Option<usize> {
    let mut until = timeout;
    let mut count = 0;
    for (handle, ..) in handles {
        match handle.case().0 {
            Kind::Chan(chan, _) => count = insert(&mut locks[..=count], chan),
            Kind::Timed(timed) => until = clock::earlier(until, timed.due()),
        }
    }
    // SAFETY: so many were inserted.
    let chans = unsafe { locks[..count].assume_init_ref() };
    let Some(last) = chans.last() else {
        let reason = match until {
            Timeout::Never => WaitReason::SELECT_NO_CASES,
            _ => WaitReason::SELECT,
        };
        clock::wait(until, reason);
        return None;
    };
    need_p();
    acquirem();
    for chan in chans {
        chan.lock.lock();
    }
    let ready = |(handle, ..): &Handle<'_>| {
        let chan = handle.case().0.chan();
        chan.is_some_and(|(chan, side)| chan.is_ready_locked(side))
    };
    if handles.iter().any(ready) {
        for chan in chans {
            chan.lock.unlock();
        }
        releasem();
        return None;
    }
    let waiter = Waiter::new();
    for ((handle, ..), sudog) in handles.iter().zip(&mut *sudogs) {
        let Some((chan, side)) = handle.case().0.chan() else {
            sudog.write(Sudog::new(&waiter, ptr::null_mut()));
            continue;
        };
        let elem = match side {
            Side::Recv => chan.inline_place(token),
            Side::Send => ptr::null_mut(),
        };
        queue(chan, side, mode).enqueue(sudog.write(Sudog::new(&waiter, elem)));
        match (mode, side) {
            (Mode::Ready, _) => chan.set_flags(WATCHED),
            // Whoever watches the other side has found a partner.
            (Mode::Select, Side::Recv) if chan.capacity == 0 => chan.notify(&chan.send_watch),
            (Mode::Select, Side::Send) if chan.capacity == 0 => chan.notify(&chan.recv_watch),
            _ => {}
        }
    }
    let unlock = Locks {
        first: chans.as_ptr(),
        count,
    };
    let deadline = match until {
        Timeout::At(deadline) => deadline,
        _ => 0,
    };
    // SAFETY: the locks are ours, and what select_commit reads is there until it has opened
    // the last, which we wait for below.
    let by = unsafe {
        let unlock = (&raw const unlock).cast();
        waiter.park(select_commit, unlock, WaitReason::SELECT, deadline)
    };
    last.enter(); // invariant 2
    last.leave();
    let mut selected = None;
    // Others have pointers to them still: they are borrowed for reading alone.
    for (place, ((handle, ..), sudog)) in handles.iter().zip(&*sudogs).enumerate() {
        // SAFETY: written above.
        let sudog = unsafe { sudog.assume_init_ref() };
        let Some((chan, side)) = handle.case().0.chan() else {
            continue;
        };
        if sudog.claim_word() == by {
            selected = Some(place);
            token.outcome = sudog.outcome();
            chan.meet_partner(token);
        } else {
            chan.unqueue(queue(chan, side, mode), sudog);
        }
        if mode == Mode::Ready {
            chan.unwatch();
        }
    }
    selected
}

/// Puts a channel among those that are sorted by their addresses, all but the last of the
/// slice, unless it is there. Returns how many there are now.
fn insert(sorted: &mut [MaybeUninit<&'static Hchan>], chan: &Hchan) -> usize {
    let count = sorted.len() - 1;
    let chan: *const Hchan = chan;
    // SAFETY: the handles borrow it, for longer than the slice is used.
    let chan: &'static Hchan = unsafe { &*chan };
    let mut at = 0;
    while at < count {
        // SAFETY: those before the last have been inserted.
        let other = unsafe { sorted[at].assume_init() };
        if ptr::eq(other, chan) {
            return count;
        }
        if ptr::from_ref(other) > ptr::from_ref(chan) {
            break;
        }
        at += 1;
    }
    sorted.copy_within(at..count, at + 1);
    sorted[at].write(chan);
    count + 1
}
