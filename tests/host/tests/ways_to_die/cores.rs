//! Core files: what a program leaves that dies with GOTRACEBACK=crash.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use gort_host_tests::ensure;
use gort_host_tests::programs::{find_tool, run};
use libtest_mimic::Failed;

use crate::{Build, NAME};

/// With GOTRACEBACK=crash there is a core file, where the system writes them, and gdb finds
/// in it who died and where.
pub(crate) fn crash_leaves_a_core() -> Result<(), Failed> {
    const SIGABRT: i32 = 6;
    for build in Build::all() {
        let program = build.program()?;
        let scratch = program.with_file_name(format!("{NAME}.core.{}", build.name()));
        let _ = fs::remove_dir_all(&scratch); // of a run before
        fs::create_dir(&scratch)?;
        for (command, frame) in [
            ("panic", "::panics::"),
            ("nil-goroutine", "::load"),
            ("overflow", "::descend"),
            ("overflow-g0", "::descend"),
        ] {
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
                .arg(&program)
                .arg(command)
                .env_clear()
                .env("GOTRACEBACK", "crash")
                .current_dir(&scratch);
            let outcome = run(&mut shell)?;
            outcome.expect_signal(SIGABRT)?;
            let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern")?;
            if pattern.contains(['|', '/']) {
                println!("core files go elsewhere here: {}", pattern.trim());
                continue;
            }
            ensure!(
                outcome.status.core_dumped(),
                "{command}: {}",
                outcome.status
            );
            let core = fs::read_dir(&scratch)?
                .next()
                .ok_or("there is no core file")??
                .path();
            let frame = if build == Build::Stripped { "" } else { frame };
            opens_in_gdb(&program, &core, frame).map_err(|error| format!("{command}: {error}"))?;
            fs::remove_file(core)?;
        }
        fs::remove_dir(scratch)?;
    }
    Ok(())
}

/// Looks whether gdb knows from the core file which signal it was, and who died.
fn opens_in_gdb(program: &Path, core: &Path, frame: &str) -> Result<(), String> {
    let gdb = find_tool("gdb").ok_or("gdb is not there: apt-get install gdb")?;
    let mut command = Command::new(gdb);
    command.args(["-nx", "-batch", "-ex", "bt 20"]);
    let said = run(command.arg(program).arg(core))?;
    let said = String::from_utf8_lossy(&said.stdout);
    let right = said.contains("terminated with signal SIGABRT") && said.contains("#0 ");
    match right && said.contains(frame) {
        true => Ok(()),
        false => Err(format!("gdb says {said}")),
    }
}
