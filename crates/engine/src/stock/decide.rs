//! What a shop should show of one item: a pure function of what both sides were last seen to have and what orders take.

use crate::decide::Verdict;
use crate::flow::Flow;
use comptoir_model::Decimal;
use comptoir_model::cause::Cause;
use comptoir_model::key::RemoteId;
use comptoir_model::stock::{Level, Stock};
use comptoir_rules::stock::quantity;
use comptoir_store::LevelRow;

/// Everything a decision about an item may look at.
pub struct StockCase<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Whether the ERP has every place that was chosen.
    pub places_known: bool,
    /// The ERP's item; none when it is gone.
    pub erp: Option<&'a LevelRow>,
    /// How many of the ERP's items carry the same stock keeping unit.
    pub namesakes: usize,
    /// What the ERP can still promise, less the buffer and the orders in flight; none when it does not count the item.
    pub promised: Option<Decimal>,
    /// The shop's items with its stock keeping unit, as last seen or put.
    pub shop: &'a [LevelRow],
    /// Too many items would go to zero.
    pub capped: bool,
    /// What a person answered, if it was held.
    pub verdict: Option<Verdict>,
}

/// One item of the shop to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The shop's item.
    pub item: RemoteId,
    /// What it was last seen or put to.
    pub before: Stock,
    /// What it should show.
    pub quantity: Decimal,
}

impl Put {
    /// What the shop's item should be: as it was, with another quantity.
    pub fn document(&self) -> Stock {
        Stock {
            levels: vec![Level::pool(self.quantity)],
            ..self.before.clone()
        }
    }

    /// Whether the item can be bought now and could not any more.
    pub fn empties(&self) -> bool {
        self.quantity.is_zero() && shown(&self.before).is_some_and(|shown| shown > Decimal::ZERO)
    }
}

