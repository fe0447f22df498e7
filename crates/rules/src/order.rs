//! What an order of a shop should look like in a target: every line, price, tax and reference, or the causes why it cannot be said yet.

use crate::policy::{Bundles, OrderPolicy};
use comptoir_model::account::{Account, Choice};
use comptoir_model::address::Address;
use comptoir_model::cause::Cause;
use comptoir_model::key::RemoteId;
use comptoir_model::money::RoundingMode;
use comptoir_model::order::{Life, Line, LineKind, LineTax, Order, Placement, Status};
use comptoir_model::payment::PaymentKind;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Decimals of a unit price where the target keeps what it is given.
const UNIT_PRICE_DECIMALS: u32 = 6;

/// Values of an order that [`OrderPolicy::fields`] may name.
pub const FIELD_VALUES: [&str; 5] = [
    "transaction",
    "payment_method",
    "number",
    "email",
    "purchase_order",
];

/// What has been resolved before an order can be translated.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The source connection's name, for the origin.
    pub source: &'a str,
    /// The target as probed.
    pub target: &'a Account,
    /// The target's products by SKU.
    pub products: &'a BTreeMap<String, RemoteId>,
    /// The target's customer.
    pub customer: &'a RemoteId,
    /// The contact invoices go to.
    pub invoice_to: &'a RemoteId,
    /// The contact goods go to.
    pub deliver_to: &'a RemoteId,
}

/// Why a written value is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The field of the target document.
    pub to: String,
    /// Where the value comes from.
    pub from: String,
    /// The look-up table and its row, when one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
}

/// One amount of the order on its way to becoming a line.
struct Charge<'a> {
    part: String,
    kind: LineKind,
    sku: &'a str,
    title: &'a str,
    quantity: Decimal,
    net: Decimal,
    tax: Decimal,
    taxes: &'a [LineTax],
}

/// The SKUs that the target must have for this order, by policy and tables; and the causes that already are certain.
pub fn needed_skus(order: &Order, policy: &OrderPolicy) -> Result<BTreeSet<String>, Vec<Cause>> {
    let mut causes = BTreeSet::new();
    let mut skus: BTreeSet<String> = charges(order, policy, &mut causes)
        .into_iter()
        .map(|charge| charge.sku.to_owned())
        .collect();
    check_payment(order, policy, &mut causes);
    check_tax_rows(order, policy, &mut causes);
    if let Some(sku) = &policy.products.rounding {
        skus.insert(sku.clone());
    }
    if causes.is_empty() {
        Ok(skus)
    } else {
        Err(causes.into_iter().collect())
    }
}

/// The order as the target should hold it, before any rounding line. References are the target's ids.
pub fn translate(
    order: &Order,
    policy: &OrderPolicy,
    known: Known<'_>,
    mut trace: Option<&mut Vec<Reason>>,
) -> Result<Order, Vec<Cause>> {
    let mut causes = BTreeSet::new();
    let mut lines = Vec::new();
    for charge in charges(order, policy, &mut causes) {
        if let Some(line) = line_of(order, policy, known, &charge, &mut causes) {
            if let Some(trace) = trace.as_deref_mut() {
                trace.extend(reasons_of(order, policy, &charge, &line));
            }
            lines.push(line);
        }
    }
    let payment = check_payment(order, policy, &mut causes);
    let placement = placement_of(order, policy, known.target, &mut causes);
    if !causes.is_empty() {
        return Err(causes.into_iter().collect());
    }
    let mut target = Order::empty("", order.currency);
    target.reference = order.number.clone();
    target.origin = match &payment {
        Some(label) if !label.is_empty() => format!("{} {} · {label}", known.source, order.number),
        _ => format!("{} {}", known.source, order.number),
    };
    target.purchase_order = order.purchase_order.clone();
    target.status = Status {
        life: Life::Draft,
        ..Status::default()
    };
    target.dates.placed = order.dates.placed;
    target.prices_include_tax = order.prices_include_tax;
    target.customer = Some(known.customer.clone());
    target.bill_to = reference(known.invoice_to);
    target.ship_to = reference(known.deliver_to);
    target.language = order.language.clone();
    target.note = order.note.clone();
    target.tags = order.tags.clone();
    target.lines = lines;
    target.totals = order.totals.clone();
    target.placement = placement;
    target.attributes = attributes_of(order, policy, payment.as_deref());
    Ok(target)
}

