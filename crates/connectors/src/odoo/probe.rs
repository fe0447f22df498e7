//! What a connected Odoo is: versions, companies, and everything a look-up table may point to.

use super::order::{HEADER, LINE};
use super::rpc::{Ask, Rpc};
use super::session::{Session, open_fields};
use super::wire::Small;
use super::{external, fault};
use comptoir_model::account::{Account, Choice, Notice, Severity};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The first version that keeps the decimals of a unit price.
const KEEPS_DECIMALS_FROM: u32 = 19;
/// The first version that tells rights by `has_access`.
const HAS_ACCESS_FROM: u32 = 18;
/// The first version that needs a right of Invoicing for an address below a customer (refused by 18.0 and 19.0, taken by 16.0 and 17.0).
const COPIES_CREDIT_FROM: u32 = 18;
/// Versions that this connector was run against.
const VERIFIED: std::ops::RangeInclusive<u32> = 16..=19;

/// A table of choices: its model, which rows, which fields, and whether an Odoo without that model works as well.
struct Table {
    name: &'static str,
    model: &'static str,
    domain: Value,
    fields: &'static [&'static str],
    optional: bool,
}

fn tables() -> [Table; 8] {
    let table = |name, model, fields, optional| Table {
        name,
        model,
        domain: json!([]),
        fields,
        optional,
    };
    [
        Table {
            domain: json!([["type_tax_use", "=", "sale"]]),
            ..table(
                "taxes",
                "account.tax",
                &[
                    "name",
                    "amount",
                    "amount_type",
                    "price_include",
                    "company_id",
                ],
                false,
            )
        },
        table(
            "price_lists",
            "product.pricelist",
            &["name", "currency_id", "company_id"],
            true,
        ),
        table(
            "warehouses",
            "stock.warehouse",
            &["name", "company_id"],
            true,
        ),
        table(
            "fiscal_positions",
            "account.fiscal.position",
            &["name", "company_id"],
            true,
        ),
        table("teams", "crm.team", &["name", "company_id"], true),
        table(
            "carriers",
            "delivery.carrier",
            &["name", "company_id"],
            true,
        ),
        table(
            "payment_terms",
            "account.payment.term",
            &["name", "company_id"],
            true,
        ),
        table("languages", "res.lang", &["name", "code"], false),
    ]
}

/// Probes an opened database. `address` is scheme, host and port.
pub(super) async fn probe(session: &Session, rpc: &Rpc, address: &str) -> Result<Account, Fault> {
    let fields = [
        "name",
        "currency_id",
        "country_id",
        "tax_calculation_rounding_method",
    ];
    let ask =
        Ask::search("companies", "res.company", json!([]), &fields).option("order", json!("id"));
    let companies: Vec<Small> = rpc.call(ask).await.map_err(fault::of_everything)?;
    let mut choices = BTreeMap::from([(
        "companies".to_owned(),
        companies.iter().map(choice).collect::<Vec<_>>(),
    )]);
    let mut notices = company_notices(&companies);
    for table in tables() {
        let ask = Ask::search("choices", table.model, table.domain, table.fields)
            .option("order", json!("id"));
        match rpc.call::<Vec<Small>>(ask).await {
            Ok(rows) => {
                choices.insert(table.name.to_owned(), rows.iter().map(choice).collect());
            }
            // The app that brings the model is not installed, or the user may not see it.
            Err(fault) if table.optional && fault::is_about_one(&fault) => {
                notices.push(missing(table.model, &fault));
            }
            Err(fault) => return Err(fault::of_everything(fault)),
        }
    }
    notices.extend(tax_notice(&choices, session.company));
    notices.extend(right_notices(session, rpc).await);
    notices.extend(address_notice(session));
    // What is created is found again by its external id only.
    external::readable(session)
        .await
        .map_err(fault::of_everything)?;
    notices.extend(key_notice(session));
    if !VERIFIED.contains(&session.version.major) {
        notices.push(Notice {
            severity: Severity::Warning,
            code: Code::UnsupportedVersion,
            detail: format!(
                "Comptoir was verified on Odoo 16 to 19, not on {}",
                session.version.text
            ),
        });
    }
    let current = companies
        .iter()
        .find(|company| company.id == session.company);
    let (price_decimals, quantity_decimals) = decimals(session, rpc).await?;
    let currency = current.and_then(|company| company.currency_id.as_ref()?.1.parse().ok());
    Ok(Account {
        title: current.map_or_else(|| "Odoo".to_owned(), |company| company.name.clone()),
        version: format!("Odoo {}", session.version.text),
        site: site(session, rpc, address).await?,
        // Every date of the API is UTC, whatever a user's own zone is.
        time_zone: "UTC".to_owned(),
        currency,
        price_decimals,
        quantity_decimals,
        choices,
        fields: open(session),
        notices,
    })
}

