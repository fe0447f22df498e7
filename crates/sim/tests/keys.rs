//! Keys of the simulated shop, and lists read with them.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::{Shop, ShopOptions};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Url};
use serde_json::Value;
use sha2::Sha256;
use std::time::{Duration, Instant};

async fn serve(options: ShopOptions) -> (Shop, Server, Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shop = Shop::new(options);
    let server = Server::start(shop.router()).await.unwrap();
    (shop, server, Client::builder().no_proxy().build().unwrap())
}

/// A request signed as RFC 5849 says, written out for these tests alone.
fn signed(base: &str, path: &str, query: &[(&str, &str)], nonce: &str, at: i64) -> Url {
    let mut url = Url::parse(&format!("{base}{path}")).unwrap();
    let at = at.to_string();
    let oauth = [
        ("oauth_consumer_key", "ck_simulated"),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", &at),
    ];
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect::<String>()
    };
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .chain(&oauth)
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(a, b)| format!("{a}={b}")).collect();
    let text = format!("GET&{}&{}", encode(url.as_str()), encode(&joined.join("&")));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"cs_simulated&").unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes());
    let mut all = url.query_pairs_mut();
    all.extend_pairs(query).extend_pairs(oauth);
    all.append_pair("oauth_signature", &signature);
    drop(all);
    url
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

