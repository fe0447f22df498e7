//! Opening a store: its address, its one `serve`, its tables, and the settings that make it durable.

use crate::db::{Db, Tx, Writer};
use crate::error::{StoreError, damaged};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor as _, SqliteConnection};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The schema this program knows.
const SCHEMA: i64 = MIGRATIONS.len() as i64;
const MIGRATIONS: [&str; 3] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_stock.sql"),
    include_str!("../migrations/0004_console.sql"),
];
/// The advisory lock of PostgreSQL under which tables are made.
const OPENING: i64 = 4_242_424_242;
/// What the writing connection keeps in memory, in KiB as SQLite takes it: the pages that one transaction of an owner changes.
const CACHE: &str = "-8192";
/// After how many pages of 4 KiB the log is carried over into the file. A page that many transactions change is carried over once; at
/// SQLite's own thousand that would be done every sixty orders, and the next webhooks wait for it.
const CHECKPOINT: &str = "8192";
/// How long a statement waits for another process's transaction.
const WAIT: Duration = Duration::from_secs(30);
/// Prepared statements kept per connection: every statement of this crate, in each size of its many-row forms.
const STATEMENTS: usize = 256;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
}

impl StoreUrl {
    /// A SQLite file.
    pub fn sqlite(path: impl AsRef<Path>) -> Self {
        StoreUrl::Sqlite(path.as_ref().to_owned())
    }

    /// Reads `sqlite:FILE` or `postgres://…`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let path = text.strip_prefix("sqlite:");
        if let Some(path) = path.map(|path| path.strip_prefix("//").unwrap_or(path))
            && !path.is_empty()
        {
            return Ok(StoreUrl::sqlite(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(StoreUrl::Postgres(text.to_owned()));
        }
        Err(StoreError::Address(
            text.split("://").next().unwrap_or_default().to_owned(),
        ))
    }
}

impl fmt::Debug for StoreUrl {
    /// Without the address of a PostgreSQL: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            StoreUrl::Postgres(_) => f.write_str("postgres://•••"),
        }
    }
}

/// Who serves a store.
#[derive(Debug, Clone)]
pub struct ServeName {
    /// What it calls itself.
    pub name: String,
    /// Its process.
    pub pid: u32,
}

impl ServeName {
    /// This process.
    pub fn this_process(name: &str) -> Self {
        ServeName {
            name: name.to_owned(),
            pid: std::process::id(),
        }
    }
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Claims a SQLite file for one `serve`.
    pub serve: Option<ServeName>,
    /// Pages of a SQLite file at most; for tests of a full disk.
    pub max_page_count: Option<u32>,
    /// How long documents are kept after their record is done, in milliseconds.
    pub retention_ms: i64,
    /// PostgreSQL schema, for tests side by side.
    pub schema: Option<String>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            serve: None,
            max_page_count: None,
            retention_ms: 90 * 86_400_000,
            schema: None,
        }
    }
}

/// An open store. Clones share it.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) retention_ms: i64,
    /// Where hints are: beside everything else on PostgreSQL; on SQLite in a file of their own, so that a webhook that must be
    /// durable before it is answered never waits for the writer of the other file. A hint is no truth: one that is lost is found by
    /// polling, one that is left over is read once more. So the two files need no common transaction, and a copy of the main file
    /// is a copy of everything.
    pub(crate) hints: Db,
    pub(crate) inbox: crate::inbox::Inbox,
    _claim: Option<Arc<File>>,
}

impl Store {
    /// Opens a store, and makes or brings up its tables.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another `serve` has the SQLite file; [`StoreError::Newer`] when a newer Comptoir wrote it.
    pub async fn open(url: &StoreUrl, options: StoreOptions) -> Result<Self, StoreError> {
        let mut claim = None;
        let db = match url {
            StoreUrl::Sqlite(path) => {
                if let Some(serve) = &options.serve {
                    claim = Some(Arc::new(claim_file(path, serve)?));
                }
                open_sqlite(path, &options).await?
            }
            StoreUrl::Postgres(address) => open_postgres(address, &options).await?,
        };
        migrate(&db).await?;
        let hints = match url {
            StoreUrl::Sqlite(path) => open_hints(path, &options).await?,
            StoreUrl::Postgres(_) => db.clone(),
        };
        Ok(Store {
            inbox: crate::inbox::Inbox::start(hints.clone()),
            hints,
            db,
            retention_ms: options.retention_ms,
            _claim: claim,
        })
    }

