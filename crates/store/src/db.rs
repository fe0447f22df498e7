//! The two databases behind one face: one SQL text with `$1` parameters, values and rows of our own.

use crate::error::StoreError;
use crate::value::{Row, Value, postgres_arguments, sqlite_arguments};
use sqlx::{
    AssertSqlSafe, Either, Executor as _, PgConnection, PgPool, Postgres, SqliteConnection,
    SqlitePool,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How often a transaction is tried that another one stood in the way of.
const TRIES: u32 = 6;

/// Runs a transaction: `transact!(db, tx => steps)`. Its value is that of the steps; `?` in them ends it and leaves nothing.
/// PostgreSQL may give it up in favour of another one: then it runs again. (No function that takes a closure: the compiler cannot
/// see yet that an async closure with borrowed arguments may move between threads.)
macro_rules! transact {
    ($db:expr, $tx:ident => $steps:expr) => {{
        let mut again = $crate::db::Again::default();
        loop {
            let done = async {
                let mut begun = $db.begin().await?;
                let $tx = &mut begun;
                let answer = $steps;
                begun.commit().await?;
                Ok::<_, $crate::error::StoreError>(answer)
            };
            match done.await {
                Err(error) if again.is_worth(&error).await => {}
                answer => break answer,
            }
        }
    }};
}
pub(crate) use transact;

/// Counts the tries of a transaction.
#[derive(Default)]
pub(crate) struct Again(u32);

impl Again {
    /// Whether another try is worth it after this error; waits a little first.
    pub(crate) async fn is_worth(&mut self, error: &StoreError) -> bool {
        self.0 += 1;
        if self.0 == TRIES || !error.is_collision() {
            return false;
        }
        let wait = rand::random_range(1..=20 * u64::from(self.0));
        tokio::time::sleep(Duration::from_millis(wait)).await;
        true
    }
}

#[derive(Clone)]
pub(crate) enum Db {
    Sqlite {
        write: Arc<Mutex<Writer>>,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// The one connection that writes to a SQLite file. `open` tells that a transaction was begun and has not ended.
pub(crate) struct Writer {
    connection: SqliteConnection,
    open: bool,
}

impl Writer {
    pub(crate) fn new(connection: SqliteConnection) -> Self {
        Writer {
            connection,
            open: false,
        }
    }

    async fn roll_back(&mut self) {
        // SQLite has rolled back by itself already after some errors, such as a full disk: then this one says so.
        sqlx::query("ROLLBACK")
            .execute(&mut self.connection)
            .await
            .ok();
        self.open = false;
    }
}

/// A transaction that writes. Dropped without [`Tx::commit`] it leaves nothing.
pub(crate) enum Tx {
    Sqlite(Writing),
    Postgres(Box<sqlx::Transaction<'static, Postgres>>),
}

/// The writer of a SQLite file for one transaction.
pub(crate) struct Writing(Option<OwnedMutexGuard<Writer>>);

impl Writing {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let writer = self.0.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        Ok(&mut writer.connection)
    }
}

impl Drop for Writing {
    /// Rolls back at once what was not committed: until then no other process could write to the file.
    fn drop(&mut self) {
        let Some(mut writer) = self.0.take() else {
            return;
        };
        // Without a runtime the program is ending; the next transaction, should there be one, rolls back first.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { writer.roll_back().await });
        }
    }
}

async fn run_sqlite(
    connection: &mut SqliteConnection,
    sql: &str,
    values: Vec<Value>,
) -> Result<u64, StoreError> {
    #[cfg(test)]
    crate::explain::note(sql);
    let query = sqlx::query_with(AssertSqlSafe(sql), sqlite_arguments(values)?);
    Ok(query.execute(connection).await?.rows_affected())
}

async fn run_postgres(
    connection: &mut PgConnection,
    sql: &str,
    values: Vec<Value>,
) -> Result<u64, StoreError> {
    let query = sqlx::query_with(AssertSqlSafe(sql), postgres_arguments(values)?);
    Ok(query.execute(connection).await?.rows_affected())
}

async fn ask_sqlite<'c, E>(
    executor: E,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError>
where
    E: sqlx::Executor<'c, Database = sqlx::Sqlite>,
{
    #[cfg(test)]
    crate::explain::note(sql);
    let query = sqlx::query_with(AssertSqlSafe(sql), sqlite_arguments(values)?);
    let rows = query.fetch_all(executor).await?;
    Ok(rows.into_iter().map(|row| Row(Either::Left(row))).collect())
}

async fn ask_postgres<'c, E>(
    executor: E,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError>
where
    E: sqlx::Executor<'c, Database = Postgres>,
{
    let query = sqlx::query_with(AssertSqlSafe(sql), postgres_arguments(values)?);
    let rows = query.fetch_all(executor).await?;
    Ok(rows
        .into_iter()
        .map(|row| Row(Either::Right(row)))
        .collect())
}

impl Tx {
    /// Runs a statement; answers the rows it changed.
    pub(crate) async fn run(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        match self {
            Tx::Sqlite(writing) => run_sqlite(writing.connection()?, sql, values).await,
            Tx::Postgres(tx) => run_postgres(tx, sql, values).await,
        }
    }

    /// Runs a question inside the transaction.
    pub(crate) async fn ask(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Tx::Sqlite(writing) => ask_sqlite(writing.connection()?, sql, values).await,
            Tx::Postgres(tx) => ask_postgres(&mut ***tx, sql, values).await,
        }
    }

    /// Runs a statement for many rows with few round trips. `…` in it stands for the rows, as in `VALUES …` or `IN (…)`; their
    /// values come after the fixed ones. Answers the rows it changed.
    pub(crate) async fn many(
        &mut self,
        sql: &str,
        fixed: &[Value],
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, StoreError> {
        let sqlite = matches!(self, Tx::Sqlite(_));
        let mut rows = rows.into_iter().peekable();
        let mut changed = 0;
        while let Some(columns) = rows.peek().map(Vec::len) {
            let take = chunk(rows.len());
            let list = rows.by_ref().take(take).flatten();
            let (sql, values) = listed(sqlite, sql, fixed, list, take, columns);
            changed += self.run(&sql, values).await?;
        }
        Ok(changed)
    }

    /// The database's clock, in unix milliseconds.
    pub(crate) async fn now(&mut self) -> Result<i64, StoreError> {
        if let Tx::Sqlite(_) = self {
            return Ok(this_clock());
        }
        let rows = self.ask(POSTGRES_NOW, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.number(0))
    }

    /// What a question ends with that keeps its rows from changing until the transaction ends. SQLite has one writer: there they
    /// cannot change.
    pub(crate) fn for_update(&self) -> &'static str {
        match self {
            Tx::Sqlite(_) => "",
            Tx::Postgres(_) => " FOR UPDATE",
        }
    }

    /// Waits until no other transaction writes to a table that people write to now and then, and keeps others from it.
    pub(crate) async fn alone(&mut self, table: &str) -> Result<(), StoreError> {
        if let Tx::Postgres(_) = self {
            let sql = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
            self.run(&sql, Vec::new()).await?;
        }
        Ok(())
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Tx::Sqlite(mut writing) => {
                writing.connection()?.execute("COMMIT").await?;
                if let Some(mut writer) = writing.0.take() {
                    writer.open = false;
                }
                Ok(())
            }
            Tx::Postgres(tx) => Ok(tx.commit().await?),
        }
    }
}