/// What to do about an item.
#[derive(Debug, Clone, PartialEq)]
pub enum StockDecision {
    /// The shop shows what it should.
    Nothing,
    /// Not this flow's business, and why.
    Skip(&'static str),
    /// A person is needed.
    Hold(Cause),
    /// The shop's items must be read first.
    Look,
    /// Write these.
    Put(Vec<Put>),
}

/// What a shop's item shows.
pub fn shown(stock: &Stock) -> Option<Decimal> {
    stock.levels.first().and_then(|level| level.available)
}

/// Decides one item of the ERP.
pub fn decide(case: &StockCase<'_>) -> StockDecision {
    let Some(erp) = case.erp else {
        return StockDecision::Skip("gone");
    };
    if erp.stock.sku.is_empty() {
        return StockDecision::Skip("no-sku");
    }
    if case.shop.is_empty() {
        return StockDecision::Skip("not-in-shop");
    }
    // Counting is never switched on by itself.
    let counted: Vec<&LevelRow> = case
        .shop
        .iter()
        .filter(|level| level.stock.managed)
        .collect();
    if counted.is_empty() {
        return StockDecision::Skip("not-counted-in-shop");
    }
    if case.namesakes > 1 {
        return dismissible(case, Cause::Product(erp.stock.sku.clone()));
    }
    if !case.places_known {
        return dismissible(case, Cause::Setting("stock.locations".to_owned()));
    }
    let Some(left) = case.promised else {
        return StockDecision::Skip("not-counted");
    };
    let quantity = quantity(left, case.flow.stock.share);
    let differing = counted
        .into_iter()
        .filter(|level| shown(&level.stock) != Some(quantity));
    let (mut puts, mut stale) = (Vec::new(), false);
    for level in differing {
        // A sale is the usual reason: the shop has taken it off by itself, and needs no telling.
        stale |= level.is_stale();
        puts.push(Put {
            item: level.item.clone(),
            before: level.stock.clone(),
            quantity,
        });
    }
    if puts.is_empty() {
        return StockDecision::Nothing;
    }
    if stale {
        return StockDecision::Look;
    }
    if case.capped && puts.iter().any(Put::empties) && case.verdict != Some(Verdict::Apply) {
        return dismissible(case, Cause::Zeros(case.flow.name.to_string()));
    }
    StockDecision::Put(puts)
}

fn dismissible(case: &StockCase<'_>, cause: Cause) -> StockDecision {
    if case.verdict == Some(Verdict::Keep) {
        StockDecision::Skip("dismissed")
    } else {
        StockDecision::Hold(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::document::Digest;

    fn level(item: &str, available: i64, as_of: i64) -> LevelRow {
        LevelRow {
            item: item.into(),
            stock: Stock {
                sku: "MUG".to_owned(),
                managed: true,
                levels: vec![Level::pool(available.into())],
                ..Stock::default()
            },
            digest: Digest::of(b""),
            as_of,
            sold_at: None,
        }
    }

    fn sold(level: LevelRow) -> [LevelRow; 1] {
        [LevelRow {
            sold_at: Some(1_000),
            ..level
        }]
    }

    fn decided(
        erp: &LevelRow,
        shop: &[LevelRow],
        change: impl FnOnce(&mut StockCase<'_>),
    ) -> StockDecision {
        let flow = Flow::example();
        let mut case = StockCase {
            flow: &flow,
            places_known: true,
            erp: Some(erp),
            namesakes: 1,
            promised: shown(&erp.stock).filter(|_| erp.stock.managed),
            shop,
            capped: false,
            verdict: None,
        };
        change(&mut case);
        decide(&case)
    }

    fn quantities(decision: StockDecision) -> Vec<(String, Decimal)> {
        match decision {
            StockDecision::Put(puts) => puts
                .into_iter()
                .map(|put| (put.item.0, put.quantity))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_copy_of_an_item_shows_the_same_and_only_what_differs_is_written() {
        let shop = [level("1", 9, 0), level("1-fr", 10, 0)];
        let decision = decided(&level("p", 10, 0), &shop, |_| {});
        assert_eq!(quantities(decision), [("1".to_owned(), 10.into())]);
    }

    #[test]
    fn a_sale_is_looked_at_before_the_shop_is_told_what_it_knows() {
        let shop = sold(level("1", 10, 500));
        let sale = |case: &mut StockCase<'_>| case.promised = Some(9.into());
        assert_eq!(
            decided(&level("p", 10, 0), &shop, sale),
            StockDecision::Look
        );
        let shop = sold(level("1", 9, 2_000));
        assert_eq!(
            decided(&level("p", 10, 0), &shop, sale),
            StockDecision::Nothing
        );
        let shop = sold(level("1", 7, 2_000));
        assert_eq!(
            quantities(decided(&level("p", 10, 0), &shop, sale)),
            [("1".to_owned(), 9.into())]
        );
    }

    #[test]
    fn counting_is_never_switched_on() {
        let mut uncounted = level("1", 0, 0);
        uncounted.stock.managed = false;
        let decision = decided(&level("p", 10, 0), &[uncounted], |_| {});
        assert_eq!(decision, StockDecision::Skip("not-counted-in-shop"));
        let mut service = level("p", 0, 0);
        service.stock.managed = false;
        let decision = decided(&service, &[level("1", 3, 0)], |_| {});
        assert_eq!(decision, StockDecision::Skip("not-counted"));
    }

    #[test]
    fn too_many_zeros_ask_a_person_and_whoever_was_asked_is_heard() {
        let (erp, shop) = (level("p", 0, 0), [level("1", 3, 0)]);
        let capped = decided(&erp, &shop, |case| case.capped = true);
        assert_eq!(
            capped,
            StockDecision::Hold(Cause::Zeros("orders".to_owned()))
        );
        let applied = decided(&erp, &shop, |case| {
            case.capped = true;
            case.verdict = Some(Verdict::Apply);
        });
        assert_eq!(quantities(applied), [("1".to_owned(), 0.into())]);
        // What does not go to zero is not stopped.
        let some = decided(&level("p", 2, 0), &shop, |case| case.capped = true);
        assert_eq!(quantities(some), [("1".to_owned(), 2.into())]);
    }

    #[test]
    fn two_items_of_the_erp_with_one_sku_are_for_a_person() {
        let decision = decided(&level("p", 1, 0), &[level("1", 3, 0)], |case| {
            case.namesakes = 2
        });
        assert_eq!(
            decision,
            StockDecision::Hold(Cause::Product("MUG".to_owned()))
        );
    }
}
