//! The shop's total against the target's: equal, a rounding line, or a person.

use comptoir_model::equation::Tolerance;
use comptoir_model::order::{Line, LineKind, Order};
use rust_decimal::Decimal;

/// The key part of the rounding line.
pub const ROUNDING_LINE: &str = "rounding";

/// What the comparison says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// To the cent.
    Equal,
    /// Off by this much, within the tolerance: one rounding line of this amount makes it equal.
    Round(Decimal),
    /// Off by more than the tolerance.
    Off(Decimal),
    /// The target would book another currency.
    OtherCurrency,
}

/// Compares what the shop charged with what the target computed. `Round` and `Off` carry shop minus target, over what an
/// existing rounding line already holds.
pub fn compare(source: &Order, target: &Order, tolerance: Tolerance) -> Verdict {
    if source.currency != target.currency {
        return Verdict::OtherCurrency;
    }
    let missing = source.totals.total - target.totals.total;
    if missing.is_zero() {
        return Verdict::Equal;
    }
    let rounded: Decimal = rounding_amount(target);
    let lines = source.lines.len() + source.shipping.len() + source.fees.len();
    let needed = missing + rounded;
    if needed.abs() <= tolerance.amount(lines.max(1), source.currency) {
        Verdict::Round(needed)
    } else {
        Verdict::Off(missing)
    }
}

/// What the rounding line of an order holds now.
pub fn rounding_amount(order: &Order) -> Decimal {
    order
        .lines
        .iter()
        .filter(|line| line.kind == LineKind::Rounding || line.id == ROUNDING_LINE)
        .map(|line| line.net + line.tax)
        .sum()
}

/// A rounding line of this amount on this product, without tax.
pub fn rounding_line(product: comptoir_model::key::RemoteId, amount: Decimal, title: &str) -> Line {
    Line {
        id: ROUNDING_LINE.to_owned(),
        kind: LineKind::Rounding,
        product: Some(product),
        title: title.to_owned(),
        quantity: Decimal::ONE,
        unit_price: amount,
        subtotal: amount,
        net: amount,
        ..Line::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_total(total: &str, lines: usize) -> Order {
        let mut order = Order::empty("1", "EUR".parse().unwrap());
        order.totals.total = total.parse().unwrap();
        order.lines = vec![Line::default(); lines];
        order
    }

    #[test]
    fn a_cent_per_line_is_rounded_and_more_is_held() {
        let tolerance = Tolerance::default();
        let shop = with_total("10.02", 2);
        assert_eq!(
            compare(&shop, &with_total("10.02", 2), tolerance),
            Verdict::Equal
        );
        assert_eq!(
            compare(&shop, &with_total("10.00", 2), tolerance),
            Verdict::Round(Decimal::new(2, 2))
        );
        assert_eq!(
            compare(&shop, &with_total("9.99", 2), tolerance),
            Verdict::Off(Decimal::new(3, 2))
        );
        let many = with_total("10.06", 50);
        assert_eq!(
            compare(&many, &with_total("10.00", 50), tolerance),
            Verdict::Off(Decimal::new(6, 2))
        );
    }

    #[test]
    fn an_existing_rounding_line_counts() {
        let shop = with_total("10.02", 3);
        let mut erp = with_total("10.01", 3);
        erp.lines
            .push(rounding_line("9".into(), Decimal::new(1, 2), "Rounding"));
        assert_eq!(
            compare(&shop, &erp, Tolerance::default()),
            Verdict::Round(Decimal::new(2, 2))
        );
    }
}