/// Sizes of many-row statements: few, so that prepared statements are used again.
fn chunk(left: usize) -> usize {
    [256, 64, 16, 4]
        .into_iter()
        .find(|size| left >= *size)
        .unwrap_or(1)
}

/// The text and values of a statement with a list where its `…` stands.
///
/// PostgreSQL has the fixed values first: `$1`, then `($2,$3),($4,$5)`. SQLite looks a named place up among all names there are, for
/// each place anew: a statement of a thousand places would be searched for half a million steps. So its places have no names, which
/// makes them the first ones, and only the fixed values, then the last, have one.
fn listed(
    sqlite: bool,
    sql: &str,
    fixed: &[Value],
    list: impl Iterator<Item = Value>,
    rows: usize,
    columns: usize,
) -> (String, Vec<Value>) {
    if sqlite {
        let mut values: Vec<Value> = Vec::with_capacity(rows * columns + fixed.len());
        values.extend(list);
        let mut sql = sql.to_owned();
        for number in (1..=fixed.len()).rev() {
            sql = sql.replace(
                &format!("${number}"),
                &format!("$@{}", values.len() + number),
            );
        }
        let sql = sql.replace("$@", "$");
        values.extend(fixed.iter().cloned());
        return (sql.replace('…', &places(None, rows, columns)), values);
    }
    let mut values = fixed.to_vec();
    values.extend(list);
    let places = places(Some(fixed.len()), rows, columns);
    (sql.replace('…', &places), values)
}

