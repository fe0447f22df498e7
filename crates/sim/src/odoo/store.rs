//! The database: tables of records with hash indexes, external ids, and transactions that can be rolled back.

use super::schema::{Field, Kind, M, Magic, Schema, Source};
use super::value::Value;
use super::version::Version;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub id: i64,
    /// One value per field of the schema; only stored ones are used.
    pub slots: Vec<Value>,
    pub created: Timestamp,
    pub creator: i64,
    pub written: Timestamp,
    pub writer: i64,
    /// The transaction that wrote it last.
    pub turn: u64,
}

/// What an index goes by. Texts are lower-cased, so that `=ilike` can use it; what is found is always checked again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Id(i64),
    Text(String),
}

impl Key {
    pub(super) fn of(value: &Value) -> Option<Key> {
        match value {
            Value::Ref(id) | Value::Int(id) => Some(Key::Id(*id)),
            Value::Text(text) => Some(Key::Text(text.to_lowercase())),
            _ => None,
        }
    }
}

/// The records of one model.
#[derive(Default)]
pub(super) struct Table {
    pub rows: BTreeMap<i64, Row>,
    indexes: HashMap<usize, HashMap<Key, Vec<i64>>>,
    /// By the time of the last write.
    pub by_written: BTreeSet<(Timestamp, i64)>,
    /// The highest id given so far. Not given back when a transaction is rolled back.
    last_id: i64,
}

impl Table {
    /// The ids that an index holds for a key; none when the field has no index.
    pub(super) fn indexed(&self, slot: usize, key: &Key) -> Option<&[i64]> {
        let index = self.indexes.get(&slot)?;
        Some(index.get(key).map_or(&[], Vec::as_slice))
    }

    /// Moves a record in the indexes from what it was to what it is.
    fn reindex(&mut self, before: Option<&Row>, after: Option<&Row>) {
        let place = |row: Option<&Row>| row.map(|row| (row.written, row.id));
        if place(before) != place(after) {
            before.map(|row| self.by_written.remove(&(row.written, row.id)));
            after.map(|row| self.by_written.insert((row.written, row.id)));
        }
        for (slot, index) in &mut self.indexes {
            let (old, new) = (
                before.map(|r| &r.slots[*slot]),
                after.map(|r| &r.slots[*slot]),
            );
            // Most writes leave what is indexed alone.
            if old == new {
                continue;
            }
            if let Some((row, key)) = before.zip(old.and_then(Key::of)) {
                withdraw(index, &key, row.id);
            }
            if let Some((row, key)) = after.zip(new.and_then(Key::of)) {
                let ids = index.entry(key).or_default();
                if let Err(at) = ids.binary_search(&row.id) {
                    ids.insert(at, row.id);
                }
            }
        }
    }
}

