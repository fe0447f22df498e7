//! Whether both sides agree: what the invariants of a simulated day and a reconciliation compare, record by record.

use crate::policy::Confirm;
use comptoir_model::Decimal;
use comptoir_model::order::{Life, Order};
use serde::Serialize;

/// How a pair of records differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Difference {
    /// The target does not have it.
    Missing,
    /// The target has one more of it than it should.
    Double,
    /// The target's record is gone.
    Gone,
    /// The totals or currencies differ.
    Total {
        /// The source's, with its currency.
        source: String,
        /// The target's.
        target: String,
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
