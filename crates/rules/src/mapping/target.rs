//! What a rule may write. Amounts, quantities, states and dates are not among it: the shop's charge is the truth, and no rule re-prices.

use super::path::{Path, Step};
use std::fmt;

/// A list of the order whose elements a rule writes one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// `lines[]`.
    Lines,
    /// `shipping[]`.
    Shipping,
    /// `fees[]`.
    Fees,
}

impl List {
    const ALL: [List; 3] = [List::Lines, List::Shipping, List::Fees];

    /// The list's name in an order.
    pub fn name(self) -> &'static str {
        match self {
            List::Lines => "lines",
            List::Shipping => "shipping",
            List::Fees => "fees",
        }
    }

    /// How the target's line of an element is named: the first part of its key.
    pub fn part(self) -> &'static str {
        match self {
            List::Lines => "line",
            List::Shipping => "shipping",
            List::Fees => "fee",
        }
    }
}

/// What of an element is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// The SKU of the target's product.
    Sku,
    /// The text.
    Title,
    /// A field of the target's line, by the target's own name.
    Field(String),
}

/// A choice of where the target books an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// Company.
    Company,
    /// Warehouse.
    Warehouse,
    /// Price list.
    PriceList,
    /// Fiscal position.
    FiscalPosition,
    /// Sales team.
    Team,
    /// Payment term.
    PaymentTerm,
    /// Delivery carrier.
    Carrier,
}

impl Spot {
    /// Every spot.
    pub const ALL: [Spot; 7] = [
        Spot::Company,
        Spot::Warehouse,
        Spot::PriceList,
        Spot::FiscalPosition,
        Spot::Team,
        Spot::PaymentTerm,
        Spot::Carrier,
    ];

    /// The word after `placement.`.
    pub fn word(self) -> &'static str {
        match self {
            Spot::Company => "company",
            Spot::Warehouse => "warehouse",
            Spot::PriceList => "price_list",
            Spot::FiscalPosition => "fiscal_position",
            Spot::Team => "team",
            Spot::PaymentTerm => "payment_term",
            Spot::Carrier => "carrier",
        }
    }

    /// The target's list of choices that it is one of.
    pub fn choices(self) -> &'static str {
        match self {
            Spot::Company => "companies",
            Spot::Warehouse => "warehouses",
            Spot::PriceList => "price_lists",
            Spot::FiscalPosition => "fiscal_positions",
            Spot::Team => "teams",
            Spot::PaymentTerm => "payment_terms",
            Spot::Carrier => "carriers",
        }
    }
}

/// Texts of an order that a rule may write.
const TEXTS: [&str; 8] = [
    "reference",
    "origin",
    "purchase_order",
    "email",
    "vat_number",
    "exemption",
    "language",
    "note",
];

/// Texts of an address that a rule may write.
const ADDRESS: [&str; 12] = [
    "first_name",
    "last_name",
    "company",
    "line1",
    "line2",
    "city",
    "postcode",
    "country",
    "subdivision",
    "region",
    "phone",
    "email",
];

/// Of a buyer that is made in the target.
const CUSTOMER: [&str; 3] = ["name", "is_company", "phone"];

/// What a rule writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A text of the order.
    Text(&'static str),
    /// A text of `bill_to` or `ship_to`.
    Address {
        /// Of `ship_to`.
        ship: bool,
        /// Which text.
        field: &'static str,
    },
    /// All tags.
    Tags,
    /// One more tag: `tags[]`.
    Tag,
    /// Where the target books it.
    Placement(Spot),
    /// `placement.document`: a quotation, or an order.
    Document,
    /// A field of the target's order, by the target's own name.
    Field(String),
    /// Of the customer that is made in the target.
    Customer(&'static str),
    /// A field of that customer, by the target's own name.
    CustomerField(String),
    /// Of every element of a list.
    Each(List, Cell),
    /// An extension field: kept for later rules and for `explain`, sent nowhere.
    Own(String),
}

/// Why a text is nothing that a rule may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadTarget {
    /// No such thing, and what would be there.
    Unknown {
        /// The name that is wrong.
        name: String,
        /// What is there.
        known: Vec<String>,
    },
    /// It exists and is the shop's word.
    ReadOnly(String),
}

impl Target {
    /// Reads what a rule writes.
    ///
    /// # Errors
    /// [`BadTarget`].
    pub fn parse(text: &str) -> Result<Target, BadTarget> {
        let path = Path::parse(text).map_err(|_| unknown(text, every()))?;
        let names: Vec<&str> = path
            .0
            .iter()
            .map(|step| match step {
                Step::Name(name) => name.as_str(),
                Step::Index(_) => "[0]",
                Step::Each => "[]",
            })
            .collect();
        match names[..] {
            ["tags"] => Ok(Target::Tags),
            ["tags", "[]"] => Ok(Target::Tag),
            ["fields", name] => Ok(Target::Field(name.to_owned())),
            ["ext", name] => Ok(Target::Own(name.to_owned())),
            ["placement", "document"] => Ok(Target::Document),
            ["placement", word] => Spot::ALL
                .into_iter()
                .find(|spot| spot.word() == word)
                .map(Target::Placement)
                .ok_or_else(|| unknown(word, placements())),
            ["bill_to", field] => {
                known(&ADDRESS, field).map(|field| Target::Address { ship: false, field })
            }
            ["ship_to", field] => {
                known(&ADDRESS, field).map(|field| Target::Address { ship: true, field })
            }
            ["customer", "fields", name] => Ok(Target::CustomerField(name.to_owned())),
            ["customer", field] => known(&CUSTOMER, field).map(Target::Customer),
            [list, "[]", ref cell @ ..] => each(list, cell),
            [field] => match known(&TEXTS, field) {
                Ok(field) => Ok(Target::Text(field)),
                Err(_) if super::shape::fields().iter().any(|name| name == field) => {
                    Err(BadTarget::ReadOnly(text.to_owned()))
                }
                Err(_) => Err(unknown(field, every())),
            },
            _ if super::shape::check(&path, None).is_ok() => {
                Err(BadTarget::ReadOnly(text.to_owned()))
            }
            _ => Err(unknown(text, every())),
        }
    }

