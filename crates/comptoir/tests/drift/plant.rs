//! What people do to one order, item or parcel of one side. Each answers what the drift is known by: the record, or of stock the SKU.

use crate::pair::{Pair, Sold};
use comptoir_model::Decimal;
use comptoir_sim::odoo::{HandEdit, HandOrder};
use comptoir_sim::seed::Seed;
use comptoir_sim::woocommerce::Deed;
use serde_json::json;

const ONE: Decimal = Decimal::ONE;
/// Where the mark of shipments stands in an order of WooCommerce.
const MARK: &str = "_comptoir_shipments";

/// Orders whose parcel must have left and been told before.
pub fn needs_a_parcel(deed: &str) -> bool {
    deed.starts_with("tracking ") || deed == "parcel deleted in the ERP"
}

/// Does it.
pub fn plant(pair: &Pair, deed: &str, sold: &Sold, sku: &str) -> String {
    match deed {
        "ordered unseen" => pair.sell(1).to_string(),
        "ordered two products unseen" => pair.sell(2).to_string(),
        "parcel left unseen" => pair.ship(sold, None, "TRACK-NEW").to_string(),
        "part of an order left unseen" => pair.ship(sold, Some(ONE), "TRACK-PART").to_string(),
        "counted less" => count(pair, sku, 3),
        "counted more" => count(pair, sku, 777),
        "counted none" => count(pair, sku, 0),
        "set to less" => set(pair, sku, 2),
        "set to more" => set(pair, sku, 888),
        "set to none" => set(pair, sku, 0),
        deed if deed.starts_with("tracking ") || deed.starts_with("parcel ") => {
            of_parcels(pair, deed, sold)
        }
        deed if deed.contains("shop") || deed == "fee of a cent" => {
            in_the_shop(pair, deed, sold);
            sold.id.to_string()
        }
        "typed in once more" => format!("double {}", typed_in(pair, sold)),
        deed => {
            in_the_erp(pair, deed, sold);
            sold.id.to_string()
        }
    }
}

fn count(pair: &Pair, sku: &str, quantity: i64) -> String {
    pair.count(sku, quantity);
    sku.to_owned()
}

fn set(pair: &Pair, sku: &str, quantity: i64) -> String {
    if let Some(shop) = pair.shop.woocommerce() {
        assert!(shop.set_stock(sku, Some(quantity.into())));
    }
    if let Some(shop) = pair.shop.prestashop() {
        shop.set_stock(sku, quantity);
    }
    sku.to_owned()
}

fn in_the_shop(pair: &Pair, deed: &str, sold: &Sold) {
    if let Some(shop) = pair.shop.woocommerce() {
        let mut seed = Seed::new(1);
        let done = match deed {
            "order deleted in the shop" => shop.delete(sold.id),
            "order cancelled in the shop" => shop.touch(sold.id, Deed::Cancelled, &mut seed),
            "fee of a cent" => shop.charge(sold.id, Decimal::new(1, 2)),
            "quantity up in the shop" => {
                let (line, many, total) = shop.lines(sold.id)[0];
                let total = total / many * (many + ONE);
                let line = json!({
                    "id": line, "quantity": (many + ONE).to_string().parse::<u64>().unwrap(),
                    "total": total.to_string(), "subtotal": total.to_string(),
                });
                shop.change(sold.id, &json!({"line_items": [line]}))
            }
            other => panic!("{other}"),
        };
        assert!(done, "{deed}");
    }
    if let Some(shop) = pair.shop.prestashop() {
        match deed {
            "order deleted in the shop" => shop.delete("orders", sold.id),
            "order cancelled in the shop" => shop.cancel(sold.id),
            "fee of a cent" => shop.charge_more(sold.id, Decimal::new(1, 2)),
            "quantity up in the shop" => shop.change_quantity(shop.details(sold.id)[0], 3),
            other => panic!("{other}"),
        }
    }
}