async fn message(http: &Client, url: Url) -> (u16, String) {
    let answer = http.get(url).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (
        status,
        body["message"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn a_signature_lets_in_over_plain_http_and_its_401s_are_told_apart() {
    let (_, server, http) = serve(ShopOptions::default()).await;
    let base = server.url();
    let path = "/wp-json/wc/v3/orders";
    // Signs that are encoded: a colon, a comma, a space.
    let query = [
        ("modified_after", "2020-01-01T00:00:00"),
        ("dates_are_gmt", "true"),
        ("search", "a b,c"),
    ];
    let good = signed(&base, path, &query, "n1", now());
    assert_eq!(http.get(good.clone()).send().await.unwrap().status(), 200);
    let replayed = message(&http, good).await;
    assert_eq!(
        replayed,
        (
            401,
            "Invalid nonce - nonce has already been used.".to_owned()
        )
    );
    let old = message(&http, signed(&base, path, &query, "n2", now() - 1_000)).await;
    assert_eq!(old, (401, "Invalid timestamp.".to_owned()));
    let mut other = signed(&base, path, &query, "n3", now());
    other.query_pairs_mut().append_pair("per_page", "100");
    let forged = message(&http, other).await;
    assert_eq!(
        forged,
        (
            401,
            "Invalid signature - provided signature does not match.".to_owned()
        )
    );
}

#[tokio::test]
async fn a_plain_key_is_ignored_where_the_shop_sees_no_https() {
    let (_, server, http) = serve(ShopOptions::default()).await;
    let url = format!("{}/wp-json/wc/v3/orders", server.url());
    let call = || {
        http.get(&url)
            .basic_auth("ck_simulated", Some("cs_simulated"))
    };
    assert_eq!(call().send().await.unwrap().status(), 401);
    let forwarded = call().header("x-forwarded-proto", "https");
    assert_eq!(forwarded.send().await.unwrap().status(), 200);
    let behind = ShopOptions {
        seen_as_https: true,
        ..ShopOptions::default()
    };
    let (_, server, http) = serve(behind).await;
    let url = format!("{}/wp-json/wc/v3/orders", server.url());
    let basic = http
        .get(&url)
        .basic_auth("ck_simulated", Some("cs_simulated"));
    assert_eq!(basic.send().await.unwrap().status(), 200);
    let query = format!("{url}?consumer_key=ck_simulated&consumer_secret=cs_simulated");
    assert_eq!(http.get(query).send().await.unwrap().status(), 200);
}

/// Reads every order by pages, the oldest change first.
async fn read_all(base: &str, http: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let url = format!(
            "{base}/wp-json/wc/v3/orders?per_page=100&page={page}&orderby=modified&order=asc&dp=6&modified_after=2020-01-01T00:00:00&dates_are_gmt=true"
        );
        let call = http
            .get(url)
            .basic_auth("ck_simulated", Some("cs_simulated"));
        let answer = call.send().await.unwrap();
        let pages: usize = answer.headers()["x-wp-totalpages"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let rows: Vec<Value> = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        all.extend(rows);
        if page >= pages {
            break;
        }
    }
    all
}

#[tokio::test]
async fn paging_shows_every_order_once_and_a_home_of_its_own() {
    let options = ShopOptions {
        orders: 730,
        seen_as_https: true,
        ..ShopOptions::default()
    };
    let (shop, server, http) = serve(options).await;
    let all = read_all(&server.url(), &http).await;
    let mut ids: Vec<u64> = all
        .iter()
        .map(|order| order["id"].as_u64().unwrap())
        .collect();
    let modified: Vec<&str> = all
        .iter()
        .map(|o| o["date_modified_gmt"].as_str().unwrap())
        .collect();
    assert!(modified.is_sorted());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 730);
    assert_eq!(shop.orders().len(), 730);
    let own = all[0]["_links"]["self"][0]["href"].as_str().unwrap();
    assert!(own.starts_with(&server.url()), "{own}");
    assert_eq!(shop.calls()["GET /orders"], 8);
}

#[tokio::test]
async fn a_change_moves_the_date_and_a_note_does_not() {
    let options = ShopOptions {
        seen_as_https: true,
        ..ShopOptions::default()
    };
    let (shop, server, http) = serve(options).await;
    let order = shop
        .orders()
        .into_iter()
        .find(|order| order.status == "processing")
        .unwrap();
    let put = |path: String, body: &'static str| {
        let url = format!("{}/wp-json/wc/v3/orders/{}{path}", server.url(), order.id);
        let call = http
            .post(url)
            .basic_auth("ck_simulated", Some("cs_simulated"));
        call.body(body).send()
    };
    put("/notes".to_owned(), r#"{"note":"x"}"#).await.unwrap();
    assert_eq!(shop.order(order.id).unwrap().modified, order.modified);
    put(
        String::new(),
        r#"{"meta_data":[{"key":"_hub","value":"1"}]}"#,
    )
    .await
    .unwrap();
    assert!(shop.order(order.id).unwrap().modified > order.modified);
    assert_eq!(shop.writes(), 2);
}

/// Seconds to make and to read a shop of so many orders.
async fn effort(orders: usize) -> (f64, f64) {
    let begin = Instant::now();
    let options = ShopOptions {
        orders,
        seen_as_https: true,
        ..ShopOptions::default()
    };
    let (_, server, http) = serve(options).await;
    let made = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    assert_eq!(read_all(&server.url(), &http).await.len(), orders);
    (made, begin.elapsed().as_secs_f64())
}

#[tokio::test]
async fn many_orders_cost_no_more_each_than_few() {
    let few = effort(400).await;
    let many = effort(3_200).await;
    // Eight times as many orders: a quadratic shop would take 64 times as long. The machine may be busy, so 30 is allowed.
    assert!(many.0 < 30.0 * few.0, "made in {few:?} and {many:?}");
    assert!(many.1 < 30.0 * few.1, "read in {few:?} and {many:?}");
}

#[tokio::test]
async fn orders_arrive_over_time() {
    let options = ShopOptions {
        orders: 40,
        over: Duration::from_millis(200),
        ..ShopOptions::default()
    };
    let shop = Shop::new(options);
    assert!(shop.orders().is_empty());
    assert_eq!(shop.waiting(), 40);
    let arriving = shop.clone();
    let task = tokio::spawn(async move { arriving.arrive().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let halfway = shop.orders().len();
    assert!((1..40).contains(&halfway), "{halfway}");
    task.await.unwrap();
    assert_eq!(shop.orders().len(), 40);
}
