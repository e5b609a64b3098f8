//! Processor time of processes.

use std::{collections::HashSet, fs, time::Duration};

use super::outcome::Outcome;

/// Time that all threads of a process have spent on a core, user and kernel.
pub(crate) fn cpu(pid: u32) -> Outcome<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
        total += Duration::from_nanos(nanoseconds);
    }
    Ok(total)
}

/// The same of a process and all that descend from it.
pub(crate) fn cpu_of_tree(pid: u32) -> Outcome<Duration> {
    tree(pid)?.into_iter().map(cpu).sum()
}

/// Most memory that a process has had at once, in kilobytes.
pub(crate) fn peak_kilobytes(pid: u32) -> Outcome<u64> {
    kilobytes(pid, "VmHWM:")
}

/// Memory that a process has now, in kilobytes.
pub(crate) fn resident_kilobytes(pid: u32) -> Outcome<u64> {
    kilobytes(pid, "VmRSS:")
}

fn kilobytes(pid: u32, name: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()).ok_or("a status without memory")?;
    Ok(number.parse()?)
}

/// A process and its descendants.
fn tree(pid: u32) -> Outcome<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Processes end while they are looked at.
        let Ok(stat) = fs::read_to_string(format!("/proc/{number}/stat")) else { continue };
        // The name, in brackets, may hold anything.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let parent = after.split_whitespace().nth(1).and_then(|text| text.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (number, parent)));
    }
    let mut known = HashSet::from([pid]);
    loop {
        let found: Vec<u32> = parents
            .iter()
            .filter(|(number, parent)| known.contains(parent) && !known.contains(number))
            .map(|(number, _)| *number)
            .collect();
        if found.is_empty() {
            return Ok(known.into_iter().collect());
        }
        known.extend(found);
    }
}
