//! Answers that the kernel may give and seldom does: strace makes them up.

use std::process::Command;

use gort_host_tests::programs::{Outcome, native, path, run, strace};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's own calls are not the program's.
    let trials = vec![
        Trial::test("injected::write_interrupted", write_interrupted),
        Trial::test("injected::write_in_pieces", write_in_pieces),
        Trial::test("injected::write_of_nothing", write_of_nothing),
        Trial::test("injected::thread_refused", thread_refused),
        Trial::test("injected::no_membarrier", no_membarrier),
        Trial::test("injected::guards_refused", guards_refused),
        Trial::test("injected::several_guards_refused", several_guards_refused),
        Trial::test("injected::mappings_refused", mappings_refused),
        Trial::test("injected::second_thread_only", second_thread_only),
        Trial::test("injected::memory_refused_once", memory_refused_once),
        Trial::test("injected::memory_refused_for_good", memory_refused_for_good),
        Trial::test("injected::memory_never_taken_back", memory_never_taken_back),
        Trial::test("injected::huge_page_sizes", huge_page_sizes),
    ];
    let ignored = |trial: Trial| trial.with_ignored_flag(!native());
    trials.into_iter().map(ignored).collect()
}

/// Runs an example with a system call's answers changed, in strace's words.
fn injected(change: &str, name: &str) -> Result<Outcome, Failed> {
    injected_with(&[change], name, &[])
}

/// The same with several changes, and arguments.
fn injected_with(changes: &[&str], name: &str, arguments: &[&str]) -> Result<Outcome, Failed> {
    Ok(run(&mut changed(changes, name, arguments)?)?)
}

/// The same of testprog, with so many Ps.
fn with_procs(procs: &str, changes: &[&str], arguments: &[&str]) -> Result<Outcome, Failed> {
    let mut command = changed(changes, "testprog", arguments)?;
    Ok(run(command.env("GOMAXPROCS", procs))?)
}

/// Makes the command for that.
fn changed(changes: &[&str], name: &str, arguments: &[&str]) -> Result<Command, Failed> {
    let mut command = Command::new(strace()?);
    command
        .args(["-f", "-o", "/dev/null"])
        .args(changes.iter().map(|change| format!("-einject={change}")))
        .arg("--")
        .arg(path(name)?)
        .args(arguments)
        .env_clear();
    Ok(command)
}

fn write_interrupted() -> Result<(), Failed> {
    injected("write:error=EINTR:when=1..3", "hello")?.expect(0, "vim-go\n", "")?;
    Ok(())
}

/// What strace says was written was not: so the rest is all that comes.
fn write_in_pieces() -> Result<(), Failed> {
    injected("write:retval=3:when=1", "hello")?.expect(0, "-go\n", "")?;
    injected("write:retval=1:when=1..6", "hello")?.expect(0, "\n", "")?;
    Ok(())
}

/// A file system that takes nothing and names no error: no endless loop.
fn write_of_nothing() -> Result<(), Failed> {
    const EIO: &str = "panic: failed printing to stdout: Input/output error (os error 5)\n\n\
        goroutine 1 [running]:\n**";
    // What is held back is tried again at the end, as std's main thread does.
    injected("write:retval=0:when=1", "hello")?.expect(2, "vim-go\n", EIO)?;
    Ok(())
}

/// sysmon's thread: the hint at the limit is for the errno of the limit.
fn thread_refused() -> Result<(), Failed> {
    let first = "runtime: failed to create new OS thread (have 1 already; errno=";
    let hint = "runtime: may need to increase max user processes (ulimit -u)\n";
    let last = "fatal error: newosproc\n\nruntime stack:\n**";
    for (errno, number, hint) in [("EAGAIN", 11, hint), ("ENOMEM", 12, "")] {
        let text = format!("{first}{number})\n{hint}{last}");
        injected(&format!("clone:error={errno}"), "goroutines")?.expect(2, "", &text)?;
    }
    Ok(())
}

/// Kernels without guards in a mapping, and those that say yes and do nothing, to any
/// advice or to that one: stacks have guards all the same.
fn guards_refused() -> Result<(), Failed> {
    let text = "runtime: goroutine stack exceeds 262144-byte limit\n\
        runtime: sp=0x* stack=[0x*, 0x*]\nfatal error: stack overflow\n\n**";
    for change in [
        "madvise:error=EINVAL",
        "madvise:retval=0",
        "madvise:retval=0:when=2",
        // The first one is real, and none after it.
        "madvise:error=ENOMEM:when=3+",
    ] {
        injected_with(&[change], "testprog", &["overflow-goroutine"])?
            .expect(2, "", text)
            .map_err(|error| format!("{change}: {error}"))?;
    }
    Ok(())
}

/// Kernels that cannot make several guards in one call, filters that say no to it, and calls
/// that have made none, or not all: stacks have guards all the same, one by one.
fn several_guards_refused() -> Result<(), Failed> {
    let text = "runtime: goroutine stack exceeds 262144-byte limit\n\
        runtime: sp=0x* stack=[0x*, 0x*]\nfatal error: stack overflow\n\n**";
    for change in [
        "process_madvise:error=ENOSYS",
        "process_madvise:error=EPERM",
        "process_madvise:error=EINVAL:when=2+",
        "process_madvise:error=EINTR:when=3",
        "process_madvise:retval=0",
        "process_madvise:retval=4096:when=3",
    ] {
        let late = ["overflow-late-for-ever", "150"];
        injected_with(&[change], "testprog", &late)?
            .expect(2, "", text)
            .map_err(|error| format!("{change}: {error}"))?;
    }
    Ok(())
}

