//! What left with a transfer: how many of each line of its order.

use super::Priority;
use crate::odoo::goods::Units;
use crate::odoo::rpc::Ask;
use crate::odoo::session::{Session, present};
use crate::odoo::wire::{Link, Picking, SoldLine, StockMove};
use crate::odoo::{external, fault, read};
use comptoir_model::Decimal;
use comptoir_model::fault::Fault;
use comptoir_model::key::WriteKey;
use comptoir_model::shipment::ShippedLine;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Decimals kept of a quantity: beyond them there is only the noise of floats.
const DECIMALS: u32 = 8;

/// What left, by transfer.
#[derive(Debug, Default)]
pub(super) struct Shipped {
    /// How many of each line; none of what has not left.
    quantities: HashMap<i64, BTreeMap<i64, Decimal>>,
    /// Transfers that hold goods of a line at all.
    filled: HashSet<i64>,
    skus: HashMap<i64, String>,
    keys: HashMap<i64, WriteKey>,
}

impl Shipped {
    /// Whether a transfer holds goods of its order, left or not.
    pub(super) fn holds_goods(&self, picking: i64) -> bool {
        self.filled.contains(&picking)
    }

    /// What left with a transfer, by line.
    pub(super) fn lines(&self, picking: i64) -> Vec<ShippedLine> {
        let of_picking = self.quantities.get(&picking).into_iter().flatten();
        let left = of_picking.filter(|(_, quantity)| !quantity.is_zero());
        let line = |(id, quantity): (&i64, &Decimal)| ShippedLine {
            line: id.to_string(),
            key: self.keys.get(id).cloned(),
            sku: self.skus.get(id).cloned().unwrap_or_default(),
            quantity: *quantity,
        };
        left.map(line).collect()
    }
}

/// What left with each of these transfers, which are all of their orders: at most five calls.
pub(super) async fn shipped(session: &Session, pickings: &[Picking]) -> Result<Shipped, Fault> {
    let moves = moves(session, pickings).await?;
    let ids: BTreeSet<i64> = moves.iter().map(StockMove::line).collect();
    if ids.is_empty() {
        return Ok(Shipped::default());
    }
    let ids: Vec<i64> = ids.into_iter().collect();
    let (lines, keys) = tokio::try_join!(lines(session, &ids), external::of_lines(session, &ids))?;
    let met = moves
        .iter()
        .map(|done| &done.product_uom)
        .chain(lines.iter().map(|line| &line.unit));
    let units: BTreeSet<i64> = met.map(target).filter(|id| *id > 0).collect();
    let products: BTreeSet<i64> = lines.iter().map(|line| target(&line.product_id)).collect();
    let products: Vec<i64> = products.into_iter().filter(|id| *id > 0).collect();
    let (units, skus) = tokio::try_join!(session.units(&units), read::skus(session, &products))?;
    let sku = |line: &SoldLine| Some((line.id, skus.get(&target(&line.product_id))?.clone()));
    Ok(Shipped {
        quantities: quantities(pickings, &moves, &lines, &units),
        filled: moves.iter().map(StockMove::picking).collect(),
        skus: lines.iter().filter_map(sku).collect(),
        keys,
    })
}

/// The moves of transfers that are of a line.
async fn moves(session: &Session, pickings: &[Picking]) -> Result<Vec<StockMove>, Fault> {
    if pickings.is_empty() {
        return Ok(Vec::new());
    }
    let known = session.fields_of("stock.move").await?;
    // What was done is `quantity_done` to 16; from 17 on `quantity` is it, and what is reserved before that.
    let done = if known.contains_key("quantity_done") {
        "quantity_done"
    } else {
        "quantity"
    };
    let mut fields = present(
        &known,
        &[
            "product_id",
            "product_uom_qty",
            "product_uom",
            "state",
            "picking_id",
            "sale_line_id",
        ],
    );
    fields.push(done);
    let ids: Vec<i64> = pickings.iter().map(|picking| picking.id).collect();
    let domain = json!([["picking_id", "in", ids], ["sale_line_id", "!=", false]]);
    let ask = Ask::search("shipments.moves", "stock.move", domain, &fields)
        .option("order", json!("id"))
        .priority(Priority::Shipments);
    session.rpc.call(ask).await.map_err(fault::of_everything)
}