/// `($1,$2),($3,$4)` for rows, `$1,$2` for rows of one value, numbered after so many others; without numbers `(?,?),(?,?)`.
fn places(numbered_after: Option<usize>, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * (columns * 6 + 3));
    let mut number = numbered_after.unwrap_or_default();
    for row in 0..rows {
        if row > 0 {
            text.push(',');
        }
        if columns > 1 {
            text.push('(');
        }
        for column in 0..columns {
            number += 1;
            if column > 0 {
                text.push(',');
            }
            match numbered_after {
                Some(_) => {
                    text.push('$');
                    text.push_str(&number.to_string());
                }
                None => text.push('?'),
            }
        }
        if columns > 1 {
            text.push(')');
        }
    }
    text
}

/// A list as rows of one value.
pub(crate) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Vec<Value>> {
    texts.into_iter().map(|text| vec![text.into()]).collect()
}

/// Ids per question with a list, at most. Shorter lists are padded with their last id to the next of a few sizes.
const LIST: usize = 256;

fn list_size(ids: usize) -> usize {
    [1, 16, 64]
        .into_iter()
        .find(|size| ids <= *size)
        .unwrap_or(LIST)
}

/// A SQLite file's clock is that of this machine, which is asked without a round trip to the connection's thread.
fn this_clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

// Rounded: the seconds are a float, and cutting it off would lose a millisecond now and then.
const POSTGRES_NOW: &str =
    "SELECT CAST(round(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

impl Db {
    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            Db::Sqlite { write, .. } => {
                let mut writer = write.clone().lock_owned().await;
                if writer.open {
                    writer.roll_back().await;
                }
                writer.open = true;
                let mut writing = Writing(Some(writer));
                // The lock is taken now: a transaction that began as a reader could not become a writer beside another one.
                writing.connection()?.execute("BEGIN IMMEDIATE").await?;
                Ok(Tx::Sqlite(writing))
            }
            Db::Postgres(pool) => Ok(Tx::Postgres(Box::new(pool.begin().await?))),
        }
    }

    /// Asks a question outside any transaction.
    pub(crate) async fn ask(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        match self {
            Db::Sqlite { read, .. } => ask_sqlite(read, sql, values).await,
            Db::Postgres(pool) => ask_postgres(pool, sql, values).await,
        }
    }

    /// Asks for a list of ids: `sql` has `(…)` where the list goes, after the fixed values.
    pub(crate) async fn ask_list(
        &self,
        sql: &str,
        fixed: &[Value],
        ids: &[String],
    ) -> Result<Vec<Row>, StoreError> {
        let sqlite = matches!(self, Db::Sqlite { .. });
        let mut found = Vec::new();
        for part in ids.chunks(LIST) {
            let size = list_size(part.len());
            let last = part.last().cloned().unwrap_or_default();
            let padded = part
                .iter()
                .cloned()
                .chain(std::iter::repeat(last))
                .take(size);
            let (sql, values) = listed(sqlite, sql, fixed, padded.map(Value::from), size, 1);
            found.extend(self.ask(&sql, values).await?);
        }
        Ok(found)
    }

    /// Runs one statement for all rows on a SQLite file, outside any transaction, so that it is one by itself. The last row may be
    /// given several times, which must change nothing: the statement has few sizes, so that it is prepared once.
    pub(crate) async fn at_once(&self, sql: &str, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        let (Db::Sqlite { write, .. }, Some(last)) = (self, rows.last().cloned()) else {
            return Ok(());
        };
        let size = rows.len().next_power_of_two();
        let columns = last.len();
        let padded = rows.into_iter().chain(std::iter::repeat(last)).take(size);
        let (sql, values) = listed(true, sql, &[], padded.flatten(), size, columns);
        let mut writer = write.lock().await;
        if writer.open {
            writer.roll_back().await;
        }
        run_sqlite(&mut writer.connection, &sql, values).await?;
        Ok(())
    }

    /// Runs one statement in a transaction of its own.
    pub(crate) async fn run(&self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        transact!(self, tx => tx.run(sql, values.clone()).await?)
    }

    /// The database's clock, in unix milliseconds.
    pub(crate) async fn now(&self) -> Result<i64, StoreError> {
        if let Db::Sqlite { .. } = self {
            return Ok(this_clock());
        }
        let rows = self.ask(POSTGRES_NOW, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.number(0))
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                read.close().await;
                // Into the file itself, so that a copy of it alone holds everything.
                let mut writer = write.lock().await;
                let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
                writer.connection.execute(sql).await.ok();
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}
