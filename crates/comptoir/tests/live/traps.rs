//! The traps that the shop's API lets anyone set: how each order is made, and what must come of it.

use crate::shop::{Goods, coupon, sku, tax_code};
use comptoir_model::cause::Cause;
use comptoir_model::key::Kind;
use serde_json::{Value, json};

/// What must come of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Confirmed in the ERP, once, equal to the cent.
    Imported,
    /// Held with this cause: it cannot be mapped.
    Held(String),
    /// Not imported for this reason.
    Skipped(String),
}

/// What happens to an order between the shop and the hub's first look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Nothing,
    /// Its first line is changed from three pieces to one.
    Edited,
    /// A part of it is refunded.
    Refunded,
    /// The product of its first line is deleted.
    ProductDeleted,
}

/// One order of the suite.
pub struct Trap {
    pub name: &'static str,
    pub order: Value,
    pub then: Then,
    pub outcome: Outcome,
}

/// The shop's keys of methods, with and without a row.
pub const PAYMENT: &str = "live-card";
pub const UNMAPPED_PAYMENT: &str = "live-voucher";
pub const SHIPPING: &str = "live-parcel";
pub const UNMAPPED_SHIPPING: &str = "live-drone";

/// Bodies of orders.
struct Maker<'a> {
    goods: &'a Goods,
    /// Of the order that is being made; buyers are told apart by it.
    name: &'static str,
}

impl Maker<'_> {
    fn line(&self, product: &str, quantity: u32, total: &str) -> Value {
        json!({
            "product_id": self.goods.products[product], "quantity": quantity,
            "subtotal": total, "total": total,
        })
    }

    fn email(&self) -> String {
        let name = self.name.replace([' ', '\'', ','], "-");
        format!("{name}.{}@example.test", self.goods.run)
    }

    fn address(&self, country: &str, state: &str, postcode: &str, city: &str) -> Value {
        json!({
            "first_name": "Live", "last_name": format!("{} {}", self.name, self.goods.run),
            "company": "", "address_1": "1 rue de l’Exemple", "address_2": "", "city": city,
            "state": state, "postcode": postcode, "country": country, "phone": "+33 1 99 00 12 34",
        })
    }

    /// A paid order to France of these lines.
    fn order(&self, lines: Vec<Value>) -> Value {
        self.order_to(self.address("FR", "", "69003", "Lyon"), lines)
    }

    fn order_to(&self, address: Value, lines: Vec<Value>) -> Value {
        let mut billing = address.clone();
        billing["email"] = self.email().into();
        json!({
            "set_paid": true, "payment_method": PAYMENT, "payment_method_title": "Live card",
            "transaction_id": format!("live-{}-{}", self.goods.run, self.name.len()),
            "billing": billing, "shipping": address, "line_items": lines,
            "shipping_lines": [self.parcel("6.90")],
            "meta_data": [{"key": "_comptoir_live", "value": self.goods.run}],
        })
    }

    fn parcel(&self, total: &str) -> Value {
        json!({"method_id": SHIPPING, "method_title": "Live parcel", "total": total})
    }

    fn fee(&self, name: &str, total: &str, taxed: bool) -> Value {
        json!([{
            "name": name, "total": total, "tax_class": self.goods.classes["standard"],
            "tax_status": if taxed { "taxable" } else { "none" },
        }])
    }
}

/// A body with some fields set.
fn with(mut order: Value, fields: Value) -> Value {
    for (field, value) in fields.as_object().unwrap() {
        order[field] = value.clone();
    }
    order
}

/// Collects the traps of a run.
struct List<'a> {
    goods: &'a Goods,
    traps: Vec<Trap>,
}

impl List<'_> {
    fn add(&mut self, name: &'static str, order: impl FnOnce(&Maker<'_>) -> Value) -> &mut Trap {
        let maker = Maker {
            goods: self.goods,
            name,
        };
        let trap = Trap {
            name,
            order: order(&maker),
            then: Then::Nothing,
            outcome: Outcome::Imported,
        };
        self.traps.push(trap);
        self.traps.last_mut().unwrap()
    }

    fn held(&mut self, name: &'static str, cause: Cause, order: impl FnOnce(&Maker<'_>) -> Value) {
        self.add(name, order).outcome = Outcome::Held(cause.to_string());
    }

    fn skipped(&mut self, name: &'static str, why: &str, order: impl FnOnce(&Maker<'_>) -> Value) {
        self.add(name, order).outcome = Outcome::Skipped(why.to_owned());
    }
}