fn in_the_erp(pair: &Pair, deed: &str, sold: &Sold) {
    if let Some(erp) = pair.erp.odoo() {
        let line = erp.order(sold.erp).unwrap().lines[0].clone();
        let edit = |edit: HandEdit| erp.edit_order_by_hand(sold.erp, &edit).unwrap();
        let cent = Decimal::new(1, 2);
        match deed {
            "price up a cent" => edit(HandEdit::Price(
                0,
                line.quantity,
                line.price_unit + cent / line.quantity,
            )),
            "quantity up" => edit(HandEdit::Quantity(0, line.quantity + ONE)),
            "one for two at double the price" => edit(HandEdit::Price(
                0,
                line.quantity / Decimal::TWO,
                line.price_unit * Decimal::TWO,
            )),
            "line added by hand" => edit(HandEdit::AddLine(pair.skus[1].clone(), ONE)),
            "cancelled by hand" => erp.cancel_by_hand(sold.erp).unwrap(),
            "order deleted in the ERP" => {
                erp.cancel_by_hand(sold.erp).unwrap();
                erp.delete_by_hand(sold.erp).unwrap();
            }
            other => panic!("{other}"),
        }
    }
    if let Some(erp) = pair.erp.dolibarr() {
        let orders = erp.orders();
        let held = orders.iter().find(|order| order.id == sold.erp).unwrap();
        let line = held.lines[0].clone();
        let cent = Decimal::new(1, 2);
        let (many, price) = (line.quantity, line.price);
        match deed {
            "price up a cent" => erp.edit_line(sold.erp, 0, many, price + cent / many),
            "quantity up" => erp.edit_line(sold.erp, 0, many + ONE, price),
            "one for two at double the price" => {
                let two = Decimal::TWO;
                erp.edit_line(sold.erp, 0, many / two, price * two);
            }
            "line added by hand" => erp.add_line(sold.erp, ONE),
            "cancelled by hand" => erp.cancel_order(sold.erp),
            "order deleted in the ERP" => erp.delete("orders", sold.erp),
            other => panic!("{other}"),
        }
    }
}

fn typed_in(pair: &Pair, sold: &Sold) -> i64 {
    if let Some(erp) = pair.erp.odoo() {
        let order = erp.order(sold.erp).unwrap();
        return erp
            .add_order_by_hand(&HandOrder {
                partner: order.partner,
                reference: order.client_order_ref.clone(),
                lines: vec![(pair.skus[0].clone(), ONE)],
            })
            .unwrap();
    }
    pair.erp
        .dolibarr()
        .and_then(|erp| erp.copy_order(sold.erp))
        .unwrap()
}

fn of_parcels(pair: &Pair, deed: &str, sold: &Sold) -> String {
    let parcel = sold.parcel.unwrap();
    match deed {
        "tracking lost in the shop" => {
            if let Some(shop) = pair.shop.woocommerce() {
                shop.set_meta(sold.id, MARK, json!(""));
            }
            if let Some(shop) = pair.shop.prestashop() {
                shop.track(sold.id, "");
            }
        }
        "tracking typed over in the shop" => {
            if let Some(shop) = pair.shop.woocommerce() {
                let mark = shop.meta(sold.id, MARK).unwrap();
                let mark = mark.as_str().unwrap().replace("TRACK-", "TYPED-");
                shop.set_meta(sold.id, MARK, json!(mark));
            }
            if let Some(shop) = pair.shop.prestashop() {
                shop.track(sold.id, "TYPED-1");
            }
        }
        "tracking cleared in the ERP" => pair.track(parcel, ""),
        "tracking replaced in the ERP" => pair.track(parcel, "TRACK-OTHER"),
        "parcel deleted in the ERP" => pair.erp.dolibarr().unwrap().delete_shipment(parcel),
        other => panic!("{other}"),
    }
    parcel.to_string()
}
