//! Tapes: read, replayed, recorded.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod server;

use comptoir_kit::auth::Auth;
use comptoir_kit::http::{Call, Http, HttpMaker, HttpOptions};
use comptoir_kit::secret::Secret;
use comptoir_kit::tape::{Exchange, Matching, Recording, Replay, Tape, read_folder};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use server::{Reply, Server};

fn exchange(note: &str, method: &str, path: &str, body: Option<&str>, answer: &str) -> Exchange {
    let tape = serde_json::json!({
        "note": note,
        "request": {"method": method, "path": path, "headers": {}, "body": body},
        "response": {"status": 200, "headers": {"set-cookie": "a=1\nb=2"}, "body": answer},
    });
    Tape::parse(&tape.to_string())
        .unwrap()
        .exchanges()
        .remove(0)
}

async fn body(http: &Http, call: Call) -> String {
    http.send(call).await.unwrap().text().into_owned()
}

#[test]
fn exchanges_and_deliveries_are_told_apart() {
    let delivery = r#"{"note": "ping", "secret": null, "headers": {"X-Topic": "ping"}, "body": "webhook_id=10"}"#;
    let Tape::Deliveries(deliveries) = Tape::parse(delivery).unwrap() else {
        panic!("a delivery");
    };
    let incoming = deliveries[0].incoming(jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(incoming.header("x-topic"), Some("ping"));
    assert!(Tape::parse("{\"note\": \"x\"}").is_err());
}

#[tokio::test]
async fn a_request_finds_its_tape_whatever_the_order_of_its_parameters() {
    let path = "/orders?page=2&search=a%20b&oauth_nonce=bbbb&oauth_signature=SIGNATURE";
    let tapes = vec![
        exchange("page 2", "GET", path, None, "two"),
        exchange("page 1", "GET", "/orders?page=1&search=a+b", None, "one"),
    ];
    let http = Http::replay(tapes, Matching::default()).unwrap();
    let page = |page: u32| {
        Call::get("orders.list", "orders")
            .query("search", "a b")
            .query("page", page)
    };
    assert_eq!(body(&http, page(2)).await, "two");
    assert_eq!(body(&http, page(1)).await, "one");
    let answer = http.send(page(1)).await.unwrap();
    let cookies: Vec<_> = answer
        .headers
        .iter()
        .filter(|(n, _)| n == "set-cookie")
        .collect();
    assert_eq!(cookies.len(), 2, "a header met twice is two headers");
}

#[tokio::test]
async fn tapes_of_one_request_answer_in_turn() {
    let tapes = || {
        ["first", "second"]
            .map(|answer| exchange(answer, "GET", "/state", None, answer))
            .to_vec()
    };
    let call = || Call::get("state.read", "state");
    let http = Http::replay(tapes(), Matching::default()).unwrap();
    for expected in ["first", "second", "second"] {
        assert_eq!(body(&http, call()).await, expected);
    }
    let once = Matching {
        repeat: false,
        ..Matching::default()
    };
    let http = Http::replay(tapes(), once).unwrap();
    body(&http, call()).await;
    body(&http, call()).await;
    let fault = http.send(call()).await.unwrap_err();
    assert!(
        fault.why.ends_with("all tapes of GET /state are used up"),
        "{fault}"
    );
}

#[tokio::test]
async fn bodies_are_compared_as_json_without_the_ignored_fields() {
    let tapes = vec![
        exchange(
            "a",
            "POST",
            "/jsonrpc",
            Some("{\"id\": 1, \"model\": \"a\", \"n\": [1]}"),
            "A",
        ),
        exchange(
            "b",
            "POST",
            "/jsonrpc",
            Some("{\"id\": 2, \"model\": \"b\", \"n\": [1]}"),
            "B",
        ),
    ];
    let matching = Matching {
        ignored_fields: vec!["id".to_owned()],
        ..Matching::with_bodies()
    };
    let http = Http::replay(tapes, matching).unwrap();
    let call = |body: &str| {
        let json = "application/json";
        Call::post("rpc", "jsonrpc").body(json, body.as_bytes().to_vec())
    };
    assert_eq!(
        body(&http, call("{\"n\":[1],\"model\":\"b\",\"id\":77}")).await,
        "B"
    );
    let fault = http
        .send(call("{\"n\":[2],\"model\":\"b\"}"))
        .await
        .unwrap_err();
    assert!(fault.why.contains("another body"), "{fault}");
}

#[tokio::test]
async fn an_unexpected_call_is_a_bug_that_names_the_nearest_tape_and_no_value() {
    let replay = Replay::new(
        vec![exchange("the list", "GET", "/orders?page=1", None, "[]")],
        Matching::default(),
    );
    let maker = HttpMaker::replaying("shop".parse().unwrap(), replay.clone());
    let options = HttpOptions {
        auth: Auth::Bearer(Secret::new("tok_hush")),
        ..HttpOptions::default()
    };
    let http = maker.open("https://shop.example", options).unwrap();
    let call = Call::get("orders.list", "orders").query("page", "hush");
    let fault = http.send(call).await.unwrap_err();
    assert_eq!((fault.next, fault.code), (Next::Bug, Code::NotUnderstood));
    assert_eq!(
        fault.why,
        "`orders.list`: no tape answers GET /orders; the nearest is `the list`: other parameters: page"
    );
    assert_eq!(replay.unused(), ["the list"]);
    let sent = replay.sent();
    assert_eq!(
        (sent.len(), sent[0].path.as_str()),
        (1, "/orders?page=hush")
    );
    assert!(
        sent[0]
            .headers
            .contains(&("authorization".into(), "Bearer tok_hush".into()))
    );
}

#[tokio::test]
async fn what_is_recorded_is_clean_and_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_| {
        Reply::new(201)
            .header("Set-Cookie", "sid=session_hush")
            .header("X-Wp-Total", "1")
            .body(r#"{"id":7,"email":"ann@shop.example","total":"12.50","echo":"cs_hush"}"#)
    })
    .await;
    let options = || HttpOptions {
        auth: Auth::Basic {
            user: "ck_hush".to_owned(),
            password: Secret::new("cs_hush"),
        },
        ..HttpOptions::default()
    };
    let call = || {
        Call::post("customers.create", "customers")
            .query("consumer_secret", "cs_hush")
            .query("email", "ann@shop.example")
            .json(&serde_json::json!({"first_name": "Ann", "total": "12.50"}))
            .unwrap()
    };
    for _ in 0..2 {
        let recording = Recording::into_folder(folder.path()).unwrap();
        let maker = HttpMaker::network("shop".parse().unwrap()).recording(recording);
        let http = maker.open(&server.address, options()).unwrap();
        http.send(call()).await.unwrap();
    }
    let tapes = read_folder(folder.path()).unwrap();
    let names: Vec<&str> = tapes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["001-customers-create", "002-customers-create"]);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for gone in ["hush", "ann@", "ann%40", "Ann", "Y2tf"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
        assert!(
            text.contains("12.50") && text.contains("x-wp-total"),
            "{text}"
        );
    }
    let exchanges = tapes
        .into_iter()
        .flat_map(|(_, tape)| tape.exchanges())
        .collect();
    let http = Http::replay(exchanges, Matching::default()).unwrap();
    let again = Call::post("customers.create", "customers").query("email", "person1@example.test");
    assert_eq!(http.send(again).await.unwrap().status, 201);
}
