//! Tells debuggers where the fields of the runtime's own types are.
//!
//! Without counterpart: Go's compiler describes all types in all builds. rustc does in a
//! debug build alone, and under its own names. asm/debug_amd64.S describes what a debugger
//! needs, in any build; the offsets of the types that build.rs knows come from there, and
//! those of all others by the linker: an absolute symbol for each, `layout.TYPE.FIELD`,
//! which needs no memory. `strip` removes it.

/// Defines such symbols: `layout!("hchan", Hchan: lock, flags)`, or with any constants
/// `layout!("sched": now = 8)`.
macro_rules! layout {
    ($name:literal, $type:ty: $($field:ident),+ $(,)?) => {
        crate::debug::layout::layout!(
            $name: $($field = core::mem::offset_of!($type, $field),)+ size_of = size_of::<$type>()
        );
    };
    ($name:literal: $($field:ident = $value:expr),+ $(,)?) => {
        $(core::arch::global_asm!(
            concat!(".globl layout.", $name, ".", stringify!($field)),
            concat!(".hidden layout.", $name, ".", stringify!($field)),
            concat!(".set layout.", $name, ".", stringify!($field), ", {value}"),
            value = const $value,
        );)+
    };
}
pub(crate) use layout;
