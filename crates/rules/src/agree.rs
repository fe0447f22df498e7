//! Whether both sides agree: what the invariants of a simulated day and a reconciliation compare, record by record.

use crate::policy::Confirm;
use comptoir_model::Decimal;
use comptoir_model::equation::Tolerance;
use comptoir_model::key::RemoteId;
use comptoir_model::order::{Life, Line, LineKind, Order};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One product of an order that the two sides have differently: the sums over its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDifference {
    /// Stock keeping unit, or the target's id of the product.
    pub product: String,
    /// How many the target should have.
    pub quantity: Decimal,
    /// How many it has.
    pub has_quantity: Decimal,
    /// What they should come to, with tax.
    pub amount: Decimal,
    /// What they come to.
    pub has_amount: Decimal,
}

/// How a pair of records differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Difference {
    /// The target does not have it.
    Missing,
    /// The target has one more of it than it should.
    Double,
    /// The target's record is gone.
    Gone,
    /// The source's record is gone, and the target still has it.
    SourceGone,
    /// The totals or currencies differ.
    Total {
        /// The source's, with its currency.
        source: String,
        /// The target's.
        target: String,
    },
    /// The totals agree and the lines do not.
    Lines {
        /// Product by product.
        lines: Vec<LineDifference>,
    },
    /// One side is called off, or the target's is not binding.
    State {
        /// The source's.
        source: Life,
        /// The target's.
        target: Life,
    },
    /// The shop shows another quantity than it should.
    Quantity {
        /// What it should show.
        should: Decimal,
        /// What it shows.
        shows: Option<Decimal>,
    },
    /// The hub knows another stock than its system has.
    NotRead,
    /// The shop's order does not show the shipment.
    NotShown,
    /// It shows the shipment otherwise: another number, other lines.
    Tracking {
        /// The numbers it should show.
        should: Vec<String>,
        /// The numbers it shows.
        shows: Vec<String>,
    },
    /// A person booked it, and otherwise than the flow would.
    ByHand {
        /// Field by field: name, what the flow would write, what is there.
        fields: Vec<(String, String, String)>,
    },
}

impl Difference {
    /// Its word, as the JSON has it.
    pub fn word(&self) -> &'static str {
        match self {
            Difference::Missing => "missing",
            Difference::Double => "double",
            Difference::Gone => "gone",
            Difference::SourceGone => "source_gone",
            Difference::Total { .. } => "total",
            Difference::Lines { .. } => "lines",
            Difference::State { .. } => "state",
            Difference::Quantity { .. } => "quantity",
            Difference::NotRead => "not_read",
            Difference::NotShown => "not_shown",
            Difference::Tracking { .. } => "tracking",
            Difference::ByHand { .. } => "by_hand",
        }
    }
}

/// What the lines of one product come to.
#[derive(Default)]
struct Sum {
    name: String,
    lines: usize,
    quantity: Decimal,
    amount: Decimal,
}

/// How the lines of the target's order differ from those that the source's order becomes, if they do, product by product. Which line a
/// quantity stands on does not matter, nor does a price within the tolerance, nor how a line is split into net and tax; the rounding line
/// is left out.
pub fn lines(wanted: &[Line], held: &Order, tolerance: Tolerance) -> Option<Difference> {
    let mut should = sums(wanted);
    let mut differing = Vec::new();
    let mut compare = |name: String, should: &Sum, has: &Sum| {
        let lines = should.lines.max(has.lines);
        let within = tolerance.amount(lines.max(1), held.currency);
        let amounts = (should.amount - has.amount).abs();
        if should.quantity != has.quantity || amounts > within {
            differing.push(LineDifference {
                product: name,
                quantity: should.quantity,
                has_quantity: has.quantity,
                amount: should.amount,
                has_amount: has.amount,
            });
        }
    };
    for (product, has) in sums(&held.lines) {
        let should = should.remove(&product).unwrap_or_default();
        let name = if should.name.is_empty() {
            has.name.clone()
        } else {
            should.name.clone()
        };
        compare(name, &should, &has);
    }
    for should in should.into_values() {
        compare(should.name.clone(), &should, &Sum::default());
    }
    (!differing.is_empty()).then_some(Difference::Lines { lines: differing })
}

fn sums(lines: &[Line]) -> BTreeMap<RemoteId, Sum> {
    let mut sums: BTreeMap<RemoteId, Sum> = BTreeMap::new();
    for line in lines {
        let text = line.product.is_none() && line.net.is_zero() && line.tax.is_zero();
        if text || matches!(line.kind, LineKind::Rounding | LineKind::Note) {
            continue;
        }
        let product = line.product.clone().unwrap_or_else(|| "".into());
        let sum = sums.entry(product.clone()).or_default();
        sum.name = if line.sku.is_empty() {
            product.0
        } else {
            line.sku.clone()
        };
        sum.lines += 1;
        sum.quantity += line.quantity;
        sum.amount += line.net + line.tax;
    }
    sums
}