/// The label the payment-method table gives, for texts and fields. Empty methods (nothing to pay) need no row.
fn check_payment(
    order: &Order,
    policy: &OrderPolicy,
    causes: &mut BTreeSet<Cause>,
) -> Option<String> {
    let payment = order
        .payments
        .iter()
        .find(|payment| payment.kind != PaymentKind::GiftCard)?;
    if payment.method.is_empty() {
        return None;
    }
    match policy.tables.payment_methods.get(&payment.method) {
        Some(hit) => Some(hit.to.to_owned()),
        None => {
            causes.insert(Cause::row("payment", &payment.method));
            None
        }
    }
}

fn check_tax_rows(order: &Order, policy: &OrderPolicy, causes: &mut BTreeSet<Cause>) {
    for code in tax_codes(order) {
        if policy.tables.taxes.get(code).is_none() {
            causes.insert(Cause::row("tax", code));
        }
    }
}

fn tax_codes(order: &Order) -> BTreeSet<&str> {
    let lines = order.lines.iter().flat_map(|line| &line.taxes);
    let shipping = order.shipping.iter().flat_map(|line| &line.taxes);
    let fees = order.fees.iter().flat_map(|fee| &fee.taxes);
    lines
        .chain(shipping)
        .chain(fees)
        .map(|tax| tax.code.as_str())
        .collect()
}

/// Everything that costs something or names goods, as lines to be; what a bundle leaves out is left out here.
fn charges<'a>(
    order: &'a Order,
    policy: &'a OrderPolicy,
    causes: &mut BTreeSet<Cause>,
) -> Vec<Charge<'a>> {
    let mut charges = Vec::new();
    for line in &order.lines {
        let silent = line.net.is_zero() && line.tax.is_zero();
        let dropped = match (line.kind, policy.bundles) {
            (LineKind::Bundle, Bundles::Components) | (LineKind::Component, Bundles::Parent) => {
                silent
            }
            (LineKind::Note, _) => true,
            _ => line.quantity.is_zero() && silent,
        };
        if dropped {
            continue;
        }
        let known_sku = !line.sku.is_empty() && line.product.is_some();
        let sku = if known_sku {
            Some(line.sku.as_str())
        } else {
            let fallback = policy.products.without_sku.as_deref();
            // A line given by SKU alone still names its product; only a line without either needs the stand-in.
            fallback.or(Some(line.sku.as_str()).filter(|sku| !sku.is_empty()))
        };
        match sku {
            Some(sku) => charges.push(Charge {
                part: format!("line-{}", line.id),
                kind: line.kind,
                sku,
                title: &line.title,
                quantity: line.quantity,
                net: line.net,
                tax: line.tax,
                taxes: &line.taxes,
            }),
            None => {
                causes.insert(Cause::Product("none".to_owned()));
            }
        }
    }
    charges.extend(shipping_charges(order, policy, causes));
    charges.extend(other_charges(order, policy, causes));
    charges
}

fn shipping_charges<'a>(
    order: &'a Order,
    policy: &'a OrderPolicy,
    causes: &mut BTreeSet<Cause>,
) -> Vec<Charge<'a>> {
    let mut charges = Vec::new();
    for line in &order.shipping {
        match policy.tables.shipping_methods.get(&line.method) {
            Some(hit) => charges.push(Charge {
                part: format!("shipping-{}", line.id),
                kind: LineKind::Shipping,
                sku: hit.to,
                title: &line.title,
                quantity: Decimal::ONE,
                net: line.net,
                tax: line.tax,
                taxes: &line.taxes,
            }),
            None => {
                causes.insert(Cause::row("shipping", &line.method));
            }
        }
    }
    charges
}

