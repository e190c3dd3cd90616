//! `select!` and `select_biased!`.
//!
//! The counterpart is crossbeam-channel's macro, whose grammar this is:
//!
//! ```text
//! select!   = case*
//! case      = operation "=>" body
//! operation = "recv" "(" channel ")" "->" pattern
//!           | "send" "(" channel "," message ")" "->" pattern
//!           | "default"                          once: none of the others is ready
//!           | "default" "(" ")"
//!           | "default" "(" timeout ")"          nor becomes so within this time
//! body      = block [","] | expression ","       the last comma may be left out
//! ```
//!
//! A comma may also end each list of arguments. The work is done in three passes, all of
//! them rules of `__select!`, each of which passes the tokens `true` or `false` for biased
//! on:
//!
//! | pass | what goes in | what comes out |
//! | --- | --- | --- |
//! | `@split` | what the user wrote | a bracket for each case, its body in braces |
//! | `@check` | those | an operation for each, with its number; the default on its own |
//! | `@run` | these | Rust |
//!
//! What does not match is given to `__select_error!`, in `select_error`, which says why
//! not. The recursion is two deep for a case, so that 32 cases stay well below rustc's
//! limit of 128.
//!
//! Invariants of the Rust that comes out:
//! 1. Channels and the timeout are evaluated once, in the order in which they are
//!    written; a message if, and only if, it is sent.
//! 2. A value that a channel expression makes lives until the body has ended. A channel
//!    that it names is not borrowed any more when the body begins, so that a body may drop
//!    it. For that there is the `ManuallyDrop`: what is matched on would have a destructor
//!    otherwise, and keep its borrow until it runs.
//! 3. A body stands in no loop, closure or labelled block of ours: `break`, `continue`,
//!    `return` and `?` mean what they mean around the macro.
//! 4. There is no `unsafe`: unlike crossbeam's, the borrow of the channel is real until the
//!    message is sent, and a message that drops its own channel does not compile.

/// Waits for the first of several channel operations that can go on, and carries it out.
///
/// If several can, it is a random one of them; with [`select_biased!`](crate::select_biased) it is the first of
/// them. An operation on a disconnected channel can go on at once: with an error. With a
/// `default` case it does not wait: that is what happens if no operation can go on at
/// once, or, as `default(timeout)`, within a time. From any goroutine.
///
/// This is crossbeam-channel's macro of that name, with all of its grammar:
///
/// | case | what its pattern gets |
/// | --- | --- |
/// | `recv(channel) -> pattern => body` | `Result<T, RecvError>` |
/// | `send(channel, message) -> pattern => body` | `Result<(), SendError<T>>` |
/// | `default => body`, `default(timeout) => body` | |
///
/// A body is an expression, with a comma behind it unless it is the last one or a block;
/// the value of the `select!` is that of the body. There may be 32 operations, the same
/// channel may be in several of them, and whatever borrows as a
/// [`Receiver`](crate::channel::Receiver) or [`Sender`](crate::channel::Sender) may be
/// their channel. A message is made only when it is sent.
///
/// # Panics
///
/// What the expressions in it do.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::{select, unbounded};
///
/// let (to_left, left) = unbounded();
/// let (to_right, _right) = unbounded();
/// to_left.send(10).unwrap();
///
/// // Both can go on: it is one of the two.
/// select! {
///     recv(left) -> message => assert_eq!(message, Ok(10)),
///     send(to_right, 20) -> result => assert_eq!(result, Ok(())),
/// }
/// # }
/// ```
///
/// Operations that are left out for now, and a time after which nobody waits any more:
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::time::Duration;
/// use gort::channel::{bounded, never, select};
///
/// let (_sender, receiver) = bounded::<u32>(1);
/// let wanted = None;
/// let outcome = select! {
///     recv(receiver) -> message => message.ok(),
///     recv(wanted.unwrap_or(&never())) -> message => message.ok(),
///     default(Duration::from_millis(1)) => None,
/// };
/// assert_eq!(outcome, None);
/// # }
/// ```
#[macro_export]
macro_rules! select {
    ($($tokens:tt)*) => {
        $crate::__select!(@split false () $($tokens)*)
    };
}

