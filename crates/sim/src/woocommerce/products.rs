//! Products, variations and their batches.

use super::answer::{Answer, Answered};
use super::batch::{self, Batch};
use super::listing::answer_list;
use super::order::{Line, Meta};
use super::product::Product;
use super::query::Query;
use super::state::{State, second};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

/// `GET /products`, `GET /variations`, `GET /products/ID/variations`.
pub(crate) fn list(state: &State, query: &Query, of: Of) -> Answered {
    let page = query.page()?;
    let after = query.date("modified_after", &state.look.zone)?;
    let before = query.date("modified_before", &state.look.zone)?;
    let skus = query.list("sku");
    let include = query.ids("include").filter(|ids| !ids.is_empty());
    let search = query.get("search").map(str::to_lowercase);
    let status = query.get("status").unwrap_or("any");
    let kind = query.get("type");
    let mut found: Vec<&Product> = state
        .products
        .values()
        .filter(|product| of.covers(product, skus.is_some()))
        .filter(|product| {
            skus.as_ref()
                .is_none_or(|skus| skus.contains(&product.sku.as_str()))
        })
        .filter(|product| include.as_ref().is_none_or(|ids| ids.contains(&product.id)))
        .filter(|product| status == "any" || product.status == status)
        .filter(|product| kind.is_none_or(|kind| product.kind == kind))
        .filter(|product| {
            search.as_ref().is_none_or(|text| {
                product.name.to_lowercase().contains(text) || product.sku.to_lowercase() == *text
            })
        })
        .filter(|product| after.is_none_or(|at| product.modified > at))
        .filter(|product| before.is_none_or(|at| product.modified < at))
        .collect();
    let words = [
        "date",
        "id",
        "include",
        "title",
        "slug",
        "modified",
        "menu_order",
        "price",
    ];
    match query.one_of("orderby", &words, "date")? {
        "modified" => found.sort_by_key(|product| (product.modified, product.id)),
        "title" | "slug" => found.sort_by_key(|product| product.name.clone()),
        _ => found.sort_by_key(|product| product.id),
    }
    if query.one_of("order", &["asc", "desc"], "desc")? == "desc" {
        found.reverse();
    }
    let total = found.len();
    let documents = page
        .of(&found)
        .iter()
        .map(|product| product.json(&state.look));
    answer_list(
        documents.collect(),
        total,
        page,
        &of.path(),
        query,
        &state.look,
    )
}

/// Which products a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Products; variations too when SKUs are named, not when ids are.
    Products,
    /// Variations of one product.
    Variations(u64),
    /// Every variation.
    AllVariations,
}

impl Of {
    fn covers(self, product: &Product, named: bool) -> bool {
        match self {
            Of::Products => named || product.kind != "variation",
            Of::Variations(parent) => product.kind == "variation" && product.parent == parent,
            Of::AllVariations => product.kind == "variation",
        }
    }

    fn path(self) -> String {
        match self {
            Of::Products => "products".to_owned(),
            Of::Variations(parent) => format!("products/{parent}/variations"),
            Of::AllVariations => "variations".to_owned(),
        }
    }
}

/// `GET /products/ID`; for a variation also under its parent.
pub(crate) fn read(state: &State, id: u64, parent: Option<u64>) -> Answered {
    Ok(Answer::ok(&there(state, id, parent)?.json(&state.look)))
}

fn there(state: &State, id: u64, parent: Option<u64>) -> Result<&Product, Answer> {
    let product = state.products.get(&id);
    let fits = |product: &&Product| parent.is_none_or(|parent| product.parent == parent);
    let kind = parent.map_or("product", |_| "product_variation");
    product.filter(fits).ok_or_else(|| Answer::no_such(kind))
}

