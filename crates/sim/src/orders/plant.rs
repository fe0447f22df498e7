//! Planting a trap: what it changes before the money is computed, and after.

use super::draft::{ALL, Charge, Draft, FIXED, PERCENT, SHIPPING, ordinary, parcel};
use super::{convert, erp_difference};
use crate::buyers::Buyer;
use crate::catalogue::{
    BULK_SKU, BUNDLE_SKU, CARD_SKU, Catalogue, DOUBLE_SKU, Item, STICKER_SKU, UNKNOWN_SKU,
    VIRTUAL_SKU,
};
use crate::currency;
use crate::seed::Seed;
use crate::traps::Trap;
use crate::woocommerce::order::{Address, GiftCard, Ids, Line, LineTax, Order, Refund, RefundPart};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Puts a trap into an order to be.
pub(crate) fn plant(
    trap: Trap,
    draft: &mut Draft,
    stream: &mut Seed,
    shop: &Catalogue,
    accounts: &[Buyer],
    guests: &[Buyer],
) {
    match trap {
        Trap::Guest => {
            if let Some(guest) = stream.pick(guests) {
                sell_to(draft, guest.clone());
            }
        }
        Trap::GuestWithAccountEmail => {
            if let Some(account) = stream.pick(accounts) {
                sell_to(
                    draft,
                    Buyer {
                        customer: 0,
                        ..account.clone()
                    },
                );
            }
        }
        Trap::Company => {
            let companies = accounts.iter().filter(|buyer| !buyer.vat_number.is_empty());
            if let Some(company) = stream.pick(&companies.collect::<Vec<_>>()) {
                sell_to(draft, (*company).clone());
            }
        }
        Trap::UnmappedPayment => {
            draft.payment = ("klarna_payments", "Klarna");
            draft.status = "processing";
        }
        Trap::Pending => draft.status = "pending",
        Trap::Draft => draft.status = "checkout-draft",
        Trap::Failed => draft.status = "failed",
        Trap::Cancelled => draft.status = "cancelled",
        Trap::Test => {
            draft.payment = ("woocommerce_payments", "Carte");
            draft.status = "processing";
            draft.meta.push(("_wcpay_mode", "test".into()));
        }
        Trap::OrderNumber => draft.number = Some("FR-".to_owned()),
        // Its lines are cut afterwards, so none may hang on a rounding.
        Trap::PartlyRefunded | Trap::Edited | Trap::DeletedProduct => draft.coupons.clear(),
        _ => {
            plant_money(trap, draft, stream);
            plant_lines(trap, draft, stream, shop);
            plant_place(trap, draft);
        }
    }
}

fn sell_to(draft: &mut Draft, buyer: Buyer) {
    draft.buyer = buyer;
    draft.go_to_the_buyer();
}

/// Traps of prices, discounts, fees and currencies.
fn plant_money(trap: Trap, draft: &mut Draft, stream: &mut Seed) {
    match trap {
        Trap::TaxInclusive => draft.include_tax = true,
        Trap::TaxExclusive => draft.include_tax = false,
        Trap::Fee => draft
            .charges
            .push(charge("Frais de paiement", Decimal::new(1_50, 2), true)),
        Trap::NegativeFee => {
            draft.coupons.clear();
            draft
                .charges
                .push(charge("Geste commercial", Decimal::new(-1_50, 2), true));
        }
        Trap::GiftCardUsed => draft.coupons.clear(),
        Trap::GiftCardFee => {
            draft.coupons.clear();
            let code = format!("SIM-{}", stream.word(8).to_uppercase());
            let mut card = charge("Carte cadeau", Decimal::new(-2_00, 2), false);
            card.name = format!("Carte cadeau {code}");
            card.meta = vec![
                ("_gift_card_code", code.into()),
                ("_is_gift_card", "yes".into()),
            ];
            draft.charges.push(card);
        }
        Trap::ZeroTotal => {
            draft.coupons = vec![ALL];
            draft.parcels = vec![parcel("free_shipping", "Livraison gratuite", Decimal::ZERO)];
            draft.payment = ("", "");
            draft.status = "processing";
        }
        Trap::CouponPercent => draft.coupons = vec![PERCENT],
        Trap::CouponFixed => draft.coupons = vec![FIXED],
        Trap::FreeShipping => {
            draft.coupons = vec![SHIPPING];
            draft.parcels = vec![parcel("flat_rate", "Colissimo", Decimal::new(6_90, 2))];
        }
        Trap::SeveralShippingLines => {
            draft.parcels = vec![
                parcel("flat_rate", "Colissimo", Decimal::new(6_90, 2)),
                parcel("local_pickup", "Point de retrait", Decimal::new(2_50, 2)),
            ];
        }
        Trap::UnmappedShipping => {
            draft.parcels = vec![parcel("relay_point", "Point relais", Decimal::new(4_50, 2))];
        }
        Trap::NoDecimals => in_currency(draft, "JPY"),
        Trap::ThreeDecimals => in_currency(draft, "KWD"),
        Trap::TwoCurrencies => draft.meta.extend([
            ("_buyer_currency", Value::from("USD")),
            ("_buyer_currency_rate", Value::from("1.08")),
        ]),
        _ => {}
    }
}

