//! The select: the first of several operations that is ready.
//!
//! Go's counterpart: `selectgo` in `runtime/select.go`; as there, in three passes:
//!
//! 1. Look whether one is ready, without a lock, and take the lock of one of those that look
//!    so, at random; if it was not, of another one. Go looks in random order, behind all locks.
//! 2. Take all locks, in the order of the channels' addresses, which is what rules a deadlock
//!    out. Look again: if one is ready now, begin again. Else there is a sudog for each in its
//!    channel's queue, and the goroutine parks; the unlock function opens all.
//! 3. Take the other sudogs off their queues.
//!
//! Invariants:
//! 1. All sudogs have one `Waiter`: whoever claims it, by whichever of them, or the clock,
//!    is the one that wakes the goroutine.
//! 2. The unlock function reads which locks there are on the goroutine's stack, and that one
//!    may have been woken, and go on, as soon as one is open. So it reads up to [`FEW`] before it
//!    opens any. And each of those is open before the goroutine goes on behind the select,
//!    and may drop the channel: who has claimed one of its sudogs, or has taken it off its
//!    queue, had that queue's lock, and of all others the goroutine takes it. Of more,
//!    the goroutine takes the last lock first of all: then all have been read.
//! 3. Sudogs and the list of locks are on the stack: a select of up to 32 operations
//!    allocates nothing.

use crate::alloc::boxed::Box;
use core::mem::MaybeUninit;
use core::ptr;

use super::case::{Case, Kind};
use super::clock;
use super::hchan::{Hchan, Side, Timeout, WATCHED};
use super::scheduler::{
    Locked, WaitReason, Waiter, acquirem, cheaprand, need_p, open, park_locked, releasem,
};
use super::token::Token;
use super::waitq::{Sudog, Waitq};

/// An operation: what it is of, its index for the user, and the address of the channel's half.
pub(super) type Handle<'a> = (Case<'a>, usize, *const u8);

/// What is wanted of an operation that is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To be held, for its completion.
    Select,
    /// To be named.
    Ready,
}

/// How many operations are looked at as one: the bits of a set.
const SET: usize = u64::BITS as usize;

