//! The simulated shop answers the taped requests like the tapes: same status, same error, same shape.
//!
//! Ids, SKUs and e-mail addresses of the tapes are exchanged for ones of the simulated shop. What is compared: status, content type,
//! paging headers and their `rel`s, form of `Location`; for errors the code and the message; for documents every key and the type of
//! every value. `TOLERATED` and `NOT_PLAYED` list what is not the same and why.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod shape;

use comptoir_sim::catalogue::Sort;
use comptoir_sim::server::Server;
use comptoir_sim::traps::Trap;
use comptoir_sim::woocommerce::{Shop, ShopOptions, ShopOrder};
use reqwest::{Client, Method};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Tapes that are not played here, and why.
const NOT_PLAYED: &[(&str, &str)] = &[
    (
        "101-auth-oauth",
        "its signature is blanked; `tests/keys.rs` signs anew",
    ),
    ("103-", "a delivery: `tests/hooks.rs`"),
    ("104-", "a delivery: `tests/hooks.rs`"),
    ("105-", "a delivery: `tests/hooks.rs`"),
    ("106-", "a delivery: `tests/hooks.rs`"),
    ("107-", "a delivery: `tests/hooks.rs`"),
    ("108-", "a delivery: `tests/hooks.rs`"),
    ("109-", "a delivery: `tests/hooks.rs`"),
    (
        "123-webhook-disabled",
        "a state no request makes: `tests/hooks.rs`",
    ),
    (
        "124-webhook-reactivated",
        "a state no request makes: `tests/hooks.rs`",
    ),
    (
        "125-product-parallel",
        "a race of processes: this shop works one request at a time",
    ),
    (
        "126-customer-parallel",
        "a race of processes: this shop works one request at a time",
    ),
    (
        "127-maintenance",
        "a state no request makes: `maintenance_is_that_of_the_tape`",
    ),
    (
        "130-order-jpy",
        "a shop in JPY: orders in JPY here stand in a shop with two decimals",
    ),
    ("131-order-jpy", "a shop in JPY"),
    ("132-currency", "a shop in JPY"),
    ("133-order-kwd", "a shop in KWD"),
    (
        "099-order-decimal",
        "a shop without the extension for fractional quantities",
    ),
];

/// Lists that are longer here than on the tape, so that they have a next page.
const LONGER_HERE: &[&str] = &["009-taxes", "121-customers-modified-after-ignored"];

struct Played {
    shop: Shop,
    server: Server,
    http: Client,
    ids: BTreeMap<String, String>,
}