    /// The list whose elements it is of.
    pub fn list(&self) -> Option<List> {
        match self {
            Target::Each(list, _) => Some(*list),
            _ => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Text(name) => f.write_str(name),
            Target::Address { ship, field } => {
                write!(f, "{}.{field}", if *ship { "ship_to" } else { "bill_to" })
            }
            Target::Tags => f.write_str("tags"),
            Target::Tag => f.write_str("tags[]"),
            Target::Placement(spot) => write!(f, "placement.{}", spot.word()),
            Target::Document => f.write_str("placement.document"),
            Target::Field(name) => write!(f, "fields.{name}"),
            Target::Customer(name) => write!(f, "customer.{name}"),
            Target::CustomerField(name) => write!(f, "customer.fields.{name}"),
            Target::Each(list, Cell::Sku) => write!(f, "{}[].sku", list.name()),
            Target::Each(list, Cell::Title) => write!(f, "{}[].title", list.name()),
            Target::Each(list, Cell::Field(name)) => write!(f, "{}[].fields.{name}", list.name()),
            Target::Own(name) => write!(f, "ext.{name}"),
        }
    }
}

fn each(list: &str, cell: &[&str]) -> Result<Target, BadTarget> {
    let Some(of) = List::ALL.into_iter().find(|known| known.name() == list) else {
        return Err(unknown(
            list,
            List::ALL.map(|list| list.name().to_owned()).to_vec(),
        ));
    };
    let cell = match cell {
        ["sku"] => Cell::Sku,
        ["title"] => Cell::Title,
        ["fields", name] => Cell::Field((*name).to_owned()),
        [name, ..] => {
            let path = Path(vec![
                Step::Name("line".to_owned()),
                Step::Name((*name).to_owned()),
            ]);
            return Err(
                match super::shape::check(&path, super::shape::element(list)) {
                    Ok(()) => BadTarget::ReadOnly(format!("{list}[].{name}")),
                    Err(_) => unknown(name, ["sku", "title", "fields"].map(str::to_owned).to_vec()),
                },
            );
        }
        [] => return Err(unknown(list, every())),
    };
    Ok(Target::Each(of, cell))
}

fn known(list: &[&'static str], name: &str) -> Result<&'static str, BadTarget> {
    list.iter()
        .copied()
        .find(|known| *known == name)
        .ok_or_else(|| unknown(name, list.iter().map(|name| (*name).to_owned()).collect()))
}

fn unknown(name: &str, known: Vec<String>) -> BadTarget {
    BadTarget::Unknown {
        name: name.to_owned(),
        known,
    }
}

fn placements() -> Vec<String> {
    let spots = Spot::ALL.map(|spot| spot.word().to_owned());
    spots.into_iter().chain(["document".to_owned()]).collect()
}

/// Everything a rule may write, with `NAME` where the name is free.
pub fn every() -> Vec<String> {
    let mut all: Vec<String> = TEXTS.map(str::to_owned).to_vec();
    all.extend(["tags", "tags[]", "fields.NAME", "ext.NAME"].map(str::to_owned));
    all.extend(placements().iter().map(|word| format!("placement.{word}")));
    for side in ["bill_to", "ship_to"] {
        all.extend(ADDRESS.map(|field| format!("{side}.{field}")));
    }
    all.extend(CUSTOMER.map(|field| format!("customer.{field}")));
    all.push("customer.fields.NAME".to_owned());
    for list in List::ALL {
        all.extend(["sku", "title", "fields.NAME"].map(|cell| format!("{}[].{cell}", list.name())));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_may_be_written_is_read_back_from_its_name() {
        for text in every() {
            let target = Target::parse(&text).unwrap();
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn no_rule_writes_an_amount_a_state_or_a_date() {
        for text in [
            "totals.total",
            "totals",
            "lines[].net",
            "lines[].quantity",
            "shipping[].tax",
            "status.word",
            "dates.placed",
            "currency",
            "payments[0].amount",
        ] {
            assert_eq!(
                Target::parse(text),
                Err(BadTarget::ReadOnly(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_wrong_name_is_told_with_the_right_ones() {
        let Err(BadTarget::Unknown { name, known }) = Target::parse("placement.werehouse") else {
            panic!("it was taken");
        };
        assert_eq!(name, "werehouse");
        assert!(known.contains(&"warehouse".to_owned()));
        assert!(matches!(
            Target::parse("lines[].titel"),
            Err(BadTarget::Unknown { .. })
        ));
        assert!(matches!(
            Target::parse("linez[].title"),
            Err(BadTarget::Unknown { .. })
        ));
        assert!(matches!(Target::parse(""), Err(BadTarget::Unknown { .. })));
    }
}