/// Every trap of a run.
pub fn all(goods: &Goods) -> Vec<Trap> {
    let mut list = List {
        goods,
        traps: Vec::new(),
    };
    buyers(&mut list);
    money(&mut list);
    discounts(&mut list);
    lines(&mut list);
    places(&mut list);
    unmappable(&mut list);
    not_imported(&mut list);
    list.traps
}

/// Buyers who order again, after their first order was imported: nobody may be doubled by it.
pub fn second_orders(goods: &Goods) -> Vec<Trap> {
    let mut list = List {
        goods,
        traps: Vec::new(),
    };
    let (account, email) = goods.account.clone();
    list.add("guest, again", |make| {
        let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
        let first = Maker {
            goods,
            name: "guest",
        };
        order["billing"]["email"] = first.email().to_uppercase().into();
        order
    });
    list.add("account, again", |make| {
        let order = make.order(vec![make.line("BOOK", 1, "18.90")]);
        let mut order = with(order, json!({"customer_id": account}));
        order["billing"]["email"] = email.clone().into();
        order
    });
    list.add("company, again", |make| company(make, goods));
    list.traps
}

/// A small order that shows that the hub has read everything before it.
pub fn marker(goods: &Goods, name: &'static str) -> Trap {
    let mut list = List {
        goods,
        traps: Vec::new(),
    };
    list.add(name, |make| make.order(vec![make.line("MUG", 1, "12.50")]));
    list.traps.remove(0)
}

/// Two mugs and a book, of which the warehouse sends a part first.
pub fn bought(goods: &Goods) -> Value {
    let make = Maker {
        goods,
        name: "parcels",
    };
    make.order(vec![
        make.line("MUG", 2, "25.00"),
        make.line("BOOK", 1, "18.90"),
    ])
}

/// A plain order of three lines by a buyer of its own, for the race.
pub fn plain(goods: &Goods, index: usize) -> Value {
    let make = Maker {
        goods,
        name: "race",
    };
    let mut order = make.order(vec![
        make.line("MUG", 2, "25.00"),
        make.line("BOOK", 1, "18.90"),
        make.line("SET", 1, "40.00"),
    ]);
    order["billing"]["email"] = format!("race{index}.{}@example.test", goods.run).into();
    order["billing"]["last_name"] = format!("Race {index} {}", goods.run).into();
    order["shipping"]["last_name"] = order["billing"]["last_name"].clone();
    order
}

fn company(make: &Maker<'_>, goods: &Goods) -> Value {
    let mut order = make.order(vec![make.line("MUG", 10, "125.00")]);
    order["billing"]["email"] = format!("company.{}@example.test", goods.run).into();
    order["billing"]["company"] = format!("Exemple {} SARL", goods.run).into();
    order["shipping"]["company"] = order["billing"]["company"].clone();
    order["meta_data"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "billing_vat", "value": vat_number(&goods.run)}));
    order
}

/// A French VAT number of the right form for this run: Luhn over nine digits, and the key before them.
fn vat_number(run: &str) -> String {
    let seed = run.bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let head = format!("{:08}", 10_000_000 + seed % 90_000_000);
    // From the right of the whole number every second digit counts twice: the head's last one first.
    let sum: u32 = head
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match place % 2 {
                0 => digit * 2 / 10 + digit * 2 % 10,
                _ => digit,
            }
        })
        .sum();
    let siren: u64 = format!("{head}{}", (10 - sum % 10) % 10).parse().unwrap();
    format!("FR{:02}{siren:09}", (12 + 3 * (siren % 97)) % 97)
}

#[test]
fn vat_numbers_are_well_formed() {
    for run in ["abcdef", "zzzzzz", "live"] {
        let number = vat_number(run);
        let siren: u64 = number[4..].parse().unwrap();
        assert_eq!(number.len(), 13);
        assert_eq!(
            number[2..4].parse::<u64>(),
            Ok((12 + 3 * (siren % 97)) % 97)
        );
    }
    // Luhn, on a number that is known to be right: 732 829 320.
    assert_eq!((12 + 3 * (732_829_320_u64 % 97)) % 97, 44);
}

