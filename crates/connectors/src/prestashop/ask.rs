//! Lists of the webservice. Always the list form: a single record as JSON leaves out every field that is zero or empty.

use super::{Shop, fault, path};
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, Priority};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Ids or references per filter: they all stand in the address.
const PER_FILTER: usize = 100;

/// A row as it came.
pub(super) type Row = Box<RawValue>;

/// A list to ask for.
#[derive(Debug, Clone)]
pub(super) struct List {
    what: &'static str,
    resource: &'static str,
    query: Vec<(String, String)>,
    priority: Priority,
}

impl List {
    /// A list of a resource with these fields (`full` for all), sorted by id: without a sort rows come in no order.
    pub(super) fn of(what: &'static str, resource: &'static str, fields: &str) -> Self {
        let display = match fields {
            "full" => fields.to_owned(),
            _ => format!("[{fields}]"),
        };
        List {
            what,
            resource,
            query: vec![("display".to_owned(), display)],
            priority: Priority::Orders,
        }
        .sorted("[id_ASC]")
    }

    /// Another order.
    pub(super) fn sorted(self, sort: &str) -> Self {
        let mut list = self.unsorted();
        list.query.push(("sort".to_owned(), sort.to_owned()));
        list
    }

    /// In whatever order they come.
    pub(super) fn unsorted(mut self) -> Self {
        self.query.retain(|(name, _)| name != "sort");
        self
    }

    /// Only rows whose field has one of these values.
    pub(super) fn one_of(mut self, field: &str, values: &[&str]) -> Self {
        let value = format!("[{}]", values.join("|"));
        self.query.push((format!("filter[{field}]"), value));
        self
    }

    /// Only rows changed after a time of the shop, not at it. Without `date` the shop does not know the field.
    pub(super) fn after(mut self, time: &str) -> Self {
        self.query
            .push(("filter[date_upd]".to_owned(), format!(">[{time}]")));
        self.dated()
    }

    /// Lets the list be sorted and filtered by dates.
    pub(super) fn dated(mut self) -> Self {
        self.query.retain(|(name, _)| name != "date");
        self.query.push(("date".to_owned(), "1".to_owned()));
        self
    }

    /// Only so many rows after an offset.
    pub(super) fn limited(mut self, offset: u64, count: u32) -> Self {
        self.query
            .push(("limit".to_owned(), format!("{offset},{count}")));
        self
    }

    /// Only rows with a higher id.
    pub(super) fn beyond(mut self, id: u64) -> Self {
        let value = format!(">[{id}]");
        self.query.push(("filter[id]".to_owned(), value));
        self
    }

    /// Behind orders and shipments in the queue.
    pub(super) fn stock(mut self) -> Self {
        self.priority = Priority::Stock;
        self
    }

    /// Behind everything in the queue.
    pub(super) fn catalogue(mut self) -> Self {
        self.priority = Priority::Catalogue;
        self
    }

    fn call(&self) -> Call {
        let mut call = Call::get(self.what, path(self.resource)).priority(self.priority);
        for (name, value) in &self.query {
            call = call.query(name, value);
        }
        call.query("output_format", "JSON")
    }
}

impl Shop {
    /// The rows of a list, each as its own JSON.
    pub(super) async fn rows(&self, list: List) -> Result<Vec<Row>, Fault> {
        let answer = self.send(list.call(), list.resource).await?;
        rows_of(&answer, list.resource)
    }

    /// The rows of a list, decoded.
    pub(super) async fn all<T: DeserializeOwned>(&self, list: List) -> Result<Vec<T>, Fault> {
        let rows = self.rows(list).await?;
        rows.iter()
            .map(|row| decode::json(row.get().as_bytes()))
            .collect()
    }

    /// The rows of a list whose field has one of many values, asked for in as few calls as addresses are long.
    pub(super) async fn rows_by(
        &self,
        list: List,
        field: &str,
        values: &[&str],
    ) -> Result<Vec<Row>, Fault> {
        let mut rows = Vec::new();
        for chunk in values.chunks(PER_FILTER) {
            rows.extend(self.rows(list.clone().one_of(field, chunk)).await?);
        }
        Ok(rows)
    }

    /// Makes a call and takes a success, or an answer that has only warnings of PHP against it.
    pub(super) async fn send(&self, call: Call, resource: &str) -> Result<Answer, Fault> {
        let call = match self.settings.shop_id {
            Some(shop) => call.query("id_shop", shop),
            None => call,
        };
        let answer = self.http.send(call).await?;
        self.learn_version(&answer);
        if answer.is_success() || fault::only_warns(&answer) {
            Ok(answer)
        } else {
            Err(fault::classify(&answer, resource))
        }
    }
}

impl Shop {
    /// The webservice says its version with every answer.
    fn learn_version(&self, answer: &Answer) {
        let version = answer.header("psws-version").unwrap_or_default();
        let major = version.split('.').next().unwrap_or_default();
        if let Ok(major) = major.trim().parse() {
            self.major.store(major, Ordering::Relaxed);
        }
    }
}

/// The rows of an answer: an object with one list, or `[]` for none.
///
/// # Errors
/// What the answer is instead.
pub(super) fn rows_of(answer: &Answer, resource: &str) -> Result<Vec<Row>, Fault> {
    // The credit slips are called otherwise inside than outside.
    let node = match resource {
        "order_slip" => "order_slips",
        other => other,
    };
    let text = answer.text();
    let start = format!("{{\"{node}\":");
    // Where PHP shows its warnings they stand before the JSON.
    let json = match text.find(&start) {
        Some(at) => &text[at..],
        None => text.trim(),
    };
    if json == "[]" {
        return Ok(Vec::new());
    }
    let missing = || match answer.is_json() {
        true => Fault::bug(format!("expected a list of {resource}")),
        false => Fault::later(
            Code::WrongAddress,
            format!(
                "the address answered {} with something else than the webservice",
                answer.status
            ),
        ),
    };
    let mut object: BTreeMap<String, Row> = serde_json::from_str(json).map_err(|_| missing())?;
    let list = object.remove(node).ok_or_else(missing)?;
    decode::json(list.get().as_bytes())
}

/// Rows by the value of a field. A row in which it cannot be read belongs to nothing, and is missed where amounts are added up.
pub(super) fn grouped(
    rows: &[Row],
    key: impl Fn(&Mark) -> String,
) -> BTreeMap<String, Vec<&RawValue>> {
    let mut groups: BTreeMap<String, Vec<&RawValue>> = BTreeMap::new();
    for row in rows {
        if let Ok(mark) = decode::json::<Mark>(row.get().as_bytes()) {
            groups.entry(key(&mark)).or_default().push(row);
        }
    }
    groups
}

/// What rows are found by.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Mark {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_order: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_customer: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_product: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) order_reference: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) reference: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_upd: String,
}
