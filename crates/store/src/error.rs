//! What can go wrong with the store.

use comptoir_model::code::Code;

/// A fault of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another `serve` has this SQLite file.
    #[error(
        "{name} (process {pid}) already serves this store; stop it, or use PostgreSQL for several"
    )]
    Busy {
        /// What it calls itself.
        name: String,
        /// Its process id.
        pid: u32,
    },
    /// No room left.
    #[error(
        "the disk or the database is full; nothing of this step was stored. Make room, then everything goes on by itself"
    )]
    Full,
    /// Written by a newer Comptoir.
    #[error("the store has schema {found}, this Comptoir knows {known}; use the newer program")]
    Newer {
        /// Schema of the store.
        found: i64,
        /// Schema of this program.
        known: i64,
    },
    /// The master key is another one.
    #[error("the master key does not open this store's secrets")]
    WrongMasterKey,
    /// Another process took the connection over.
    #[error("another process took the connection over")]
    OwnershipLost,
    /// The head moved.
    #[error("the configuration's head is revision {head} by now; pull it, then push again")]
    HeadMoved {
        /// The head now.
        head: i64,
    },
    /// The address of the store cannot be used.
    #[error("`{0}` is no address of a store: use sqlite:FILE or postgres://USER@HOST/DATABASE")]
    Address(String),
    /// Stored bytes that cannot be read back.
    #[error("stored data cannot be read back: {0}")]
    Damaged(String),
    /// The database.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Page of the error docs.
    pub fn code(&self) -> Code {
        match self {
            StoreError::Busy { .. } => Code::StoreBusy,
            StoreError::Full => Code::DiskFull,
            StoreError::Newer { .. } => Code::StoreNewer,
            StoreError::WrongMasterKey => Code::WrongMasterKey,
            StoreError::OwnershipLost => Code::OwnershipLost,
            StoreError::HeadMoved { .. } => Code::HeadMoved,
            StoreError::Address(_) => Code::BadValue,
            StoreError::Damaged(_) | StoreError::Database(_) => Code::StoreBroken,
        }
    }
}

impl StoreError {
    /// Whether PostgreSQL gave this transaction up in favour of another one: 40001 serialization_failure, 40P01 deadlock_detected.
    pub(crate) fn is_collision(&self) -> bool {
        let StoreError::Database(error) = self else {
            return false;
        };
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| code == "40001" || code == "40P01")
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL is 13, and 4874 (SQLITE_IOERR_SHMSIZE) is no room for its index of the log; PostgreSQL's disk_full is 53100.
        let full = match &error {
            sqlx::Error::Io(error) => matches!(
                error.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            ),
            error => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| matches!(code.as_ref(), "13" | "4874" | "53100")),
        };
        if full {
            StoreError::Full
        } else {
            StoreError::Database(error)
        }
    }
}

/// Stored text that is not what it should be.
pub(crate) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(what.to_string())
}