fn buyers(list: &mut List<'_>) {
    let goods = list.goods;
    let (account, email) = goods.account.clone();
    list.add("guest", |make| {
        make.order(vec![make.line("MUG", 2, "25.00")])
    });
    list.add("account", |make| {
        let order = make.order(vec![make.line("BOOK", 2, "37.80")]);
        let mut order = with(order, json!({"customer_id": account}));
        order["billing"]["email"] = email.clone().into();
        order
    });
    list.add("guest with an account's e-mail", |make| {
        let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
        order["billing"]["email"] = email.clone().into();
        order
    });
    list.add("company with VAT number", |make| company(make, goods));
    list.add("emoji and markup", |make| {
        let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
        order["billing"]["first_name"] = "Zoë 🫖".into();
        order["shipping"]["first_name"] = "Zoë 🫖".into();
        with(
            order,
            json!({"customer_note": "Sonner 2 × « Léa » & 1 < 2\n🎁"}),
        )
    });
    list.add("long names", |make| {
        let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
        for address in ["billing", "shipping"] {
            order[address]["address_1"] = "Très longue rue ".repeat(15).trim().into();
        }
        order
    });
}

fn money(list: &mut List<'_>) {
    list.add("two tax rates", |make| {
        make.order(vec![
            make.line("MUG", 3, "37.50"),
            make.line("BOOK", 2, "37.80"),
        ])
    });
    list.add("two taxes on a line, one compound", |make| {
        let to = make.address("CA", "QC", "H2X 1Y4", "Montréal");
        make.order_to(to, vec![make.line("MUG", 3, "33.75")])
    });
    list.add("tax of another country", |make| {
        let to = make.address("DE", "", "10115", "Berlin");
        make.order_to(to, vec![make.line("MUG", 2, "25.00")])
    });
    list.add("cents that no price of one gives", |make| {
        make.order(vec![
            make.line("MUG", 3, "25.63"),
            make.line("BOOK", 7, "18.91"),
        ])
    });
    list.add("zero total", |make| {
        let order = make.order(vec![make.line("MUG", 1, "0.00")]);
        with(order, json!({"shipping_lines": []}))
    });
    list.add("currency without decimals", |make| {
        let to = make.address("JP", "JP13", "100-0001", "千代田区");
        let order = make.order_to(to, vec![make.line("MUG", 2, "3960.00")]);
        let parcels = json!([make.parcel("2500.00")]);
        with(order, json!({"currency": "JPY", "shipping_lines": parcels}))
    });
    list.add("currency with three decimals", |make| {
        let to = make.address("KW", "", "13001", "Kuwait City");
        let order = make.order_to(to, vec![make.line("MUG", 2, "10.50")]);
        with(order, json!({"currency": "KWD"}))
    });
    list.add("edited after placing", |make| {
        make.order(vec![
            make.line("MUG", 3, "37.50"),
            make.line("BOOK", 1, "18.90"),
        ])
    })
    .then = Then::Edited;
}

fn discounts(list: &mut List<'_>) {
    let run = list.goods.run.clone();
    let pieces = |make: &Maker<'_>| {
        let line = |product: &str, quantity: u32| json!({"product_id": make.goods.products[product], "quantity": quantity});
        make.order(vec![line("MUG", 3), line("BOOK", 1)])
    };
    for (name, code) in [
        ("percent coupon", "percent"),
        ("fixed coupon", "fixed"),
        ("free shipping coupon", "freeship"),
    ] {
        list.add(name, |make| {
            let order = with(
                pieces(make),
                json!({"coupon_lines": [{"code": coupon(&run, code)}]}),
            );
            match code {
                "freeship" => with(order, json!({"shipping_lines": [make.parcel("0.00")]})),
                _ => order,
            }
        });
    }
    list.add("line discount without a coupon", |make| {
        let mut line = make.line("MUG", 3, "33.75");
        line["subtotal"] = "37.50".into();
        make.order(vec![line])
    });
    list.add("fee", |make| {
        let order = make.order(vec![make.line("MUG", 1, "12.50")]);
        with(
            order,
            json!({"fee_lines": make.fee("Live payment fee", "1.67", true)}),
        )
    });
    list.add("negative fee", |make| {
        let order = make.order(vec![make.line("MUG", 4, "50.00")]);
        with(
            order,
            json!({"fee_lines": make.fee("Live gesture", "-5.00", true)}),
        )
    });
    list.add("gift card used as a fee", |make| {
        let order = make.order(vec![make.line("MUG", 4, "50.00")]);
        with(
            order,
            json!({"fee_lines": make.fee("Live gift card", "-20.00", false)}),
        )
    });
    list.add("several shipping lines", |make| {
        let order = make.order(vec![make.line("MUG", 1, "12.50")]);
        with(
            order,
            json!({"shipping_lines": [make.parcel("6.90"), make.parcel("2.50")]}),
        )
    });
}

