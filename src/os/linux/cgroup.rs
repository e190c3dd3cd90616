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

use super::fields::{Fields, Files, ROOM, word};

/// No limit: more CPUs than there are.
pub(crate) const UNLIMITED: u64 = u64::MAX;

/// How many Ps to start with: the limit, but at least 2 and at most `ncpu`.
///
/// At least 2, as in Go: a limit of half a CPU is still no reason to let one busy
/// goroutine hold up all others. So with `ncpu` below 3 the limit changes nothing,
/// and the caller need not look for it.
pub(crate) fn default_gomaxprocs(ncpu: i32, limit: u64) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX).max(2).min(ncpu)
}

/// Finds the least CPU limit of the process's control group and of the groups
/// around it, in whole CPUs, rounded up; [`UNLIMITED`] if there is none, or no
/// control group at all.
///
/// `schedinit` calls this on g0, with new `fields`.
#[inline(never)] // for its size: a pointer is nearer to `fields` than the frame's
pub(crate) fn cpu_limit<F: Files>(fields: &mut Fields<F>) -> u64 {
    let mut least = UNLIMITED;
    if !find_group(fields) {
        return least;
    }
    let group = fields.kept;
    let Some(mut below) = find_mount(fields) else {
        return least;
    };
    loop {
        least = least.min(limit(fields));
        // The next group on the way down to ours.
        fields.end = fields.kept;
        loop {
            if below >= group {
                return least;
            }
            let byte = fields.at(below);
            fields.push(byte);
            below += 1;
            if byte == b'/' {
                break;
            }
        }
        fields.kept = fields.end;
    }
}

/// Finds our group in `/proc/self/cgroup` and keeps its path. A line is
/// `ID:controllers:path`; v2 names no controllers and is last. A controller is in
/// one hierarchy only: v2 may have ours if v1 does not.
fn find_group<F: Files>(fields: &mut Fields<F>) -> bool {
    fields.open(b"/proc/self/cgroup\0\0");
    loop {
        fields.stop = b':';
        fields.field();
        fields.field();
        let v2 = fields.end == 0;
        fields.v1 = fields.has_cpu;
        fields.stop = b'\n';
        fields.field();
        if fields.byte() == 0 {
            return false; // also if the line was cut short
        }
        let known = (1..ROOM).contains(&fields.end);
        if known && (v2 || fields.v1) {
            fields.kept = fields.end;
            fields.start = fields.end;
            return true;
        }
    }
}

/// Finds in `/proc/self/mountinfo` where our hierarchy is mounted, and keeps that
/// path; returns where in the group's path the part below it starts. A line:
///
/// ```text
/// 36 35 98:0 /root /mount/point rw,noatime shared:1 … - cgroup source rw,cpu
/// ```
///
/// The mount shows the groups below `/root`, so ours must be one of them. It is
/// not if it is above what our cgroup namespace shows, and starts with `/..`,
/// unless the root does so as well.
fn find_mount<F: Files>(fields: &mut Fields<F>) -> Option<u32> {
    const V1: u64 = word(b"cgroup");
    const V2: u64 = word(b"cgroup2");
    let group = fields.kept;
    fields.open(b"/proc/self/mountinfo\0\0");
    fields.stop = b' ';
    loop {
        for _ in 0..4 {
            fields.field(); // the last of them is the root
        }
        let root = fields.end - group;
        let ours = fields.same == root && !fields.goes_up(root);
        fields.field();
        fields.kept = fields.end;
        // The kind is the third field from the end.
        let mut last = 0;
        let mut kind;
        loop {
            kind = last;
            last = fields.word;
            if fields.field() != b' ' {
                break;
            }
        }
        let hierarchy = if fields.v1 { V1 } else { V2 };
        if ours && kind == hierarchy && fields.has_cpu >= fields.v1 {
            return Some(root);
        }
        fields.kept = group;
        if fields.byte() == 0 {
            return None;
        }
    }
}

/// Reads the limit of the group whose directory is kept.
fn limit<F: Files>(fields: &mut Fields<F>) -> u64 {
    // Both numbers are in cpu.max.
    fields.open(if fields.v1 {
        b"cpu.cfs_quota_us\0\0"
    } else {
        b"cpu.max\0\0"
    });
    fields.stop = b' ';
    fields.field();
    let quota = fields.number;
    if fields.v1 {
        fields.open(b"cpu.cfs_period_us\0\0");
    }
    fields.stop = b'\n';
    fields.field();
    let period = fields.number;
    match NonZeroU64::new(period) {
        // Both from 1 to 2^63: the sign bit of what is one less is clear.
        Some(period) if (quota.wrapping_sub(1) | (period.get() - 1)) >> 63 == 0 => {
            quota.div_ceil(period.get())
        }
        _ => UNLIMITED,
    }
}
