//! One transaction: who acts, when, in which context; create, write and unlink of records.

use super::Rounding;
use super::schema::{Field, Kind, M, Source};
use super::store::{Row, Store};
use super::trouble::{Done, Trouble};
use super::value::{Value, coerce, repr};
use super::version::Version;
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Values by field, as `create` and `write` take them.
pub(super) type Vals = Map<String, Json>;

/// Who acts, when, and how.
#[derive(Debug, Clone)]
pub(super) struct Env {
    pub uid: i64,
    /// Start of the transaction: what `write_date` becomes.
    pub now: Timestamp,
    /// The last transaction that this one can see.
    pub snapshot: u64,
    pub active_test: bool,
    pub tz: Option<String>,
    pub disable_cancel_warning: bool,
    pub company: i64,
    /// `load` as a module update: what has its external id already and is marked is left alone.
    pub update_mode: bool,
    /// External ids made now are marked so.
    pub noupdate: bool,
    /// Fields of accounting are open to who acts.
    pub sees_accounting: bool,
    /// The warehouse whose stock is asked for.
    pub warehouse: Option<i64>,
}

/// A transaction.
pub(super) struct Session<'a> {
    pub store: &'a mut Store,
    pub env: Env,
    pub rounding: Rounding,
    /// Orders whose totals must be worked out again before the end.
    pub stale: BTreeSet<i64>,
    /// Orders that were read.
    pub looked: BTreeSet<i64>,
}

/// What is left to do after the record's own columns are set.
#[derive(Default)]
struct Later {
    commands: Vec<(M, &'static str, Json)>,
    through: Vals,
}

impl Session<'_> {
    pub(super) fn version(&self) -> Version {
        self.store.version
    }

    /// Creates one record.
    pub(super) fn create(&mut self, model: M, vals: &Vals) -> Done<i64> {
        self.check_fields(model, vals)?;
        let mut vals = vals.clone();
        self.before_create(model, &mut vals)?;
        self.check_accounting(model, &vals)?;
        let id = self.store.next_id(model);
        let mut row = self.store.blank(model, id, self.env.uid, self.env.now);
        let later = self.assign(model, &mut row, &vals)?;
        if model == M::Product
            && row.slots[self.store.slot(model, "product_tmpl_id")]
                .id()
                .is_none()
        {
            let template = self.create_template(&later.through)?;
            let slot = self.store.slot(model, "product_tmpl_id");
            row.slots[slot] = Value::Ref(template);
        }
        let has_template = model == M::Product && vals.contains_key("product_tmpl_id");
        self.complete(model, &mut row, &vals)?;
        self.check_required(model, &row)?;
        self.store.put(model, row);
        if has_template && !later.through.is_empty() {
            self.write_through(model, id, &later.through)?;
        }
        self.run_commands(id, later.commands)?;
        self.after_write(model, id, &vals, true)?;
        Ok(id)
    }

    /// Writes on records. Their `write_date` moves even when nothing changes.
    pub(super) fn write(&mut self, model: M, ids: &[i64], vals: &Vals) -> Done<()> {
        self.check_fields(model, vals)?;
        for &id in ids {
            let Some(row) = self.store.row(model, id) else {
                return Err(Trouble::missing(model.name(), id, self.env.uid));
            };
            let before = row.clone();
            let mut row = row.clone();
            self.before_write(model, &row, vals)?;
            let later = self.assign(model, &mut row, vals)?;
            row.written = self.env.now;
            row.writer = self.env.uid;
            self.adjust(model, &before, &mut row, vals)?;
            self.check_required(model, &row)?;
            self.store.put(model, row);
            if !later.through.is_empty() {
                self.write_through(model, id, &later.through)?;
            }
            self.run_commands(id, later.commands)?;
            self.after_write(model, id, vals, false)?;
        }
        Ok(())
    }

    /// Deletes records, with what belongs to them and their external ids.
    pub(super) fn unlink(&mut self, model: M, ids: &[i64]) -> Done<()> {
        for &id in ids {
            if self.store.row(model, id).is_none() {
                return Err(Trouble::missing(model.name(), id, self.env.uid));
            }
            self.before_unlink(model, id)?;
            let data: Vec<i64> = self
                .store
                .keys_of(model, id)
                .iter()
                .map(|row| row.id)
                .collect();
            for data in data {
                self.store.remove(M::Data, data);
            }
            self.store.remove(model, id);
        }
        Ok(())
    }