async fn lines(session: &Session, ids: &[i64]) -> Result<Vec<SoldLine>, Fault> {
    // `product_uom` in 16, `product_uom_id` in 19.
    let wanted = [
        "product_id",
        "product_uom_qty",
        "product_uom",
        "product_uom_id",
    ];
    let fields = present(&session.known.line, &wanted);
    let ask = Ask::read("shipments.lines", "sale.order.line", "read")
        .ids(ids)
        .arg("fields", json!(fields))
        .priority(Priority::Shipments);
    session.rpc.call(ask).await.map_err(fault::of_everything)
}

fn target(link: &Option<Link>) -> i64 {
    link.as_ref().map_or(0, |Link(id, _)| *id)
}

impl StockMove {
    fn line(&self) -> i64 {
        target(&self.sale_line_id)
    }

    fn picking(&self) -> i64 {
        target(&self.picking_id)
    }

    /// What left with it.
    fn left(&self) -> Decimal {
        if self.state == "done" {
            self.done
        } else {
            Decimal::ZERO
        }
    }
}

/// How many of each line left with each transfer that has left.
fn quantities(
    pickings: &[Picking],
    moves: &[StockMove],
    lines: &[SoldLine],
    units: &Units,
) -> HashMap<i64, BTreeMap<i64, Decimal>> {
    let mut left: Vec<&Picking> = pickings
        .iter()
        .filter(|picking| picking.leaves() && picking.is_done())
        .collect();
    left.sort_by_key(|picking| (picking.ended().to_owned(), picking.id));
    let mut by_line: HashMap<i64, Vec<&StockMove>> = HashMap::new();
    for done in moves {
        by_line.entry(done.line()).or_default().push(done);
    }
    let mut all: HashMap<i64, BTreeMap<i64, Decimal>> = HashMap::new();
    for line in lines {
        let of_line = by_line.remove(&line.id).unwrap_or_default();
        let kit = of_line
            .iter()
            .any(|done| done.product_id != line.product_id);
        let mut before = Decimal::ZERO;
        for (at, picking) in left.iter().enumerate() {
            let quantity = if kit {
                let so_far: Vec<i64> = left[..=at].iter().map(|picking| picking.id).collect();
                let kits = whole_kits(line, &of_line, pickings, &so_far);
                kits - std::mem::replace(&mut before, kits)
            } else {
                let own = of_line.iter().filter(|done| done.picking() == picking.id);
                let unit = target(&line.unit);
                own.map(|done| units.convert(done.left(), target(&done.product_uom), unit))
                    .sum()
            };
            let of_picking = all.entry(picking.id).or_default();
            of_picking.insert(line.id, quantity.round_dp(DECIMALS).normalize());
        }
    }
    all
}