    /// The database's clock, in unix milliseconds.
    pub async fn now(&self) -> Result<i64, StoreError> {
        self.db.now().await
    }

    /// A key that is this store's own, made at its first opening: for keyed hashes of personal identifiers.
    pub async fn site_key(&self) -> Result<[u8; 32], StoreError> {
        if self.meta("site_key").await?.is_none() {
            let fresh: [u8; 32] = rand::random();
            let sql = "INSERT INTO meta (name, value) VALUES ('site_key', $1) ON CONFLICT (name) DO NOTHING";
            self.db.run(sql, vec![fresh.to_vec().into()]).await?;
        }
        let kept = self.meta("site_key").await?.unwrap_or_default();
        kept.try_into().map_err(|_| damaged("the site key"))
    }

    /// How what is committed is made durable, by the settings that the writing connection really has.
    pub async fn durability(&self) -> Result<String, StoreError> {
        let names: &[&str] = match &self.db {
            Db::Sqlite { .. } => &["journal_mode", "synchronous"],
            Db::Postgres(_) => &["synchronous_commit"],
        };
        let mut tx = self.db.begin().await?;
        let mut settings = Vec::new();
        for name in names {
            let sql = match &tx {
                Tx::Sqlite(_) => format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"),
                Tx::Postgres(_) => format!("SELECT current_setting('{name}')"),
            };
            let rows = tx.ask(&sql, Vec::new()).await?;
            let value = rows
                .first()
                .map_or(Ok(String::new()), |row| row.string(0))?;
            settings.push(format!("{name}={value}"));
        }
        Ok(settings.join(" "))
    }

    /// Whether it is a SQLite file: one `serve` at a time, by its claim.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.db, Db::Sqlite { .. })
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.db.close().await;
        if self.is_sqlite() {
            self.hints.close().await;
        }
    }

    pub(crate) async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM meta WHERE name = $1";
        let rows = self.db.ask(sql, vec![name.into()]).await?;
        rows.first().map_or(Ok(None), |row| row.blob(0))
    }
}

/// Makes or brings up the tables. Two processes that start at once must not both do it.
async fn migrate(db: &Db) -> Result<(), StoreError> {
    let blob = |sql: &str| match db {
        Db::Sqlite { .. } => sql.to_owned(),
        Db::Postgres(_) => sql.replace("BLOB", "BYTEA"),
    };
    let mut tx = db.begin().await?;
    if let Tx::Postgres(_) = &tx {
        let sql = "SELECT pg_advisory_xact_lock($1)";
        tx.run(sql, vec![OPENING.into()]).await?;
    }
    let meta = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB)";
    tx.run(&blob(meta), Vec::new()).await?;
    let sql = "SELECT value FROM meta WHERE name = 'schema'";
    let rows = tx.ask(sql, Vec::new()).await?;
    let found: i64 = match rows.first() {
        Some(row) => String::from_utf8(row.blob(0)?.unwrap_or_default())
            .map_err(damaged)?
            .parse()
            .map_err(damaged)?,
        None => 0,
    };
    if found > SCHEMA {
        return Err(StoreError::Newer {
            found,
            known: SCHEMA,
        });
    }
    for migration in &MIGRATIONS[usize::try_from(found).map_err(damaged)?..] {
        let sql = blob(&without_comments(migration));
        for statement in sql.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
            // On SQLite it is in a file of its own.
            let elsewhere = matches!(tx, Tx::Sqlite(_)) && is_of_hints(statement);
            if !elsewhere {
                tx.run(statement, Vec::new()).await?;
            }
        }
    }
    if found < SCHEMA {
        let sql = "INSERT INTO meta (name, value) VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let schema = SCHEMA.to_string().into_bytes();
        tx.run(sql, vec![schema.into()]).await?;
    }
    tx.commit().await
}

/// Whether a statement makes the table of hints or an index of it.
fn is_of_hints(statement: &str) -> bool {
    statement.starts_with("CREATE TABLE hint ") || statement.contains(" ON hint ")
}

