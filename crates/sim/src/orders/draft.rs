//! An order before its money is computed: who, where to, what, how.

use super::{convert, euro};
use crate::basket::{Off, Terms, take_off};
use crate::buyers::Buyer;
use crate::catalogue::{Catalogue, Item, Sort, TaxClass};
use crate::seed::Seed;
use crate::woocommerce::order::{CouponLine, Fee, Ids, Line, Meta, Order, ShippingLine};
use comptoir_model::money::{Currency, RoundingMode};
use rust_decimal::Decimal;
use serde_json::Value;
use std::borrow::Cow;

/// One line to be.
#[derive(Debug, Clone)]
pub(crate) struct Pick {
    pub item: Item,
    pub quantity: Decimal,
    /// Price of one in catalogue terms: with tax when prices include tax.
    pub price: Decimal,
    pub meta: Vec<(&'static str, String)>,
    /// A part of the bundle that stands on this line.
    pub part_of: Option<usize>,
}

/// A coupon.
#[derive(Debug, Clone)]
pub(crate) struct Coupon {
    pub id: u64,
    pub code: Cow<'static, str>,
    pub off: Off,
}

/// Ten percent off.
pub(crate) const PERCENT: Coupon = Coupon {
    id: 91,
    code: Cow::Borrowed("bienvenue10"),
    off: Off::Percent(Decimal::from_parts(10, 0, 0, false, 0)),
};
/// Five euros off.
pub(crate) const FIXED: Coupon = Coupon {
    id: 92,
    code: Cow::Borrowed("merci5"),
    off: Off::Fixed(Decimal::from_parts(5, 0, 0, false, 0)),
};
/// No shipping costs.
pub(crate) const SHIPPING: Coupon = Coupon {
    id: 93,
    code: Cow::Borrowed("port-offert"),
    off: Off::Shipping,
};
/// Everything off.
pub(crate) const ALL: Coupon = Coupon {
    id: 94,
    code: Cow::Borrowed("cadeau100"),
    off: Off::Percent(Decimal::ONE_HUNDRED),
};
/// Every coupon of the shop.
pub(crate) const COUPONS: [Coupon; 4] = [PERCENT, FIXED, SHIPPING, ALL];

impl Coupon {
    /// The shop's word for its sort.
    pub fn kind(&self) -> &'static str {
        match self.off {
            Off::Fixed(_) => "fixed_cart",
            Off::Percent(_) | Off::Shipping => "percent",
        }
    }

    /// Whether shipping is free with it.
    pub fn free_shipping(&self) -> bool {
        self.off == Off::Shipping
    }

    /// Its amount or percentage.
    pub fn nominal(&self) -> Decimal {
        match self.off {
            Off::Fixed(amount) | Off::Percent(amount) => amount,
            Off::Shipping => Decimal::ZERO,
        }
    }
}

/// A shipping line to be: method, title, price.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub method: &'static str,
    pub title: &'static str,
    pub price: Decimal,
}

/// A fee to be.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub name: String,
    pub amount: Decimal,
    pub taxable: bool,
    pub meta: Vec<(&'static str, Value)>,
}

/// An order to be.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub buyer: Buyer,
    /// Country and state that decide the rates.
    pub place: (String, String),
    pub currency: Currency,
    pub include_tax: bool,
    pub at_subtotal: bool,
    pub picks: Vec<Pick>,
    pub coupons: Vec<Coupon>,
    pub parcels: Vec<Parcel>,
    pub charges: Vec<Charge>,
    pub payment: (&'static str, &'static str),
    pub status: &'static str,
    pub note: String,
    pub number: Option<String>,
    pub meta: Vec<(&'static str, Value)>,
}

impl Draft {
    /// An ordinary order.
    pub fn new(stream: &mut Seed, shop: &Catalogue, accounts: &[Buyer], guests: &[Buyer]) -> Self {
        let mut draft = Draft {
            buyer: choose_buyer(stream, accounts, guests),
            place: (String::new(), String::new()),
            currency: euro(),
            include_tax: stream.chance(0.1),
            at_subtotal: false,
            picks: Vec::new(),
            coupons: Vec::new(),
            parcels: Vec::new(),
            charges: Vec::new(),
            payment: ("stripe", "Carte bancaire"),
            status: "processing",
            note: String::new(),
            number: None,
            meta: Vec::new(),
        };
        draft.fill(stream, shop);
        draft.go_to_the_buyer();
        if stream.chance(0.2) {
            let choice = [PERCENT, PERCENT, FIXED];
            let coupon = stream.pick(&choice).cloned().unwrap_or(PERCENT);
            draft.coupons.push(coupon);
        }
        draft.ship(stream);
        draft.pay(stream);
        draft
    }

