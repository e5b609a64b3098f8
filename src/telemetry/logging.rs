//! Log lines: UTC time, level, module and message, on standard error.
//!
//! Messages are lowercase without a full stop and carry `key=value` pairs. There is no line per request: rendering one costs more
//! than answering from the cache (the access log is a setting).

use std::io::{self, Write};

use env_logger::{Builder, Env, fmt::Formatter};
use log::Record;

/// Starts logging with the filter of `RUST_LOG`, or `default_filter` when it is unset. A second call changes nothing.
pub fn init(default_filter: &str) {
    let mut builder = Builder::from_env(Env::default().default_filter_or(default_filter));
    if builder.format(write_line).try_init().is_err() {
        log::debug!("logging is already set up");
    }
}

fn write_line(to: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = to.timestamp_millis();
    let level = record.level();
    let style = to.default_level_style(level);
    writeln!(to, "{time} {style}{level:<5}{style:#} {} {}", record.target(), record.args())
}
