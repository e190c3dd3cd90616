//! One operation of a select, whatever the type of its messages.

use super::hchan::{Hchan, Side};
use super::timed::Timed;
use super::token::Token;

/// What select needs to know of a handle.
#[derive(Clone, Copy)]
pub struct Case<'a>(pub(super) Kind<'a>);

/// What it is of.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// Of a channel.
    Chan(&'a Hchan, Side),
    /// Of the clock, to receive.
    Timed(Timed<'a>),
}

/// The half of a channel that an operation of a select is on: a
/// [`Sender`](super::Sender) or a [`Receiver`](super::Receiver).
pub trait SelectHandle {
    /// Says which operation that is.
    fn case(&self) -> Case<'_>;
}

impl<H: SelectHandle> SelectHandle for &H {
    fn case(&self) -> Case<'_> {
        (**self).case()
    }
}

impl<'a> Kind<'a> {
    /// Tells, without a lock, whether it may be ready. The clock is not asked before the
    /// operation is chosen: that costs more than all the rest.
    #[inline(always)]
    pub(super) fn may_be_ready(self) -> bool {
        match self {
            Self::Chan(chan, side) => chan.may_be_ready(side),
            Self::Timed(_) => true,
        }
    }

    /// Selects it, if it is ready.
    #[inline(always)]
    pub(super) fn try_select(self, token: &mut Token) -> bool {
        match self {
            Self::Chan(chan, side) => chan.try_select(side, token),
            Self::Timed(timed) => timed
                .take()
                .map(|message| token.put_instant(message))
                .is_some(),
        }
    }

    /// Tells whether it is ready.
    pub(super) fn is_ready(self) -> bool {
        match self {
            Self::Chan(chan, side) => chan.is_ready(side),
            Self::Timed(timed) => timed.is_ready(),
        }
    }

    /// Returns its channel.
    pub(super) fn chan(self) -> Option<(&'a Hchan, Side)> {
        match self {
            Self::Chan(chan, side) => Some((chan, side)),
            Self::Timed(_) => None,
        }
    }
}
