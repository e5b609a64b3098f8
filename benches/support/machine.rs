//! What the figures were measured on.

use std::fs;

use super::outcome::Outcome;

/// Date, processor and load, for the head of the output.
pub(crate) fn describe() -> Outcome<String> {
    let cores = std::thread::available_parallelism()?;
    let model = fs::read_to_string("/proc/cpuinfo")?
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    Ok(format!("{} · {cores} cores, {model} · load {}", now(), load()?))
}

/// The time.
pub(crate) fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The machine's load over the last minute: above 1 at the start, others measure along.
pub(crate) fn load() -> Outcome<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}
