//! How much CPU time the process may use, by its control group: what a container
//! is given, which is often less than the machine's CPUs.
//!
//! Go's counterpart: `internal/runtime/cgroup`, and `defaultGOMAXPROCS` and
//! `adjustCgroupGOMAXPROCS` in `runtime/proc.go` and `runtime/cgroup_linux.go`.
//!
//! ```text
//!   /proc/self/cgroup      which group we are in         0::/user.slice/app
//!   /proc/self/mountinfo   where groups are mounted      /sys/fs/cgroup, from /
//!     /sys/fs/cgroup/user.slice/app/cpu.max              "max 100000"     none
//!     /sys/fs/cgroup/user.slice/cpu.max                  "150000 100000"  1.5 CPUs
//!     /sys/fs/cgroup/cpu.max                             not there        none
//! ```
//!
//! Go reads the group's own limit. A group is also held to those of the groups
//! around it, so we read all that we can see and take the least.
//!
//! Invariants:
//! 1. Files are read front to back, so a line may be of any length. A path that
//!    does not fit its buffer is a path that we do not know.
//! 2. Whatever the files say, the result is a limit or none, never an error:
//!    without one the runtime starts a P per CPU.
//!
//! The file stands alone with [`super::fields`]: it asks for files through
//! [`Files`], so that a test on the host can make up its own.

use core::num::NonZeroU64;

use super::fields::{Chunk, Fields, Files, Text, word};

/// The buffers of [`cpu_limit`], 8 KiB: g0's stack has room for them.
pub(crate) struct Scratch {
    /// The group's path in its hierarchy.
    group: Text,
    /// The path of a file in the group's directory.
    path: Text,
    /// A piece of the file being read.
    chunk: Chunk,
}

impl Scratch {
    /// Makes empty buffers.
    pub(crate) const fn new() -> Self {
        Self {
            group: Text::new(),
            path: Text::new(),
            chunk: [0; _],
        }
    }
}

/// A limit: `quota` microseconds of CPU time in each `period` microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CpuLimit {
    /// CPU time, of all threads together.
    pub quota: u64,
    /// The time in which that quota may be used up.
    pub period: NonZeroU64,
}

impl CpuLimit {
    /// Whether this limit is the tighter of the two.
    fn is_below(self, other: Self) -> bool {
        let cross = |a: Self, b: Self| u128::from(a.quota) * u128::from(b.period.get());
        cross(self, other) < cross(other, self)
    }
}

/// How many Ps to start with: the limit in whole CPUs, rounded up, at least 2 and
/// at most `ncpu`.
///
/// At least 2, as in Go: a limit of half a CPU is still no reason to let one busy
/// goroutine hold up all others. So with `ncpu` below 3 the limit changes nothing,
/// and the caller need not look for it.
pub(crate) fn default_gomaxprocs(ncpu: i32, limit: Option<CpuLimit>) -> i32 {
    let Some(CpuLimit { quota, period }) = limit else {
        return ncpu;
    };
    let cpus = quota / period + u64::from(!quota.is_multiple_of(period.get()));
    i32::try_from(cpus).unwrap_or(i32::MAX).max(2).min(ncpu)
}

/// Finds the least CPU limit of the process's control group and of the groups
/// around it; `None` if there is none, or no control group at all.
///
/// `schedinit` calls this on g0.
pub(crate) fn cpu_limit<F: Files>(files: &mut F, scratch: &mut Scratch) -> Option<CpuLimit> {
    let Scratch { group, path, chunk } = scratch;
    let mut fields = Fields::new(files, chunk);
    let hierarchy = find_group(&mut fields, group)?;
    let mount = find_directory(&mut fields, hierarchy, group.get()?, path)?;

    let mut least: Option<CpuLimit> = None;
    let mut length = path.length;
    loop {
        path.length = length;
        if let Some(limit) = limit_at(&mut fields, hierarchy, path)
            && least.is_none_or(|least| limit.is_below(least))
        {
            least = Some(limit);
        }
        if length <= mount {
            return least;
        }
        // The parent: up to the last slash below the mount point.
        let below = path.bytes.get(mount..length).unwrap_or_default();
        length = mount + below.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    }
}

