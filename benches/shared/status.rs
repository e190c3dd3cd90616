//! Reads what `/proc/self/status` says.

/// Returns the bytes that a line of the form `VmRSS:    1234 kB` tells.
pub(crate) fn bytes(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let kibibytes: u64 = number
        .and_then(|number| number.parse().ok())
        .expect("a kernel that accounts for it");
    kibibytes * 1024
}
