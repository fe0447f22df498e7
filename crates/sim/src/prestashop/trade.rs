//! Seeded sales as rows of the shop, and what became of them.

use super::plan;
use super::rows::row;
use super::sale::{reference, six};
use super::shop::{Shop, State};
use crate::catalogue::Catalogue;
use crate::traps::{Expected, Trap};
use crate::woocommerce::order::{Address, Line, Order};
use crate::woocommerce::{Deed, ShopOrder};
use comptoir_model::money::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// What is known of a sale beyond the shop's own rows.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub traps: Vec<Trap>,
    pub expected: Expected,
    pub touched: Vec<Deed>,
    pub placed: Timestamp,
    pub modified: Timestamp,
}

impl Known {
    /// A sale without traps.
    pub(crate) fn plain(at: Timestamp) -> Self {
        Known {
            traps: Vec::new(),
            expected: Expected::Imported,
            touched: Vec::new(),
            placed: at,
            modified: at,
        }
    }
}

/// Without and with tax.
type Pair = (Decimal, Decimal);

impl State {
    /// Places the next planned sale at a time.
    pub(crate) fn place_next(&mut self, at: Timestamp) -> Option<u64> {
        let order = self.waiting.pop_front()?;
        let catalogue = self.catalogue.clone()?;
        let (clock, real) = (self.options.now, self.real);
        (self.options.now, self.real) = (at, false);
        let id = self.place_planned(&order, &catalogue);
        (self.options.now, self.real) = (clock, real);
        Some(id)
    }

    fn place_planned(&mut self, order: &Order, catalogue: &Catalogue) -> u64 {
        let now = self.now_text();
        let id = self.next_id("orders");
        let customer = self.customer(order, &now);
        let billing = self.address(customer, &order.billing, order, &now);
        let delivery = match order.shipping.country.is_empty() {
            true => billing,
            false => self.address(customer, &order.shipping, order, &now),
        };
        let mut goods = (Decimal::ZERO, Decimal::ZERO);
        // A pack is one line: what is in it stands nowhere on the order.
        for line in order.lines.iter().filter(|line| line.bundled_by.is_none()) {
            let (net, gross) = self.planned_line(id, line);
            goods = (goods.0 + net, goods.1 + gross);
        }
        let off = (
            order.discount_total,
            order.discount_total + order.discount_tax,
        );
        if off.0 > Decimal::ZERO {
            let code = order.coupons.first().map_or("", |coupon| &coupon.code);
            self.add("order_cart_rules", json!({"id_order": id, "id_cart_rule": "1", "id_order_invoice": "0", "name": code,
                "value": six(off.1), "value_tax_excl": six(off.0), "free_shipping": "0", "deleted": "0"}));
        }
        let shipping = (
            order.shipping_total,
            order.shipping_total + order.shipping_tax,
        );
        let method = order.shipping_lines.first().map_or("", |line| &line.method);
        let carrier = match order.shipping.country.is_empty() {
            true => 0,
            false => plan::carrier(catalogue, method),
        };
        let head = Head {
            id,
            customer,
            addresses: (billing, delivery),
            carrier,
            now: &now,
        };
        let mut fields = head.fields(order, catalogue);
        for (name, amount) in super::sale::amounts(goods, off, shipping) {
            fields[name] = Value::String(six(amount));
        }
        for name in ["total_paid", "total_paid_tax_incl"] {
            fields[name] = Value::String(six(order.total));
        }
        fields["total_paid_tax_excl"] = Value::String(six(order.total - order.total_tax));
        self.table_mut("orders").insert(id, row(id, fields));
        if carrier != 0 {
            self.add("order_carriers", json!({"id_order": id, "id_carrier": carrier, "id_order_invoice": "0", "weight": "0.000000",
                "shipping_cost_tax_excl": six(shipping.0), "shipping_cost_tax_incl": six(shipping.1), "tracking_number": "",
                "date_add": now}));
        }
        if !order.note.is_empty() {
            self.add("messages", json!({"id_cart": id, "id_order": id, "id_customer": customer, "id_employee": "0", "private": "0",
                "message": order.note, "date_add": now}));
        }
        let known = Known {
            traps: order.traps.clone(),
            expected: plan::expected(order, catalogue),
            ..Known::plain(self.now())
        };
        self.known.insert(id, known);
        self.enter(id, plan::state_of(&order.status));
        if !order.refunds.is_empty()
            && let Some(detail) = self.details_of(id).first().copied()
        {
            self.slip(detail, 1);
        }
        id
    }