/// Fees, and discounts that are not in the lines. Gift cards used as payment are payments, no lines.
fn other_charges<'a>(
    order: &'a Order,
    policy: &'a OrderPolicy,
    causes: &mut BTreeSet<Cause>,
) -> Vec<Charge<'a>> {
    let mut charges = Vec::new();
    for fee in &order.fees {
        match &policy.products.fee {
            Some(sku) => charges.push(Charge {
                part: format!("fee-{}", fee.id),
                kind: LineKind::Fee,
                sku,
                title: &fee.title,
                quantity: Decimal::ONE,
                net: fee.net,
                tax: fee.tax,
                taxes: &fee.taxes,
            }),
            None => {
                causes.insert(Cause::Setting("products.fee".to_owned()));
            }
        }
    }
    for (index, discount) in order.discounts.iter().enumerate() {
        if discount.in_lines {
            continue;
        }
        match &policy.products.discount {
            Some(sku) => charges.push(Charge {
                part: format!("discount-{index}"),
                kind: LineKind::Discount,
                sku,
                title: &discount.code,
                quantity: Decimal::ONE,
                net: -discount.net,
                tax: -discount.tax,
                taxes: &[],
            }),
            None => {
                causes.insert(Cause::Setting("products.discount".to_owned()));
            }
        }
    }
    charges
}

fn line_of(
    order: &Order,
    policy: &OrderPolicy,
    known: Known<'_>,
    charge: &Charge<'_>,
    causes: &mut BTreeSet<Cause>,
) -> Option<Line> {
    let Some(product) = known.products.get(charge.sku) else {
        causes.insert(Cause::Product(charge.sku.to_owned()));
        return None;
    };
    let mut taxes = Vec::new();
    let mut included = Decimal::ZERO;
    for tax in charge.taxes {
        let Some(choice) = tax_choice(policy, known.target, &tax.code) else {
            causes.insert(Cause::row("tax", &tax.code));
            return None;
        };
        if choice.includes_tax {
            included += tax.amount;
        }
        taxes.push(LineTax {
            code: choice.id.to_string(),
            amount: tax.amount,
        });
    }
    // The line's own sum is the better figure when every tax is included: the parts may be rounded one by one.
    let all_included = !taxes.is_empty() && included == charge.taxes.iter().map(|t| t.amount).sum();
    let amount = if all_included {
        charge.net + charge.tax
    } else {
        charge.net + included
    };
    let quantity = quantity_in(known.target, charge.quantity);
    let decimals = known.target.price_decimals.unwrap_or(UNIT_PRICE_DECIMALS);
    let unit_price = (order.currency.round(amount) / quantity)
        .round_dp(decimals)
        .normalize();
    Some(Line {
        id: charge.part.clone(),
        kind: charge.kind,
        product: Some(product.clone()),
        sku: charge.sku.to_owned(),
        title: charge.title.to_owned(),
        quantity,
        unit_price,
        subtotal: charge.net,
        net: charge.net,
        tax: charge.tax,
        taxes,
        ..Line::default()
    })
}

/// The quantity as the target keeps it. The price of one is computed from it, so that the line's sum stays what the shop charged
/// even where the target cuts 1.375 to 1.38; what would become nothing is one.
fn quantity_in(target: &Account, quantity: Decimal) -> Decimal {
    let kept = match target.quantity_decimals {
        Some(decimals) => RoundingMode::HalfUp.round(quantity, decimals).normalize(),
        None => quantity,
    };
    if kept.is_zero() { Decimal::ONE } else { kept }
}

/// The target's id of a tax of the source; the source's own word where no row says.
pub fn tax_target(policy: &OrderPolicy, target: &Account, code: &str) -> String {
    let choice = tax_choice(policy, target, code);
    choice.map_or_else(|| code.to_owned(), |choice| choice.id.to_string())
}

