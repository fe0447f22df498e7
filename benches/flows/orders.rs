//! The orders of the benchmark: made from their number, the same in every process, none of them real.
//!
//! Four thousand customers, a hundred thousand SKUs, one to nine lines, a coupon on one order in five, a guest on one in five, six
//! countries with one tax each. Prices are gross, so that every total comes back to the cent.

use std::fmt::Write as _;

/// Customers there are.
const CUSTOMERS: u64 = 4_000;
/// SKUs there are.
pub const SKUS: u64 = 100_000;
/// The SKU of the product that stands for shipping.
pub const SHIPPING_SKU: &str = "SHIP";
/// Id of the first order in the shop.
const FIRST_ID: u64 = 1_001;

/// A country with its tax.
pub struct Country {
    /// ISO code.
    pub code: &'static str,
    /// The tax's name in the shop's rate code.
    tax: &'static str,
    /// Percent.
    pub rate: i64,
    city: &'static str,
    postcode: &'static str,
}

const fn country(
    code: &'static str,
    tax: &'static str,
    rate: i64,
    city: &'static str,
    postcode: &'static str,
) -> Country {
    Country {
        code,
        tax,
        rate,
        city,
        postcode,
    }
}

/// The countries.
pub static COUNTRIES: [Country; 6] = [
    country("FR", "TVA", 20, "Lyon", "69003"),
    country("DE", "MWST", 19, "Leipzig", "04109"),
    country("ES", "IVA", 21, "Murcia", "30001"),
    country("IT", "IVA", 22, "Torino", "10121"),
    country("NL", "BTW", 21, "Breda", "4811"),
    country("AT", "UST", 20, "Linz", "4020"),
];

impl Country {
    /// The key that the shop's orders show for its tax.
    pub fn tax_code(&self) -> String {
        format!("{}-{} {}-1", self.code, self.tax, self.rate)
    }

    /// What the ERP calls that tax.
    pub fn tax_title(&self) -> String {
        format!("{} {} % incl.", self.code, self.rate)
    }
}

/// One line, in cents.
pub struct Line {
    /// SKU number.
    pub sku: u64,
    /// Quantity.
    pub quantity: i64,
    subtotal: i64,
    subtotal_tax: i64,
    net: i64,
    tax: i64,
}

/// One order.
pub struct Order {
    /// Its id in the shop, which is its number too.
    pub id: u64,
    /// Who buys.
    pub customer: u64,
    guest: bool,
    coupon: bool,
    /// Index into [`COUNTRIES`].
    pub country: usize,
    /// Lines.
    pub lines: Vec<Line>,
    shipping: i64,
    shipping_tax: i64,
}

/// The number of an order with this id.
pub fn index_of(id: u64) -> Option<u64> {
    id.checked_sub(FIRST_ID)
}

/// The id of an order.
pub fn id_of(index: u64) -> u64 {
    FIRST_ID + index
}

/// The e-mail of a customer.
pub fn email(customer: u64) -> String {
    format!("buyer{customer:04}@example.test")
}

/// A small generator: good enough for test data, the same everywhere.
pub struct Dice(u64);

impl Dice {
    /// Dice that fall alike for the same seed.
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }
}

/// Net and tax of a gross amount.
fn split(gross: i64, rate: i64) -> (i64, i64) {
    let net = (gross * 200 + (100 + rate)) / (2 * (100 + rate));
    (net, gross - net)
}

