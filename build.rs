//! Assembles `asm/*.S` with debug lines, tells the assembly where the fields of
//! the runtime's structs are, and hands the linker script to whoever links.

#![allow(
    dead_code,
    reason = "the runtime's types are here for their offsets alone"
)]

use std::env;
use std::fs;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
/// What `runq` uses; the models put loom's here.
use std::sync::atomic;

#[path = "src/sched/pstatus.rs"]
mod pstatus;
#[path = "src/sched/runq.rs"]
mod runq;
#[path = "src/sched/runtime2.rs"]
#[allow(
    unsafe_code,
    reason = "the types say that they are Sync; nothing runs here"
)]
mod runtime2;
#[path = "src/mem/stack/slab.rs"]
#[allow(unsafe_code, reason = "follows a list; nothing runs here")]
mod slab;
#[path = "src/sched/waitreason.rs"]
mod waitreason;

use pstatus::PState;
use runq::RunQueue;
use runtime2::{G, GCache, Gobuf, M, P, Stack, Stktop};
use slab::Slab;

/// The assembly, one object each: what all programs have.
const ASM: &[&str] = &[
    "asm/asm_amd64.S",
    "asm/switch_amd64.S",
    "asm/stack_amd64.S",
    "asm/preempt_amd64.S",
    "asm/memmove_amd64.S",
    "asm/debug_amd64.S",
];

/// The same for those on Linux, and for those with nothing below them.
const LINUX: &[&str] = &["asm/rt0_linux_amd64.S", "asm/sys_linux_amd64.S"];
const NONE: &[&str] = &[
    "asm/rt0_none_amd64.S",
    "asm/sys_none_amd64.S",
    "asm/trap_none_amd64.S",
    "asm/cpus_none_amd64.S",
];

/// Tells whether the program is to run with nothing below it.
fn is_none() -> bool {
    env::var_os("CARGO_FEATURE_NONE").is_some()
}

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for path in [
        "build.rs",
        "asm",
        "linker.ld",
        "linker-none.ld",
        "gdb",
        "src/mem/stack/slab.rs",
        "src/sched/pstatus.rs",
        "src/sched/runq.rs",
        "src/sched/runtime2.rs",
        "src/sched/waitreason.rs",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }

    fs::write(out.join("go_asm.h"), go_asm_h()).expect("OUT_DIR can be written");
    fs::write(out.join("gort-gdb.py"), gdb_script(&root)).expect("OUT_DIR can be written");
    // Where little is inlined, the allocator's usual way calls functions that lie
    // outside of its section: see src/malloc.rs.
    println!("cargo::rustc-check-cfg=cfg(gort_malloc_counts)");
    if !matches!(env::var("OPT_LEVEL").as_deref(), Ok("2" | "3")) {
        println!("cargo::rustc-cfg=gort_malloc_counts");
    }
    assemble(&root, &out);
    link_args(&root);
}

