//! Tests of `os::linux::cgroup`, with the files that real systems have.

use std::collections::BTreeMap;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::cgroup::{UNLIMITED, cpu_limit, default_gomaxprocs};
use crate::cgroup_systems::{SYSTEMS, System, others};
use crate::fields::{Fields, Files};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "cgroup::reads_what_real_systems_have",
            reads_what_real_systems_have,
        ),
        Trial::test("cgroup::takes_the_least_limit", takes_the_least_limit),
        Trial::test(
            "cgroup::passes_over_malformed_limits",
            passes_over_malformed_limits,
        ),
        Trial::test(
            "cgroup::reads_lines_of_any_length",
            reads_lines_of_any_length,
        ),
        Trial::test("cgroup::rounds_as_go_does", rounds_as_go_does),
        Trial::test("cgroup::damaged_files", damaged_files),
    ]
}

/// A limit in whole CPUs.
type Limit = Option<u64>;

/// Files in memory, read in pieces of a few bytes.
struct Made {
    files: BTreeMap<String, Vec<u8>>,
    piece: usize,
    opened: Vec<Vec<u8>>,
    /// What is left of the file that is open.
    rest: Vec<u8>,
}

impl Made {
    /// Makes files of paths and texts.
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| (String::from(*path), text.as_bytes().to_vec()));
        Self {
            files: files.collect(),
            piece: usize::MAX,
            opened: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Makes the two of /proc, and a limit of 3 CPUs at each of `paths`.
    fn of(system: &System) -> Self {
        let mut made = Self::new(&[
            ("/proc/self/cgroup", system.cgroup),
            ("/proc/self/mountinfo", system.mountinfo),
        ]);
        let limit = |name: &str, text: &str| (format!("{}/{name}", system.directory), text.into());
        if system.unified {
            made.files.extend([limit("cpu.max", "300000 100000\n")]);
        } else {
            made.files.extend([
                limit("cpu.cfs_quota_us", "300000\n"),
                limit("cpu.cfs_period_us", "100000\n"),
            ]);
        }
        made
    }

    /// Finds the limit.
    fn limit(&mut self) -> Limit {
        let limit = cpu_limit(&mut Fields::new(self));
        (limit != UNLIMITED).then_some(limit)
    }
}

impl Files for &mut Made {
    fn open(&mut self, path: &[u8]) {
        let end = path.iter().position(|byte| *byte == 0);
        let path = &path[..end.expect("a NUL ends the path")];
        self.opened.push(path.to_vec());
        let path = std::str::from_utf8(path).unwrap_or_default();
        self.rest = self.files.get(path).cloned().unwrap_or_default();
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.rest.len().min(buffer.len()).min(self.piece);
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        count
    }
}

fn reads_what_real_systems_have() -> Result<(), Failed> {
    for system in SYSTEMS {
        for piece in [1, 7, usize::MAX] {
            let mut made = Made {
                piece,
                ..Made::of(system)
            };
            let limit = made.limit();
            ensure!(limit == Some(3), "{}: {limit:?}", system.name);
        }
        let mut unlimited = Made::of(system);
        unlimited.files.retain(|path, _| path.starts_with("/proc"));
        let limit = unlimited.limit();
        ensure!(
            limit.is_none(),
            "{}, without a limit: {limit:?}",
            system.name
        );
    }
    let mount = others!("31 24 0:26 / /cg rw - cgroup2 none rw\n");
    let nothing: &[(&str, &str, &str)] = &[
        ("no control groups", "", mount),
        ("no mount", "0::/\n", others!("")),
        ("a mount of another kind", "1:cpu:/\n", mount),
        (
            "a group that is not mounted",
            "0::/a\n",
            "31 24 0:26 /b /cg rw - cgroup2 none rw\n",
        ),
        ("a file cut short", "0::/", mount),
        ("no fields", "\n0\n0:\n0::\n::\n", mount),
        ("a path that is not absolute", "0::a\n", mount),
        (
            "a wrong escape",
            "0::/\n",
            "31 24 0:26 / /cg\\9 rw - cgroup2 none rw\n",
        ),
        ("an escape cut short", "0::/\n", "31 24 0:26 / /cg\\04"),
        (
            "a mount point that is not absolute",
            "0::/\n",
            "31 24 0:26 / cg rw - cgroup2 none rw\n",
        ),
        (
            "lines cut short",
            "0::/\n",
            "31\n31 24\n31 24 0:26 /\n31 24 0:26 / /cg\n31 24 0:26 / /cg rw -\n",
        ),
    ];
    for (name, cgroup, mountinfo) in nothing {
        let mut made = Made::new(&[
            ("/proc/self/cgroup", cgroup),
            ("/proc/self/mountinfo", mountinfo),
            ("/cg/cpu.max", "1 1\n"),
        ]);
        let limit = made.limit();
        ensure!(limit.is_none(), "{name}: {limit:?}");
    }
    ensure!(Made::new(&[]).limit().is_none(), "no /proc");
    Ok(())
}

