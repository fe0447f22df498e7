//! The files of a new workspace, made from what the two connectors say of their settings.

use crate::cli::connector::setting::{self, Setting};
use crate::config::Files;
use comptoir_kit::spec::Spec;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Names of secrets that are shorter than the connector's.
const SHORT: &[(&str, &str)] = &[("woocommerce", "WOO")];

/// States of an order that is to be booked, of shops as they are installed, and what they are called there.
const STATUSES: &[(&str, &[(&str, &str)])] = &[
    (
        "woocommerce",
        &[
            ("processing", "paid, or cash on delivery"),
            ("completed", "sent"),
        ],
    ),
    (
        "prestashop",
        &[
            ("2", "Payment accepted"),
            ("3", "Processing in progress"),
            ("4", "Shipped"),
            ("5", "Delivered"),
            ("9", "On backorder (paid)"),
            ("11", "Remote payment accepted"),
        ],
    ),
];

/// Payment methods that those shops come with, and what the ERP's users read.
const PAYMENTS: &[(&str, &[(&str, &str)])] = &[
    (
        "woocommerce",
        &[
            ("bacs", "Bank transfer"),
            ("cheque", "Check"),
            ("cod", "Cash on delivery"),
        ],
    ),
    (
        "prestashop",
        &[
            ("ps_wirepayment", "Bank transfer"),
            ("ps_checkpayment", "Check"),
            ("ps_cashondelivery", "Cash on delivery"),
        ],
    ),
];

/// ERPs whose price lists decide the currency of an order.
const PRICE_LISTS: &[&str] = &["odoo"];

/// One of the two sides: its connector, and the settings that were given.
pub struct Side {
    /// The connection's name.
    pub name: &'static str,
    /// The connector.
    pub spec: &'static Spec,
    /// Settings by name, as they were typed.
    pub given: BTreeMap<String, String>,
}

impl Side {
    /// The name of the variable that holds a secret.
    pub fn variable(&self, setting: &Setting) -> String {
        let name = self.spec.name;
        let short = SHORT.iter().find(|(connector, _)| *connector == name);
        let prefix = short.map_or(name, |(_, short)| short);
        format!("{prefix}_{}", setting.name)
            .to_uppercase()
            .replace('-', "_")
    }

    fn file(&self) -> String {
        let mut text = format!(
            "# {}. Set-up and the rights to grant: comptoir connector show {}\nconnector = \"{}\"\n",
            self.spec.title, self.spec.name, self.spec.name
        );
        let settings = setting::all(self.spec);
        let written = |setting: &&Setting| setting.needed || self.given.contains_key(&setting.name);
        for setting in settings.iter().filter(written) {
            let value = match self.given.get(&setting.name) {
                Some(value) => typed(setting, value),
                None if setting.secret => format!("\"${{{}}}\"", self.variable(setting)),
                // Nothing that could be taken for an answer.
                None => {
                    let comment = comment(&setting.about);
                    let _never = write!(text, "\n{comment}# FILL IN: {} = \"…\"\n", setting.name);
                    continue;
                }
            };
            let comment = comment(&setting.about);
            let _never = write!(text, "\n{comment}{} = {value}\n", setting.name);
        }
        let optional: Vec<&Setting> = settings
            .iter()
            .filter(|setting| !written(setting))
            .collect();
        if !optional.is_empty() {
            text.push_str(
                "\n# What else there is, as it is without it. To use one, take its `#` away.\n",
            );
        }
        for setting in optional {
            let (comment, sample) = (comment(&setting.about), sample(setting));
            let _never = write!(text, "\n{comment}# {} = {sample}\n", setting.name);
        }
        text
    }
}

/// The longest line of a comment.
const LINE: usize = 100;

/// A text as lines of comment.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].len() > 1 && lines[last].chars().count() + word.chars().count() >= LINE {
            lines.push(String::from("#"));
        }
        let last = lines.len() - 1;
        lines[last].push(' ');
        lines[last].push_str(word);
    }
    lines.join("\n") + "\n"
}

/// A value as TOML, by the type that the schema gives it.
fn typed(setting: &Setting, value: &str) -> String {
    match setting.kind.as_str() {
        "integer" | "number" | "boolean" if value.parse::<toml::Value>().is_ok() => {
            value.to_owned()
        }
        _ => quoted(value),
    }
}

/// A TOML string, quoted.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// What an optional setting looks like: its default, or its form.
fn sample(setting: &Setting) -> String {
    match (&setting.default, setting.kind.as_str()) {
        (Some(Value::Array(items)), _) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        (Some(default), _) => default.to_string(),
        (None, "array") => "[]".to_owned(),
        (None, "object") => "{}".to_owned(),
        (None, "integer" | "number") => "1".to_owned(),
        (None, "boolean") => "false".to_owned(),
        (None, _) => match setting.choices.first() {
            Some(choice) => quoted(choice),
            None => "\"…\"".to_owned(),
        },
    }
}

