//! A control group whose `cpu.max` is no limit: the program starts as if there
//! were none. The parser has tests of its own with the pure modules; here the
//! program itself reads such files.
//!
//! A mount namespace shows it a control group of our own making. Up to two CPUs
//! a limit changes nothing and gort does not look, so that on such a machine
//! this says only that the program starts.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, find_tool, native, path, run, run_with};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("cgroup::cpu_max", cpu_max).with_ignored_flag(!native())]
}

/// Puts our files in the place of the kernel's, for this process alone, and
/// becomes the program.
const SCRIPT: &str = r#"
set -e
mount --bind "$1/group" /proc/$$/cgroup
mount --bind "$1/mounts" /proc/$$/mountinfo
shift
exec "$@"
"#;

/// A directory that goes away with its owner.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // a leftover in the temporary directory
    }
}

fn cpu_max() -> Result<(), Failed> {
    let Some(unshare) = find_tool("unshare") else {
        return Err("unshare is not there: apt-get install util-linux".into());
    };
    let directory =
        Directory(std::env::temp_dir().join(format!("gort-cgroup-{}", std::process::id())));
    let files = directory.0.as_path();
    fs::create_dir_all(files)?;
    fs::write(files.join("group"), "0::/\n")?;
    fs::write(
        files.join("mounts"),
        format!("41 31 0:38 / {} rw - cgroup2 cgroup2 rw\n", files.display()),
    )?;

    let cpus: u64 = String::from_utf8(run_with("testprog", ["num-cpu"])?.stdout)?
        .trim()
        .parse()?;
    let no_limit = format!("{cpus}\n");
    let first = under(&unshare, files, b"max 100000\n")?;
    if first.status.code() == Some(1) {
        // A container may not make namespaces.
        eprintln!(
            "cgroup::cpu_max: not tried: {}",
            String::from_utf8_lossy(&first.stderr)
        );
        return Ok(());
    }
    first.expect(0, &no_limit, "")?;
    // That the files are read at all.
    let limited = under(&unshare, files, b"250000 100000\n")?;
    limited.expect(0, &format!("{}\n", cpus.min(3)), "")?;

    let endless = vec![b'9'; 1 << 20];
    let malformed: [&[u8]; 9] = [
        b"",
        b"garbage",
        b"-1 100000\n",
        b"300000 0\n",
        b"300000 100000 x\n",
        b"300000\0 100000\n",
        b"99999999999999999999999 1\n",
        b"\xff\xfe\x00\n\n\n",
        &endless,
    ];
    for text in malformed {
        let outcome = under(&unshare, files, text)?;
        let shown = String::from_utf8_lossy(text.get(..40).unwrap_or(text));
        outcome
            .expect(0, &no_limit, "")
            .map_err(|error| format!("cpu.max is {shown:?}: {error}"))?;
    }
    // The same for the files that lead there.
    for name in ["group", "mounts"] {
        fs::write(files.join(name), &endless)?;
        let outcome = under(&unshare, files, b"250000 100000\n")?;
        ensure!(
            outcome.expect(0, &no_limit, "").is_ok(),
            "{name} is malformed: {outcome:?}"
        );
    }
    Ok(())
}

/// Asks testprog for GOMAXPROCS in a control group with this `cpu.max`.
fn under(unshare: &Path, files: &Path, cpu_max: &[u8]) -> Result<Outcome, Failed> {
    fs::write(files.join("cpu.max"), cpu_max)?;
    let mut command = Command::new(unshare);
    if fs::metadata("/proc/self")?.uid() != 0 {
        command.arg("--map-root-user");
    }
    command
        .args(["--mount", "sh", "-c", SCRIPT, "sh"])
        .arg(files)
        .arg(path("testprog")?)
        .arg("gomaxprocs");
    Ok(run(command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"))?)
}
