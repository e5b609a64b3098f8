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

/// A script that `pgbench -M prepared` runs over and over.
#[derive(Debug)]
pub(crate) struct Pgbench {
    url: String,
    script: NamedTempFile,
}

impl Pgbench {
    /// Reads by key from a table of as many rows, of `bytes` each, made beside a catalogue.
    pub(crate) fn reads(catalogue: &Catalogue, rows: usize, bytes: usize) -> Outcome<Self> {
        use diesel::connection::SimpleConnection;
        let mut connection = catalogue.connect()?;
        connection.batch_execute(&format!(
            "CREATE SCHEMA bench; CREATE TABLE bench.body (id int PRIMARY KEY, body text NOT NULL); \
             ALTER TABLE bench.body ALTER body SET STORAGE PLAIN; INSERT INTO bench.body SELECT n, rpad(n::text, {bytes}, md5(n::text)) FROM generate_series(1, {rows}) n"
        ))?;
        connection.batch_execute("VACUUM ANALYZE bench.body")?;
        let script = format!("\\set id random(1, {rows})\nSELECT body FROM bench.body WHERE id = :id;\n");
        Self::running(catalogue, &script)
    }

    /// Edits titles of the catalogue's products, each client those of its own: the statement and what its triggers do.
    pub(crate) fn edits(catalogue: &Catalogue, clients: usize) -> Outcome<Self> {
        use diesel::connection::SimpleConnection;
        let mut connection = catalogue.connect()?;
        connection.batch_execute(
            "CREATE SCHEMA bench; CREATE TABLE bench.place (n int PRIMARY KEY, id uuid NOT NULL); \
             INSERT INTO bench.place SELECT row_number() OVER (ORDER BY id), id FROM product",
        )?;
        connection.batch_execute("VACUUM ANALYZE bench.place")?;
        Self::running(catalogue, &format!("BEGIN;\n{}COMMIT;\n", Self::edit(catalogue, clients)))
    }

    /// The part of a script that edits one product, of those that [`Self::edits`] has counted.
    pub(crate) fn edit(catalogue: &Catalogue, clients: usize) -> String {
        let own = catalogue.products.len() / clients.max(1);
        format!(
            "\\set n :client_id * {own} + random(1, {own})\n\\set title random(1, 1000000000)\n\
             UPDATE product SET title = 'Edit ' || :title WHERE id = (SELECT id FROM bench.place WHERE n = :n);\n"
        )
    }

    /// Runs this script.
    pub(crate) fn running(catalogue: &Catalogue, text: &str) -> Outcome<Self> {
        let mut script = NamedTempFile::new()?;
        script.write_all(text.as_bytes())?;
        script.flush()?;
        Ok(Self { url: catalogue.url.clone(), script })
    }

    /// Times per second that the script was run.
    pub(crate) fn per_second(&self, connections: usize, seconds: u64) -> Outcome<f64> {
        let mut command = Command::new("pgbench");
        command.args(["-n", "-M", "prepared", "-j", "1", "-c"]).arg(connections.to_string());
        command.arg("-T").arg(seconds.to_string()).arg("-f").arg(self.script.path()).arg(&self.url);
        let said = output(&mut command)?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = ")).ok_or("pgbench told no rate")?;
        Ok(line.split(' ').next().unwrap_or_default().parse()?)
    }
}