/// What rules may fill, by kind.
fn open(session: &Session) -> BTreeMap<String, Vec<String>> {
    let known = &session.known;
    let of = |kind: &str, fields: Vec<String>| (kind.to_owned(), fields);
    BTreeMap::from([
        of("order", open_fields(&known.order, HEADER)),
        of("order_line", open_fields(&known.line, LINE)),
        of("customer", open_fields(&known.partner, &[])),
    ])
}

/// A row as a choice.
pub(super) fn choice(row: &Small) -> Choice {
    let name = if row.name.is_empty() {
        &row.code
    } else {
        &row.name
    };
    let currency = row.currency_id.as_ref();
    Choice {
        id: RemoteId(row.id.to_string()),
        name: name.clone(),
        includes_tax: row.price_include,
        currency: currency.and_then(|link| link.1.parse().ok()),
        rate: row
            .amount
            .filter(|_| row.amount_type == "percent")
            .map(|rate| rate.normalize()),
        company: row
            .company_id
            .as_ref()
            .map(|link| RemoteId(link.0.to_string())),
    }
}

fn missing(model: &str, fault: &Fault) -> Notice {
    let (severity, what) = if fault.code == Code::MissingRight {
        (Severity::Warning, "the user of the key may not see it")
    } else {
        (Severity::Info, "no installed app brings it")
    };
    Notice {
        severity,
        code: fault.code,
        detail: format!("`{model}` is not used: {what}"),
    }
}

/// Companies that round taxes over the whole order split net and tax otherwise than a shop does.
pub(super) fn company_notices(companies: &[Small]) -> Vec<Notice> {
    let global = |company: &&Small| company.tax_calculation_rounding_method == "round_globally";
    companies
        .iter()
        .filter(global)
        .map(|company| Notice {
            severity: Severity::Info,
            code: Code::TotalDiffers,
            detail: format!(
                "company {} rounds taxes over the whole order: with taxes on top of prices, totals may differ from the shop's by cents",
                company.id
            ),
        })
        .collect()
}

/// Only prices that include their tax give a shop's total back to the cent.
fn tax_notice(choices: &BTreeMap<String, Vec<Choice>>, company: i64) -> Option<Notice> {
    let company = Some(RemoteId(company.to_string()));
    let mut taxes = choices
        .get("taxes")?
        .iter()
        .filter(|tax| tax.company == company);
    taxes.all(|tax| !tax.includes_tax).then(|| Notice {
        severity: Severity::Warning,
        code: Code::TotalDiffers,
        detail: "the company has no sales tax that is included in prices; make one for each rate, so that the total paid in the shop comes back to the cent".to_owned(),
    })
}

/// What Comptoir does with a model, and what a user loses who may not.
struct Need {
    model: &'static str,
    operation: &'static str,
    severity: Severity,
    loses: &'static str,
}

const fn creates(model: &'static str) -> Need {
    Need {
        model,
        operation: "create",
        severity: Severity::Error,
        loses: "",
    }
}

/// Of use to flows of stock and shipments only: a hub that books orders does without.
const fn reads(model: &'static str, loses: &'static str) -> Need {
    Need {
        model,
        operation: "read",
        severity: Severity::Warning,
        loses,
    }
}

const NEEDS: [Need; 6] = [
    creates("res.partner"),
    creates("sale.order"),
    reads(
        "stock.quant",
        ": changes of stock are not seen; give it Inventory `User`",
    ),
    reads(
        "stock.move",
        ": stock and shipments cannot be read; give it Sales `User: All Documents` or Inventory `User`",
    ),
    reads(
        "stock.picking",
        ": shipments cannot be read; give it Sales `User: All Documents` or Inventory `User`",
    ),
    reads(
        "mrp.bom",
        ": kits are not seen as such; give it Inventory `User` or Manufacturing `User`",
    ),
];