    /// Ordinary goods: one to nine lines, most often one to three.
    fn fill(&mut self, stream: &mut Seed, shop: &Catalogue) {
        let goods: Vec<&Item> = ordinary(shop).collect();
        let lines = 1 + stream.weighted(&[34, 26, 15, 10, 6, 4, 2, 2, 1]);
        let mut chosen: Vec<u64> = Vec::new();
        while chosen.len() < lines {
            let Some(item) = stream.pick(&goods) else {
                return;
            };
            if chosen.contains(&item.id) {
                continue;
            }
            chosen.push(item.id);
            let quantity = 1 + stream.weighted(&[60, 22, 10, 5, 0, 3]);
            self.add(item, Decimal::from(quantity));
        }
    }

    /// One more line at the list price.
    pub fn add(&mut self, item: &Item, quantity: Decimal) -> &mut Pick {
        let price = convert(item.price, self.currency);
        self.picks.push(Pick {
            item: item.clone(),
            quantity,
            price,
            meta: Vec::new(),
            part_of: None,
        });
        let last = self.picks.len() - 1;
        &mut self.picks[last]
    }

    /// Taxed where the goods go.
    pub fn go_to_the_buyer(&mut self) {
        let to = &self.buyer.shipping;
        self.place = (to.country.clone(), to.state.clone());
    }

    fn ship(&mut self, stream: &mut Seed) {
        let goods: Decimal = self
            .picks
            .iter()
            .map(|pick| pick.price * pick.quantity)
            .sum();
        let home = self.buyer.shipping.country == "FR";
        self.parcels = vec![if home && goods > Decimal::from(120) {
            parcel("free_shipping", "Livraison gratuite", Decimal::ZERO)
        } else if home && stream.chance(0.06) {
            parcel("local_pickup", "Retrait en magasin", Decimal::ZERO)
        } else {
            let price = match self.buyer.shipping.country.as_str() {
                "FR" => Decimal::new(6_90, 2),
                "CH" | "GB" | "US" | "JP" | "CA" => Decimal::new(24_00, 2),
                _ => Decimal::new(12_90, 2),
            };
            parcel("flat_rate", "Colissimo", price)
        }];
    }

    fn pay(&mut self, stream: &mut Seed) {
        let methods = [
            ("stripe", "Carte bancaire"),
            ("ppcp-gateway", "PayPal"),
            ("bacs", "Virement bancaire"),
            ("cod", "Paiement à la livraison"),
        ];
        self.payment = methods[stream.weighted(&[60, 20, 12, 8])];
        self.status = match self.payment.0 {
            "bacs" if stream.chance(0.6) => "on-hold",
            "cod" | "bacs" => "processing",
            _ if stream.chance(0.2) => "completed",
            _ => "processing",
        };
    }

    /// Everything once, so that unit prices are exact.
    pub fn single_pieces(&mut self) {
        for pick in &mut self.picks {
            if !pick.item.fractional && pick.part_of.is_none() {
                pick.quantity = Decimal::ONE;
            }
        }
    }

    /// No coupon that lowers prices; a free order stays free.
    pub fn without_coupon(&mut self) {
        self.coupons
            .retain(|coupon| coupon.off == Off::Shipping || coupon.code == ALL.code);
    }

    /// Prices without tax, rounded per line.
    pub fn net(&mut self) {
        self.include_tax = false;
        self.at_subtotal = false;
    }

    /// The order with lines in catalogue terms, coupons applied, nothing taxed yet.
    pub fn order(&self, shop: &Catalogue, terms: Terms) -> Order {
        let mut order = Order::empty(0, self.currency);
        order.place = self.place.clone();
        order.number = self.number.clone().unwrap_or_default();
        order.customer = self.buyer.customer;
        order.billing = self.buyer.billing.clone();
        order.shipping = self.buyer.shipping.clone();
        order.status = self.status.to_owned();
        order.note = self.note.clone();
        (order.payment_method, order.payment_title) =
            (self.payment.0.to_owned(), self.payment.1.to_owned());
        order.meta = metas(&self.meta);
        if !self.buyer.vat_number.is_empty() {
            let number = Value::from(self.buyer.vat_number.clone());
            order.meta.extend(metas(&[("_billing_vat", number)]));
        }
        order.lines = self.lines(shop, terms);
        order.shipping_lines = self.parcels.iter().map(shipping_line).collect();
        if self
            .coupons
            .iter()
            .any(|coupon| coupon.off == Off::Shipping)
        {
            for line in &mut order.shipping_lines {
                line.total = Decimal::ZERO;
            }
        }
        order.fees = self.charges.iter().map(fee).collect();
        order
    }