fn lines(list: &mut List<'_>) {
    list.add("same SKU twice", |make| {
        make.order(vec![
            make.line("MUG", 1, "12.50"),
            make.line("MUG", 1, "12.50"),
        ])
    });
    list.add("empty SKU", |make| {
        make.order(vec![make.line("PLAIN", 2, "14.14")])
    });
    list.add("deleted product", |make| {
        make.order(vec![
            make.line("GONE", 1, "21.00"),
            make.line("MUG", 1, "12.50"),
        ])
    })
    .then = Then::ProductDeleted;
    list.add("gift card sold", |make| {
        let mut card = make.line("CARD", 1, "50.00");
        card["meta_data"] = json!([{"key": "pw_gift_card_amount", "value": "50"}]);
        make.order(vec![card, make.line("MUG", 1, "12.50")])
    });
    list.add("virtual goods only", |make| {
        let order = make.order(vec![make.line("EBOOK", 1, "9.99")]);
        with(order, json!({"shipping_lines": [], "shipping": {}}))
    });
    for (name, whole, part) in [
        ("bundle priced on the parent", "40.00", "0.00"),
        ("bundle priced on the children", "0.00", "20.00"),
    ] {
        list.add(name, |make| {
            let meta = |key: &str| json!([{"key": key, "value": "live-bundle"}]);
            let mut parent = make.line("SET", 1, whole);
            parent["meta_data"] = meta("_bundle_cart_key");
            let mut children = ["MUG", "BOOK"].map(|child| make.line(child, 1, part));
            for child in &mut children {
                child["meta_data"] = meta("_bundled_by");
            }
            let [first, second] = children;
            make.order(vec![parent, first, second])
        });
    }
}

fn places(list: &mut List<'_>) {
    for (name, country, state, postcode, city) in [
        ("overseas department", "RE", "", "97400", "Saint-Denis"),
        ("Northern Ireland", "GB", "", "BT1 5GS", "Belfast"),
        ("Canary Islands", "ES", "GC", "35001", "Las Palmas"),
        ("state of a country", "US", "CA", "94103", "San Francisco"),
    ] {
        list.add(name, |make| {
            let to = make.address(country, state, postcode, city);
            make.order_to(to, vec![make.line("MUG", 2, "25.00")])
        });
    }
    list.add("delivered to another address", |make| {
        let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
        order["shipping"]["address_1"] = "2 quai de l’Exemple".into();
        order["shipping"]["first_name"] = "Someone".into();
        order
    });
}

fn unmappable(list: &mut List<'_>) {
    let run = list.goods.run.clone();
    let tax = tax_code(&run, "FR", "", "10", 1);
    list.held("unmapped tax", Cause::row("tax", &tax), |make| {
        let order = make.order(vec![make.line("ODD", 1, "10.00")]);
        with(order, json!({"shipping_lines": []}))
    });
    list.held(
        "unmapped payment method",
        Cause::row("payment", UNMAPPED_PAYMENT),
        |make| {
            let order = make.order(vec![make.line("MUG", 1, "12.50")]);
            with(order, json!({"payment_method": UNMAPPED_PAYMENT}))
        },
    );
    list.held(
        "unmapped shipping method",
        Cause::row("shipping", UNMAPPED_SHIPPING),
        |make| {
            let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
            order["shipping_lines"][0]["method_id"] = UNMAPPED_SHIPPING.into();
            order
        },
    );
    for name in ["UNKNOWN", "DOUBLE"] {
        let title = match name {
            "UNKNOWN" => "SKU that the ERP has not",
            _ => "SKU of two ERP products",
        };
        let cause = Cause::Product(sku(&run, name));
        list.held(title, cause, |make| {
            make.order(vec![make.line(name, 1, "12.50")])
        });
    }
    list.held("partly refunded", Cause::Flow(Kind::Refund), |make| {
        make.order(vec![make.line("MUG", 2, "25.00")])
    });
    list.traps.last_mut().unwrap().then = Then::Refunded;
}

fn not_imported(list: &mut List<'_>) {
    for (name, status) in [
        ("not paid yet", "pending"),
        ("waiting for a transfer", "on-hold"),
        ("failed payment", "failed"),
        ("called off", "cancelled"),
    ] {
        list.skipped(name, &format!("status:{status}"), |make| {
            let order = make.order(vec![make.line("MUG", 1, "12.50")]);
            with(order, json!({"set_paid": false, "status": status}))
        });
    }
    list.skipped("test order", "test", |make| {
        let mut order = make.order(vec![make.line("MUG", 1, "12.50")]);
        let meta = order["meta_data"].as_array_mut().unwrap();
        meta.push(json!({"key": "_wcpay_mode", "value": "test"}));
        order
    });
}
