//! A store of its own for each test, on either database.

use comptoir_store::{Store, StoreOptions, StoreUrl};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// Where a test's store is. Clones are the same place.
#[derive(Clone)]
pub struct Place {
    pub url: StoreUrl,
    schema: Option<String>,
    _folder: Option<Arc<tempfile::TempDir>>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Place {
            url: StoreUrl::sqlite(folder.path().join("store.db")),
            schema: None,
            _folder: Some(Arc::new(folder)),
        }
    }

    pub fn postgres() -> Self {
        let address = std::env::var("COMPTOIR_TEST_POSTGRES")
            .expect("COMPTOIR_TEST_POSTGRES is not set: run scripts/test, or eval \"$(scripts/postgres-for-tests start)\" first");
        Place {
            url: StoreUrl::Postgres(address),
            schema: Some(format!("test_{:032x}", rand::random::<u128>())),
            _folder: None,
        }
    }

    /// The place that `words` are about; another process says where with [`Place::words`].
    pub fn of_words(words: &str) -> Self {
        match words.split_once('\n') {
            Some((schema, address)) => Place {
                url: StoreUrl::Postgres(address.to_owned()),
                schema: Some(schema.to_owned()),
                _folder: None,
            },
            None => Place {
                url: StoreUrl::sqlite(words),
                schema: None,
                _folder: None,
            },
        }
    }

    pub fn words(&self) -> String {
        match (&self.url, &self.schema) {
            (StoreUrl::Postgres(address), Some(schema)) => format!("{schema}\n{address}"),
            (StoreUrl::Sqlite(path), _) => path.display().to_string(),
            (StoreUrl::Postgres(_), None) => unreachable!("a test on PostgreSQL has a schema"),
        }
    }

    /// The same database by an address with one more parameter.
    pub fn address_with(&self, parameter: &str) -> StoreUrl {
        let StoreUrl::Postgres(address) = &self.url else {
            unreachable!("asked on PostgreSQL only")
        };
        let joint = if address.contains('?') { '&' } else { '?' };
        StoreUrl::Postgres(format!("{address}{joint}{parameter}"))
    }

    pub fn options(&self) -> StoreOptions {
        StoreOptions {
            schema: self.schema.clone(),
            ..StoreOptions::default()
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url, self.options()).await.unwrap()
    }

    pub async fn open_with(&self, change: impl FnOnce(&mut StoreOptions)) -> Store {
        let mut options = self.options();
        change(&mut options);
        Store::open(&self.url, options).await.unwrap()
    }

    /// Asks the database itself for a number, beside the store.
    pub async fn number(&self, sql: &str) -> i64 {
        self.numbers(sql).await[0]
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let sql = AssertSqlSafe(sql);
        match &self.url {
            StoreUrl::Sqlite(path) => {
                let rows = sqlite_connection(path).await.fetch_all(sql).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            StoreUrl::Postgres(_) => {
                let rows = self
                    .postgres_connection()
                    .await
                    .fetch_all(sql)
                    .await
                    .unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Does something to the database itself, behind the store's back.
    pub async fn run(&self, sql: &str) {
        match &self.url {
            StoreUrl::Sqlite(path) => {
                let mut connection = sqlite_connection(path).await;
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            StoreUrl::Postgres(_) => {
                let mut connection = self.postgres_connection().await;
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
        }
    }

    async fn postgres_connection(&self) -> sqlx::PgConnection {
        let StoreUrl::Postgres(address) = &self.url else {
            unreachable!("asked on PostgreSQL only")
        };
        let mut connection = sqlx::PgConnection::connect(address).await.unwrap();
        let schema = self.schema.as_deref().unwrap_or("public");
        let sql = format!("SET search_path TO \"{schema}\"");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection
    }

    /// How many rows each table has: two equal answers mean that nothing was stored in between.
    pub async fn rows(&self) -> BTreeMap<&'static str, i64> {
        const TABLES: [&str; 15] = [
            "blob",
            "connection",
            "hint",
            "identity",
            "intent",
            "journal",
            "journal_last",
            "link",
            "meta",
            "plan",
            "record",
            "revision",
            "secret",
            "stream",
            "work",
        ];
        let counts = TABLES.map(|table| format!("SELECT count(*) FROM {table}"));
        let counts = self.numbers(&counts.join(" UNION ALL ")).await;
        TABLES.into_iter().zip(counts).collect()
    }

    async fn drop_schema(&self) {
        if let Some(schema) = &self.schema {
            self.run(&format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE"))
                .await;
        }
    }
}

async fn sqlite_connection(path: &std::path::Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    // Hints have a file of their own beside the other.
    let sql = format!("ATTACH '{}-hints' AS hints", path.display());
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection
}

/// Runs a test at a place and cleans up, however it ends. It runs as a task of its own: so the futures of the store must be able to
/// move between threads, as the hub needs it.
pub async fn check<F>(place: Place, test: impl FnOnce(Place) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let ended = tokio::spawn(test(place.clone())).await;
    place.drop_schema().await;
    if let Err(error) = ended {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($($(#[$note:meta])* async fn $name:ident($place:ident: Place) $body:block)*) => {$(
        $(#[$note])*
        mod $name {
            #[allow(unused_imports)] // Some use the file's helpers, some do not.
            use super::*;

            async fn test($place: $crate::place::Place) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                $crate::place::check($crate::place::Place::sqlite(), test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                $crate::place::check($crate::place::Place::postgres(), test).await;
            }
        }
    )*};
}
pub(crate) use on_both;
