//! What a connection finds when it is opened.

use crate::given::*;
use crate::server::{DATABASE, KEY, Server, Trouble};
use comptoir_connectors::odoo::SPEC;
use comptoir_kit::contract::LogCapture;
use comptoir_kit::spec::Kit;
use comptoir_model::account::{Account, Severity};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::Cursor;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

#[tokio::test]
async fn a_probe_tells_what_the_database_has() {
    for version in VERSIONS {
        let decimals = (version < 19).then_some(2);
        let server = Server::start(version).await;
        let account = open(&server).probe().await.unwrap();
        assert_eq!(account.version, format!("Odoo {version}.0"));
        assert_eq!(account.price_decimals, decimals);
        assert_eq!(account.currency, "EUR".parse().ok());
        let uuid = "6f1c0a52-0000-4000-8000-000000000001";
        assert_eq!(
            account.site,
            format!("{}/{DATABASE}#{uuid}", server.address)
        );
        assert!(
            account
                .choice("taxes", "TVA 20 % TTC")
                .unwrap()
                .includes_tax
        );
        assert_eq!(
            account.choice("price_lists", "USD").unwrap().currency,
            "USD".parse().ok()
        );
        assert_eq!(account.choices["companies"].len(), 2);
        assert_eq!(account.fields["order"], ["reference"]);
        // No carriers: the app is not installed.
        let told = |account: &Account| -> Vec<(Severity, String)> {
            let notices = account.notices.iter();
            notices
                .map(|notice| (notice.severity, notice.detail.clone()))
                .collect()
        };
        let carriers = "`delivery.carrier` is not used: no installed app brings it".to_owned();
        assert_eq!(told(&account), [(Severity::Info, carriers.clone())]);
        server.erp().denied = vec!["sale.order"];
        let account = open(&server).probe().await.unwrap();
        let right = "the user of the key may not create `sale.order`".to_owned();
        assert_eq!(
            told(&account),
            [(Severity::Info, carriers), (Severity::Error, right)]
        );
    }
}

#[tokio::test]
async fn a_user_without_administration_is_enough() {
    for version in VERSIONS {
        let decimals = (version < 19).then_some(2);
        let server = Server::start(version).await;
        server.erp().plain_user = true;
        let account = open(&server).probe().await.unwrap();
        let digits = (account.price_decimals, account.quantity_decimals);
        assert_eq!(digits, (decimals, Some(2)));
        let errors = account.notices.iter();
        let errors = errors.filter(|notice| notice.severity != Severity::Info);
        assert_eq!(errors.count(), 0);
        // 18 and 19 make no address below a customer for a user who sees no accounting.
        server.erp().sees_accounting = false;
        let account = open(&server).probe().await.unwrap();
        let mut told = account.notices.iter().map(|notice| &notice.detail);
        let closed = told.any(|detail| detail.contains("may not create delivery addresses"));
        assert_eq!(closed, version >= 18);
        // Neither way is open: nothing that was written would be found again.
        let refused = Trouble::Refused("odoo.exceptions.AccessError");
        let call = "ir.model.data.check_object_reference".to_owned();
        server.erp().troubles.push((call, refused));
        let fault = open(&server).probe().await.unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Locked, Code::MissingRight));
    }
}

#[tokio::test]
async fn a_database_without_an_answer_is_not_taken_for_another_site() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let call = "ir.config_parameter.search_read".to_owned();
        let lost = (call.clone(), Trouble::Lost);
        server.erp().troubles.push(lost);
        let fault = open(&server).probe().await.unwrap_err();
        assert!(!matches!(fault.next, Next::Locked), "{fault}");
        // A key without that right is another matter: the address and the database are known still.
        let refused = (call, Trouble::Refused("odoo.exceptions.AccessError"));
        server.erp().troubles.push(refused);
        let account = open(&server).probe().await.unwrap();
        assert_eq!(account.site, format!("{}/{DATABASE}", server.address));
    }
}

#[tokio::test]
async fn a_probe_tells_one_wrong_setting_from_another() {
    let log = LogCapture::default();
    let run = async {
        for version in VERSIONS {
            let server = Server::start(version).await;
            let code = async |changes: Value| {
                let fault = open_with(&server.address, changes)
                    .probe()
                    .await
                    .unwrap_err();
                assert_eq!(fault.next, Next::Locked, "{fault}");
                assert!(!fault.to_string().contains("not-the-key"), "{fault}");
                fault.code
            };
            assert_eq!(code(json!({"key": "not-the-key"})).await, Code::WrongKey);
            assert_eq!(
                code(json!({"database": "other"})).await,
                Code::WrongDatabase
            );
            assert_eq!(code(json!({"company": "Nobody"})).await, Code::BadValue);
            assert_eq!(code(json!({"language": "xx_XX"})).await, Code::BadValue);
            let missing = (
                "sale.order.fields_get",
                "odoo.exceptions.AccessError",
                Code::MissingRight,
            );
            let absent = (
                "sale.order.fields_get",
                "odoo.exceptions.UserError",
                Code::UnsupportedVersion,
            );
            for (call, exception, expected) in [missing, absent] {
                server
                    .erp()
                    .troubles
                    .push((call.to_owned(), Trouble::Refused(exception)));
                assert_eq!(code(json!({})).await, expected);
            }
        }
        let old = Server::start(15).await;
        assert_eq!(
            open(&old).probe().await.unwrap_err().code,
            Code::UnsupportedVersion
        );
        let nobody = open_with("http://127.0.0.1:9", json!({}));
        assert_eq!(nobody.probe().await.unwrap_err().code, Code::Unreachable);
        let page = axum::Router::new().fallback(|| async { "<html>A shop</html>" });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, page).await.unwrap() });
        assert_eq!(
            open_with(&address, json!({}))
                .probe()
                .await
                .unwrap_err()
                .code,
            Code::WrongAddress
        );
    };
    run.with_subscriber(log.clone()).await;
    assert!(!log.text().is_empty());
    for secret in [KEY, "not-the-key", "Traceback", "Marie"] {
        assert!(!log.text().contains(secret));
    }
}

#[test]
fn settings_are_checked_when_they_are_read() {
    let kit = || Kit::new("erp".parse().unwrap());
    let good = json!({"url": "https://erp.example.com", "database": "books", "key": "k"});
    assert!((SPEC.open)(good.clone(), kit()).is_ok());
    for (field, value) in [
        ("external_id_module", "My.Module"),
        ("database", " "),
        ("key", ""),
    ] {
        let mut bad = good.clone();
        bad[field] = json!(value);
        let fault = (SPEC.open)(bad, kit()).err().unwrap();
        assert_eq!(
            (fault.code, fault.field.as_deref()),
            (Code::BadValue, Some(field))
        );
    }
    let mut unknown = good;
    unknown["pasword"] = json!("x");
    assert_eq!(
        (SPEC.open)(unknown, kit()).err().unwrap().code,
        Code::UnknownSetting
    );
}

#[tokio::test]
async fn the_older_api_works_on_the_newer_version() {
    let server = Server::start(19).await;
    let connector = open_with(&server.address, json!({"protocol": "jsonrpc"}));
    let seen = created(&*connector, &create("1", order("1001"))).await;
    assert_eq!(held(&seen).totals.total, dec("89.70"));
    let page = connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    assert_eq!(page.items.len(), 1);
}
