//! The two databases behind one face: one SQL text with `$1` parameters, values and rows of our own.

use crate::error::{StoreError, damaged};
use sqlx::postgres::{PgArguments, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Either, PgPool, Postgres, Row as _,
    SqliteConnection, SqlitePool,
};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The schema this program knows.
const SCHEMA: i64 = 1;
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_first.sql")];

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        if let Some(path) = text.strip_prefix("sqlite:") {
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
    pub(crate) inbox: crate::inbox::Inbox,
    _claim: Option<Arc<File>>,
}

#[derive(Clone)]
pub(crate) enum Db {
    Sqlite {
        write: Arc<Mutex<Writer>>,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// The one connection that writes to a SQLite file. `open` tells that a transaction was left half-way by a dropped future.
pub(crate) struct Writer {
    connection: SqliteConnection,
    open: bool,
}

/// A value on its way into a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(Some(value))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Value::Int(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Value::Text(value)
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Value::Blob(Some(value))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Value::Blob(value)
    }
}
impl From<comptoir_model::document::Digest> for Value {
    fn from(value: comptoir_model::document::Digest) -> Self {
        Value::Blob(Some(value.as_bytes().to_vec()))
    }
}
impl From<Option<comptoir_model::document::Digest>> for Value {
    fn from(value: Option<comptoir_model::document::Digest>) -> Self {
        Value::Blob(value.map(|digest| digest.as_bytes().to_vec()))
    }
}

/// A row that came out.
pub(crate) struct Row(Either<SqliteRow, PgRow>);

impl Row {
    pub(crate) fn int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        Ok(match &self.0 {
            Either::Left(row) => row.try_get(index)?,
            Either::Right(row) => row.try_get(index)?,
        })
    }

    pub(crate) fn number(&self, index: usize) -> Result<i64, StoreError> {
        Ok(self.int(index)?.unwrap_or_default())
    }

    pub(crate) fn text(&self, index: usize) -> Result<Option<String>, StoreError> {
        Ok(match &self.0 {
            Either::Left(row) => row.try_get(index)?,
            Either::Right(row) => row.try_get(index)?,
        })
    }

    pub(crate) fn string(&self, index: usize) -> Result<String, StoreError> {
        Ok(self.text(index)?.unwrap_or_default())
    }

    pub(crate) fn blob(&self, index: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(match &self.0 {
            Either::Left(row) => row.try_get(index)?,
            Either::Right(row) => row.try_get(index)?,
        })
    }

    pub(crate) fn digest(
        &self,
        index: usize,
    ) -> Result<Option<comptoir_model::document::Digest>, StoreError> {
        let Some(bytes) = self.blob(index)? else {
            return Ok(None);
        };
        let digest = comptoir_model::document::Digest::from_bytes(&bytes);
        digest
            .map(Some)
            .ok_or_else(|| damaged("a digest of the wrong length"))
    }

    pub(crate) fn parsed<T: std::str::FromStr>(&self, index: usize) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        self.string(index)?.parse().map_err(damaged)
    }
}