/// Waits until an operation is ready, and returns its place among the handles; none if the
/// time is over. Of several that are ready it is any, at random, or the first. More than
/// [`SET`] are shuffled. From a goroutine.
#[inline]
pub(super) fn run(
    handles: &mut [Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    is_biased: bool,
    token: &mut Token,
) -> Option<usize> {
    if handles.len() > SET && !is_biased {
        shuffle(handles);
    }
    let place = at_once_or_later(handles, mode, timeout, is_biased, token);
    (place != NONE).then_some(place)
}

/// Where there is none.
const NONE: usize = usize::MAX;

/// Returns the place, or [`NONE`]: in one register, so that the rest is not called but jumped
/// to (see [`Ended`](super::waitq::Ended)), and has no part in this frame.
#[inline(never)]
fn at_once_or_later(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    is_biased: bool,
    token: &mut Token,
) -> usize {
    let place = if handles.len() <= SET {
        pick_of_few(handles, mode, is_biased, token)
    } else {
        pick(handles, mode, is_biased, token)
    };
    if place != NONE {
        return place;
    }
    later(handles, mode, timeout, is_biased, token)
}

/// The rest, when none has been ready.
#[inline(never)]
fn later(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    is_biased: bool,
    token: &mut Token,
) -> usize {
    loop {
        if clock::is_over(timeout) {
            return NONE;
        }
        let place = if handles.len() <= FEW {
            block_on_few(handles, mode, timeout, token)
        } else {
            block_on_many(handles, mode, timeout, token)
        };
        if let Some(place) = place {
            return place;
        }
        let place = pick(handles, mode, is_biased, token);
        if place != NONE {
            return place;
        }
    }
}

/// The first pass in a function of its own, for any number of operations.
#[cold]
#[inline(never)]
fn pick(handles: &[Handle<'_>], mode: Mode, is_biased: bool, token: &mut Token) -> usize {
    for (number, some) in handles.chunks(SET).enumerate() {
        let place = pick_of_few(some, mode, is_biased, token);
        if place != NONE {
            return number * SET + place;
        }
    }
    NONE
}

/// The first pass: selects one of those that are ready, and returns its place; [`NONE`] if
/// there is none. All are looked at without a lock, and a lock is taken only of one that was
/// chosen among what looks ready. There are [`SET`] of them at most.
#[inline(always)]
fn pick_of_few(handles: &[Handle<'_>], mode: Mode, is_biased: bool, token: &mut Token) -> usize {
    let mut set = 0_u64;
    for (place, (case, ..)) in handles.iter().enumerate() {
        set |= u64::from(case.0.may_be_ready()) << place;
    }
    while set != 0 {
        let mut rest = set;
        if !is_biased {
            for _ in 0..random_below(set.count_ones()) {
                rest &= rest - 1; // without the lowest
            }
        }
        let place = rest.trailing_zeros() as usize;
        let kind = handles[place].0.0;
        let ready = match mode {
            Mode::Select => kind.try_select(token),
            Mode::Ready => kind.is_ready(),
        };
        if ready {
            return place;
        }
        set &= !(1 << place);
    }
    NONE
}

/// Returns a random number below `count`.
#[inline]
fn random_below(count: u32) -> u32 {
    if count < 2 {
        return 0;
    }
    let random = cheaprand(acquirem());
    releasem();
    ((u64::from(random) * u64::from(count)) >> 32) as u32
}

/// Puts the handles into a random order. Go's `pollorder`.
#[cold]
fn shuffle(handles: &mut [Handle<'_>]) {
    for count in 2..=handles.len() {
        handles.swap(count - 1, random_below(count as u32) as usize);
    }
}

/// Blocks on more operations than a small frame has room for: on a large one, or, if there are
/// more than the macros know, with memory of the heap.
#[inline(never)]
fn block_on_many(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
) -> Option<usize> {
    let len = handles.len();
    if len <= MANY {
        let mut sudogs = [const { MaybeUninit::uninit() }; MANY];
        let mut locks = [const { MaybeUninit::uninit() }; MANY];
        let there = (&mut sudogs[..len], &mut locks[..len]);
        return block_there(handles, mode, timeout, token, there);
    }
    let mut sudogs = Box::new_uninit_slice(handles.len());
    let mut locks = Box::new_uninit_slice(handles.len());
    block_there(handles, mode, timeout, token, (&mut sudogs, &mut locks))
}

/// Blocks on few.
#[inline(always)]
fn block_on_few(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
) -> Option<usize> {
    let mut sudogs = [const { MaybeUninit::uninit() }; FEW];
    let mut locks = [const { MaybeUninit::uninit() }; FEW];
    let len = handles.len();
    let here = (&mut sudogs[..len], &mut locks[..len]);
    block(handles, mode, timeout, token, here)
}

/// What a select needs to block: room for a sudog and a lock for each of its operations.
type Room<'a> = (
    &'a mut [MaybeUninit<Sudog>],
    &'a mut [MaybeUninit<&'static Hchan>],
);

/// As [`block`], for those that are not few.
#[inline(never)]
fn block_there(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
    room: Room<'_>,
) -> Option<usize> {
    block(handles, mode, timeout, token, room)
}

/// So many operations have what they need on a small frame, and their locks in registers.
const FEW: usize = 4;

/// So many have it on a large one.
const MANY: usize = 32;

/// The locks that a select holds when it parks.
pub(super) struct Locks {
    pub(super) first: *const &'static Hchan,
    pub(super) count: usize,
}

impl Locked for Locks {
    /// Go's `selparkcommit`.
    #[inline(always)]
    fn open(&self) {
        let &Self { first, count } = self;
        // SAFETY: the goroutine has so many locks. None is open yet, so that it is parked.
        let chan = |at| unsafe { first.wrapping_add(at).read() };
        if count <= FEW {
            // All of them before the first is open: invariant 2.
            let few = [0, 1, 2, 3].map(|at| (at < count).then(|| chan(at)));
            few.iter().flatten().for_each(|chan| chan.lock.unlock());
        } else {
            // Each of them before it is open.
            (0..count).for_each(|at| chan(at).lock.unlock());
        }
    }
}

/// Returns the queue that a select waits in.
fn queue(chan: &Hchan, side: Side, mode: Mode) -> &Waitq {
    match (mode, side) {
        (Mode::Select, _) => chan.queue(side),
        (Mode::Ready, Side::Recv) => &chan.recv_watch,
        (Mode::Ready, Side::Send) => &chan.send_watch,
    }
}

/// Waits for an operation, or for the time. Returns the place of the one that was selected;
/// none if the first pass shall look again.
#[inline(always)]
fn block(
    handles: &[Handle<'_>],
    mode: Mode,
    timeout: Timeout,
    token: &mut Token,
    (sudogs, locks): Room<'_>,
) -> Option<usize> {
    let mut until = timeout;
    let mut count = 0;
    for (case, ..) in handles {
        match case.0 {
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
    let ready = |(case, ..): &Handle<'_>| {
        let chan = case.0.chan();
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
    for ((case, ..), sudog) in handles.iter().zip(&mut *sudogs) {
        let Some((chan, side)) = case.0.chan() else {
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
    let by = if let Timeout::At(deadline) = until {
        let unlock = (&raw const unlock).cast();
        // SAFETY: the locks are ours, and what is read to open them is there until all of it
        // has been read: invariant 2.
        unsafe { waiter.park(open::<Locks>, unlock, WaitReason::SELECT, deadline) }
    } else {
        // SAFETY: as above.
        unsafe { park_locked(&unlock, WaitReason::SELECT) };
        waiter.claimed_by()
    };
    if count > FEW {
        last.enter(); // as above
        last.leave();
    }
    let mut selected = None;
    // Others have pointers to them still: they are borrowed for reading alone.
    for (place, ((case, ..), sudog)) in handles.iter().zip(&*sudogs).enumerate() {
        // SAFETY: written above.
        let sudog = unsafe { sudog.assume_init_ref() };
        let Some((chan, side)) = case.0.chan() else {
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
    let mut at = count;
    while at > 0 {
        // SAFETY: those before the last have been inserted.
        let other = unsafe { sorted[at - 1].assume_init() };
        if ptr::eq(other, chan) {
            sorted.copy_within(at + 1.., at); // back again
            return count;
        }
        if ptr::from_ref(other) < ptr::from_ref(chan) {
            break;
        }
        sorted[at].write(other);
        at -= 1;
    }
    sorted[at].write(chan);
    count + 1
}
