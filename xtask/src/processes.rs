//! Ends a process with all that it has started, as /proc lists it.
//!
//! A process group would do that, too, but a terminal's Ctrl-C goes to one group alone,
//! and so does what ends us from outside: who starts tests shall be able to end them.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Kills a child of ours that has not been waited for, and its descendants, each one
/// before those that it has started: it starts no more of them then.
pub(crate) fn end(child: u32) {
    let children = children();
    let mut doomed = vec![child];
    let mut at = 0;
    while let Some(process) = doomed.get(at) {
        doomed.extend(children.get(process).into_iter().flatten());
        at += 1;
    }
    for process in doomed {
        let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::KILL); // it may have ended meanwhile
        }
    }
}

/// Lists the children of each process.
fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for number in numbers {
        if let Some(parent) = parent(number) {
            children.entry(parent).or_default().push(number);
        }
    }
    children
}

/// Reads `23 (a name) S 1 …`: the number behind the state is the parent's.
fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