/// `POST /products`.
pub(crate) fn create(state: &mut State, body: &Value) -> Answered {
    check(body)?;
    free_sku(state, body, None)?;
    let now = second(Timestamp::now());
    let id = state.ids.post();
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut product = Product::named(id, name, now);
    apply(state, &mut product, body);
    state.writes += 1;
    let document = written(state, &product);
    state.add_product(product);
    state.hooks.fire("product.created", id);
    let place = state.look.api(&format!("products/{id}"));
    Ok(Answer::created(&document, place))
}

/// `PUT /products/ID`; for a variation also under its parent.
pub(crate) fn update(state: &mut State, id: u64, parent: Option<u64>, body: &Value) -> Answered {
    check(body)?;
    put(state, id, parent, body)
}

/// What a batch does: nothing is validated.
fn put(state: &mut State, id: u64, parent: Option<u64>, body: &Value) -> Answered {
    let mut product = there(state, id, parent)?.clone();
    if product.kind == "variation" && parent.is_none() {
        return Err(Answer::error(
            404,
            "woocommerce_rest_invalid_product_id",
            "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.",
        ));
    }
    free_sku(state, body, Some(id))?;
    let sku = product.sku.clone();
    apply(state, &mut product, body);
    state.move_sku(&sku, &product.sku, id);
    state.writes += 1;
    // Even the same value moves the date, and so does a quantity of a product that is not counted, which is not kept.
    let now = second(Timestamp::now());
    product.modified = now;
    let document = written(state, &product);
    state.products.insert(id, product);
    state.modify_product(id, now);
    state.hooks.fire("product.updated", id);
    Ok(Answer::ok(&document))
}

/// The answer to a write: it shows how the product's address is made.
fn written(state: &State, product: &Product) -> Value {
    let mut document = product.json(&state.look);
    if product.kind != "variation" {
        document["permalink_template"] = format!("{}/product/%pagename%/", state.look.home).into();
        document["generated_slug"] = document["slug"].clone();
    }
    document
}

/// `DELETE /products/ID?force=true`.
pub(crate) fn delete(state: &mut State, id: u64) -> Answered {
    let document = there(state, id, None)?.json(&state.look);
    if let Some(product) = state.products.remove(&id) {
        state.move_sku(&product.sku, "", id);
        forget(state, id);
    }
    state.writes += 1;
    state.hooks.fire("product.deleted", id);
    Ok(Answer::ok(&document))
}

/// Lines of orders whose product is gone show product 0 and no SKU; the orders' date of change does not move.
fn forget(state: &mut State, product: u64) {
    let of = |line: &Line| line.product == product || line.variation == product;
    let orders = state.orders().filter(|order| order.lines.iter().any(of));
    let orders: Vec<u64> = orders.map(|order| order.id).collect();
    for id in orders {
        state.touch(id, |order| {
            for line in order.lines.iter_mut().filter(|line| of(line)) {
                (line.product, line.variation) = (0, 0);
                line.sku = None;
                line.gtin.clear();
            }
        });
    }
}

/// `POST /products/batch` and `POST /products/ID/variations/batch`.
pub(crate) fn batch(state: &mut State, parent: Option<u64>, body: &Value) -> Answered {
    batch::run(state, body, |state, item| match item {
        Batch::Create(body) => create(state, body),
        Batch::Update(id, body) => put(state, id, parent, body),
        Batch::Delete(id) => delete(state, id),
    })
}

/// Types WordPress insists on: prices and SKUs are text, stock is a number.
fn check(body: &Value) -> Result<(), Answer> {
    for field in [
        "regular_price",
        "sale_price",
        "sku",
        "name",
        "weight",
        "global_unique_id",
    ] {
        if body.get(field).is_some_and(|value| !value.is_string()) {
            return Err(Answer::not_of_type(field, field, "string"));
        }
    }
    let whole =
        |value: &Value| value.is_i64() || value.as_str().is_some_and(|t| t.parse::<i64>().is_ok());
    if body
        .get("stock_quantity")
        .is_some_and(|value| !value.is_null() && !whole(value))
    {
        return Err(Answer::not_of_type(
            "stock_quantity",
            "stock_quantity",
            "integer",
        ));
    }
    Ok(())
}

