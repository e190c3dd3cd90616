//! Models of channels: the channel itself, its queues, and the select, over a scheduler, a
//! clock and a lock that are loom's here.
//!
//! A goroutine is a thread of loom's. Who waits with a deadline may be woken by the clock,
//! another thread, at any moment that the claim leaves open.

// Each model has its own part of it.
#![allow(dead_code, unused_imports, reason = "whole files of gort's")]

use loom::sync::atomic;

#[path = "../../../src/channel/buffer.rs"]
mod buffer;
#[path = "../../../src/channel/case.rs"]
mod case;
#[path = "../../../src/channel/ends.rs"]
mod ends;
#[path = "../../../src/channel/hchan.rs"]
mod hchan;
#[path = "../../../src/channel/linger.rs"]
mod linger;
#[path = "../../../src/channel/select_ops.rs"]
mod select_ops;
#[path = "../../../src/channel/selecting.rs"]
mod selecting;
#[path = "../../../src/channel/token.rs"]
mod token;
#[path = "../../../src/channel/waiting.rs"]
mod waiting;
#[path = "../../../src/channel/waitq.rs"]
mod waitq;

mod models;
mod scheduler;

/// Deadlines: all that have one end when the model's clock says so.
mod clock {
    use super::hchan::Timeout;
    use super::scheduler::WaitReason;

    pub(super) fn is_over(timeout: Timeout) -> bool {
        timeout == Timeout::Now || timeout != Timeout::Never && super::scheduler::is_late()
    }

    pub(super) fn earlier(timeout: Timeout, _: Option<u64>) -> Timeout {
        timeout
    }

    pub(super) fn wait(_: Timeout, _: WaitReason) {
        unreachable!("a select without channels")
    }
}

/// Channels of the clock: there are none.
mod timed {
    use std::marker::PhantomData;

    #[derive(Clone, Copy)]
    pub(super) struct Timed<'a>(PhantomData<&'a ()>);

    impl Timed<'_> {
        pub(super) fn take(self) -> Option<u64> {
            None
        }

        pub(super) fn is_ready(self) -> bool {
            false
        }

        pub(super) fn due(self) -> Option<u64> {
            None
        }
    }
}
