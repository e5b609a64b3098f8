//! The data folder: who holds it, where in it (or for it) the servers live, and how clients find their sockets.
//!
//! ```text
//! DATA/lock            locked while a process serves from here; holds its process id
//! DATA/services.env    addresses of the running servers, for other commands and for `psql`
//! DATA/location        only when the servers live elsewhere: that folder, the "home"
//! HOME/postgres/       the database cluster
//! HOME/run/            the sockets, unless the path is too long for a socket
//! HOME/*.log           what the servers say
//! ```

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read, Seek, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use super::{account::Account, error::EmbeddedError};

/// Longest socket folder: a socket address holds 104 bytes on macOS (108 on Linux), `/.s.PGSQL.5432` takes 14.
const SOCKET_FOLDER_BYTES_MAX: usize = 88;

/// Where servers live when they run as a user who cannot reach the data folder.
const SYSTEM_HOME: &str = "/var/lib/aisle";

/// Names tried for a socket folder in the temporary folder.
const SOCKET_FOLDER_TRIES: u32 = 100;

/// A locked data folder.
#[derive(Debug)]
pub(super) struct DataFolder {
    root: PathBuf,
    home: PathBuf,
    account: Account,
    /// Open for as long as the folder is ours; the kernel unlocks it when we end, however we end.
    locks: Vec<File>,
}

impl Drop for DataFolder {
    /// Unlocks by word: a process that another thread is just starting holds copies of our files until it runs.
    fn drop(&mut self) {
        for file in &self.locks {
            if let Err(error) = flock(file, FlockOperation::Unlock) {
                log::warn!("data folder not unlocked reason={error}");
            }
        }
    }
}

impl DataFolder {
    /// Makes the folder if needed, locks it, and decides where the servers live and who runs them.
    ///
    /// A scratch folder is given whole to the user who runs the servers, so that their guardian can remove it.
    pub(super) fn open(root: &Path, scratch: bool) -> Result<Self, EmbeddedError> {
        let root = make_root(root)?;
        let mut locks = vec![lock(&root)?];
        let located = read_location(&root)?;
        let mut home = located.clone().unwrap_or_else(|| root.clone());
        let account = Account::for_database(&home.join(DATABASE))?;
        if scratch {
            account.own(&home)?;
        }
        if !account.reaches(&home)? {
            if home.join(DATABASE).exists() || located.is_some() {
                return Err(EmbeddedError::Unreachable { folder: home, account: account.name });
            }
            home = settle_elsewhere(&root, &account)?;
        }
        if home != root {
            make_folder(&home, 0o755)?;
            // A copied data folder points to the same home: the lock that counts is there.
            locks.push(lock(&home)?);
        }
        Ok(Self { root, home, account, locks })
    }

    /// The user who runs the servers.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The folder the servers live in.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The database cluster, which may not exist yet.
    pub(super) fn database(&self) -> PathBuf {
        self.home.join(DATABASE)
    }

    /// A folder for sockets, private to the servers' user, with a path short and plain enough for every client.
    pub(super) fn sockets(&self) -> Result<PathBuf, EmbeddedError> {
        let inside = self.home.join("run");
        if is_socket_folder(&inside) {
            make_folder(&inside, 0o700)?;
            self.account.own(&inside)?;
            return Ok(inside);
        }
        self.sockets_elsewhere()
    }

    fn sockets_elsewhere(&self) -> Result<PathBuf, EmbeddedError> {
        for parent in [std::env::temp_dir(), PathBuf::from("/tmp")] {
            if !is_socket_folder(&parent.join("aisle-0123456789abcdef-99"))
                || !self.account.reaches(&parent)?
            {
                continue;
            }
            for number in 0..SOCKET_FOLDER_TRIES {
                let folder = parent.join(format!("aisle-{}-{number}", fingerprint(&self.home)));
                if take_private(&folder, &self.account)? {
                    return Ok(folder);
                }
            }
        }
        let doing = format!("make a short socket folder for {}", self.home.display());
        Err(EmbeddedError::Io { doing, source: io::Error::from(io::ErrorKind::InvalidFilename) })
    }

    /// Leaves the servers' addresses for other commands.
    pub(super) fn announce(&self, addresses: &Addresses) -> Result<(), EmbeddedError> {
        let path = self.root.join(ADDRESSES);
        let write = |text: &str| {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())
        };
        write(&addresses.to_text()).map_err(EmbeddedError::io(format!("write {}", path.display())))
    }

    /// Takes the addresses back.
    pub(super) fn withdraw(&self) {
        if let Err(error) = fs::remove_file(self.root.join(ADDRESSES)) {
            log::debug!("no addresses to withdraw: {error}");
        }
    }
}

const DATABASE: &str = "postgres";
const ADDRESSES: &str = "services.env";
const LOCATION: &str = "location";

/// How to reach running servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Postgres, as libpq takes it.
    pub database_url: String,
    /// Redis, if there is one.
    pub redis_url: Option<String>,
}

impl Addresses {
    fn to_text(&self) -> String {
        let redis = self.redis_url.as_ref().map(|url| format!("REDIS_URL='{url}'\n")).unwrap_or_default();
        format!("DATABASE_URL='{}'\n{redis}", self.database_url)
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let value = line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\'')?;
                Some(value.to_owned())
            })
        };
        Some(Self { database_url: value("DATABASE_URL")?, redis_url: value("REDIS_URL") })
    }
}