fn takes_the_least_limit() -> Result<(), Failed> {
    let proc = [
        ("/proc/self/cgroup", "0::/a/b/c\n"),
        (
            "/proc/self/mountinfo",
            "31 24 0:26 / /cg rw - cgroup2 none rw\n",
        ),
    ];
    let cases: &[([&str; 4], Limit)] = &[
        (
            [
                "300000 100000\n",
                "max 100000\n",
                "max 100000\n",
                "max 100000\n",
            ],
            Some(3),
        ),
        (
            [
                "max 100000\n",
                "200000 100000\n",
                "max 100000\n",
                "max 100000\n",
            ],
            Some(2),
        ),
        (
            [
                "300000 100000\n",
                "400000 100000\n",
                "150000 100000\n",
                "max 100000\n",
            ],
            Some(2),
        ),
        (
            [
                "300000 100000\n",
                "40000 10000\n",
                "max 100000\n",
                "19999 10000\n",
            ],
            Some(2),
        ),
        (["max 100000\n", "", "x\n", "max 100000\n"], None),
    ];
    for (texts, want) in cases {
        let mut made = Made::new(&proc);
        for (directory, text) in ["/cg/a/b/c", "/cg/a/b", "/cg/a", "/cg"].iter().zip(texts) {
            made.files
                .insert(format!("{directory}/cpu.max"), text.as_bytes().to_vec());
        }
        let limit = made.limit();
        ensure!(limit == *want, "{texts:?}: {limit:?}");
        // Each file once, and nothing above the mount point.
        ensure!(made.opened.len() == 6, "{:?}", made.opened);
    }
    let mut v1 = Made::new(&[
        ("/proc/self/cgroup", "3:cpu:/a/b\n"),
        (
            "/proc/self/mountinfo",
            "31 24 0:26 /a /cg rw - cgroup none rw,cpu\n",
        ),
        ("/cg/b/cpu.cfs_quota_us", "-1\n"),
        ("/cg/b/cpu.cfs_period_us", "100000\n"),
        ("/cg/cpu.cfs_quota_us", "150000\n"),
        ("/cg/cpu.cfs_period_us", "100000\n"),
    ]);
    ensure!(v1.limit() == Some(2), "v1 takes its parent's");
    Ok(())
}

fn passes_over_malformed_limits() -> Result<(), Failed> {
    let limit = |text: &str| {
        let proc = [
            ("/proc/self/cgroup", "0::/\n"),
            (
                "/proc/self/mountinfo",
                "31 24 0:26 / /cg rw - cgroup2 none rw\n",
            ),
        ];
        Made::new(&[proc[0], proc[1], ("/cg/cpu.max", text)]).limit()
    };
    for text in [
        "",
        "\n",
        "max\n",
        "max 100000\n",
        "500000\n",
        "500000 100000",
        "500000us 100000\n",
        "500000 100000us\n",
        "500000 0\n",
        "-1 100000\n",
        "1 -1\n",
        "0 100000\n", // the kernel allows no quota of nothing
        " 1\n",
        " 1 1\n",
        "1  1\n",
        "1 \n",
        "18446744073709551616 1\n",
        "1 18446744073709551616\n",
        "1 1 \n",
        "1\t1\n",
        "+1 1\n",
    ] {
        ensure!(limit(text).is_none(), "{text:?}: {:?}", limit(text));
    }
    let edge = 1 << 63;
    let cases = [
        ("9223372036854775808 1\n", Some(edge)),
        ("9223372036854775808 9223372036854775808\n", Some(1)),
        ("9223372036854775809 1\n", None),
        ("1 9223372036854775809\n", None),
        ("18446744073709551615 1\n", None),
        ("1 18446744073709551615\n", None),
    ];
    for (text, want) in cases {
        ensure!(limit(text) == want, "{text:?}: {:?}", limit(text));
    }
    Ok(())
}

