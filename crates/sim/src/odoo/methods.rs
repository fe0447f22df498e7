//! Which methods can be called, with which arguments.

use super::read::Search;
use super::schema::M;
use super::session::{Session, Vals};
use super::store::Row;
use super::trouble::{Done, Trouble};
use super::value::truthy;
use super::version::Version;
use serde_json::{Map, Value as Json, json};

/// Through which door a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    JsonRpc,
    Json2,
}

/// A method: its parameters, whether it works on records, and the right it needs.
pub(super) struct Method {
    pub on_records: bool,
    pub params: &'static [&'static str],
    required: &'static [&'static str],
    pub right: &'static str,
    /// Whether it takes any argument.
    open: bool,
}

const fn method(
    on_records: bool,
    params: &'static [&'static str],
    required: &'static [&'static str],
    right: &'static str,
) -> Method {
    Method {
        on_records,
        params,
        required,
        right,
        open: false,
    }
}

/// The method of that name, if the model has it.
pub(super) fn find(version: Version, model: M, name: &str) -> Option<Method> {
    Some(match (model, name) {
        (_, "search") => method(
            false,
            &["domain", "offset", "limit", "order", "count"],
            &["domain"],
            "read",
        ),
        (_, "search_count") => method(false, &["domain", "limit"], &["domain"], "read"),
        (_, "search_read") => method(
            false,
            &["domain", "fields", "offset", "limit", "order", "load"],
            &[],
            "read",
        ),
        (_, "name_search") => method(false, &["name", "domain", "operator", "limit"], &[], "read"),
        (_, "read") => method(true, &["fields", "load"], &[], "read"),
        (_, "fields_get") => method(false, &["allfields", "attributes"], &[], ""),
        (_, "create") => method(false, &["vals_list"], &["vals_list"], "create"),
        (_, "write") => method(true, &["vals"], &["vals"], "write"),
        (_, "unlink") => method(true, &[], &[], "unlink"),
        (_, "load") => method(false, &["fields", "data"], &["fields", "data"], "create"),
        (_, "get_external_id" | "get_metadata") => method(true, &[], &[], "read"),
        // Needs no right on the external ids themselves.
        (M::Data, "check_object_reference") => method(
            false,
            &["module", "xml_id", "raise_on_access_error"],
            &["module", "xml_id"],
            "",
        ),
        (_, "check_access_rights") => {
            method(false, &["operation", "raise_exception"], &["operation"], "")
        }
        (_, "has_access") if version >= Version::V18 => {
            method(true, &["operation"], &["operation"], "")
        }
        (M::User, "context_get") => method(false, &[], &[], ""),
        (M::Parameter, "get_param") => method(false, &["key", "default"], &["key"], "read"),
        (M::Order, "action_confirm" | "action_cancel" | "action_draft") => {
            method(true, &[], &[], "write")
        }
        (M::Picking, "action_assign" | "action_cancel") => method(true, &[], &[], "write"),
        (M::Quant, "action_apply_inventory") => method(true, &[], &[], "write"),
        (M::Order | M::Partner, "message_post") => Method {
            open: true,
            ..method(true, &[], &[], "write")
        },
        _ => return None,
    })
}

/// Arguments by position and by name, all by name; `ids` among them.
pub(super) fn by_name(
    method: &Method,
    name: &str,
    positional: &[Json],
    named: &Vals,
) -> Done<Vals> {
    let mut args = named.clone();
    let mut positional = positional.iter();
    if method.on_records
        && let Some(ids) = positional.next()
    {
        args.insert("ids".to_owned(), ids.clone());
    }
    let mut params = method.params.iter();
    for value in positional {
        match params.next() {
            Some(param) => args.insert((*param).to_owned(), value.clone()),
            None => {
                return Err(Trouble::argument(format!(
                    "{name}() takes {} positional arguments but more were given",
                    method.params.len() + 1
                )));
            }
        };
    }
    // The name of the parameter up to 15, which many callers still use.
    if let Some(domain) = args.remove("args") {
        args.entry("domain").or_insert(domain);
    }
    Ok(args)
}

