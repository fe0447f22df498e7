//! What the simulated shop sells, and what an ERP and a workspace must know so that its orders can be booked.
//!
//! Everything is invented. The same seed gives the same catalogue.

mod goods;
mod rates;

use goods::items;
use rates::{erp_taxes, taxes};
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The class of a product's tax, as WooCommerce names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxClass {
    /// The standard rate; its slug on a product is empty.
    Standard,
    /// `reduced-rate`.
    Reduced,
}

impl TaxClass {
    /// The slug on products and lines.
    pub fn slug(self) -> &'static str {
        match self {
            TaxClass::Standard => "",
            TaxClass::Reduced => "reduced-rate",
        }
    }
}

/// What a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// One thing.
    Simple,
    /// A product that is sold only as one of its variations.
    Variable,
    /// A variation of a variable product.
    Variation,
    /// A bundle; see [`Item::components`].
    Bundle,
    /// Nothing to ship.
    Virtual,
    /// A gift card, sold without tax.
    GiftCard,
}

/// One product of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Id in the shop.
    pub id: u64,
    /// The variable product of a variation.
    pub parent: Option<u64>,
    /// SKU; empty for the one product that has none.
    pub sku: String,
    /// Name.
    pub name: String,
    /// List price in EUR without tax.
    pub price: Decimal,
    /// Tax class.
    pub class: TaxClass,
    /// Whether tax is charged at all.
    pub taxable: bool,
    /// Weight in kilograms.
    pub weight: Option<Decimal>,
    /// What it is.
    pub sort: Sort,
    /// GTIN, or empty.
    pub gtin: String,
    /// The options of a variation.
    pub options: Vec<(&'static str, String)>,
    /// SKUs and quantities of a bundle's parts.
    pub components: Vec<(String, u32)>,
    /// Stock at the start; none when it is not counted.
    pub stock: Option<i64>,
    /// Sold by weight: quantities such as 1.375.
    pub fractional: bool,
}

/// One product that the ERP must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErpProduct {
    /// SKU (in Odoo: internal reference).
    pub sku: String,
    /// Name.
    pub name: String,
    /// No goods: shipping, fees, rounding.
    pub service: bool,
}

/// One tax rate of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopTax {
    /// Id of the rate.
    pub id: u64,
    /// Country it is for.
    pub country: Cow<'static, str>,
    /// State, or empty.
    pub state: Cow<'static, str>,
    /// Rate in percent.
    pub rate: Decimal,
    /// Name the buyer reads.
    pub name: Cow<'static, str>,
    /// Priority: rates of several priorities stand side by side on one line.
    pub priority: u32,
    /// Charged on top of the taxes before it.
    pub compound: bool,
    /// Slug of its class; empty for the standard rate.
    pub class: Cow<'static, str>,
    /// The ERP's tax for it.
    pub erp: &'static str,
    /// Whether the workspace has a row for it. One has none, on purpose.
    pub mapped: bool,
}

impl ShopTax {
    /// The rate's code on an order, such as `FR-TVA 20-1`: country, state, name in capitals, priority.
    pub fn code(&self) -> String {
        let parts = [&*self.country, &*self.state, &*self.name];
        let head: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}-{}", head.join("-").to_uppercase(), self.priority)
    }
}

/// One tax that the ERP must know. None of them is included in prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErpTax {
    /// Name.
    pub name: &'static str,
    /// Rate in percent.
    pub rate: Decimal,
    /// Later taxes of the same line are charged on top of it (Odoo: "affect base of subsequent taxes").
    pub affects_base: bool,
}

/// A payment or shipping method of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Key, such as `bacs`.
    pub key: &'static str,
    /// What the buyer reads.
    pub title: &'static str,
    /// What the workspace's table says for it: a label, or for shipping the ERP's SKU.
    pub erp: &'static str,
    /// Whether the workspace has a row for it. One of each sort has none, on purpose.
    pub mapped: bool,
}

