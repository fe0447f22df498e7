//! The table of drifts.

use crate::pair::Mode;
use comptoir_sim::market::{ErpKind, ShopKind};

/// The rows, written by hand: what is done to which side, and what must be found.
const TABLE: &str = include_str!("table.csv");

/// One drift.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name in messages.
    pub name: String,
    /// Kind of drift.
    pub kind: String,
    /// The side it is planted on.
    pub side: String,
    /// The pair.
    pub shop: ShopKind,
    /// The pair.
    pub erp: ErpKind,
    /// Whether the ERP's orders were confirmed.
    pub mode: Mode,
    /// What is done.
    pub deed: String,
    /// The flow it is found in.
    pub flow: String,
    /// The word of the difference.
    pub difference: String,
    /// Whether it may be repaired.
    pub repairable: bool,
    /// Why, or why not.
    pub why: String,
}

impl Row {
    /// Whether it belongs to a pair.
    pub fn is_of(&self, shop: ShopKind, erp: ErpKind) -> bool {
        self.shop == shop && self.erp == erp
    }
}

/// Every row.
pub fn table() -> Vec<Row> {
    let mut lines = TABLE.lines();
    assert_eq!(
        lines.next(),
        Some("kind;side;shop;erp;orders;deed;flow;difference;repairable;why")
    );
    lines.filter(|line| !line.is_empty()).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split(';').collect();
    let [
        kind,
        side,
        shop,
        erp,
        orders,
        deed,
        flow,
        difference,
        repairable,
        why,
    ] = cells[..]
    else {
        panic!("{line}");
    };
    Row {
        name: format!("{kind} at the {side}: {deed} ({shop}, {erp}, {orders})"),
        kind: kind.to_owned(),
        side: side.to_owned(),
        shop: match shop {
            "woocommerce" => ShopKind::Woocommerce,
            "prestashop" => ShopKind::Prestashop,
            other => panic!("{other}"),
        },
        erp: match erp {
            "odoo" => ErpKind::Odoo,
            "dolibarr" => ErpKind::Dolibarr,
            other => panic!("{other}"),
        },
        mode: match orders {
            "confirmed" => Mode::Confirmed,
            "drafts" => Mode::Drafts,
            other => panic!("{other}"),
        },
        deed: deed.to_owned(),
        flow: flow.to_owned(),
        difference: difference.to_owned(),
        repairable: match repairable {
            "yes" => true,
            "no" => false,
            other => panic!("{other}"),
        },
        why: why.to_owned(),
    }
}
