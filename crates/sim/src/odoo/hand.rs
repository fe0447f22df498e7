//! What people do in the ERP itself, past every connector.

use super::ledger::Hand;
use super::schema::M;
use super::session::{Session, Vals};
use super::trouble::{Done, Trouble};
use super::value::{Value, float};
use super::{Erp, PERSON};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

/// An order that a person enters.
#[derive(Debug, Clone, Default)]
pub struct HandOrder {
    /// The customer.
    pub partner: i64,
    /// `client_order_ref`; may be empty.
    pub reference: String,
    /// SKU and quantity of each line.
    pub lines: Vec<(String, Decimal)>,
}

/// A contact that a person enters.
#[derive(Debug, Clone, Default)]
pub struct HandPartner {
    /// Name.
    pub name: String,
    /// E-mail; may be empty.
    pub email: String,
    /// VAT number; may be empty.
    pub vat: String,
    /// Whether it is a company.
    pub is_company: bool,
    /// What it belongs to.
    pub parent: Option<i64>,
}

/// A change of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum HandEdit {
    /// The quantity of the line at that place.
    Quantity(usize, Decimal),
    /// One more line: SKU and quantity.
    AddLine(String, Decimal),
    /// The order's note.
    Note(String),
    /// The text of the line at that place.
    LineText(usize, String),
    /// `client_order_ref`.
    Reference(String),
    /// How many of the line at that place, and the price of one.
    Price(usize, Decimal, Decimal),
}

pub(super) fn vals(json: Json) -> Vals {
    match json {
        Json::Object(vals) => vals,
        _ => Vals::new(),
    }
}

impl Erp {
    pub(super) fn by_hand<T>(
        &self,
        deed: impl FnOnce(&mut Session<'_>) -> Done<T>,
    ) -> Result<T, String> {
        let env = self.env(PERSON);
        self.transact(env, Hand::Person, deed)
            .map_err(|trouble| trouble.message)
    }

    /// A person enters an order.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn add_order_by_hand(&self, order: &HandOrder) -> Result<i64, String> {
        self.by_hand(|session| {
            let id = session.create(
                M::Order,
                &vals(json!({
                    "partner_id": order.partner,
                    "client_order_ref": order.reference,
                })),
            )?;
            for (sku, quantity) in &order.lines {
                add_line(session, id, sku, *quantity)?;
            }
            Ok(id)
        })
    }

    /// A person changes an order.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn edit_order_by_hand(&self, id: i64, edit: &HandEdit) -> Result<(), String> {
        self.by_hand(|session| match edit {
            HandEdit::Quantity(place, quantity) => {
                let line = line_at(session, id, *place)?;
                let quantity = vals(json!({"product_uom_qty": float(*quantity)}));
                session.write(M::Line, &[line], &quantity)
            }
            HandEdit::Price(place, quantity, price) => {
                let line = line_at(session, id, *place)?;
                let changed = json!({
                    "product_uom_qty": float(*quantity),
                    "price_unit": float(*price),
                });
                session.write(M::Line, &[line], &vals(changed))
            }
            HandEdit::LineText(place, text) => {
                let line = line_at(session, id, *place)?;
                session.write(M::Line, &[line], &vals(json!({"name": text})))
            }
            HandEdit::AddLine(sku, quantity) => add_line(session, id, sku, *quantity),
            HandEdit::Note(note) => session.write(M::Order, &[id], &vals(json!({"note": note}))),
            HandEdit::Reference(reference) => {
                let reference = vals(json!({"client_order_ref": reference}));
                session.write(M::Order, &[id], &reference)
            }
        })
    }

    /// A person confirms an order.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn confirm_by_hand(&self, id: i64) -> Result<(), String> {
        self.by_hand(|session| session.confirm(&[id]).map(drop))
    }

    /// A person cancels an order, whatever the wizard asks.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn cancel_by_hand(&self, id: i64) -> Result<(), String> {
        self.by_hand(|session| {
            session.env.disable_cancel_warning = true;
            session.cancel(&[id]).map(drop)
        })
    }

    /// A person deletes an order: a draft or a cancelled one.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn delete_by_hand(&self, id: i64) -> Result<(), String> {
        self.by_hand(|session| session.unlink(M::Order, &[id]))
    }

    /// A person enters a contact.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn add_partner_by_hand(&self, partner: &HandPartner) -> Result<i64, String> {
        self.by_hand(|session| {
            let or_false = |text: &str| match text {
                "" => Json::Bool(false),
                text => Json::from(text),
            };
            session.create(
                M::Partner,
                &vals(json!({
                    "name": partner.name,
                    "email": or_false(&partner.email),
                    "vat": or_false(&partner.vat),
                    "is_company": partner.is_company,
                    "parent_id": partner.parent,
                })),
            )
        })
    }

    /// A person counts a product: so many are on hand.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn set_stock_by_hand(&self, sku: &str, on_hand: Decimal) -> Result<(), String> {
        self.by_hand(|session| {
            let product = product(session, sku)?;
            let counted = json!({
                "product_id": product,
                "location_id": super::seed::STOCK,
                "inventory_quantity": float(on_hand),
            });
            let quant = session.count(&vals(counted))?;
            session.apply_count(&[quant])
        })
    }
}

pub(super) fn product(session: &Session<'_>, sku: &str) -> Done<i64> {
    session
        .store
        .with_text(M::Product, "default_code", sku)
        .first()
        .copied()
        .ok_or_else(|| Trouble::user(format!("There is no product {sku}.")))
}

fn line_at(session: &Session<'_>, order: i64, place: usize) -> Done<i64> {
    let lines = session
        .store
        .follow(M::Order, &Value::Ref(order), "order_line");
    lines
        .ids()
        .get(place)
        .copied()
        .ok_or_else(|| Trouble::user(format!("Order {order} has no line {place}.")))
}

fn add_line(session: &mut Session<'_>, order: i64, sku: &str, quantity: Decimal) -> Done<()> {
    let line = json!({
        "order_id": order,
        "product_id": product(session, sku)?,
        "product_uom_qty": float(quantity),
    });
    session.create(M::Line, &vals(line)).map(drop)
}
