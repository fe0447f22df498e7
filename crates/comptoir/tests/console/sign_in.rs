//! Who gets in.

use crate::bench::{Bench, Setup};
use crate::client::{Client, PASSWORD, add_user, one_time_link, type_in, user};
use std::time::Duration;

fn empty() -> Setup {
    Setup {
        orders: 0,
        ..Setup::default()
    }
}

/// Until there is a user, this machine alone is answered; what shops and monitors ask is answered to everyone at any time.
#[test]
fn before_there_is_a_user_only_this_machine_is_answered() {
    let bench = Bench::new(empty());
    let serve = bench.serve();
    let mut here = Client::new(&serve);
    here.get("/").is(303);
    here.get("/sign-in").refused(403, "CMP-0800");
    let mut there = Client::new(&serve);
    there.host = "hub.example.test".to_owned();
    let mut proxied = Client::new(&serve).with("x-forwarded-for", "198.51.100.7");
    for stranger in [&mut there, &mut proxied] {
        for path in ["/", "/sign-in", "/first?key=x", "/stop", "/nowhere"] {
            stranger.get(path).refused(403, "CMP-0800");
        }
        stranger.get("/healthz").is(200);
        stranger.get("/readyz").is(200);
        assert_eq!(stranger.post("/hooks/shop", &[]).status, 401);
    }
    add_user(&bench, "ana", "admin");
    there.get("/sign-in").is(200).says(&["Sign in"]);
    there.get("/stop").is(303);
}

#[test]
fn the_first_user_is_made_by_the_one_time_link_once() {
    let bench = Bench::new(empty());
    let serve = bench.serve();
    let link = one_time_link(&serve);
    let key = link.split_once("key=").unwrap().1.to_owned();
    let mut ana = Client::new(&serve);
    ana.get("/first?key=wrong").refused(403, "CMP-0806");
    ana.get(&link).is(200).says(&["Who are you?"]);
    let weak = [("key", key.as_str()), ("name", "ana"), ("password", "ana")];
    ana.fill(&link, "/first", &weak).is(422);
    let right = [
        ("key", key.as_str()),
        ("name", "ana"),
        ("password", PASSWORD),
    ];
    // Not without the cookie of the page that the form was shown on.
    Client::new(&serve)
        .post("/first", &right)
        .refused(403, "CMP-0805");
    ana.fill(&link, "/first", &right).is(303);
    let page = ana.get("/people").is(200).says(&["ana", "Administrator"]);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), "no-store");
    // Neither style nor script stands in a page.
    assert!(
        !page.body.contains(" style=")
            && !page.body.contains("<style")
            && !page.body.contains(" onclick")
    );
    Client::new(&serve).get(&link).refused(403, "CMP-0806");
    ana.get("/log").says(&["made the first user"]);
    drop(serve);
    let serve = bench.serve();
    assert!(!serve.log().contains("/first?key="), "{}", serve.log());
    // A session outlives the process.
    let mut again = Client::new(&serve);
    again.cookies = ana.cookies;
    again.get("/people").is(200);
}

#[test]
fn a_session_is_one_browser_and_ends_everywhere_at_once() {
    let bench = Bench::new(empty());
    let serve = bench.serve();
    let mut one = user(&bench, &serve, "operator");
    let mut two = Client::new(&serve);
    let entered = two.sign_in("operator", PASSWORD).is(303);
    let cookie = entered.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    one.get("/account").is(200);
    one.fill("/account", "/account/sign-out", &[]).is(303);
    one.get("/account").is(303);
    two.get("/account").is(303);
    two.sign_in("operator", PASSWORD).is(303);
    // A new password by the command line signs out too, and the old one is no good any more.
    let other = "quite another counter";
    assert_eq!(
        type_in(&bench, &["user", "passwd", "operator"], other).code,
        0
    );
    two.get("/account").is(303);
    two.sign_in("operator", PASSWORD)
        .is(422)
        .says(&["The name or the password is wrong"]);
    two.sign_in("operator", other).is(303);
    bench.does(&["user", "disable", "operator"]);
    two.get("/account").is(303);
    two.sign_in("operator", other).is(422);
    bench.does(&["user", "enable", "operator"]);
    two.sign_in("operator", other).is(303);
    let listed = bench.does(&["--json", "user", "list"]).json();
    assert_eq!(listed[0]["role"], "operator");
    assert!(!listed.to_string().contains("argon2"));
}

#[test]
fn guessing_passwords_takes_longer_and_longer() {
    let bench = Bench::new(empty());
    let serve = bench.serve();
    add_user(&bench, "ana", "admin");
    let mut thief = Client::new(&serve);
    for _ in 0..5 {
        thief.sign_in("ana", "guess").is(422);
    }
    thief
        .sign_in("ana", PASSWORD)
        .is(429)
        .says(&["Too many sign-ins have failed"]);
    // Names that do not exist are no way to learn which do.
    thief.sign_in("nobody", "guess").is(429);
    std::thread::sleep(Duration::from_millis(2_300));
    thief.sign_in("ana", PASSWORD).is(303);
    serve.hear("CMP-0802");
    assert!(!serve.log().contains("guess"));
}

/// Behind a proxy that the configuration names, the visitor is who the proxy says, and cookies are for HTTPS only.
#[test]
fn a_trusted_proxy_says_who_it_is_and_that_it_is_https() {
    let bench = Bench::new(empty());
    bench.append("comptoir.toml", "\ntrusted_proxies = [\"127.0.0.1\"]\n");
    let serve = bench.serve();
    let behind = |address: &str| {
        Client::new(&serve)
            .with("x-forwarded-for", address)
            .with("x-forwarded-proto", "https")
    };
    behind("198.51.100.7").get("/").refused(403, "CMP-0800");
    add_user(&bench, "ana", "admin");
    let mut ana = behind("198.51.100.7");
    let shown = ana.get("/sign-in").is(200);
    assert!(!shown.header("strict-transport-security").is_empty());
    let entered = ana.sign_in("ana", PASSWORD).is(303);
    let cookie = entered.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-comptoir=") && cookie.contains("Secure"),
        "{cookie}"
    );
    ana.get("/account").is(200);
    // One address that guesses keeps only itself out.
    let mut thief = behind("203.0.113.9");
    for name in ["a1", "a2", "a3", "a4", "a5"] {
        thief.sign_in(name, "guess").is(422);
    }
    thief.sign_in("a6", "guess").is(429);
    behind("198.51.100.8").sign_in("ana", PASSWORD).is(303);
}

#[test]
fn the_language_is_the_browsers_until_it_is_chosen() {
    let bench = Bench::new(empty());
    let serve = bench.serve();
    add_user(&bench, "ana", "viewer");
    let mut french = Client::new(&serve).with("accept-language", "fr-FR, en;q=0.5");
    french
        .get("/sign-in")
        .says(&["<html lang=\"fr\">", "Se connecter"]);
    french.get("/language/en?back=/account").is(303);
    french
        .get("/sign-in")
        .says(&["<html lang=\"en\">", "Sign in"]);
    let away = french.get("/language/fr?back=https://example.com/");
    assert_eq!(away.header("location"), "/");
}