/// Refuses arguments that are missing or unknown.
pub(super) fn check(method: &Method, face: Face, name: &str, args: &Vals) -> Done<()> {
    let refuse = |text: String| match face {
        Face::Json2 => Err(Trouble::unprocessable(text)),
        Face::JsonRpc => Err(Trouble::argument(format!("{name}() {text}"))),
    };
    // A search without a domain is a search for everything, except where the domain is asked for by name.
    let needed = |param: &&&str| !args.contains_key(**param);
    if let Some(missing) = method.required.iter().find(needed) {
        return refuse(format!("missing a required argument: '{missing}'"));
    }
    let known = |key: &String| {
        method.open || key == "context" || key == "ids" || method.params.contains(&key.as_str())
    };
    match args.keys().find(|key| !known(key)) {
        Some(unknown) => refuse(format!("got an unexpected keyword argument '{unknown}'")),
        None => Ok(()),
    }
}

fn list<'a>(args: &'a Vals, name: &str) -> Option<&'a [Json]> {
    args.get(name).and_then(Json::as_array).map(Vec::as_slice)
}

fn ids(args: &Vals) -> Vec<i64> {
    match args.get("ids") {
        Some(Json::Array(ids)) => ids.iter().filter_map(Json::as_i64).collect(),
        Some(id) => id.as_i64().into_iter().collect(),
        None => Vec::new(),
    }
}

fn search(args: &Vals) -> Search<'_> {
    let number = |name: &str| {
        let number = args.get(name).and_then(Json::as_u64)?;
        usize::try_from(number).ok()
    };
    Search {
        domain: args.get("domain"),
        order: args
            .get("order")
            .and_then(Json::as_str)
            .filter(|order| !order.is_empty()),
        offset: number("offset").unwrap_or_default(),
        limit: number("limit").filter(|limit| *limit > 0),
    }
}