/// No more mappings for guards: there are goroutines without, and then none.
fn mappings_refused() -> Result<(), Failed> {
    // The main goroutine's, m0's signal stack's, sysmon's, its signal stack's, six more of the
    // first slab and one of the next: of
    // another P's M, there would be its own instead of the last.
    let changes = ["madvise:error=EINVAL", "mprotect:error=ENOMEM:when=12+"];
    let many = |count| with_procs("1", &changes, &["many-goroutines", count]);
    many("15")?.expect(0, "16\n", "")?;
    let text = "runtime: may need to increase vm.max_map_count\n\
        fatal error: out of memory (stack allocation)\n\ngoroutine 1 *[running*]:\n**";
    many("40")?.expect(2, "", text)?;
    Ok(())
}

/// There is room for sysmon's stack, and for no other thread's: the program goes on with
/// one thread for its goroutines, also where that is in system calls.
fn second_thread_only() -> Result<(), Failed> {
    // The main goroutine's slab, two of the heap, sysmon's.
    let changes = ["mmap:error=ENOMEM:when=5+"];
    for procs in ["1", "2", "16"] {
        with_procs(procs, &changes, &["many-goroutines", "4"])?
            .expect(0, "5\n", "")
            .map_err(|error| format!("GOMAXPROCS={procs}: {error}"))?;
        with_procs(procs, &changes, &["calls-beside-main", "5"])?
            .expect(0, "back\n", "")
            .map_err(|error| format!("calls, GOMAXPROCS={procs}: {error}"))?;
        with_procs(procs, &changes, &["sleeps-beside-others", "5"])?
            .expect(0, "awake\n", "")
            .map_err(|error| format!("sleeps, GOMAXPROCS={procs}: {error}"))?;
    }
    Ok(())
}

/// A system without it, and a program that has locked itself in since: channels that many want
/// at a time do without.
fn no_membarrier() -> Result<(), Failed> {
    for change in [
        "membarrier:error=ENOSYS",
        "membarrier:error=EPERM:when=2+",
        "membarrier:retval=0:when=1000+", // as it is
    ] {
        with_procs("4", &[change], &["crossing", "2000"])?
            .expect(0, "64000 values, 63968000\n", "")
            .map_err(|error| format!("{change}: {error}"))?;
    }
    Ok(())
}

/// The first mapping is for stacks. Whichever is refused behind that, an arena's or
/// one for records, a smaller one will do.
fn memory_refused_once() -> Result<(), Failed> {
    for number in 2..6 {
        let change = format!("mmap:error=ENOMEM:when={number}");
        injected_with(&[&change], "testprog", &["try-reserve", "1000"])?
            .expect(0, "ok\n", "")
            .map_err(|error| format!("{change}: {error}"))?;
    }
    Ok(())
}

/// From some mapping on there is no more: that is a clear death, unless what there
/// is does.
fn memory_refused_for_good() -> Result<(), Failed> {
    let texts = [
        "fatal error: out of memory (stack allocation)\n\nruntime stack:\n**",
        "fatal error: runtime: out of memory\n\ngoroutine 1 *[running*]:\n**",
    ];
    for (number, text) in [(1, texts[0]), (2, texts[1]), (3, texts[1])] {
        let change = format!("mmap:error=ENOMEM:when={number}+");
        injected_with(&[&change], "testprog", &["return", "7"])?
            .expect(2, "", text)
            .map_err(|error| format!("{change}: {error}"))?;
    }
    let enough = ["mmap:error=ENOMEM:when=4+"];
    injected_with(&enough, "testprog", &["return", "7"])?.expect(7, "", "")?;
    injected_with(&enough, "testprog", &["try-reserve", "100000000"])?.expect(0, "err\n", "")?;
    Ok(())
}

/// Locked memory, say, or an emulator that takes no advice and does not tell: what
/// cannot be given back is kept and used again, and nobody takes it for zeros.
fn memory_never_taken_back() -> Result<(), Failed> {
    for change in ["madvise:error=EINVAL", "madvise:retval=0"] {
        injected_with(&[change], "testprog", &["zeroed-again"])?
            .expect(0, "released: 0\n", "")
            .map_err(|error| format!("{change}: {error}"))?;
    }
    Ok(())
}

/// What sysfs says is no size of a page: Go's text. What is too large or no number
/// counts as none.
fn huge_page_sizes() -> Result<(), Failed> {
    const SIZE_FILE: &str = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";
    let Ok(true_size) = std::fs::read_to_string(SIZE_FILE) else {
        return Ok(()); // a kernel without
    };
    let with = |size: &str| {
        let bytes = size.bytes().map(|byte| format!("{byte:02x}"));
        let poke = format!("read:poke_exit=@arg2={}:when=1", bytes.collect::<String>());
        injected_with(&[&poke], "testprog", &["return", "7"])
    };
    if true_size.len() != "2097152\n".len() {
        return Ok(()); // what is poked in would not fit
    }
    for size in ["3097152", "2097153", "0000003"] {
        let number = size.trim_start_matches('0');
        let text = format!(
            "system huge page size ({number}) must be a power of 2\n\
             fatal error: bad system huge page size\n\ngoroutine 1 *[running*]:\n**"
        );
        with(size)?.expect(2, "", &text)?;
    }
    for size in [
        "4194304", "8388608", "0000000", "0000001", "-000001", "no size",
    ] {
        with(size)?
            .expect(7, "", "")
            .map_err(|error| format!("{size}: {error}"))?;
    }
    Ok(())
}