/// A row that a workspace leaves out on purpose, and what a person would enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRow {
    /// Table as in a cause: `tax`, `payment`, `shipping`.
    pub table: &'static str,
    /// The shop's value.
    pub from: String,
    /// The row's answer.
    pub to: String,
}

/// The shop's products and settings, and what the other side must know.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Products of the shop.
    pub items: Vec<Item>,
    /// Tax rates of the shop.
    pub taxes: Vec<ShopTax>,
    /// Taxes of the ERP.
    pub erp_taxes: Vec<ErpTax>,
    /// Payment methods.
    pub payments: Vec<Method>,
    /// Shipping methods.
    pub shipping: Vec<Method>,
    /// Currencies in which orders are placed: the ERP needs one price list of each.
    pub currencies: Vec<&'static str>,
    /// Statuses that a flow should import.
    pub statuses: Vec<&'static str>,
}

/// The SKU that no ERP product carries, on purpose.
pub const UNKNOWN_SKU: &str = "NEW-2027";
/// The SKU that two ERP products carry, on purpose.
pub const DOUBLE_SKU: &str = "DOUBLE-1";
/// The product sold by weight.
pub const BULK_SKU: &str = "TEA-BULK";
/// The product without anything to ship.
pub const VIRTUAL_SKU: &str = "EBOOK";
/// The bundle.
pub const BUNDLE_SKU: &str = "SET-TEA";
/// The gift card that is sold.
pub const CARD_SKU: &str = "CARD-50";
/// A product so cheap that tax by line and tax by subtotal differ.
pub const STICKER_SKU: &str = "STICKER";

/// The catalogue of a seed.
pub fn catalogue(seed: u64) -> Catalogue {
    Catalogue {
        items: items(seed),
        taxes: taxes(),
        erp_taxes: erp_taxes(),
        payments: vec![
            method("stripe", "Carte bancaire", "Card", true),
            method("ppcp-gateway", "PayPal", "PayPal", true),
            method("bacs", "Virement bancaire", "Bank transfer", true),
            method("cod", "Paiement à la livraison", "Cash on delivery", true),
            method("woocommerce_payments", "Carte", "Card", true),
            method("klarna_payments", "Klarna", "Klarna", false),
        ],
        shipping: vec![
            method("flat_rate", "Colissimo", "SHIP", true),
            method("free_shipping", "Livraison gratuite", "SHIP", true),
            method("local_pickup", "Retrait en magasin", "SHIP", true),
            method("relay_point", "Point relais", "SHIP", false),
        ],
        currencies: vec!["EUR", "JPY", "KWD"],
        statuses: vec!["processing", "on-hold", "completed"],
    }
}

impl Catalogue {
    /// The product with this SKU.
    pub fn item(&self, sku: &str) -> Option<&Item> {
        self.items
            .iter()
            .find(|item| item.sku == sku && item.sort != Sort::Variable)
    }

    /// The products an ERP must know: everything sold under a SKU except [`UNKNOWN_SKU`], [`DOUBLE_SKU`] twice, and the
    /// products that stand for shipping, fees, rounding, gift cards, discounts and lines without SKU.
    pub fn erp_products(&self) -> Vec<ErpProduct> {
        let mut products: Vec<ErpProduct> = self
            .items
            .iter()
            .filter(|item| item.sort != Sort::Variable && !item.sku.is_empty())
            .filter(|item| item.sku != UNKNOWN_SKU)
            .map(|item| ErpProduct {
                sku: item.sku.clone(),
                name: item.name.clone(),
                service: matches!(item.sort, Sort::Virtual | Sort::GiftCard),
            })
            .collect();
        products.push(ErpProduct {
            sku: DOUBLE_SKU.to_owned(),
            name: "Ancienne référence".to_owned(),
            service: false,
        });
        let stand_ins = [
            ("SHIP", "Shipping"),
            ("FEE", "Fee"),
            ("ROUNDING", "Rounding"),
            ("GIFTCARD", "Gift card used"),
            ("DISCOUNT", "Discount"),
            ("NOSKU", "Line without SKU"),
        ];
        products.extend(stand_ins.map(|(sku, name)| ErpProduct {
            sku: sku.to_owned(),
            name: name.to_owned(),
            service: true,
        }));
        products
    }

