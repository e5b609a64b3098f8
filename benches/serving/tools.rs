//! The tools that Postgres and Redis bring for measuring themselves.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use tempfile::NamedTempFile;

use crate::support::{outcome::Outcome, servers::Catalogue};

/// Runs a tool to its end; what it said.
fn output(command: &mut Command) -> Outcome<String> {
    let done = command.stdin(Stdio::null()).output()?;
    if !done.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// `redis-benchmark` over values of one size.
#[derive(Debug)]
pub(crate) struct RedisBenchmark {
    /// `unix:///path`, as the private Redis is reached.
    pub(crate) url: String,
    /// Bytes of a value.
    pub(crate) bytes: usize,
    /// Keys.
    pub(crate) keys: usize,
    /// Connections.
    pub(crate) connections: usize,
}

impl RedisBenchmark {
    /// Sets values, then gets such values: gets per second.
    pub(crate) fn gets_per_second(&self, requests: usize) -> Outcome<f64> {
        let run = |test: &str| {
            let mut command = Command::new("redis-benchmark");
            let socket = self.url.strip_prefix("unix://").ok_or("a Redis without a socket")?;
            command.args(["-s", socket, "-t", test, "--csv"]);
            for (option, value) in
                [("-d", self.bytes), ("-r", self.keys), ("-c", self.connections), ("-n", requests)]
            {
                command.arg(option).arg(value.to_string());
            }
            output(&mut command)
        };
        run("set")?;
        // "test","rps",… and a line for each test.
        let said = run("get")?;
        let line =
            said.lines().find(|line| line.starts_with("\"GET\"")).ok_or("redis-benchmark said nothing")?;
        let rate = line.split(',').nth(1).ok_or("redis-benchmark told no rate")?;
        Ok(rate.trim_matches('"').parse()?)
    }
}

/// A table of rows of one size, read by key with `pgbench -M prepared`.
#[derive(Debug)]
pub(crate) struct Pgbench {
    url: String,
    script: NamedTempFile,
}

impl Pgbench {
    /// Makes the table beside a catalogue: as many rows, of `bytes` each.
    pub(crate) fn new(catalogue: &Catalogue, rows: usize, bytes: usize) -> Outcome<Self> {
        use diesel::connection::SimpleConnection;
        let mut connection = catalogue.connect()?;
        connection.batch_execute(&format!(
            "CREATE SCHEMA bench; CREATE TABLE bench.body (id int PRIMARY KEY, body text STORAGE PLAIN NOT NULL); \
             INSERT INTO bench.body SELECT n, rpad(n::text, {bytes}, md5(n::text)) FROM generate_series(1, {rows}) n"
        ))?;
        connection.batch_execute("VACUUM ANALYZE bench.body")?;
        let mut script = NamedTempFile::new()?;
        writeln!(script, "\\set id random(1, {rows})\nSELECT body FROM bench.body WHERE id = :id;")?;
        script.flush()?;
        Ok(Self { url: catalogue.url.clone(), script })
    }

    /// Rows read per second.
    pub(crate) fn reads_per_second(&self, connections: usize, seconds: u64) -> Outcome<f64> {
        let mut command = Command::new("pgbench");
        command.args(["-n", "-M", "prepared", "-j", "1", "-c"]).arg(connections.to_string());
        command.arg("-T").arg(seconds.to_string()).arg("-f").arg(self.script.path()).arg(&self.url);
        let said = output(&mut command)?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = ")).ok_or("pgbench told no rate")?;
        Ok(line.split(' ').next().unwrap_or_default().parse()?)
    }
}
