//! What select does with one channel: to select an operation, and to complete it.
//!
//! crossbeam's counterparts: `try_select`, `read` and `write` of its flavors. Between the two
//! steps is users' code, which makes the message. So what has been selected is held:
//!
//! | outcome | send | receive |
//! | --- | --- | --- |
//! | `Done` | | the value is in the token: it is small |
//! | `Reserved` | there is room in the buffer, kept for it | an item is kept for it |
//! | `Partner` | a receiver waits: it gets the value as soon as there is one | a sender waits, with its value |
//! | `Closed` | the receivers are gone | the senders are gone, and all they sent |
//!
//! A partner waits until the operation is completed. It is claimed: neither a deadline of its
//! own nor anybody else can have it. Where both are selects, one of them has parked and been
//! claimed, and the other, which came later, does as any sender or receiver would that
//! waits. A receiving select has a place for a small value while it waits; for a large one
//! the sender waits until it is completed:
//!
//! ```text
//!   sender                                 select, receiving, parked
//!   claims it, is its Partner, readies it
//!   parks, opening the lock                takes the lock, once: the partner is parked
//!                                          returns from select; then, in `recv`:
//!                                          moves the value off the sender's stack
//!   goes on  <---------------------------  readies it
//! ```

use core::ptr;

use super::atomic::Ordering;
use super::buffer::copy_value;
use super::hchan::{Given, Hchan, Side, add};
use super::scheduler::{WaitReason, releasem};
use super::token::Token;
use super::waitq::{Outcome, ReadyList, Sudog};

impl Hchan {
    /// Tells, without the lock, whether an operation may be ready. If this says no, it was
    /// not at some time while it looked: what is said last is whether the channel is closed,
    /// and what is not so then was not before.
    #[inline]
    pub(super) fn may_be_ready(&self, side: Side) -> bool {
        // Acquire, all of them: in this order.
        let (units, partners) = match side {
            Side::Send => (&self.room, &self.recvq),
            Side::Recv => (&self.items, &self.sendq),
        };
        units.load(Ordering::Acquire) != 0
            || (self.capacity == 0 && !partners.is_empty())
            || self.is_closed()
    }

    /// Tells whether an operation is ready. With the lock held.
    pub(super) fn is_ready_locked(&self, side: Side) -> bool {
        let (units, partners) = match side {
            Side::Send => (&self.room, &self.recvq),
            Side::Recv => (&self.items, &self.sendq),
        };
        units.load(Ordering::Relaxed) != 0 // behind the lock
            || (self.capacity == 0 && partners.first_live().is_some())
            || self.is_closed()
    }

    /// Tells whether an operation is ready. From a goroutine.
    pub(super) fn is_ready(&self, side: Side) -> bool {
        if !self.may_be_ready(side) {
            return false;
        }
        self.enter();
        let ready = self.is_ready_locked(side);
        self.leave();
        ready
    }

    /// Selects an operation, if it is ready. From a goroutine.
    #[inline(always)]
    pub(super) fn try_select(&self, side: Side, token: &mut Token) -> bool {
        match side {
            Side::Send => self.select_send(token),
            Side::Recv => self.select_recv(token),
        }
    }

    /// Selects a send.
    fn select_send(&self, token: &mut Token) -> bool {
        self.enter();
        if self.is_closed() {
            token.outcome = Outcome::Closed;
        } else if self.capacity == 0 {
            let receiver = loop {
                match self.recvq.first() {
                    Some(receiver) if self.recvq.take(receiver) => break receiver,
                    Some(_) => {} // it is somebody else's
                    None => {
                        self.leave();
                        return false;
                    }
                }
            };
            token.outcome = Outcome::Partner(receiver);
        } else if self.room.load(Ordering::Relaxed) != 0 {
            add(&self.room, usize::MAX); // one less: it is kept
            token.outcome = Outcome::Reserved;
        } else {
            self.leave();
            return false;
        }
        self.leave();
        true
    }

