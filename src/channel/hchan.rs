//! The channel: a lock, a buffer, and who waits.
//!
//! Go's counterpart: `hchan`, `chansend`, `chanrecv`, `closechan` in `runtime/chan.go`.
//! Nothing here knows the values' type: they are so many bytes, moved from where the sender
//! has them (`elem`, on its stack) to where the receiver wants them, once, by whoever comes
//! second; or into the buffer and out of it.
//!
//! Invariants:
//! 1. All fields but the counts of handles are written with the lock held, and the values
//!    are in the hands of who has it. It is never held while users' code runs: no value is
//!    dropped under it, and no memory allocated.
//! 2. Who waits has been put on its queue before it parked, and the unlock function opens
//!    the lock: whoever takes it off the queue, under the lock, may ready it.
//! 3. Of the capacity each unit is one of four: an item, room, an item that is kept for a
//!    select, or room that is kept for one. `items` and `room` count the first two. What is
//!    kept is taken by the select's completion, which always comes: a select that is not
//!    completed panics.
//! 4. Without capacity, nobody waits in `recvq` while somebody does in `sendq`, but where all
//!    of one are claimed, or one and the same select waits in both. With capacity there are
//!    receivers in `recvq` only while there are no items, and senders in `sendq` only while
//!    there is no room; `settle` sees to that when a unit changes hands.
//! 5. Who gives a value to a select that has no place for it, or finds one that has no value
//!    yet, without capacity, waits until it is completed; it is then the select's `Partner`.

use core::alloc::Layout;

use super::atomic::{AtomicU8, AtomicUsize, Ordering};
use super::buffer::{Buffer, copy_value};
use super::linger::Haste;
use super::scheduler::{ParkLock, WaitReason, acquirem, need_p, releasem};
use super::token::fits;
use super::waitq::{Ended, Outcome, ReadyList, Sudog, Waitq};

/// All senders are gone, or all receivers.
pub(super) const CLOSED: u8 = 1;
/// Somebody may be in `recv_watch` or `send_watch`.
pub(super) const WATCHED: u8 = 2;

/// How long an operation may wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Timeout {
    /// Not at all.
    Now,
    /// For ever.
    Never,
    /// Until that time of the monotonic clock, in nanoseconds.
    At(i64),
}

/// A channel.
///
/// What each operation writes is in the first cache line: that is all that goes from CPU to
/// CPU with the values. The other two change when somebody waits.
#[repr(C, align(64))]
pub(super) struct Hchan {
    pub(super) lock: ParkLock,
    /// `CLOSED` and `WATCHED`.
    pub(super) flags: AtomicU8,
    /// A select has a place for a value: see `Token`.
    pub(super) inline: bool,
    /// How many values there are for whoever comes. Atomics, these two, for those who look
    /// without the lock.
    pub(super) items: AtomicUsize,
    /// For how many there is room.
    pub(super) room: AtomicUsize,
    pub(super) buffer: Buffer,
    /// How many bytes a value has.
    pub(super) size: usize,
    /// How many values there may be; `usize::MAX` for no limit.
    pub(super) capacity: usize,
    /// The goroutines that wait for a value.
    pub(super) recvq: Waitq,
    /// The goroutines that wait for somebody to take theirs.
    pub(super) sendq: Waitq,
    /// Selects that wait for something to be received, not to receive it.
    pub(super) recv_watch: Waitq,
    /// The same for sends.
    pub(super) send_watch: Waitq,
    /// Whether senders that find it full park at once.
    pub(super) haste: Haste,
    /// What the values' type is called, for debuggers. Go's `elemtype`.
    pub(super) elemtype: &'static str,
}

// SAFETY: the plain fields are behind the lock; whether the values may go from one thread to
// another is for the types that lead here.
unsafe impl Sync for Hchan {}
// SAFETY: as above; those who wait borrow it.
unsafe impl Send for Hchan {}