/// Which kind of hierarchy has the CPU controller.
#[derive(Clone, Copy, PartialEq)]
enum Hierarchy {
    /// cgroup v1: a hierarchy for each controller.
    V1,
    /// cgroup v2: one hierarchy for all.
    V2,
}

/// Finds our group in `/proc/self/cgroup`: lines of `ID:controllers:path`, where
/// v2 is ID 0. A controller is in one hierarchy only, and only v1 names it.
fn find_group<F: Files>(fields: &mut Fields<'_, F>, group: &mut Text) -> Option<Hierarchy> {
    fields.open(b"/proc/self/cgroup\0")?;
    let mut found = None;
    while fields.next_line() {
        fields.field(b':', None);
        let unified = fields.word == word(b"0");
        fields.field(b':', None);
        let cpu = fields.has_cpu;
        if (unified || cpu) && fields.field(b'\n', Some(group)) == b'\n' && group.is_absolute() {
            if cpu {
                return Some(Hierarchy::V1);
            }
            found = Some(Hierarchy::V2);
        }
    }
    found
}

/// Finds the group's directory in `/proc/self/mountinfo` and puts it in `path`;
/// gives the length of the part of it that is the mount point. A line:
///
/// ```text
/// 36 35 98:0 /root /mount/point rw,noatime shared:1 … - cgroup source rw,cpu
/// ```
///
/// The mount shows the groups below `/root`, so ours must be one of them.
fn find_directory<F: Files>(
    fields: &mut Fields<'_, F>,
    hierarchy: Hierarchy,
    group: &[u8],
    path: &mut Text,
) -> Option<usize> {
    fields.open(b"/proc/self/mountinfo\0")?;
    while fields.next_line() {
        for _ in 0..3 {
            fields.field(b' ', None);
        }
        fields.field(b' ', Some(path));
        let Some(rest) = path.get().and_then(|root| below(root, group)) else {
            continue;
        };
        fields.field(b' ', Some(path));
        // The mount options, then any number of optional fields, then a dash.
        while fields.field(b' ', None) == b' ' && fields.word != word(b"-") {}
        fields.field(b' ', None);
        let wanted = match hierarchy {
            Hierarchy::V2 => fields.word == word(b"cgroup2"),
            Hierarchy::V1 => {
                let wanted = fields.word == word(b"cgroup");
                fields.field(b' ', None);
                fields.field(b'\n', None);
                wanted && fields.has_cpu
            }
        };
        if wanted && path.is_absolute() {
            let mount = path.length;
            path.append(rest);
            return Some(mount);
        }
    }
    None
}

/// What remains of `group` below `root`: nothing, or a path that starts with a
/// slash. `None` if it is elsewhere, or above the root of our cgroup namespace.
fn below<'a>(root: &[u8], group: &'a [u8]) -> Option<&'a [u8]> {
    let rest = group.strip_prefix(root.strip_suffix(b"/").unwrap_or(root))?;
    match rest {
        b"" | b"/" => Some(b""),
        [b'/', b'.', b'.'] | [b'/', b'.', b'.', b'/', ..] => None,
        [b'/', ..] => Some(rest),
        _ => None,
    }
}

/// Reads the limit of the group whose directory `path` holds; adds to `path`.
fn limit_at<F: Files>(
    fields: &mut Fields<'_, F>,
    hierarchy: Hierarchy,
    path: &mut Text,
) -> Option<CpuLimit> {
    let directory = path.length;
    let (name, end) = match hierarchy {
        Hierarchy::V2 => (&b"/cpu.max\0"[..], b' '), // both numbers
        Hierarchy::V1 => (&b"/cpu.cfs_quota_us\0"[..], b'\n'),
    };
    path.append(name);
    fields.open(path.get()?)?;
    let quota = fields.number(end)?;
    if hierarchy == Hierarchy::V1 {
        path.length = directory;
        path.append(b"/cpu.cfs_period_us\0");
        fields.open(path.get()?)?;
    }
    let period = NonZeroU64::new(fields.number(b'\n')?)?;
    Some(CpuLimit { quota, period })
}