fn sqlite_arguments(values: Vec<Value>) -> Result<SqliteArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Blob(value) => arguments.add(value),
        };
        added.map_err(|error| StoreError::Database(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: Vec<Value>) -> Result<PgArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Blob(value) => arguments.add(value),
        };
        added.map_err(|error| StoreError::Database(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

/// A transaction that writes. Dropped without [`Tx::commit`] it leaves nothing.
pub(crate) enum Tx {
    Sqlite(OwnedMutexGuard<Writer>),
    Postgres(Box<sqlx::Transaction<'static, Postgres>>),
}

impl Tx {
    /// Runs a statement; answers the rows it changed.
    pub(crate) async fn run(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        Ok(match self {
            Tx::Sqlite(writer) => {
                let arguments = sqlite_arguments(values)?;
                sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .execute(&mut writer.connection)
                    .await?
                    .rows_affected()
            }
            Tx::Postgres(tx) => {
                let arguments = postgres_arguments(values)?;
                sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .execute(&mut ***tx)
                    .await?
                    .rows_affected()
            }
        })
    }

    /// Runs a question inside the transaction.
    pub(crate) async fn ask(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Tx::Sqlite(writer) => {
                let arguments = sqlite_arguments(values)?;
                let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(&mut writer.connection)
                    .await?;
                rows.into_iter().map(|row| Row(Either::Left(row))).collect()
            }
            Tx::Postgres(tx) => {
                let arguments = postgres_arguments(values)?;
                let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(&mut ***tx)
                    .await?;
                rows.into_iter()
                    .map(|row| Row(Either::Right(row)))
                    .collect()
            }
        })
    }

    /// Inserts many rows with few statements. `head` ends before `VALUES`, `tail` is what follows the rows.
    pub(crate) async fn insert(
        &mut self,
        head: &str,
        columns: usize,
        tail: &str,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), StoreError> {
        let mut rows = rows.into_iter().peekable();
        let mut left = rows.len();
        while rows.peek().is_some() {
            let take = chunk(left);
            left -= take;
            let values: Vec<Value> = rows.by_ref().take(take).flatten().collect();
            let sql = format!("{head} VALUES {} {tail}", places(take, columns));
            self.run(&sql, values).await?;
        }
        Ok(())
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Tx::Sqlite(mut writer) => {
                sqlx::query("COMMIT")
                    .execute(&mut writer.connection)
                    .await?;
                writer.open = false;
                Ok(())
            }
            Tx::Postgres(tx) => Ok(tx.commit().await?),
        }
    }
}

/// Sizes of multi-row statements: few, so that prepared statements are used again.
fn chunk(left: usize) -> usize {
    [64, 16, 4]
        .into_iter()
        .find(|size| left >= *size)
        .unwrap_or(1)
}

/// `($1,$2),($3,$4)`.
fn places(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            if column > 0 {
                text.push(',');
            }
            text.push('$');
            text.push_str(&(row * columns + column + 1).to_string());
        }
        text.push(')');
    }
    text
}

/// Ids per question with a list; shorter lists are padded with their last id.
const LIST: usize = 64;

impl Db {
    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            Db::Sqlite { write, .. } => {
                let mut writer = write.clone().lock_owned().await;
                if writer.open {
                    sqlx::query("ROLLBACK")
                        .execute(&mut writer.connection)
                        .await
                        .ok();
                }
                writer.open = true;
                sqlx::query("BEGIN IMMEDIATE")
                    .execute(&mut writer.connection)
                    .await?;
                Ok(Tx::Sqlite(writer))
            }
            Db::Postgres(pool) => Ok(Tx::Postgres(Box::new(pool.begin().await?))),
        }
    }

    /// Asks a question outside any transaction.
    pub(crate) async fn ask(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Db::Sqlite { read, .. } => {
                let arguments = sqlite_arguments(values)?;
                let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(read)
                    .await?;
                rows.into_iter().map(|row| Row(Either::Left(row))).collect()
            }
            Db::Postgres(pool) => {
                let arguments = postgres_arguments(values)?;
                let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(pool)
                    .await?;
                rows.into_iter()
                    .map(|row| Row(Either::Right(row)))
                    .collect()
            }
        })
    }

    /// Asks for a list of ids: `sql` has `(…)` where the list goes, after the fixed values.
    pub(crate) async fn ask_list(
        &self,
        sql: &str,
        fixed: &[Value],
        ids: &[String],
    ) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        for part in ids.chunks(LIST) {
            let size = if part.len() == 1 { 1 } else { LIST };
            let list: Vec<String> = (0..size)
                .map(|index| format!("${}", fixed.len() + index + 1))
                .collect();
            let sql = sql.replace("(…)", &format!("({})", list.join(",")));
            let mut values = fixed.to_vec();
            let last = part.last().cloned().unwrap_or_default();
            let padded = part
                .iter()
                .cloned()
                .chain(std::iter::repeat(last))
                .take(size);
            values.extend(padded.map(Value::from));
            found.extend(self.ask(&sql, values).await?);
        }
        Ok(found)
    }

    /// Runs one statement in a transaction of its own.
    pub(crate) async fn run(&self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let changed = tx.run(sql, values).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// The expression for the database's clock in unix milliseconds.
    pub(crate) fn clock(&self) -> &'static str {
        match self {
            Db::Sqlite { .. } => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Db::Postgres(_) => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }
}

