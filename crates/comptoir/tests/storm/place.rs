//! A store of its own for each storm, and copies of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Where a hub keeps its store.
pub enum Place {
    /// A file in the workspace.
    Sqlite,
    /// A database of its own.
    Postgres(Database),
}

/// A workspace's folder. It goes with its test, unless the test fails.
pub struct Folder(Option<tempfile::TempDir>);

/// A PostgreSQL database that goes with its test.
pub struct Database {
    /// The address of the server's own database, from which others are made.
    server: String,
    name: String,
    kept: bool,
}

/// The files of a SQLite store, in the order in which they may be copied while nobody writes.
const FILES: [&str; 3] = ["comptoir.db", "comptoir.db-wal", "comptoir.db-shm"];
/// How long PostgreSQL may take to notice that a killed process has gone.
const LET_GO: Duration = Duration::from_secs(30);

impl Folder {
    pub fn new() -> Self {
        Folder(Some(tempfile::tempdir().unwrap()))
    }

    pub fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }

    /// Keeps it, and says where it is.
    pub fn keep(mut self) -> PathBuf {
        self.0.take().unwrap().keep()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(folder) = self.0.take().filter(|_| std::thread::panicking()) {
            println!("the workspace is kept in {}", folder.keep().display());
        }
    }
}

impl Place {
    pub fn sqlite() -> Self {
        Place::Sqlite
    }

    pub fn postgres() -> Self {
        let server = std::env::var("COMPTOIR_TEST_POSTGRES")
            .expect("COMPTOIR_TEST_POSTGRES is not set: run scripts/test, or eval \"$(scripts/postgres-for-tests start)\" first");
        let database = Database {
            server,
            name: format!("storm_{:032x}", rand::random::<u128>()),
            kept: false,
        };
        database.make("template1", &database.name);
        Place::Postgres(database)
    }

    /// `store` in comptoir.toml.
    pub fn url(&self) -> String {
        match self {
            Place::Sqlite => "sqlite:comptoir.db".to_owned(),
            Place::Postgres(database) => database.address(),
        }
    }

    /// Keeps a database, and names it.
    pub fn keep(self) -> String {
        match self {
            Place::Sqlite => "its file".to_owned(),
            Place::Postgres(mut database) => {
                database.kept = true;
                database.name.clone()
            }
        }
    }

    /// Copies the store as it is, while no `serve` runs on it.
    pub fn copy(&self, workspace: &Path) {
        match self {
            Place::Sqlite => {
                let backup = workspace.join("backup");
                std::fs::create_dir_all(&backup).unwrap();
                carry(workspace, &backup);
            }
            Place::Postgres(database) => database.make(&database.name, &database.backup()),
        }
    }

    /// Puts the copy back in place of what there is now.
    pub fn put_back(&self, workspace: &Path) {
        match self {
            Place::Sqlite => carry(&workspace.join("backup"), workspace),
            Place::Postgres(database) => {
                database.drop(&database.name);
                database.make(&database.backup(), &database.name);
            }
        }
    }
}

fn carry(from: &Path, to: &Path) {
    for name in FILES {
        match std::fs::copy(from.join(name), to.join(name)) {
            Ok(_) => {}
            // The journal of a copy belongs to the copy: one of another time must not stay beside it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::remove_file(to.join(name)).ok();
            }
            Err(error) => panic!("{name} cannot be copied: {error}"),
        }
    }
}

impl Database {
    fn backup(&self) -> String {
        format!("{}_copy", self.name)
    }

    fn address(&self) -> String {
        let (address, settings) = match self.server.split_once('?') {
            Some((address, settings)) => (address, format!("?{settings}")),
            None => (self.server.as_str(), String::new()),
        };
        let host = address
            .rsplit_once('/')
            .filter(|(host, _)| host.contains("://") && !host.ends_with('/'))
            .map_or(address, |(host, _)| host);
        format!("{host}/{}{settings}", self.name)
    }

    /// Makes a database from another one, once nobody is connected to that one any more.
    fn make(&self, from: &str, name: &str) {
        let sql = format!("CREATE DATABASE {name} TEMPLATE {from}");
        let deadline = Instant::now() + LET_GO;
        while let Err(why) = self.say(&sql) {
            assert!(
                Instant::now() < deadline && why.contains("being accessed"),
                "the database cannot be made: {why}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn drop(&self, name: &str) {
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        if let Err(why) = self.say(&sql) {
            panic!("the database cannot be dropped: {why}");
        }
    }

    fn say(&self, sql: &str) -> Result<(), String> {
        let run = Command::new(psql())
            .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"])
            .args(["--dbname", &self.server, "--command", sql])
            .output()
            .expect("psql cannot be started");
        if run.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&run.stderr).into_owned())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.kept || std::thread::panicking() {
            println!("the database {} is kept", self.name);
            return;
        }
        for name in [self.name.clone(), self.backup()] {
            // A test that fails already must not end in a second panic.
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            self.say(&sql).ok();
        }
    }
}

/// PostgreSQL's own client, which comes with its server.
fn psql() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        .map(|folder| folder.join("psql"))
        .find(|program| program.is_file())
        .expect("psql is missing: install PostgreSQL's client (Debian: postgresql-client)")
}