/// How an order of a shop and its order in the ERP differ, if they do.
pub fn orders(source: &Order, target: &Order, confirm: Confirm) -> Option<Difference> {
    let over = |order: &Order| matches!(order.status.life, Life::Cancelled | Life::Trashed);
    let binding = matches!(target.status.life, Life::Open | Life::Completed);
    let states = Difference::State {
        source: source.status.life,
        target: target.status.life,
    };
    match (over(source), over(target)) {
        (true, true) => return None,
        (false, false) => {}
        _ => return Some(states),
    }
    if source.currency != target.currency || source.totals.total != target.totals.total {
        let amount =
            |order: &Order| format!("{} {}", order.totals.total.normalize(), order.currency);
        return Some(Difference::Total {
            source: amount(source),
            target: amount(target),
        });
    }
    (confirm == Confirm::Always && !binding).then_some(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(product: &str, quantity: i64, net: &str, tax: &str) -> Line {
        Line {
            product: Some(product.into()),
            sku: format!("SKU-{product}"),
            quantity: quantity.into(),
            net: net.parse().unwrap(),
            tax: tax.parse().unwrap(),
            ..Line::default()
        }
    }

    #[test]
    fn lines_are_compared_product_by_product() {
        let wanted = [line("1", 2, "10.00", "2.00"), line("2", 1, "5.00", "1.00")];
        let compared = |held: &[Line]| {
            let mut order = order("18.00", Life::Open);
            order.lines = held.to_vec();
            lines(&wanted, &order, Tolerance::default())
        };
        assert_eq!(compared(&wanted), None);
        // The same product on two lines, another split of net and tax, a cent within the tolerance.
        let as_good = [
            line("1", 1, "5.00", "1.00"),
            line("1", 1, "5.01", "0.99"),
            line("2", 1, "5.01", "1.00"),
        ];
        assert_eq!(compared(&as_good), None);
        let rounding = Line {
            kind: LineKind::Rounding,
            ..line("9", 1, "0.01", "0.00")
        };
        let with_rounding = [wanted[0].clone(), wanted[1].clone(), rounding];
        assert_eq!(compared(&with_rounding), None);
        let products = |held: &[Line]| match compared(held) {
            Some(Difference::Lines { lines }) => {
                lines.into_iter().map(|line| line.product).collect()
            }
            other => panic!("{other:?}"),
        };
        let swapped: Vec<String> = products(&[line("1", 3, "10.00", "2.00"), wanted[1].clone()]);
        assert_eq!(swapped, ["SKU-1"]);
        let swapped: Vec<String> = products(&[line("3", 2, "10.00", "2.00"), wanted[1].clone()]);
        assert_eq!(swapped, ["SKU-3", "SKU-1"]);
        let dearer: Vec<String> = products(&[wanted[0].clone(), line("2", 1, "5.02", "1.00")]);
        assert_eq!(dearer, ["SKU-2"]);
    }

    fn order(total: &str, life: Life) -> Order {
        let mut order = Order::empty("1", "EUR".parse().unwrap());
        order.totals.total = total.parse().unwrap();
        order.status.life = life;
        order
    }

    #[test]
    fn totals_and_states_must_agree() {
        let shop = order("12.00", Life::Open);
        let compare = |target: Order| orders(&shop, &target, Confirm::Always);
        assert_eq!(compare(order("12.0", Life::Completed)), None);
        assert!(matches!(
            compare(order("12.01", Life::Open)),
            Some(Difference::Total { .. })
        ));
        assert!(matches!(
            compare(order("12.00", Life::Draft)),
            Some(Difference::State { .. })
        ));
        assert!(matches!(
            compare(order("12.00", Life::Cancelled)),
            Some(Difference::State { .. })
        ));
        let mut yen = order("12.00", Life::Open);
        yen.currency = "JPY".parse().unwrap();
        assert!(matches!(compare(yen), Some(Difference::Total { .. })));
        let draft = order("12.00", Life::Draft);
        assert_eq!(orders(&shop, &draft, Confirm::Never), None);
        let (over, cancelled) = (
            order("12.00", Life::Trashed),
            order("9.00", Life::Cancelled),
        );
        assert_eq!(orders(&over, &cancelled, Confirm::Always), None);
    }
}
