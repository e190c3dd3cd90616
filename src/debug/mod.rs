//! What tells a person about the runtime: its messages, its deaths, its traces,
//! and its view of ELF images. Any module may use this one.

pub(crate) mod boottrace;
pub(crate) mod elf;
pub(crate) mod fatal;
pub(crate) mod lock;
pub(crate) mod print;
pub(crate) mod vdso;
