//! Sales: what a buyer orders becomes rows of a dozen tables.

use super::rows::row;
use super::shop::State;
use super::trade::Known;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// A line of a sale.
#[derive(Debug, Clone)]
pub struct Line {
    /// Product and combination; 0 for none.
    pub product: (u64, u64),
    /// Reference.
    pub sku: String,
    /// How many.
    pub quantity: u32,
    /// Price of one without tax.
    pub price: Decimal,
    /// Tax: 1 (20 %), 3 (5.5 %), or none.
    pub tax: Option<u64>,
}

/// What a buyer orders.
#[derive(Debug, Clone)]
pub struct Sale {
    /// E-mail address of the buyer, who is made when the shop does not know it.
    pub email: String,
    /// Without an account.
    pub guest: bool,
    /// The buyer's company and VAT number.
    pub company: Option<(String, String)>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Shipping without tax, taxed at 20 %.
    pub shipping: Decimal,
    /// A voucher of so many percent on the goods.
    pub voucher: Option<u32>,
    /// State when placed.
    pub state: u64,
    /// What the buyer writes.
    pub message: String,
}

pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

pub(crate) fn six(amount: Decimal) -> String {
    format!("{amount:.6}")
}

fn with_tax(amount: Decimal, tax: Option<u64>) -> Decimal {
    let rate = match tax {
        Some(3) => Decimal::new(55, 1),
        Some(_) => Decimal::from(20),
        None => Decimal::ZERO,
    };
    amount * (Decimal::ONE_HUNDRED + rate) / Decimal::ONE_HUNDRED
}