fn charge(name: &str, amount: Decimal, taxable: bool) -> Charge {
    Charge {
        name: name.to_owned(),
        amount,
        taxable,
        meta: Vec::new(),
    }
}

/// The order in another currency: prices and shipping converted, no coupon.
fn in_currency(draft: &mut Draft, code: &str) {
    draft.currency = currency(code);
    draft.coupons.clear();
    draft.include_tax = false;
    for pick in &mut draft.picks {
        pick.price = convert(pick.item.price, draft.currency);
    }
    for parcel in &mut draft.parcels {
        parcel.price = convert(parcel.price, draft.currency);
    }
}

/// Traps of lines and products.
fn plant_lines(trap: Trap, draft: &mut Draft, stream: &mut Seed, shop: &Catalogue) {
    let named = |sku: &str| shop.item(sku);
    let add = |draft: &mut Draft, sku: &str, quantity: Decimal| {
        if let Some(item) = named(sku) {
            draft.add(item, quantity);
        }
    };
    match trap {
        Trap::SeveralRates => {
            add_of(draft, shop, "BOOK");
            add_of(draft, shop, "POT");
        }
        Trap::SameSkuTwice => {
            if let Some(first) = draft.picks.first().cloned() {
                let mut again = first;
                again.quantity = Decimal::ONE;
                again.meta = vec![("Gravure", format!("« {} »", stream.word(5)))];
                draft.picks.push(again);
            }
        }
        // The missing rate is the standard one.
        Trap::UnmappedTax => add_of(draft, shop, "POT"),
        Trap::EmptySku => add(draft, "", Decimal::ONE),
        Trap::UnknownSku => add(draft, UNKNOWN_SKU, Decimal::ONE),
        Trap::DoubleSku => add(draft, DOUBLE_SKU, Decimal::ONE),
        Trap::GiftCardSold => add(draft, CARD_SKU, Decimal::ONE),
        Trap::FractionalQuantity => {
            draft.coupons.clear();
            add(draft, BULK_SKU, Decimal::new(1_375, 3));
        }
        Trap::BundleParent => bundle(draft, shop, true),
        Trap::BundleChildren => bundle(draft, shop, false),
        Trap::Rounding => stickers(draft, shop, stream),
        Trap::VirtualOnly => {
            draft.picks.clear();
            add(draft, VIRTUAL_SKU, Decimal::ONE);
            draft.parcels.clear();
            draft.coupons.clear();
            draft.place = (
                draft.buyer.billing.country.clone(),
                draft.buyer.billing.state.clone(),
            );
            draft.buyer.shipping = Address::default();
            draft.buyer.billing.phone.clear();
            if draft.payment.0 == "cod" {
                draft.payment = ("stripe", "Carte bancaire");
            }
        }
        Trap::Emoji => {
            draft.buyer.billing.last_name = "D’Exemple-Übér 🎁".to_owned();
            draft.buyer.billing.address_1 = "12 rue de l’Église <b>A&B</b>".to_owned();
            draft.note =
                "Livrer après 18h 🎁 merci !\nCode <b>A&B</b> \"porte\" — l’été".to_owned();
        }
        Trap::LongName => {
            draft.buyer.billing.first_name =
                "Maximilienne-Alexandrine ".repeat(6).trim().to_owned();
            draft.buyer.billing.address_1 = "Résidence des Très Longs Exemples, ".repeat(7);
            draft.buyer.billing.company = "Société d’Exemples Interminables "
                .repeat(4)
                .trim()
                .to_owned();
        }
        _ => {}
    }
}