/// A SKU or GTIN in use is refused, naming the product that has it.
fn free_sku(state: &State, body: &Value, own: Option<u64>) -> Result<(), Answer> {
    let text = |field: &str| {
        body.get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if let Some(sku) = text("sku")
        && let Some(other) = state.product_of(sku)
        && Some(other) != own
    {
        let data = serde_json::json!({
            "status": 400, "resource_id": other, "unique_sku": format!("{sku}-1"),
        });
        return Err(Answer::error_with(
            400,
            "product_invalid_sku",
            "Invalid or duplicated SKU.",
            data,
        ));
    }
    if let Some(gtin) = text("global_unique_id")
        && let Some(other) = state.products.values().find(|product| product.gtin == gtin)
        && Some(other.id) != own
    {
        let data = serde_json::json!({ "status": 400, "resource_id": other.id });
        return Err(Answer::error_with(
            400,
            "product_invalid_global_unique_id",
            "Invalid or duplicated GTIN, UPC, EAN or ISBN.",
            data,
        ));
    }
    Ok(())
}

fn apply(state: &mut State, product: &mut Product, body: &Value) {
    let text = |field: &str, into: &mut String| {
        if let Some(value) = body.get(field).and_then(Value::as_str) {
            *into = value.to_owned();
        }
    };
    text("name", &mut product.name);
    text("sku", &mut product.sku);
    text("global_unique_id", &mut product.gtin);
    text("regular_price", &mut product.regular_price);
    text("sale_price", &mut product.sale_price);
    text("status", &mut product.status);
    text("tax_class", &mut product.tax_class);
    text("weight", &mut product.weight);
    if let Some(status) = body.get("tax_status").and_then(Value::as_str) {
        product.taxable = status == "taxable";
    }
    if let Some(is_virtual) = body.get("virtual").and_then(Value::as_bool) {
        product.is_virtual = is_virtual;
    }
    if let Some(manage) = body.get("manage_stock").and_then(Value::as_bool) {
        product.manage_stock = manage;
        if !manage {
            product.stock = None;
        }
    }
    // A fraction is cut, and any text is 0.
    let whole = |field: &str| match body.get(field)? {
        Value::Number(number) => number.to_string().parse().ok().map(|n: Decimal| n.trunc()),
        Value::String(text) => Some(text.trim().parse().unwrap_or(Decimal::ZERO).trunc()),
        _ => None,
    };
    if let Some(backorders) = body.get("backorders").and_then(Value::as_str) {
        product.backorders = backorders.to_owned();
    }
    if product.manage_stock {
        if let Some(stock) = whole("stock_quantity") {
            product.stock = Some(stock);
        }
        // Not idempotent: the same call twice takes twice. Older shops do not know it.
        if let Some(delta) = whole("inventory_delta").filter(|_| state.look.recent) {
            product.stock = Some(product.stock.unwrap_or_default() + delta);
        }
    }
    merge_meta(&mut product.meta, body, &mut state.ids);
}

/// Puts `meta_data` of a body into a record's: an entry by id or by key is replaced, others are added.
pub(crate) fn merge_meta(meta: &mut Vec<Meta>, body: &Value, ids: &mut super::order::Ids) {
    let entries = body.get("meta_data").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let Some(key) = entry.get("key").and_then(Value::as_str) else {
            continue;
        };
        let value = entry.get("value").cloned().unwrap_or_default();
        let id = entry.get("id").and_then(Value::as_u64);
        let same = |have: &&mut Meta| id.map_or(have.key == key, |id| have.id == id);
        match meta.iter_mut().find(same) {
            Some(have) => have.value = value,
            None => meta.push(ids.entry(key, value)),
        }
    }
    // The shop lists them by key.
    meta.sort_by(|a, b| a.key.cmp(&b.key));
}
