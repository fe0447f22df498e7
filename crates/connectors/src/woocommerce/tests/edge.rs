//! Deliveries that are forged, odd or too large; settings; and what plug-ins add to orders.

use super::settings;
use crate::woocommerce::settings::{AuthMode, Settings};
use crate::woocommerce::{fault, hooks, map};
use comptoir_kit::http::{Answer, Effect};
use comptoir_kit::secret::Secret;
use comptoir_kit::webhook::{LIMIT, sign_base64};
use comptoir_model::code::Code;
use comptoir_model::equation::{self, Tolerance};
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::order::{Life, LineKind, Order, Paid};
use comptoir_model::payment::PaymentKind;
use comptoir_model::port::{Hint, Incoming};
use jiff::Timestamp;
use serde_json::{Value, json};

fn delivery(topic: &str, body: &[u8], secret: &str) -> Incoming {
    let secret = Secret::new(secret);
    Incoming {
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-wc-webhook-topic".to_owned(), topic.to_owned()),
            (
                "x-wc-webhook-signature".to_owned(),
                sign_base64(&secret, body),
            ),
        ],
        body: body.to_vec(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn hear(call: &Incoming) -> Result<Vec<Hint>, Code> {
    let secrets = ["newest", "older"].map(Secret::new);
    hooks::hear(call, &secrets).map_err(|fault| fault.code)
}

#[test]
fn both_live_secrets_open_a_delivery_and_a_replay_says_the_same() {
    let hint = Ok(vec![Hint {
        kind: Kind::Order,
        id: Some("7".into()),
    }]);
    for secret in ["newest", "older"] {
        let call = delivery("order.updated", b"{\"id\":7}", secret);
        assert_eq!(hear(&call), hint);
        assert_eq!(hear(&call), hint);
    }
}

#[test]
fn forged_odd_and_oversized_deliveries_are_refused() {
    let forged = delivery("order.updated", b"{\"id\":7}", "guessed");
    assert_eq!(hear(&forged), Err(Code::ForgedSignature));
    let mut unsigned = delivery("order.updated", b"{\"id\":7}", "newest");
    unsigned.headers.pop();
    assert_eq!(hear(&unsigned), Err(Code::ForgedSignature));
    let large = delivery("order.updated", &vec![b' '; LIMIT + 1], "newest");
    assert_eq!(hear(&large), Err(Code::OversizedWebhook));
    for body in ["", "[", "webhook_id=4", "7"] {
        let malformed = delivery("order.updated", body.as_bytes(), "newest");
        assert_eq!(hear(&malformed), Err(Code::MalformedWebhook), "{body}");
    }
    let mut silent = delivery("order.updated", b"{\"id\":7}", "newest");
    silent.headers.remove(1);
    assert_eq!(hear(&silent), Err(Code::MalformedWebhook));
    let other = delivery("coupon.updated", b"{\"id\":7}", "newest");
    assert_eq!(hear(&other), Ok(Vec::new()));
}

#[test]
fn only_a_bare_ping_needs_no_signature() {
    let form = |body: &str| Incoming {
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )],
        body: body.as_bytes().to_vec(),
        at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(hear(&form("webhook_id=10")), Ok(Vec::new()));
    for body in ["webhook_id=", "webhook_id=1&id=7", "id=7"] {
        assert_eq!(hear(&form(body)), Err(Code::ForgedSignature), "{body}");
    }
}

fn open(value: Value) -> Result<Settings, (Code, Option<String>)> {
    comptoir_kit::spec::settings::<Settings>(value)
        .and_then(Settings::checked)
        .map_err(|fault| (fault.code, fault.field))
}

#[test]
fn settings_are_checked() {
    let with = |name: &str, value: Value| {
        let mut settings = json!({"url": "https://shop.example.test/wp-json/wc/v3/", "key": "ck_x", "secret": "cs_x"});
        settings[name] = value;
        open(settings)
    };
    let plain = with("page_size", json!(50)).unwrap();
    assert_eq!(
        (plain.url.as_str(), plain.mode()),
        ("https://shop.example.test", AuthMode::Basic)
    );
    let http = with("url", json!("http://shop.example.test")).unwrap();
    assert_eq!(http.mode(), AuthMode::OAuth1);
    for (name, value) in [
        ("page_size", json!(1)),
        ("page_size", json!(101)),
        ("overlap_seconds", json!(5)),
        ("key", json!("")),
        ("secret", json!("")),
        ("key", json!("cs_swapped")),
        ("auth", json!("digest")),
        ("statuses", json!({"packed": "shipped"})),
    ] {
        let (code, field) = with(name, value.clone()).unwrap_err();
        assert_eq!(code, Code::BadValue, "{name} {value}");
        assert!(field.unwrap().starts_with(name));
    }
    let unknown = with("pagesize", json!(5)).unwrap_err();
    assert_eq!(unknown.0, Code::UnknownSetting);
    let clear = open(
        json!({"url": "http://shop.example.test", "key": "ck_x", "secret": "cs_x", "auth": "query"}),
    );
    assert_eq!(clear.unwrap_err().0, Code::BadValue);
}

fn refused(status: u16, effect: Effect, headers: &[(&str, &str)], body: &str) -> (Next, Code) {
    let answer = Answer {
        status,
        headers: headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
        effect,
        at: Timestamp::UNIX_EPOCH,
    };
    let fault = fault::success(answer, AuthMode::Basic).unwrap_err();
    (fault.next, fault.code)
}

#[test]
fn answers_that_no_tape_has_are_classified_too() {
    let later = Next::Later { after: None };
    let page = "<html><body>Error</body></html>";
    let fatal = r#"{"code":"internal_server_error","message":"<p>There has been a critical error.</p>","data":{"status":500}}"#;
    let (read, write) = (Effect::Read, Effect::Write);
    for (status, effect, body, expected) in [
        (500, read, fatal, (later, Code::ServerError)),
        (500, write, fatal, (Next::Unknown, Code::ServerError)),
        (502, read, page, (later, Code::ServerError)),
        (504, write, page, (Next::Unknown, Code::NotUnderstood)),
        (503, write, page, (Next::Unknown, Code::NotUnderstood)),
        (200, read, page, (later, Code::WrongAddress)),
        (200, write, page, (Next::Unknown, Code::NotUnderstood)),
        (403, read, page, (Next::Locked, Code::MissingRight)),
        (401, read, page, (Next::Locked, Code::MissingRight)),
        (429, write, page, (later, Code::TooManyRequests)),
        (
            403,
            write,
            r#"{"code":"woocommerce_rest_cannot_edit","message":"x","data":{"status":403}}"#,
            (Next::Locked, Code::MissingRight),
        ),
        (
            400,
            write,
            r#"{"code":"woocommerce_rest_invalid_coupon","message":"x","data":{"status":400}}"#,
            (Next::Refused, Code::Refused),
        ),
        (
            400,
            write,
            r#"{"code":"rest_missing_callback_param","message":"x","data":{"status":400,"params":["status"]}}"#,
            (Next::Refused, Code::MissingField),
        ),
    ] {
        assert_eq!(
            refused(status, effect, &[], body),
            expected,
            "{status} {body}"
        );
    }
    let wait = refused(429, read, &[("retry-after", "7")], page);
    let seven = std::time::Duration::from_secs(7);
    assert_eq!(
        wait,
        (Next::Later { after: Some(seven) }, Code::TooManyRequests)
    );
}

#[test]
fn no_fault_repeats_what_the_shop_says_of_people() {
    let body = r#"{"code":"registration-error-email-exists","message":"An account is already registered with marie@example.test.","data":{"status":400}}"#;
    let answer = Answer {
        status: 400,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        effect: Effect::Write,
        at: Timestamp::UNIX_EPOCH,
    };
    let fault = fault::classify(&answer, AuthMode::Basic);
    assert!(!format!("{fault:?}").contains("marie"));
}

/// A taped order with changes.
fn order(change: impl FnOnce(&mut Value)) -> Order {
    let tape = include_str!("../tapes/11.0.1/016-order-registered-b2b-vat.json");
    let tape: Value = serde_json::from_str(tape).unwrap();
    let mut wire: Value = serde_json::from_str(tape["response"]["body"].as_str().unwrap()).unwrap();
    change(&mut wire);
    let settings = Settings {
        statuses: [("packed".to_owned(), Life::Open)].into(),
        ..settings()
    };
    let record = map::order(&wire.to_string(), &settings).unwrap();
    record.document.as_order().unwrap().clone()
}

fn meta(wire: &mut Value, key: &str, value: Value) {
    wire["meta_data"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": 1, "key": key, "value": value}));
}

fn is_sound(order: &Order) -> bool {
    let found = equation::check(order, Tolerance::default());
    equation::blocking(&found).next().is_none()
}

#[test]
fn a_gift_card_is_a_payment_and_the_total_is_with_it() {
    let paid = |wire: &mut Value| {
        wire["total"] = "128.22".into();
        wire["status"] = "processing".into();
        wire["date_paid_gmt"] = "2026-11-22T04:25:33".into();
        wire["payment_method"] = "stripe".into();
    };
    let by_field = order(|wire| {
        paid(wire);
        wire["gift_cards"] = json!([{"id": 1, "code": "GIFT-1234", "amount": "50.00"}]);
    });
    let by_meta = order(|wire| {
        paid(wire);
        meta(
            wire,
            "_ywgc_applied_gift_cards",
            json!({"GIFT-1234": 30, "GIFT-5678": "20.00"}),
        );
    });
    for order in [&by_field, &by_meta] {
        assert_eq!(order.totals.total.to_string(), "178.22");
        assert_eq!(order.payments[0].amount.to_string(), "128.22");
        let cards = order
            .payments
            .iter()
            .filter(|payment| payment.kind == PaymentKind::GiftCard);
        assert_eq!(
            cards
                .map(|card| card.amount)
                .sum::<comptoir_model::Decimal>()
                .to_string(),
            "50"
        );
        assert!(is_sound(order));
    }
    // A plug-in that booked the card as a negative fee as well.
    let by_fee = order(|wire| {
        paid(wire);
        wire["fee_lines"] = json!([{"id": 9, "name": "Gift card", "total": "-50.00", "total_tax": "0", "taxes": []}]);
        wire["gift_cards"] = json!([{"id": 1, "amount": "50.00"}]);
    });
    assert_eq!(
        (
            by_fee.totals.total.to_string().as_str(),
            by_fee.payments.len()
        ),
        ("128.22", 1)
    );
    assert!(is_sound(&by_fee));
}

#[test]
fn bundles_and_their_parts_are_told() {
    let order = order(|wire| {
        let lines = wire["line_items"].as_array_mut().unwrap();
        lines[0]["meta_data"] = json!([{"key": "_bundle_cart_key", "value": "abc"}]);
        lines[1]["meta_data"] = json!([{"key": "_bundled_by", "value": "abc"}]);
    });
    assert_eq!(
        (order.lines[0].kind, order.lines[1].kind),
        (LineKind::Bundle, LineKind::Component)
    );
    assert_eq!(order.lines[1].parent.as_deref(), Some("2050"));
    let by_field = self::order(|wire| {
        wire["line_items"][1]["bundled_by"] = 2050.into();
    });
    assert_eq!(by_field.lines[0].kind, LineKind::Bundle);
    assert_eq!(by_field.lines[1].parent.as_deref(), Some("2050"));
}

#[test]
fn states_and_payments_are_read_together() {
    let became = |word: &str, method: &str, paid: &str| {
        let order = order(|wire| {
            wire["status"] = word.into();
            wire["payment_method"] = method.into();
            wire["date_paid_gmt"] = match paid {
                "paid" => "2026-11-22T05:00:00".into(),
                _ => Value::Null,
            };
        });
        let (status, payment) = (&order.status, &order.payments[0]);
        json!([status.life, status.paid, payment.kind, payment.state])
    };
    for row in [
        "on-hold bacs - on_hold no promise pending",
        "processing bacs paid open yes sale done",
        "processing cod - open no promise pending",
        "completed cod paid completed yes sale done",
        "processing odd_gateway - open unknown sale pending",
        "pending stripe - draft no sale pending",
        "failed stripe - draft failed sale failed",
        "checkout-draft stripe - draft no sale pending",
        "packed stripe - open no sale pending",
        "ready-to-ship stripe paid open yes sale done",
        "awaiting-cheque cheque - on_hold no promise pending",
    ] {
        let words: Vec<&str> = row.split(' ').collect();
        let became = became(words[0], words[1], words[2]);
        assert_eq!(became, json!(words[3..]), "{row}");
    }
}

#[test]
fn reservations_and_full_refunds_are_told() {
    let reserved = order(|wire| {
        wire["payment_method"] = "stripe".into();
        meta(wire, "_stripe_charge_captured", "no".into());
    });
    assert_eq!(reserved.payments[0].kind, PaymentKind::Authorization);
    let back = order(|wire| {
        wire["status"] = "completed".into();
        wire["date_paid_gmt"] = "2026-11-22T05:00:00".into();
        wire["refunds"] = json!([{"id": 2, "total": "-100.00"}, {"id": 3, "total": "-78.22"}]);
    });
    assert_eq!(back.status.paid, Paid::Refunded);
}

#[test]
fn secrets_and_the_shops_own_meta_are_not_kept() {
    let order = order(|wire| {
        meta(wire, "_gateway_token", "tok_1".into());
        meta(wire, "_card_number_last", "4242".into());
        meta(wire, "_wp_trash_meta_time", "1".into());
        meta(wire, "_po_number", "PO-9".into());
        meta(wire, "is_vat_exempt", "yes".into());
        meta(wire, "colour", "red".into());
        meta(wire, "colour", "blue".into());
    });
    let keys: Vec<&str> = order.attributes.keys().map(String::as_str).collect();
    assert!(keys.iter().all(|key| !key.contains("token")
        && !key.contains("card_number")
        && !key.contains("trash")));
    assert_eq!(order.attributes["colour"], json!(["red", "blue"]));
    assert_eq!(order.purchase_order, "PO-9");
}

#[test]
fn a_tax_that_no_tax_line_explains_keeps_its_rate() {
    let order = order(|wire| {
        wire["line_items"][0]["taxes"] =
            json!([{"id": 77, "total": "25.00"}, {"id": 78, "total": ""}]);
    });
    let codes: Vec<&str> = order.lines[0]
        .taxes
        .iter()
        .map(|tax| tax.code.as_str())
        .collect();
    assert_eq!(codes, ["rate:77"]);
}