fn add_of(draft: &mut Draft, shop: &Catalogue, sku: &str) {
    let there = draft.picks.iter().any(|pick| pick.item.sku == sku);
    if let (false, Some(item)) = (there, shop.item(sku)) {
        draft.add(item, Decimal::ONE);
    }
}

/// A bundle and its parts. Either the bundle costs something or its parts do; each amount stands once.
fn bundle(draft: &mut Draft, shop: &Catalogue, on_parent: bool) {
    let Some(item) = shop.item(BUNDLE_SKU) else {
        return;
    };
    draft.coupons.clear();
    let components: Vec<(&Item, u32)> = item
        .components
        .iter()
        .filter_map(|(sku, quantity)| shop.item(sku).map(|part| (part, *quantity)))
        .collect();
    let parent = draft.picks.len();
    let pick = draft.add(item, Decimal::ONE);
    if !on_parent {
        pick.price = Decimal::ZERO;
    }
    for (part, quantity) in components {
        let pick = draft.add(part, Decimal::from(quantity));
        pick.part_of = Some(parent);
        if on_parent {
            pick.price = Decimal::ZERO;
        }
    }
}

/// Three to five lines on which tax by line and tax by subtotal differ by a cent or two.
fn stickers(draft: &mut Draft, shop: &Catalogue, stream: &mut Seed) {
    let Some(item) = shop.item(STICKER_SKU) else {
        return;
    };
    draft.picks.clear();
    draft.coupons.clear();
    draft.include_tax = false;
    draft.at_subtotal = true;
    draft.buyer.shipping.country = "FR".to_owned();
    draft.buyer.shipping.state.clear();
    draft.go_to_the_buyer();
    draft.parcels = vec![parcel("flat_rate", "Colissimo", Decimal::new(6_90, 2))];
    for place in 0..stream.between(3, 5) {
        let pick = draft.add(item, Decimal::ONE);
        pick.meta = vec![("Motif", format!("n° {}", place + 1))];
    }
}

/// Traps of places and addresses.
fn plant_place(trap: Trap, draft: &mut Draft) {
    let to = match trap {
        Trap::TaxesOnOneLine => ("CA", "QC", "Montréal", "H2X 1Y4"),
        Trap::CompoundTax => ("CA", "PE", "Charlottetown", "C1A 1A1"),
        Trap::UnmappedTax => ("AT", "", "Wien", "1010"),
        Trap::Overseas => ("RE", "", "Saint-Denis", "97400"),
        Trap::NorthernIreland => ("GB", "", "Belfast", "BT1 5GS"),
        Trap::Subdivision => ("JP", "JP13", "Tokyo", "100-0001"),
        Trap::NoDecimals => ("JP", "JP27", "Osaka", "530-0001"),
        Trap::NoCountry => {
            // The rates are those of the shop's own country.
            draft.place = ("FR".to_owned(), String::new());
            for address in [&mut draft.buyer.billing, &mut draft.buyer.shipping] {
                address.country.clear();
                address.state.clear();
            }
            return;
        }
        // Bought from home for somebody abroad: taxed at home, so that the third decimal is used.
        Trap::ThreeDecimals => ("FR", "", "Lyon", "69003"),
        _ => return,
    };
    for address in [&mut draft.buyer.billing, &mut draft.buyer.shipping] {
        (address.country, address.state) = (to.0.to_owned(), to.1.to_owned());
        (address.city, address.postcode) = (to.2.to_owned(), to.3.to_owned());
    }
    draft.go_to_the_buyer();
    if matches!(trap, Trap::TaxesOnOneLine | Trap::CompoundTax) {
        draft.include_tax = false;
        draft.coupons.clear();
    }
}

