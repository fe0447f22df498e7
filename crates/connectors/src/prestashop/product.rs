//! Products and their combinations. Both count from 1, so a combination's id here is that of its product and its own: `1-9`.

use super::keep;
use super::wire::{CombinationWire, ProductWire, in_first_language};
use comptoir_kit::decode;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::Record;
use comptoir_model::product::Product;
use serde_json::Value;

/// The id of what an order line sells; none when it was no product.
pub(super) fn id_of(product: &str, combination: &str) -> Option<RemoteId> {
    match (product, combination) {
        ("" | "0", _) => None,
        (product, "" | "0") => Some(RemoteId::from(product)),
        (product, combination) => Some(RemoteId(format!("{product}-{combination}"))),
    }
}

/// The product of an id, and whether the id is that of one of its combinations.
pub(super) fn product_of(id: &RemoteId) -> (&str, bool) {
    match id.as_str().split_once('-') {
        Some((product, _)) => (product, true),
        None => (id.as_str(), false),
    }
}

/// A product's record.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn product(json: &str) -> Result<Record, Fault> {
    let wire: ProductWire = decode::json(json.as_bytes())?;
    let mut product = Product {
        sku: wire.reference.trim().to_owned(),
        gtin: gtin(&wire.ean13, &wire.upc),
        title: in_first_language(&wire.name),
        active: wire.active,
        tax_class: Some(wire.id_tax_rules_group)
            .filter(|group| group != "0")
            .unwrap_or_default(),
        weight_kg: None,
        stock_managed: !wire.is_virtual,
        ..Product::default()
    };
    weight(&mut product, wire.weight);
    if wire.is_virtual {
        product
            .attributes
            .insert("virtual".to_owned(), Value::Bool(true));
    }
    Ok(Record {
        id: wire.id,
        version: wire.date_upd,
        document: Document::Product(Box::new(product)),
        raw: Some(keep::raw(json)),
    })
}

/// A combination's record. What it does not say it has from its product.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn combination(json: &str, parent: &Record) -> Result<Record, Fault> {
    let wire: CombinationWire = decode::json(json.as_bytes())?;
    let Document::Product(whole) = &parent.document else {
        return Err(Fault::bug("a combination belongs to a product"));
    };
    let mut product = Product {
        parent: Some(wire.id_product.clone()),
        sku: wire.reference.trim().to_owned(),
        gtin: gtin(&wire.ean13, &wire.upc),
        attributes: comptoir_model::Attributes::new(),
        ..(**whole).clone()
    };
    if product.sku.is_empty() {
        product.sku.clone_from(&whole.sku);
    }
    weight(&mut product, wire.weight);
    Ok(Record {
        id: RemoteId(format!("{}-{}", wire.id_product, wire.id)),
        // A combination has no time of change of its own.
        version: parent.version.clone(),
        document: Document::Product(Box::new(product)),
        raw: Some(keep::raw(json)),
    })
}

/// The weight in the shop's own unit, which it does not tell; of a combination, what it adds to its product's.
fn weight(product: &mut Product, weight: Option<comptoir_model::Decimal>) {
    if let Some(weight) = weight.filter(|weight| !weight.is_zero()) {
        let text = weight.normalize().to_string();
        product
            .attributes
            .insert("weight".to_owned(), Value::String(text));
    }
}

fn gtin(ean: &str, upc: &str) -> String {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    match digits(ean) {
        ean if ean.is_empty() => digits(upc),
        ean => ean,
    }
}
