//! The lines of two orders that are one: which line of the target came from which of the source.

use comptoir_model::Decimal;
use comptoir_model::order::{LineKind, Order};

/// One line of money on either side, with its tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// What it is.
    pub title: String,
    /// SKU, or empty.
    pub sku: String,
    /// How many, of goods.
    pub quantity: Option<Decimal>,
    /// What the source says.
    pub source: Option<Decimal>,
    /// What the target says.
    pub target: Option<Decimal>,
    /// It is the line that makes the totals equal.
    pub rounding: bool,
}

/// Every line with an amount: the source's goods, shipping and fees.
fn of(order: &Order) -> Vec<Beside> {
    let line = |title: &str, sku: &str, quantity, amount, rounding| Beside {
        title: title.to_owned(),
        sku: sku.to_owned(),
        quantity,
        source: Some(amount),
        target: None,
        rounding,
    };
    let mut lines: Vec<Beside> = order
        .lines
        .iter()
        .filter(|line| line.kind != LineKind::Note)
        .map(|known| {
            line(
                &known.title,
                &known.sku,
                Some(known.quantity),
                known.net + known.tax,
                known.kind == LineKind::Rounding,
            )
        })
        .collect();
    let shipping = order.shipping.iter();
    lines.extend(shipping.map(|known| line(&known.title, "", None, known.net + known.tax, false)));
    let fees = order.fees.iter();
    lines.extend(fees.map(|known| line(&known.title, "", None, known.net + known.tax, false)));
    lines
}

/// The lines of both, those that belong together side by side: by SKU and quantity, then by amount, then alone.
pub fn lines(source: &Order, target: Option<&Order>) -> Vec<Beside> {
    let mut rows = of(source);
    let mut others = target.map_or(Vec::new(), of);
    let fits: [fn(&Beside, &Beside) -> bool; 3] = [
        |a, b| !a.sku.is_empty() && a.sku == b.sku && a.source == b.source,
        |a, b| !a.sku.is_empty() && a.sku == b.sku && a.quantity == b.quantity,
        |a, b| a.source == b.source && !b.rounding,
    ];
    for fit in fits {
        for row in rows.iter_mut().filter(|row| row.target.is_none()) {
            if let Some(at) = others.iter().position(|other| fit(row, other)) {
                row.target = others.remove(at).source;
            }
        }
    }
    rows.extend(others.into_iter().map(|other| Beside {
        target: other.source,
        source: None,
        ..other
    }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::order::Line;

    fn order(lines: &[(&str, &str, &str)]) -> Order {
        let mut order = Order::empty("1", "EUR".parse().unwrap());
        for (sku, quantity, net) in lines {
            let line = serde_json::json!({"id": "1", "sku": sku, "title": sku, "quantity": quantity, "unit_price": net, "subtotal": net, "net": net, "tax": "0"});
            let line: Line = serde_json::from_value(line).unwrap();
            order.lines.push(line);
        }
        order
    }

    #[test]
    fn lines_that_belong_together_stand_side_by_side() {
        let shop = order(&[("A", "1", "10"), ("A", "2", "20"), ("B", "1", "5.00")]);
        let erp = order(&[
            ("B", "1", "4.99"),
            ("A", "2", "20"),
            ("A", "1", "10"),
            ("R", "1", "0.01"),
        ]);
        let rows = lines(&shop, Some(&erp));
        let targets: Vec<String> = rows
            .iter()
            .map(|row| format!("{:?}", row.target.map(|value| value.to_string())))
            .collect();
        assert_eq!(
            targets,
            [
                "Some(\"10\")",
                "Some(\"20\")",
                "Some(\"4.99\")",
                "Some(\"0.01\")"
            ]
        );
        assert_eq!(rows[3].source, None);
        assert!(lines(&shop, None).iter().all(|row| row.target.is_none()));
    }
}
