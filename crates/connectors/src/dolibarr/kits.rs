//! Kits ("virtual products"): products that take their parts out of stock. The list of products does not tell which they are, so each
//! is asked for by itself, and only where the setting `kits` is on.

use super::api::Api;
use super::wire::Part;
use comptoir_kit::http::Priority;
use comptoir_model::Decimal;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use comptoir_model::product::Component;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Kits inside of kits at most: Dolibarr itself refuses a circle.
const DEPTH: usize = 10;

/// The parts of products, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Kits(HashMap<i64, Vec<(i64, Decimal)>>);

impl Kits {
    /// Asks for the parts of these products, and of their parts. What is known is asked for again only with `anew`.
    pub(super) async fn learn(
        &mut self,
        api: &Api,
        products: &BTreeSet<i64>,
        anew: bool,
    ) -> Result<(), Fault> {
        let mut wanted = products.clone();
        let mut asked = BTreeSet::new();
        for depth in 0..DEPTH {
            let mut parts = BTreeSet::new();
            for product in wanted {
                let known = self.0.contains_key(&product) && !(anew && depth == 0);
                if !known && asked.insert(product) {
                    self.0.insert(product, parts_of(api, product).await?);
                }
                let of_it = self.0.get(&product).into_iter().flatten();
                parts.extend(of_it.map(|(part, _)| *part));
            }
            if parts.is_empty() {
                break;
            }
            wanted = parts;
        }
        Ok(())
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether a product is a kit.
    pub(super) fn is_kit(&self, product: i64) -> bool {
        self.0.get(&product).is_some_and(|parts| !parts.is_empty())
    }

    /// What is in one of it, exploded through kits inside of kits; empty for what is no kit.
    pub(super) fn exploded(&self, product: i64) -> BTreeMap<i64, Decimal> {
        let mut found = BTreeMap::new();
        if self.is_kit(product) {
            self.explode(product, Decimal::ONE, DEPTH, &mut found);
        }
        found
    }

    fn explode(
        &self,
        product: i64,
        quantity: Decimal,
        depth: usize,
        found: &mut BTreeMap<i64, Decimal>,
    ) {
        match self.0.get(&product) {
            Some(parts) if !parts.is_empty() && depth > 0 => {
                for (part, each) in parts {
                    self.explode(*part, quantity * each, depth - 1, found);
                }
            }
            _ => *found.entry(product).or_default() += quantity,
        }
    }

    /// The same as a document says it.
    pub(super) fn components(&self, product: i64) -> Vec<Component> {
        let exploded = self.exploded(product).into_iter();
        exploded
            .map(|(part, quantity)| Component {
                product: RemoteId(part.to_string()),
                quantity: quantity.normalize(),
            })
            .collect()
    }
}

/// The parts that go out of stock with a product. Those marked not to (`incdec` 0) are left out, as Dolibarr does.
async fn parts_of(api: &Api, product: i64) -> Result<Vec<(i64, Decimal)>, Fault> {
    let path = format!("products/{product}/subproducts");
    let found: Result<Vec<Part>, Fault> =
        api.get_as("stock.parts", &path, &[], Priority::Stock).await;
    let parts = match found {
        Ok(parts) => parts,
        Err(fault) if fault.next == Next::Gone => Vec::new(),
        Err(fault) => return Err(fault),
    };
    let counted = |part: &Part| part.incdec != "0" && part.qty > Decimal::ZERO;
    let counted = parts.into_iter().filter(counted);
    Ok(counted.map(|part| (part.rowid, part.qty)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kits_inside_of_kits_come_out_as_goods() {
        let half = Decimal::new(5, 1);
        let kits = Kits(HashMap::from([
            (1, vec![(2, Decimal::TWO), (3, half)]),
            (2, vec![(3, half), (4, Decimal::ONE)]),
            (3, vec![]),
        ]));
        let inside = kits.exploded(1);
        assert_eq!(
            inside,
            BTreeMap::from([(3, Decimal::new(15, 1)), (4, Decimal::TWO)])
        );
        assert!(kits.exploded(3).is_empty() && !kits.is_kit(4));
    }

    #[test]
    fn a_circle_ends() {
        let kits = Kits(HashMap::from([(1, vec![(1, Decimal::ONE)])]));
        assert_eq!(kits.exploded(1), BTreeMap::from([(1, Decimal::ONE)]));
    }
}
