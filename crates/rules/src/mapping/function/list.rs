//! Lists: lines, shipping, tags.

use super::{Answer, error, number_of, text_of};
use crate::mapping::expression::to_text;
use comptoir_model::Decimal;
use rhai::{Array, Dynamic, Engine, Map};

/// Elements of a list that `pluck` takes, at most.
const ELEMENTS: usize = 1_000;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("count", |items: &mut Array| items.len() as i64);
    engine.register_fn("len", |items: &mut Array| items.len() as i64);
    engine.register_fn(
        "contains",
        |items: &mut Array, wanted: Dynamic| -> Answer<bool> {
            let wanted = text_of(&wanted)?;
            Ok(items
                .iter()
                .any(|item| to_text(item).as_deref() == Some(&wanted)))
        },
    );
    engine.register_fn("contains", |fields: &mut Map, name: &str| {
        fields.contains_key(name)
    });
    engine.register_fn("sum", |items: &mut Array, field: &str| -> Answer<Decimal> {
        let mut sum = Decimal::ZERO;
        for item in items.iter() {
            let number = number_of(&field_of(item, field)?)?;
            sum = sum
                .checked_add(number)
                .ok_or_else(|| error("the sum is too large"))?;
        }
        Ok(sum)
    });
    engine.register_fn(
        "any",
        |items: &mut Array, field: &str, pattern: &str| -> Answer<bool> {
            for item in items.iter() {
                if holds(item, field, pattern)? {
                    return Ok(true);
                }
            }
            Ok(false)
        },
    );
    engine.register_fn(
        "all",
        |items: &mut Array, field: &str, pattern: &str| -> Answer<bool> {
            for item in items.iter() {
                if !holds(item, field, pattern)? {
                    return Ok(false);
                }
            }
            Ok(true)
        },
    );
    engine.register_fn("pluck", |items: &mut Array, field: &str| -> Answer<Array> {
        items
            .iter()
            .take(ELEMENTS)
            .map(|item| field_of(item, field))
            .collect()
    });
}

fn holds(item: &Dynamic, field: &str, pattern: &str) -> Answer<bool> {
    let text = text_of(&field_of(item, field)?)?;
    Ok(crate::table::fits_pattern(pattern, &text))
}

/// A field of an element: `"sku"`, or `"attributes.size"`.
fn field_of(item: &Dynamic, field: &str) -> Answer<Dynamic> {
    let mut here = item.clone();
    for (depth, name) in field.split('.').enumerate() {
        let map = here
            .as_map_ref()
            .map_err(|_| error(format!("the elements of this list have no field `{field}`")))?;
        let next = map.get(name).cloned();
        drop(map);
        here = match next {
            Some(next) => next,
            // What is open may be missing; what the order defines is always there.
            None if depth > 0 => return Ok(Dynamic::UNIT),
            None => {
                return Err(error(format!(
                    "the elements of this list have no field `{field}`"
                )));
            }
        };
    }
    Ok(here)
}
