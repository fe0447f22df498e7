//! Looking: search, read and everything built on them.

use super::domain::{self, Condition};
use super::schema::{Kind, M, Magic, Source};
use super::session::Session;
use super::store::Row;
use super::trouble::{Done, Trouble};
use super::value::{Value, float};
use super::version::Version;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value as Json};
use std::cmp::Ordering;

/// What to look for.
#[derive(Debug, Default)]
pub(super) struct Search<'a> {
    pub domain: Option<&'a Json>,
    pub order: Option<&'a str>,
    pub offset: usize,
    pub limit: Option<usize>,
}

impl Session<'_> {
    /// The ids that match, in order.
    pub(super) fn search(&self, model: M, search: &Search<'_>) -> Done<Vec<i64>> {
        let nothing = Json::Null;
        let domain = search.domain.unwrap_or(&nothing);
        let mut condition = Condition::read(self.store, model, domain)?;
        if self.env.active_test
            && !domain::mentions(domain, "active")
            && self.store.schema(model).slot("active").is_some()
        {
            let active = Condition::read(
                self.store,
                model,
                &serde_json::json!([["active", "=", true]]),
            )?;
            condition = Condition::All(vec![condition, active]);
        }
        let order = self.order_of(model, search.order.unwrap_or_else(|| default_order(model)))?;
        if let Some(ids) = self.by_written(model, &condition, &order, search) {
            return Ok(ids);
        }
        let mut rows: Vec<&Row> = match condition.candidates(self.store, model) {
            Some(ids) => ids
                .iter()
                .filter_map(|id| self.store.row(model, *id))
                .filter(|row| condition.test(self.store, model, row))
                .collect(),
            None => self
                .store
                .table(model)
                .rows
                .values()
                .filter(|row| condition.test(self.store, model, row))
                .collect(),
        };
        self.sort(model, &mut rows, &order);
        let ids = rows.into_iter().map(|row| row.id).skip(search.offset);
        Ok(match search.limit {
            Some(limit) => ids.take(limit).collect(),
            None => ids.collect(),
        })
    }

    /// A poll by `write_date`, walked in the order of that index without looking at the rest.
    fn by_written(
        &self,
        model: M,
        condition: &Condition,
        order: &[(usize, bool)],
        search: &Search<'_>,
    ) -> Option<Vec<i64>> {
        let limit = search.limit?;
        let fields = &self.store.schema(model).fields;
        let is = |at: usize, magic: Magic| {
            order.get(at).is_none_or(|(slot, down)| {
                !down && matches!(fields[*slot].source, Source::Magic(own) if own == magic)
            })
        };
        let ordered = order.len() <= 2 && is(0, Magic::Written) && is(1, Magic::Id);
        if order.is_empty() || !ordered || condition.candidates(self.store, model).is_some() {
            return None;
        }
        let since = condition.since(self.store, model)?;
        let table = self.store.table(model);
        let ids = table.by_written.range((since, i64::MIN)..);
        Some(
            ids.filter(|(_, id)| {
                self.store
                    .row(model, *id)
                    .is_some_and(|row| condition.test(self.store, model, row))
            })
            .map(|(_, id)| *id)
            .skip(search.offset)
            .take(limit)
            .collect(),
        )
    }

    fn order_of(&self, model: M, order: &str) -> Done<Vec<(usize, bool)>> {
        let mut slots = Vec::new();
        for part in order.split(',') {
            let mut words = part.split_whitespace();
            let Some(name) = words.next() else { continue };
            let down = words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("desc"));
            let Some((slot, _)) = self.store.schema(model).visible(name) else {
                return Err(Trouble::value(format!(
                    "Invalid field '{name}' on model '{}' for order clause",
                    model.name()
                )));
            };
            slots.push((slot, down));
        }
        Ok(slots)
    }

    fn sort(&self, model: M, rows: &mut [&Row], order: &[(usize, bool)]) {
        let fields = &self.store.schema(model).fields;
        if let [(slot, down)] = order
            && matches!(fields[*slot].source, Source::Magic(Magic::Id))
        {
            // Candidates come by id already.
            if *down {
                rows.reverse();
            }
            return;
        }
        let mut keyed: Vec<(Vec<Value>, &Row)> = rows
            .iter()
            .map(|row| {
                let keys = order
                    .iter()
                    .map(|(slot, _)| self.store.value(model, row, *slot));
                (keys.collect(), *row)
            })
            .collect();
        keyed.sort_by(|(a, row_a), (b, row_b)| {
            for ((left, right), (_, down)) in a.iter().zip(b).zip(order) {
                let ordering = match down {
                    true => right.order(left),
                    false => left.order(right),
                };
                if ordering != Ordering::Equal {
                    return ordering;
                }
            }
            row_a.id.cmp(&row_b.id)
        });
        for (place, (_, row)) in rows.iter_mut().zip(keyed) {
            *place = row;
        }
    }

    /// Records as `read` shows them. Ids that are gone are left out without a word.
    /// Notes which orders are read.
    pub(super) fn look(&mut self, model: M, ids: &[i64]) {
        if model == M::Order {
            self.looked.extend(ids);
        }
    }

    pub(super) fn read(
        &self,
        model: M,
        ids: &[i64],
        fields: Option<&[Json]>,
        classic: bool,
    ) -> Done<Json> {
        let slots = self.slots_of(model, fields)?;
        let mut records = Vec::with_capacity(ids.len());
        for row in ids.iter().filter_map(|id| self.store.row(model, *id)) {
            let mut record = Map::new();
            record.insert("id".to_owned(), Json::from(row.id));
            for &slot in &slots {
                let name = self.store.schema(model).fields[slot].name;
                record.insert(name.to_owned(), self.show(model, row, slot, classic));
            }
            records.push(Json::Object(record));
        }
        Ok(Json::Array(records))
    }

    fn slots_of(&self, model: M, fields: Option<&[Json]>) -> Done<Vec<usize>> {
        let schema = self.store.schema(model);
        let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
            let visible = schema.fields.iter().enumerate();
            return Ok(visible
                .filter(|(_, field)| !field.hidden)
                .map(|(slot, _)| slot)
                .collect());
        };
        fields
            .iter()
            .map(|name| {
                let name = name.as_str().unwrap_or_default();
                schema.visible(name).map(|(slot, _)| slot).ok_or_else(|| {
                    Trouble::value(match self.version() >= Version::V19 {
                        true => format!("Invalid field '{name}' on '{}'", model.name()),
                        false => format!("Invalid field '{name}' on model '{}'", model.name()),
                    })
                })
            })
            .collect()
    }

    fn show(&self, model: M, row: &Row, slot: usize, classic: bool) -> Json {
        let field = &self.store.schema(model).fields[slot];
        let value = self.store.value(model, row, slot);
        match (&field.kind, &value) {
            (Kind::Many2one(target), Value::Ref(id)) if classic => Json::from(vec![
                Json::from(*id),
                Json::from(self.store.name_of(*target, &value)),
            ]),
            (Kind::Float(_), Value::Number(number)) => match field.name {
                "price_tax" => Json::from(self.noisy_tax(model, row, *number)),
                "list_price" | "lst_price" if self.version() < Version::V18 => {
                    Json::from(noisy(*number))
                }
                _ => value.wire(&field.kind),
            },
            _ => value.wire(&field.kind),
        }
    }

    /// A line's tax as a float: 19 subtracts two floats (1.9699999999999989), 16 multiplies by 0.01 (1.1500000000000001).
    fn noisy_tax(&self, model: M, row: &Row, tax: Decimal) -> f64 {
        if self.version() < Version::V18 {
            return noisy(tax);
        }
        let get = |name: &str| float(self.store.get(model, row, name).number());
        get("price_total") - get("price_subtotal")
    }

    /// `fields_get`.
    pub(super) fn fields_get(
        &self,
        model: M,
        names: Option<&[Json]>,
        attributes: Option<&[Json]>,
    ) -> Json {
        let wanted = |name: &str| {
            attributes.is_none_or(|attributes| {
                attributes.is_empty() || attributes.iter().any(|a| a.as_str() == Some(name))
            })
        };
        let mut all = Map::new();
        for field in &self.store.schema(model).fields {
            let named = names.is_none_or(|names| {
                names.is_empty() || names.iter().any(|name| name.as_str() == Some(field.name))
            });
            let closed = field.name == "credit_limit" && !self.env.sees_accounting;
            if field.hidden || closed || !named {
                continue;
            }
            let mut shown = Map::new();
            let mut put = |name: &str, value: Json| {
                if wanted(name) {
                    shown.insert(name.to_owned(), value);
                }
            };
            put("type", Json::from(field.kind.word()));
            put("string", Json::from(field.label));
            put("required", Json::from(field.required));
            put("readonly", Json::from(field.derived));
            put("store", Json::from(field.stored()));
            put("searchable", Json::from(true));
            if let Kind::Float(digits) = field.kind {
                let told = match (digits, field.name) {
                    (Some(digits), _) => Json::from(vec![16, digits]),
                    // Declared with 0 digits, which means "not rounded", and told so.
                    (None, "currency_rate") => Json::from(0),
                    (None, _) => Json::Bool(false),
                };
                put("digits", told);
            }
            if let Some(target) = field.kind.relation() {
                put("relation", Json::from(target.name()));
            }
            if let Kind::One2many(_, back) = field.kind {
                put("relation_field", Json::from(back));
            }
            if let Kind::Selection(options) = field.kind {
                let pairs = options
                    .iter()
                    .map(|(value, label)| Json::from(vec![*value, *label]));
                put("selection", pairs.collect());
            }
            all.insert(field.name.to_owned(), Json::Object(shown));
        }
        Json::Object(all)
    }
}

/// A number as the float arithmetic of 16 leaves it: a count of hundredths times 0.01.
fn noisy(number: Decimal) -> f64 {
    let hundredths = (number * Decimal::ONE_HUNDRED).round();
    match hundredths == number * Decimal::ONE_HUNDRED {
        true => hundredths.to_f64().unwrap_or_default() * 0.01,
        false => float(number),
    }
}

fn default_order(model: M) -> &'static str {
    match model {
        M::Order => "date_order desc, id desc",
        M::Line => "order_id, sequence, id",
        M::Partner => "name, id desc",
        M::Product => "default_code, id",
        M::Template | M::Country => "name, id",
        M::State => "code, id",
        _ => "id",
    }
}
