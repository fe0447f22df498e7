//! People who sign in.

use crate::error::StoreError;
use crate::open::Store;
use crate::value::Row;
use std::fmt;
use std::str::FromStr;

/// What a person may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, with personal data masked.
    Viewer,
    /// Answers, resumes, stops, and fills tables.
    Operator,
    /// Makes people and tokens too.
    Admin,
}

impl Role {
    /// Every role, from the least to the most.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// The word used in the store and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("role {text}"))
    }
}

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that is typed to sign in.
    pub name: String,
    /// Role.
    pub role: Role,
    /// The password as an argon2id string.
    pub password: String,
    /// May not sign in any more.
    pub disabled: bool,
    /// When it was made (unix ms).
    pub made_at: i64,
    /// Who made it.
    pub made_by: String,
    /// When it was last here (unix ms).
    pub seen_at: Option<i64>,
}

const COLUMNS: &str = "name, role, password, disabled, made_at, made_by, seen_at";

fn person_row(row: &Row) -> Result<Person, StoreError> {
    Ok(Person {
        name: row.string(0)?,
        role: row.parsed(1)?,
        password: row.string(2)?,
        disabled: row.number(3)? != 0,
        made_at: row.number(4)?,
        made_by: row.string(5)?,
        seen_at: row.int(6)?,
    })
}

impl Store {
    /// Makes a person. Answers no when the name is taken.
    pub async fn add_person(&self, person: &Person) -> Result<bool, StoreError> {
        let sql = "INSERT INTO person (name, role, password, disabled, made_at, made_by) VALUES ($1, $2, $3, 0, $4, $5) \
                   ON CONFLICT (name) DO NOTHING";
        let values = vec![
            person.name.as_str().into(),
            person.role.as_str().into(),
            person.password.as_str().into(),
            person.made_at.into(),
            person.made_by.as_str().into(),
        ];
        Ok(self.db.run(sql, values).await? > 0)
    }

    /// A person by name.
    pub async fn person(&self, name: &str) -> Result<Option<Person>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM person WHERE name = $1");
        let rows = self.db.ask(&sql, vec![name.into()]).await?;
        rows.first().map(person_row).transpose()
    }

    /// Everyone, by name.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM person ORDER BY name");
        let rows = self.db.ask(&sql, Vec::new()).await?;
        rows.iter().map(person_row).collect()
    }

    /// Sets a person's password, and signs the person out everywhere. Answers no when there is no such person.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let set = "UPDATE person SET password = $1 WHERE name = $2";
        let out = "DELETE FROM session WHERE person = $1";
        crate::db::transact!(self.db, tx => {
            let changed = tx.run(set, vec![password.into(), name.into()]).await?;
            tx.run(out, vec![name.into()]).await?;
            changed > 0
        })
    }

    /// Lets a person in again or no more; who may not is signed out everywhere. Answers no when there is no such person.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<bool, StoreError> {
        let set = "UPDATE person SET disabled = $1 WHERE name = $2";
        let out = "DELETE FROM session WHERE person = $1";
        crate::db::transact!(self.db, tx => {
            let changed = tx.run(set, vec![i64::from(disabled).into(), name.into()]).await?;
            if disabled {
                tx.run(out, vec![name.into()]).await?;
            }
            changed > 0
        })
    }

    /// Gives a person another role. Answers no when there is no such person.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<bool, StoreError> {
        let sql = "UPDATE person SET role = $1 WHERE name = $2";
        let values = vec![role.as_str().into(), name.into()];
        Ok(self.db.run(sql, values).await? > 0)
    }

    /// Whether anybody could sign in at all.
    pub async fn has_people(&self) -> Result<bool, StoreError> {
        let sql = "SELECT name FROM person LIMIT 1";
        Ok(!self.db.ask(sql, Vec::new()).await?.is_empty())
    }
}