/// Rights, where the version tells them. Orders that meet a missing one would be held one by one.
async fn right_notices(session: &Session, rpc: &Rpc) -> Vec<Notice> {
    let mut notices = Vec::new();
    for need in NEEDS {
        let ask = if session.version.major < HAS_ACCESS_FROM {
            Ask::read("rights", need.model, "check_access_rights")
                .arg("operation", json!(need.operation))
                .option("raise_exception", json!(false))
        } else {
            Ask::read("rights", need.model, "has_access")
                .ids(&[])
                .arg("operation", json!(need.operation))
        };
        // A version that does not answer this leaves it open, and so does a model that no installed app brings.
        if let Ok(Value::Bool(false)) = rpc.call::<Value>(ask).await {
            notices.push(Notice {
                severity: need.severity,
                code: Code::MissingRight,
                detail: format!(
                    "the user of the key may not {} `{}`{}",
                    need.operation, need.model, need.loses
                ),
            });
        }
    }
    notices
}

/// What a user loses who may not search external ids.
fn key_notice(session: &Session) -> Option<Notice> {
    (!session.searches_keys()).then(|| Notice {
        severity: Severity::Info,
        code: Code::MissingRight,
        detail: "`ir.model.data` may not be read: keys are asked for one by one, which is slower and leaves \"External ID not found\" in Odoo's log; a group that may read `Model Data` helps".to_owned(),
    })
}

/// 18 and 19 copy a customer's accounting fields to each new address, the credit limit among them, and as the user who makes the address. Only
/// users of Invoicing see that field, and to others it is not told: orders that go to another address would be held one by one.
fn address_notice(session: &Session) -> Option<Notice> {
    let sees = session.known.partner.contains_key("credit_limit");
    (session.version.major >= COPIES_CREDIT_FROM && !sees).then(|| Notice {
        severity: Severity::Error,
        code: Code::MissingRight,
        detail: "the user of the key may not create delivery addresses: Odoo copies the customer's credit limit to them, which only users of Invoicing see; give it `Invoicing` or, in developer mode, the group `Show Accounting Features - Readonly`".to_owned(),
    })
}

/// Which database this is: a copy under another address, or another database, is another site. The database's own id needs a right that
/// the user of the key need not have. No answer is no such refusal: without the id it would seem to be another site.
async fn site(session: &Session, rpc: &Rpc, address: &str) -> Result<String, Fault> {
    let domain = json!([["key", "=", "database.uuid"]]);
    let ask = Ask::search("site", "ir.config_parameter", domain, &["value"]);
    let rows: Vec<Small> = match rpc.call(ask).await {
        Ok(rows) => rows,
        Err(fault) if fault::is_about_one(&fault) => Vec::new(),
        Err(fault) => return Err(fault::of_everything(fault)),
    };
    let database = &session.rpc.database;
    Ok(match rows.first().filter(|row| !row.value.is_empty()) {
        Some(row) => format!("{address}/{database}#{}", row.value),
        None => format!("{address}/{database}"),
    })
}

/// The decimals that Odoo keeps of prices and of quantities, as the fields themselves tell. Up to 18 the price of one is rounded to the
/// precision "Product Price"; 19 keeps what it is given.
async fn decimals(session: &Session, rpc: &Rpc) -> Result<(Option<u32>, Option<u32>), Fault> {
    let told = |field: &str| session.known.line.get(field)?.decimals();
    let (price, quantity) = (told("price_unit"), told("product_uom_qty"));
    let rounds_prices = session.version.major < KEEPS_DECIMALS_FROM;
    if quantity.is_some() && (price.is_some() || !rounds_prices) {
        return Ok((price, quantity));
    }
    let names = [&[PRICE][..], QUANTITY].concat();
    let domain = json!([["name", "in", names]]);
    let fields = ["name", "digits"];
    let ask = Ask::search("precision", "decimal.precision", domain, &fields);
    let rows: Vec<Small> = match rpc.call(ask).await {
        Ok(rows) => rows,
        // Only administrators may read it.
        Err(fault) if fault::is_about_one(&fault) => Vec::new(),
        Err(fault) => return Err(fault::of_everything(fault)),
    };
    let price = price.or_else(|| rounds_prices.then(|| digits(&rows, &[PRICE])));
    Ok((price, quantity.or_else(|| Some(digits(&rows, QUANTITY)))))
}

/// The precision of a price.
pub(super) const PRICE: &str = "Product Price";
/// The precision of a quantity: its name up to 18, and in 19 (tapes `decimal-precision`).
pub(super) const QUANTITY: &[&str] = &["Product Unit of Measure", "Product Unit"];

/// The digits of the first of these precisions; Odoo's own default where none is there.
pub(super) fn digits(rows: &[Small], names: &[&str]) -> u32 {
    let row = rows.iter().find(|row| names.contains(&row.name.as_str()));
    row.and_then(|row| row.digits)
        .and_then(|digits| u32::try_from(digits).ok())
        .unwrap_or(2)
}