fn reads_lines_of_any_length() -> Result<(), Failed> {
    // An overlay of a thousand layers, and names longer than any buffer.
    let long = "x".repeat(9000);
    let layers = ":/var/lib/docker/overlay2/l/ABCDEFGHIJ".repeat(1000);
    let mountinfo = format!(
        "22 1 0:50 / / rw - overlay overlay rw,lowerdir={layers},cpu\n\
         23 22 0:51 /{long} /{long} rw {long} {long} - cgroup2 {long} rw\n\
         24 22 0:26 / /cg rw {long} - cgroup2 {long} rw,{long}\n"
    );
    let cgroup = format!("7:{long}:/{long}\n0::/a\n");
    let mut made = Made::new(&[
        ("/proc/self/cgroup", &cgroup),
        ("/proc/self/mountinfo", &mountinfo),
        ("/cg/a/cpu.max", "100 100\n"),
    ]);
    ensure!(made.limit() == Some(1), "{:?}", made.limit());

    // Our own name too long: no limit, or that of a parent whose path fits.
    for (length, want) in [
        (1000, Some(1)),
        (1016, Some(1)),
        (1017, Some(3)),
        (2025, Some(3)),
        (2026, None),
        (2100, None),
        (4000, None),
        (4096, None),
    ] {
        let name = "y".repeat(length);
        let mut made = Made::new(&[
            ("/proc/self/cgroup", &format!("0::/{name}\n")),
            (
                "/proc/self/mountinfo",
                "24 22 0:26 / /cg rw - cgroup2 none rw\n",
            ),
            (&format!("/cg/{name}/cpu.max"), "100 100\n"),
            ("/cg/cpu.max", "300 100\n"),
        ]);
        let limit = made.limit();
        ensure!(limit == want, "{length}: {limit:?}");
    }
    Ok(())
}

fn rounds_as_go_does() -> Result<(), Failed> {
    let cases = [
        ("1 100000\n", 1),
        ("50000 100000\n", 1),
        ("100000 100000\n", 1),
        ("100001 100000\n", 2),
        ("200000 100000\n", 2),
        ("200001 100000\n", 3),
        ("250000 100000\n", 3),
        ("1 3\n", 1),
    ];
    for (text, want) in cases {
        let limit = Made::new(&[
            ("/proc/self/cgroup", "0::/\n"),
            ("/proc/self/mountinfo", "1 1 0:1 / /cg - cgroup2 none rw\n"),
            ("/cg/cpu.max", text),
        ])
        .limit();
        ensure!(limit == Some(want), "{text:?}: {limit:?}");
    }
    let cases = [
        (8, UNLIMITED, 8),
        (1, UNLIMITED, 1),
        (8, 0, 2),
        (8, 1, 2),
        (8, 2, 2),
        (8, 3, 3),
        (8, 8, 8),
        (8, 9, 8),
        (8, 1 << 31, 8),
        (8, 1 << 32, 8),
        (i32::MAX, 1 << 31, i32::MAX),
        (i32::MAX, UNLIMITED, i32::MAX),
        (1, 1, 1),
        (2, 1, 2),
        (3, 1, 2),
    ];
    for (ncpu, limit, want) in cases {
        let got = default_gomaxprocs(ncpu, limit);
        ensure!(got == want, "{ncpu} CPUs, {limit}: {got}, not {want}");
    }
    Ok(())
}

fn damaged_files() -> Result<(), Failed> {
    const CASES: usize = 50_000;
    let mut random = Random::new(0x6367_7270);
    let mut limits = 0;
    for case in 0..CASES {
        let system = &SYSTEMS[random.below(SYSTEMS.len())];
        let mut made = Made {
            piece: 1 + random.below(64),
            ..Made::of(system)
        };
        for bytes in made.files.values_mut() {
            match random.below(8) {
                0 => {
                    let left = random.damage(bytes);
                    bytes.truncate(left);
                }
                1 | 2 => {
                    let index = random.below(bytes.len());
                    bytes[index] = random.pick(b"\n :,-/\\.0\0");
                }
                _ => {}
            }
        }
        let limit = cpu_limit(&mut Fields::new(&mut made));
        limits += usize::from(limit != UNLIMITED);
        let procs = default_gomaxprocs(16, limit);
        ensure!((2..=16).contains(&procs), "case {case}: {procs}");
        // The two of /proc, and at most two for each level of the longest path.
        ensure!(
            made.opened.len() < 40,
            "case {case}: {} files",
            made.opened.len()
        );
    }
    ensure!(
        (CASES / 10..CASES).contains(&limits),
        "{limits} limits in {CASES} cases"
    );
    Ok(())
}