    /// The account of the buyer, made at the first order; a guest is a new one every time.
    fn customer(&mut self, order: &Order, now: &str) -> u64 {
        let guest = order.customer == 0;
        if let Some(known) = self.accounts.get(&order.billing.email).filter(|_| !guest) {
            return *known;
        }
        let of = &order.billing;
        let id = self.add("customers", json!({"email": of.email, "firstname": of.first_name, "lastname": of.last_name, "company": of.company,
            "siret": "", "is_guest": u8::from(guest).to_string(), "active": "1", "id_lang": "2", "passwd": "$2y$10$notarealhashnotarealhash",
            "secure_key": "5ecre75ecre75ecre75ecre75ecre700", "date_add": now, "date_upd": now}));
        if !guest {
            self.accounts.insert(of.email.clone(), id);
        }
        id
    }

    fn address(&mut self, customer: u64, of: &Address, order: &Order, now: &str) -> u64 {
        let vat = order.meta.iter().find(|meta| meta.key == "_billing_vat");
        let vat = vat.and_then(|meta| meta.value.as_str()).unwrap_or_default();
        let vat = if of == &order.billing { vat } else { "" };
        self.add("addresses", json!({"id_customer": customer, "id_country": plan::country(&of.country), "id_state": "0", "alias": "home",
            "company": of.company, "lastname": of.last_name, "firstname": of.first_name, "vat_number": vat, "dni": "",
            "address1": of.address_1, "address2": of.address_2, "postcode": of.postcode, "city": of.city, "other": "",
            "phone": of.phone, "phone_mobile": "", "deleted": "0", "date_upd": now}))
    }

    fn planned_line(&mut self, order: u64, line: &Line) -> Pair {
        let quantity = line.quantity;
        let (net, gross) = (line.subtotal, line.subtotal + line.subtotal_tax);
        let each = |amount: Decimal| match quantity.is_zero() {
            true => Decimal::ZERO,
            false => amount / quantity,
        };
        let taxes: Vec<Value> = line
            .taxes
            .iter()
            .map(|tax| json!({"id": tax.rate.to_string()}))
            .collect();
        // Of a product that was deleted since the line keeps an id that leads nowhere.
        let product = if line.product == 0 {
            99_999
        } else {
            line.product
        };
        let mut fields = json!({"id_order": order, "product_id": product, "product_attribute_id": line.variation,
            "product_name": line.name, "product_quantity": quantity.normalize().to_string(),
            "product_reference": line.sku.clone().unwrap_or_default(), "product_ean13": line.gtin,
            "id_customization": "0", "tax_computation_method": "0", "id_tax_rules_group": if line.tax_class.is_empty() { "1" } else { "2" },
            "ecotax": "0.000000", "download_hash": "", "unit_price_tax_incl": six(each(gross)), "unit_price_tax_excl": six(each(net)),
            "total_price_tax_incl": six(gross), "total_price_tax_excl": six(net)});
        if !taxes.is_empty() {
            fields["associations"] = json!({ "taxes": taxes });
        }
        self.add("order_details", fields);
        (net, gross)
    }

    /// A credit slip for so many of a line. The order's time of change stays.
    pub(crate) fn slip(&mut self, detail: u64, quantity: u32) -> u64 {
        let line = self.table("order_details").get(&detail).cloned();
        let line = line.unwrap_or_default();
        let price = |name: &str| decimal(&line, name) * Decimal::from(quantity);
        let (net, gross) = (price("unit_price_tax_excl"), price("unit_price_tax_incl"));
        let (now, id) = (self.now_text(), self.next_id("order_slip"));
        let fields = json!({"id_customer": "1", "id_order": line["id_order"], "conversion_rate": "1.000000",
            "total_products_tax_excl": six(net), "total_products_tax_incl": six(gross), "total_shipping_tax_excl": "0.000000",
            "total_shipping_tax_incl": "0.000000", "amount": six(gross), "shipping_cost": "0", "shipping_cost_amount": "0.000000",
            "partial": "1", "date_add": now, "date_upd": now, "order_slip_type": "1",
            "associations": {"order_slip_details": [{"id": id.to_string(), "id_order_detail": detail.to_string(),
                "product_quantity": quantity.to_string(), "amount_tax_excl": six(net), "amount_tax_incl": six(gross)}]}});
        self.add("order_slip", fields)
    }

    /// The lines of an order, by id.
    pub(crate) fn details_of(&self, order: u64) -> Vec<u64> {
        self.lines_of.get(&order).cloned().unwrap_or_default()
    }

