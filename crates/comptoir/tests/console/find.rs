//! Where is order 1042? By any number, e-mail, SKU or tracking number, on one time line over all systems.

use crate::bench::{Bench, Setup};
use crate::client::{Client, Got, encoded, user};
use crate::process::wait;
use std::time::Duration;

fn find(client: &mut Client, text: &str) -> Got {
    client.get(&format!("/find?q={}", encoded(text)))
}

/// The page that a search for one order leads to.
fn leads_to(client: &mut Client, text: &str) -> Got {
    let mut got = None;
    // Cards are made some seconds after the record.
    let led = wait("the search finds it", Duration::from_secs(20), || {
        let found = find(client, text);
        let led = found.status == 303;
        got = Some(found);
        led
    });
    let got = got.unwrap();
    assert!(led, "`{text}`: {}", got.body);
    client.get(got.header("location")).is(200)
}

#[test]
fn an_order_is_found_by_every_word_of_it_in_both_systems() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "operator");
    let mut viewer = user(&bench, &serve, "viewer");
    bench.settle();
    let pairs = bench.does(&["--json", "status"]).json();
    assert!(pairs["orders"]["done"].as_u64() > Some(0));
    // One that went through: its number in the ERP is on its page.
    let page = bench
        .stage
        .shop
        .orders()
        .iter()
        .map(|order| leads_to(&mut ana, &order.id.to_string()))
        .find(|page| page.body.contains("is in erp as "))
        .expect("an order that went through");
    let at = page.body.find("is in erp as ").unwrap() + "is in erp as ".len();
    let there: String = page.body[at..]
        .chars()
        .take_while(|c| c.is_alphanumeric())
        .collect();
    let same = leads_to(&mut ana, &there);
    let heading = |got: &Got| {
        let at = got.body.find("<h1>").unwrap();
        got.body[at..].split("</h1>").next().unwrap().to_owned()
    };
    assert_eq!(heading(&same), heading(&page));
    let page = page.says(&[
        "Placed",
        "Created",
        "Equal",
        "As it was answered",
        "What was sent",
    ]);
    assert!(page.body.len() < 100_000, "{} bytes", page.body.len());
    // The e-mail is on the page of who may see it, and finds the order whole and by its beginning.
    let at = page.body.find("<dt>E-mail</dt><dd>").expect("an e-mail") + 19;
    let email = page.body[at..].split('<').next().unwrap().to_owned();
    for text in [email.clone(), email.to_uppercase(), email[..6].to_owned()] {
        let found = find(&mut ana, &text);
        let hit = found.status == 303 || found.body.contains("found for");
        assert!(hit, "{text}: {}", found.body);
    }
    let masked = leads_to(&mut viewer, &there);
    assert!(
        !masked.body.contains(&email),
        "personal data is masked for viewers"
    );
    assert!(
        masked.body.contains("masked for viewers") && !masked.body.contains("As it was answered")
    );
    find(&mut ana, "no such order")
        .is(200)
        .says(&["Nothing found"]);
    let injected = find(&mut ana, "<script>alert(1)</script>").is(200);
    assert!(!injected.body.contains("<script>alert"));
    let mut french = ana.with("accept-language", "fr");
    leads_to(&mut french, &there).says(&["dans erp", "Passée", "L’argent, des deux côtés"]);
}