    fn lines(&self, shop: &Catalogue, terms: Terms) -> Vec<Line> {
        let mut lines: Vec<Line> = self
            .picks
            .iter()
            .map(|pick| line(pick, shop, terms))
            .collect();
        for coupon in &self.coupons {
            for (line, taken) in lines.iter_mut().zip(self.taken(coupon, terms)) {
                line.total -= taken;
            }
        }
        for (index, pick) in self.picks.iter().enumerate() {
            let Some(parent) = pick.part_of else { continue };
            // Places stand for ids until the order gets its numbers.
            lines[index].bundled_by = Some(parent as u64);
            if let Some(parts) = &mut lines[parent].bundled_items {
                parts.push(index as u64);
            }
        }
        lines
    }

    /// What a coupon takes of each line, before tax is taken apart.
    fn taken(&self, coupon: &Coupon, terms: Terms) -> Vec<Decimal> {
        let amounts: Vec<Decimal> = self.picks.iter().map(|pick| amount(pick, terms)).collect();
        let units: Vec<Decimal> = self.picks.iter().map(|pick| pick.quantity).collect();
        let off = match coupon.off {
            Off::Fixed(euros) => Off::Fixed(convert(euros, self.currency)),
            other => other,
        };
        take_off(off, &amounts, &units, terms)
    }
}

/// Goods that hold no trap of their own.
pub(crate) fn ordinary(shop: &Catalogue) -> impl Iterator<Item = &Item> {
    shop.items
        .iter()
        .filter(|item| matches!(item.sort, Sort::Simple | Sort::Variation) && item.stock.is_some())
}

fn choose_buyer(stream: &mut Seed, accounts: &[Buyer], guests: &[Buyer]) -> Buyer {
    let of = |stream: &mut Seed, pool: &[Buyer]| stream.pick(pool).cloned();
    let chosen = if stream.chance(0.2) {
        if stream.chance(0.3) {
            of(stream, accounts).map(|account| Buyer {
                customer: 0,
                ..account
            })
        } else {
            of(stream, guests)
        }
    } else {
        of(stream, accounts)
    };
    chosen.unwrap_or_else(|| Buyer {
        customer: 0,
        billing: Default::default(),
        shipping: Default::default(),
        vat_number: String::new(),
    })
}

pub(crate) fn parcel(method: &'static str, title: &'static str, price: Decimal) -> Parcel {
    Parcel {
        method,
        title,
        price,
    }
}

fn amount(pick: &Pick, terms: Terms) -> Decimal {
    RoundingMode::HalfUp.round(pick.price * pick.quantity, terms.decimals)
}

