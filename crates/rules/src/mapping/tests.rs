//! What rules do with an order.

use super::*;
use comptoir_model::code::Code;
use comptoir_model::order::{Line, ShippingLine};
use serde_json::{Value, json};

fn order() -> Order {
    let mut order = Order::empty("1042", "EUR".parse().unwrap());
    order.email = "buyer@example.test".to_owned();
    order.channel = "checkout".to_owned();
    order.ship_to.country = "FR".parse().ok();
    order.ship_to.postcode = "69003".to_owned();
    order.bill_to.company = "Exemple SARL".to_owned();
    order.totals.total = Decimal::new(12_050, 2);
    order.dates.placed = "2026-11-25T23:30:00Z".parse().ok();
    order.lines = ["MUG", "CUP"]
        .into_iter()
        .zip(["7", "8"])
        .map(|(sku, id)| Line {
            id: id.to_owned(),
            sku: sku.to_owned(),
            title: format!("A {sku}"),
            quantity: Decimal::TWO,
            net: Decimal::TEN,
            ..Line::default()
        })
        .collect();
    order.shipping.push(ShippingLine {
        id: "9".to_owned(),
        method: "flat_rate".to_owned(),
        ..ShippingLine::default()
    });
    order
}

fn row(json: Value) -> Row {
    serde_json::from_value(json).unwrap()
}

