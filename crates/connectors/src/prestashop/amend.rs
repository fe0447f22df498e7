//! Changes one field of rows and keeps the others. From 8.0 on the shop has PATCH for that. Before, it has PUT only, which empties what it
//! does not name: so the whole row goes back as it was just read, or nothing is sent when a part of it could not go back as it came.

use super::ask::Row;
use super::{Shop, path, xml};
use comptoir_kit::http::{Call, Method, Priority};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use serde_json::{Map, Value};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A row and what is to stand in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amendment<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// All of it, as it was read.
    pub(super) row: &'a Row,
    /// The field to change.
    pub(super) field: &'a str,
    /// Its new value.
    pub(super) value: &'a str,
}

/// How rows are amended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The operation's name.
    pub(super) what: &'static str,
    /// The resource.
    pub(super) resource: &'static str,
    /// What one row of it is called.
    pub(super) entity: &'static str,
    /// The place in the queue.
    pub(super) priority: Priority,
    /// After how long the call is given up.
    pub(super) deadline: Duration,
    /// The shop mails the buyer.
    pub(super) mails: bool,
}

impl Shop {
    /// Whether the shop knows PATCH, by the version that its answers carry.
    pub(super) fn patches(&self) -> bool {
        !matches!(self.major.load(Ordering::Relaxed), 1..8)
    }

    /// Amends rows in one call. The shop takes several one after another and stops at the first that it refuses.
    pub(super) async fn amend(&self, manner: Manner, rows: &[Amendment<'_>]) -> Result<(), Fault> {
        let patches = self.patches();
        let entities: Result<Vec<Vec<(String, String)>>, Fault> = rows
            .iter()
            .map(|row| match patches {
                true => Ok(row.patch()),
                false => row.whole(manner.resource),
            })
            .collect();
        let target = match rows {
            [only] => path(format!(
                "{}/{}",
                manner.resource,
                comptoir_kit::http::encode(only.id)
            )),
            _ => path(manner.resource),
        };
        let method = if patches { Method::Patch } else { Method::Put };
        let call = Call::new(manner.what, method, target)
            .body("text/xml", xml::bodies(manner.entity, &entities?))
            .priority(manner.priority)
            .deadline(manner.deadline);
        let call = match manner.mails {
            true => call.query("sendemail", 1),
            false => call,
        };
        self.send(call, manner.resource).await.map(|_| ())
    }
}

impl Amendment<'_> {
    /// The field alone. The shop wants the id in the body too.
    fn patch(&self) -> Vec<(String, String)> {
        [("id", self.id), (self.field, self.value)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    /// Every field of the row.
    fn whole(&self, resource: &str) -> Result<Vec<(String, String)>, Fault> {
        let lost = |field: &str| {
            let why = format!(
                "this PrestaShop is older than 8.0 and takes {resource} as a whole only, and `{field}` of this one cannot be sent back as it is; nothing was written"
            );
            Fault::refused(Code::UnsupportedVersion, why).at(field)
        };
        let row: Map<String, Value> =
            serde_json::from_str(self.row.get()).map_err(|_| lost("id"))?;
        if !row.contains_key(self.field) {
            return Err(lost(self.field));
        }
        row.into_iter()
            .map(|(name, value)| {
                let value = match value {
                    _ if name == self.field => self.value.to_owned(),
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    _ => return Err(lost(&name)),
                };
                Ok((name, value))
            })
            .collect()
    }
}