/// The order of a number.
pub fn order(index: u64) -> Order {
    let mut dice = Dice::new(index.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let customer = dice.below(CUSTOMERS);
    let country = (customer % COUNTRIES.len() as u64) as usize;
    let rate = COUNTRIES[country].rate;
    let coupon = dice.below(5) == 0;
    let guest = dice.below(5) == 0;
    let mut lines: Vec<Line> = Vec::new();
    for _ in 0..1 + dice.below(9) {
        let sku = dice.below(SKUS);
        let price = 290 + (sku * 37 % 9_000) as i64;
        let quantity = 1 + dice.below(3) as i64;
        let gross = price * quantity;
        let paid = if coupon { gross - gross / 10 } else { gross };
        let (subtotal, subtotal_tax) = split(gross, rate);
        let (net, tax) = split(paid, rate);
        lines.push(Line {
            sku,
            quantity,
            subtotal,
            subtotal_tax,
            net,
            tax,
        });
    }
    let (shipping, shipping_tax) = split(690, rate);
    Order {
        id: id_of(index),
        customer,
        guest,
        coupon,
        country,
        lines,
        shipping,
        shipping_tax,
    }
}

/// Cents as the shop writes them.
struct Cents(i64);

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Order {
    /// What the buyer paid, in cents.
    pub fn total(&self) -> i64 {
        let lines: i64 = self.lines.iter().map(|line| line.net + line.tax).sum();
        lines + self.shipping + self.shipping_tax
    }

    /// The order as the shop's API and webhooks give it. `modified` is its time of change, without a zone.
    pub fn write_json(&self, modified: &str, out: &mut String) {
        let place = &COUNTRIES[self.country];
        let cart_tax: i64 = self.lines.iter().map(|line| line.tax).sum();
        let discount: i64 = self.lines.iter().map(|l| l.subtotal - l.net).sum();
        let discount_tax: i64 = self.lines.iter().map(|l| l.subtotal_tax - l.tax).sum();
        let (id, customer) = (self.id, self.customer);
        let account = if self.guest { 0 } else { customer + 1 };
        let address = format!(
            r#""first_name":"Alex","last_name":"Test {customer}","company":"","address_1":"{} rue de l\u2019Exemple","address_2":"","city":"{}","state":"","postcode":"{}","country":"{}""#,
            1 + customer % 90,
            place.city,
            place.postcode,
            place.code
        );
        // A `String` takes all that is written to it.
        let _ = write!(
            out,
            r#"{{"id":{id},"parent_id":0,"status":"processing","currency":"EUR","version":"11.0.1","prices_include_tax":true,"date_created":"{modified}","date_modified":"{modified}","discount_total":"{}","discount_tax":"{}","shipping_total":"{}","shipping_tax":"{}","cart_tax":"{}","total":"{}","total_tax":"{}","customer_id":{account},"order_key":"wc_order_example{id}","billing":{{{address},"email":"{}","phone":"+33 1 99 00 12 34"}},"shipping":{{{address},"phone":"+33 1 99 00 12 34"}},"payment_method":"stripe","payment_method_title":"Carte","transaction_id":"ch_example{id}","customer_ip_address":"","customer_user_agent":"","created_via":"checkout","customer_note":"","date_completed":null,"date_paid":"{modified}","cart_hash":"0123456789abcdef0123456789abcdef","number":"{id}","meta_data":[],"line_items":["#,
            Cents(discount),
            Cents(discount_tax),
            Cents(self.shipping),
            Cents(self.shipping_tax),
            Cents(cart_tax),
            Cents(self.total()),
            Cents(cart_tax + self.shipping_tax),
            email(customer),
        );
        for (at, line) in self.lines.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.write_line(at as u64, line, out);
        }
        self.write_rest(modified, cart_tax, discount, discount_tax, out);
    }

    fn write_line(&self, at: u64, line: &Line, out: &mut String) {
        let id = self.id * 10 + at;
        let (sku, quantity) = (line.sku, line.quantity);
        let _ = write!(
            out,
            r#"{{"id":{id},"name":"Article d\u2019exemple num\u00e9ro {sku}","product_id":{},"variation_id":0,"quantity":{quantity},"tax_class":"","subtotal":"{}","subtotal_tax":"{}","total":"{}","total_tax":"{}","taxes":[{{"id":{},"total":"{}","subtotal":"{}"}}],"meta_data":[{{"id":{id},"key":"_reduced_stock","value":"{quantity}","display_key":"_reduced_stock","display_value":"{quantity}"}}],"sku":"SKU-{sku:06}","global_unique_id":"","price":{},"image":{{"id":0,"src":""}},"parent_name":null}}"#,
            sku + 1,
            Cents(line.subtotal),
            Cents(line.subtotal_tax),
            Cents(line.net),
            Cents(line.tax),
            self.country + 1,
            Cents(line.tax),
            Cents(line.subtotal_tax),
            Cents(line.net / quantity),
        );
    }

    fn write_rest(
        &self,
        modified: &str,
        cart_tax: i64,
        discount: i64,
        discount_tax: i64,
        out: &mut String,
    ) {
        let place = &COUNTRIES[self.country];
        let (rate_id, id) = (self.country + 1, self.id);
        let _ = write!(
            out,
            r#"],"tax_lines":[{{"id":{id}01,"rate_code":"{}","rate_id":{rate_id},"label":"{} {}","compound":false,"tax_total":"{}","shipping_tax_total":"{}","rate_percent":{},"meta_data":[]}}],"shipping_lines":[{{"id":{id}02,"method_title":"Livraison","method_id":"flat_rate","instance_id":"1","total":"{}","total_tax":"{}","taxes":[{{"id":{rate_id},"total":"{}","subtotal":""}}],"tax_status":"taxable","meta_data":[]}}],"fee_lines":[],"coupon_lines":["#,
            place.tax_code(),
            place.tax,
            place.rate,
            Cents(cart_tax),
            Cents(self.shipping_tax),
            place.rate,
            Cents(self.shipping),
            Cents(self.shipping_tax),
            Cents(self.shipping_tax),
        );
        if self.coupon {
            let _ = write!(
                out,
                r#"{{"id":{id}03,"code":"example-10","discount":"{}","discount_tax":"{}","meta_data":[{{"id":{id}04,"key":"coupon_info","value":"[854,\"example-10\",\"percent\",10]","display_key":"coupon_info","display_value":"[854,\"example-10\",\"percent\",10]"}}],"discount_type":"percent","nominal_amount":10,"free_shipping":false}}"#,
                Cents(discount),
                Cents(discount_tax),
            );
        }
        let _ = write!(
            out,
            r#"],"refunds":[],"payment_url":"https:\/\/shop.example.test\/checkout\/order-pay\/{id}\/","is_editable":false,"needs_payment":false,"needs_processing":true,"date_created_gmt":"{modified}","date_modified_gmt":"{modified}","date_completed_gmt":null,"date_paid_gmt":"{modified}","currency_symbol":"\u20ac","_links":{{"self":[{{"href":"https:\/\/shop.example.test\/wp-json\/wc\/v3\/orders\/{id}"}}],"collection":[{{"href":"https:\/\/shop.example.test\/wp-json\/wc\/v3\/orders"}}]}}}}"#
        );
    }
}