fn metas(entries: &[(&'static str, Value)]) -> Vec<Meta> {
    entries
        .iter()
        .map(|(key, value)| Meta {
            id: 0,
            key: (*key).to_owned(),
            value: value.clone(),
        })
        .collect()
}

fn line(pick: &Pick, shop: &Catalogue, terms: Terms) -> Line {
    let item = &pick.item;
    let parent = item
        .parent
        .and_then(|id| shop.items.iter().find(|item| item.id == id));
    let mut meta: Vec<(&'static str, Value)> = Vec::new();
    meta.extend(
        pick.meta
            .iter()
            .map(|(key, value)| (*key, value.clone().into())),
    );
    let mut entries = metas(&meta);
    entries.extend(item.options.iter().map(|(key, value)| Meta {
        id: 0,
        key: key.to_lowercase(),
        value: value.clone().into(),
    }));
    let amount = amount(pick, terms);
    Line {
        id: 0,
        name: item.name.clone(),
        parent_name: parent.map(|parent| parent.name.clone()),
        product: item.parent.unwrap_or(item.id),
        variation: item.parent.map_or(0, |_| item.id),
        sku: Some(item.sku.clone()),
        gtin: item.gtin.clone(),
        quantity: pick.quantity,
        tax_class: match item.class {
            TaxClass::Standard => String::new(),
            other => other.slug().to_owned(),
        },
        taxable: item.taxable,
        subtotal: amount,
        subtotal_tax: Decimal::ZERO,
        total: amount,
        total_tax: Decimal::ZERO,
        taxes: Vec::new(),
        meta: entries,
        bundled_by: None,
        bundled_items: (item.sort == Sort::Bundle).then(Vec::new),
    }
}

fn shipping_line(parcel: &Parcel) -> ShippingLine {
    ShippingLine {
        id: 0,
        method: parcel.method.to_owned(),
        title: parcel.title.to_owned(),
        instance: "1".to_owned(),
        total: parcel.price,
        total_tax: Decimal::ZERO,
        taxes: Vec::new(),
        meta: Vec::new(),
    }
}

fn fee(charge: &Charge) -> Fee {
    Fee {
        id: 0,
        name: charge.name.clone(),
        tax_class: String::new(),
        taxable: charge.taxable,
        total: charge.amount,
        total_tax: Decimal::ZERO,
        taxes: Vec::new(),
        meta: metas(&charge.meta),
    }
}

/// The coupon lines: what each took, without tax, and the tax that was not charged.
pub(crate) fn price_coupons(order: &mut Order, draft: &Draft, terms: Terms) {
    let mut coupons = Vec::new();
    for coupon in &draft.coupons {
        let mut discount = Decimal::ZERO;
        let mut discount_tax = Decimal::ZERO;
        for (line, taken) in order.lines.iter().zip(draft.taken(coupon, terms)) {
            let whole = line.subtotal + line.subtotal_tax;
            let base = if terms.include_tax {
                whole
            } else {
                line.subtotal
            };
            if base.is_zero() {
                continue;
            }
            let tax = taken * line.subtotal_tax / base;
            discount_tax += tax;
            discount += if terms.include_tax {
                taken - tax
            } else {
                taken
            };
        }
        let round = |amount| RoundingMode::HalfUp.round(amount, terms.decimals);
        coupons.push(CouponLine {
            id: 0,
            meta_id: 0,
            coupon: coupon.id,
            code: coupon.code.clone().into_owned(),
            kind: coupon.kind(),
            nominal: convert(
                coupon.nominal(),
                if coupon.kind() == "percent" {
                    euro()
                } else {
                    order.currency
                },
            ),
            free_shipping: coupon.off == Off::Shipping,
            discount: round(discount),
            discount_tax: round(discount_tax),
        });
    }
    order.coupons = coupons;
}

/// Gives an order and everything in it their numbers.
pub(crate) fn number(order: &mut Order, ids: &mut Ids, stream: &mut Seed) {
    order.id = ids.post();
    if order.number.is_empty() {
        order.number = order.id.to_string();
    } else {
        order.number = format!("{}{}", order.number, order.id);
    }
    order.key = format!("wc_order_{}", stream.word(13));
    if matches!(
        order.payment_method.as_str(),
        "stripe" | "woocommerce_payments"
    ) {
        order.transaction = format!("ch_SIM{}", stream.word(14));
    } else if order.payment_method == "ppcp-gateway" {
        order.transaction = format!("SIM{}", stream.word(14).to_uppercase());
    }
    let first = order.lines.first().map(|_| ids.item());
    let mut line_ids = Vec::new();
    for (index, line) in order.lines.iter_mut().enumerate() {
        line.id = match (index, first) {
            (0, Some(first)) => first,
            _ => ids.item(),
        };
        line_ids.push(line.id);
        renumber(&mut line.meta, ids);
    }
    let real = |place: u64| line_ids.get(place as usize).copied().unwrap_or_default();
    for line in &mut order.lines {
        line.bundled_by = line.bundled_by.map(real);
        if let Some(parts) = &mut line.bundled_items {
            parts.iter_mut().for_each(|part| *part = real(*part));
        }
    }
    for line in &mut order.shipping_lines {
        line.id = ids.item();
        renumber(&mut line.meta, ids);
    }
    for line in &mut order.tax_lines {
        line.id = ids.item();
    }
    for fee in &mut order.fees {
        fee.id = ids.item();
        renumber(&mut fee.meta, ids);
    }
    for coupon in &mut order.coupons {
        (coupon.id, coupon.meta_id) = (ids.item(), ids.meta());
    }
    renumber(&mut order.meta, ids);
}

fn renumber(meta: &mut [Meta], ids: &mut Ids) {
    for entry in meta {
        entry.id = ids.meta();
    }
}