/// Writes what Go's compiler calls `go_asm.h`: a constant for each offset that
/// the assembly uses, taken from the types themselves. src/boot/check.rs
/// compares them when the crate is compiled.
fn go_asm_h() -> String {
    let offsets = [
        ("g_stack_lo", offset_of!(G, stack) + offset_of!(Stack, lo)),
        ("g_stack_hi", offset_of!(G, stack) + offset_of!(Stack, hi)),
        ("g_stackguard0", offset_of!(G, stackguard0)),
        ("g_stackguard1", offset_of!(G, stackguard1)),
        ("g_m", offset_of!(G, m)),
        ("g_sched_sp", offset_of!(G, sched) + offset_of!(Gobuf, sp)),
        ("g_sched_pc", offset_of!(G, sched) + offset_of!(Gobuf, pc)),
        ("g_sched_bp", offset_of!(G, sched) + offset_of!(Gobuf, bp)),
        (
            "g_sched_ctxt",
            offset_of!(G, sched) + offset_of!(Gobuf, ctxt),
        ),
        ("gobuf_sp", offset_of!(Gobuf, sp)),
        ("gobuf_pc", offset_of!(Gobuf, pc)),
        ("gobuf_g", offset_of!(Gobuf, g)),
        ("gobuf_ctxt", offset_of!(Gobuf, ctxt)),
        ("gobuf_bp", offset_of!(Gobuf, bp)),
        ("m_g0", offset_of!(M, g0)),
        ("m_gsignal", offset_of!(M, gsignal)),
        ("m_procid", offset_of!(M, procid)),
        ("m_tls", offset_of!(M, tls)),
        // From here on only the debugger's descriptions use them.
        ("g_size", size_of::<G>()),
        ("g_stack_size", size_of::<Stack>()),
        ("g_sched", offset_of!(G, sched)),
        ("g_atomicstatus", offset_of!(G, atomicstatus)),
        ("g_locks", offset_of!(G, locks)),
        ("g_preempt", offset_of!(G, preempt)),
        ("g_waitreason", offset_of!(G, waitreason)),
        ("g_goid", offset_of!(G, goid)),
        ("g_parent_goid", offset_of!(G, parent_goid)),
        ("g_schedlink", offset_of!(G, schedlink)),
        ("g_turn", offset_of!(G, turn)),
        ("g_lockedm", offset_of!(G, lockedm)),
        ("g_waitsince", offset_of!(G, waitsince)),
        ("g_waitlock", offset_of!(G, waitlock)),
        ("g_startpc", offset_of!(G, startpc)),
        ("g_gopc", offset_of!(G, gopc)),
        ("g_stktop", offset_of!(G, stktop)),
        ("slab_size", size_of::<Slab>()),
        ("slab_next", offset_of!(Slab, next)),
        ("slab_line", offset_of!(Slab, line)),
        ("slab_stride", offset_of!(Slab, stride)),
        ("slab_slots", offset_of!(Slab, slots)),
        ("slab_live", offset_of!(Slab, live)),
        ("gobuf_size", size_of::<Gobuf>()),
        ("stktop_size", size_of::<Stktop>()),
        ("stktop_stack", offset_of!(Stktop, stack)),
        ("stktop_link", offset_of!(Stktop, link)),
        ("m_size", size_of::<M>()),
        ("m_curg", offset_of!(M, curg)),
        ("m_p", offset_of!(M, p)),
        ("m_id", offset_of!(M, id)),
        ("m_lockedg", offset_of!(M, lockedg)),
        ("m_alllink", offset_of!(M, alllink)),
        ("m_spinning", offset_of!(M, spinning)),
        ("m_dying", offset_of!(M, dying)),
        ("m_schedlink", offset_of!(M, schedlink)),
        ("p_size", size_of::<P>()),
        ("p_id", offset_of!(P, id)),
        (
            "p_status",
            offset_of!(P, state) + offset_of!(PState, status),
        ),
        (
            "p_syscalltick",
            offset_of!(P, state) + offset_of!(PState, syscalltick),
        ),
        ("p_link", offset_of!(P, link)),
        ("p_schedtick", offset_of!(P, schedtick)),
        ("p_preempt", offset_of!(P, preempt)),
        ("p_m", offset_of!(P, m)),
        (
            "p_gfree_n",
            offset_of!(P, g_free) + offset_of!(GCache, size),
        ),
        ("p_timers", offset_of!(P, timers)),
        (
            "p_runqhead",
            offset_of!(P, runq) + offset_of!(RunQueue<G>, head),
        ),
        (
            "p_runqtail",
            offset_of!(P, runq) + offset_of!(RunQueue<G>, tail),
        ),
        (
            "p_runnext",
            offset_of!(P, runq) + offset_of!(RunQueue<G>, runnext),
        ),
        (
            "p_runq",
            offset_of!(P, runq) + offset_of!(RunQueue<G>, ring),
        ),
    ];
    let mut text = String::from("/* Generated by build.rs from the types in src/. */\n");
    for (name, offset) in offsets {
        text += &format!("#define {name} {offset}\n");
    }
    text += &format!("#define SLAB_WORDS {}\n", slab::MAX_SLOTS / 64);
    text += &format!("#define SLAB_LINE {}\n", slab::LINE);
    text += &format!("#define SLAB_COLOURS {}\n", slab::COLOURS);
    text += &format!("#define RUNQ_SIZE {}\n", runq::RUNQ_SIZE);
    text += &format!("#define STACK_GUARD {}\n", runtime2::STACK_GUARD);
    text += &format!("#define G0_STACK {}\n", runtime2::G0_STACK);
    text
}

