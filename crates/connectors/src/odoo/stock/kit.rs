//! Kits: a product whose bill of materials is a phantom is put together when it is sold, and what can be sold of it is what its
//! components allow. Kits inside of kits are exploded to goods that are counted.

use super::target;
use crate::odoo::fault;
use crate::odoo::goods::Units;
use crate::odoo::rpc::Ask;
use crate::odoo::session::Session;
use crate::odoo::wire::{AttributeValue, Bom, BomLine, Goods};
use comptoir_kit::http::Priority;
use comptoir_model::Decimal;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::product::Component;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Kits inside of kits are followed so deep. Odoo refuses a kit inside of itself.
const DEPTH: usize = 16;
/// Decimals kept of a quantity per kit. The rest is cut and never rounded up: 2 goods in 3 kits are 0.666666666666 each, and of 2 goods
/// on hand 3 kits can be made.
const KEPT: u32 = 12;
/// Decimals at which a sum of quotients is exact again: a third of a pack of three is one.
const EXACT: u32 = 20;

/// What must be known to explode.
#[derive(Debug, Default)]
pub(super) struct Kits {
    /// Products by id, components too.
    pub(super) products: HashMap<i64, Goods>,
    /// Phantom bills of materials, the one that counts first.
    pub(super) boms: Vec<Bom>,
    /// Their lines, by bill.
    pub(super) lines: HashMap<i64, Vec<BomLine>>,
    pub(super) units: Units,
    /// The attribute of each attribute value that a line is restricted to.
    pub(super) attributes: HashMap<i64, i64>,
}

/// The components of those of these products that are kits: one call where there are none.
pub(super) async fn explode(
    session: &Session,
    products: &[Goods],
) -> Result<HashMap<i64, Vec<Component>>, Fault> {
    let mut kits = Kits::default();
    let mut asked: BTreeSet<i64> = BTreeSet::new();
    let mut wanted: BTreeSet<i64> = products.iter().map(|product| product.id).collect();
    for _ in 0..DEPTH {
        asked.extend(&wanted);
        let boms = boms(session, &wanted).await?;
        if boms.is_empty() {
            break;
        }
        if kits.boms.is_empty() {
            kits.products = products.iter().map(|p| (p.id, p.clone())).collect();
        }
        let lines = lines(session, &boms).await?;
        let parts: BTreeSet<i64> = lines.iter().map(|line| target(&line.product_id)).collect();
        wanted = parts
            .difference(&asked)
            .copied()
            .filter(|id| *id > 0)
            .collect();
        kits.boms.extend(boms);
        for line in lines {
            let of_bom = kits.lines.entry(target(&line.bom_id)).or_default();
            of_bom.push(line);
        }
        let known = |id: &i64| kits.products.contains_key(id);
        let strange: Vec<i64> = wanted.iter().copied().filter(|id| !known(id)).collect();
        let found = components(session, &strange).await?;
        kits.products.extend(found.into_iter().map(|p| (p.id, p)));
        if wanted.is_empty() {
            break;
        }
    }
    if kits.boms.is_empty() {
        return Ok(HashMap::new());
    }
    kits.boms
        .sort_by_key(|bom| (bom.sequence, bom.product_id.is_none(), bom.id));
    kits.units = session.units(&kits.units_met()).await?;
    kits.restrictions(session, products).await?;
    let exploded = products
        .iter()
        .map(|product| (product.id, kits.components(product.id)));
    Ok(exploded
        .filter_map(|(id, parts)| Some((id, parts?)))
        .collect())
}