/// The servers another process runs from this data folder, if one does and they are up.
pub(super) fn addresses_of_running(root: &Path) -> Option<Addresses> {
    let held = File::open(root.join("lock")).ok()?;
    if flock(&held, FlockOperation::NonBlockingLockShared).is_ok() {
        return None;
    }
    Addresses::parse(&fs::read_to_string(root.join(ADDRESSES)).ok()?)
}

fn make_root(root: &Path) -> Result<PathBuf, EmbeddedError> {
    if !root.exists() {
        DirBuilder::new()
            .recursive(true)
            .create(root)
            .and_then(|()| fs::set_permissions(root, Permissions::from_mode(0o755)))
            .map_err(EmbeddedError::io(format!("make {}", root.display())))?;
    }
    root.canonicalize().map_err(EmbeddedError::io(format!("find {}", root.display())))
}

fn lock(folder: &Path) -> Result<File, EmbeddedError> {
    let path = folder.join("lock");
    let doing = || format!("lock {}", path.display());
    let mut options = File::options();
    let opened = options.read(true).write(true).create(true).truncate(false).mode(0o644).open(&path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let owner = fs::metadata(folder).map(|found| found.uid()).unwrap_or_default();
            return Err(EmbeddedError::Foreign { folder: folder.to_owned(), owner });
        }
        other => other.map_err(EmbeddedError::io(doing()))?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(EmbeddedError::io(doing()))?;
            return Err(EmbeddedError::InUse {
                folder: folder.to_owned(),
                holder: holder.trim().parse().ok(),
            });
        }
        Err(error) => return Err(EmbeddedError::Io { doing: doing(), source: error.into() }),
    }
    let mut write = || {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write().map_err(EmbeddedError::io(doing()))?;
    Ok(file)
}

fn read_location(root: &Path) -> Result<Option<PathBuf>, EmbeddedError> {
    let path = root.join(LOCATION);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(PathBuf::from(text.trim_end_matches('\n')))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EmbeddedError::Io { doing: format!("read {}", path.display()), source }),
    }
}

/// Chooses a home the servers' user can reach and leaves the pointer to it.
fn settle_elsewhere(root: &Path, account: &Account) -> Result<PathBuf, EmbeddedError> {
    let home = Path::new(SYSTEM_HOME).join(fingerprint(root));
    make_folder(Path::new(SYSTEM_HOME), 0o755)?;
    make_folder(&home, 0o755)?;
    if !account.reaches(&home)? {
        return Err(EmbeddedError::Unreachable { folder: home, account: account.name.clone() });
    }
    let pointer = root.join(LOCATION);
    fs::write(&pointer, format!("{}\n", home.display()))
        .map_err(EmbeddedError::io(format!("write {}", pointer.display())))?;
    log::info!(
        "user {} cannot reach {}, so the database lives in {}",
        account.name,
        root.display(),
        home.display()
    );
    Ok(home)
}

fn make_folder(folder: &Path, mode: u32) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(EmbeddedError::Io { doing: format!("make {}", folder.display()), source: error })
        }
        _ => fs::set_permissions(folder, Permissions::from_mode(mode))
            .map_err(EmbeddedError::io(format!("set permissions of {}", folder.display()))),
    }
}

/// Makes the folder, or finds it made by us before; false if it is somebody else's.
fn take_private(folder: &Path, account: &Account) -> Result<bool, EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => account.own(folder).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(fs::symlink_metadata(folder)
            .is_ok_and(|found| {
                found.is_dir() && found.uid() == account.uid() && found.mode() & 0o777 == 0o700
            })),
        Err(source) => Err(EmbeddedError::Io { doing: format!("make {}", folder.display()), source }),
    }
}

/// Short enough for a socket address, and without characters that a URL, a list or a configuration would misread.
fn is_socket_folder(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    bytes.len() <= SOCKET_FOLDER_BYTES_MAX && bytes.iter().all(plain)
}

/// 16 hexadecimal digits that stand for a path.
fn fingerprint(path: &Path) -> String {
    let hash: [u8; 32] = Sha256::digest(path.as_os_str().as_bytes()).into();
    let [first, second, third, fourth, fifth, sixth, seventh, eighth, ..] = hash;
    format!("{:016x}", u64::from_be_bytes([first, second, third, fourth, fifth, sixth, seventh, eighth]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_their_file() {
        let both =
            Addresses { database_url: "postgres:///a?b=c".into(), redis_url: Some("unix:///r".into()) };
        assert_eq!(Addresses::parse(&both.to_text()), Some(both));
        let one = Addresses { database_url: "postgres:///a".into(), redis_url: None };
        assert_eq!(Addresses::parse(&one.to_text()), Some(one));
        assert_eq!(Addresses::parse(""), None);
    }

    #[test]
    fn sockets_live_only_in_short_plain_folders() {
        assert!(is_socket_folder(Path::new("/srv/aisle-data/run")));
        assert!(!is_socket_folder(Path::new("/srv/my data/run")));
        assert!(!is_socket_folder(Path::new("/srv/a,b/run")));
        assert!(!is_socket_folder(&Path::new("/srv").join("x".repeat(90))));
    }

    #[test]
    fn a_locked_folder_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        let refused = lock(folder.path()).unwrap_err();
        assert!(
            matches!(refused, EmbeddedError::InUse { holder: Some(pid), .. } if pid == std::process::id()),
            "{refused}"
        );
        drop(held);
        lock(folder.path()).unwrap();
    }
}
