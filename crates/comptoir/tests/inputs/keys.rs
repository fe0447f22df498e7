//! Keys, rights, addresses and clocks.

use crate::bench::{Bench, Setup};
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{Redirect, Response};
use comptoir_sim::odoo::Version;
use comptoir_sim::stage::READER;

/// The hub is started with what is wrong: it says so, books nothing, and goes on once it is put right and started again.
fn refused_then_right(
    bench: &mut Bench,
    connection: &str,
    code: &str,
    put_right: impl FnOnce(&mut Bench),
) -> String {
    let found = bench.check(code);
    assert!(
        found.iter().any(|[subject, ..]| subject == connection),
        "{found:?}"
    );
    let serve = bench.serve();
    let words = bench.paused(connection, code);
    serve.hear(code);
    assert_eq!(bench.booked(), 0);
    serve.stop();
    put_right(bench);
    let serve = bench.serve();
    bench.settle();
    assert_eq!(bench.pause(connection), None);
    bench.agree();
    serve.stop();
    words
}

#[test]
fn a_wrong_key_of_the_shop() {
    let mut bench = Bench::new(Setup::default());
    bench.secret("WOO_KEY", "ck_of_another_shop");
    let words = refused_then_right(&mut bench, "shop", "CMP-0100", |bench| {
        bench.secret("WOO_KEY", "ck_simulated");
    });
    assert!(words.contains("key"), "{words}");
}

#[test]
fn a_wrong_secret_of_the_shop() {
    let mut bench = Bench::new(Setup::default());
    bench.secret("WOO_SECRET", "cs_of_another_key");
    let words = refused_then_right(&mut bench, "shop", "CMP-0108", |bench| {
        bench.secret("WOO_SECRET", "cs_simulated");
    });
    assert!(words.contains("the secret is wrong"), "{words}");
}

#[test]
fn a_wrong_key_of_the_erp() {
    let mut bench = Bench::new(Setup::default());
    bench.secret("ODOO_KEY", "key-of-someone-else");
    let words = refused_then_right(&mut bench, "erp", "CMP-0100", |bench| {
        bench.secret("ODOO_KEY", "simulated-key");
    });
    assert!(words.contains("make a new API key"), "{words}");
}

#[test]
fn a_wrong_login_and_a_wrong_database_of_an_older_erp() {
    let mut bench = Bench::new(Setup {
        erp: Version::V16,
        ..Setup::default()
    });
    let file = "connections/erp.toml";
    bench.replace(file, "hub@example.test", "other@example.test");
    let found = bench.check("CMP-0100");
    assert!(found[0][1].contains("login"), "{found:?}");
    bench.replace(file, "other@example.test", "hub@example.test");
    bench.replace(file, "\"simulated\"", "\"simulation\"");
    let words = refused_then_right(&mut bench, "erp", "CMP-0103", |bench| {
        bench.replace(file, "\"simulation\"", "\"simulated\"");
        bench.does(&["config", "push"]);
    });
    assert!(words.contains("`simulation`"), "{words}");
}

#[test]
fn a_wrong_database() {
    let mut bench = Bench::new(Setup::default());
    let file = "connections/erp.toml";
    bench.replace(file, "\"simulated\"", "\"production-2\"");
    let words = refused_then_right(&mut bench, "erp", "CMP-0103", |bench| {
        bench.replace(file, "\"production-2\"", "\"simulated\"");
        bench.does(&["config", "push"]);
    });
    assert!(words.contains("`production-2`"), "{words}");
}

/// Orders are only read from the shop, so a key that may only read stops no order; what it cannot do is told.
#[test]
fn a_read_only_key() {
    let mut bench = Bench::new(Setup::default());
    bench.secret("WOO_KEY", READER.0);
    bench.secret("WOO_SECRET", READER.1);
    let found = bench.check("CMP-0101");
    assert_eq!(found[0][0], "shop");
    assert!(
        found[0][1].contains("nothing can be written back"),
        "{found:?}"
    );
    assert_eq!(found[0][2], "docs/errors/CMP-0101.md");
    bench.append(
        "comptoir.toml",
        "public_url = \"http://hub.example.test\"\n",
    );
    let serve = bench.serve();
    bench.settle();
    bench.agree();
    serve.hear("webhooks not tended");
    serve.hear("CMP-0101");
    serve.stop();
}

/// Over plain http the shop takes only signed requests, and a key in the header looks to it like no key at all.
#[test]
fn a_key_that_the_shop_does_not_look_at() {
    let mut bench = Bench::new(Setup::default());
    bench.append("connections/shop.toml", "auth = \"basic\"\n");
    let words = refused_then_right(&mut bench, "shop", "CMP-0102", |bench| {
        bench.replace("connections/shop.toml", "auth = \"basic\"\n", "");
        bench.does(&["config", "push"]);
    });
    assert!(words.contains("X-Forwarded-Proto: https"), "{words}");
}

async fn over_https(mut request: Request, next: Next) -> Response {
    let https = HeaderValue::from_static("https");
    request.headers_mut().insert("x-forwarded-proto", https);
    next.run(request).await
}

/// A shop behind a proxy that speaks https: the signatures of plain http do not fit there.
#[test]
fn http_where_the_shop_sees_https() {
    let mut bench = Bench::new(Setup::default());
    let router = bench.stage.router();
    bench
        .shop
        .on(router.layer(axum::middleware::from_fn(over_https)));
    let words = refused_then_right(&mut bench, "shop", "CMP-0108", |bench| bench.shop_on());
    assert!(words.contains("https:// address"), "{words}");
}

/// A shop that sends everyone from http to https: a key is not sent after a redirect.
#[test]
fn http_that_redirects_to_https() {
    let mut bench = Bench::new(Setup::default());
    let redirect = || async { Redirect::permanent("https://shop.example.test/") };
    bench.shop.on(Router::new().fallback(redirect));
    let words = refused_then_right(&mut bench, "shop", "CMP-0005", |bench| bench.shop_on());
    assert!(words.contains("redirect"), "{words}");
}

#[test]
fn clocks_that_differ() {
    let mut bench = Bench::new(Setup::default());
    // Minutes are taken, and told before they grow.
    bench.stage.shop.set_clock_ahead(-300);
    let found = bench.check("CMP-0104");
    assert!(
        found[0][1].contains("the clocks of shop and hub differ by"),
        "{found:?}"
    );
    bench.stage.shop.set_clock_ahead(3_600);
    let words = refused_then_right(&mut bench, "shop", "CMP-0104", |bench| {
        bench.stage.shop.set_clock_ahead(0);
    });
    assert!(words.contains("set the clocks"), "{words}");
}

/// The key's last day comes while orders do.
#[test]
fn a_key_that_expires() {
    let mut bench = Bench::new(Setup {
        over: std::time::Duration::from_secs(3),
        ..Setup::default()
    });
    let serve = bench.serve();
    bench.arrive();
    crate::process::wait("some orders", std::time::Duration::from_secs(20), || {
        bench.booked() > 2
    });
    bench.stage.erp.set_key("key-of-next-year");
    let words = bench.paused("erp", "CMP-0105");
    assert!(words.contains("has expired"), "{words}");
    assert!(words.contains("make a new API key"), "{words}");
    serve.hear("CMP-0105");
    serve.stop();
    bench.secret("ODOO_KEY", "key-of-next-year");
    let serve = bench.serve();
    bench.settle();
    bench.agree();
    assert_eq!(bench.pause("erp"), None);
    serve.stop();
}
