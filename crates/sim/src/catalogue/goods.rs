//! Products of the simulated shop.

use super::{
    BULK_SKU, BUNDLE_SKU, CARD_SKU, DOUBLE_SKU, Item, STICKER_SKU, Sort, TaxClass, UNKNOWN_SKU,
    VIRTUAL_SKU,
};
use crate::seed::Seed;
use rust_decimal::Decimal;

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

/// The products of a seed.
pub(super) fn items(seed: u64) -> Vec<Item> {
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