fn tax_choice<'a>(policy: &OrderPolicy, target: &'a Account, code: &str) -> Option<&'a Choice> {
    let hit = policy.tables.taxes.get(code)?;
    target.choice("taxes", hit.to)
}

fn placement_of(
    order: &Order,
    policy: &OrderPolicy,
    target: &Account,
    causes: &mut BTreeSet<Cause>,
) -> Placement {
    let mut fixed = |table: &str, wanted: &Option<String>| {
        let wanted = wanted.as_ref()?;
        let found = target.choice(table, wanted).map(|choice| choice.id.clone());
        if found.is_none() {
            causes.insert(Cause::Setting(format!("placement.{table}")));
        }
        found
    };
    let mut placement = Placement {
        company: fixed("companies", &policy.placement.company),
        warehouse: fixed("warehouses", &policy.placement.warehouse),
        fiscal_position: fixed("fiscal_positions", &policy.placement.fiscal_position),
        team: fixed("teams", &policy.placement.team),
        payment_term: fixed("payment_terms", &policy.placement.payment_term),
        ..Placement::default()
    };
    match price_list(order, policy, target) {
        Ok(list) => placement.price_list = list,
        Err(cause) => {
            causes.insert(cause);
        }
    }
    placement
}

/// The price list of the table's row, else the only one of the order's currency, else a question for a person. A target
/// without price lists needs none.
fn price_list(
    order: &Order,
    policy: &OrderPolicy,
    target: &Account,
) -> Result<Option<RemoteId>, Cause> {
    let missing = || Cause::row("price_list", order.currency.code());
    if let Some(hit) = policy.tables.price_lists.get(order.currency.code()) {
        let choice = target.choice("price_lists", hit.to).ok_or_else(missing)?;
        return Ok(Some(choice.id.clone()));
    }
    let Some(lists) = target
        .choices
        .get("price_lists")
        .filter(|lists| !lists.is_empty())
    else {
        return Ok(None);
    };
    let mut fitting = lists
        .iter()
        .filter(|list| list.currency == Some(order.currency));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(Some(only.id.clone())),
        _ => Err(missing()),
    }
}

fn attributes_of(
    order: &Order,
    policy: &OrderPolicy,
    payment: Option<&str>,
) -> comptoir_model::Attributes {
    let transaction = order
        .payments
        .iter()
        .find(|payment| payment.kind != PaymentKind::GiftCard)
        .map(|payment| payment.transaction.as_str())
        .unwrap_or_default();
    policy
        .fields
        .iter()
        .filter_map(|(value, field)| {
            let text = match value.as_str() {
                "transaction" => transaction,
                "payment_method" => payment.unwrap_or_default(),
                "number" => &order.number,
                "email" => &order.email,
                "purchase_order" => &order.purchase_order,
                _ => return None,
            };
            (!text.is_empty()).then(|| (field.clone(), text.into()))
        })
        .collect()
}

fn reference(contact: &RemoteId) -> Address {
    Address {
        id: Some(contact.clone()),
        ..Address::default()
    }
}

fn reasons_of(
    order: &Order,
    policy: &OrderPolicy,
    charge: &Charge<'_>,
    line: &Line,
) -> Vec<Reason> {
    let to = |field: &str| format!("lines[{}].{field}", line.id);
    let mut reasons = vec![
        Reason {
            to: to("product"),
            from: format!("SKU {}", charge.sku),
            row: None,
        },
        Reason {
            to: to("unit_price"),
            from: format!(
                "net {} + tax {} over {} in {}",
                charge.net.normalize(),
                charge.tax.normalize(),
                line.quantity.normalize(),
                order.currency
            ),
            row: None,
        },
    ];
    for tax in charge.taxes {
        reasons.push(Reason {
            to: to("taxes"),
            from: tax.code.clone(),
            row: policy
                .tables
                .taxes
                .get(&tax.code)
                .map(|hit| format!("taxes: {} → {}", hit.row, hit.to)),
        });
    }
    reasons
}
