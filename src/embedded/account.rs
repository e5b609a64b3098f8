//! Who runs the servers: ourselves, or, since Postgres refuses root, an unprivileged user.

use std::{
    env, fs, io,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use super::error::EmbeddedError;

/// Users to step down to, best first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Variables a server may inherit; the rest (secrets, `PG*`) is no business of theirs.
const INHERITED: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// The user the servers run as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Its name, for messages.
    pub(super) name: String,
    /// User and group to switch to; `None`: no switch.
    switch: Option<(u32, u32)>,
}

impl Account {
    /// The user for a database folder that may exist: ourselves; as root, the folder's owner or an unprivileged user.
    pub(super) fn for_database(folder: &Path) -> Result<Self, EmbeddedError> {
        let me = rustix::process::geteuid().as_raw();
        let owner = fs::metadata(folder).ok().map(|found| (found.uid(), found.gid()));
        match (me, owner) {
            (0, Some((uid, gid))) if uid != 0 => {
                Ok(Self { name: format!("with id {uid}"), switch: Some((uid, gid)) })
            }
            (0, _) => Self::unprivileged(),
            (me, Some((uid, _))) if uid != me => {
                Err(EmbeddedError::Foreign { folder: folder.to_owned(), owner: uid })
            }
            _ => Ok(Self { name: format!("with id {me}"), switch: None }),
        }
    }

    fn unprivileged() -> Result<Self, EmbeddedError> {
        let users = fs::read_to_string("/etc/passwd").map_err(EmbeddedError::io("read /etc/passwd"))?;
        UNPRIVILEGED
            .iter()
            .find_map(|name| {
                find_user(&users, name).map(|ids| Self { name: (*name).to_owned(), switch: Some(ids) })
            })
            .ok_or(EmbeddedError::NoAccount)
    }

    /// Whether the servers run as another user than this process.
    pub(super) fn is_switched(&self) -> bool {
        self.switch.is_some()
    }

    /// The user id the servers run under.
    pub(super) fn uid(&self) -> u32 {
        self.switch.map_or_else(|| rustix::process::geteuid().as_raw(), |(uid, _)| uid)
    }

    /// A command of this user with a clean environment, nothing on standard input, in no folder it might not enter.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        command.envs(INHERITED.iter().filter_map(|name| env::var_os(name).map(|value| (name, value))));
        if let Some((uid, gid)) = self.switch {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self.switch {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)).map_err(EmbeddedError::io(format!(
                "give {} to user {}",
                path.display(),
                self.name
            ))),
            None => Ok(()),
        }
    }

    /// Whether this user can enter a folder; tried, since permission bits are not the whole truth.
    pub(super) fn reaches(&self, folder: &Path) -> Result<bool, EmbeddedError> {
        if !self.is_switched() {
            return Ok(true);
        }
        let mut shell = self.command(Path::new("/bin/sh"));
        shell.args(["-c", "cd -- \"$1\"", "sh"]).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        let status: io::Result<_> = shell.status();
        Ok(status.map_err(EmbeddedError::io(format!("run a shell as user {}", self.name)))?.success())
    }
}

/// User and group id of a name in the text of `/etc/passwd`.
fn find_user(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/:/bin/sh\n";
        assert_eq!(find_user(users, "postgres"), Some((101, 104)));
        assert_eq!(find_user(users, "nobody"), None);
        assert_eq!(find_user("postgres:x:broken", "postgres"), None);
    }
}
