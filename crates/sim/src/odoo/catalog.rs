//! The models that the simulator has, field by field. A field that is not here is an unknown field.

mod base;
mod delivery;
mod goods;
mod trade;

use super::schema::{Field, Kind, M, Schema};
use super::version::Version;

/// The schema of every model, in the order of [`M::ALL`].
pub(super) fn schemas(version: Version) -> Vec<Schema> {
    M::ALL
        .iter()
        .map(|&model| Schema::new(version, fields(model, version)))
        .collect()
}

fn fields(model: M, version: Version) -> Vec<Field> {
    match model {
        M::Partner => base::partner(version),
        M::Company => base::company(version),
        M::Currency => base::currency(),
        M::Country => base::country(),
        M::State => base::state(),
        M::Lang => base::lang(),
        M::User => base::user(),
        M::Move => trade::invoice(),
        M::Data => base::data(),
        M::FieldInfo => base::field_info(),
        M::Module => base::module(),
        M::Parameter => base::parameter(),
        M::Precision => base::precision(),
        M::Product => goods::product(version),
        M::Template => goods::template(version),
        M::Unit => goods::unit(),
        M::Warehouse => goods::warehouse(),
        M::Location => goods::location(),
        M::Quant => goods::quant(version),
        M::Picking => delivery::picking(),
        M::PickingType => delivery::picking_type(),
        M::StockMove => delivery::stock_move(version),
        M::Bom => delivery::bom(),
        M::BomLine => delivery::bom_line(),
        M::Tax => trade::tax(version),
        M::TaxGroup => trade::tax_group(),
        M::Position => trade::position(),
        M::PaymentTerm => trade::payment_term(),
        M::Pricelist => trade::pricelist(),
        M::Team => trade::team(),
        M::Carrier => trade::carrier(),
        M::Order => trade::order(version),
        M::Line => trade::line(version),
    }
}

fn char(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Char)
}

fn text(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Text)
}

fn html(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Html)
}

fn flag(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Boolean)
}

fn integer(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Integer)
}

fn float(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Float(None))
}

fn digits(name: &'static str, label: &'static str, digits: Option<u32>) -> Field {
    Field::new(name, label, Kind::Float(digits))
}

fn money(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Monetary)
}

fn choice(
    name: &'static str,
    label: &'static str,
    options: &'static [(&'static str, &'static str)],
) -> Field {
    Field::new(name, label, Kind::Selection(options))
}

fn datetime(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Datetime)
}

fn one(name: &'static str, label: &'static str, model: M) -> Field {
    Field::new(name, label, Kind::Many2one(model))
}

fn many(name: &'static str, label: &'static str, model: M) -> Field {
    Field::new(name, label, Kind::Many2many(model))
}

fn inverse(name: &'static str, label: &'static str, model: M, back: &'static str) -> Field {
    Field::new(name, label, Kind::One2many(model, back))
}

/// A label up to 17, and from 18 on.
fn old(version: Version, before: &'static str, now: &'static str) -> &'static str {
    match version < Version::V18 {
        true => before,
        false => now,
    }
}

/// Digits of `Product Price`: 19 keeps a price as it is given.
fn price_digits(version: Version) -> Option<u32> {
    (version < Version::V19).then_some(2)
}