fn rules(rows: &[Value]) -> Rules {
    let place = |line| Place {
        file: "flows/orders.toml".to_owned(),
        line,
    };
    let rows = rows
        .iter()
        .enumerate()
        .map(|(index, json)| (place(index + 1), row(json.clone())))
        .collect();
    let countries = [("FR", "Lyon"), ("*", "Berlin")];
    let terms = [("gold", "30 days")];
    let places = [("Lyon", "45.7640,4.8357"), ("Lille", "50.6292,3.0573")];
    let table = |rows: &[(&str, &str)]| {
        Table::new(rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())))
    };
    let tables = BTreeMap::from([
        ("countries".to_owned(), table(&countries)),
        ("terms".to_owned(), table(&terms)),
        ("places".to_owned(), table(&places)),
    ]);
    Rules::compile(rows, tables).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn applied(rows: &[Value]) -> Mapped {
    let beside = Beside {
        source: "shop-fr",
        raw: Some(r#"{"meta_data": [{"key": "group", "value": "gold"}], "n": 3}"#),
        stock: None,
    };
    rules(rows).apply(order(), beside)
}

/// What an expression gives for the sample order.
fn value(expr: &str) -> Value {
    let mapped = applied(&[json!({"to": "ext.x", "expr": expr, "on_missing": "hold"})]);
    match mapped.own.get("x") {
        Some(value) => value.clone(),
        None => Value::String(format!("! {}", mapped.failures[0].why)),
    }
}

#[test]
fn the_first_rule_that_applies_and_finds_a_value_writes_it() {
    let mapped = applied(&[
        json!({"to": "placement.warehouse", "value": "Paris", "when": "ship_to.country == \"DE\""}),
        json!({"to": "placement.warehouse", "from": "raw.meta_data[warehouse]"}),
        json!({"to": "placement.warehouse", "from": "ship_to.country", "lookup": "countries"}),
        json!({"to": "placement.warehouse", "value": "Rest"}),
    ]);
    let chosen = &mapped.spots[&Spot::Warehouse];
    assert_eq!((chosen.value.as_str(), chosen.by.line), ("Lyon", 3));
    let reason = &mapped.reasons[0];
    assert_eq!(reason.from, "ship_to.country");
    assert_eq!(reason.row.as_deref(), Some("countries: FR → Lyon"));
    assert_eq!(reason.rule.as_deref(), Some("flows/orders.toml:3"));
    assert_eq!(mapped.reasons.len(), 1);
}

#[test]
fn a_value_that_is_missing_is_skipped_defaulted_or_held_as_the_rule_says() {
    let mapped = applied(&[
        json!({"to": "fields.a", "from": "note"}),
        json!({"to": "fields.b", "from": "note", "default": "none"}),
        json!({"to": "fields.c", "from": "note", "on_missing": "hold"}),
        json!({"to": "fields.d", "from": "raw.meta_data[group]", "lookup": "terms"}),
        json!({"to": "fields.e", "from": "channel", "lookup": "terms"}),
        json!({"to": "fields.f", "from": "email", "lookup": "terms"}),
        json!({"to": "fields.g", "from": "channel", "lookup": "terms", "on_missing": "skip"}),
    ]);
    assert_eq!(
        mapped.fields,
        serde_json::from_value(json!({"b": "none", "d": "30 days"})).unwrap()
    );
    let causes: Vec<String> = mapped.causes().iter().map(ToString::to_string).collect();
    // A value that says who the buyer is stands in no cause.
    assert_eq!(
        causes,
        [
            "row:terms:checkout",
            "rule:CMP-0430:flows/orders.toml:3",
            "rule:CMP-0430:flows/orders.toml:6"
        ]
    );
    assert!(mapped.failures[2].why.contains("buyer@example.test"));
}

#[test]
fn lines_addresses_tags_and_extension_fields_are_written_in_place() {
    let mapped = applied(&[
        json!({"to": "ext.zone", "expr": "cut(ship_to.postcode, 2)"}),
        json!({"to": "lines[].title", "expr": "line.title + \" · \" + ext.zone", "when": "line.sku == \"MUG\""}),
        json!({"to": "lines[].fields.x_sku", "from": "line.sku"}),
        json!({"to": "shipping[].sku", "expr": "line.method.upper()"}),
        json!({"to": "ship_to.region", "from": "ext.zone"}),
        json!({"to": "tags[]", "value": "web"}),
        json!({"to": "tags[]", "from": "source"}),
        json!({"to": "customer.is_company", "expr": "bill_to.company != \"\""}),
        json!({"to": "placement.document", "value": "quotation"}),
        json!({"to": "reference", "expr": "`W-${number}`"}),
    ]);
    assert!(mapped.failures.is_empty(), "{:?}", mapped.failures);
    assert_eq!(mapped.lines[0].title, "A MUG · 69");
    assert_eq!(mapped.lines[1].title, "A CUP");
    assert_eq!(mapped.line_fields["line-8"]["x_sku"], "CUP");
    assert_eq!(mapped.skus["shipping-9"], "FLAT_RATE");
    assert_eq!(mapped.ship_to.region, "69");
    assert_eq!(mapped.tags, ["web", "shop-fr"]);
    assert_eq!(mapped.buyer["is_company"], true);
    assert_eq!(mapped.becomes, Some(Becomes::Quotation));
    assert_eq!(mapped.texts["reference"], "W-1042");
    let title = mapped
        .reasons
        .iter()
        .find(|reason| reason.to == "lines[line-7].title");
    assert_eq!(
        title.and_then(|reason| reason.rule.as_deref()),
        Some("flows/orders.toml:2")
    );
}

#[test]
fn arithmetic_is_exact_and_a_text_is_not_a_number() {
    for (expr, wanted) in [
        ("0.1 + 0.2 == 0.3", json!(true)),
        ("1 / 4", json!("0.25")),
        ("totals.total * 20 / 100", json!("24.1")),
        ("round(totals.total / 3, 2)", json!("40.17")),
        ("round_down(-2.55, 1)", json!("-2.5")),
        ("round_even(2.345, 2)", json!("2.34")),
        ("totals.total == 120.5", json!(true)),
        ("totals.total > 120", json!(true)),
        ("lines.sum(\"net\")", json!("20")),
        ("lines.sum(\"quantity\") + 1", json!("5")),
        ("number(\"1 234,50\", \",\")", json!("1234.5")),
        ("min(2, 1.5)", json!("1.5")),
    ] {
        assert_eq!(value(expr), wanted, "{expr}");
    }
    for expr in [
        "ship_to.postcode == 69003",
        "ship_to.postcode > 5",
        "1 / 0",
        "totals.total / 0",
        "note + 1",
        "number(\"x\")",
    ] {
        assert!(
            value(expr).as_str().unwrap().starts_with("! "),
            "{expr}: {}",
            value(expr)
        );
    }
    assert!(
        value("ext.none.x")
            .as_str()
            .unwrap()
            .contains("line 1, position")
    );
}

#[test]
fn functions_say_what_their_page_says() {
    for (expr, wanted) in [
        ("upper(\"é\")", json!("É")),
        ("pad_left(\"7\", 3, \"0\")", json!("007")),
        ("before(\"A-B-C\", \"-\")", json!("A")),
        ("before_last(\"A-B-C\", \"-\")", json!("A-B")),
        ("after(\"A-B-C\", \"-\")", json!("B-C")),
        ("after_last(\"A-B-C\", \"-\")", json!("C")),
        ("sku(\" ab c \")", json!("ABC")),
        ("join(split(\"a, b\", \",\"), \"+\")", json!("a+b")),
        ("join(lines.pluck(\"sku\"), \", \")", json!("MUG, CUP")),
        ("lines.any(\"sku\", \"MU*\")", json!(true)),
        ("lines.all(\"sku\", \"MU*\")", json!(false)),
        ("\"FR\" in [\"FR\", \"BE\"]", json!(true)),
        ("ship_to.country in [\"DE\", \"BE\"]", json!(false)),
        ("first(note, bill_to.company)", json!("Exemple SARL")),
        ("date(dates.placed, \"Europe/Paris\")", json!("2026-11-26")),
        ("hour(dates.placed, \"Europe/Paris\")", json!(0)),
        ("weekday(\"2026-11-25\")", json!(3)),
        ("add_days(\"2026-11-25\", 30)", json!("2026-12-25")),
        ("days_between(\"2026-11-25\", \"2026-12-25\")", json!(30)),
        (
            "format_date(\"2026-11-25\", \"%d/%m/%Y\")",
            json!("25/11/2026"),
        ),
        ("eu(ship_to.country)", json!(true)),
        ("country(\"uk\")", json!("GB")),
        ("phone(\"06 39 98 12 34\", \"FR\")", json!("+33639981234")),
        ("phone(\"0039 06 1\", \"FR\")", json!("+39061")),
        ("phone(\"06 1234\", \"IT\")", json!("+39061234")),
        (
            "postcode_between(ship_to.postcode, \"69\", \"74\")",
            json!(true),
        ),
        (
            "postcode_between(ship_to.postcode, \"69004\", \"69009\")",
            json!(false),
        ),
        (
            "postcode_between(\"1000\", \"10000\", \"20000\")",
            json!(false),
        ),
        (
            "distance_km(\"45.7640,4.8357\", \"48.8566,2.3522\")",
            json!("391.5"),
        ),
        ("nearest(\"48.8566,2.3522\", \"places\")", json!("Lille")),
        ("lookup(\"countries\", \"FR\")", json!("Lyon")),
        ("lookup(\"terms\", \"silver\") ?? \"cash\"", json!("cash")),
        ("raw.n + 1", json!(4)),
        ("raw.meta_data[\"group\"]", json!("gold")),
        ("replace(\"a.b\", \".\", \"-\")", json!("a-b")),
        ("digits(\"a1b2\")", json!("12")),
        (
            "switch ship_to.country { \"FR\" | \"BE\" => 1, _ => 2 }",
            json!(1),
        ),
    ] {
        assert_eq!(value(expr), wanted, "{expr}");
    }
}

#[test]
fn nothing_that_could_wait_loop_define_or_show_can_be_written() {
    let none = BTreeMap::new();
    for expr in [
        "eval(\"1\")",
        "print(1)",
        "debug(1)",
        "sleep(1)",
        "loop {}",
        "while true {}",
        "for x in 0..9 {}",
        "let x = 1",
        "x = 1",
        "|x| x",
        "fn f() {}",
        "import \"a\"",
        "Fn(\"f\")",
        "1..9",
        "#{a: 1}",
        "throw 1",
        "return 1",
        "timestamp()",
        "number = \"1\"",
        "if true { let x = 1; x }",
        "1; 2",
        "type_of(1)",
        "lines.push(1)",
    ] {
        let rows = vec![(
            Place {
                file: "f".to_owned(),
                line: 1,
            },
            row(json!({"to": "ext.x", "expr": expr})),
        )];
        assert!(
            Rules::compile(rows, none.clone()).is_err(),
            "{expr} was taken"
        );
    }
}

#[test]
fn stock_and_distance_choose_a_warehouse_together() {
    let rules = rules(&[
        json!({"to": "placement.warehouse", "expr": "nearest_covering(\"48.8566,2.3522\", \"places\", stock, lines)", "on_missing": "skip"}),
        json!({"to": "placement.warehouse", "expr": "first_covering(stock, lines, [\"Lille\", \"Lyon\"])", "default": "Paris"}),
    ]);
    assert!(rules.reads_stock());
    let shelf = |mugs: i64, cups: i64| {
        BTreeMap::from([
            ("MUG".to_owned(), mugs.into()),
            ("CUP".to_owned(), cups.into()),
        ])
    };
    let chosen = |lille, lyon| {
        let stock = OnHand::from([("Lille".to_owned(), lille), ("Lyon".to_owned(), lyon)]);
        let beside = Beside {
            stock: Some(&stock),
            ..Beside::default()
        };
        rules.apply(order(), beside).spots[&Spot::Warehouse]
            .value
            .clone()
    };
    assert_eq!(chosen(shelf(2, 2), shelf(9, 9)), "Lille");
    assert_eq!(chosen(shelf(2, 1), shelf(9, 9)), "Lyon");
    assert_eq!(chosen(shelf(0, 0), shelf(1, 9)), "Paris");
}

#[test]
fn what_the_target_does_not_have_is_told_with_the_nearest_it_has() {
    let rules = rules(&[
        json!({"to": "fields.x_chanel", "from": "channel"}),
        json!({"to": "lines[].fields.x_cost", "from": "line.sku"}),
        json!({"to": "placement.warehouse", "value": "Lyons"}),
        json!({"to": "placement.team", "from": "ship_to.country", "lookup": "countries"}),
    ]);
    let account: Account = serde_json::from_value(json!({
        "title": "ERP", "version": "ERP 1", "site": "x",
        "fields": {"order": ["x_channel"]},
        "choices": {"warehouses": [{"id": "1", "name": "Lyon"}], "teams": [{"id": "4", "name": "Lyon"}]}
    }))
    .unwrap();
    let wrong = rules.check_against(&account);
    let told: Vec<(usize, &str)> = wrong
        .iter()
        .map(|wrong| (wrong.place.line, wrong.setting))
        .collect();
    // Lines are not told by this target; of the teams, Berlin is missing.
    assert_eq!(told, [(1, "to"), (3, "value"), (4, "lookup")]);
    assert_eq!(wrong[0].unknown.as_ref().unwrap().1, ["x_channel"]);
}

#[test]
fn a_value_of_the_wrong_sort_holds_the_order_and_is_written_nowhere() {
    let mapped = applied(&[
        json!({"to": "ship_to.country", "value": "Frankreich"}),
        json!({"to": "customer.is_company", "value": "perhaps"}),
        json!({"to": "note", "from": "ship_to"}),
        json!({"to": "note", "value": "x", "when": "number"}),
    ]);
    assert_eq!(mapped.failures.len(), 4);
    assert!(
        mapped
            .failures
            .iter()
            .all(|failure| failure.code == Code::RuleFailed)
    );
    assert_eq!(mapped.ship_to.country, "FR".parse().ok());
    assert_eq!(mapped.note, "");
}
