//! `load`: create once by external id, update ever after, all or nothing.

use super::cell::{blank, plain};
use super::schema::{Kind, M};
use super::session::{Session, Vals};
use super::trouble::{Done, Trouble};
use super::value::{decimal, repr};
use super::version::Version;
use serde_json::{Map, Value as Json, json};

/// What two clients that load one new external id at once get: the loser.
pub(super) const CONFLICT: &str = "could not serialize access due to concurrent update\n";

/// A column: `country_id/id` is the external id in the field `country_id`.
struct Column {
    at: usize,
    name: String,
    rest: Option<String>,
}

/// One record of the call: its first row and its last.
struct Group<'a> {
    from: usize,
    rows: Vec<&'a [Json]>,
}

/// A record read from its cells.
#[derive(Default)]
struct Parsed {
    key: Option<String>,
    id: Option<i64>,
    vals: Vals,
    /// Records below it, with their model and the field that points back.
    below: Vec<(M, &'static str, Parsed)>,
}

/// Why a cell cannot be read.
pub(super) struct Unreadable {
    field: String,
    label: String,
    message: String,
    more: Option<Json>,
}

impl Session<'_> {
    /// The answer is always `ids`, `messages` and `nextrow`; any error makes `ids` false and undoes everything.
    pub(super) fn load(
        &mut self,
        model: M,
        fields: &[Json],
        data: &[Json],
        race: bool,
    ) -> Done<Json> {
        let columns = self.columns(model, fields)?;
        let groups = self.groups(model, &columns, data);
        let savepoint = self.store.savepoint();
        let stale = self.stale.clone();
        let mut ids = Vec::new();
        let mut messages = Vec::new();
        let mut whole: Option<Json> = None;
        for (record, group) in groups.iter().enumerate() {
            let before = self.store.savepoint();
            let to = group.from + group.rows.len() - 1;
            let place = json!({"from": group.from, "to": to});
            match self.parse(model, &columns, &group.rows) {
                Err(unreadable) => messages.push(unreadable.message(place, record)),
                Ok(parsed) if self.loses(&parsed, race) => {
                    messages = vec![failure(place, record, CONFLICT, None)];
                    break;
                }
                Ok(parsed) => match self.upsert(model, &parsed) {
                    Ok(id) => ids.push(id),
                    Err(trouble) => {
                        self.store.roll_back(before);
                        if whole.is_none() && self.version() >= Version::V18 && by_rule(&trouble) {
                            let first = groups.first().map_or(0, |group| group.rows.len() - 1);
                            let place = json!({"from": 0, "to": first});
                            whole = Some(failure(place, 0, &trouble.message, None));
                        }
                        messages.push(self.refusal(place, record, &trouble));
                    }
                },
            }
            if messages.len() >= 10 && messages.len() >= record / 10 {
                messages.push(json!({"type": "warning", "message": "Found more than 10 errors and more than one error per 10 records, interrupted to avoid showing too many errors."}));
                break;
            }
        }
        if messages.is_empty() {
            return Ok(json!({"ids": ids, "messages": [], "nextrow": 0}));
        }
        // Odoo tries all of them first, keeps what a rule said then, and puts it in front, at the first record of the call, whoever it meant.
        if let Some(whole) = whole.filter(|whole| !messages.contains(whole)) {
            messages.insert(0, whole);
        }
        self.store.roll_back(savepoint);
        self.stale = stale;
        Ok(json!({"ids": false, "messages": messages, "nextrow": 0}))
    }

    /// An error that creating or writing raised, as it stands among the messages.
    fn refusal(&self, place: Json, record: usize, trouble: &Trouble) -> Json {
        if let Some((label, name)) = trouble.field {
            let text = format!("Missing required value for the field '{label}' ({name})");
            let mut message = failure(place, record, &text, None);
            message["field"] = Json::from(name);
            return message;
        }
        if self.version() >= Version::V17 {
            return failure(place, record, &trouble.message, None);
        }
        let text = format!(
            "Unknown error during import: <class '{}'>: {}",
            trouble.name, trouble.message
        );
        failure(place, record, &text, Some("Resolve other errors first"))
    }