/// Nine capitals, as the shop makes them.
pub(crate) fn reference(order: u64) -> String {
    let mut rest = order;
    let mut letters = ['A'; 9];
    for letter in letters.iter_mut().rev() {
        *letter = char::from(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    letters.iter().collect()
}

/// Without and with tax.
type Pair = (Decimal, Decimal);

impl State {
    pub(crate) fn place(&mut self, sale: &Sale) -> u64 {
        let now = self.now_text();
        let (customer, address) = self.buyer(sale, &now);
        let order = self.next_id("orders");
        let mut goods = (Decimal::ZERO, Decimal::ZERO);
        for line in &sale.lines {
            let (net, gross) = self.line(order, line);
            goods = (goods.0 + net, goods.1 + gross);
        }
        let off = Decimal::from(sale.voucher.unwrap_or(0)) / Decimal::ONE_HUNDRED;
        let off = (cents(goods.0 * off), cents(goods.1 * off));
        if sale.voucher.is_some() {
            self.add("order_cart_rules", json!({"id_order": order, "id_cart_rule": "1", "id_order_invoice": "0", "name": "Welcome",
                "value": six(off.1), "value_tax_excl": six(off.0), "free_shipping": "0", "deleted": "0"}));
        }
        let shipping = (sale.shipping, cents(with_tax(sale.shipping, Some(1))));
        let mut fields = head(order, customer, address, &now);
        for (name, amount) in amounts(goods, off, shipping) {
            fields[name] = Value::String(six(amount));
        }
        self.table_mut("orders").insert(order, row(order, fields));
        self.add("order_carriers", json!({"id_order": order, "id_carrier": "5", "id_order_invoice": "0", "weight": "0.000000",
            "shipping_cost_tax_excl": six(shipping.0), "shipping_cost_tax_incl": six(shipping.1), "tracking_number": "", "date_add": now}));
        if !sale.message.is_empty() {
            self.add("messages", json!({"id_cart": order, "id_order": order, "id_customer": customer, "id_employee": "0",
                "private": "0", "message": sale.message, "date_add": now}));
        }
        let now = self.now();
        self.known.entry(order).or_insert_with(|| Known::plain(now));
        self.enter(order, sale.state);
        order
    }

    /// The buyer and the address.
    fn buyer(&mut self, sale: &Sale, now: &str) -> (u64, u64) {
        let known = self.table("customers").iter();
        let known = known.filter(|(_, row)| !sale.guest && row["email"] == json!(sale.email));
        let known = known.map(|(id, _)| *id).next();
        let (company, vat) = sale.company.clone().unwrap_or_default();
        let customer = known.unwrap_or_else(|| {
            self.add("customers", json!({"email": sale.email, "firstname": "Marie", "lastname": "Exemple", "company": company, "siret": "",
                "is_guest": u8::from(sale.guest), "active": "1", "id_lang": "2", "passwd": "$2y$10$notarealhashnotarealhash",
                "secure_key": "5ecre75ecre75ecre75ecre75ecre700", "date_add": now, "date_upd": now}))
        });
        let address = self.add("addresses", json!({"id_customer": customer, "id_country": "8", "id_state": "0", "alias": "home",
            "company": company, "lastname": "Exemple", "firstname": "Marie", "vat_number": vat, "dni": "", "address1": "12 rue de l’Exemple",
            "address2": "", "postcode": "69003", "city": "Lyon", "other": "", "phone": "+33 1 99 00 12 34", "phone_mobile": "",
            "deleted": "0", "date_upd": now}));
        (customer, address)
    }

    /// A line, rounded by itself.
    fn line(&mut self, order: u64, line: &Line) -> (Decimal, Decimal) {
        let quantity = Decimal::from(line.quantity);
        let gross = with_tax(line.price, line.tax);
        let totals = (cents(line.price * quantity), cents(gross * quantity));
        let taxes: Vec<Value> = line
            .tax
            .iter()
            .map(|tax| json!({"id": tax.to_string()}))
            .collect();
        let mut fields = json!({"id_order": order, "product_id": line.product.0, "product_attribute_id": line.product.1,
            "product_name": line.sku, "product_quantity": line.quantity, "product_reference": line.sku, "product_ean13": "",
            "id_customization": "0", "tax_computation_method": "0", "id_tax_rules_group": "1", "ecotax": "0.000000",
            "download_hash": "d0wn10ad", "unit_price_tax_incl": six(gross), "unit_price_tax_excl": six(line.price),
            "total_price_tax_incl": six(totals.1), "total_price_tax_excl": six(totals.0)});
        if !taxes.is_empty() {
            fields["associations"] = json!({ "taxes": taxes });
        }
        self.add("order_details", fields);
        totals
    }
}

fn head(order: u64, customer: u64, address: u64, now: &str) -> Value {
    json!({"id_address_delivery": address, "id_address_invoice": address, "id_cart": order, "id_currency": "1", "id_lang": "2",
        "id_customer": customer, "id_carrier": "5", "current_state": "0", "module": "ps_wirepayment", "invoice_number": "0",
        "invoice_date": "0000-00-00 00:00:00", "delivery_number": "0", "delivery_date": "0000-00-00 00:00:00", "valid": "0",
        "date_add": now, "date_upd": now, "shipping_number": "", "note": "", "id_shop_group": "1", "id_shop": "1",
        "secure_key": "5ecre75ecre75ecre75ecre75ecre700", "payment": "Bank wire", "recyclable": "0", "gift": "0", "gift_message": "",
        "mobile_theme": "0", "carrier_tax_rate": "20.000", "round_mode": "2", "round_type": "2", "conversion_rate": "1.000000",
        "reference": reference(order)})
}

pub(crate) fn amounts(goods: Pair, off: Pair, shipping: Pair) -> [(&'static str, Decimal); 15] {
    let total = (goods.0 - off.0 + shipping.0, goods.1 - off.1 + shipping.1);
    [
        ("total_discounts", off.1),
        ("total_discounts_tax_incl", off.1),
        ("total_discounts_tax_excl", off.0),
        ("total_paid", total.1),
        ("total_paid_tax_incl", total.1),
        ("total_paid_tax_excl", total.0),
        ("total_paid_real", Decimal::ZERO),
        ("total_products", goods.0),
        ("total_products_wt", goods.1),
        ("total_shipping", shipping.1),
        ("total_shipping_tax_incl", shipping.1),
        ("total_shipping_tax_excl", shipping.0),
        ("total_wrapping", Decimal::ZERO),
        ("total_wrapping_tax_incl", Decimal::ZERO),
        ("total_wrapping_tax_excl", Decimal::ZERO),
    ]
}