impl Session<'_> {
    /// Runs a method. No result at all (Python's None) is no error.
    pub(super) fn run(
        &mut self,
        model: M,
        name: &str,
        args: &Vals,
        face: Face,
        race: bool,
    ) -> Done<Option<Json>> {
        let ids = ids(args);
        Ok(Some(match name {
            "search" if args.get("count").is_some_and(truthy) => {
                Json::from(self.search(model, &search(args))?.len())
            }
            "search" => Json::from(self.search(model, &search(args))?),
            "search_count" => Json::from(self.search(model, &search(args))?.len()),
            "search_read" => {
                let found = self.search(model, &search(args))?;
                self.look(model, &found);
                self.read(model, &found, list(args, "fields"), classic(args))?
            }
            "name_search" => self.name_search(model, args)?,
            "read" => {
                self.look(model, &ids);
                self.read(model, &ids, list(args, "fields"), classic(args))?
            }
            "fields_get" => {
                self.fields_get(model, list(args, "allfields"), list(args, "attributes"))
            }
            "create" => self.create_many(model, args, face)?,
            "write" => {
                self.write(model, &ids, object(args, "vals")?)?;
                Json::Bool(true)
            }
            "unlink" => {
                self.unlink(model, &ids)?;
                Json::Bool(true)
            }
            "load" => {
                let fields = list(args, "fields").unwrap_or_default();
                self.load(model, fields, list(args, "data").unwrap_or_default(), race)?
            }
            "get_external_id" => {
                let keys = ids.iter().map(|id| {
                    let key = self.store.key_of(model, *id).unwrap_or_default();
                    (id.to_string(), Json::from(key))
                });
                Json::Object(keys.collect())
            }
            "get_metadata" => self.metadata(model, &ids),
            "check_object_reference" => self.reference(args)?,
            "context_get" => self.context_get(),
            "get_param" => self.parameter(args),
            "action_confirm" => self.confirm(&ids)?,
            "action_cancel" if model == M::Picking => self.cancel_pickings(&ids)?,
            "action_assign" => self.assign_pickings(&ids)?,
            "action_cancel" => self.cancel(&ids)?,
            "action_draft" => self.draft(&ids)?,
            "action_apply_inventory" => {
                self.apply_count(&ids)?;
                return Ok(None);
            }
            "message_post" => Json::from(1),
            // Rights were looked at before.
            _ => Json::Bool(true),
        }))
    }

    fn create_many(&mut self, model: M, args: &Vals, face: Face) -> Done<Json> {
        let mut make = |vals: &Vals| match model {
            M::Quant => self.count(vals),
            _ => self.create(model, vals),
        };
        match args.get("vals_list") {
            Some(Json::Object(vals)) => {
                let id = make(vals)?;
                Ok(match face {
                    Face::JsonRpc => Json::from(id),
                    Face::Json2 => json!([id]),
                })
            }
            Some(Json::Array(all)) => {
                let mut ids = Vec::with_capacity(all.len());
                for vals in all {
                    let vals = vals
                        .as_object()
                        .ok_or_else(|| Trouble::argument("a list of dictionaries is expected"))?;
                    ids.push(make(vals)?);
                }
                Ok(Json::from(ids))
            }
            _ => Err(Trouble::argument("a dictionary is expected")),
        }
    }

    fn name_search(&self, model: M, args: &Vals) -> Done<Json> {
        let mut search = search(args);
        let limit = search.limit.take().unwrap_or(100);
        let name = args.get("name").and_then(Json::as_str).unwrap_or_default();
        let operator = args
            .get("operator")
            .and_then(Json::as_str)
            .unwrap_or("ilike");
        let fits = |shown: &str| match operator {
            "=" => shown == name,
            _ => super::pattern::like(
                shown,
                name,
                operator.starts_with('='),
                operator.ends_with("=like"),
            ),
        };
        let mut found = Vec::new();
        for id in self.search(model, &search)? {
            if let Some(row) = self.store.row(model, id) {
                let shown = self.store.display(model, row);
                if name.is_empty() || fits(&shown) {
                    found.push(json!([id, shown]));
                }
            }
            if found.len() == limit {
                break;
            }
        }
        Ok(Json::Array(found))
    }

    /// All external ids of each record that is there; the first one is told twice.
    fn metadata(&self, model: M, ids: &[i64]) -> Json {
        let there = ids
            .iter()
            .filter(|id| self.store.row(model, **id).is_some());
        let told = there.map(|id| {
            let key = |row: &&Row| {
                json!({
                    "xmlid": self.store.get(M::Data, row, "complete_name").str(),
                    "noupdate": self.store.get(M::Data, row, "noupdate").truthy(),
                })
            };
            let keys: Vec<Json> = self.store.keys_of(model, *id).iter().map(key).collect();
            let first = |name: &str| keys.first().map_or(Json::Bool(false), |key| key[name].clone());
            json!({"id": id, "xmlid": first("xmlid"), "noupdate": first("noupdate"), "xmlids": keys})
        });
        told.collect()
    }

    /// The record of an external id; no id where the record is not to be found.
    fn reference(&self, args: &Vals) -> Done<Json> {
        let text = |name: &str| args.get(name).and_then(Json::as_str).unwrap_or_default();
        let key = format!("{}.{}", text("module"), text("xml_id"));
        let Some(data) = self.store.external(&key) else {
            return Err(Trouble::value(format!(
                "External ID not found in the system: {key}"
            )));
        };
        let name = self.store.get(M::Data, data, "model").str().to_owned();
        let id = self.store.get(M::Data, data, "res_id").id();
        let mut found = None;
        if let Some((model, id)) = M::of(&name).zip(id) {
            let domain = json!([["id", "=", id]]);
            let search = Search {
                domain: Some(&domain),
                ..Search::default()
            };
            found = self.search(model, &search)?.first().copied();
        }
        Ok(match found {
            Some(id) => json!([name, id]),
            None => json!([name, false]),
        })
    }

    fn context_get(&self) -> Json {
        let own = |name: &str| {
            let user = super::value::Value::Ref(self.env.uid);
            Json::from(self.store.follow(M::User, &user, name).str())
        };
        json!({"lang": own("lang"), "tz": own("tz"), "uid": self.env.uid})
    }

    fn parameter(&self, args: &Vals) -> Json {
        let key = args.get("key").and_then(Json::as_str).unwrap_or_default();
        let rows = self.store.with_text(M::Parameter, "key", key);
        let row = rows
            .first()
            .and_then(|id| self.store.row(M::Parameter, *id));
        match row {
            Some(row) => Json::from(self.store.get(M::Parameter, row, "value").str()),
            None => args.get("default").cloned().unwrap_or(Json::Bool(false)),
        }
    }
}

fn classic(args: &Vals) -> bool {
    args.get("load").is_none_or(|load| load == "_classic_read")
}

fn object<'a>(args: &'a Vals, name: &str) -> Done<&'a Map<String, Json>> {
    args.get(name)
        .and_then(Json::as_object)
        .ok_or_else(|| Trouble::argument("a dictionary is expected"))
}