/// Makes one text of gdb's script, for programs to carry: the package `gort`, a module a
/// line, and what gort-gdb.py does with it. First comes the name, as gdb wants it.
fn gdb_script(root: &Path) -> String {
    let directory = root.join("gdb/gort");
    let mut modules: Vec<String> = fs::read_dir(&directory)
        .expect("gdb/gort is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".py").map(String::from))
        .collect();
    modules.sort(); // the same sources make the same text
    let mut text = String::from("gort-gdb.py\nGORT = {\n");
    for module in modules {
        let path = directory.join(format!("{module}.py"));
        let source = fs::read_to_string(path).expect("a module can be read");
        assert!(
            source.is_ascii(),
            "gdb/gort/{module}.py: for Rust's escapes to be Python's"
        );
        text += &format!("{module:?}: {source:?},\n");
    }
    text += "}\n";
    text + &fs::read_to_string(root.join("gdb/gort-gdb.py")).expect("gdb/gort-gdb.py is there")
}

/// Assembles every file of [`ASM`], and those of the system, into the crate.
fn assemble(root: &Path, out: &Path) {
    let mut build = cc::Build::new();
    // By their names in the package, where this runs: debuggers show them so.
    build
        .files(ASM)
        .files(if is_none() { NONE } else { LINUX })
        .include(out)
        .include(root)
        .flag("-g")
        .pic(false);
    // The instruction set that rustc was allowed to use, for the check at the entry.
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let has = |name: &str| features.split(',').any(|feature| feature == name);
    let level = if has("avx512f") && has("avx512bw") && has("avx512vl") {
        4
    } else if has("avx2") && has("bmi2") && has("fma") {
        3
    } else if has("sse4.2") && has("popcnt") {
        2
    } else {
        1
    };
    build.define("GOAMD64", level.to_string().as_str());
    if is_none() {
        build.define("GORT_NONE", None);
    }
    // All of it, whether referred to or not: the debugger's part never is.
    build.link_lib_modifier("+whole-archive");
    build.compile("gort_asm");
}

/// The linker's arguments: for this package's own programs, and, as metadata
/// (`DEP_GORT_LINK_ARGS`), for the build script of whoever depends on it.
fn link_args(root: &Path) {
    let script = root.join(if is_none() {
        "linker-none.ld"
    } else {
        "linker.ld"
    });
    let args = [
        "-nostartfiles".to_string(),
        "-nostdlib".to_string(),
        "-static".to_string(),
        "-no-pie".to_string(),
        format!("-Wl,-T,{}", script.display()),
        "-Wl,-z,max-page-size=4096".to_string(),
        "-Wl,-z,noexecstack".to_string(),
        "-Wl,-z,norelro".to_string(),
        "-Wl,--gc-sections".to_string(),
        // Nothing unwinds; a debugger reads .eh_frame itself.
        "-Wl,--no-eh-frame-hdr".to_string(),
        "-Wl,--build-id=none".to_string(),
    ];
    for arg in &args {
        println!("cargo::rustc-link-arg-examples={arg}");
        // A packaged gort has no tests, and cargo refuses arguments for none.
        if root.join("tests").is_dir() {
            println!("cargo::rustc-link-arg-tests={arg}");
        }
    }
    println!("cargo::metadata=linker_script={}", script.display());
    println!("cargo::metadata=link_args={}", args.join("\u{1f}"));
}