impl Store {
    /// Opens a store, and makes or brings up its tables.
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
        let store = Store {
            inbox: crate::inbox::Inbox::start(db.clone()),
            db,
            retention_ms: options.retention_ms,
            _claim: claim,
        };
        store.migrate().await?;
        Ok(store)
    }

    /// The database's clock, in unix milliseconds.
    pub async fn now(&self) -> Result<i64, StoreError> {
        let sql = format!("SELECT {}", self.db.clock());
        let rows = self.db.ask(&sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.number(0))
    }

    /// A key that is this store's own, made at its first opening: for keyed hashes of personal identifiers.
    pub async fn site_key(&self) -> Result<[u8; 32], StoreError> {
        let fresh: [u8; 32] = rand::random();
        let sql =
            "INSERT INTO meta (name, value) VALUES ('site_key', $1) ON CONFLICT (name) DO NOTHING";
        self.db.run(sql, vec![fresh.to_vec().into()]).await?;
        let kept = self.meta("site_key").await?.unwrap_or_default();
        kept.try_into().map_err(|_| damaged("the site key"))
    }

    /// Whether it is a SQLite file: one `serve` at a time, by its claim.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.db, Db::Sqlite { .. })
    }

    /// Ends all connections.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { read, .. } => read.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self
            .db
            .ask("SELECT value FROM meta WHERE name = $1", vec![name.into()])
            .await?;
        rows.first().map_or(Ok(None), |row| row.blob(0))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let blob = |sql: &str| match &self.db {
            Db::Sqlite { .. } => sql.to_owned(),
            Db::Postgres(_) => sql.replace("BLOB", "BYTEA"),
        };
        let mut tx = self.db.begin().await?;
        if let Db::Postgres(_) = &self.db {
            // Two processes that start at once must not both make the tables.
            tx.run("SELECT pg_advisory_xact_lock(4242424242)", Vec::new())
                .await?;
        }
        let meta = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB)";
        tx.run(&blob(meta), Vec::new()).await?;
        let rows = tx
            .ask("SELECT value FROM meta WHERE name = 'schema'", Vec::new())
            .await?;
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
        for migration in &MIGRATIONS[usize::try_from(found).unwrap_or_default()..] {
            let sql = blob(&without_comments(migration));
            for statement in sql.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
                tx.run(statement, Vec::new()).await?;
            }
        }
        if found < SCHEMA {
            let sql = "INSERT INTO meta (name, value) VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            tx.run(sql, vec![SCHEMA.to_string().into_bytes().into()])
                .await?;
        }
        tx.commit().await
    }
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
    let broken = |error: std::io::Error| StoreError::Database(sqlx::Error::Io(error));
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(PathBuf::from(name))
        .map_err(broken)?;
    if file.try_lock().is_err() {
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
    let mut connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was acknowledged survives power loss. Group commit pays for it.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(30))
        .statement_cache_capacity(256)
        .disable_statement_logging();
    if let Some(pages) = options.max_page_count {
        connect = connect.pragma("max_page_count", pages.to_string());
    }
    let connection = SqliteConnection::connect_with(&connect).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(connect.read_only(true).create_if_missing(false))
        .await?;
    Ok(Db::Sqlite {
        write: Arc::new(Mutex::new(Writer {
            connection,
            open: false,
        })),
        read,
    })
}

async fn open_postgres(address: &str, options: &StoreOptions) -> Result<Db, StoreError> {
    let mut connect: sqlx::postgres::PgConnectOptions = address.parse()?;
    connect = connect.disable_statement_logging();
    if let Some(schema) = &options.schema {
        let mut connection = sqlx::PgConnection::connect_with(&connect).await?;
        let sql = format!(
            "CREATE SCHEMA IF NOT EXISTS \"{}\"",
            schema.replace('"', "")
        );
        sqlx::query(AssertSqlSafe(sql.as_str()))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        connect = connect.options([("search_path", schema.as_str())]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(connect)
        .await?;
    Ok(Db::Postgres(pool))
}