fn tapes(version: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../connectors/src/woocommerce/tapes")
        .join(version);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

async fn played(version: &'static str) -> Played {
    let shop = Shop::new(ShopOptions {
        seed: 8,
        orders: 600,
        version,
        key: "ck_TAPE".to_owned(),
        secret: "cs_TAPE".to_owned(),
        reader: Some(("ck_READ".to_owned(), "cs_READ".to_owned())),
        home: Some("https://shop.example".to_owned()),
        ..ShopOptions::default()
    });
    let server = Server::start(shop.router()).await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ids = ids(&shop);
    Played {
        shop,
        server,
        http: Client::builder().no_proxy().build().unwrap(),
        ids,
    }
}

/// What stands for the ids of the 11.0.1 tapes.
fn ids(shop: &Shop) -> BTreeMap<String, String> {
    let orders = shop.orders();
    let used: RefCell<BTreeSet<u64>> = RefCell::default();
    let first = |fits: &dyn Fn(&ShopOrder) -> bool| {
        let free = |order: &&ShopOrder| !used.borrow().contains(&order.id) && fits(order);
        let id = orders.iter().find(free).unwrap().id;
        used.borrow_mut().insert(id);
        id.to_string()
    };
    let with = |trap: Trap| first(&|order| order.traps.first() == Some(&trap));
    let in_status = |status: &str| first(&|order| order.status == status);
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (tape, trap) in [
        ("859", Trap::TaxExclusive),
        ("860", Trap::Company),
        ("861", Trap::SeveralRates),
        ("862", Trap::CouponPercent),
        ("863", Trap::CouponPercent),
        ("864", Trap::CouponFixed),
        ("865", Trap::FreeShipping),
        ("866", Trap::CouponFixed),
        ("867", Trap::Fee),
        ("868", Trap::NegativeFee),
        ("869", Trap::SeveralShippingLines),
        ("870", Trap::ZeroTotal),
        ("871", Trap::GiftCardSold),
        ("873", Trap::SameSkuTwice),
        ("874", Trap::DeletedProduct),
        ("876", Trap::TaxExclusive),
        ("877", Trap::Overseas),
        ("879", Trap::NorthernIreland),
        ("880", Trap::NorthernIreland),
        ("883", Trap::SeveralRates),
        ("884", Trap::NoDecimals),
        ("885", Trap::VirtualOnly),
        ("886", Trap::TaxInclusive),
        ("887", Trap::CouponFixed),
        ("888", Trap::TaxInclusive),
        ("918", Trap::EmptySku),
        ("919", Trap::FractionalQuantity),
        ("924", Trap::Rounding),
        ("925", Trap::SeveralRates),
        ("926", Trap::CompoundTax),
        ("933", Trap::ThreeDecimals),
        ("927", Trap::CouponPercent),
    ] {
        ids.insert(tape.to_owned(), with(trap));
    }
    ids.insert("889".to_owned(), in_status("cancelled"));
    ids.insert("890".to_owned(), in_status("failed"));
    ids.insert("891".to_owned(), in_status("on-hold"));
    ids.insert("892".to_owned(), in_status("completed"));
    let variation = first(&|order| {
        order.lines.iter().any(|(sku, _)| sku.starts_with("TS-")) && order.status != "pending"
    });
    ids.insert("872".to_owned(), variation);
    let plain = |order: &ShopOrder| {
        order.status == "processing"
            && order.total > 100.into()
            && order.traps.first() == Some(&Trap::TaxExclusive)
    };
    for tape in ["899", "903", "934", "895"] {
        ids.insert(tape.to_owned(), first(&plain));
    }
    // The rest of the tapes' orders are ordinary ones.
    for tape in 859..=897 {
        ids.entry(tape.to_string()).or_insert_with(|| first(&plain));
    }
    let item = |sku: &str| shop.catalogue().item(sku).unwrap().clone();
    for (tape, sku) in [
        ("844", "MUG"),
        ("845", "BOOK"),
        ("846", "TEA-BULK"),
        ("851", "TS-S-1"),
        ("852", "TS-M-1"),
    ] {
        ids.insert(tape.to_owned(), item(sku).id.to_string());
    }
    ids.insert("850".to_owned(), item("TS-S-1").parent.unwrap().to_string());
    // Of the tapes about stock and shipments.
    let uncounted = shop.catalogue();
    let uncounted = uncounted
        .items
        .iter()
        .find(|item| item.sort == Sort::Virtual);
    for (tape, id) in [
        ("15823", item("TS-S-1").parent.unwrap()),
        ("15824", item("SWEAT-S-1").parent.unwrap()),
        ("15825", item("MUG").id),
        ("15826", uncounted.unwrap().id),
        ("15827", item("TS-S-1").id),
        ("15828", item("TS-M-1").id),
    ] {
        ids.insert(tape.to_owned(), id.to_string());
    }
    ids.insert("15833".to_owned(), first(&plain));
    ids.insert("TP-MUG".to_owned(), "MUG".to_owned());
    ids.insert("TP-TS-M-BLEU".to_owned(), "TS-M-1".to_owned());
    ids.insert("4006381333931".to_owned(), item("MUG").gtin);
    let company = orders
        .iter()
        .find(|order| order.customer > 0 && order.traps.contains(&Trap::Company));
    let company = company.unwrap();
    ids.insert("4".to_owned(), company.customer.to_string());
    ids.insert(
        "marie.curieuse@example.test".to_owned(),
        company.email.clone(),
    );
    ids.insert("tape".to_owned(), String::new());
    ids
}

impl Played {
    /// Exchanges ids. A number or SKU is only exchanged as a whole word.
    fn exchange(&self, text: &str) -> String {
        let mut out = String::new();
        let mut word = String::new();
        let in_word = |sign: char| sign.is_alphanumeric() || "-_.@".contains(sign);
        for sign in text.chars().chain(['\n']) {
            if in_word(sign) {
                word.push(sign);
                continue;
            }
            // A full stop ends a sentence, not an address.
            let whole = word.trim_end_matches('.');
            out.push_str(self.ids.get(whole).map_or(whole, String::as_str));
            out.push_str(&word[whole.len()..]);
            word.clear();
            out.push(sign);
        }
        out.pop();
        out
    }

    fn path(&self, path: &str) -> String {
        // Encoded signs separate words too.
        let plain = path.replace("%2C", ",").replace("%40", "@");
        let (head, query) = plain.split_once('?').unwrap_or((&plain, ""));
        let query: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) if matches!(name, "include" | "sku" | "email" | "search") => {
                    format!("{name}={}", self.exchange(value))
                }
                _ => pair.to_owned(),
            })
            .collect();
        format!("{}?{}", self.exchange(head), query.join("&"))
    }

    async fn play(&mut self, exchange: &Value) -> Vec<String> {
        let request = &exchange["request"];
        let note = exchange["note"].as_str().unwrap();
        let method: Method = request["method"].as_str().unwrap().parse().unwrap();
        let url = format!(
            "{}{}",
            self.server.url(),
            self.path(request["path"].as_str().unwrap())
        );
        let mut call = self.http.request(method, url);
        if !note.contains("over plain http is ignored") {
            call = call.header("x-forwarded-proto", "https");
        }
        let key = match note {
            _ if note.contains("unknown consumer key") => Some(("ck_OTHER", "cs_TAPE")),
            _ if note.contains("wrong consumer secret") => Some(("ck_TAPE", "cs_WRONG")),
            _ if note.contains("read-only") => Some(("ck_READ", "cs_READ")),
            _ if request["headers"]["authorization"].is_null() => None,
            _ => Some(("ck_TAPE", "cs_TAPE")),
        };
        if let Some((key, secret)) = key {
            call = call.basic_auth(key, Some(secret));
        }
        if let Some(body) = request["body"].as_str() {
            call = call
                .header("content-type", "application/json")
                .body(self.exchange(body));
        }
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers: BTreeMap<String, String> = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let body = answer.text().await.unwrap();
        self.compare(&exchange["response"], status, &headers, &body)
    }

    fn compare(
        &mut self,
        tape: &Value,
        status: u16,
        headers: &BTreeMap<String, String>,
        body: &str,
    ) -> Vec<String> {
        if tape["status"] != status {
            return vec![format!(
                "status {status} for {}: {:.300}",
                tape["status"], body
            )];
        }
        let mut found = compare_headers(&tape["headers"], headers);
        let text = tape["body"].as_str().unwrap_or_default();
        let Ok(taped) = serde_json::from_str::<Value>(text) else {
            if serde_json::from_str::<Value>(body).is_ok() {
                found.push("JSON where the tape has none".to_owned());
            }
            return found;
        };
        let Ok(own) = serde_json::from_str::<Value>(body) else {
            found.push("no JSON".to_owned());
            return found;
        };
        if status >= 400 {
            found.extend(self.compare_error(&taped, &own));
        }
        if status == 201 {
            self.learn(&taped, &own);
        }
        found.extend(shape::differences(&taped, &own));
        found
    }

    fn compare_error(&self, taped: &Value, own: &Value) -> Vec<String> {
        let mut found = Vec::new();
        if taped["code"] != own["code"] {
            found.push(format!("code {} for {}", own["code"], taped["code"]));
        }
        let message = self.exchange(taped["message"].as_str().unwrap_or_default());
        if own["message"] != message.as_str() {
            found.push(format!("message {} for {message:?}", own["message"]));
        }
        found
    }

    /// Later tapes speak of what an earlier one created.
    fn learn(&mut self, taped: &Value, own: &Value) {
        let id = |value: &Value| value["id"].to_string();
        self.ids.insert(id(taped), id(own));
    }

    /// The lines of an order the tapes refund, by their ids on the tape.
    async fn learn_lines(&mut self, tape: &str, lines: &[(&str, &str, usize)]) {
        let url = format!(
            "{}/wp-json/wc/v3/orders/{}",
            self.server.url(),
            self.ids[tape]
        );
        let call = self.http.get(url).header("x-forwarded-proto", "https");
        let answer = call
            .basic_auth("ck_TAPE", Some("cs_TAPE"))
            .send()
            .await
            .unwrap();
        let order: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        for (id, list, place) in lines {
            let own = order[list].as_array().unwrap();
            let line = own.get(*place).or(own.first()).unwrap();
            self.ids.insert((*id).to_owned(), line["id"].to_string());
        }
    }
}