    fn columns(&self, model: M, fields: &[Json]) -> Done<Vec<Column>> {
        let unknown = |name: &str| match self.version() >= Version::V18 {
            true => Trouble::value(format!("Invalid field name '{name}'")),
            false => Trouble::key(name),
        };
        let known = |model: M, name: &str| {
            matches!(name, "id" | ".id") || self.store.schema(model).visible(name).is_some()
        };
        let mut columns = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let path = field.as_str().unwrap_or_default();
            let (name, rest) = match path.split_once('/') {
                Some((name, rest)) => (name, Some(rest)),
                None => (path, None),
            };
            if !known(model, name) {
                return Err(unknown(name));
            }
            let target = self.store.schema(model).visible(name);
            let target = target.and_then(|(_, field)| field.kind.relation());
            if let Some(rest) = rest {
                let first = rest.split('/').next().unwrap_or_default();
                if !target.is_some_and(|target| known(target, first)) {
                    return Err(unknown(first));
                }
            }
            columns.push(Column {
                at,
                name: name.to_owned(),
                rest: rest.map(str::to_owned),
            });
        }
        Ok(columns)
    }

    /// Rows whose own columns are empty continue the record above.
    fn groups<'a>(&self, model: M, columns: &[Column], data: &'a [Json]) -> Vec<Group<'a>> {
        let own: Vec<usize> = columns
            .iter()
            .filter(|column| self.many(model, &column.name).is_none())
            .map(|column| column.at)
            .collect();
        let mut groups: Vec<Group<'a>> = Vec::new();
        for (at, row) in data.iter().enumerate() {
            let cells: &[Json] = row.as_array().map_or(&[], Vec::as_slice);
            let filled = |at: &usize| cells.get(*at).is_some_and(|cell| !blank(cell));
            let starts = own.iter().any(filled);
            match groups.last_mut() {
                Some(last) if !starts && cells.iter().any(|cell| !blank(cell)) => {
                    last.rows.push(cells);
                }
                _ => groups.push(Group {
                    from: at,
                    rows: vec![cells],
                }),
            }
        }
        groups
    }

    /// The model and back reference of a one2many field.
    fn many(&self, model: M, name: &str) -> Option<(M, &'static str)> {
        match self.store.schema(model).visible(name)?.1.kind {
            Kind::One2many(many, back) => Some((many, back)),
            _ => None,
        }
    }

    fn parse(
        &self,
        model: M,
        columns: &[Column],
        rows: &[&[Json]],
    ) -> Result<Parsed, Box<Unreadable>> {
        let mut parsed = Parsed::default();
        for column in columns {
            if self.many(model, &column.name).is_some() {
                continue;
            }
            let cell = rows.first().and_then(|row| row.get(column.at));
            self.cell(model, column, cell.unwrap_or(&Json::Null), &mut parsed)?;
        }
        let mut lists: Vec<&str> = Vec::new();
        for column in columns {
            if self.many(model, &column.name).is_some() && !lists.contains(&column.name.as_str()) {
                lists.push(&column.name);
            }
        }
        for list in lists {
            if let Some((many, back)) = self.many(model, list) {
                for below in self.parse_below(model, list, many, columns, rows)? {
                    parsed.below.push((many, back, below));
                }
            }
        }
        Ok(parsed)
    }

    fn parse_below(
        &self,
        model: M,
        list: &str,
        many: M,
        columns: &[Column],
        rows: &[&[Json]],
    ) -> Result<Vec<Parsed>, Box<Unreadable>> {
        let inner: Vec<Column> = columns
            .iter()
            .filter(|column| column.name == list)
            .filter_map(|column| {
                let path = column.rest.as_deref()?;
                let (name, rest) = match path.split_once('/') {
                    Some((name, rest)) => (name, Some(rest.to_owned())),
                    None => (path, None),
                };
                Some(Column {
                    at: column.at,
                    name: name.to_owned(),
                    rest,
                })
            })
            .collect();
        let label = self
            .store
            .schema(model)
            .visible(list)
            .map_or("", |(_, field)| field.label);
        let mut found = Vec::new();
        for row in rows {
            let filled = |column: &Column| row.get(column.at).is_some_and(|cell| !blank(cell));
            if !inner.iter().any(filled) {
                continue;
            }
            let below = self.parse(many, &inner, &[row]).map_err(|mut unreadable| {
                unreadable.field = list.to_owned();
                unreadable.label = format!("{label}/{}", unreadable.label);
                unreadable
            })?;
            found.push(below);
        }
        Ok(found)
    }

    fn cell(
        &self,
        model: M,
        column: &Column,
        cell: &Json,
        parsed: &mut Parsed,
    ) -> Result<(), Box<Unreadable>> {
        match column.name.as_str() {
            "id" => {
                parsed.key = cell
                    .as_str()
                    .filter(|key| !key.is_empty())
                    .map(str::to_owned)
            }
            ".id" if blank(cell) => {}
            ".id" => {
                let id = decimal(cell).and_then(|id| i64::try_from(id).ok());
                let id = id.filter(|id| self.store.row(model, *id).is_some());
                if id.is_none() {
                    return Err(Box::new(Unreadable {
                        field: ".id".to_owned(),
                        label: ".id".to_owned(),
                        message: format!("Unknown database identifier '{}'", plain(cell)),
                        more: None,
                    }));
                }
                parsed.id = id;
            }
            name => {
                let Some((_, field)) = self.store.schema(model).visible(name) else {
                    return Ok(());
                };
                let json = self.convert(field, column.rest.as_deref(), cell).map_err(
                    |(message, more)| Unreadable {
                        field: name.to_owned(),
                        label: field.label.to_owned(),
                        message,
                        more,
                    },
                )?;
                parsed.vals.insert(name.to_owned(), json);
            }
        }
        Ok(())
    }

    /// Whether someone else committed the same key since this call began to look, or the simulator says so.
    fn loses(&self, parsed: &Parsed, race: bool) -> bool {
        let Some(key) = &parsed.key else {
            return false;
        };
        let Some(data) = self.store.external(key) else {
            return race;
        };
        let model = M::of(self.store.get(M::Data, data, "model").str());
        let id = self.store.get(M::Data, data, "res_id").id();
        let row = model
            .zip(id)
            .and_then(|(model, id)| self.store.row(model, id));
        [Some(data), row]
            .into_iter()
            .flatten()
            .any(|row| row.turn > self.env.snapshot && row.turn <= self.store.turn)
    }

    fn upsert(&mut self, model: M, parsed: &Parsed) -> Done<i64> {
        let id = match self.known(model, parsed)? {
            Some(id) if self.left_alone(parsed) => return Ok(id),
            Some(id) => {
                self.write(model, &[id], &parsed.vals)?;
                id
            }
            None => self.create_keyed(model, parsed, None)?,
        };
        for (many, back, below) in &parsed.below {
            match self.known(*many, below)? {
                Some(line) => {
                    let here = self.store.pointing(*many, back, id).contains(&line);
                    let mut vals = below.vals.clone();
                    if !here {
                        vals.insert((*back).to_owned(), Json::from(id));
                    }
                    self.write(*many, &[line], &vals)?;
                }
                None => drop(self.create_keyed(*many, below, Some((back, id)))?),
            }
        }
        Ok(id)
    }

    /// In the mode of a module update, a record whose external id is marked is not updated.
    fn left_alone(&self, parsed: &Parsed) -> bool {
        let data = parsed
            .key
            .as_deref()
            .and_then(|key| self.store.external(key));
        self.env.update_mode
            && self.env.noupdate
            && data.is_some_and(|row| self.store.get(M::Data, row, "noupdate").truthy())
    }

    fn create_keyed(&mut self, model: M, parsed: &Parsed, back: Option<(&str, i64)>) -> Done<i64> {
        let mut vals = parsed.vals.clone();
        if let Some((back, id)) = back {
            vals.insert(back.to_owned(), Json::from(id));
        }
        let id = self.create(model, &vals)?;
        if let Some(key) = &parsed.key {
            self.register(key, model, id)?;
        }
        Ok(id)
    }

    fn known(&self, model: M, parsed: &Parsed) -> Done<Option<i64>> {
        if parsed.id.is_some() {
            return Ok(parsed.id);
        }
        let Some(data) = parsed
            .key
            .as_deref()
            .and_then(|key| self.store.external(key))
        else {
            return Ok(None);
        };
        let other = self.store.get(M::Data, data, "model").str().to_owned();
        if other != model.name() {
            return Err(Trouble::validation(format!(
                "External id {} is of the model {other}",
                repr(&json!(parsed.key))
            )));
        }
        let id = self.store.get(M::Data, data, "res_id").id();
        Ok(id.filter(|id| self.store.row(model, *id).is_some()))
    }
}

/// Whether one of Odoo's own rules refused it, and not the database.
fn by_rule(trouble: &Trouble) -> bool {
    trouble.field.is_none() && trouble.name.starts_with("odoo.exceptions.")
}

fn failure(place: Json, record: usize, text: &str, more: Option<&str>) -> Json {
    let mut message = json!({"rows": place, "record": record, "type": "error", "message": text});
    if let Some(more) = more {
        message["moreinfo"] = Json::from(more);
    }
    message
}

impl Unreadable {
    fn message(&self, place: Json, record: usize) -> Json {
        let mut message = Map::new();
        message.insert("rows".to_owned(), place);
        message.insert("type".to_owned(), Json::from("error"));
        message.insert("record".to_owned(), Json::from(record));
        message.insert("field".to_owned(), Json::from(self.field.as_str()));
        let text = self
            .message
            .replace("field '%'", &format!("field '{}'", self.label));
        message.insert("message".to_owned(), Json::from(text));
        if let Some(more) = &self.more {
            message.insert("moreinfo".to_owned(), more.clone());
        }
        message.insert("field_name".to_owned(), Json::from(self.label.as_str()));
        Json::Object(message)
    }
}