fn withdraw(index: &mut HashMap<Key, Vec<i64>>, key: &Key, id: i64) {
    if let Some(ids) = index.get_mut(key) {
        if let Ok(at) = ids.binary_search(&id) {
            ids.remove(at);
        }
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

/// One step that can be taken back: what the record was before.
struct Undo {
    model: M,
    id: i64,
    before: Option<Row>,
}

/// The database.
pub(super) struct Store {
    pub version: Version,
    schemas: Vec<Schema>,
    tables: Vec<Table>,
    undo: Vec<Undo>,
    /// Transactions that ended well so far.
    pub turn: u64,
    /// The last number given to an order; like ids, numbers of transactions rolled back are lost.
    pub order_number: i64,
    pub picking_number: i64,
    /// The warehouse whose stock the call under way asks for; none for all of them.
    pub warehouse: Option<i64>,
}

impl Store {
    pub(super) fn new(version: Version, schemas: Vec<Schema>) -> Store {
        let tables = schemas
            .iter()
            .map(|schema| Table {
                indexes: schema
                    .fields
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| field.indexed)
                    .map(|(slot, _)| (slot, HashMap::new()))
                    .collect(),
                ..Table::default()
            })
            .collect();
        Store {
            version,
            schemas,
            tables,
            undo: Vec::new(),
            turn: 0,
            order_number: 0,
            picking_number: 0,
            warehouse: None,
        }
    }

    pub(super) fn schema(&self, model: M) -> &Schema {
        &self.schemas[model as usize]
    }

    pub(super) fn table(&self, model: M) -> &Table {
        &self.tables[model as usize]
    }

    pub(super) fn row(&self, model: M, id: i64) -> Option<&Row> {
        self.table(model).rows.get(&id)
    }

    /// The slot of a field that the simulator itself names.
    pub(super) fn slot(&self, model: M, name: &str) -> usize {
        // A name that is in no schema would be a mistake here; the last slot is then a harmless magic one.
        let schema = self.schema(model);
        schema.slot(name).unwrap_or(schema.fields.len() - 1)
    }

    /// A field of a record.
    pub(super) fn get(&self, model: M, row: &Row, name: &str) -> Value {
        match self.schema(model).slot(name) {
            Some(slot) => self.value(model, row, slot),
            None => Value::Empty,
        }
    }

    /// A field of a record, by slot.
    pub(super) fn value(&self, model: M, row: &Row, slot: usize) -> Value {
        let field = &self.schema(model).fields[slot];
        match field.source {
            Source::Stored => row.slots[slot].clone(),
            Source::Via(link, name) => self.via(model, row, link, name),
            Source::Inverse => self.many(field, row.id),
            Source::Computed(how) => how(self, row),
            Source::Magic(magic) => match magic {
                Magic::Id => Value::Int(row.id),
                Magic::DisplayName => Value::text(self.display(model, row)),
                Magic::Created => Value::Time(row.created),
                Magic::Creator => Value::Ref(row.creator),
                Magic::Written => Value::Time(row.written),
                Magic::Writer => Value::Ref(row.writer),
            },
        }
    }

    fn via(&self, model: M, row: &Row, link: &str, name: &str) -> Value {
        let schema = self.schema(model);
        let Some(slot) = schema.slot(link) else {
            return Value::Empty;
        };
        let Kind::Many2one(target) = schema.fields[slot].kind else {
            return Value::Empty;
        };
        self.follow(target, &self.value(model, row, slot), name)
    }

    /// A field of the record that a many2one points at.
    pub(super) fn follow(&self, model: M, link: &Value, name: &str) -> Value {
        match link.id().and_then(|id| self.row(model, id)) {
            Some(row) => self.get(model, row, name),
            None => Value::Empty,
        }
    }

    fn many(&self, field: &Field, id: i64) -> Value {
        let Kind::One2many(model, back) = field.kind else {
            return Value::Empty;
        };
        let mut ids = self.pointing(model, back, id).to_vec();
        if model == M::Line {
            let slot = self.slot(M::Line, "sequence");
            let sequence = |id: &i64| match self.row(M::Line, *id).map(|row| &row.slots[slot]) {
                Some(Value::Int(sequence)) => *sequence,
                _ => 0,
            };
            ids.sort_by_key(|id| (sequence(id), *id));
        }
        Value::Refs(ids)
    }

    /// The records whose many2one `field` (which must be indexed) points at `id`.
    pub(super) fn pointing(&self, model: M, field: &str, id: i64) -> &[i64] {
        self.table(model)
            .indexed(self.slot(model, field), &Key::Id(id))
            .unwrap_or_default()
    }

    /// The ids under a text in an index, whatever its case.
    pub(super) fn with_text(&self, model: M, field: &str, text: &str) -> &[i64] {
        self.table(model)
            .indexed(self.slot(model, field), &Key::Text(text.to_lowercase()))
            .unwrap_or_default()
    }

    /// A new id. Never given twice.
    pub(super) fn next_id(&mut self, model: M) -> i64 {
        let table = &mut self.tables[model as usize];
        table.last_id += 1;
        table.last_id
    }

    /// Makes sure that the next ids are above this one.
    pub(super) fn reserve_ids(&mut self, model: M, up_to: i64) {
        let table = &mut self.tables[model as usize];
        table.last_id = table.last_id.max(up_to);
    }

    /// An empty record.
    pub(super) fn blank(&self, model: M, id: i64, uid: i64, now: Timestamp) -> Row {
        Row {
            id,
            slots: vec![Value::Empty; self.schema(model).fields.len()],
            created: now,
            creator: uid,
            written: now,
            writer: uid,
            turn: self.turn + 1,
        }
    }

    /// Stores a record in place of the one of that id.
    pub(super) fn put(&mut self, model: M, mut row: Row) {
        row.turn = self.turn + 1;
        let id = row.id;
        let before = self.set(model, id, Some(row));
        self.undo.push(Undo { model, id, before });
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, model: M, id: i64) {
        let before = self.set(model, id, None);
        self.undo.push(Undo { model, id, before });
    }

    fn set(&mut self, model: M, id: i64, row: Option<Row>) -> Option<Row> {
        let table = &mut self.tables[model as usize];
        let before = table.rows.remove(&id);
        table.reindex(before.as_ref(), row.as_ref());
        if let Some(row) = row {
            table.rows.insert(id, row);
        }
        before
    }

    /// Where a transaction stands, to come back to.
    pub(super) fn savepoint(&self) -> usize {
        self.undo.len()
    }

    /// Takes back everything since.
    pub(super) fn roll_back(&mut self, savepoint: usize) {
        while self.undo.len() > savepoint {
            if let Some(undo) = self.undo.pop() {
                self.set(undo.model, undo.id, undo.before);
            }
        }
    }

    /// Ends the transaction; answers which records it wrote.
    pub(super) fn commit(&mut self) -> BTreeSet<(M, i64)> {
        let mut touched = BTreeSet::new();
        for undo in self.undo.drain(..) {
            touched.insert((undo.model, undo.id));
            // A deleted line is a change of the order it was in.
            if undo.model == M::Line
                && let Some(order) = undo.before.as_ref().and_then(|row| {
                    let slot = self.schemas[M::Line as usize].slot("order_id")?;
                    row.slots[slot].id()
                })
            {
                touched.insert((M::Order, order));
            }
        }
        if !touched.is_empty() {
            self.turn += 1;
        }
        touched
    }

    /// The record of an external id (`module.name`).
    pub(super) fn external(&self, key: &str) -> Option<&Row> {
        let (module, name) = split_key(key);
        let slots = (self.slot(M::Data, "module"), self.slot(M::Data, "name"));
        self.with_text(M::Data, "name", name)
            .iter()
            .filter_map(|id| self.row(M::Data, *id))
            .find(|row| row.slots[slots.0].str() == module && row.slots[slots.1].str() == name)
    }

    /// The external ids of a record.
    pub(super) fn keys_of(&self, model: M, id: i64) -> Vec<&Row> {
        let slot = self.slot(M::Data, "model");
        self.pointing(M::Data, "res_id", id)
            .iter()
            .filter_map(|data| self.row(M::Data, *data))
            .filter(|row| row.slots[slot].str() == model.name())
            .collect()
    }

    /// The first external id of a record, as `module.name`.
    pub(super) fn key_of(&self, model: M, id: i64) -> Option<String> {
        let row = *self.keys_of(model, id).first()?;
        Some(self.get(M::Data, row, "complete_name").str().to_owned())
    }
}

/// `module.name` in two; a key without a dot belongs to the import's own module.
pub(super) fn split_key(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or(("__import__", key))
}
