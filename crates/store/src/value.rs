//! Values on their way into a statement, and rows on their way out, the same for both databases.

use crate::error::{StoreError, damaged};
use comptoir_model::document::Digest;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Either, Row as _};

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
impl From<String> for Value {
    /// PostgreSQL has no character zero in texts. One that comes from outside is replaced, on both databases, when it is stored and
    /// when it is asked for: it must not stop the page that it is on.
    fn from(value: String) -> Self {
        Value::Text(Some(if value.contains('\0') {
            value.replace('\0', "\u{fffd}")
        } else {
            value
        }))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}
impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Value::Text(None), Value::from)
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Value::Text(None), Value::from)
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
impl From<Digest> for Value {
    fn from(value: Digest) -> Self {
        Value::Blob(Some(value.as_bytes().to_vec()))
    }
}
impl From<Option<Digest>> for Value {
    fn from(value: Option<Digest>) -> Self {
        Value::Blob(value.map(|digest| digest.as_bytes().to_vec()))
    }
}

/// A row that came out.
pub(crate) struct Row(pub(crate) Either<SqliteRow, PgRow>);

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

    pub(crate) fn digest(&self, index: usize) -> Result<Option<Digest>, StoreError> {
        let Some(bytes) = self.blob(index)? else {
            return Ok(None);
        };
        let digest = Digest::from_bytes(&bytes);
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

pub(crate) fn sqlite_arguments(values: Vec<Value>) -> Result<SqliteArguments, StoreError> {
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

pub(crate) fn postgres_arguments(values: Vec<Value>) -> Result<PgArguments, StoreError> {
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