/// Which headers there are, the pages a `Link` leads to, the form of a `Location`.
fn compare_headers(tape: &Value, own: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    let taped = |name: &str| tape[name].as_str();
    for name in ["x-wp-total", "x-wp-totalpages", "location", "retry-after"] {
        if taped(name).is_some() != own.contains_key(name) {
            found.push(format!(
                "header {name}: {:?} for {:?}",
                own.get(name),
                taped(name)
            ));
        }
    }
    let rels = |text: &str| -> Vec<String> {
        text.split("rel=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
            .filter(|rel| rel == "next" || rel == "prev")
            .collect()
    };
    let (a, b) = (
        taped("link").map(rels),
        own.get("link").map(|text| rels(text)),
    );
    if a.clone().unwrap_or_default() != b.clone().unwrap_or_default() {
        found.push(format!("links {b:?} for {a:?}"));
    }
    let form = |text: &str| {
        text.chars()
            .filter(|sign| !sign.is_ascii_digit())
            .collect::<String>()
    };
    if let (Some(a), Some(b)) = (taped("location"), own.get("location"))
        && form(a) != form(b)
    {
        found.push(format!("location {b} for {a}"));
    }
    let (a, b) = (
        taped("content-type"),
        own.get("content-type").map(String::as_str),
    );
    if a.is_some() && a != b {
        found.push(format!("content type {b:?} for {a:?}"));
    }
    found
}

fn exchanges(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    match serde_json::from_str(&text).unwrap() {
        Value::Array(list) => list,
        one => vec![one],
    }
}

async fn play_all(played: &mut Played, version: &str, not_played: &[(&str, &str)]) -> usize {
    let mut found = Vec::new();
    let mut count = 0;
    for path in tapes(version) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if not_played
            .iter()
            .any(|(prefix, _)| name.starts_with(prefix))
        {
            continue;
        }
        if name.starts_with("052-") {
            let lines = [("2197", "line_items", 0), ("2199", "shipping_lines", 0)];
            played.learn_lines("899", &lines).await;
        }
        if name.starts_with("135-") {
            let lines = [
                ("2321", "line_items", 0),
                ("2322", "line_items", 1),
                ("2323", "shipping_lines", 0),
            ];
            played.learn_lines("934", &lines).await;
        }
        for exchange in exchanges(&path) {
            count += 1;
            let mut differences = played.play(&exchange).await;
            if LONGER_HERE.contains(&name.as_str()) {
                differences.retain(|what| !what.starts_with("links"));
            }
            found.extend(
                differences
                    .into_iter()
                    .map(|what| format!("{name}: {what}")),
            );
        }
    }
    assert!(
        found.is_empty(),
        "{} differences\n{}",
        found.len(),
        found.join("\n")
    );
    count
}