/// What came of an attempt to hand a value over.
pub(super) enum Given<'a> {
    /// It is in the buffer.
    Buffered,
    /// This one has got it, and is to be readied; or it is in the buffer, and kept for it.
    Taken(&'a Sudog),
    /// This one will take it, from a sender that waits.
    Partner(&'a Sudog),
    /// The buffer needs another block.
    NoBlock,
    /// There is nobody, and no room.
    Full,
}

impl Hchan {
    /// Makes a channel for so many values of a type with that layout and name.
    pub(super) fn new(capacity: usize, value: Layout, elemtype: &'static str) -> Self {
        let (buffer, room) = match capacity {
            usize::MAX => (Buffer::list(value), isize::MAX as usize),
            _ => (Buffer::ring(capacity, value), capacity),
        };
        Self {
            lock: ParkLock::new(),
            flags: AtomicU8::new(0),
            recvq: Waitq::new(),
            sendq: Waitq::new(),
            items: AtomicUsize::new(0),
            room: AtomicUsize::new(room),
            buffer,
            size: value.size(),
            capacity,
            inline: fits(value),
            recv_watch: Waitq::new(),
            send_watch: Waitq::new(),
            haste: Haste::new(),
            elemtype,
        }
    }

    /// Takes the lock, and keeps the goroutine on its M.
    #[inline]
    pub(super) fn enter(&self) {
        need_p();
        acquirem();
        self.lock.lock();
    }

    /// Undoes that.
    #[inline]
    pub(super) fn leave(&self) {
        self.lock.unlock();
        releasem();
    }

    /// Sends the value at `elem`, of `size` bytes, which are this channel's. From a goroutine.
    #[inline]
    pub(super) fn send(&self, elem: *const u8, size: usize, timeout: Timeout) -> Ended {
        self.enter();
        let room = self.room.load(Ordering::Relaxed); // behind the lock, as all below
        if room != 0
            && self.recvq.is_empty()
            && self.flags.load(Ordering::Relaxed) == 0
            && self.buffer.push(elem, size)
        {
            self.room.store(room - 1, Ordering::Relaxed);
            add(&self.items, 1);
            self.leave();
            return Ended::Done;
        }
        match self.recvq.first() {
            // Who waits for a value, and has a place for it: the usual case without a buffer.
            Some(receiver)
                if !receiver.elem().is_null()
                    && !self.is_closed()
                    && self.hand_over(receiver, elem, size) =>
            {
                self.lock.unlock();
                receiver.ready_releasem();
                return Ended::Done;
            }
            // The other usual case: whoever comes second finds the first one waiting.
            None if self.capacity == 0 && !self.is_closed() => {
                return self.send_later(elem.cast_mut(), timeout);
            }
            _ => {}
        }
        self.send_slow(elem, timeout)
    }

    /// Receives a value into `elem`. As [`send`](Self::send).
    #[inline]
    pub(super) fn recv(&self, elem: *mut u8, size: usize, timeout: Timeout) -> Ended {
        self.enter();
        let items = self.items.load(Ordering::Relaxed); // behind the lock, as all below
        if items != 0 && self.pop_fast(elem, size) {
            self.items.store(items - 1, Ordering::Relaxed);
            self.leave();
            return Ended::Done;
        }
        self.recv_slow(elem, timeout)
    }

    /// Pops a value, if nothing else is to be done then. With the lock held, and `items` not 0,
    /// which the caller counts.
    #[inline(always)]
    pub(super) fn pop_fast(&self, elem: *mut u8, size: usize) -> bool {
        let fast = self.sendq.is_empty()
            && self.flags.load(Ordering::Relaxed) == 0 // behind the lock
            && !self.buffer.at_end_of_block();
        if fast {
            self.buffer.pop(elem, size);
            add(&self.room, 1);
        }
        fast
    }

    /// Waits for somebody who sends. With the lock held. This one and the next have the frame
    /// that it takes to park, and are jumped to (see [`Ended`]).
    #[inline(never)]
    fn recv_later(&self, elem: *mut u8, timeout: Timeout) -> Ended {
        self.wait(Side::Recv, elem, timeout)
    }

    /// Waits for somebody who receives. With the lock held.
    #[inline(never)]
    fn send_later(&self, elem: *mut u8, timeout: Timeout) -> Ended {
        self.wait(Side::Send, elem, timeout)
    }

    /// The rest of [`send`](Self::send), from the lock on.
    #[inline(never)]
    fn send_slow(&self, elem: *const u8, timeout: Timeout) -> Ended {
        let mut times = 0;
        loop {
            if self.is_closed() {
                self.leave();
                return Ended::Closed;
            }
            match self.give(elem) {
                Given::Buffered => self.leave(),
                Given::Taken(receiver) => {
                    self.lock.unlock();
                    receiver.ready_releasem();
                }
                Given::Partner(receiver) => {
                    let elem = elem.cast_mut();
                    return self
                        .wait_for_partner(receiver, elem, WaitReason::CHAN_SEND)
                        .ended();
                }
                Given::NoBlock => {
                    self.add_block();
                    continue;
                }
                Given::Full => {
                    if self.capacity != 0 && timeout != Timeout::Now && self.lingers(times) {
                        times += 1;
                        continue;
                    }
                    return self.send_later(elem.cast_mut(), timeout);
                }
            }
            return Ended::Done;
        }
    }

    /// The rest of [`recv`](Self::recv), from the lock on.
    #[inline(never)]
    fn recv_slow(&self, elem: *mut u8, timeout: Timeout) -> Ended {
        if self.items.load(Ordering::Relaxed) != 0 {
            add(&self.items, usize::MAX); // one less
            self.pop_and_leave(elem);
            return Ended::Done;
        }
        if let Some(sender) = self.take_sender() {
            if sender.elem().is_null() {
                return self
                    .wait_for_partner(sender, elem, WaitReason::CHAN_RECEIVE)
                    .ended();
            }
            self.take_from(sender, elem);
            self.lock.unlock();
            sender.ready_releasem();
            return Ended::Done;
        }
        if self.is_closed() {
            self.leave();
            return Ended::Closed;
        }
        self.recv_later(elem, timeout)
    }

    /// Hands a value over, if there is somebody or room for it. With the lock held, and the
    /// channel open.
    pub(super) fn give(&self, elem: *const u8) -> Given<'_> {
        while let Some(receiver) = self.recvq.first() {
            if !receiver.elem().is_null() {
                if !self.hand_over(receiver, elem, self.size) {
                    continue; // it is somebody else's
                }
                return Given::Taken(receiver);
            }
            if let Some(given) = self.give_to_select(receiver, elem) {
                return given;
            }
        }
        let room = self.room.load(Ordering::Relaxed);
        if room == 0 {
            return Given::Full;
        }
        if !self.buffer.push(elem, self.size) {
            return Given::NoBlock;
        }
        self.room.store(room - 1, Ordering::Relaxed);
        add(&self.items, 1);
        self.notify(&self.recv_watch);
        Given::Buffered
    }

    /// Takes the first receiver off its queue, and gives it the value, if it is nobody else's.
    /// With the lock held.
    #[inline(always)]
    fn hand_over(&self, receiver: &Sudog, elem: *const u8, size: usize) -> bool {
        let taken = self.recvq.take(receiver);
        if taken {
            // SAFETY: the receiver's place for a value of this channel, on its stack.
            unsafe { copy_value(elem, receiver.elem(), size) };
            receiver.set_outcome(Outcome::Done);
        }
        taken
    }

    /// Does that where the first receiver is a select without a place for the value; none if
    /// it is somebody else's.
    #[cold]
    fn give_to_select<'a>(&'a self, receiver: &'a Sudog, elem: *const u8) -> Option<Given<'a>> {
        let rendezvous = self.capacity == 0;
        if !rendezvous {
            if self.room.load(Ordering::Relaxed) == 0 {
                return Some(Given::Full); // until what is kept has been taken
            }
            if self.buffer.needs_block() {
                return Some(Given::NoBlock);
            }
        }
        if !self.recvq.take(receiver) {
            return None;
        }
        if rendezvous {
            return Some(Given::Partner(receiver));
        }
        // It waits for the item which is now its own.
        let pushed = self.buffer.push(elem, self.size);
        debug_assert!(pushed);
        add(&self.room, usize::MAX); // one less
        receiver.set_outcome(Outcome::Reserved);
        Some(Given::Taken(receiver))
    }

    /// Takes a sender off the queue of a channel without capacity. With the lock held.
    pub(super) fn take_sender(&self) -> Option<&Sudog> {
        if self.capacity != 0 {
            return None; // room is kept for a select: those who wait here get it in time
        }
        while let Some(sender) = self.sendq.first() {
            if self.sendq.take(sender) {
                return Some(sender);
            }
        }
        None
    }

    /// Moves the value of a sender that waits.
    pub(super) fn take_from(&self, sender: &Sudog, elem: *mut u8) {
        // SAFETY: a value of this channel, on the sender's stack, and a place for one.
        unsafe { copy_value(sender.elem(), elem, self.size) };
        sender.set_outcome(Outcome::Done);
    }

    /// Pops a value, which has been taken off `items` or was kept, and lets those in who
    /// waited for the room. With the lock held, which this gives back, as all of `enter`.
    #[inline]
    pub(super) fn pop_and_leave(&self, elem: *mut u8) {
        while self.buffer.at_end_of_block() {
            let block = self.buffer.used_up();
            if !block.is_null() {
                self.leave();
                self.buffer.free_block(block);
                self.enter();
            }
        }
        self.buffer.pop(elem, self.size);
        add(&self.room, 1);
        if self.sendq.is_empty() && self.send_watch.is_empty() {
            return self.leave(); // nobody has waited
        }
        self.settle_and_leave(ReadyList::new());
    }

    /// Gives the room that there is to those who wait for some, gives the lock back, and
    /// readies them and who is on the list.
    pub(super) fn settle_and_leave(&self, list: ReadyList) {
        while self.room.load(Ordering::Relaxed) != 0
            && let Some(sender) = self.sendq.first()
            && self.capacity != 0
        {
            if !self.sendq.take(sender) {
                continue;
            }
            if sender.elem().is_null() {
                add(&self.room, usize::MAX); // one less: it is kept
                sender.set_outcome(Outcome::Reserved);
            } else {
                // There is room, and only rings are ever full: it is not refused.
                if let Given::Taken(receiver) = self.give(sender.elem()) {
                    list.push(receiver);
                }
                sender.set_outcome(Outcome::Done);
            }
            list.push(sender);
        }
        if self.room.load(Ordering::Relaxed) != 0 {
            self.notify(&self.send_watch);
        }
        self.lock.unlock();
        list.ready();
        releasem();
    }

    /// Gives a block to the buffer. With the lock held, and again when this returns.
    #[cold]
    pub(super) fn add_block(&self) {
        self.leave();
        let block = self.buffer.new_block();
        self.enter();
        // When the receivers are gone the buffer is theirs: `discard` has no lock.
        if self.is_closed() || !self.buffer.add_block(block) {
            self.leave();
            self.buffer.free_block(block);
            self.enter();
        }
    }

    /// Tells whether one of the sides is gone. Without the lock, a hint, if it says no.
    pub(super) fn is_closed(&self) -> bool {
        self.flags.load(Ordering::Acquire) & CLOSED != 0 // pairs with the lock, or set_flags
    }
}

/// What somebody wants of a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Send,
    Recv,
}

/// Adds to a number that only who has the lock writes.
#[inline(always)]
pub(super) fn add(number: &AtomicUsize, delta: usize) {
    let sum = number.load(Ordering::Relaxed).wrapping_add(delta); // behind the lock
    number.store(sum, Ordering::Relaxed); // as above
}