    /// 18 and 19 copy a customer's accounting fields to each address below it, as who makes the address.
    fn check_accounting(&self, model: M, vals: &Vals) -> Done<()> {
        let parent = vals.get("parent_id").and_then(Json::as_i64);
        let copies = model == M::Partner && self.version().copies_credit() && parent.is_some();
        if self.env.sees_accounting || !copies {
            return Ok(());
        }
        Err(Trouble::access(
            "You do not have enough rights to access the field \"credit_limit\" on Contact (res.partner). Please contact your system administrator.",
        ))
    }

    fn check_fields(&self, model: M, vals: &Vals) -> Done<()> {
        let schema = self.store.schema(model);
        match vals.keys().find(|name| schema.visible(name).is_none()) {
            None => Ok(()),
            Some(name) => Err(Trouble::value(match self.version() >= Version::V19 {
                true => format!("Invalid field '{name}' in '{}'", model.name()),
                false => format!("Invalid field '{name}' on model '{}'", model.name()),
            })),
        }
    }

    /// Sets the columns that `vals` names. Fields that are worked out are ignored, as Odoo does without a word.
    fn assign(&mut self, model: M, row: &mut Row, vals: &Vals) -> Done<Later> {
        let mut later = Later::default();
        for (name, json) in vals {
            let schema = self.store.schema(model);
            let Some((slot, field)) = schema.visible(name) else {
                continue;
            };
            match (&field.kind, field.source) {
                (Kind::One2many(many, back), _) => {
                    later.commands.push((*many, back, json.clone()));
                }
                (_, Source::Via(_, target)) if model == M::Product => {
                    later.through.insert(target.to_owned(), json.clone());
                }
                (_, Source::Via(..) | Source::Computed(_) | Source::Magic(_)) => {}
                _ if field.derived => {}
                (Kind::Many2many(_), _) => {
                    let ids = commands_of_many(&row.slots[slot], json);
                    self.check_targets(model, field, &ids)?;
                    row.slots[slot] = Value::Refs(ids);
                }
                (Kind::Many2one(_), _) => {
                    let value = coerce(model.name(), field, json)?;
                    self.check_targets(model, field, value.ids())?;
                    row.slots[slot] = value;
                }
                _ => row.slots[slot] = coerce(model.name(), field, json)?,
            }
        }
        Ok(later)
    }

    fn check_targets(&self, model: M, field: &Field, ids: &[i64]) -> Done<()> {
        let Some(target) = field.kind.relation() else {
            return Ok(());
        };
        match ids.iter().find(|id| self.store.row(target, **id).is_none()) {
            None => Ok(()),
            Some(_) => Err(dangling(self.version(), model, field)),
        }
    }

    fn check_required(&self, model: M, row: &Row) -> Done<()> {
        // A section or a note of an order has neither product nor price.
        let schema = self.store.schema(model);
        let missing = schema.fields.iter().enumerate().find(|(slot, field)| {
            field.required
                && matches!(field.source, Source::Stored)
                && row.slots[*slot] == Value::Empty
        });
        match missing {
            None => Ok(()),
            Some((_, field)) => Err(mandatory(self.version(), model, field)),
        }
    }

