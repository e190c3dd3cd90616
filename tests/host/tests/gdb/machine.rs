//! What `runtime.osinit` should find out, asked in other ways than it does.

use std::fs;

/// Counts the CPUs that this process may run on, by what the kernel says in
/// /proc: `0-3,8`.
pub(crate) fn cpus() -> Result<u64, String> {
    const FIELD: &str = "Cpus_allowed_list:";
    let text = fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("/proc/self/status: {error}"))?;
    let list = text
        .lines()
        .find_map(|line| line.strip_prefix(FIELD))
        .ok_or("no Cpus_allowed_list")?;
    let mut count = 0;
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => count += last - first + 1,
            _ => return Err(format!("Cpus_allowed_list: {list}")),
        }
    }
    Ok(count)
}

/// Reads the size of a transparent huge page; 0 where there are none.
pub(crate) fn huge_page_size() -> u64 {
    let text = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
    text.ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}