/// The files of a workspace in which orders go from a shop to an ERP.
pub fn files(shop: &Side, erp: &Side) -> Files {
    let table = |rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|(from, to)| format!("{from},{to},\n"));
        format!("from,to,note\n{}", rows.collect::<String>())
    };
    let mut files = Files::from([
        ("comptoir.toml".to_owned(), main(shop.spec)),
        (format!("connections/{}.toml", shop.name), shop.file()),
        (format!("connections/{}.toml", erp.name), erp.file()),
        ("flows/orders.toml".to_owned(), flow(shop, erp)),
        ("flows/stock.toml".to_owned(), stock_flow(shop, erp)),
        ("flows/shipments.toml".to_owned(), shipment_flow(shop, erp)),
        ("tables/taxes.csv".to_owned(), table(&[])),
        (
            "tables/payment_methods.csv".to_owned(),
            table(known(PAYMENTS, shop.spec)),
        ),
        ("tables/shipping_methods.csv".to_owned(), table(&[])),
    ]);
    if PRICE_LISTS.contains(&erp.spec.name) {
        files.insert("tables/price_lists.csv".to_owned(), table(&[]));
    }
    files
}

/// What is known of a shop as it is installed.
fn known(
    all: &'static [(&str, &[(&str, &str)])],
    spec: &Spec,
) -> &'static [(&'static str, &'static str)] {
    let found = all.iter().find(|(connector, _)| *connector == spec.name);
    found.map_or(&[], |(_, rows)| rows)
}

fn main(shop: &Spec) -> String {
    let hooks = match shop.capabilities.hooks {
        true => {
            "\n# The address webhooks reach this hub at. Without it polling alone does everything.\n# public_url = \"https://hub.example\"\n"
        }
        false => "",
    };
    format!(
        "# Where Comptoir keeps what it knows: a SQLite file here, or postgres://user:${{PASSWORD}}@host/database\nstore = \"sqlite:comptoir.db\"\n{hooks}"
    )
}

/// Stock goes back only once somebody switches it on: by then orders should be in the ERP, or what they take is not known.
fn stock_flow(shop: &Side, erp: &Side) -> String {
    let (from, to) = (erp.name, shop.name);
    format!(
        "# Stock of {} goes to {}: what can still be promised, less orders on their way. See docs/stock.md.
kind = \"stock\"
from = \"{from}\"
to = \"{to}\"
# off, shadow (everything is computed and shown, nothing written) or live. Switch it on once orders are live.
mode = \"off\"

[stock]
# Whose goods the shop sells: places of the ERP by name. Empty: every place.
locations = []
# How many of each item are kept back, and the shop's share of the rest.
buffer = \"0\"
share = \"1\"
",
        erp.spec.title, shop.spec.title
    )
}

/// Shipments go back only once somebody switches them on, from a day on that they choose.
fn shipment_flow(shop: &Side, erp: &Side) -> String {
    let (from, to) = (erp.name, shop.name);
    format!(
        "# Shipments of {} go into the orders of {}, with their tracking numbers. See docs/shipments.md.
kind = \"shipment\"
from = \"{from}\"
to = \"{to}\"
# off, shadow (everything is decided and shown, nothing written) or live.
mode = \"off\"
# Parcels that left before are none of its business: set it before you switch it on, or buyers of old orders are told of old parcels.
# start = \"2026-12-01T00:00:00Z\"

[shipment]
# Whether the shop hears of a parcel only once it has a tracking number: required or optional.
tracking = \"required\"
# Tell the buyer, once per shipment and only with a tracking number.
notify = true
",
        erp.spec.title, shop.spec.title
    )
}

fn flow(shop: &Side, erp: &Side) -> String {
    let statuses = known(STATUSES, shop.spec);
    let mut list = String::new();
    for (word, meaning) in statuses {
        let _never = writeln!(list, "  {}, # {meaning}", quoted(word));
    }
    let statuses = match statuses.is_empty() {
        true => "# FILL IN: the shop's own words for orders to book.\nstatuses = []".to_owned(),
        false => format!(
            "# The shop's own words for orders to book. `comptoir check` names those that it does not have.\nstatuses = [\n{list}]"
        ),
    };
    let (from, to) = (shop.name, erp.name);
    let (shop, erp) = (shop.spec.title, erp.spec.title);
    format!(
        "# Orders of {shop} go to {erp}.
kind = \"order\"
from = \"{from}\"
to = \"{to}\"

# shadow: everything is decided and shown, nothing is written. Then: live.
mode = \"shadow\"

# Orders placed before this are none of this flow's business; `comptoir adopt` links those the ERP already holds.
# start = \"2026-01-01T00:00:00Z\"

{statuses}

[policy]
# always: confirm as soon as the totals agree to the cent. never: a person does it.
confirm = \"always\"

# SKUs of products of the ERP for what is no product in the shop.
[policy.products]
# fee = \"FEE\"
# rounding = \"ROUND\"
# discount = \"DISCOUNT\"
# without_sku = \"MISC\"

# The tables are in tables/: taxes, payment methods and shipping methods of the shop, each with what it is in the ERP.
# `comptoir check` names every row that orders of the last month need.
"
    )
}