    /// The rows of a workspace's look-up tables, by file: `taxes`, `payment_methods`, `shipping_methods`. What is unmapped
    /// on purpose is not in them; see [`Catalogue::missing_rows`].
    pub fn tables(&self) -> BTreeMap<&'static str, Vec<(String, String)>> {
        let methods = |methods: &[Method]| {
            methods
                .iter()
                .filter(|method| method.mapped)
                .map(|method| (method.key.to_owned(), method.erp.to_owned()))
                .collect()
        };
        let taxes = self.taxes.iter().filter(|tax| tax.mapped);
        BTreeMap::from([
            (
                "taxes",
                taxes
                    .map(|tax| (tax.code(), tax.erp.to_owned()))
                    .collect::<Vec<_>>(),
            ),
            ("payment_methods", methods(&self.payments)),
            ("shipping_methods", methods(&self.shipping)),
        ])
    }

    /// What is unmapped on purpose.
    pub fn missing_rows(&self) -> Vec<MissingRow> {
        let taxes = self.taxes.iter().filter(|tax| !tax.mapped);
        let mut rows: Vec<MissingRow> = taxes
            .map(|tax| MissingRow {
                table: "tax",
                from: tax.code(),
                to: tax.erp.to_owned(),
            })
            .collect();
        for (table, methods) in [("payment", &self.payments), ("shipping", &self.shipping)] {
            let unmapped = methods.iter().filter(|method| !method.mapped);
            rows.extend(unmapped.map(|method| MissingRow {
                table,
                from: method.key.to_owned(),
                to: method.erp.to_owned(),
            }));
        }
        rows
    }

    /// The rates charged on a class of goods that go to a place.
    pub fn rates(&self, country: &str, state: &str, class: &str) -> Vec<&ShopTax> {
        self.taxes
            .iter()
            .filter(|tax| tax.country == country && tax.class == class)
            .filter(|tax| tax.state.is_empty() || tax.state == state)
            .collect()
    }
}

fn method(key: &'static str, title: &'static str, erp: &'static str, mapped: bool) -> Method {
    Method {
        key,
        title,
        erp,
        mapped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_gives_one_catalogue_and_skus_are_unique_in_the_shop() {
        let one = catalogue(1);
        assert_eq!(one.items, catalogue(1).items);
        assert_ne!(one.items, catalogue(2).items);
        let skus: Vec<_> = one.items.iter().map(|item| &item.sku).collect();
        assert_eq!(skus.iter().collect::<BTreeSet<_>>().len(), skus.len());
    }

    #[test]
    fn codes_are_written_as_the_shop_writes_them() {
        let shop = catalogue(1);
        let codes: Vec<String> = shop.taxes.iter().map(ShopTax::code).collect();
        for code in [
            "FR-TVA 20-1",
            "DE-MWST 19-1",
            "CA-QC-TPS 5-1",
            "CA-QC-TVQ 9.975-2",
        ] {
            assert!(codes.iter().any(|c| c == code), "{code} in {codes:?}");
        }
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    }

    #[test]
    fn every_row_points_at_something_the_erp_has() {
        let shop = catalogue(3);
        let tables = shop.tables();
        for (_, to) in &tables["taxes"] {
            assert!(shop.erp_taxes.iter().any(|tax| tax.name == to), "{to}");
        }
        let products = shop.erp_products();
        for (_, sku) in &tables["shipping_methods"] {
            assert!(products.iter().any(|product| &product.sku == sku), "{sku}");
        }
        let carriers_of_double = products.iter().filter(|p| p.sku == DOUBLE_SKU).count();
        assert_eq!(carriers_of_double, 2);
        assert!(!products.iter().any(|product| product.sku == UNKNOWN_SKU));
    }
}