#[tokio::test]
async fn the_simulated_11_0_1_answers_like_its_tapes() {
    let mut played = played("11.0.1").await;
    prepare(&mut played).await;
    let count = play_all(&mut played, "11.0.1", NOT_PLAYED).await;
    assert!(count > 110, "{count} exchanges played");
    assert!(played.shop.writes() > 10);
}

/// What the tapes' shop already had: a webhook, trashed orders, refunds.
async fn prepare(played: &mut Played) {
    let url = |path: &str| format!("{}/wp-json/wc/v3/{path}", played.server.url());
    let signed = |call: reqwest::RequestBuilder| {
        call.header("x-forwarded-proto", "https")
            .basic_auth("ck_TAPE", Some("cs_TAPE"))
    };
    for _ in 0..12 {
        let body =
            r#"{"topic":"order.created","delivery_url":"https://hub.example/h","status":"paused"}"#;
        let call = played.http.post(url("webhooks")).body(body);
        assert_eq!(signed(call).send().await.unwrap().status(), 201);
    }
    let orders = played.shop.orders();
    let trashed = played.ids["895"].parse::<u64>().unwrap();
    let other = orders
        .iter()
        .find(|order| order.status == "pending")
        .unwrap()
        .id;
    for id in [trashed, other] {
        let call = played.http.delete(url(&format!("orders/{id}")));
        assert_eq!(signed(call).send().await.unwrap().status(), 200);
    }
    let full = played.ids["903"].parse::<u64>().unwrap();
    let amount = played.shop.order(full).unwrap().total;
    let body = format!(r#"{{"amount":"{amount}"}}"#);
    let call = played
        .http
        .post(url(&format!("orders/{full}/refunds")))
        .body(body);
    assert_eq!(signed(call).send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn the_simulated_8_5_2_answers_like_its_tapes() {
    let mut played = played("8.5.2").await;
    let orders = played.shop.orders();
    let find = |trap: Trap| {
        orders
            .iter()
            .find(|order| order.traps.first() == Some(&trap))
            .unwrap()
            .id
    };
    let big = played.ids["899"].clone();
    for (tape, id) in [
        ("20", big),
        ("21", find(Trap::Fee).to_string()),
        ("22", find(Trap::TaxInclusive).to_string()),
        ("24", played.ids["872"].clone()),
        ("13", played.ids["850"].clone()),
        ("16", played.ids["844"].clone()),
    ] {
        played.ids.insert(tape.to_owned(), id);
    }
    played.learn_lines("20", &[("3", "line_items", 0)]).await;
    let count = play_all(&mut played, "8.5.2", &[]).await;
    assert_eq!(count, 17);
}

#[test]
fn maintenance_is_that_of_the_tape() {
    let tape = tapes("11.0.1")
        .into_iter()
        .find(|path| path.to_str().unwrap().contains("127-maintenance"));
    let exchange = &exchanges(&tape.unwrap())[0];
    let (kind, body) = comptoir_sim::woocommerce::error_body(503);
    assert_eq!(exchange["response"]["body"], body.as_str());
    assert_eq!(exchange["response"]["headers"]["content-type"], kind);
}