    fn seen(&self, id: u64, order: &Map<String, Value>) -> ShopOrder {
        let known = self.known.get(&id).cloned();
        let known = known.unwrap_or_else(|| Known::plain(self.options.now));
        let text = |row: &Map<String, Value>, name: &str| -> String {
            let text = row.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let customer = text(order, "id_customer").parse().unwrap_or(0);
        let buyer = self.table("customers").get(&customer);
        let guest = buyer.is_none_or(|buyer| buyer["is_guest"] == json!("1"));
        let currency = text(order, "id_currency").parse().unwrap_or(0);
        let currency = self.table("currencies").get(&currency);
        let currency: Currency = currency.map_or_else(crate::orders::euro, |currency| {
            crate::currency(&text(currency, "iso_code"))
        });
        let total = decimal(order, "total_paid_tax_incl");
        let lines = self.details_of(id).into_iter().filter_map(|line| {
            let line = self.table("order_details").get(&line)?;
            Some((
                text(line, "product_reference"),
                decimal(line, "product_quantity"),
            ))
        });
        ShopOrder {
            id,
            number: text(order, "reference"),
            status: text(order, "current_state"),
            currency,
            total: total.round_dp(currency.exponent()),
            gift_cards: Decimal::ZERO,
            tax: (total - decimal(order, "total_paid_tax_excl")).round_dp(currency.exponent()),
            traps: known.traps,
            expected: known.expected,
            email: buyer.map(|buyer| text(buyer, "email")).unwrap_or_default(),
            customer: if guest { 0 } else { customer },
            lines: lines.collect(),
            touched: known.touched,
            placed: known.placed,
            modified: known.modified,
        }
    }
}

/// Who orders, where to, with which carrier, when.
struct Head<'a> {
    id: u64,
    customer: u64,
    addresses: (u64, u64),
    carrier: u64,
    now: &'a str,
}

impl Head<'_> {
    fn fields(&self, order: &Order, catalogue: &Catalogue) -> Value {
        let taxes = order.shipping_lines.first().map(|line| &line.taxes[..]);
        let rates = taxes.unwrap_or_default().iter().filter_map(|tax| {
            let mut known = catalogue.taxes.iter();
            known.find(|known| known.id == tax.rate)
        });
        let rate: Decimal = rates.map(|tax| tax.rate).sum();
        json!({"id_address_delivery": self.addresses.1, "id_address_invoice": self.addresses.0, "id_cart": self.id,
            "id_currency": "1", "id_lang": "2", "id_customer": self.customer, "id_carrier": self.carrier, "current_state": "0",
            "module": plan::module(&order.payment_method), "invoice_number": "0", "invoice_date": "0000-00-00 00:00:00",
            "delivery_number": "0", "delivery_date": "0000-00-00 00:00:00", "valid": "0", "date_add": self.now, "date_upd": self.now,
            "shipping_number": "", "note": "", "id_shop_group": "1", "id_shop": "1", "secure_key": "5ecre75ecre75ecre75ecre75ecre700",
            "payment": order.payment_title, "recyclable": "0", "gift": "0", "gift_message": "", "mobile_theme": "0",
            "carrier_tax_rate": format!("{rate:.3}"), "round_mode": "2", "round_type": "2", "conversion_rate": "1.000000",
            "reference": reference(self.id)})
    }
}

pub(crate) fn decimal(row: &Map<String, Value>, name: &str) -> Decimal {
    let text = row.get(name).and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

impl Shop {
    /// Every order that has been placed, by id.
    pub fn orders(&self) -> Vec<ShopOrder> {
        let state = self.lock();
        let orders = state.table("orders").iter();
        orders.map(|(id, row)| state.seen(*id, row)).collect()
    }

    /// One order.
    pub fn order(&self, id: u64) -> Option<ShopOrder> {
        let state = self.lock();
        let row = state.table("orders").get(&id)?;
        Some(state.seen(id, row))
    }

    /// How many orders have not been placed yet.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Everything at once, placed evenly over the last hour.
    pub(crate) fn place_all(&self) {
        let mut state = self.lock();
        let count = state.waiting.len() as i64;
        let now = state.now().as_second();
        for place in 0..count {
            let at = now - 3_600 + 3_600 * place / count.max(1);
            state.place_next(Timestamp::from_second(at).unwrap_or_default());
        }
    }

    /// Lets the planned orders appear over [`super::ShopOptions::over`]; ends when all are there.
    pub async fn arrive(&self) {
        let (count, over) = {
            let state = self.lock();
            (state.waiting.len(), state.options.over)
        };
        let begin = tokio::time::Instant::now();
        for place in 0..count {
            let due = over.mul_f64((place + 1) as f64 / count as f64);
            tokio::time::sleep_until(begin + due).await;
            let mut state = self.lock();
            let now = state.now();
            state.place_next(now);
        }
    }
}