    /// Selects a receive.
    #[inline(always)]
    fn select_recv(&self, token: &mut Token) -> bool {
        self.enter();
        let items = self.items.load(Ordering::Relaxed);
        if items != 0 {
            self.items.store(items - 1, Ordering::Relaxed); // it is kept, or ours
            if self.inline && self.pop_fast(token.slot(), self.size) {
                self.leave();
                token.outcome = Outcome::Done;
            } else if self.inline {
                self.pop_and_leave(token.slot());
                token.outcome = Outcome::Done;
            } else {
                self.leave();
                token.outcome = Outcome::Reserved;
            }
            return true;
        }
        if let Some(sender) = self.take_sender() {
            if sender.elem().is_null() {
                let elem = self.inline_place(token);
                token.outcome = self.wait_for_partner(sender, elem, WaitReason::SELECT);
                self.meet_partner(token);
            } else if self.inline {
                self.take_from(sender, token.slot());
                self.lock.unlock();
                sender.ready();
                releasem();
                token.outcome = Outcome::Done;
            } else {
                token.outcome = Outcome::Partner(sender);
                self.leave();
            }
            return true;
        }
        let closed = self.is_closed();
        self.leave();
        token.outcome = Outcome::Closed;
        closed
    }

    /// Returns where a select can receive a value while it waits, or null.
    pub(super) fn inline_place(&self, token: &mut Token) -> *mut u8 {
        if self.inline {
            token.slot()
        } else {
            ptr::null_mut()
        }
    }

    /// Waits until a partner that has woken us is parked.
    pub(super) fn meet_partner(&self, token: &Token) {
        if matches!(token.outcome, Outcome::Partner(_)) {
            self.enter();
            self.leave();
        }
    }

    /// Completes a send; false if the receivers are gone, and the value is the caller's
    /// still. From the goroutine that has selected it.
    pub(super) fn complete_send(&self, token: &Token, elem: *const u8) -> bool {
        match token.outcome {
            Outcome::Reserved => self.send_reserved(elem),
            Outcome::Partner(receiver) => {
                self.send_to_partner(receiver, elem);
                true
            }
            _ => false,
        }
    }

    /// Gives a value to a receiver that waits for it.
    fn send_to_partner(&self, receiver: *const Sudog, elem: *const u8) {
        // SAFETY: it is parked until we ready it.
        let receiver = unsafe { &*receiver };
        if receiver.elem().is_null() {
            // A select, which will take it from our stack.
            self.enter();
            self.wait_for_partner(receiver, elem.cast_mut(), WaitReason::CHAN_SEND);
            return;
        }
        // SAFETY: its place for a value of this channel.
        unsafe { copy_value(elem, receiver.elem(), self.size) };
        receiver.set_outcome(Outcome::Done);
        receiver.ready();
    }

    /// Sends a value for which room is kept.
    fn send_reserved(&self, elem: *const u8) -> bool {
        self.enter();
        add(&self.room, 1);
        let list = ReadyList::new();
        loop {
            if self.is_closed() {
                self.leave();
                return false;
            }
            match self.give(elem) {
                Given::Taken(receiver) => list.push(receiver),
                Given::NoBlock => {
                    self.add_block(); // of a channel without a limit: there is always room
                    continue;
                }
                Given::Buffered | Given::Partner(_) | Given::Full => {}
            }
            // Who took it at once has left the room to others.
            self.settle_and_leave(list);
            return true;
        }
    }

    /// Completes a receive; false if there is nothing any more. As
    /// [`complete_send`](Self::complete_send).
    pub(super) fn complete_recv(&self, token: &mut Token, elem: *mut u8) -> bool {
        match token.outcome {
            Outcome::Done => {
                // SAFETY: a value of this channel, which fits, and room for one.
                unsafe { copy_value(token.slot(), elem, self.size) };
            }
            Outcome::Reserved => {
                self.enter();
                self.pop_and_leave(elem);
            }
            Outcome::Partner(sender) => {
                // SAFETY: it is parked until we ready it.
                let sender = unsafe { &*sender };
                self.take_from(sender, elem);
                sender.ready();
            }
            _ => return false,
        }
        true
    }
}