/// The phantom bills of materials of products. None where no app brings them, or the user may not see them.
async fn boms(session: &Session, products: &BTreeSet<i64>) -> Result<Vec<Bom>, Fault> {
    if products.is_empty() || !session.has_kits() {
        return Ok(Vec::new());
    }
    // A bill without a variant is one of every variant of its template.
    let domain = json!([
        ["type", "=", "phantom"],
        "|",
        ["product_id", "in", products],
        "&",
        ["product_id", "=", false],
        ["product_tmpl_id.product_variant_ids", "in", products]
    ]);
    let fields = [
        "product_tmpl_id",
        "product_id",
        "product_qty",
        "product_uom_id",
        "sequence",
    ];
    let ask = Ask::search("kits", "mrp.bom", domain, &fields).priority(Priority::Stock);
    match session.rpc.call(ask).await {
        Ok(boms) => Ok(boms),
        Err(fault) if session.kits_are_closed(&fault) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

async fn lines(session: &Session, boms: &[Bom]) -> Result<Vec<BomLine>, Fault> {
    let ids: Vec<i64> = boms.iter().map(|bom| bom.id).collect();
    let domain = json!([["bom_id", "in", ids]]);
    let fields = [
        "bom_id",
        "product_id",
        "product_qty",
        "product_uom_id",
        "bom_product_template_attribute_value_ids",
    ];
    let ask = Ask::search("kits", "mrp.bom.line", domain, &fields)
        .option("order", json!("id"))
        .priority(Priority::Stock);
    session.rpc.call(ask).await.map_err(fault::of_everything)
}

/// What components are. Archived ones are sold inside of kits all the same.
async fn components(session: &Session, ids: &[i64]) -> Result<Vec<Goods>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let fields = crate::odoo::session::present(&session.known.product, super::PRODUCT);
    let domain = json!([["id", "in", ids]]);
    let ask = Ask::search("kits", "product.product", domain, &fields)
        .archived_too()
        .priority(Priority::Stock);
    session.rpc.call(ask).await.map_err(fault::of_everything)
}

impl Kits {
    fn units_met(&self) -> BTreeSet<i64> {
        let products = self.products.values().map(|product| &product.uom_id);
        let boms = self.boms.iter().map(|bom| &bom.product_uom_id);
        let lines = self
            .lines
            .values()
            .flatten()
            .map(|line| &line.product_uom_id);
        let all = products.chain(boms).chain(lines).map(target);
        all.filter(|unit| *unit > 0).collect()
    }

    /// What lines that go for some variants only are restricted to, and which values the variants have.
    async fn restrictions(&mut self, session: &Session, asked: &[Goods]) -> Result<(), Fault> {
        let values: BTreeSet<i64> = self
            .lines
            .values()
            .flatten()
            .flat_map(|line| line.values.iter().copied())
            .collect();
        if values.is_empty() {
            return Ok(());
        }
        let values: Vec<i64> = values.into_iter().collect();
        let ask = Ask::read("kits", "product.template.attribute.value", "read")
            .ids(&values)
            .arg("fields", json!(["attribute_id"]))
            .priority(Priority::Stock);
        let rows: Vec<AttributeValue> =
            session.rpc.call(ask).await.map_err(fault::of_everything)?;
        let attribute = |row: AttributeValue| (row.id, target(&row.attribute_id));
        self.attributes = rows.into_iter().map(attribute).collect();
        let kit = |product: &&Goods| self.bom(product.id).is_some();
        let inner = self.products.values().filter(kit).map(|product| product.id);
        let ids: BTreeSet<i64> = asked
            .iter()
            .filter(kit)
            .map(|p| p.id)
            .chain(inner)
            .collect();
        let domain = json!([["id", "in", ids]]);
        let fields = ["product_template_attribute_value_ids"];
        let ask = Ask::search("kits", "product.product", domain, &fields)
            .archived_too()
            .priority(Priority::Stock);
        let rows: Vec<Goods> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
        for row in rows {
            if let Some(product) = self.products.get_mut(&row.id) {
                product.values = row.values;
            }
        }
        Ok(())
    }

    /// The bill that counts for a product.
    fn bom(&self, product: i64) -> Option<&Bom> {
        let template = target(&self.products.get(&product)?.product_tmpl_id);
        self.boms.iter().find(|bom| match &bom.product_id {
            Some(variant) => variant.0 == product,
            None => target(&bom.product_tmpl_id) == template && template > 0,
        })
    }

    /// The counted goods in one kit, by id; none for what is no kit.
    pub(super) fn components(&self, product: i64) -> Option<Vec<Component>> {
        self.bom(product)?;
        let mut sums = BTreeMap::new();
        self.add(product, Decimal::ONE, &mut HashSet::new(), &mut sums);
        let component = |(id, sum): (i64, Decimal)| Component {
            product: RemoteId(id.to_string()),
            quantity: sum.round_dp(EXACT).trunc_with_scale(KEPT).normalize(),
        };
        let parts = sums.into_iter().map(component);
        Some(parts.filter(|part| !part.quantity.is_zero()).collect())
    }

    /// Adds what is in so many of a product, in its own unit.
    fn add(
        &self,
        product: i64,
        quantity: Decimal,
        above: &mut HashSet<i64>,
        sums: &mut BTreeMap<i64, Decimal>,
    ) {
        let Some(known) = self.products.get(&product) else {
            return;
        };
        let Some(bom) = self.bom(product).filter(|_| above.insert(product)) else {
            if known.is_counted() {
                *sums.entry(product).or_default() += quantity;
            }
            return;
        };
        let own = target(&known.uom_id);
        let made = self
            .units
            .convert(bom.product_qty, target(&bom.product_uom_id), own);
        for line in self.lines.get(&bom.id).into_iter().flatten() {
            let part = target(&line.product_id);
            if made.is_zero() || !self.goes_for(line, known) {
                continue;
            }
            let unit = self
                .products
                .get(&part)
                .map_or(0, |part| target(&part.uom_id));
            let used = self
                .units
                .convert(line.product_qty, target(&line.product_uom_id), unit);
            self.add(part, quantity * used / made, above, sums);
        }
        above.remove(&product);
    }

    /// Whether a line goes for a variant: of each attribute that it names, the variant has one of the values.
    fn goes_for(&self, line: &BomLine, variant: &Goods) -> bool {
        let mut by_attribute: HashMap<i64, bool> = HashMap::new();
        for value in &line.values {
            let attribute = self.attributes.get(value).copied().unwrap_or_default();
            let has = variant.values.contains(value);
            *by_attribute.entry(attribute).or_default() |= has;
        }
        by_attribute.values().all(|has| *has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::wire::Link;

    fn link(id: i64) -> Option<Link> {
        Some(Link(id, "x".to_owned()))
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn counted(id: i64, unit: i64) -> Goods {
        Goods {
            id,
            is_storable: true,
            product_tmpl_id: link(100 + id),
            uom_id: link(unit),
            ..Goods::default()
        }
    }

    fn line(bom: i64, part: i64, quantity: &str, unit: i64) -> BomLine {
        BomLine {
            bom_id: link(bom),
            product_id: link(part),
            product_qty: dec(quantity),
            product_uom_id: link(unit),
            ..BomLine::default()
        }
    }

    /// A product, how many of it one bill makes, and of what.
    type Made<'a> = (i64, &'a str, &'a [(i64, &'a str)]);

    fn kits(boms: &[Made<'_>]) -> Kits {
        let mut kits = Kits::default();
        for (at, (product, made, parts)) in boms.iter().enumerate() {
            let id = at as i64 + 1;
            kits.boms.push(Bom {
                id,
                product_tmpl_id: link(100 + product),
                product_qty: dec(made),
                product_uom_id: link(1),
                ..Bom::default()
            });
            let lines = parts
                .iter()
                .map(|(part, quantity)| line(id, *part, quantity, 1));
            kits.lines.insert(id, lines.collect());
            let parts = parts.iter().map(|(part, _)| *part);
            let all = std::iter::once(*product).chain(parts);
            kits.products.extend(all.map(|id| (id, counted(id, 1))));
        }
        kits
    }

    fn parts(kits: &Kits, product: i64) -> Vec<(String, String)> {
        let parts = kits.components(product).unwrap();
        let told = |part: &Component| (part.product.to_string(), part.quantity.to_string());
        parts.iter().map(told).collect()
    }

    /// How many kits can be made of what is on hand.
    fn made(kits: &Kits, product: i64, on_hand: &[(i64, &str)]) -> Decimal {
        let parts = kits.components(product).unwrap();
        let of = |part: &Component| {
            let there = on_hand
                .iter()
                .find(|(id, _)| part.product.as_str() == id.to_string());
            (dec(there.map_or("0", |(_, quantity)| quantity)) / part.quantity).floor()
        };
        parts.iter().map(of).min().unwrap()
    }

    /// INV-04: p1 = p2 + p3, p2 = p3 + p4.
    #[test]
    fn kits_inside_of_kits_share_their_components() {
        let kits = kits(&[
            (1, "1", &[(2, "1"), (3, "1")]),
            (2, "1", &[(3, "1"), (4, "1")]),
        ]);
        let told = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(parts(&kits, 1), [told("3", "2"), told("4", "1")]);
        assert_eq!(parts(&kits, 2), [told("3", "1"), told("4", "1")]);
        let on_hand = [(3, "10"), (4, "10")];
        assert_eq!(made(&kits, 1, &on_hand), dec("5"));
        assert_eq!(made(&kits, 2, &on_hand), dec("10"));
        assert_eq!(kits.components(3), None);
    }

    /// INV-05 and INV-06: what floats get wrong.
    #[test]
    fn quantities_are_exact_decimals() {
        let tenth = kits(&[(5, "1", &[(6, "0.1")])]);
        assert_eq!(made(&tenth, 5, &[(6, "0.7")]), dec("7"));
        let hundred = kits(&[(1, "100", &[(2, "1")])]);
        assert_eq!(parts(&hundred, 1), [("2".to_owned(), "0.01".to_owned())]);
        assert_eq!(made(&hundred, 1, &[(2, "0.57")]), dec("57"));
    }

    #[test]
    fn what_does_not_divide_never_costs_a_kit() {
        let thirds = kits(&[
            (1, "3", &[(2, "2")]),
            (3, "3", &[(4, "1")]),
            (5, "1", &[(3, "3")]),
        ]);
        assert_eq!(parts(&thirds, 1)[0].1, "0.666666666666");
        assert_eq!(made(&thirds, 1, &[(2, "2")]), dec("3"));
        // A third, three times, is one.
        assert_eq!(parts(&thirds, 5), [("4".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn units_are_converted_and_what_is_not_counted_is_left_out() {
        let mut kits = kits(&[(1, "1", &[(2, "1"), (3, "1")])]);
        // One dozen of it in a kit; and a leaflet that nobody counts.
        kits.lines.get_mut(&1).unwrap()[0].product_uom_id = link(2);
        let factors = [(1, dec("1")), (2, dec("12"))];
        kits.units = Units::of(factors);
        kits.products.get_mut(&3).unwrap().is_storable = false;
        assert_eq!(parts(&kits, 1), [("2".to_owned(), "12".to_owned())]);
        // A kit of nothing that is counted is one all the same.
        kits.products.get_mut(&2).unwrap().is_storable = false;
        assert_eq!(kits.components(1), Some(Vec::new()));
    }

    #[test]
    fn a_line_may_go_for_some_variants_only() {
        let mut kits = kits(&[(1, "1", &[(2, "1"), (3, "1"), (4, "1")])]);
        kits.attributes = HashMap::from([(70, 7), (71, 7), (80, 8)]);
        let lines = kits.lines.get_mut(&1).unwrap();
        lines[0].values = vec![70, 71];
        lines[1].values = vec![71];
        lines[2].values = vec![70, 80];
        kits.products.get_mut(&1).unwrap().values = vec![70, 81];
        assert_eq!(parts(&kits, 1), [("2".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn the_bill_of_the_variant_comes_before_that_of_the_template_and_a_circle_ends() {
        let mut kits = kits(&[
            (1, "1", &[(2, "1")]),
            (1, "1", &[(3, "1")]),
            (4, "1", &[(4, "1")]),
        ]);
        kits.boms[1].product_id = link(1);
        kits.boms
            .sort_by_key(|bom| (bom.sequence, bom.product_id.is_none(), bom.id));
        assert_eq!(parts(&kits, 1)[0].0, "3");
        assert_eq!(parts(&kits, 4), [("4".to_owned(), "1".to_owned())]);
    }
}