fn without_comments(sql: &str) -> String {
    sql.lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Claims a SQLite file for one `serve` by a locked file beside it. The operating system gives it back when the process ends.
fn claim_file(path: &Path, serve: &ServeName) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".serve");
    let broken = |error: std::io::Error| StoreError::from(sqlx::Error::Io(error));
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(PathBuf::from(name))
        .map_err(broken)?;
    if let Err(refused) = file.try_lock() {
        if let TryLockError::Error(error) = refused {
            return Err(broken(error));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(broken)?;
        let (pid, name) = text.split_once(' ').unwrap_or(("0", "another process"));
        return Err(StoreError::Busy {
            name: name.trim().to_owned(),
            pid: pid.parse().unwrap_or_default(),
        });
    }
    file.set_len(0).map_err(broken)?;
    file.seek(SeekFrom::Start(0)).map_err(broken)?;
    writeln!(file, "{} {}", serve.pid, serve.name).map_err(broken)?;
    Ok(file)
}

async fn open_sqlite(path: &Path, options: &StoreOptions) -> Result<Db, StoreError> {
    make_private(path)?;
    let mut connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was acknowledged survives power loss. Many rows per transaction pay for it.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(WAIT)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    if let Some(pages) = options.max_page_count {
        connect = connect.pragma("max_page_count", pages.to_string());
    }
    let writing = connect
        .clone()
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT);
    let connection = first_connection(&writing).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        // A file does not hang up: its connections need no test, and keep their prepared statements.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(connect.read_only(true).create_if_missing(false))
        .await?;
    Ok(Db::Sqlite {
        write: Arc::new(Mutex::new(Writer::new(connection))),
        read,
    })
}

/// The first connection to a file. Where another process makes the file at this moment, or puts it away as the last one to close it,
/// SQLite says `SQLITE_BUSY` (5) at once, whatever the busy timeout: switching to WAL needs the file alone.
async fn first_connection(connect: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let deadline = Instant::now() + WAIT;
    loop {
        let error = match SqliteConnection::connect_with(connect).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let code = error.as_database_error().and_then(|error| error.code());
        if code.is_none_or(|code| code != "5") || Instant::now() >= deadline {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The file of hints beside a SQLite file.
async fn open_hints(path: &Path, options: &StoreOptions) -> Result<Db, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-hints");
    let hints = open_sqlite(Path::new(&name), options).await?;
    let all = without_comments(MIGRATIONS[0]);
    for sql in all.split(';').map(str::trim).filter(|sql| is_of_hints(sql)) {
        let sql = sql.replacen("TABLE", "TABLE IF NOT EXISTS", 1);
        let sql = sql.replacen("INDEX", "INDEX IF NOT EXISTS", 1);
        hints.run(&sql, Vec::new()).await?;
    }
    Ok(hints)
}

/// Makes a new file that only its owner may read: there will be personal data in it. SQLite gives its other files the same rights.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::from(sqlx::Error::Io(error))),
    }
}

/// What every PostgreSQL session is set to: durable even where the server's default is not, and never in another process's way for
/// long, should this one stop in the middle of a transaction.
const SESSION: &str = "SELECT set_config('lock_timeout', '30s', false), set_config('idle_in_transaction_session_timeout', '60s', false), \
     set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' \
     ELSE current_setting('synchronous_commit') END, false)";

async fn open_postgres(address: &str, options: &StoreOptions) -> Result<Db, StoreError> {
    let mut connect: PgConnectOptions = address.parse()?;
    connect = connect
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    if let Some(schema) = &options.schema {
        let schema = schema.replace('"', "");
        let mut connection = sqlx::PgConnection::connect_with(&connect).await?;
        // Not even `IF NOT EXISTS` lets two make it at once. The lock ends with the connection.
        let lock = format!("SELECT pg_advisory_lock({OPENING})");
        connection.execute(AssertSqlSafe(lock)).await?;
        let sql = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"");
        connection.execute(AssertSqlSafe(sql)).await?;
        connection.close().await?;
        connect = connect.options([("search_path", schema)]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(WAIT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query(SESSION).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(connect)
        .await?;
    Ok(Db::Postgres(pool))
}