/// What a trap does to an order that is complete.
pub(crate) fn after(
    trap: Trap,
    order: &mut Order,
    shop: &Catalogue,
    ids: &mut Ids,
    stream: &mut Seed,
) {
    match trap {
        Trap::DeletedProduct => {
            let place = stream.below(order.lines.len());
            if let Some(line) = order.lines.get_mut(place) {
                (line.product, line.variation, line.sku) = (0, 0, None);
                line.gtin.clear();
                line.parent_name = None;
                line.name = "Produit supprimé depuis".to_owned();
            }
        }
        Trap::Edited => edited(order, shop, ids, stream),
        Trap::PartlyRefunded => refunded(order, ids),
        Trap::GiftCardUsed => {
            let amount = Decimal::new(2_00, 2);
            order.gift_cards.push(GiftCard {
                id: ids.item(),
                code: format!("SIM-{}", stream.word(8).to_uppercase()),
                amount,
            });
            order.total -= amount;
        }
        Trap::TwoCurrencies => {
            let total = (order.total * Decimal::new(108, 2)).round_dp(2);
            let entry = ids.entry("_buyer_currency_total", total.to_string());
            order.meta.push(entry);
        }
        Trap::Rounding => debug_assert!(!erp_difference(order, shop).is_zero()),
        _ => {}
    }
}

/// A line taken out after the order was placed: it stays with quantity 0 and nothing to pay.
fn edited(order: &mut Order, shop: &Catalogue, ids: &mut Ids, stream: &mut Seed) {
    let there = |item: &&Item| {
        order
            .lines
            .iter()
            .any(|line| line.sku.as_ref() == Some(&item.sku))
    };
    let others: Vec<&Item> = ordinary(shop).filter(|item| !there(item)).collect();
    let Some(item) = stream.pick(&others) else {
        return;
    };
    let rates = order.lines.first().map_or(&[][..], |line| &line.taxes);
    let taxes = rates.iter().map(|tax| LineTax {
        rate: tax.rate,
        total: Decimal::ZERO,
        subtotal: Some(Decimal::ZERO),
    });
    let line = Line {
        id: ids.item(),
        name: item.name.clone(),
        parent_name: None,
        product: item.parent.unwrap_or(item.id),
        variation: item.parent.map_or(0, |_| item.id),
        sku: Some(item.sku.clone()),
        gtin: item.gtin.clone(),
        quantity: Decimal::ZERO,
        tax_class: item.class.slug().to_owned(),
        taxable: item.taxable,
        subtotal: Decimal::ZERO,
        subtotal_tax: Decimal::ZERO,
        total: Decimal::ZERO,
        total_tax: Decimal::ZERO,
        taxes: taxes.collect(),
        meta: Vec::new(),
        bundled_by: None,
        bundled_items: None,
    };
    order.lines.push(line);
    let entry = ids.entry("_total_before_edit", (order.total + item.price).to_string());
    order.meta.push(entry);
}

/// One piece of the first line given back, without the gateway.
fn refunded(order: &mut Order, ids: &mut Ids) {
    let Some(line) = order.lines.first() else {
        return;
    };
    let of_one = |amount: Decimal| (amount / line.quantity).round_dp(order.decimals);
    let taxes: Vec<LineTax> = line
        .taxes
        .iter()
        .map(|tax| LineTax {
            rate: tax.rate,
            total: of_one(tax.total),
            subtotal: None,
        })
        .collect();
    let total = of_one(line.total);
    let amount = total + taxes.iter().map(|tax| tax.total).sum::<Decimal>();
    let part = RefundPart {
        id: ids.item(),
        meta_id: ids.meta(),
        item: line.id,
        quantity: Decimal::ONE,
        total,
        taxes,
    };
    order.refunds.push(Refund {
        id: ids.post(),
        meta_id: ids.meta(),
        created: Timestamp::UNIX_EPOCH,
        amount,
        reason: "Article abîmé".to_owned(),
        full: amount == order.total,
        parts: vec![part],
        meta: vec![ids.entry("_sim", json!("refund"))],
    });
}
