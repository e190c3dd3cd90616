//! What `select!` says where it cannot be read.
//!
//! The counterpart is the part of crossbeam-channel's macro that diagnoses. Each rule
//! ends in one message, and every input in one of the rules: who adds to the grammar in
//! `select_macro` adds its mistakes here, and to the host's test `select_errors`.

/// Says what is wrong with a case of [`select!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __select_error {
    (@empty) => {
        ::core::compile_error!("empty `select!` block")
    };

    // A case that is one, but not a right one.
    (@check $default:tt () [$kind:ident $($case:tt)*]) => {
        ::core::compile_error!("more than 32 operations in a `select!` block")
    };
    (@check $default:tt $numbers:tt [recv $arguments:tt => $body:tt]) => {
        ::core::compile_error!("expected `->` after `recv(...)`, found `=>`")
    };
    (@check $default:tt $numbers:tt [send $arguments:tt => $body:tt]) => {
        ::core::compile_error!("expected `->` after `send(...)`, found `=>`")
    };
    (@check $default:tt $numbers:tt [recv $arguments:tt $($case:tt)*]) => {
        ::core::compile_error!(::core::concat!(
            "invalid arguments in `recv", ::core::stringify!($arguments),
            "`: expected `recv(channel)`",
        ))
    };
    (@check $default:tt $numbers:tt [send $arguments:tt $($case:tt)*]) => {
        ::core::compile_error!(::core::concat!(
            "invalid arguments in `send", ::core::stringify!($arguments),
            "`: expected `send(channel, message)`",
        ))
    };
    (@check $default:tt $numbers:tt [default $arguments:tt -> $($case:tt)*]) => {
        ::core::compile_error!("expected `=>` after `default`, found `->`")
    };
    (@check () $numbers:tt [default $arguments:tt $($case:tt)*]) => {
        ::core::compile_error!(::core::concat!(
            "invalid arguments in `default", ::core::stringify!($arguments),
            "`: expected `default` or `default(timeout)`",
        ))
    };
    (@check $default:tt $numbers:tt [default $($case:tt)*]) => {
        ::core::compile_error!("more than one `default` case in a `select!` block")
    };
    (@check $default:tt $numbers:tt [$kind:ident $($case:tt)*]) => {
        $crate::__select_error!(@kind $kind)
    };

    // None at all: what it begins with, and the place at which it ends to be one.
    (@case recv $($rest:tt)*) => {
        $crate::__select_error!(@operation recv $($rest)*)
    };
    (@case send $($rest:tt)*) => {
        $crate::__select_error!(@operation send $($rest)*)
    };
    (@case default -> $($rest:tt)*) => {
        ::core::compile_error!("expected `=>` after `default`, found `->`")
    };
    (@case default ($($arguments:tt)*) => $($rest:tt)*) => {
        $crate::__select_error!(@body default $($rest)*)
    };
    (@case default ($($arguments:tt)*) -> $($rest:tt)*) => {
        ::core::compile_error!("expected `=>` after `default`, found `->`")
    };
    (@case default ($($arguments:tt)*) $($rest:tt)*) => {
        $crate::__select_error!(@arrow default $($rest)*)
    };
    (@case default $($rest:tt)*) => {
        $crate::__select_error!(@arrow default $($rest)*)
    };
    (@case $kind:tt $($rest:tt)*) => {
        $crate::__select_error!(@kind $kind)
    };
    (@kind $kind:tt) => {
        ::core::compile_error!(::core::concat!(
            "expected one of `recv`, `send`, or `default`, found `",
            ::core::stringify!($kind), "`",
        ))
    };
    (@operation $kind:ident ($($arguments:tt)*) -> => $($rest:tt)*) => {
        ::core::compile_error!("missing pattern after `->`")
    };
    (@operation $kind:ident ($($arguments:tt)*) $(-> $result:pat)? => $($rest:tt)*) => {
        $crate::__select_error!(@body $kind $($rest)*)
    };
    (@operation $kind:ident ($($arguments:tt)*) -> $result:pat) => {
        $crate::__select_error!(@arrow $kind)
    };
    (@operation $kind:ident ($($arguments:tt)*) -> $first:tt $next:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "expected `=>` after the pattern of `", ::core::stringify!($kind),
            "(...)`, behind `-> ", ::core::stringify!($first), "`",
        ))
    };
    (@operation $kind:ident ($($arguments:tt)*) $found:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "expected `->` after `", ::core::stringify!($kind), "(...)`, found `",
            ::core::stringify!($found), "`",
        ))
    };
    (@operation $kind:ident ($($arguments:tt)*)) => {
        ::core::compile_error!(::core::concat!(
            "missing `->` after `", ::core::stringify!($kind), "(...)`",
        ))
    };
    (@operation $kind:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "missing argument list after `", ::core::stringify!($kind), "`",
        ))
    };
    (@arrow $kind:ident) => {
        ::core::compile_error!(::core::concat!(
            "missing `=>` after `", ::core::stringify!($kind), "`",
        ))
    };
    (@arrow $kind:ident $found:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "expected `=>` after `", ::core::stringify!($kind), "`, found `",
            ::core::stringify!($found), "`",
        ))
    };
    (@body $kind:ident) => {
        ::core::compile_error!(::core::concat!(
            "missing expression after `=>` of `", ::core::stringify!($kind), "`",
        ))
    };
    (@body $kind:ident , $($rest:tt)*) => {
        $crate::__select_error!(@body $kind)
    };
    (@body $kind:ident $body:expr; $($rest:tt)*) => {
        $crate::__select_error!(@semicolon $body)
    };
    // The next case stands where the body should be.
    (@body $kind:ident recv ($($arguments:tt)*) -> $($rest:tt)*) => {
        $crate::__select_error!(@body $kind)
    };
    (@body $kind:ident send ($($arguments:tt)*) -> $($rest:tt)*) => {
        $crate::__select_error!(@body $kind)
    };
    (@body $kind:ident default $(($($arguments:tt)*))? => $($rest:tt)*) => {
        $crate::__select_error!(@body $kind)
    };
    // It stands behind the body, with no comma between them.
    (@body $kind:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "missing comma after the expression of `", ::core::stringify!($kind), "`: `",
            ::core::stringify!($($rest)*), "`",
        ))
    };
    (@semicolon $($body:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "expected a comma instead of the semicolon after `",
            ::core::stringify!($($body)*), "`",
        ))
    };
}
