//! What the simulated shop sells, and what an ERP and a workspace must know so that its orders can be booked.
//!
//! Everything is invented. The same seed gives the same catalogue.

use crate::seed::Seed;
use rust_decimal::Decimal;
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

    /// The class of a slug; unknown ones count as standard.
    pub fn of(slug: &str) -> Self {
        match slug {
            "reduced-rate" => TaxClass::Reduced,
            _ => TaxClass::Standard,
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
    pub country: &'static str,
    /// State, or empty.
    pub state: &'static str,
    /// Rate in percent.
    pub rate: Decimal,
    /// Name the buyer reads.
    pub name: &'static str,
    /// Priority: rates of several priorities stand side by side on one line.
    pub priority: u32,
    /// Charged on top of the taxes before it.
    pub compound: bool,
    /// Class.
    pub class: TaxClass,
    /// The ERP's tax for it.
    pub erp: &'static str,
    /// Whether the workspace has a row for it. One has none, on purpose.
    pub mapped: bool,
}

impl ShopTax {
    /// The rate's code on an order, such as `FR-TVA 20-1`: country, state, name in capitals, priority.
    pub fn code(&self) -> String {
        let parts = [self.country, self.state, self.name];
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
    pub fn rates(&self, country: &str, state: &str, class: TaxClass) -> Vec<&ShopTax> {
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

/// Every name tells its rate, so that the code alone says which tax it is.
fn taxes() -> Vec<ShopTax> {
    use TaxClass::{Reduced, Standard};
    let tax = |country, name, rate, class, erp| ShopTax {
        id: 0,
        country,
        state: "",
        rate,
        name,
        priority: 1,
        compound: false,
        class,
        erp,
        mapped: true,
    };
    let d = Decimal::new;
    let mut taxes = vec![
        tax("FR", "TVA 20", d(20, 0), Standard, "VAT FR 20 %"),
        tax("FR", "TVA 5.5", d(55, 1), Reduced, "VAT FR 5.5 %"),
        tax("DE", "MwSt 19", d(19, 0), Standard, "VAT DE 19 %"),
        tax("DE", "MwSt 7", d(7, 0), Reduced, "VAT DE 7 %"),
        tax("BE", "TVA 21", d(21, 0), Standard, "VAT BE 21 %"),
        tax("BE", "TVA 6", d(6, 0), Reduced, "VAT BE 6 %"),
        tax("ES", "IVA 21", d(21, 0), Standard, "VAT ES 21 %"),
        tax("ES", "IVA 10", d(10, 0), Reduced, "VAT ES 10 %"),
        tax("IT", "IVA 22", d(22, 0), Standard, "VAT IT 22 %"),
        tax("IT", "IVA 10", d(10, 0), Reduced, "VAT IT 10 %"),
        tax("NL", "BTW 21", d(21, 0), Standard, "VAT NL 21 %"),
        tax("NL", "BTW 9", d(9, 0), Reduced, "VAT NL 9 %"),
        tax("RE", "TVA 8.5", d(85, 1), Standard, "VAT RE 8.5 %"),
        tax("RE", "TVA 2.1", d(21, 1), Reduced, "VAT RE 2.1 %"),
        ShopTax {
            mapped: false,
            ..tax("AT", "USt 20", d(20, 0), Standard, "VAT AT 20 %")
        },
        tax("AT", "USt 10", d(10, 0), Reduced, "VAT AT 10 %"),
    ];
    let canada = |state, name, rate, priority, compound, erp| ShopTax {
        state,
        priority,
        compound,
        ..tax("CA", name, rate, Standard, erp)
    };
    taxes.extend([
        canada("QC", "TPS 5", d(5, 0), 1, false, "GST 5 %"),
        canada("QC", "TVQ 9.975", d(9_975, 3), 2, false, "QST 9.975 %"),
        canada("PE", "GST 5", d(5, 0), 1, false, "GST 5 % (base)"),
        canada("PE", "PST 10", d(10, 0), 2, true, "PST 10 % on top"),
    ]);
    for (index, tax) in taxes.iter_mut().enumerate() {
        tax.id = index as u64 + 1;
    }
    taxes
}

fn erp_taxes() -> Vec<ErpTax> {
    let shop = taxes();
    let under_a_compound_one = |tax: &ShopTax| {
        shop.iter()
            .any(|other| other.compound && other.country == tax.country && other.state == tax.state)
    };
    shop.iter()
        .map(|tax| ErpTax {
            name: tax.erp,
            rate: tax.rate,
            affects_base: !tax.compound && under_a_compound_one(tax),
        })
        .collect()
}

const GOODS: [(&str, &str, TaxClass); 20] = [
    ("MUG", "Mug émaillé « Été » 35 cl", TaxClass::Standard),
    ("BOOK", "Livre : l’œuvre", TaxClass::Reduced),
    ("TEA-EARL", "Thé Earl Grey, boîte", TaxClass::Reduced),
    ("TEA-GREEN", "Thé vert sencha, boîte", TaxClass::Reduced),
    ("POT", "Théière en fonte 0,8 l", TaxClass::Standard),
    ("TRAY", "Plateau en bois de hêtre", TaxClass::Standard),
    ("SPOON", "Cuillère à thé, lot de 4", TaxClass::Standard),
    ("HONEY", "Miel de lavande 250 g", TaxClass::Reduced),
    ("COOKIE", "Sablés au beurre 200 g", TaxClass::Reduced),
    ("CANDLE", "Bougie parfumée", TaxClass::Standard),
    ("TOWEL", "Torchon brodé", TaxClass::Standard),
    ("APRON", "Tablier de cuisine", TaxClass::Standard),
    ("JAR", "Bocal à thé 500 g", TaxClass::Standard),
    ("FILTER", "Filtres à thé, 100 pièces", TaxClass::Standard),
    ("KETTLE", "Bouilloire 1,7 l", TaxClass::Standard),
    ("SCALE", "Balance de cuisine", TaxClass::Standard),
    ("BOWL", "Bol en grès", TaxClass::Standard),
    ("PLATE", "Assiette à dessert", TaxClass::Standard),
    ("GLASS", "Verre à thé, lot de 6", TaxClass::Standard),
    ("CLOTH", "Nappe en lin lavé", TaxClass::Standard),
];

fn items(seed: u64) -> Vec<Item> {
    let mut stream = Seed::of(seed, 0xCA7A);
    let mut items = Vec::new();
    for (sku, name, class) in GOODS {
        let mut item = simple(101 + items.len() as u64, sku, name, price(&mut stream));
        item.class = class;
        item.weight = Some(Decimal::new(stream.between(5, 250), 2));
        item.stock = Some(stream.between(200, 2_000));
        // Reserved for use inside a shop (GS1 prefix 20 to 29), so no real article has it.
        item.gtin = gtin(&format!("29{:010}", item.id));
        items.push(item);
    }
    shirts(&mut items, &mut stream);
    specials(&mut items);
    items
}

fn price(stream: &mut Seed) -> Decimal {
    let euros = stream.between(2, 79);
    let cents = *stream.pick(&[0, 50, 90, 95, 99, 25]).unwrap_or(&0);
    Decimal::new(euros * 100 + cents, 2)
}

fn simple(id: u64, sku: &str, name: &str, price: Decimal) -> Item {
    Item {
        id,
        parent: None,
        sku: sku.to_owned(),
        name: name.to_owned(),
        price,
        class: TaxClass::Standard,
        taxable: true,
        weight: None,
        sort: Sort::Simple,
        gtin: String::new(),
        options: Vec::new(),
        components: Vec::new(),
        stock: None,
        fractional: false,
    }
}

fn gtin(twelve: &str) -> String {
    let sum: u32 = twelve
        .bytes()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 3 })
        .sum();
    format!("{twelve}{}", (10 - sum % 10) % 10)
}

/// Two variable products and their variations.
fn shirts(items: &mut Vec<Item>, stream: &mut Seed) {
    for (base, name, colours) in [
        ("TS", "T-shirt bio", ["Bleu nuit", "Écru"]),
        ("SWEAT", "Sweat à capuche", ["Vert sapin", "Gris chiné"]),
    ] {
        let parent_id = 101 + items.len() as u64;
        let price = price(stream);
        let mut parent = simple(parent_id, base, name, price);
        parent.sort = Sort::Variable;
        items.push(parent);
        for (index, colour) in colours.into_iter().enumerate() {
            for size in ["S", "M", "L/XL"] {
                let id = 101 + items.len() as u64;
                let sku = format!("{base}-{}-{}", size.replace('/', ""), index + 1);
                let title = format!("{name} - {size}, {colour}");
                let mut item = simple(id, &sku, &title, price);
                item.parent = Some(parent_id);
                item.sort = Sort::Variation;
                item.options = vec![("Taille", size.to_owned()), ("Couleur", colour.to_owned())];
                item.stock = Some(stream.between(50, 400));
                items.push(item);
            }
        }
    }
}

/// The products that exist for the sake of a trap.
fn specials(items: &mut Vec<Item>) {
    let d = Decimal::new;
    let mut add = |sku: &str, name: &str, price: Decimal, change: &dyn Fn(&mut Item)| {
        let mut item = simple(101 + items.len() as u64, sku, name, price);
        change(&mut item);
        items.push(item);
    };
    add(BULK_SKU, "Thé vrac (kg)", d(33_33, 2), &|item| {
        item.class = TaxClass::Reduced;
        item.fractional = true;
    });
    add(VIRTUAL_SKU, "Livre numérique", d(9_90, 2), &|item| {
        item.sort = Sort::Virtual;
        item.class = TaxClass::Reduced;
    });
    add(BUNDLE_SKU, "Coffret thé", d(39_90, 2), &|item| {
        item.sort = Sort::Bundle;
        item.components = vec![("MUG".to_owned(), 2), ("TEA-EARL".to_owned(), 1)];
    });
    add(CARD_SKU, "Carte cadeau 50 €", d(50_00, 2), &|item| {
        item.sort = Sort::GiftCard;
        item.taxable = false;
    });
    add(STICKER_SKU, "Autocollant", d(83, 2), &|item| {
        item.class = TaxClass::Reduced;
    });
    add(UNKNOWN_SKU, "Nouveauté de la saison", d(24_90, 2), &|_| {});
    add(DOUBLE_SKU, "Article en double", d(14_90, 2), &|_| {});
    add("", "Article sans référence", d(12_50, 2), &|_| {});
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
