//! Where the installed server programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::error::EmbeddedError;

/// Oldest PostgreSQL whose features the schema uses.
const POSTGRES_MAJOR_MIN: u32 = 14;

/// Folders whose subfolders are PostgreSQL installations, each with what leads from there to the programs.
const POSTGRES_FAMILIES: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
];

/// Folders of programs that are often missing in PATH.
const USUAL: [&str; 8] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/sbin",
    "/usr/local/sbin",
    "/home/linuxbrew/.linuxbrew/bin",
];

/// An installed PostgreSQL server.
#[derive(Debug, Clone)]
pub(super) struct PostgresPrograms {
    /// Major version.
    pub(super) major: u32,
    /// The server.
    pub(super) postgres: PathBuf,
    /// Makes a database cluster.
    pub(super) initdb: PathBuf,
}

/// Finds PostgreSQL: of the wanted major version if one is named (data that exists needs it), else the newest.
pub(super) fn find_postgres(wanted: Option<u32>, data: &Path) -> Result<PostgresPrograms, EmbeddedError> {
    let mut found: Vec<PostgresPrograms> = Vec::new();
    for folder in postgres_folders() {
        let (postgres, initdb) = (folder.join("postgres"), folder.join("initdb"));
        let (Ok(postgres), true) = (postgres.canonicalize(), initdb.is_file()) else { continue };
        if found.iter().any(|known| known.postgres == postgres) {
            continue;
        }
        if let Some(major) = major_version(&postgres) {
            let initdb = postgres.with_file_name("initdb");
            found.push(PostgresPrograms { major, postgres, initdb });
        }
    }
    let newest = found.iter().map(|programs| programs.major).max().ok_or(EmbeddedError::Missing {
        program: "postgres",
        packages: "postgresql (Debian, Ubuntu, brew) or postgresql-server (Fedora)",
        variable: "DATABASE_URL",
    })?;
    if newest < POSTGRES_MAJOR_MIN {
        return Err(EmbeddedError::TooOld { found: newest, needed: POSTGRES_MAJOR_MIN });
    }
    let major = wanted.unwrap_or(newest);
    found.into_iter().find(|programs| programs.major == major).ok_or_else(|| EmbeddedError::OtherVersion {
        folder: data.to_owned(),
        made_by: major,
        found: newest,
    })
}

/// Finds the Redis server, or Valkey, which speaks the same.
pub(super) fn find_redis() -> Option<PathBuf> {
    ["redis-server", "valkey-server"].iter().find_map(|name| {
        search_path().into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
    })
}

fn search_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(USUAL.iter().map(PathBuf::from)).collect()
}

fn postgres_folders() -> Vec<PathBuf> {
    let mut folders = search_path();
    for (family, leads) in POSTGRES_FAMILIES {
        let Ok(entries) = fs::read_dir(family) else { continue };
        folders.extend(entries.flatten().filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let fits = name.starts_with("postgresql") || name.starts_with("pgsql-") || is_number(&name);
            fits.then(|| entry.path().join(leads))
        }));
    }
    folders
}

fn is_number(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_digit())
}

fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in e.g. `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` or `… 18beta1`.
fn parse_version(said: &str) -> Option<u32> {
    let number = said.split_once("(PostgreSQL)")?.1.trim_start();
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("postgres (PostgreSQL) 17"), Some(17));
        assert_eq!(parse_version("something else"), None);
    }
}
