//! What goes, what stays, and in which form.

use super::*;

#[test]
fn what_tells_who_a_person_is_goes_and_the_rest_stays() {
    let mut redactor = Redactor::default();
    let body = r#"{"id":42,"total":12.50,"order_key":"wc_1","billing":{"first_name":"Ann","email":"ann@shop.example","phone":"0199001234"},"note":"call ann@shop.example or +44 20 7946 0999","meta_data":[{"key":"_billing_phone","value":"0199001234"},{"key":"colour","value":"red"}],"customer_email":"ANN@shop.example"}"#;
    let clean = redactor.body(body);
    for gone in ["Ann", "ann@", "ANN@", "0199001234", "7946", "wc_1"] {
        assert!(!clean.contains(gone), "{gone} in {clean}");
    }
    for kept in ["\"id\":42", "\"total\":12.50,", "colour", "red"] {
        assert!(clean.contains(kept), "{kept} not in {clean}");
    }
    let again = redactor.text("ann@shop.example");
    assert_eq!(clean.matches(&again).count(), 2, "{clean}");
}

#[test]
fn secrets_go_wherever_they_stand() {
    let mut redactor = Redactor::new(vec![Secret::new("cs_live/1")]);
    assert_eq!(
        redactor.text("key cs_live/1 and cs_live%2F1"),
        "key SECRET_TAPE and SECRET_TAPE"
    );
    let query = [
        ("consumer_secret".to_owned(), "x".to_owned()),
        ("page".to_owned(), "2".to_owned()),
    ];
    assert_eq!(redactor.query(&query)[0].1, SECRET);
    assert_eq!(redactor.query(&query)[1].1, "2");
    assert_eq!(redactor.header("Set-Cookie", "sid=1"), SECRET);
    assert_eq!(
        redactor.body("login=ann%40shop.example&password=p"),
        "login=person1%40example.test&password=SECRET_TAPE"
    );
    // A token that one answer tells is sent with the next call.
    redactor.body(r#"{"access_token":"a-token-of-the-session"}"#);
    assert_eq!(redactor.text("x a-token-of-the-session"), "x SECRET_TAPE");
}

#[test]
fn a_name_given_away_by_a_field_goes_from_every_text() {
    let mut redactor = Redactor::default();
    let first = redactor.body(r#"{"message":"Order of Zoé Lindqvist, ZOÉ","at":"Zoéland"}"#);
    redactor.body(r#"{"partner_id":[7,"Zoé Lindqvist"],"firstname":"Zo\u00e9"}"#);
    let clean = redactor.again(&first);
    assert!(
        !clean.contains("Lindqvist") && !clean.contains("ZOÉ"),
        "{clean}"
    );
    assert!(clean.contains("Zoéland"), "only whole words: {clean}");
}

#[test]
fn rows_domains_markup_and_pages_before_json_are_read_by_their_fields() {
    let mut redactor = Redactor::default();
    for (body, gone) in [
        (
            r#"{"args":[["id","name","email"],[["x","Ann Lee","a@b.example"]]]}"#,
            "Ann",
        ),
        (
            r#"{"fields":["name","vat"],"data":[["Ann Lee","FR11123456782"]]}"#,
            "FR11123456782",
        ),
        (
            r#"{"domain":["|",["vat","=","FR11123456782"],["email","ilike","x@y.example"]]}"#,
            "FR11",
        ),
        (
            "<c><firstname><![CDATA[Ann]]></firstname><id>7</id></c>",
            "Ann",
        ),
        (
            "<c>\n<address1 xml:lang=\"fr\">12 rue X</address1></c>",
            "rue",
        ),
        ("<html>Warning</html>\n{\"firstname\":\"Ann\"}", "Ann"),
        (r#"{"lastquery":"select x where nom = 'Ann'"}"#, "Ann"),
        (
            r#"{"id":"woocommerce_store_address","value":"1 rue Y"}"#,
            "rue",
        ),
        (r#"{"id":3,"id_order":4,"message":"Ring at Ann's"}"#, "Ring"),
    ] {
        let clean = redactor.body(body);
        assert!(!clean.contains(gone), "{gone} in {clean}");
        let signs = |text: &str| text.matches(['{', '[', '<', ',']).count();
        assert_eq!(signs(&clean), signs(body), "{clean}");
    }
    assert_eq!(redactor.body("<c><id>7</id></c>"), "<c><id>7</id></c>");
}

#[test]
fn where_the_system_is_goes_too() {
    let mut redactor = Redactor::default();
    redactor.hide("https://www.ann-sells.example:8443");
    let clean = redactor.body(
        r#"{"url":"https:\/\/www.ann-sells.example:8443\/shop","site":"www.ann-sells.example"}"#,
    );
    assert_eq!(
        clean,
        r#"{"url":"https://tape.example/shop","site":"tape.example"}"#
    );
}

#[test]
fn a_placeholder_has_the_form_of_what_it_stands_for() {
    let mut redactor = Redactor::default();
    let body = r#"{"email":"a@b.example","vat":"FR11123456782","zip":"69003","postcode":"EC1A 1BB","phone":"0199001234","birthday":"1984-02-03","ip":"2a02:8428::1"}"#;
    assert_eq!(
        redactor.body(body),
        r#"{"email":"person1@example.test","vat":"FR00000000002","zip":"00000","postcode":"XX0X 0XX","phone":"0199000005","birthday":"1970-01-01","ip":"2001:db8::7"}"#
    );
}
