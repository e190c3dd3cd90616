//! `select!` and `select_biased!`: what they accept, and what they then do.
//!
//! Not to be warned of, and to need no `unsafe`, is part of what is tested.

#![no_std]
#![no_main]
#![deny(warnings)]
#![forbid(unsafe_code)]

extern crate alloc;

mod grammar;
mod hygiene;
mod outcomes;
mod scope;
mod waits;

gort_test::tests! {
    mod grammar, hygiene, outcomes, scope, waits;
}