/// How many whole kits of a line have left with these transfers together: the smallest of its components. How much of a component is in
/// a kit is what was planned of it for the line: the bill of materials may have changed since.
fn whole_kits(
    line: &SoldLine,
    moves: &[&StockMove],
    pickings: &[Picking],
    so_far: &[i64],
) -> Decimal {
    let sorts: HashMap<i64, i64> = pickings
        .iter()
        .map(|picking| (picking.id, picking.sort().unwrap_or_default()))
        .collect();
    // By component, and by sort of transfer: 19 plans only the first of several steps for all of it.
    let mut planned: BTreeMap<i64, HashMap<i64, Decimal>> = BTreeMap::new();
    let mut left: HashMap<i64, Decimal> = HashMap::new();
    for done in moves {
        let component = target(&done.product_id);
        let sort = sorts.get(&done.picking()).copied().unwrap_or_default();
        let of_sort = planned
            .entry(component)
            .or_default()
            .entry(sort)
            .or_default();
        *of_sort += done.product_uom_qty;
        if so_far.contains(&done.picking()) {
            *left.entry(component).or_default() += done.left();
        }
    }
    let whole = planned.iter().filter_map(|(component, by_sort)| {
        let planned = by_sort
            .values()
            .max()
            .filter(|planned| !planned.is_zero())?;
        let left = left.get(component).copied().unwrap_or_default();
        Some(
            (left * line.product_uom_qty / planned)
                .round_dp(DECIMALS)
                .floor(),
        )
    });
    whole.min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn link(id: i64) -> Option<Link> {
        Some(Link(id, "x".to_owned()))
    }

    fn picking(id: i64, code: &str, state: &str) -> Picking {
        Picking {
            id,
            picking_type_code: code.to_owned(),
            picking_type_id: link(if code == "outgoing" { 2 } else { 14 }),
            state: state.to_owned(),
            date_done: format!("2026-11-25 07:00:{id:02}"),
            ..Picking::default()
        }
    }

    fn moved(picking: i64, product: i64, planned: &str, state: &str) -> StockMove {
        StockMove {
            product_id: link(product),
            product_uom_qty: dec(planned),
            product_uom: link(1),
            state: state.to_owned(),
            picking_id: link(picking),
            sale_line_id: link(7),
            done: dec(planned),
        }
    }

    fn sold(product: i64, quantity: &str, unit: i64) -> SoldLine {
        SoldLine {
            id: 7,
            product_id: link(product),
            product_uom_qty: dec(quantity),
            unit: link(unit),
        }
    }

    fn told(pickings: &[Picking], moves: &[StockMove], line: SoldLine) -> Vec<(i64, String)> {
        let units = Units::of([(1, dec("1")), (2, dec("6"))]);
        let all = quantities(pickings, moves, &[line], &units);
        let left = pickings
            .iter()
            .filter_map(|picking| Some((picking.id, all.get(&picking.id)?)));
        left.map(|(id, lines)| (id, lines[&7].to_string()))
            .collect()
    }

    #[test]
    fn what_left_is_told_in_the_unit_of_the_line() {
        // Two packs of six were sold; the warehouse counts pieces.
        let pickings = [
            picking(1, "outgoing", "done"),
            picking(2, "outgoing", "assigned"),
        ];
        let moves = [moved(1, 10, "6", "done"), moved(2, 10, "6", "assigned")];
        let left = told(&pickings, &moves, sold(10, "2", 2));
        assert_eq!(left, [(1, "1".to_owned())]);
    }

    #[test]
    fn kits_count_when_they_are_whole() {
        // Two kits of two A and one C. First all of A leaves, then C one by one.
        let pickings = [1, 2, 3].map(|id| picking(id, "outgoing", "done"));
        let moves = [
            moved(1, 10, "4", "done"),
            moved(2, 12, "1", "done"),
            moved(3, 12, "1", "done"),
        ];
        let left = told(&pickings, &moves, sold(13, "2", 1));
        let expected = [(1, "0"), (2, "1"), (3, "1")].map(|(id, n)| (id, n.to_owned()));
        assert_eq!(left, expected);
    }

    #[test]
    fn a_kit_that_is_picked_in_steps_is_counted_by_what_was_planned_first() {
        // Four kits: three have left, and one is still to be picked. The transfer that leaves knows of three only.
        let pickings = [
            picking(1, "internal", "done"),
            picking(2, "internal", "assigned"),
            picking(3, "outgoing", "done"),
        ];
        let moves = [
            moved(1, 10, "6", "done"),
            moved(2, 10, "2", "assigned"),
            moved(3, 10, "6", "done"),
        ];
        assert_eq!(
            told(&pickings, &moves, sold(13, "4", 1)),
            [(3, "3".to_owned())]
        );
    }
}