    /// The commands of a one2many.
    fn run_commands(&mut self, id: i64, commands: Vec<(M, &'static str, Json)>) -> Done<()> {
        for (model, back, json) in commands {
            let Json::Array(items) = json else { continue };
            for item in &items {
                self.run_command(id, model, back, item)?;
            }
        }
        Ok(())
    }

    fn run_command(&mut self, id: i64, model: M, back: &'static str, item: &Json) -> Done<()> {
        let code = item.get(0).and_then(Json::as_i64);
        let target = item.get(1).and_then(Json::as_i64).unwrap_or_default();
        let empty = Vals::new();
        let vals = item.get(2).and_then(Json::as_object).unwrap_or(&empty);
        let link = Vals::from_iter([(back.to_owned(), Json::from(id))]);
        match code {
            Some(0) => {
                let mut vals = vals.clone();
                vals.insert(back.to_owned(), Json::from(id));
                self.create(model, &vals).map(drop)
            }
            Some(1) => self.write(model, &[target], vals),
            Some(2 | 3) => self.unlink(model, &[target]),
            Some(4) => {
                let there = self.store.pointing(model, back, id).contains(&target);
                if there {
                    Ok(())
                } else {
                    self.write(model, &[target], &link)
                }
            }
            Some(5) => {
                let all = self.store.pointing(model, back, id).to_vec();
                self.unlink(model, &all)
            }
            Some(6) => {
                let keep: Vec<i64> = item
                    .get(2)
                    .and_then(Json::as_array)
                    .map(|ids| ids.iter().filter_map(Json::as_i64).collect())
                    .unwrap_or_default();
                let mut gone = self.store.pointing(model, back, id).to_vec();
                gone.retain(|line| !keep.contains(line));
                self.unlink(model, &gone)?;
                self.write(model, &keep, &link)
            }
            _ => Err(Trouble::value(format!(
                "Wrong value for {}.{back}: {}",
                model.name(),
                repr(item)
            ))),
        }
    }

    /// Gives a record an external id.
    pub(super) fn register(&mut self, key: &str, model: M, res_id: i64) -> Done<()> {
        let (module, name) = super::store::split_key(key);
        let vals = Vals::from_iter([
            ("module".to_owned(), Json::from(module)),
            ("name".to_owned(), Json::from(name)),
            ("model".to_owned(), Json::from(model.name())),
            ("res_id".to_owned(), Json::from(res_id)),
            ("noupdate".to_owned(), Json::from(self.env.noupdate)),
        ]);
        self.create(M::Data, &vals).map(drop)
    }
}

/// The ids of a many2many after commands, or after a plain list of ids.
fn commands_of_many(before: &Value, json: &Json) -> Vec<i64> {
    let mut ids = before.ids().to_vec();
    let Json::Array(items) = json else {
        return Vec::new();
    };
    if items.iter().any(Json::is_i64) {
        return items.iter().filter_map(Json::as_i64).collect();
    }
    for item in items {
        let target = item.get(1).and_then(Json::as_i64).unwrap_or_default();
        match item.get(0).and_then(Json::as_i64) {
            Some(4) if !ids.contains(&target) => ids.push(target),
            Some(2 | 3) => ids.retain(|id| *id != target),
            Some(5) => ids.clear(),
            Some(6) => {
                ids = item
                    .get(2)
                    .and_then(Json::as_array)
                    .map(|ids| ids.iter().filter_map(Json::as_i64).collect())
                    .unwrap_or_default();
            }
            _ => {}
        }
    }
    ids
}

/// A many2one to nothing. The real text speaks of deleting, too.
fn dangling(version: Version, model: M, field: &Field) -> Trouble {
    let (title, name) = (model.title(), model.name());
    Trouble::validation(if version >= Version::V18 {
        format!(
            "The operation cannot be completed: Another model is using the record you are trying to delete.\n\nThe troublemaker is: '{title}' ({name})\nThanks to the following constraint: '{}' ({})\nHow about archiving the record instead?",
            field.label, field.name
        )
    } else {
        format!(
            "The operation cannot be completed: another model requires the record being deleted. If possible, archive it instead.\n\nModel: {title} ({name})\nConstraint: {}_{}_fkey\n",
            name.replace('.', "_"),
            field.name
        )
    })
}

fn mandatory(version: Version, model: M, field: &Field) -> Trouble {
    let (title, name) = (model.title(), model.name());
    let mut trouble = Trouble::validation(if version >= Version::V18 {
        format!(
            "The operation cannot be completed: Missing required value for the field '{}' ({}).\nModel: '{title}' ({name})\n- create/update: a mandatory field is not set\n- delete: another model requires the record being deleted, you can archive it instead\n",
            field.label, field.name
        )
    } else {
        format!(
            "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n- Delete: another model requires the record being deleted. If possible, archive it instead.\n\nModel: {title} ({name})\nField: {} ({})\n",
            field.label, field.name
        )
    });
    trouble.field = Some((field.label, field.name));
    trouble
}