/// As [`select!`], but of several operations that can go on it is the first one that does.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::{select_biased, unbounded};
///
/// let (to_urgent, urgent) = unbounded();
/// let (to_usual, usual) = unbounded();
/// to_usual.send(1).unwrap();
/// to_urgent.send(2).unwrap();
///
/// let first = select_biased! {
///     recv(urgent) -> message => message,
///     recv(usual) -> message => message,
/// };
/// assert_eq!(first, Ok(2));
/// # }
/// ```
#[macro_export]
macro_rules! select_biased {
    ($($tokens:tt)*) => {
        $crate::__select!(@split true () $($tokens)*)
    };
}

/// What [`select!`] expands to: see the head of this file.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // Pass 1: each case into `[kind (arguments) -> pattern => {body}]`.
    (@split $biased:tt ()) => {
        $crate::__select_error!(@empty)
    };
    (@split $biased:tt ($($cases:tt)+)) => {
        $crate::__select!(
            @check $biased () ()
            (0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
            $($cases)+
        )
    };
    (@split $biased:tt $cases:tt default => $($rest:tt)*) => {
        $crate::__select!(@split $biased $cases default() => $($rest)*)
    };
    // A block with a comma behind it; any expression with a comma; a block without one; and
    // the last expression. In this order: `{ … }.method(),` is an expression.
    (@split $biased:tt ($($cases:tt)*)
        $kind:ident ($($arguments:tt)*) $(-> $result:pat)? => { $($body:tt)* }, $($rest:tt)*
    ) => {
        $crate::__select!(
            @split $biased
            ($($cases)* [$kind ($($arguments)*) $(-> $result)? => { $($body)* }])
            $($rest)*
        )
    };
    (@split $biased:tt ($($cases:tt)*)
        $kind:ident ($($arguments:tt)*) $(-> $result:pat)? => $body:expr, $($rest:tt)*
    ) => {
        $crate::__select!(
            @split $biased
            ($($cases)* [$kind ($($arguments)*) $(-> $result)? => { $body }])
            $($rest)*
        )
    };
    // But not with a semicolon.
    (@split $biased:tt $cases:tt
        $kind:ident $arguments:tt $(-> $result:pat)? => { $($body:tt)* }; $($rest:tt)*
    ) => {
        $crate::__select_error!(@semicolon { ... })
    };
    (@split $biased:tt ($($cases:tt)*)
        $kind:ident ($($arguments:tt)*) $(-> $result:pat)? => { $($body:tt)* } $($rest:tt)*
    ) => {
        $crate::__select!(
            @split $biased
            ($($cases)* [$kind ($($arguments)*) $(-> $result)? => { $($body)* }])
            $($rest)*
        )
    };
    (@split $biased:tt ($($cases:tt)*)
        $kind:ident ($($arguments:tt)*) $(-> $result:pat)? => $body:expr
    ) => {
        $crate::__select!(
            @split $biased
            ($($cases)* [$kind ($($arguments)*) $(-> $result)? => { $body }])
        )
    };
    (@split $biased:tt $cases:tt $($rest:tt)*) => {
        $crate::__select_error!(@case $($rest)*)
    };

    // Pass 2: each operation into
    // `[number name type method (channel) (message) pattern => {body}]`. The name is another
    // one in each: what one expansion makes is not what another one makes.
    (@check $biased:tt $operations:tt $default:tt $numbers:tt) => {
        $crate::__select!(@run $biased $operations $default)
    };
    (@check $biased:tt ($($operations:tt)*) $default:tt ($number:tt $($numbers:tt)*)
        [recv ($channel:expr $(,)?) -> $result:pat => $body:tt] $($rest:tt)*
    ) => {
        $crate::__select!(
            @check $biased
            ($($operations)* [$number channel Receiver recv ($channel) () $result => $body])
            $default
            ($($numbers)*)
            $($rest)*
        )
    };
    (@check $biased:tt ($($operations:tt)*) $default:tt ($number:tt $($numbers:tt)*)
        [send ($channel:expr, $message:expr $(,)?) -> $result:pat => $body:tt] $($rest:tt)*
    ) => {
        $crate::__select!(
            @check $biased
            ($($operations)* [$number channel Sender send ($channel) ($message) $result => $body])
            $default
            ($($numbers)*)
            $($rest)*
        )
    };
    (@check $biased:tt $operations:tt () $numbers:tt [default () => $body:tt] $($rest:tt)*) => {
        $crate::__select!(
            @check $biased $operations (try_select () => $body) $numbers $($rest)*
        )
    };
    (@check $biased:tt $operations:tt () $numbers:tt
        [default ($timeout:expr $(,)?) => $body:tt] $($rest:tt)*
    ) => {
        $crate::__select!(
            @check $biased $operations (select_timeout ($timeout) => $body) $numbers $($rest)*
        )
    };
    (@check $biased:tt $operations:tt $default:tt $numbers:tt $case:tt $($rest:tt)*) => {
        $crate::__select_error!(@check $default $numbers $case)
    };

    // Pass 3. One receive alone has functions of its own.
    (@run $biased:tt
        ([$number:tt $name:ident Receiver recv ($channel:expr) () $result:pat => $body:tt])
        ()
    ) => {{
        match &$channel {
            channel => {
                let channel: &$crate::channel::Receiver<_> = channel;
                let result = channel.recv();
                let $result = result;
                $body
            }
        }
    }};
    (@run $biased:tt
        ([$number:tt $name:ident Receiver recv ($channel:expr) () $result:pat => $body:tt])
        (try_select () => $default:tt)
    ) => {{
        match &$channel {
            channel => {
                let channel: &$crate::channel::Receiver<_> = channel;
                match channel.try_recv() {
                    ::core::result::Result::Err($crate::channel::TryRecvError::Empty) => $default,
                    result => {
                        let result = result.map_err(|_| $crate::channel::RecvError);
                        let $result = result;
                        $body
                    }
                }
            }
        }
    }};
    (@run $biased:tt
        ([$number:tt $name:ident Receiver recv ($channel:expr) () $result:pat => $body:tt])
        (select_timeout ($timeout:expr) => $default:tt)
    ) => {{
        match &$channel {
            channel => {
                let channel: &$crate::channel::Receiver<_> = channel;
                match channel.recv_timeout($timeout) {
                    ::core::result::Result::Err($crate::channel::RecvTimeoutError::Timeout) => {
                        $default
                    }
                    result => {
                        let result = result.map_err(|_| $crate::channel::RecvError);
                        let $result = result;
                        $body
                    }
                }
            }
        }
    }};
    (@run $biased:tt
        ($([$number:tt $name:ident $end:ident $method:ident ($channel:expr) $message:tt
            $result:pat => $body:tt])*)
        $default:tt
    ) => {{
        match ($(&$channel,)*) {
            ($($name,)*) => {
                $(let $name: &$crate::channel::$end<_> = $name;)*
                $crate::__select!(
                    @wait $biased
                    ($([$number $name $method $message $result => $body])*)
                    $default
                )
            }
        }
    }};
    (@wait $biased:tt
        ($([$number:tt $name:ident $method:ident $message:tt $result:pat => $body:tt])*)
        ()
    ) => {{
        let selected = $crate::channel::internal::select(
            &mut [$($crate::__select!(@handle $number $name)),*],
            $biased,
        );
        $crate::__select!(@complete selected $([$number $name $method $message $result => $body])*)
    }};
    (@wait $biased:tt
        ($([$number:tt $name:ident $method:ident $message:tt $result:pat => $body:tt])*)
        ($wait:ident ($($timeout:expr)?) => $default:tt)
    ) => {
        match $crate::channel::internal::$wait(
            &mut [$($crate::__select!(@handle $number $name)),*],
            $($timeout,)?
            $biased,
        )
        .map(::core::mem::ManuallyDrop::new)
        {
            ::core::result::Result::Ok(selected) => {
                let selected = ::core::mem::ManuallyDrop::into_inner(selected);
                $crate::__select!(
                    @complete selected
                    $([$number $name $method $message $result => $body])*
                )
            }
            ::core::result::Result::Err(_) => $default,
        }
    };
    // What the other side wants to know of an operation.
    (@handle $number:tt $name:ident) => {
        (
            $crate::channel::internal::SelectHandle::case($name),
            $number,
            ::core::ptr::from_ref($name).cast::<u8>(),
        )
    };
    (@complete $selected:ident
        $([$number:tt $name:ident $method:ident ($($message:expr)?) $result:pat => $body:tt])*
    ) => {
        match $selected.index() {
            $($number => {
                let result = $selected.$method($name $(, $message)?);
                let $result = result;
                $body
            })*
            _ => ::core::unreachable!("no operation of this select"),
        }
    };
}
